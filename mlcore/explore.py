"""Aggregate queries over the Parquet file, by DuckDB: what a chart needs, and never the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import duckdb
import numpy as np
import pandas as pd

from mlcore.dataset import Column, Dataset
from mlcore.errors import BadChoice, NotApplicable
from mlcore.ingest.frames import quoted, quoted_text
from mlcore.result import Array, Help, Result, number, several, share

MOST_POINTS = 4000
MOST_LEVELS = 20
MOST_COLOURS = 6
MOST_CORRELATED = 30
CORRELATION_ROWS = 100_000
OTHER = "other"
BINS = 30


Ask = Callable[[str], list[Any]]


@contextmanager
def asking(dataset: Dataset) -> Iterator[Ask]:
    """Open the dataset for several queries; see `query`."""
    with duckdb.connect() as con:
        con.execute("SET threads = 2")
        con.execute(f"CREATE VIEW data AS SELECT * FROM read_parquet({quoted_text(str(dataset.path))})")
        yield lambda sql: con.execute(sql).fetchall()


def query(dataset: Dataset, sql: str) -> list[Any]:
    """Run SQL in which `data` stands for the dataset.

    Only quoted names may be put into `sql`, and results are grouped and ordered by their place, never by an alias: a
    column of the data may have any name.
    """
    with asking(dataset) as ask:
        return ask(sql)


def sample_sql(wanted: str, where: str, most: int) -> str:
    """SQL for at most so many rows, in an order that looks random and is the same each time."""
    return f"SELECT {wanted} FROM data WHERE {where} ORDER BY hash(row_number() OVER ()) LIMIT {most}"


def real(column: Column) -> str:
    """SQL of a column as finite real numbers; dates are seconds since 1970."""
    name = quoted(column.name)
    if column.dtype == "datetime":
        return f"epoch({name})"
    if column.dtype == "boolean":
        return f"CAST({name} AS INT)"
    if column.dtype == "text":
        return f"TRY_CAST({name} AS DOUBLE)"
    return f"(CASE WHEN isfinite({name}::DOUBLE) THEN {name}::DOUBLE END)"


def level(column: Column) -> str:
    """SQL of a column as text."""
    return f"CAST({quoted(column.name)} AS VARCHAR)"


def is_continuous(column: Column) -> bool:
    """Whether the column is drawn on an axis of numbers rather than of levels."""
    return column.dtype == "datetime" or (
        column.dtype in ("integer", "float") and column.distinct > 2 and column.kind not in ("categorical", "boolean")
    )


def colours(dataset: Dataset, name: str | None) -> list[str]:
    """The levels that get a colour of their own, most common first; the rest are `other`."""
    if name is None:
        return []
    column = dataset.schema[name]
    found = query(
        dataset,
        f"SELECT {level(column)}, count(*) FROM data WHERE {quoted(column.name)} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_COLOURS + 1}",
    )
    levels = [str(v) for v, _ in found]
    if len(levels) > MOST_COLOURS:
        levels = [*levels[:MOST_COLOURS], OTHER]
    return sorted(levels[:MOST_COLOURS]) + levels[MOST_COLOURS:]


def _colour_sql(dataset: Dataset, by: str | None, levels: list[str]) -> str:
    if by is None:
        return "''"
    text = level(dataset.schema[by])
    own = ", ".join(quoted_text(v) for v in levels if v != OTHER)
    return (
        f"CASE WHEN {text} IN ({own}) THEN {text} WHEN {text} IS NULL THEN 'missing' ELSE '{OTHER}' END"
        if own
        else "''"
    )


def splits(dataset: Dataset) -> list[str]:
    """Columns that can split or colour a chart: levels, and few of them; the target first."""
    found = [c.name for c in dataset.schema if not is_continuous(c) and 1 < c.distinct <= 200]
    found += [c.name for c in dataset.schema if is_continuous(c) and c.dtype == "integer" and c.distinct <= 12]
    return sorted(found, key=lambda n: dataset.schema[n].role != "target")


def default_split(dataset: Dataset) -> str | None:
    """The target, where it has few levels."""
    target = next(iter(dataset.schema.in_role("target")), None)
    return target if target in splits(dataset) else None


def default_pair(dataset: Dataset) -> tuple[str, str]:
    """Two columns worth a first look: numbers that models may use, most varied first; else whatever there is."""
    varied = sorted((c for c in dataset.schema if is_continuous(c) and c.role != "ignore"), key=lambda c: -c.distinct)
    names = [c.name for c in varied] + [n for n in dataset.schema.names if n not in {c.name for c in varied}]
    return names[0], names[min(1, len(names) - 1)]


# one column -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Histogram(Result):
    """How often each range (or level) occurs, split by a second column if wished."""

    column: str
    by: str | None
    groups: tuple[str, ...]
    edges: Array  # (bins + 1,) for numbers and dates; empty for levels
    levels: tuple[str, ...]  # for levels
    counts: Array  # (groups, bins or levels)
    dates: bool
    n: int
    missing: int
    middle: tuple[float, float, float] | None  # quartiles

    help: ClassVar[Help] = Help(
        "The rows are sorted into ranges of equal width (or levels) and counted.",
        "Look for the middle, the spread, a second hump, and bars far from the rest.",
        "The number of bins shapes the picture; a hump may come and go with it. Levels beyond the most common "
        f"{MOST_LEVELS} are gathered under other.",
        "Change the bins before you believe in a shape. Split by the target to see what separates the classes.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a bar and group."""
        rows = []
        for g, group in enumerate(self.groups):
            for i in range(self.counts.shape[1]):
                where = {"level": self.levels[i]} if self.levels else {"from": self.edges[i], "to": self.edges[i + 1]}
                rows.append({**({self.by: group} if self.by else {}), **where, "rows": int(self.counts[g, i])})
        return pd.DataFrame(rows)

    def sentence(self) -> str:
        """What is known, the middle and the spread."""
        known = f"{self.column}: {self.n - self.missing:,} of {self.n:,} known"
        if self.levels:
            totals = self.counts.sum(axis=0)
            first = [
                f"{self.levels[i]} ({100 * totals[i] / max(totals.sum(), 1):.0f} %)"
                for i in np.argsort(-totals, kind="stable")[:3]
                if self.levels[i] != OTHER
            ]
            return f"{known}; most common {several(first)}."
        if self.middle is None:
            return f"{known}."
        low, median, high = (_moment(v) if self.dates else number(v) for v in self.middle)
        return f"{known}; median {median}, half between {low} and {high}."


def _moment(seconds: float) -> str:
    return str(pd.Timestamp(seconds, unit="s").date())


def histogram(dataset: Dataset, column: str, by: str | None = None, bins: int = BINS) -> Histogram:
    """Count a column in `bins` ranges, or by level; `by` splits by a column. Raises NoSuchColumn, NotApplicable."""
    described = dataset.schema[column]
    if described.distinct == 0:
        raise NotApplicable(f"Every cell of {column} is missing, so there is nothing to draw.")
    groups = colours(dataset, by)
    colour = _colour_sql(dataset, by, groups)
    if is_continuous(described):
        return _ranges(dataset, described, by, colour, bins)
    text = level(described)
    found = query(dataset, f"SELECT {text}, {colour}, count(*) FROM data WHERE {text} IS NOT NULL GROUP BY 1, 2")
    totals = (
        pd.Series([n for *_, n in found])
        .groupby([v for v, *_ in found])
        .sum()
        .sort_values(ascending=False, kind="stable")
    )
    levels = [str(v) for v in totals.index[:MOST_LEVELS]] + ([OTHER] if len(totals) > MOST_LEVELS else [])
    listed = _groups_of(found, 1)
    counts = np.zeros((len(listed), len(levels)), int)
    place = {v: i for i, v in enumerate(levels)}
    for v, g, n in found:
        counts[listed.index(g), place.get(v, len(levels) - 1)] += n
    return Histogram(
        column, by, tuple(listed), np.array([]), tuple(levels), counts, False, dataset.rows, described.missing, None
    )


def _groups_of(found: list[Any], place: int) -> list[str]:
    """The groups that occur, in a fixed order with `other` and `missing` last."""
    return sorted({r[place] for r in found}, key=lambda g: (g == "missing", g == OTHER, g))


def _ranges(dataset: Dataset, column: Column, by: str | None, colour: str, bins: int) -> Histogram:
    value = real(column)
    low, high, known, middle = query(
        dataset,
        f"SELECT min({value}), max({value}), count({value}), quantile_cont({value}, [0.25, 0.5, 0.75]) FROM data",
    )[0]
    if low is None:
        raise NotApplicable(f"{column.name} holds no finite number, so there is nothing to draw.")
    if column.dtype == "integer" and high - low < bins:  # a bar a whole number, rather than bars that alias
        low, high, bins = low - 0.5, high + 0.5, int(high - low) + 1
    if high == low:
        low, high = low - 0.5, high + 0.5
    width = (high - low) / bins
    if not np.isfinite(width):
        raise NotApplicable(f"{column.name} reaches from {low:.3g} to {high:.3g}, too far to be drawn.")
    found = query(
        dataset,
        f"SELECT greatest(least(floor(({value} - {low!r}) / {width!r}), {bins - 1}), 0)::INT, "
        f"{colour}, count(*) FROM data WHERE {value} IS NOT NULL GROUP BY 1, 2",
    )
    listed = _groups_of(found, 1)
    counts = np.zeros((len(listed), bins), int)
    for b, g, n in found:
        counts[listed.index(g), b] = n
    edges = np.linspace(low, high, bins + 1)
    return Histogram(
        column.name,
        by,
        tuple(listed),
        edges,
        (),
        counts,
        column.dtype == "datetime",
        dataset.rows,
        dataset.rows - known,
        tuple(middle),
    )


# two columns ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scatter(Result):
    """Points of two columns; many rows are sampled, and it is said."""

    x: str
    y: str
    by: str | None
    points: pd.DataFrame  # x, y, group
    n: int  # rows in which both are known
    r: float | None
    dates: tuple[bool, bool]

    help: ClassVar[Help] = Help(
        "Each point is a row, placed by two of its columns.",
        "A slope is a relation; r says how near to a straight line, from −1 to 1.",
        "r sees straight lines only, and one far point can make it. Colour may show that groups, not rows, differ.",
        "Look at both columns alone first, and at the points far from the rest.",
    )

    def frame(self) -> pd.DataFrame:
        """The points."""
        second = self.y if self.y != self.x else f"{self.y} (again)"
        third = "group" if self.by is None else self.by if self.by not in (self.x, self.y) else f"{self.by} (colour)"
        return self.points.set_axis([self.x, second, third], axis=1)

    def sentence(self) -> str:
        """Rows, sample and correlation."""
        shown = f", {len(self.points):,} of them drawn" if len(self.points) < self.n else ""
        r = "" if self.r is None else f" r = {self.r:.2f}.".replace("-", "−")
        return f"{self.y} against {self.x}: {self.n:,} rows have both{shown}.{r}"


@dataclass(frozen=True)
class Boxes(Result):
    """A column of numbers within each level of another."""

    value: str
    level: str
    rows: pd.DataFrame  # level, n, low, q1, median, q3, high
    n: int
    horizontal: bool
    dates: bool = False

    help: ClassVar[Help] = Help(
        "For each level: the box holds the middle half of the rows, the line in it is the median, the whiskers reach "
        "from the 5 % to the 95 % quantile.",
        "Compare medians first, then whether boxes overlap.",
        "A box of five rows looks as sure as one of five thousand; the count is in the hover.",
        "If the boxes hardly overlap, the level tells much about the value.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a level."""
        return self.rows

    def sentence(self) -> str:
        """The highest and the lowest median."""
        known = self.rows.dropna(subset=["median"])
        if len(known) < 2:
            return f"{self.value} by {self.level}: {self.n:,} rows."
        ordered = known.sort_values("median", kind="stable")
        top, bottom = ordered.iloc[-1], ordered.iloc[0]
        say = _moment if self.dates else number
        return (
            f"{self.value} by {self.level}, {self.n:,} rows: the median is highest for {top['level']} "
            f"({say(top['median'])}) and lowest for {bottom['level']} ({say(bottom['median'])})."
        )


@dataclass(frozen=True)
class Counts(Result):
    """How often two levels meet."""

    x: str
    y: str
    x_levels: tuple[str, ...]
    y_levels: tuple[str, ...]
    counts: Array  # (y, x)
    n: int

    help: ClassVar[Help] = Help(
        "Each cell counts the rows in which both levels meet; colour is the share within the column.",
        "Columns of the same pattern: no relation. A column that differs: this level is special.",
        "Shares of few rows jump about; the counts are in the cells.",
        "Look at levels with enough rows first.",
    )

    def frame(self) -> pd.DataFrame:
        """The table of counts."""
        return (
            pd.DataFrame(self.counts, index=list(self.y_levels), columns=list(self.x_levels))
            .rename_axis(self.y)
            .reset_index()
        )

    def sentence(self) -> str:
        """The most common pair."""
        i, j = np.unravel_index(int(self.counts.argmax()), self.counts.shape)
        return (
            f"{self.y} and {self.x}, {self.n:,} rows: the most common pair is {self.y_levels[i]} with "
            f"{self.x_levels[j]}, {share(int(self.counts[i, j]), self.n)}."
        )


def relation(dataset: Dataset, x: str, y: str, by: str | None = None) -> Scatter | Boxes | Counts:
    """Two columns against each other: points, boxes or counts by what they hold. Raises NoSuchColumn, NotApplicable."""
    first, second = dataset.schema[x], dataset.schema[y]
    for column in (first, second):
        if column.distinct == 0:
            raise NotApplicable(f"Every cell of {column.name} is missing, so there is nothing to draw.")
    if is_continuous(first) and is_continuous(second):
        return _scatter(dataset, first, second, by)
    if is_continuous(first) or is_continuous(second):
        value, split = (first, second) if is_continuous(first) else (second, first)
        return _boxes(dataset, value, split, horizontal=value is first)
    return _cross(dataset, first, second)


def _scatter(dataset: Dataset, x: Column, y: Column, by: str | None) -> Scatter:
    groups = colours(dataset, by)
    colour = _colour_sql(dataset, by, groups)
    both = f"{real(x)} IS NOT NULL AND {real(y)} IS NOT NULL"
    n, r = query(dataset, f"SELECT count(*), corr({real(x)}, {real(y)}) FROM data WHERE {both}")[0]
    if not n:
        raise NotApplicable(f"No row has both {x.name} and {y.name}.")
    found = query(dataset, sample_sql(f"{real(x)}, {real(y)}, {colour}", both, MOST_POINTS))
    points = pd.DataFrame(found, columns=["x", "y", "group"])
    finite = r is not None and np.isfinite(r)
    return Scatter(
        x.name, y.name, by, points, n, float(r) if finite else None, (x.dtype == "datetime", y.dtype == "datetime")
    )


def _top_levels(dataset: Dataset, column: Column) -> list[str]:
    found = query(
        dataset,
        f"SELECT {level(column)}, count(*) FROM data WHERE {quoted(column.name)} IS NOT NULL GROUP BY 1 "
        f"ORDER BY 2 DESC, 1 LIMIT {MOST_LEVELS}",
    )
    return [str(v) for v, _ in found]


def _boxes(dataset: Dataset, value: Column, split: Column, horizontal: bool) -> Boxes:
    listed = ", ".join(quoted_text(v) for v in _top_levels(dataset, split))
    found = query(
        dataset,
        f"SELECT {level(split)}, count({real(value)}), "
        f"quantile_cont({real(value)}, [0.05, 0.25, 0.5, 0.75, 0.95]) FROM data "
        f"WHERE {level(split)} IN ({listed}) GROUP BY 1 ORDER BY 1",
    )
    rows = [
        {"level": v, "n": n, **dict(zip(("low", "q1", "median", "q3", "high"), q or [None] * 5, strict=True))}
        for v, n, q in found
    ]
    return Boxes(
        value.name, split.name, pd.DataFrame(rows), sum(r["n"] for r in rows), horizontal, value.dtype == "datetime"
    )


def _cross(dataset: Dataset, x: Column, y: Column) -> Counts:
    found = query(
        dataset,
        f"SELECT {level(x)}, {level(y)}, count(*) FROM data "
        f"WHERE {level(x)} IS NOT NULL AND {level(y)} IS NOT NULL GROUP BY 1, 2",
    )
    if not found:
        raise NotApplicable(f"No row has both {x.name} and {y.name}.")
    xs, ys = _top_levels(dataset, x), _top_levels(dataset, y)
    counts = np.zeros((len(ys), len(xs)), int)
    for a, b, n in found:
        if a in xs and b in ys:
            counts[ys.index(b), xs.index(a)] = n
    return Counts(x.name, y.name, tuple(xs), tuple(ys), counts, int(sum(n for *_, n in found)))


# many columns ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Correlations(Result):
    """Correlation of each pair of columns of numbers."""

    method: str
    names: tuple[str, ...]
    values: Array  # (columns, columns)
    n: int
    rows: int
    left_out: int

    help: ClassVar[Help] = Help(
        "For each pair of columns of numbers, how near their relation is to a straight line (Pearson) or to any rising "
        "or falling line (Spearman): −1 to 1.",
        "Strong colour off the diagonal: two columns that tell much the same.",
        "Bends that turn back are invisible to both. A correlation is no cause.",
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
        more = f" The first {len(self.names)} columns are shown; {self.left_out} more are not." if self.left_out else ""
        return f"Strongest: {several(first)}.{sampled}{more}"


def correlations(dataset: Dataset, method: str = "pearson") -> Correlations:
    """Correlation matrix of the columns of numbers. Raises NotApplicable with fewer than two, BadChoice."""
    if method not in ("pearson", "spearman"):
        raise BadChoice.of("kind of correlation", method, ("pearson", "spearman"))
    names = [
        c.name for c in dataset.schema if c.dtype in ("integer", "float") and c.kind == "numeric" and c.distinct > 1
    ]
    if len(names) < 2:
        raise NotApplicable("A correlation needs two columns of numbers; there are fewer.")
    shown = names[:MOST_CORRELATED]
    listed = ", ".join(real(dataset.schema[n]) for n in shown)
    many = dataset.rows > CORRELATION_ROWS
    found = query(dataset, sample_sql(listed, "true", CORRELATION_ROWS) if many else f"SELECT {listed} FROM data")
    frame = pd.DataFrame(found, columns=shown, dtype="float64")
    return Correlations(
        method,
        tuple(shown),
        frame.corr(
            method=method,  # type: ignore[arg-type]
            min_periods=3,
        ).to_numpy(),
        len(frame),
        dataset.rows,
        len(names) - len(shown),
    )


@dataclass(frozen=True)
class Missing(Result):
    """Missing cells of each column that has any."""

    columns: tuple[str, ...]
    missing: tuple[int, ...]
    rows: int
    complete: int

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
            f"{share(self.complete, self.rows)} rows are complete."
        )


def missing(dataset: Dataset) -> Missing:
    """Missing cells by column, most first."""
    gaps = sorted((c for c in dataset.schema if c.missing), key=lambda c: -c.missing)
    complete = dataset.rows
    if gaps:
        whole = " AND ".join(f"{quoted(c.name)} IS NOT NULL" for c in gaps)
        complete = query(dataset, f"SELECT count(*) FROM data WHERE {whole}")[0][0]
    return Missing(tuple(c.name for c in gaps), tuple(c.missing for c in gaps), dataset.rows, complete)


def head(dataset: Dataset, rows: int = 100) -> pd.DataFrame:
    """The first rows, for a look."""
    return dataset.frame(rows=range(min(rows, dataset.rows))) if dataset.rows <= 100_000 else _first(dataset, rows)


def _first(dataset: Dataset, rows: int) -> pd.DataFrame:
    with duckdb.connect() as con:
        return con.execute(f"SELECT * FROM read_parquet({quoted_text(str(dataset.path))}) LIMIT {int(rows)}").df()
