"""A dataset at a glance: exact figures for each column, and the alerts (`alerts.py`) about what will hurt a model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from mlcore.dataset import Column, Dataset
from mlcore.ingest.frames import quoted
from mlcore.result import Array, Help, Result, number, several, share
from mlcore.scan import COUNTED, Figures, Scan

if TYPE_CHECKING:
    from mlcore.alerts import Alert
    from mlcore.explore.view import View
    from mlcore.metrics import Task

MOST_PROFILED = 1000  # columns with figures; wider tables keep kinds and counts for the rest


@dataclass(frozen=True)
class ColumnProfile:
    """The figures of one column; None where they have no meaning."""

    name: str
    kind: str
    role: str
    missing: int
    distinct: int
    reason: str
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
    length: float = 0  # mean number of characters, of texts that hardly repeat
    words: float = 0
    top: tuple[tuple[str, int], ...] = ()
    spark: tuple[int, ...] = ()

    def typical(self) -> str:
        """What a cell usually holds."""
        if self.quartiles is not None:
            return f"{number(self.quartiles[1])} ({number(self.quartiles[0])} to {number(self.quartiles[2])})"
        if self.top:
            return ", ".join(value for value, _ in self.top[:3])
        if self.length:
            return f"{self.words:.0f} word{'s' if self.words >= 1.5 else ''}, {self.length:.0f} characters"
        return f"{self.minimum} to {self.maximum}" if self.minimum else ""

    def spread(self) -> str:
        """From where to where, or how much the most common level takes."""
        if self.minimum is not None:
            return f"{self.minimum} to {self.maximum}"
        known = sum(n for _, n in self.top)
        return f"{100 * self.top[0][1] / known:.0f} % {self.top[0][0]}" if known and len(self.top) <= 5 else ""


@dataclass(frozen=True)
class Profile(Result):
    """All columns, and the alerts."""

    dataset: Dataset
    columns: tuple[ColumnProfile, ...]
    alerts: tuple[Alert, ...] = ()
    rows: int = 0

    help: ClassVar[Help] = Help(
        "One line a column: what it holds, how much of it is missing, how many different values, what is typical.",
        "Typical is the median with the range of the middle half, or the most common levels. ≈ marks an estimate.",
        "A median hides two humps; look at the column on its own.",
        "Correct kinds and roles that are wrong; everything after rests on them.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a column."""
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
        """Size and gaps, in words."""
        gaps = [c.name for c in self.columns if c.missing]
        cells = sum(c.missing for c in self.columns)
        about = [c.name for c in self.columns if c.estimated]
        text = f"{self.rows:,} rows and {len(self.columns):,} columns; " + (
            f"{share(cells, self.rows * len(self.columns))} cells are missing, in {several(gaps)}."
            if gaps
            else "no cell is missing."
        )
        return text + (f" ≈ The number of different values is estimated for {several(about)}." if about else "")

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


def profile(dataset: Dataset, target: str | None = None, task: Task | None = None) -> Profile:
    """Profile a dataset; with a target, the alerts look at it as well."""
    from mlcore.alerts import find

    figures = figures_of(dataset)
    found = find(dataset, target, task, figures)
    return Profile(dataset, described(dataset, figures), tuple(found), dataset.rows)


def summary(view: View) -> Profile:
    """Profile some rows only, without alerts. Where different values are not counted on the way, they are estimated."""
    from mlcore.explore.view import query

    figures = figures_of(view.dataset, view.keep())
    left = [n for n, f in figures.items() if f.known and not f.distinct]
    if left:
        counts = query(view, f"SELECT {', '.join(f'approx_count_distinct({quoted(n)})' for n in left)} FROM data")[0]
        for name, count in zip(left, counts, strict=True):
            figures[name] = replace(figures[name], distinct=-min(int(count), figures[name].known))  # below 0: estimated
    return Profile(view.dataset, described(view.dataset, figures, view.rows), (), view.rows)


def figures_of(dataset: Dataset, keep: Array | None = None) -> dict[str, Figures]:
    """The figures of the first MOST_PROFILED columns. Without `keep`, what the schema knows is not counted again."""
    names = dataset.schema.names[:MOST_PROFILED]
    return Scan(dataset.path, keep, count=keep is not None and len(keep) <= COUNTED).figures(names)[0]


def described(dataset: Dataset, figures: dict[str, Figures], rows: int | None = None) -> tuple[ColumnProfile, ...]:
    """Figures as people read them; `rows` where they are of some rows only."""
    return tuple(_described(c, figures.get(c.name), rows) for c in dataset.schema)


def _described(column: Column, figures: Figures | None, rows: int | None) -> ColumnProfile:
    missing, distinct = column.missing, column.distinct
    estimated = column.estimated
    if figures is not None and rows is not None:
        missing, distinct, estimated = rows - figures.known, abs(figures.distinct), figures.distinct < 0
    plain = (column.name, column.kind, column.role, missing, distinct, column.reason, estimated)
    if figures is None:
        return ColumnProfile(*plain)
    if figures.low is None or figures.high is None:
        length, words = (0.0, 0.0) if figures.top else (round(figures.length, 1), round(figures.words, 1))
        return ColumnProfile(*plain, length=length, words=words, top=figures.top[:5], spark=figures.spark)
    if column.dtype == "datetime":
        first, last = (str(pd.Timestamp(v, unit="s").date()) for v in (figures.low, figures.high))
        return ColumnProfile(*plain, minimum=first, maximum=last, spark=figures.spark)
    return ColumnProfile(
        *plain,
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
