"""The steps of a recipe: frozen options that a person sees and changes.

A step says of itself how it works (row by row, fitted inside the fold), what it does to the columns (`after`) and in
words. The first two build transformers of their own; the last three are the choices of `encode.encoder`, where `auto`
means: whatever the model family at hand needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from mlcore.dataset import Column, Schema
from mlcore.result import several

Works = Literal["row by row", "fitted in the fold", "uses the target, inside the fold"]


def derived(name: str, part: str, taken: list[str]) -> str:
    """The name of a part of a column, none of those that are taken.

    >>> derived("date", "year", ["date"]), derived("date", "year", ["date", "date year"])
    ('date year', 'date year_')
    """
    made = f"{name} {part}"
    while made in taken:
        made += "_"
    return made


@dataclass(frozen=True)
class Step:
    """The base of all steps."""

    name: ClassVar[str]
    title: ClassVar[str]

    def works(self, schema: Schema) -> Works:
        """Say whether the step learns anything from rows."""
        return "fitted in the fold"

    def applies(self, schema: Schema) -> bool:
        """Whether there is anything for the step to do."""
        return True

    def after(self, schema: Schema) -> Schema:
        """The schema once the step has been applied."""
        return schema

    def build(self, schema: Schema) -> Any | None:
        """A transformer of its own, or None when it has nothing to do or belongs to the encoder."""
        return None

    def words(self, schema: Schema) -> str:
        """What the step does to this data, in one sentence."""
        raise NotImplementedError


DATE_PARTS = ("year", "month", "day", "weekday", "hour", "days")


@dataclass(frozen=True)
class DateParts(Step):
    """Turn each date into its parts and the days since 1970, so that models can use it."""

    name: ClassVar[str] = "date_parts"
    title: ClassVar[str] = "Dates into parts"
    parts: tuple[str, ...] = ("year", "month", "weekday", "days")

    def works(self, schema: Schema) -> Works:
        """Nothing is learned."""
        return "row by row"

    def applies(self, schema: Schema) -> bool:
        """Only where there are dates."""
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
        """A transformer where there are dates."""
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
    """Turn free text into its length, so that at least that can be used."""

    name: ClassVar[str] = "text_counts"
    title: ClassVar[str] = "Free text into counts"

    def works(self, schema: Schema) -> Works:
        """Nothing is learned."""
        return "row by row"

    def applies(self, schema: Schema) -> bool:
        """Only where there is free text."""
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
        """A transformer where there is text."""
        from mlcore.features.transformers import TextsToCounts

        texts = schema.named("text")
        return TextsToCounts(tuple(texts)) if texts else None

    def words(self, schema: Schema) -> str:
        """Name the texts."""
        texts = schema.named("text")
        return (
            f"{several(texts)}: replaced by the number of characters and words." if texts else "There is no free text."
        )


Fill = Literal["auto", "median", "mean", "zero"]


@dataclass(frozen=True)
class FillMissing(Step):
    """Fill missing numbers; missing categories are always a level of their own."""

    name: ClassVar[str] = "fill_missing"
    title: ClassVar[str] = "Missing cells"
    numbers: Fill = "auto"
    mark: bool = True

    def applies(self, schema: Schema) -> bool:
        """Only where numbers are missing."""
        return any(c.missing and c.kind in ("numeric", "boolean") for c in schema)

    def words(self, schema: Schema) -> str:
        """Name the columns that have gaps."""
        gaps = [c.name for c in schema if c.missing and c.kind in ("numeric", "boolean")]
        levels = [c.name for c in schema if c.missing and c.kind == "categorical"]
        also = f" {several(levels)}: missing is a level of its own." if levels else ""
        if not gaps:
            return f"No number is missing.{also}"
        how = {
            "auto": "filled with the median for models that need it, left missing for trees",
            "median": "filled with the median",
            "mean": "filled with the mean",
            "zero": "filled with 0",
        }[self.numbers]
        return f"{several(gaps)}: {how}{', with a column that marks where' if self.mark else ''}.{also}"


MOST_CODES = 250  # histogram boosting takes no more codes in a category
Encode = Literal["auto", "onehot", "ordinal", "target"]


@dataclass(frozen=True)
class EncodeCategories(Step):
    """Turn categories into numbers."""

    name: ClassVar[str] = "encode_categories"
    title: ClassVar[str] = "Categories into numbers"
    method: Encode = "auto"
    most_levels: int = 30
    rarest: int = 1  # levels of fewer training rows than this are joined into one

    def works(self, schema: Schema) -> Works:
        """Target coding looks at the target of the training rows of the fold."""
        return "uses the target, inside the fold" if self.many(schema) else "fitted in the fold"

    def applies(self, schema: Schema) -> bool:
        """Only where there are categories."""
        return bool(_categories(schema))

    def few(self, schema: Schema) -> list[str]:
        """Categories that get a column or a code a level."""
        if self.method == "target":
            return []
        return [c.name for c in _categories(schema) if c.distinct <= min(self.most_levels, MOST_CODES)]

    def many(self, schema: Schema) -> list[str]:
        """Categories of so many levels that they are coded by the mean of the target instead."""
        few = set(self.few(schema))
        return [c.name for c in _categories(schema) if c.name not in few]

    def words(self, schema: Schema) -> str:
        """Name the categories, few levels and many."""
        few, many = self.few(schema), self.many(schema)
        how = {
            "auto": "a column a level, or a code for trees",
            "onehot": "a column a level",
            "ordinal": "a code a level",
            "target": "",
        }[self.method]
        joined = f", levels of fewer than {self.rarest} rows joined" if self.rarest > 1 else ""
        said = ([f"{several(few)}: {how}{joined}."] if few else []) + (
            [f"{several(many)}: the mean of the target for each level, learned inside the fold."] if many else []
        )
        return " ".join(said) or "There are no categories."


def _categories(schema: Schema) -> list[Column]:
    return [c for c in schema if c.kind in ("categorical", "identifier", "constant")]


Scaling = Literal["auto", "standard", "robust", "minmax", "power", "none"]


@dataclass(frozen=True)
class Scale(Step):
    """Bring numbers to one scale."""

    name: ClassVar[str] = "scale"
    title: ClassVar[str] = "Scaling"
    method: Scaling = "auto"

    def words(self, schema: Schema) -> str:
        """Say how."""
        return {
            "auto": "Numbers to mean 0 and spread 1 for models that need it; trees see them as they are.",
            "standard": "Numbers to mean 0 and spread 1.",
            "robust": "Numbers to median 0 and quartile range 1.",
            "minmax": "Numbers to the range from 0 to 1.",
            "power": "Numbers evened out by a power (Yeo and Johnson, 2000), then to mean 0 and spread 1.",
            "none": "Numbers stay as they are.",
        }[self.method]


STEPS: tuple[type[Step], ...] = (DateParts, TextCounts, FillMissing, EncodeCategories, Scale)
