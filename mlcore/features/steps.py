"""The steps of a recipe: frozen options that are shown and can be changed.

A step describes how it works (row by row, fitted inside the fold), what it does to the columns (`after`) and itself in
words. Its fields are its options: `option` gives each a label and what is allowed, from which the screen draws a form
and `Recipe.from_json` checks a value. The first two steps build their own transformers; the last three are the choices
of `encode.encoder`, where `auto` means what the model family needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Literal

from mlcore.data.dataset import Column, Schema, derived
from mlcore.errors import BadChoice, BadInput
from mlcore.wording import several

Works = Literal["row by row", "fitted in the fold", "uses the target, inside the fold"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """How an option of a step is shown, and which values it takes.

    `choices` maps each allowed value to its words; `several` of them may be chosen together. Without choices the option
    is a whole number from `low` to `high`, or a yes or no where its default is a bool.
    """

    label: str
    choices: Mapping[str, str] | None = None
    several: bool = False
    low: int = 0
    high: int = 0

    def checked(self, value: Any, default: Any) -> Any:
        """Return the value in its type. Raises BadChoice or BadInput."""
        if self.choices is not None:
            values = value if self.several and isinstance(value, list | tuple) else [value]
            for one in values:
                if one not in self.choices:
                    raise BadChoice.of(f"value of {self.label!r}", one, self.choices)
            return tuple(c for c in self.choices if c in values) if self.several else value
        if isinstance(default, bool):
            if not isinstance(value, bool):
                raise BadChoice(f"{value!r} is not a value of {self.label!r}. Allowed are true and false.")
            return value
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise BadInput(
                f"{self.label}: {value!r} was given; allowed are whole numbers from {self.low} to {self.high:,}."
            )
        return value


def option(default: Any, label: str, **shown: Any) -> Any:
    """A field of a step, with its label and what `Option` says of it."""
    return field(default=default, metadata={"option": Option(label=label, **shown)})


@dataclass(frozen=True)
class Step:
    """The base of all steps."""

    name: ClassVar[str]
    title: ClassVar[str]

    @classmethod
    def options(cls) -> dict[str, Option]:
        """The options of the step by name, in the order of the form."""
        return {f.name: f.metadata["option"] for f in fields(cls)}

    def change(self, **values: Any) -> Step:
        """The step with some options changed. Raises BadInput for an unknown option or a value that is not allowed."""
        options = self.options()
        for name in values:
            if name not in options:
                raise BadChoice.of(f"option of {self.title!r}", name, options)
        return replace(self, **{n: options[n].checked(v, getattr(type(self)(), n)) for n, v in values.items()})

    def works(self, schema: Schema) -> Works:
        """How the step works: row by row, or fitted to rows."""
        return "fitted in the fold"

    def applies(self, schema: Schema) -> bool:
        """Whether the step has anything to do."""
        return True

    def after(self, schema: Schema) -> Schema:
        """The schema after the step."""
        return schema

    def build(self, schema: Schema) -> Any | None:
        """A `RowByRow` transformer, or None when there is nothing to do or the encoder does it.

        It is applied to all rows at once, before the split, so nothing may be fitted; what is fitted to rows is part of
        `encode.encoder`, which is fitted inside each fold.
        """
        return None

    def words(self, schema: Schema) -> str:
        """What the step does to this data, in one sentence."""
        raise NotImplementedError


DATE_PARTS = {
    "year": "year", "month": "month", "day": "day of the month", "weekday": "day of the week", "hour": "hour",
    "days": "days since 1970",
}  # fmt: skip


@dataclass(frozen=True)
class DateParts(Step):
    """Turn each date into its parts and the days since 1970, so that models can use it."""

    name: ClassVar[str] = "date_parts"
    title: ClassVar[str] = "Dates into parts"
    parts: tuple[str, ...] = option(("year", "month", "weekday", "days"), "Parts", choices=DATE_PARTS, several=True)

    def works(self, schema: Schema) -> Works:
        """Nothing is fitted."""
        return "row by row"

    def applies(self, schema: Schema) -> bool:
        """Only when there are dates."""
        return bool(schema.named("datetime"))

    def after(self, schema: Schema) -> Schema:
        """Dates are replaced by numbers."""
        columns: list[Column] = []
        for column in schema:
            if column.kind == "datetime":
                columns += [
                    replace(column, name=derived(column.name, part, schema.names), kind="numeric", dtype="float")
                    for part in self.parts
                ]
            else:
                columns.append(column)
        return Schema(tuple(columns))

    def build(self, schema: Schema) -> Any | None:
        """A transformer when there are dates."""
        from mlcore.features.transformers import DatesToParts

        dates = schema.named("datetime")
        return DatesToParts(tuple(dates), self.parts) if dates else None

    def words(self, schema: Schema) -> str:
        """Name the dates and the parts."""
        dates = schema.named("datetime")
        if not dates:
            return "There are no dates."
        return f"{several(dates)}: replaced by {several(list(self.parts), 6)}."


@dataclass(frozen=True)
class TextCounts(Step):
    """Turn free text into its length, so that models can use at least that."""

    name: ClassVar[str] = "text_counts"
    title: ClassVar[str] = "Free text into counts"

    def works(self, schema: Schema) -> Works:
        """Nothing is fitted."""
        return "row by row"

    def applies(self, schema: Schema) -> bool:
        """Only when there is free text."""
        return bool(schema.named("text"))

    def after(self, schema: Schema) -> Schema:
        """Texts are replaced by two numbers."""
        columns: list[Column] = []
        for column in schema:
            if column.kind == "text":
                columns += [
                    replace(column, name=derived(column.name, part, schema.names), kind="numeric", dtype="float")
                    for part in ("characters", "words")
                ]
            else:
                columns.append(column)
        return Schema(tuple(columns))

    def build(self, schema: Schema) -> Any | None:
        """A transformer when there is text."""
        from mlcore.features.transformers import TextsToCounts

        texts = schema.named("text")
        return TextsToCounts(tuple(texts)) if texts else None

    def words(self, schema: Schema) -> str:
        """Name the texts."""
        texts = schema.named("text")
        return (
            f"{several(texts)}: replaced by the number of characters and words." if texts else "There is no free text."
        )


AS_NEEDED = "as each model needs it"
FILLS = {"auto": AS_NEEDED, "median": "median", "mean": "mean", "zero": "zero"}


@dataclass(frozen=True)
class FillMissing(Step):
    """Fill missing numbers; missing values of categorical columns are always a separate category."""

    name: ClassVar[str] = "fill_missing"
    title: ClassVar[str] = "Missing values"
    numbers: str = option("auto", "Numbers", choices=FILLS)
    indicator: bool = option(True, "Add a missing indicator column")

    def applies(self, schema: Schema) -> bool:
        """Only when numbers are missing."""
        return any(c.missing and c.kind in ("numeric", "boolean") for c in schema)

    def words(self, schema: Schema) -> str:
        """Name the columns with missing values."""
        numeric = [c.name for c in schema if c.missing and c.kind in ("numeric", "boolean")]
        categorical = [c.name for c in schema if c.missing and c.kind == "categorical"]
        also = f" {several(categorical)}: missing is a separate category." if categorical else ""
        if not numeric:
            return f"No numbers are missing.{also}"
        method = {
            "auto": "filled with the median for models that need it, left missing for trees",
            "median": "filled with the median",
            "mean": "filled with the mean",
            "zero": "filled with 0",
        }[self.numbers]
        return f"{several(numeric)}: {method}{', plus an indicator column' if self.indicator else ''}.{also}"


MOST_CODES = 250  # histogram boosting takes no more codes per column
ENCODINGS = {
    "auto": AS_NEEDED,
    "onehot": "one column per category (one-hot)",
    "ordinal": "one code per category (ordinal)",
    "target": "mean of the target (target encoding)",
}


@dataclass(frozen=True)
class EncodeCategories(Step):
    """Turn categories into numbers."""

    name: ClassVar[str] = "encode_categories"
    title: ClassVar[str] = "Categories into numbers"
    method: str = option("auto", "Method", choices=ENCODINGS)
    max_categories: int = option(30, "Categories above which target encoding is used", low=2, high=500)
    min_rows: int = option(1, "Merge categories with fewer rows than", low=1, high=1000)  # training rows

    def works(self, schema: Schema) -> Works:
        """Target encoding uses the target of the training rows of the fold."""
        return "uses the target, inside the fold" if self.high_cardinality(schema) else "fitted in the fold"

    def applies(self, schema: Schema) -> bool:
        """Only when there are categorical columns."""
        return bool(_categories(schema))

    def low_cardinality(self, schema: Schema) -> list[str]:
        """Categorical columns that get one column or one code per category."""
        if self.method == "target":
            return []
        return [c.name for c in _categories(schema) if c.distinct <= min(self.max_categories, MOST_CODES)]

    def high_cardinality(self, schema: Schema) -> list[str]:
        """Categorical columns encoded by the mean of the target, such as those of high cardinality."""
        few = set(self.low_cardinality(schema))
        return [c.name for c in _categories(schema) if c.name not in few]

    def words(self, schema: Schema) -> str:
        """Name the categorical columns, of low and of high cardinality."""
        few, many = self.low_cardinality(schema), self.high_cardinality(schema)
        method = {
            "auto": "one column per category (ordinal codes for trees)",
            "onehot": "one column per category",
            "ordinal": "one code per category",
            "target": "",
        }[self.method]
        merged = f", categories with fewer than {self.min_rows} rows merged" if self.min_rows > 1 else ""
        sentences = ([f"{several(few)}: {method}{merged}."] if few else []) + (
            [f"{several(many)}: the mean of the target for each category, fitted inside the fold."] if many else []
        )
        return " ".join(sentences) or "There are no categorical columns."


def _categories(schema: Schema) -> list[Column]:
    return [c for c in schema if c.kind in ("categorical", "identifier", "constant")]


SCALINGS = {
    "auto": AS_NEEDED,
    "standard": "mean 0, standard deviation 1",
    "robust": "median 0, interquartile range 1",
    "minmax": "from 0 to 1",
    "power": "power transform (Yeo–Johnson)",
    "none": "unchanged",
}


@dataclass(frozen=True)
class Scale(Step):
    """Scale numbers."""

    name: ClassVar[str] = "scale"
    title: ClassVar[str] = "Scaling"
    method: str = option("auto", "Method", choices=SCALINGS)

    def words(self, schema: Schema) -> str:
        """The scaling method in words."""
        return {
            "auto": "Numbers are scaled to mean 0 and standard deviation 1 for models that need it; trees do not.",
            "standard": "Numbers are scaled to mean 0 and standard deviation 1.",
            "robust": "Numbers are scaled to median 0 and interquartile range 1.",
            "minmax": "Numbers are scaled to the range from 0 to 1.",
            "power": "Numbers get a power transform (Yeo and Johnson, 2000), then mean 0 and standard deviation 1.",
            "none": "Numbers stay as they are.",
        }[self.method]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """All steps, by the names that they have in a recipe, in the order of application. To add a step, add a field."""

    dates: DateParts = DateParts()
    texts: TextCounts = TextCounts()
    fill: FillMissing = FillMissing()
    encode: EncodeCategories = EncodeCategories()
    scale: Scale = Scale()

    def steps(self) -> tuple[Step, ...]:
        """All steps in the order of application."""
        return tuple(getattr(self, name) for name in STEPS)


STEPS: dict[str, type[Step]] = {f.name: type(f.default) for f in fields(Steps)}  # type: ignore[misc]
