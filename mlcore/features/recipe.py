"""The recipe: target, task and ordered steps; it becomes one scikit-learn Pipeline that takes the raw frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pandas as pd

from mlcore.dataset import Schema, unique_names
from mlcore.errors import BadChoice, BadInput
from mlcore.features.encode import category_count, encoder
from mlcore.features.steps import STEPS, DateParts, EncodeCategories, FillMissing, Scale, Step, TextCounts
from mlcore.metrics import Task
from mlcore.models import Family, Setting


@dataclass(frozen=True)
class Recipe:
    """What is predicted and how columns become features. The order of the steps is fixed by what they are."""

    target: str
    task: Task
    dates: DateParts = DateParts()  # noqa: RUF009 - frozen
    texts: TextCounts = TextCounts()  # noqa: RUF009
    fill: FillMissing = FillMissing()  # noqa: RUF009
    encode: EncodeCategories = EncodeCategories()  # noqa: RUF009
    scale: Scale = Scale()  # noqa: RUF009

    def steps(self) -> tuple[Step, ...]:
        """All steps in the order in which they are applied."""
        return (self.dates, self.texts, self.fill, self.encode, self.scale)

    def walk(self, schema: Schema) -> Iterator[tuple[Step, Schema]]:
        """Each step with the schema that it meets."""
        current = schema.features()
        for step in self.steps():
            yield step, current
            current = step.after(current)

    def change(self, step: Step) -> Recipe:
        """Return the recipe with one step replaced."""
        for field in fields(self):
            if type(getattr(self, field.name)) is type(step):
                changed: dict[str, Any] = {field.name: step}
                return replace(self, **changed)
        raise BadChoice.of("step", step.name, [s.name for s in STEPS])

    def prepared(self, schema: Schema) -> Schema:
        """The schema that the steps leave before the model family matters. Raises BadInput when no column is left."""
        if not schema.features().columns:
            raise BadInput(
                "No column is left to learn from: all are identifiers, free text, constant or ignored. "
                "Give at least one column the role 'feature'."
            )
        *_, (last, met) = self.walk(schema)
        return last.after(met)

    def transformers(self, schema: Schema) -> list[tuple[str, Any]]:
        """What makes these columns of a raw frame, row by row; the first casts each to its kind."""
        from mlcore.features.transformers import Conform

        built = [(step.name, step.build(met)) for step, met in self.walk(schema)]
        return [("columns", Conform.of(schema)), *((name, made) for name, made in built if made is not None)]

    def encoder(self, schema: Schema, family: Family) -> Any:
        """The transformer that makes what a model family needs, from what `prepared` leaves."""
        return encoder(self.prepared(schema), (self.fill, self.encode, self.scale), family, self.task)

    def setting(self, schema: Schema, seed: int) -> Setting:
        """What a model may know when it is built."""
        return Setting(self.task, seed, category_count(self.prepared(schema), (self.fill, self.encode, self.scale)))

    def pipeline(self, schema: Schema, family: Family, estimator: Any) -> Any:
        """The one Pipeline: raw frame in, prediction out."""
        from sklearn.pipeline import Pipeline

        from mlcore.features.transformers import Conform

        if family in ("none", "raw"):
            return Pipeline([("columns", Conform.of(schema)), ("model", estimator)])
        return Pipeline([*self.transformers(schema), ("encode", self.encoder(schema, family)), ("model", estimator)])

    def preview(self, schema: Schema, frame: pd.DataFrame, y: Any, family: Family = "linear") -> pd.DataFrame:
        """What a model of a family sees of some training rows: fitted on them and nothing else; (n, features)."""
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
        known = {f.name: f for f in fields(cls)}
        made: dict[str, Any] = {}
        if not isinstance(data, dict) or not all(isinstance(data.get(p, {}), dict) for p in _PLACES):
            raise BadInput(f"A recipe is an object whose parts ({', '.join(_PLACES)}) are objects of options.")
        for name, value in data.items():
            if name not in known:
                raise BadChoice.of("part of a recipe", name, known)
            made[name] = _step(name, value) if isinstance(value, dict) else value
        return cls(**made)


_PLACES: dict[str, type[Step]] = {
    "dates": DateParts,
    "texts": TextCounts,
    "fill": FillMissing,
    "encode": EncodeCategories,
    "scale": Scale,
}


def _names(encode: Any) -> list[str]:
    """Names of what an encoder made; a level may be called like another column, so they are made unique."""
    parts = [(part, columns) for _, part, columns in encode.transformers_ if len(columns) and part != "drop"]
    return unique_names([n for part, columns in parts for n in part.get_feature_names_out(columns)])[0]


def _step(place: str, options: dict[str, Any]) -> Step:
    kind = _PLACES[place]
    known = get_type_hints(kind)
    for name, value in options.items():
        if name not in {f.name for f in fields(kind)}:
            raise BadChoice.of(f"option of {kind.title!r}", name, [f.name for f in fields(kind)])
        allowed = get_args(known[name]) if get_origin(known[name]) is Literal else ()
        if allowed and value not in allowed:
            raise BadChoice.of(f"{name} of {kind.title!r}", value, allowed)
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})
