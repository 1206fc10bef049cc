"""A dataset at a glance: exact figures for each column, and the alerts (`mlcore.checks`) on risks for a model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import pandas as pd

from mlcore.data.column_stats import ColumnStats, column_stats
from mlcore.data.dataset import Column, Dataset
from mlcore.data.sql import quoted
from mlcore.explore.view import View, query
from mlcore.result import Alert, Help, Result
from mlcore.wording import day, number, percent, several, share


@dataclass(frozen=True)
class ColumnProfile:
    """The figures of one column; None if not defined."""

    name: str
    kind: str
    role: str
    missing: int
    distinct: int
    reason: str
    rows: int
    estimated: bool = False  # whether `distinct` is an estimate
    minimum: str | None = None
    maximum: str | None = None
    mean: float | None = None
    deviation: float | None = None
    quartiles: tuple[float, float, float] | None = None
    skew: float | None = None
    outliers: int = 0
    zeros: int = 0
    infinite: int = 0
    length: float = 0  # mean number of characters, of texts that rarely repeat
    words: float = 0
    top: tuple[tuple[str, int], ...] = ()
    spark: tuple[int, ...] = ()

    def typical(self) -> str:
        """The typical value, in words."""
        if self.quartiles is not None:
            return f"{number(self.quartiles[1])} ({number(self.quartiles[0])} to {number(self.quartiles[2])})"
        if self.top:
            return ", ".join(value for value, _ in self.top[:3])
        if self.length:
            return f"{self.words:.0f} word{'s' if self.words >= 1.5 else ''}, {self.length:.0f} characters"
        return f"{self.minimum} to {self.maximum}" if self.minimum else ""

    def spread(self) -> str:
        """The range, or the most common category and its share of all rows."""
        if self.minimum is not None:
            return f"{self.minimum} to {self.maximum}"
        return f"{percent(self.top[0][1], self.rows)} {self.top[0][0]}" if self.top else ""


@dataclass(frozen=True, kw_only=True)
class Profile(Result):
    """All columns of a dataset, and the alerts about them. `mlcore.profile` makes one.

    >>> profile = mlcore.profile(data, "churned")
    >>> profile.frame().shape[0] == len(data.schema.names)
    True
    >>> [alert.code for alert in profile.alerts][:2]
    ['target_leakage', 'identifier']
    """

    dataset: Dataset
    columns: tuple[ColumnProfile, ...]
    alerts: tuple[Alert, ...] = ()
    rows: int = 0

    help: ClassVar[Help] = Help(
        "One row per column: contents, missing values, number of distinct values, typical value.",
        "Typical is the median with the interquartile range, or the most common categories. ≈ marks an estimate.",
        "A median hides two peaks; plot the column.",
        "Correct wrong kinds and roles; everything after depends on them.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per column."""
        return pd.DataFrame(
            [
                {
                    "name": c.name,
                    "kind": c.kind,
                    "role": c.role,
                    "missing": c.missing,
                    "distinct": c.distinct,
                    "typical": c.typical(),
                    "spread": c.spread(),
                    "distribution": list(c.spark),
                }
                for c in self.columns
            ]
        )

    def sentence(self) -> str:
        """Size and missing values, in words."""
        incomplete = [c.name for c in self.columns if c.missing]
        missing = sum(c.missing for c in self.columns)
        estimated = [c.name for c in self.columns if c.estimated]
        text = f"{self.rows:,} rows and {len(self.columns):,} columns; " + (
            f"{share(missing, self.rows * len(self.columns))} values are missing, in {several(incomplete)}."
            if incomplete
            else "no value is missing."
        )
        return text + (f" ≈ The number of distinct values is estimated for {several(estimated)}." if estimated else "")

    def to_json(self) -> dict[str, Any]:
        """The contract of `holdout profile --json`."""
        return {
            "dataset": {
                "name": self.dataset.name,
                "rows": self.dataset.rows,
                "columns": len(self.columns),
                "fingerprint": self.dataset.fingerprint,
            },
            "reading": asdict(self.dataset.reading),
            "columns": [asdict(c) for c in self.columns],
            "alerts": [a.to_json() for a in self.alerts],
        }


def summary(view: View) -> Profile:
    """Profile the rows of a view, without alerts. Distinct values that were not counted are estimated."""
    figures = column_stats(view.dataset, view.keep())
    names = [n for n, f in figures.items() if f.known and not f.distinct]
    if names:
        counts = query(view, f"SELECT {', '.join(f'approx_count_distinct({quoted(n)})' for n in names)} FROM data")[0]
        for name, count in zip(names, counts, strict=True):
            figures[name] = replace(figures[name], distinct=-min(int(count), figures[name].known))  # below 0: estimated
    return Profile(dataset=view.dataset, columns=described(view.dataset, figures, view.rows), alerts=(), rows=view.rows)


def described(dataset: Dataset, figures: dict[str, ColumnStats], rows: int | None = None) -> tuple[ColumnProfile, ...]:
    """The figures in readable form; give `rows` if they cover only some rows."""
    return tuple(
        _column_profile(c, figures.get(c.name), rows, dataset.rows if rows is None else rows) for c in dataset.schema
    )


def _column_profile(column: Column, figures: ColumnStats | None, rows: int | None, size: int) -> ColumnProfile:
    missing, distinct = column.missing, column.distinct
    estimated = column.estimated
    if figures is not None and rows is not None:
        missing, distinct, estimated = rows - figures.known, abs(figures.distinct), figures.distinct < 0
    basics = (column.name, column.kind, column.role, missing, distinct, column.reason, size, estimated)
    if figures is None:
        return ColumnProfile(*basics)
    if figures.low is None or figures.high is None:
        length, words = (0.0, 0.0) if figures.top else (round(figures.length, 1), round(figures.words, 1))
        return ColumnProfile(*basics, length=length, words=words, top=figures.top[:5], spark=figures.spark)
    if column.dtype == "datetime":
        first, last = (day(v) for v in (figures.low, figures.high))
        return ColumnProfile(*basics, minimum=first, maximum=last, spark=figures.spark)
    return ColumnProfile(
        *basics,
        minimum=number(figures.low),
        maximum=number(figures.high),
        mean=figures.mean,
        deviation=figures.deviation,
        quartiles=figures.quartiles,
        skew=figures.skew,
        outliers=figures.outliers,
        zeros=figures.zeros,
        infinite=figures.infinite,
        spark=figures.spark,
    )
