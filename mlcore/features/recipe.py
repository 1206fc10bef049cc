"""The recipe: target, task and ordered steps. It becomes one scikit-learn Pipeline that takes the raw frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import pandas as pd

from mlcore.data.dataset import Schema, unique_names
from mlcore.data.former_names import with_current_names
from mlcore.errors import BadChoice, BadInput
from mlcore.features.encode import category_count, encoder
from mlcore.features.steps import STEPS, Step, Steps
from mlcore.models.builders import Setting
from mlcore.models.catalogue import Family
from mlcore.validation.metrics import Task


@dataclass(frozen=True)
class Recipe(Steps):
    """The target, and how columns become features. The order of the steps is fixed by their type."""

    target: str
    task: Task
    positive: str | None = None  # the class of two that binary figures are about, as text; None: chosen by its name

    def words(self) -> str:
        """The task and, of two classes, the positive one."""
        return self.task if self.positive is None else f"{self.task}, positive class {self.positive}"

    def walk(self, schema: Schema) -> Iterator[tuple[Step, Schema]]:
        """Each step with the schema before it."""
        current = schema.features()
        for step in self.steps():
            yield step, current
            current = step.after(current)

    def change(self, step: Step) -> Recipe:
        """Return the recipe with one step replaced."""
        for name, kind in STEPS.items():
            if type(step) is kind:
                changed: dict[str, Any] = {name: step}
                return replace(self, **changed)
        raise BadChoice.of("step", step.name, [s.name for s in STEPS.values()])

    def prepared(self, schema: Schema) -> Schema:
        """The schema after the steps, before the model family matters. Raises BadInput when no column is left."""
        if not schema.features().columns:
            raise BadInput(
                "No features are left: all columns are identifiers, free text, constant or ignored. "
                "Give at least one column the role 'feature' (--role COLUMN=feature)."
            )
        *_, (last, before) = self.walk(schema)
        return last.after(before)

    def transformers(self, schema: Schema) -> list[tuple[str, Any]]:
        """The transformers of a raw frame, row by row; the first casts each column to its kind."""
        from mlcore.features.transformers import Conform, RowByRow

        built = [(step.name, step.build(before)) for step, before in self.walk(schema)]
        transformers = [(name, t) for name, t in built if t is not None]
        for name, transformer in transformers:
            if not isinstance(transformer, RowByRow):  # it is applied to all rows at once, before the split
                raise TypeError(
                    f"The transformer of step {name!r} is fitted to rows; it belongs into `encode.encoder`."
                )
        return [("columns", Conform.of(schema)), *transformers]

    def encoder(self, schema: Schema, family: Family) -> Any:
        """The transformer that turns the columns of `prepared` into the features of a model family."""
        return encoder(self.prepared(schema), (self.fill, self.encode, self.scale), family, self.task)

    def setting(self, schema: Schema, seed: int) -> Setting:
        """The setting with which a model is built."""
        return Setting(self.task, seed, category_count(self.prepared(schema), (self.fill, self.encode, self.scale)))

    def pipeline(self, schema: Schema, family: Family, estimator: Any) -> Any:
        """The Pipeline from the raw frame to the prediction."""
        from sklearn.pipeline import Pipeline

        from mlcore.features.transformers import Conform

        if family in ("none", "raw"):
            return Pipeline([("columns", Conform.of(schema)), ("model", estimator)])
        return Pipeline([*self.transformers(schema), ("encode", self.encoder(schema, family)), ("model", estimator)])

    def preview(self, schema: Schema, frame: pd.DataFrame, y: Any, family: Family = "linear") -> pd.DataFrame:
        """The features of a model family for some training rows, fitted on these rows only: (n, features)."""
        from sklearn.pipeline import Pipeline

        encode = self.encoder(schema, family)
        prepared = Pipeline(self.transformers(schema)).fit_transform(frame)
        values = encode.fit_transform(prepared, y)
        return pd.DataFrame(values, columns=_names(encode), index=frame.index)

    def with_options(self, changes: Mapping[str, Mapping[str, Any]]) -> Recipe:
        """Return the recipe with some options changed: {part: {option: value}}. Raises BadInput."""
        data = self.to_json()
        return Recipe.from_json({**data, **{part: {**data[part], **options} for part, options in changes.items()}})

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Recipe:
        """Rebuild from plain data. Raises BadInput for an unknown step or option."""
        parts = {f.name: f for f in fields(cls)}
        values: dict[str, Any] = {}
        if not isinstance(data, dict) or not all(isinstance(data.get(p, {}), dict) for p in STEPS):
            raise BadInput(f"A recipe is an object whose parts ({', '.join(STEPS)}) are objects of options.")
        for name, value in data.items():
            if name not in parts:
                raise BadChoice.of("part of a recipe", name, parts)
            values[name] = STEPS[name]().change(**with_current_names(name, value)) if isinstance(value, dict) else value
        return cls(**values)


def _names(encode: Any) -> list[str]:
    """Feature names of an encoder, made unique: a category can give the name of another column."""
    parts = [(part, columns) for _, part, columns in encode.transformers_ if len(columns) and part != "drop"]
    return unique_names([n for part, columns in parts for n in part.get_feature_names_out(columns)])[0]
