"""Many columns at once: associations, what goes with the target, pairs, parallel lines, gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.casts import as_levels, as_moments, as_numbers
from mlcore.columns import is_date
from mlcore.dataset import Column, Dataset
from mlcore.errors import BadChoice, NotApplicable
from mlcore.explore.view import OTHER, View, colours, is_continuous, query, sampled, table
from mlcore.ingest.frames import free_names, quoted
from mlcore.result import Array, Help, Result, number, several, share

MOST_MATRIX = 30  # columns of a matrix
MOST_RANKED = 300
ENOUGH_ROWS = 20_000  # of the sample that associations are counted on
MOST_PAIRED, PAIR_POINTS = 4, 400
MOST_AXES, MOST_LINES = 8, 250
BLOCKS = 60
MOST_PATTERNS = 12
FEW_ROWS = 20
METHODS = ("association", "pearson", "spearman")


# how strongly two columns go together ---------------------------------------------------------------------------------


def cramers_v(table: Array) -> float | None:
    """Cramér's V with Bergsma's correction (J. Korean Stat. Soc. 42, 2013); None where a side has one level."""
    table = np.asarray(table, float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n = table.sum()
    rows, columns = table.shape
    if min(rows, columns) < 2 or n < 2:
        return None
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    phi2 = float(((table - expected) ** 2 / expected).sum() / n)
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    r, c = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    return float(np.sqrt(phi2 / max(min(r, c) - 1, 1e-12))) if min(r, c) > 1 else 0.0


def correlation_ratio(codes: Array, values: Array) -> float | None:
    """The correlation ratio η: the root of the share of variance between levels (Pearson, 1905)."""
    size = np.bincount(codes)
    used = size > 0
    spread = float(((values - values.mean()) ** 2).sum())
    if used.sum() < 2 or spread <= 0:
        return None
    means = np.bincount(codes, values)[used] / size[used]
    return float(np.sqrt(min(1.0, (size[used] * (means - values.mean()) ** 2).sum() / spread)))


@dataclass(frozen=True)
class _Cells:
    """A column of the sample: numbers with NaN, or codes of levels with −1."""

    column: Column
    values: Array
    levels: bool


def _cells(frame: pd.DataFrame, column: Column) -> _Cells:
    if is_continuous(column):
        series = frame[column.name]
        numbers = as_numbers(as_moments(series, column.parse)) if is_date(column) else as_numbers(series, column.parse)
        return _Cells(column, numbers.to_numpy(), False)
    codes, _ = pd.factorize(as_levels(frame[column.name]))
    return _Cells(column, np.asarray(codes), True)


def associated(a: _Cells, b: _Cells, method: str) -> float:
    """How strongly two columns go together; NaN where it is not defined. Signed only between two of numbers."""
    known = (a.values >= 0 if a.levels else ~np.isnan(a.values)) & (b.values >= 0 if b.levels else ~np.isnan(b.values))
    if known.sum() < 3:
        return float("nan")
    x, y = a.values[known], b.values[known]
    found: float | None
    if a.levels and b.levels:
        found = cramers_v(np.histogram2d(x, y, bins=[np.arange(x.max() + 2), np.arange(y.max() + 2)])[0])
    elif a.levels or b.levels:
        found = correlation_ratio(x, y) if a.levels else correlation_ratio(y, x)
    else:
        if method != "pearson":
            x, y = pd.Series(x).rank().to_numpy(), pd.Series(y).rank().to_numpy()
        x, y = x - x.mean(), y - y.mean()
        size = float(np.sqrt((x**2).sum() * (y**2).sum()))
        found = float((x * y).sum() / size) if size > 0 else None
    return float("nan") if found is None else found


def _usable(view: View) -> list[Column]:
    """Columns that can go together with others: numbers, dates, and levels that repeat."""
    return [
        c
        for c in view.schema
        if c.distinct > 1
        and (is_continuous(c) or c.distinct <= 100)
        and c.kind not in ("identifier", "text", "constant")
    ]


@dataclass(frozen=True)
class Correlations(Result):
    """How strongly each pair of columns goes together."""

    method: str
    names: tuple[str, ...]  # in an order that puts what goes together side by side
    values: Array  # (columns, columns)
    n: int
    rows: int
    left_out: int

    help: ClassVar[Help] = Help(
        "For each pair of columns, how strongly they go together. Between numbers: Pearson's r (a straight line) or "
        "Spearman's (any rising or falling line), −1 to 1. Between levels Cramér's V, between a level and a number the "
        "correlation ratio η: 0 to 1, without a sign.",
        "Strong colour off the diagonal: two columns that tell much the same. Columns that go together stand together.",
        "Bends that turn back are invisible to r. V and η of few rows are too high. No association is a cause.",
        "Of two columns near ±1 one can go; which, decide by which is known earlier or measured better.",
    )

    def frame(self) -> pd.DataFrame:
        """The matrix."""
        return (
            pd.DataFrame(self.values, index=list(self.names), columns=list(self.names))
            .rename_axis("column")
            .reset_index()
        )

    def sentence(self) -> str:
        """The strongest pairs."""
        pairs = [
            (abs(self.values[i, j]), self.values[i, j], self.names[i], self.names[j])
            for i in range(len(self.names))
            for j in range(i)
            if np.isfinite(self.values[i, j])
        ]
        first = [f"{a} and {b} ({v:.2f})".replace("-", "−") for _, v, a, b in sorted(pairs, reverse=True)[:2]]
        sampled = f" A sample of {self.n:,} of {self.rows:,} rows." if self.n < self.rows else ""
        more = f" {len(self.names)} columns are shown; {self.left_out} more are not." if self.left_out else ""
        return f"Strongest: {several(first)}.{sampled}{more}" if first else "No pair of columns could be compared."


def correlations(data: Dataset | View, method: str = "pearson") -> Correlations:
    """A matrix of associations. Raises NotApplicable with fewer than two columns, BadChoice."""
    view = View.of(data)
    if method not in METHODS:
        raise BadChoice.of("kind of association", method, METHODS)
    usable = _usable(view)
    if method != "association":
        usable = [c for c in usable if is_continuous(c) and not is_date(c) and c.kind == "numeric"]
    if len(usable) < 2:
        raise NotApplicable("Associations need two columns that vary; there are fewer.")
    shown = sorted(usable[:MOST_MATRIX], key=lambda c: c.role != "target")
    frame = sampled(view, [c.name for c in shown], ENOUGH_ROWS)
    cells = [_cells(frame, c) for c in shown]
    values = np.eye(len(cells))
    for i in range(len(cells)):
        for j in range(i):
            values[i, j] = values[j, i] = associated(cells[i], cells[j], method)
    order = _clustered(values)
    return Correlations(
        method,
        tuple(shown[i].name for i in order),
        values[np.ix_(order, order)],
        len(frame),
        view.rows,
        len(usable) - len(shown),
    )


def _clustered(values: Array) -> list[int]:
    """An order in which columns that go together stand together: average linkage of 1 − |association|."""
    if len(values) < 3:
        return list(range(len(values)))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - np.abs(np.nan_to_num(values))
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), "average", optimal_ordering=True)
    return [int(i) for i in leaves_list(tree)]


@dataclass(frozen=True)
class Ranked(Result):
    """How strongly each column goes with the target, alone."""

    target: str
    names: tuple[str, ...]
    values: Array  # (columns,) strength from 0 to 1
    signed: Array  # (columns,) the same with a sign where there is one
    n: int
    rows: int

    help: ClassVar[Help] = Help(
        "Each column's own association with the target: |Spearman's r|, correlation ratio η or Cramér's V.",
        "Long bars tell much alone. One near 1 may give the answer away.",
        "A column that tells nothing alone may tell much together with another. Few rows make bars too long.",
        "Ask of the longest bars: is this known before the outcome?",
    )

    def frame(self) -> pd.DataFrame:
        """A row a column, strongest first."""
        return pd.DataFrame({"column": self.names, "association": self.signed, "strength": self.values})

    def sentence(self) -> str:
        """The strongest three."""
        first = [f"{n} ({v:.2f})".replace("-", "−") for n, v in zip(self.names[:3], self.signed[:3], strict=True)]
        sampled = f" A sample of {self.n:,} of {self.rows:,} rows." if self.n < self.rows else ""
        return f"{self.target} goes most with {several(first)}.{sampled}"


def with_target(data: Dataset | View, target: str | None) -> Ranked:
    """Rank columns by their association with the target. Raises NotApplicable."""
    view = View.of(data)
    if target is None:
        raise NotApplicable("No target is chosen. Choose one on the Data page, and columns are ranked by it.")
    others = [c for c in _usable(view) if c.name != target][:MOST_RANKED]
    column = view.schema[target]
    if not others or column.distinct < 2:
        raise NotApplicable("There is no column to compare the target with.")
    frame = sampled(view, [target, *(c.name for c in others)], ENOUGH_ROWS)
    aim = _cells(frame, column)
    signed = np.array([associated(_cells(frame, c), aim, "spearman") for c in others])
    order = [int(i) for i in np.argsort(-np.nan_to_num(np.abs(signed)), kind="stable") if np.isfinite(signed[i])]
    if not order:
        raise NotApplicable("No column varies together with a known target in these rows.")
    return Ranked(
        target, tuple(others[i].name for i in order), np.abs(signed[order]), signed[order], len(frame), view.rows
    )


# rows drawn whole -----------------------------------------------------------------------------------------------------


def default_many(data: Dataset | View, most: int) -> list[str]:
    """Columns worth a first look together: the features that vary most, numbers first."""
    found = [c for c in data.schema if c.kind == "numeric" and is_continuous(c) and c.role == "feature"]
    return [c.name for c in sorted(found, key=lambda c: -c.distinct)[:most]]


@dataclass(frozen=True)
class Pairs(Result):
    """Each of a few columns against each other."""

    names: tuple[str, ...]
    by: str | None
    points: pd.DataFrame  # the columns, and group last
    groups: tuple[str, ...]
    n: int

    help: ClassVar[Help] = Help(
        "Every pair of the chosen columns as points; on the diagonal, each column alone.",
        "Look for slopes, bends and clouds that part by colour.",
        "Only a sample is drawn. Two columns at a time cannot show what three do together.",
        "Open a pair that looks odd under Two columns.",
    )

    def frame(self) -> pd.DataFrame:
        """The points."""
        return self.points

    def sentence(self) -> str:
        """What is drawn."""
        return f"{several(list(self.names), 6)} against each other, {len(self.points):,} of {self.n:,} rows."


def _grouped(view: View, frame: pd.DataFrame, by: str | None) -> tuple[pd.Series, tuple[str, ...]]:
    """The group of each row, and the groups in the order of their colours."""
    if by is None:
        return pd.Series("", index=frame.index), ("",)
    known = colours(view, by)
    levels = as_levels(frame[by]).fillna("missing").astype(str)
    group = levels.where(levels.isin([*known, "missing"]), OTHER)
    here = set(group)
    return group, tuple(g for g in [*known, *([] if OTHER in known else [OTHER]), "missing"] if g in here)


def _chosen(view: View, names: list[str], fewest: int, most: int, what: str) -> list[Column]:
    columns = [view.schema[n] for n in dict.fromkeys(names)]
    if not fewest <= len(columns) <= most:
        raise NotApplicable(f"{what} take {fewest} to {most} columns; {len(columns)} are chosen.")
    return columns


def pairs(data: Dataset | View, names: list[str], by: str | None = None) -> Pairs:
    """A sample of rows for a plot of pairs. Raises NoSuchColumn, NotApplicable."""
    view = View.of(data)
    columns = _chosen(view, names, 2, MOST_PAIRED, "Pairs")
    odd = [c.name for c in columns if not is_continuous(c)]
    if odd:
        raise NotApplicable(f"Pairs take columns of numbers or dates; {several(odd)} hold levels.")
    frame = sampled(view, list(dict.fromkeys([*(c.name for c in columns), *([by] if by else [])])), PAIR_POINTS)
    group, groups = _grouped(view, frame, by)
    points = pd.DataFrame({c.name: _cells(frame, c).values for c in columns})
    points[_group_name(points)] = group.to_numpy()
    return Pairs(tuple(c.name for c in columns), by, points, groups, view.rows)


def _group_name(points: pd.DataFrame) -> str:
    name = "group"
    while name in points.columns:
        name += "_"
    return name


@dataclass(frozen=True)
class Parallel(Result):
    """Rows as lines across axes, one for each column."""

    names: tuple[str, ...]
    by: str | None
    places: Array  # (rows, axes) from 0 to 1, NaN where missing
    ends: tuple[tuple[str, str], ...]  # what 0 and 1 stand for on each axis
    group: tuple[str, ...]  # of each row
    groups: tuple[str, ...]
    n: int

    help: ClassVar[Help] = Help(
        "Each line is a row; it crosses each axis at its value. Every axis reaches from its lowest to its highest.",
        "Bundles of one colour are a pattern. Lines that cross between two axes: one falls as the other rises.",
        "The order of the axes makes the picture, and a sample of lines is drawn.",
        "Put columns side by side that you want to compare.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a line: places from 0 to 1."""
        by = [(self.by, self.group)] if self.by else []
        return table(*zip(self.names, self.places.T, strict=True), *by)

    def sentence(self) -> str:
        """What is drawn."""
        by = f", coloured by {self.by}" if self.by else ""
        return f"{len(self.places):,} of {self.n:,} rows across {len(self.names)} columns{by}."


def parallel(data: Dataset | View, names: list[str], by: str | None = None) -> Parallel:
    """A sample of rows as lines. Raises NoSuchColumn, NotApplicable."""
    view = View.of(data)
    columns = _chosen(view, names, 2, MOST_AXES, "Parallel lines")
    frame = sampled(view, list(dict.fromkeys([*(c.name for c in columns), *([by] if by else [])])), MOST_LINES)
    group, groups = _grouped(view, frame, by)
    places, ends = [], []
    for c in columns:
        cells = _cells(frame, c)
        values = np.where(cells.values < 0, np.nan, cells.values) if cells.levels else cells.values
        if cells.levels:  # levels in the order of the alphabet
            levels = as_levels(frame[c.name])
            names_ = sorted(levels.dropna().unique())
            values = levels.map({v: i for i, v in enumerate(names_)}).to_numpy(float)
        known = values[~np.isnan(values)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        places.append((values - low) / (high - low) if high > low else np.where(np.isnan(values), np.nan, 0.5))
        ends.append(_ends(c, low, high, frame[c.name]))
    return Parallel(
        tuple(c.name for c in columns), by, np.column_stack(places), tuple(ends), tuple(group), groups, view.rows
    )


def _ends(column: Column, low: float, high: float, cells: pd.Series) -> tuple[str, str]:
    if not is_continuous(column):
        levels = sorted(as_levels(cells).dropna().unique())
        return (str(levels[0]), str(levels[-1])) if levels else ("", "")
    if is_date(column):
        return str(pd.Timestamp(low, unit="D").date()), str(pd.Timestamp(high, unit="D").date())
    return number(low), number(high)


# gaps -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Missing(Result):
    """Missing cells of each column that has any."""

    columns: tuple[str, ...]
    missing: tuple[int, ...]
    rows: int
    complete: int
    about: bool = False  # whether `complete` is estimated from a sample

    help: ClassVar[Help] = Help(
        "The share of rows in which each column is missing.",
        "Long bars first. Columns with equal bars often go missing together.",
        "Missing is not always unknown: it may mean none, or not asked, and then it is information.",
        "Ask why it is missing. The recipe can fill it and mark where it was.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a column with gaps."""
        return pd.DataFrame(
            {"column": self.columns, "missing": self.missing, "share": [m / self.rows for m in self.missing]}
        )

    def sentence(self) -> str:
        """How much, and where."""
        if not self.columns:
            return f"No cell is missing in {self.rows:,} rows."
        plural = "s have" if len(self.columns) > 1 else " has"
        return (
            f"{len(self.columns)} column{plural} gaps, most {self.columns[0]} ({share(self.missing[0], self.rows)}); "
            f"{'≈ ' if self.about else ''}{share(self.complete, self.rows)} rows are complete."
        )


def _gaps(view: View) -> list[tuple[str, int]]:
    """Columns with gaps in these rows, most first."""
    candidates = [c for c in view.schema if c.missing]
    if not view.filters:
        counts = [c.missing for c in candidates]
    else:
        listed = ", ".join(f"count(*) - count({quoted(c.name)})" for c in candidates) or "0"
        counts = list(query(view, f"SELECT {listed} FROM data")[0])
    found = [(c.name, int(m)) for c, m in zip(candidates, counts, strict=False) if m]
    return sorted(found, key=lambda item: -item[1])


def missing(data: Dataset | View) -> Missing:
    """Missing cells by column, most first."""
    view = View.of(data)
    gaps = _gaps(view)
    complete = view.rows
    if gaps:
        whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name, _ in gaps)
        found, of = query(view, f"SELECT count_if({whole}), count(*) FROM {_source(view)}")[0]
        complete = round(found / max(of, 1) * view.rows)
    return Missing(tuple(n for n, _ in gaps), tuple(m for _, m in gaps), view.rows, complete, not view.exact)


def _source(view: View) -> str:
    """All rows, or where they are very many the sample; it is in the order of the file as well."""
    return "data" if view.exact else "picked"


@dataclass(frozen=True)
class GapMap(Result):
    """Where in the file cells are missing."""

    columns: tuple[str, ...]
    starts: tuple[int, ...]  # the first row of each block
    shares: Array  # (columns, blocks)
    rows: int
    left_out: int

    help: ClassVar[Help] = Help(
        "The rows in the order of the file, cut into blocks; each cell is as dark as the column is missing there.",
        "A dark stretch is a time or a source in which the column was not filled in. Equal rows go missing together.",
        "Single gaps are too small to be seen. Another order of the rows gives another picture.",
        "If gaps begin or end at a row, ask what changed there, and split by time.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a block, a column a column."""
        return table(("first row", self.starts), *zip(self.columns, self.shares, strict=True))

    def sentence(self) -> str:
        """The column whose gaps are most uneven over the file."""
        spread = self.shares.max(axis=1) - self.shares.min(axis=1)
        i = int(spread.argmax())
        low, high = 100 * self.shares[i].min(), 100 * self.shares[i].max()
        more = f" {self.left_out} more columns are not shown." if self.left_out else ""
        return f"Most uneven: {self.columns[i]}, missing in {low:.0f} to {high:.0f} % of the rows of a block.{more}"


def gap_map(data: Dataset | View) -> GapMap:
    """Missing shares by column and block of rows. Raises NotApplicable where nothing is missing."""
    view = View.of(data)
    gaps = _gaps(view)
    if not gaps:
        raise NotApplicable("No cell is missing, so there is nothing to draw.")
    names = [n for n, _ in gaps[:MOST_MATRIX]]
    order = [n for n in view.schema.names if n in set(names)]
    rows = view.rows if view.exact else view.sampled
    size, each = max(1, -(-rows // BLOCKS)), view.rows / max(rows, 1)
    listed = ", ".join(f"count({quoted(n)})" for n in order)
    free = quoted(*free_names(view.schema.names, 1))
    block = f"(row_number() OVER () - 1) // {size}"
    numbered = f"SELECT *, {block} AS {free} FROM {_source(view)}"
    found = query(view, f"SELECT {free}, count(*), {listed} FROM ({numbered}) GROUP BY 1 ORDER BY 1")
    table = np.array([[1 - known / n for known in counts] for _, n, *counts in found]).T
    return GapMap(
        tuple(order), tuple(round(int(b) * size * each) for b, *_ in found), table, view.rows, len(gaps) - len(names)
    )


@dataclass(frozen=True)
class Patterns(Result):
    """Which columns are missing together."""

    columns: tuple[str, ...]
    gaps: Array  # (patterns, columns) whether missing
    counts: tuple[int, ...]
    rows: int
    others: int  # rows of rarer patterns
    whole: int  # rows that these are a sample of, where there are very many

    help: ClassVar[Help] = Help(
        "Each line is a set of columns that are missing in the same rows, and how many rows that are.",
        "A long bar with several dots: these go missing together, so they have one cause.",
        "Rare patterns are gathered. With many gaps at random, patterns say little.",
        "Give one cause one mark, not one for each column.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a pattern."""
        together = [", ".join(c for c, g in zip(self.columns, row, strict=True) if g) or "none" for row in self.gaps]
        return pd.DataFrame({"missing together": together, "rows": self.counts})

    def sentence(self) -> str:
        """The most common pattern of several columns."""
        for row, count in zip(self.gaps, self.counts, strict=True):
            names = [c for c, g in zip(self.columns, row, strict=True) if g]
            if len(names) > 1:
                of = f" of a sample of {self.whole:,}" if self.rows < self.whole else ""
                return f"{several(names)} are missing together in {share(count, self.rows)} rows{of}."
        return "No two columns are missing together in a common pattern."


def patterns(data: Dataset | View) -> Patterns:
    """The most common sets of gaps. Raises NotApplicable where nothing is missing."""
    view = View.of(data)
    gaps = _gaps(view)
    if not gaps:
        raise NotApplicable("No cell is missing, so there is nothing to draw.")
    names = [n for n, _ in gaps[:MOST_PATTERNS]]
    listed = " + ".join(f"{1 << i} * ({quoted(n)} IS NULL)::INT" for i, n in enumerate(names))
    found = query(view, f"SELECT {listed}, count(*) FROM {_source(view)} GROUP BY 1 ORDER BY 2 DESC, 1")
    shown = found[:MOST_PATTERNS]
    table = np.array([[bool(bits >> i & 1) for i in range(len(names))] for bits, _ in shown])
    rest = int(sum(n for _, n in found[MOST_PATTERNS:]))
    rows = int(sum(n for _, n in found))
    return Patterns(tuple(names), table, tuple(int(n) for _, n in shown), rows, rest, view.rows)
