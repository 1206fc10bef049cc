"""Missing values by column, along the file, and in patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Dataset
from mlcore.data.sql import free_names, quoted
from mlcore.errors import NotApplicable
from mlcore.explore.multivariate import MOST_MATRIX
from mlcore.explore.view import View, query, table
from mlcore.result import Array, Help, Result
from mlcore.wording import several, share

BLOCKS = 60
MOST_PATTERNS = 12


# missing values -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Missing(Result):
    """The number of missing values in each column that has any."""

    columns: tuple[str, ...]
    missing: tuple[int, ...]
    rows: int
    complete: int
    about: bool = False  # whether `complete` is estimated from a sample

    help: ClassVar[Help] = Help(
        "The percentage of rows in which each column is missing.",
        "Start with the long bars. Columns with equal bars are often missing together.",
        "Missing does not always mean unknown: it may mean none, or not asked, and then it is information.",
        "Find out why values are missing. The recipe can fill them and add an indicator.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per column with missing values."""
        return pd.DataFrame(
            {"column": self.columns, "missing": self.missing, "share": [m / self.rows for m in self.missing]}
        )

    def sentence(self) -> str:
        """How many columns have missing values, the worst one, and the number of complete rows."""
        if not self.columns:
            return f"No value is missing in {self.rows:,} rows."
        plural = "s have" if len(self.columns) > 1 else " has"
        return (
            f"{len(self.columns)} column{plural} missing values, most in {self.columns[0]} "
            f"({share(self.missing[0], self.rows)}); "
            f"{'≈ ' if self.about else ''}{share(self.complete, self.rows)} rows are complete."
        )


def _missing_counts(view: View) -> list[tuple[str, int]]:
    """Columns with missing values in these rows, and how many; the most first."""
    candidates = [c for c in view.schema if c.missing]
    if not view.filters:
        counts = [c.missing for c in candidates]
    else:
        expressions = ", ".join(f"count(*) - count({quoted(c.name)})" for c in candidates) or "0"
        counts = list(query(view, f"SELECT {expressions} FROM data")[0])
    incomplete = [(c.name, int(m)) for c, m in zip(candidates, counts, strict=False) if m]
    return sorted(incomplete, key=lambda item: -item[1])


def missing(data: Dataset | View) -> Missing:
    """Missing values by column, most first."""
    view = View.of(data)
    incomplete = _missing_counts(view)
    complete = view.rows
    if incomplete:
        condition = " AND ".join(f"{quoted(name)} IS NOT NULL" for name, _ in incomplete)
        complete_rows, total = query(view, f"SELECT count_if({condition}), count(*) FROM {_source(view)}")[0]
        complete = round(complete_rows / max(total, 1) * view.rows)
    return Missing(
        columns=tuple(n for n, _ in incomplete),
        missing=tuple(m for _, m in incomplete),
        rows=view.rows,
        complete=complete,
        about=not view.exact,
    )


def _source(view: View) -> str:
    """The table to query: all rows or, of a large table, the sample, which is in file order as well."""
    return "data" if view.exact else "picked"


@dataclass(frozen=True, kw_only=True)
class MissingnessMap(Result):
    """Where in the file values are missing."""

    columns: tuple[str, ...]
    starts: tuple[int, ...]  # the first row of each block
    shares: Array  # (columns, blocks), fraction missing
    rows: int
    left_out: int

    help: ClassVar[Help] = Help(
        "The rows in file order, divided into blocks; the darker a block, the more values of the column are missing.",
        "A dark stretch is a period or source in which a column was not filled in. Equal lines are missing together.",
        "Single missing values are too small to see. Another order of the rows gives another plot.",
        "If missing values start or stop at a row, find out what changed there, and split by time.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per block, and one column per column of the data."""
        return table(("first row", self.starts), *zip(self.columns, self.shares, strict=True))

    def sentence(self) -> str:
        """The column whose missing values are most uneven over the file."""
        ranges = self.shares.max(axis=1) - self.shares.min(axis=1)
        i = int(ranges.argmax())
        low, high = 100 * self.shares[i].min(), 100 * self.shares[i].max()
        more = f" {self.left_out} more columns are not shown." if self.left_out else ""
        return f"Most uneven: {self.columns[i]}, missing in {low:.0f} to {high:.0f} % of the rows per block.{more}"


def missingness_map(data: Dataset | View) -> MissingnessMap:
    """Fractions missing by column and block of rows. Raises NotApplicable if nothing is missing."""
    view = View.of(data)
    incomplete = _missing_counts(view)
    if not incomplete:
        raise NotApplicable("No value is missing, so there is nothing to draw.")
    names = [n for n, _ in incomplete[:MOST_MATRIX]]
    order = [n for n in view.schema.names if n in set(names)]
    rows = view.rows if view.exact else view.sampled
    size, scale = max(1, -(-rows // BLOCKS)), view.rows / max(rows, 1)
    known_counts = ", ".join(f"count({quoted(n)})" for n in order)
    block_column = quoted(*free_names(view.schema.names, 1))
    block = f"(row_number() OVER () - 1) // {size}"
    numbered = f"SELECT *, {block} AS {block_column} FROM {_source(view)}"
    blocks = query(view, f"SELECT {block_column}, count(*), {known_counts} FROM ({numbered}) GROUP BY 1 ORDER BY 1")
    fractions = np.array([[1 - known / n for known in counts] for _, n, *counts in blocks]).T
    return MissingnessMap(
        columns=tuple(order),
        starts=tuple(round(int(b) * size * scale) for b, *_ in blocks),
        shares=fractions,
        rows=view.rows,
        left_out=len(incomplete) - len(names),
    )


@dataclass(frozen=True, kw_only=True)
class MissingPatterns(Result):
    """Which columns are missing together."""

    columns: tuple[str, ...]
    gaps: Array  # (patterns, columns) whether missing
    counts: tuple[int, ...]
    rows: int
    others: int  # rows with rarer patterns
    whole: int  # rows of the table; more than `rows` if these are a sample

    help: ClassVar[Help] = Help(
        "Each bar is a set of columns that are missing in the same rows, and the number of these rows.",
        "A long bar with several columns: they are missing together, so they have one cause.",
        "Rare patterns are left out. If many values are missing at random, patterns mean little.",
        "Use one indicator per cause, not one per column.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per pattern."""
        together = [", ".join(c for c, g in zip(self.columns, row, strict=True) if g) or "none" for row in self.gaps]
        return pd.DataFrame({"missing together": together, "rows": self.counts})

    def sentence(self) -> str:
        """The most common pattern of several columns."""
        for row, count in zip(self.gaps, self.counts, strict=True):
            names = [c for c, g in zip(self.columns, row, strict=True) if g]
            if len(names) > 1:
                sample_note = f" of a sample of {self.whole:,}" if self.rows < self.whole else ""
                return f"{several(names)} are missing together in {share(count, self.rows)} rows{sample_note}."
        return "No two columns are missing together in a common pattern."


def patterns(data: Dataset | View) -> MissingPatterns:
    """The most common sets of missing columns. Raises NotApplicable if nothing is missing."""
    view = View.of(data)
    incomplete = _missing_counts(view)
    if not incomplete:
        raise NotApplicable("No value is missing, so there is nothing to draw.")
    names = [n for n, _ in incomplete[:MOST_PATTERNS]]
    bitmask = " + ".join(f"{1 << i} * ({quoted(n)} IS NULL)::INT" for i, n in enumerate(names))
    sets = query(view, f"SELECT {bitmask}, count(*) FROM {_source(view)} GROUP BY 1 ORDER BY 2 DESC, 1")
    shown = sets[:MOST_PATTERNS]
    is_missing = np.array([[bool(bits >> i & 1) for i in range(len(names))] for bits, _ in shown])
    rest = int(sum(n for _, n in sets[MOST_PATTERNS:]))
    rows = int(sum(n for _, n in sets))
    return MissingPatterns(
        columns=tuple(names),
        gaps=is_missing,
        counts=tuple(int(n) for _, n in shown),
        rows=rows,
        others=rest,
        whole=view.rows,
    )
