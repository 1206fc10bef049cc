"""Combinations of numbers: products, ratios, differences and sums, formulas, statistics of groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Kind, Schema
from mlcore.errors import BadInput
from mlcore.features.formula import parse
from mlcore.features.steps.base import CATEGORIES, NUMBERS, Learned, Made, Step, Training, Works, option, texts
from mlcore.result import Help
from mlcore.wording import several

COMBINATIONS = {
    "product": "products of pairs",
    "ratio": "ratios of pairs",
    "difference": "differences of pairs",
    "sum": "the sum of all",
    "mean": "the mean of all",
    "polynomial": "squares and products of pairs",
}
SIGNS = {"product": "×", "ratio": "/", "difference": "−"}


@dataclass(frozen=True, kw_only=True)
class Combine(Step):
    """Combine numbers by arithmetic; the columns themselves stay."""

    step: ClassVar[str] = "combine"
    title: ClassVar[str] = "Combine numbers"
    fewest: ClassVar[int] = 2
    has_auto: ClassVar[bool] = False
    works: ClassVar[Works] = "row by row"
    help: ClassVar[Help] = Help(
        "New columns from pairs of numbers, or from all of them.",
        "A ratio of two amounts often says more than both; trees find products by themselves only roughly.",
        "Ten columns have 45 pairs: most of them are noise.",
        "Combine what has a meaning, such as price per square metre.",
    )
    method: str = option("product", "Combination", choices=COMBINATIONS)

    @property
    def replaces(self) -> bool:
        """The columns stay."""
        return False

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The new columns; a division by 0 is missing."""
        columns = {str(c): frame[c].to_numpy(float) for c in frame}
        if self.method in ("sum", "mean"):
            values = np.stack(list(columns.values()), axis=1)
            total = values.sum(axis=1) if self.method == "sum" else values.mean(axis=1)
            return {f"{self.method} of {' and '.join(columns)}": total}
        pairs = {(a, b): (columns[a], columns[b]) for a, b in combinations(columns, 2)}
        made: Made = {f"{n} squared": v**2 for n, v in columns.items()} if self.method == "polynomial" else {}
        sign = SIGNS.get(self.method, "×")
        return {**made, **{f"{a} {sign} {b}": self._pair(x, y) for (a, b), (x, y) in pairs.items()}}

    def _pair(self, x: Any, y: Any) -> Any:
        if self.method == "difference":
            return x - y
        if self.method == "ratio":
            return np.divide(x, y, out=np.full(len(x), np.nan), where=y != 0)
        return x * y

    def words(self, columns: list[str]) -> str:
        """The columns and the combination."""
        return f"Combine {several(columns)}: {COMBINATIONS[self.method]}."


@dataclass(frozen=True, kw_only=True)
class FormulaStep(Step):
    """A new column by a formula over other columns."""

    step: ClassVar[str] = "formula"
    title: ClassVar[str] = "Own formula"
    works: ClassVar[Works] = "row by row"
    help: ClassVar[Help] = Help(
        "Arithmetic over columns: sibsp + parch + 1, log(fare), where(age < 18, 1, 0).",
        "A name with blanks stands between backquotes. What is not defined, such as the logarithm of 0, is missing.",
        "A formula that uses a column known only after the outcome leaks it, as the column itself does.",
        "Give the new column a name that says what it is.",
    )
    name: str = option("formula", "Name of the new column")
    formula: str = option("", "Formula")

    def chosen(self, schema: Schema) -> list[str]:
        """The columns of the formula. Raises BadInput, NoSuchColumn."""
        names = list(parse(self.formula).columns)
        for name in names:
            if schema[name].kind not in NUMBERS:
                raise BadInput(
                    f"The formula {self.formula!r} uses {name!r}, which is {schema[name].kind}, not a number."
                )
        return names

    @property
    def replaces(self) -> bool:
        """The columns stay."""
        return False

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The values of the formula."""
        values = parse(self.formula).values({str(c): frame[c].to_numpy(float) for c in frame})
        return {self.name: np.broadcast_to(values, len(frame)).astype(float)}

    def words(self, columns: list[str]) -> str:
        """The formula."""
        return f"{self.name} = {self.formula}"


STATISTICS = {"mean": "mean", "median": "median", "std": "standard deviation", "min": "minimum", "max": "maximum",
              "count": "number of rows"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GroupStats(Step):
    """A statistic of a number within each category, from training rows."""

    step: ClassVar[str] = "group_stats"
    title: ClassVar[str] = "Statistics of groups"
    kinds: ClassVar[tuple[Kind, ...]] = (*NUMBERS, *CATEGORIES)
    has_auto: ClassVar[bool] = False
    help: ClassVar[Help] = Help(
        "The mean fare of the row's class, and how the row compares with it.",
        "It is learned from the training rows of the fold; a category that they do not have gets the statistic of all.",
        "A group of one row has its own value as its mean.",
        "Use it when a value only means something within its group.",
    )
    by: str = option("", "Category")
    statistic: str = option("mean", "Statistic", choices=STATISTICS)

    def chosen(self, schema: Schema) -> list[str]:
        """The numeric columns, and the category. Raises BadInput, NoSuchColumn."""
        if not self.by:
            raise BadInput('Statistics of groups need a category: "by": "COLUMN".')
        if schema[self.by].kind not in (*CATEGORIES, "boolean"):
            raise BadInput(f"Groups are given by a category; {self.by!r} is {schema[self.by].kind}.")
        names = [n for n in super().chosen(schema) if n != self.by]
        if wrong := [n for n in names if schema[n].kind not in NUMBERS]:
            raise BadInput(f"A statistic needs numbers; {several(wrong)} are not numeric.")
        return [*names, self.by]

    @property
    def replaces(self) -> bool:
        """The columns stay."""
        return False

    def learn(self, training: Training) -> Learned:
        """The statistic of each category, and that of all rows."""
        groups, learned = texts(training.frame[self.by]), {}
        for name in (str(c) for c in training.frame if c != self.by):
            column = training.frame[name]
            by_group = getattr(column.groupby(groups), self.statistic)()
            learned[name] = {"groups": {str(k): float(v) for k, v in by_group.items() if pd.notna(v)},
                             "all": float(getattr(column, self.statistic)())}  # fmt: skip
        return {"statistics": learned}

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The statistic of each row's category."""
        groups = texts(frame[self.by])
        return {
            f"{self.statistic} {name} by {self.by}": groups.map(known["groups"]).fillna(known["all"]).to_numpy(float)
            for name, known in learned["statistics"].items()
        }

    def words(self, columns: list[str]) -> str:
        """The columns, the category and the statistic."""
        of = several([c for c in columns if c != self.by])
        return f"{STATISTICS[self.statistic].capitalize()} of {of} by {self.by}."
