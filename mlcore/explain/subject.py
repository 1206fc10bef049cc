"""The subject of a question: a model, one row, and the training rows around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlcore.data.cast import CASTS
from mlcore.data.dataset import Column
from mlcore.errors import BadInput
from mlcore.explain.answers import Answers, training_rows
from mlcore.result import Array
from mlcore.runs.folder import RunFolder
from mlcore.wording import number, percent

YES_NO = {1.0: "yes", 0.0: "no"}
WANTED = {"numeric": "a number", "boolean": "yes or no", "datetime": "a date, such as 2024-01-31"}
MOST_CHOICES = 30  # values that are listed
PLAIN = {"numeric": "", "datetime": "ISO8601"}  # how a text is read first, before the way of the file


@dataclass(frozen=True)
class Subject:
    """A model of a run, a row, and the training rows around it: the features, cast to their kinds."""

    run: RunFolder
    model: str
    row: int
    frame: pd.DataFrame  # (1, p)
    training: pd.DataFrame  # (n, p)
    rows: Array  # (n,) positions of the training rows in the file
    answers: Answers
    index: int  # of the output that is explained

    @classmethod
    def of(cls, run: RunFolder, model: str, row: int, label: str | None = None) -> Subject:
        """Read the rows and the model. Raises BadInput for a row that does not exist, BadChoice."""
        if not 0 <= row < run.dataset.rows:
            raise BadInput(f"Row {row} does not exist: the file has rows 0 to {run.dataset.rows - 1}.")
        rows, answers = training_rows(run, model), Answers(run.model(model))
        one = run.columns([row])
        index = answers.index_of(answers.ask(one)[0], label or run.experiment.recipe.positive)
        return cls(run, model, row, one, run.columns(rows), rows, answers, index)

    @property
    def title(self) -> str:
        """The model's title."""
        return self.run.experiment.candidate(self.model).label

    @property
    def target(self) -> str:
        """The target's name."""
        return self.run.experiment.recipe.target

    @property
    def label(self) -> str | None:
        """The class whose output is explained; None for a number."""
        return self.answers.label_of(self.index)

    def column(self, name: str) -> Column:
        """A feature by its name. Raises NoSuchColumn."""
        return self.run.experiment.schema.features()[name]

    def own(self, name: str) -> Any:
        """The row's value of a column."""
        self.column(name)
        return self.frame[name].iloc[0]

    def known(self, name: str) -> pd.Series:
        """The values of the training rows, without missing ones."""
        return self.training[name].dropna()

    def is_ordered(self, name: str) -> bool:
        """Whether values of a column lie between others: numbers and dates."""
        return self.column(name).kind in ("numeric", "datetime")

    def ask(self, frame: pd.DataFrame) -> Array:
        """(n,) of the output that is explained."""
        return np.asarray(self.answers.ask(frame)[:, self.index])

    def value(self, name: str, given: Any) -> Any:
        """A value of a column, from a text or from a plain value; empty is missing. Raises BadInput, NoSuchColumn.

        A number or a date is read as `text` writes it, or else as the file writes it.
        """
        column = self.column(name)
        if given is None or str(given).strip() == "":
            return None
        plain = PLAIN.get(column.kind, "")
        for parse in (plain, column.parse or plain):
            cast = CASTS[column.kind](pd.Series([given]), parse).iloc[0]
            if not pd.isna(cast):
                return cast
        raise BadInput(f"{given!r} cannot be a value of {name!r}; give {WANTED.get(column.kind, 'a text')}.")

    def text(self, name: str, value: Any) -> str:
        """A value of a column as a text that `value` reads back; empty where missing."""
        if value is None or pd.isna(value):
            return ""
        kind = self.column(name).kind
        if kind == "boolean":
            return YES_NO[float(value)]
        if kind == "numeric":
            return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
        return str(value.date()) if kind == "datetime" and value == value.normalize() else str(value)

    def words(self, name: str, value: Any) -> str:
        """A value of a column for a sentence."""
        if value is None or pd.isna(value):
            return "missing"
        return f"{value:,.15g}".replace("-", "−") if self.column(name).kind == "numeric" else self.text(name, value)

    def choices(self, name: str) -> list[str]:
        """The texts of a category's values, the row's own first, missing last; none for numbers, dates and many."""
        known = self.known(name)
        if self.is_ordered(name) or known.nunique() > MOST_CHOICES:
            return []
        common = [self.text(name, v) for v in known.value_counts().index]
        return list(dict.fromkeys([self.text(name, self.own(name)), *common, ""]))

    def range_words(self, name: str) -> str | None:
        """Where the training rows of a number or date lie."""
        known = self.known(name)
        if known.empty or not self.is_ordered(name):
            return None
        low, middle, high = (self.words(name, v) for v in known.quantile([0, 0.5, 1], interpolation="nearest"))
        return f"Training rows have {low} to {high}, half of them up to {middle}."

    def with_values(self, sets: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """The row once for each set of values of columns, with these values."""
        out = self.frame.loc[np.zeros(len(sets), int)].reset_index(drop=True)
        return out.assign(**{
            name: self.series(name, [values.get(name, self.own(name)) for values in sets])
            for name in dict.fromkeys(n for values in sets for n in values)
        })  # fmt: skip

    def series(self, name: str, values: Sequence[Any]) -> pd.Series:
        """Values of a column, of the type that its kind requires."""
        return CASTS[self.column(name).kind](pd.Series(list(values), dtype=object), "")


def output_words(value: float, output: str, target: str, label: str | None) -> str:
    """An output in words: `63 % for Survived = 1`, or `price 12.5`."""
    if output == "probability":
        return f"{percent(value)} for {target} = {label}"
    return f"{target if output == 'value' else 'decision score'} {number(value)}"
