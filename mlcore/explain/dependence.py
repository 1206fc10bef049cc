"""How a model's answer depends on one column: partial dependence, single rows, accumulated local effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from mlcore.errors import NotApplicable
from mlcore.explain.subject import Subject
from mlcore.result import Array, Help, Result
from mlcore.wording import number

SAMPLE = 300  # training rows that are averaged over
LINES = 30  # of single rows that are drawn
POINTS = 20  # values of a number
MOST_LEVELS = 15
Kind = Literal["partial", "local"]


@dataclass(frozen=True, kw_only=True)
class Dependence(Result):
    """The answer over the values of one column.

    `grid` are (m,) values, or places of `labels`; `average` is the mean of `lines` (rows, m), or the accumulated local
    effects; `own` is the row's own curve; `rug` are (m,) training rows near each value.
    """

    title: str
    column: str
    output: str
    target: str
    label: str | None
    kind: Kind
    grid: Array
    labels: tuple[str, ...]
    average: Array
    lines: Array
    own: Array | None
    own_value: float | None
    rug: Array

    help: ClassVar[Help] = Help(
        "The model's answer when this column takes each value: on average over training rows (thick), for single rows "
        "(thin), and for the row in hand. Accumulated local effects only use rows near each value.",
        "A flat line means that the column does not matter there. Lines that cross mean that it depends on others.",
        "Partial dependence mixes values that never occur together; accumulated effects do not, but are relative to "
        "their average. Nothing is drawn where there are no training rows.",
        "If both agree, believe the shape; if not, columns go together, and the second is to be preferred.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per value."""
        values = list(self.labels) if self.labels else self.grid
        table = pd.DataFrame({self.column: values, "average": self.average, "rows": self.rug})
        return table if self.own is None else table.assign(**{"this row": self.own})

    def sentence(self) -> str:
        """From where to where the average moves."""
        low, high = int(np.argmin(self.average)), int(np.argmax(self.average))
        names = self.labels or tuple(number(float(v)) for v in self.grid)
        if float(self.average[high] - self.average[low]) < 1e-9 * max(1.0, float(np.abs(self.average).max())):
            return f"{self.title} does not depend on {self.column}."
        return (
            f"{self.title}: over the values of {self.column} the answer moves by "
            f"{number(float(self.average[high] - self.average[low]))}; it is lowest at {names[low]} and highest at "
            f"{names[high]}."
        )


def dependence(subject: Subject, column: str, kind: Kind = "partial") -> Dependence:
    """The dependence of a model on a column, with the curve of the subject's row.

    Accumulated local effects (Apley and Zhu, 2020) are for numbers. Raises NoSuchColumn, NotApplicable.
    """
    known, kind_of = subject.known(column), subject.column(column).kind
    if kind_of == "text" or known.empty:
        raise NotApplicable(f"{column} has no values to go through: it is {kind_of}.")
    numeric = kind_of == "numeric" and known.nunique() > MOST_LEVELS
    sample = subject.training.sample(min(SAMPLE, len(subject.training)), random_state=0).reset_index(drop=True)
    if numeric:
        grid = np.unique(known.quantile(np.linspace(0.01, 0.99, POINTS)).to_numpy(float))
        labels: tuple[str, ...] = ()
        rug = np.histogram(known, np.concatenate([[-np.inf], (grid[1:] + grid[:-1]) / 2, [np.inf]]))[0]
        values: list[object] = list(grid)
    else:
        counts = known.value_counts().iloc[:MOST_LEVELS]
        counts = counts if kind_of == "categorical" else counts.sort_index()
        values, rug = list(counts.index), counts.to_numpy()
        labels = tuple(subject.text(column, v) for v in values)
        grid = np.arange(len(values), dtype=float)
    own = subject.ask(subject.with_values([{column: v} for v in values]))
    if kind == "local":
        if not numeric:
            raise NotApplicable(f"Accumulated local effects are for numbers with many values; {column} has few.")
        average, lines = _accumulated(subject, sample, column, grid), np.zeros((0, len(grid)))
    else:
        lines = _lines(subject, sample, column, values)
        average = lines.mean(axis=0)
    here = subject.own(column)
    return Dependence(
        title=subject.title, column=column, output=subject.answers.output, target=subject.target,
        label=subject.label, kind=kind, grid=grid, labels=labels, average=average,
        lines=lines[:LINES], own=own if kind == "partial" else None,
        own_value=float(here) if numeric and not pd.isna(here) else None, rug=rug,
    )  # fmt: skip


def _lines(subject: Subject, sample: pd.DataFrame, column: str, values: list[object]) -> Array:
    """(rows, values): each row with each value."""
    same = [sample.assign(**{column: subject.series(column, [v] * len(sample))}) for v in values]
    return np.column_stack([subject.ask(frame) for frame in same])


def _accumulated(subject: Subject, sample: pd.DataFrame, column: str, edges: Array) -> Array:
    """The accumulated local effects at the edges of the bins, with mean 0 over the rows."""
    rows = sample[sample[column].notna()]
    place = np.clip(np.searchsorted(edges, rows[column].to_numpy(float), side="left"), 1, len(edges) - 1)
    ends = [rows.assign(**{column: edges[place - k].astype(float)}) for k in (0, 1)]
    moved = subject.ask(ends[0]) - subject.ask(ends[1])
    steps = np.array([moved[place == k].mean() if (place == k).any() else 0.0 for k in range(1, len(edges))])
    effect = np.concatenate([[0.0], np.cumsum(steps)])
    middle = (effect[1:] + effect[:-1]) / 2
    counts = np.bincount(place, minlength=len(edges))[1:]
    return np.asarray(effect - np.average(middle, weights=counts))
