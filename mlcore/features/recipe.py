"""The recipe: target, task and ordered steps. It becomes one scikit-learn Pipeline that takes the raw frame.

Steps act in their order. Those that every model needs come last by themselves: dates and free text become numbers,
and missing values, categories and scales are handled for each model family. A `missing`, `encode` or `scale` step on
`auto` columns changes how they are handled, unless its method can only act in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

import pandas as pd

from mlcore.data.dataset import Column, Schema
from mlcore.errors import BadChoice, BadInput
from mlcore.features.encode import Closing, category_count, encoder
from mlcore.features.steps import step_from_json
from mlcore.features.steps.base import Step
from mlcore.features.steps.categories import Encode
from mlcore.features.steps.dates import Dates
from mlcore.features.steps.missing import Missing
from mlcore.features.steps.numeric import Scale
from mlcore.features.steps.resample import Resample
from mlcore.features.steps.text import Text
from mlcore.models.catalogue import Family
from mlcore.validation.metrics import TASKS, Task
from mlcore.wording import several

# Methods that act at the end, for each model family, when the columns are `auto`; others act in their place.
CLOSING: dict[type[Step], tuple[str, ...]] = {
    Missing: ("auto", "mean", "median", "constant"),
    Encode: ("auto", "one_hot", "ordinal", "target"),
    Scale: ("auto", "standard", "robust", "minmax", "quantile", "power", "none"),
}
MOST_STEPS = 100


def is_closing(step: Step) -> bool:
    """Whether a step says how something is handled at the end, for each model family."""
    return step.columns == "auto" and getattr(step, "method", "") in CLOSING.get(type(step), ()) and not getattr(
        step, "order", ())  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """The target, and how columns become features.

    >>> recipe = Recipe.from_json({"target": "y", "task": "binary", "steps": [{"step": "clip", "columns": ["fare"]}]})
    >>> recipe.steps[0].high
    0.99
    """

    target: str
    task: Task
    positive: str | None = None  # the class of two that binary figures are about, as text; None: chosen by its name
    steps: tuple[Step, ...] = field(default=())

    def words(self) -> str:
        """The task and, of two classes, the positive one."""
        return self.task if self.positive is None else f"{self.task}, positive class {self.positive}"

    # the steps ----------------------------------------------------------------------------------------------------

    def active(self) -> Recipe:
        """Without the steps that are switched off."""
        return replace(self, steps=tuple(s for s in self.steps if not s.off))

    @property
    def closing(self) -> Closing:
        """How missing values, categories and scales are handled: by the last step that says so."""
        chosen: dict[type[Step], Any] = {type(s): s for s in (Missing(), Encode(), Scale())}
        chosen |= {type(s): s for s in self.active().steps if is_closing(s)}
        return Closing(missing=chosen[Missing], encode=chosen[Encode], scale=chosen[Scale])

    def acting(self, schema: Schema) -> tuple[Step, ...]:
        """The steps that act in their order, with those at the end that every model needs."""
        features = schema.features()
        last: list[Step] = [Dates()] if features.named("datetime") else []
        return (*(s for s in self.active().steps if not is_closing(s)), *last)

    def leading(self, schema: Schema) -> tuple[Step, ...]:
        """The first steps, which work row by row: they are applied once, to all rows, before the split."""
        return tuple(takewhile(lambda s: s.works == "row by row", self.acting(schema)))

    def fitted(self, schema: Schema) -> tuple[Step, ...]:
        """The steps after those, which are fitted inside each fold."""
        return self.acting(schema)[len(self.leading(schema)) :]

    @property
    def resampling(self) -> str:
        """The method of the last step that balances classes; empty without one."""
        return next((s.method for s in reversed(self.active().steps) if isinstance(s, Resample)), "")

    def with_step(self, step: Step) -> Recipe:
        """With one more step at the end; a closing one replaces an earlier one of its kind."""
        others = tuple(s for s in self.steps if not (is_closing(step) and is_closing(s) and type(s) is type(step)))
        return self.with_steps((*others, step))

    def with_steps(self, steps: Sequence[Step]) -> Recipe:
        """With other steps. Raises BadInput for too many."""
        if len(steps) > MOST_STEPS:
            raise BadInput(f"A recipe has at most {MOST_STEPS} steps; {len(steps)} were given.")
        return replace(self, steps=tuple(steps))

    def with_changes(self, changes: Mapping[str, Any]) -> Recipe:
        """With some options of one closing step changed: {"step": NAME, option: value}. Raises BadInput."""
        current = {"missing": self.closing.missing, "encode": self.closing.encode, "scale": self.closing.scale}
        if changes.get("step") not in current:
            return self.with_step(step_from_json(changes))
        before = current[str(changes["step"])]
        step = before.change(**{k: v for k, v in changes.items() if k != "step"})
        return self if step == before else self.with_step(step)  # so that a fix that changes nothing is known as done

    def closing_words(self, schema: Schema) -> list[str]:
        """What happens at the end to the columns of a file that no step has changed, one sentence each."""
        features, closing = schema.features(), self.closing
        added = self.acting(schema)[sum(not is_closing(s) for s in self.active().steps) :]
        lines = [s.words(s.chosen(features)) for s in added]
        if texts := features.named("text"):
            lines.append(
                f"{several(texts)}: words weighted by TF-IDF for linear models, counts of words for naive Bayes, "
                f"{Text().size} components of the TF-IDF for all others."
            )
        lines.append(closing.missing.words([c.name for c in features if c.missing and closing.missing.takes(c)]))
        if categories := closing.encode.chosen(features):
            lines.append(closing.encode.words(categories))
        return [*lines, closing.scale.words(features.named("numeric"))]

    # what comes out -----------------------------------------------------------------------------------------------

    def prepared(self, schema: Schema) -> Schema:
        """About what the encoder gets, for estimates: dates and texts as numbers. Raises BadInput without features."""
        features = schema.features()
        if not features.columns:
            raise BadInput(
                "No features are left: all columns are identifiers, free text, constant or ignored. "
                "Give at least one column the role 'feature' (--role COLUMN=feature)."
            )
        columns: list[Column] = []
        for column in features:
            parts = len(Dates().parts) if column.kind == "datetime" else Text().size if column.kind == "text" else 0
            made = [replace(column, name=f"{column.name} {k}", kind="numeric", dtype="float") for k in range(parts)]
            columns += made or [column]
        return Schema(tuple(columns))

    def sequence(self, steps: Sequence[Step], schema: Schema, seed: int = 0) -> Any:
        """The transformer of some steps, which takes the columns of a schema."""
        from mlcore.features.transformers import StepSequence

        return StepSequence.of(steps, schema, self.task, seed)

    def encoder(self, schema: Schema, family: Family) -> Any:
        """The transformer of the columns that the steps leave into the features of a model family."""
        return encoder(schema, self.closing, family, self.task)

    def category_count(self, schema: Schema) -> int:
        """How many of the first features of trees are category codes, for the columns that the steps leave."""
        return category_count(schema, self.closing)

    def features(self, schema: Schema, family: Family, seed: int = 0) -> Any:
        """The unfitted transformer of `Conform`ed columns into the features of a family: all steps, and the encoder."""
        from mlcore.features.transformers import Features

        return Features(self.sequence(self.acting(schema), schema, seed), self.closing.to_json(), family)

    def pipeline(self, schema: Schema, family: Family, estimator: Any, seed: int = 0) -> Any:
        """The Pipeline from the raw frame to the prediction."""
        from sklearn.pipeline import Pipeline

        from mlcore.features.transformers import Conform

        if family in ("none", "raw"):
            return Pipeline([("columns", Conform.of(schema)), ("model", estimator)])
        features = self.features(schema, family, seed)
        return Pipeline([("columns", Conform.of(schema)), ("features", features), ("model", estimator)])

    def preview(self, schema: Schema, frame: pd.DataFrame, y: Any, family: Family = "linear") -> pd.DataFrame:
        """The features of a model family for some training rows, fitted on these rows only: (n, features)."""
        from mlcore.features.transformers import Conform

        features = self.features(schema, family)
        values = features.fit_transform(Conform.of(schema).transform(frame), y)
        return pd.DataFrame(values, columns=features.get_feature_names_out(), index=frame.index)

    # plain data ---------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        steps = [s.to_json() for s in self.steps]
        return {"target": self.target, "task": self.task, "positive": self.positive, "steps": steps}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """Rebuild from plain data. Raises BadInput for an unknown step, option or column list."""
        known = ("target", "task", "positive", "steps")
        if not isinstance(data, Mapping):
            raise BadInput('A recipe is an object such as {"steps": [{"step": "clip", "columns": ["fare"]}]}.')
        for name in data:
            if name not in known:
                raise BadChoice.of("part of a recipe", name, known)
        if data.get("task") not in TASKS:
            raise BadChoice.of("task", data.get("task"), TASKS)
        steps = data.get("steps", [])
        if not isinstance(steps, list | tuple):
            raise BadInput(f'The steps of a recipe are a list of objects with a "step"; {steps!r} was given.')
        recipe = cls(str(data["target"]), data["task"], data.get("positive"))
        return recipe.with_steps([step_from_json(s) for s in steps])
