"""Two columns against each other: points or their density, boxes or violins, counts or shares, a course in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.columns import is_date, level, real
from mlcore.dataset import Column, Dataset
from mlcore.errors import NotApplicable
from mlcore.explore.one import Shape, asked_for, period_of
from mlcore.explore.view import (
    View,
    asking,
    colour_sql,
    drawn,
    groups_in,
    has_levels,
    is_continuous,
    moment,
    needed,
    table,
    top_levels,
)
from mlcore.filters import Filter
from mlcore.ingest.frames import quoted_text
from mlcore.result import Array, Help, Result, number, share

MOST_POINTS = 4000
ACROSS, UP = 60, 40  # bins of a density
VIOLIN_BINS = 60


@dataclass(frozen=True)
class Pairing:
    """How to look at two columns."""

    by: str | None = None
    shape: str = "auto"
    shares: bool = False  # of counts: within each column of the table


@dataclass(frozen=True)
class Trend:
    """The straight line of least squares."""

    slope: float
    intercept: float
    r: float
    about: bool = False  # whether it comes from a sample

    def words(self, x: str, y: str, dates: bool) -> str:
        """The formula, and how near to the line the points are."""
        r = f"r {'≈' if self.about else '='} {self.r:.2f}".replace("-", "−")
        if dates:
            return f"{r}; {y} changes by {number(self.slope * 86_400 * 365.25)} a year."
        sign = "−" if self.intercept < 0 else "+"
        return f"{r}; {y} ≈ {number(self.slope)} × {x} {sign} {number(abs(self.intercept))}."


def _trend(
    ask: Any, view: View, x: str, y: str, where: str
) -> tuple[int, Trend | None, tuple[float, float, float, float] | None]:
    """Count, line and ranges of the rows that have both; the line where both vary, of a sample where rows are many."""
    n, *ranges = ask(f"SELECT count(*), min({x}), max({x}), min({y}), max({y}) FROM data WHERE {where}")[0]
    if not n:
        return 0, None, None
    slope, intercept, r = ask(
        f"SELECT regr_slope({y}, {x}), regr_intercept({y}, {x}), corr({x}, {y}) "
        f"FROM {'data' if view.exact else 'picked'} WHERE {where}"
    )[0]
    real_line = all(v is not None and np.isfinite(v) for v in (slope, intercept, r))
    return n, Trend(slope, intercept, r, not view.exact) if real_line else None, tuple(ranges)


@dataclass(frozen=True)
class Scatter(Result):
    """Points of two columns; many rows are sampled, and it is said."""

    x: str
    y: str
    by: str | None
    points: pd.DataFrame  # x, y, group
    n: int  # rows in which both are known
    trend: Trend | None
    dates: tuple[bool, bool]
    groups: tuple[str, ...] = ("",)

    help: ClassVar[Help] = Help(
        "Each point is a row, placed by two of its columns. The line is that of least squares over all rows.",
        "A slope is a relation; r says how near to a straight line, from −1 to 1.",
        "r sees straight lines only, and one far point can make it. Colour may show that groups, not rows, differ.",
        "Look at both columns alone first, and at the points far from the rest.",
    )

    @property
    def r(self) -> float | None:
        """Pearson's correlation over all rows that have both."""
        return self.trend.r if self.trend else None

    def frame(self) -> pd.DataFrame:
        """The points."""
        by = [(self.by, self.points["group"])] if self.by else []
        return table((self.x, self.points["x"]), (self.y, self.points["y"]), *by)

    def sentence(self) -> str:
        """Rows, sample and the line."""
        shown = f", {len(self.points):,} of them drawn" if len(self.points) < self.n else ""
        line = f" {self.trend.words(self.x, self.y, self.dates[0])}" if self.trend and not self.dates[1] else ""
        return f"{self.y} against {self.x}: {self.n:,} rows have both{shown}.{line}"

    def boxed(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[Filter, ...]:
        """The conditions that pick a rectangle."""
        return _boxed(self.x, x, self.y, y)


def _boxed(x: str, across: tuple[float, float], y: str, up: tuple[float, float]) -> tuple[Filter, ...]:
    return (
        Filter(x, "between", (min(across), max(across))),
        Filter(y, "between", (min(up), max(up))),
    )


@dataclass(frozen=True)
class Density(Result):
    """How many rows lie in each cell of a grid over two columns."""

    x: str
    y: str
    x_edges: Array  # (across + 1,)
    y_edges: Array  # (up + 1,)
    counts: Array  # (up, across)
    n: int
    trend: Trend | None
    dates: tuple[bool, bool]

    help: ClassVar[Help] = Help(
        "The plane is cut into cells; each is as dark as it holds rows. All rows are counted, none is drawn.",
        "Dark ridges are where most rows lie; a slope of the ridge is a relation.",
        "Single far rows are hardly seen, though they stretch the axes. The scale of colour is not even.",
        "Choose points to see a sample of rows, coloured by a third column.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a cell that holds anything."""
        up, across = np.nonzero(self.counts)
        return table(
            (f"{self.x} from", self.x_edges[across]),
            (f"{self.x} to", self.x_edges[across + 1]),
            (f"{self.y} from", self.y_edges[up]),
            (f"{self.y} to", self.y_edges[up + 1]),
            ("rows", self.counts[up, across]),
        )

    def sentence(self) -> str:
        """Rows, and the line."""
        line = f" {self.trend.words(self.x, self.y, self.dates[0])}" if self.trend and not self.dates[1] else ""
        return f"{self.y} against {self.x}: {self.n:,} rows have both, all counted.{line}"

    def boxed(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[Filter, ...]:
        """The conditions that pick a rectangle."""
        return _boxed(self.x, x, self.y, y)


@dataclass(frozen=True)
class Boxes(Result):
    """A column of numbers within each level of another, or as a whole."""

    value: str
    level: str | None
    rows: pd.DataFrame  # level, n, low, q1, median, q3, high
    n: int
    horizontal: bool
    dates: bool = False
    about: bool = False  # whether the quantiles come from a sample
    outlines: Array | None = None  # (levels, bins): shares of each level's rows, for violins
    edges: Array | None = None  # (bins + 1,)

    help: ClassVar[Help] = Help(
        "For each level: the box holds the middle half of the rows, the line in it is the median, the whiskers reach "
        "from the 5 % to the 95 % quantile. A violin is as wide as rows are many at that value.",
        "Compare medians first, then whether boxes overlap.",
        "A box of five rows looks as sure as one of five thousand; the count is in the hover.",
        "If the boxes hardly overlap, the level tells much about the value.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a level."""
        return self.rows

    def sentence(self) -> str:
        """The highest and the lowest median."""
        say, about = (moment if self.dates else number), "≈ " if self.about else ""
        known = self.rows.dropna(subset=["median"])
        if self.level is None and len(known):
            only = known.iloc[0]
            return (
                f"{self.value}, {self.n:,} rows: median {about}{say(only['median'])}, half between {say(only['q1'])} "
                f"and {say(only['q3'])}, nine in ten between {say(only['low'])} and {say(only['high'])}."
            )
        if len(known) < 2:
            return f"{self.value} by {self.level}: {self.n:,} rows."
        ordered = known.sort_values("median", kind="stable")
        top, bottom = ordered.iloc[-1], ordered.iloc[0]
        return (
            f"{self.value} by {self.level}, {self.n:,} rows: the median is highest for {top['level']} "
            f"({about}{say(top['median'])}) and lowest for {bottom['level']} ({about}{say(bottom['median'])})."
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
    shares: bool = False  # whether cells say shares of their column rather than counts

    help: ClassVar[Help] = Help(
        "Each cell counts the rows in which both levels meet; colour is the share within the column.",
        "Columns of the same pattern: no relation. A column that differs: this level is special.",
        "Shares of few rows jump about; the counts are in the cells or in the hover.",
        "Look at levels with enough rows first.",
    )

    def within(self) -> Array:
        """(y, x): the share of each cell in its column."""
        totals = self.counts.sum(axis=0, keepdims=True)
        return np.asarray(np.divide(self.counts, totals, out=np.zeros(self.counts.shape), where=totals > 0))

    def frame(self) -> pd.DataFrame:
        """The table of counts."""
        return (
            pd.DataFrame(self.counts, index=list(self.y_levels), columns=list(self.x_levels))
            .rename_axis(self.y)
            .reset_index()
        )

    def sentence(self) -> str:
        """The most common pair, and how strong the relation is."""
        i, j = np.unravel_index(int(self.counts.argmax()), self.counts.shape)
        from mlcore.explore.many import cramers_v

        v = cramers_v(self.counts)
        strength = "" if v is None else f" Cramér's V is {number(v)} (0: no relation, 1: one tells the other)."
        return (
            f"{self.y} and {self.x}, {self.n:,} rows: the most common pair is {self.y_levels[i]} with "
            f"{self.x_levels[j]}, {share(int(self.counts[i, j]), self.n)}.{strength}"
        )

    def boxed(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[Filter, ...]:
        """The conditions that pick the cells whose middles a rectangle holds; cells have places 0, 1, 2 …"""
        xs = tuple(v for i, v in enumerate(self.x_levels) if min(x) <= i <= max(x))
        ys = tuple(v for i, v in enumerate(self.y_levels) if min(y) <= i <= max(y))
        return (Filter(self.x, "is", xs), Filter(self.y, "is", ys)) if xs and ys else ()


@dataclass(frozen=True)
class Course(Result):
    """A number over time: the median of each period, and the middle half around it."""

    x: str
    y: str
    by: str | None
    period: str
    rows: pd.DataFrame  # group, start (seconds), n, q1, median, q3
    n: int

    help: ClassVar[Help] = Help(
        "For each period of the calendar, the median and the middle half of the rows.",
        "A rising line is a trend; a wave is a season. A widening band says that rows differ more.",
        "Periods of few rows jump about; the count is in the hover. The last period may be incomplete.",
        "If the level changes with time, test models on what comes after what they learned from.",
    )

    def brushed(self, low: float, high: float) -> tuple[Filter, ...]:
        """The condition that picks a stretch of time."""
        return (Filter(self.x, "between", (min(low, high), max(low, high))),)

    def frame(self) -> pd.DataFrame:
        """A row a period and group."""
        figures = [(name, self.rows[name]) for name in ("n", "q1", "median", "q3")]
        by = [(self.by, self.rows["group"])] if self.by else []
        return table(*by, (self.period, pd.to_datetime(self.rows["start"], unit="s")), *figures)

    def sentence(self) -> str:
        """First and last period."""
        whole = self.rows[self.rows["group"] == self.rows["group"].iloc[0]]
        first, last = whole.iloc[0], whole.iloc[-1]
        of = f" for {self.by} = {first['group']}" if self.by else ""
        return (
            f"{self.y} over {self.x}, {self.n:,} rows: the median goes from {number(first['median'])} in the "
            f"{self.period} of {moment(first['start'])} to {number(last['median'])} in that of "
            f"{moment(last['start'])}{of}."
        )


# making them ----------------------------------------------------------------------------------------------------------


def scatter(view: View, x: Column, y: Column, how: Pairing) -> Scatter:
    """A sample of points, coloured by a third column, and the line over all rows. Raises NotApplicable."""
    colour, known = colour_sql(view, how.by)
    both = f"{real(x)} IS NOT NULL AND {real(y)} IS NOT NULL"
    with asking(view) as ask:
        n, trend, _ = _trend(ask, view, real(x), real(y), both)
    if not n:
        raise NotApplicable(f"No row has both {x.name} and {y.name}.")
    points = drawn(view, f"{real(x)}, {real(y)}, {colour}", both, MOST_POINTS, ["x", "y", "group"])
    groups = groups_in(list(points["group"].unique()), known)
    return Scatter(x.name, y.name, how.by, points, n, trend, (is_date(x), is_date(y)), tuple(groups))


def density(view: View, x: Column, y: Column, how: Pairing) -> Density:
    """All rows counted in a grid. Raises NotApplicable."""
    a, b = real(x), real(y)
    both = f"{a} IS NOT NULL AND {b} IS NOT NULL"
    with asking(view) as ask:
        n, trend, ranges = _trend(ask, view, a, b, both)
        if not n or ranges is None:
            raise NotApplicable(f"No row has both {x.name} and {y.name}.")
        edges = [_grid(low, high, cells) for (low, high), cells in ((ranges[:2], ACROSS), (ranges[2:], UP))]
        places = [
            f"greatest(least(floor(({v} - {float(e[0])!r}) / {float(e[1] - e[0])!r}), {len(e) - 2}), 0)::INT"
            for v, e in zip((a, b), edges, strict=True)
        ]
        found = ask(f"SELECT {places[0]}, {places[1]}, count(*) FROM data WHERE {both} GROUP BY 1, 2")
    counts = np.zeros((UP, ACROSS), int)
    for i, j, rows in found:
        counts[j, i] = rows
    return Density(x.name, y.name, edges[0], edges[1], counts, n, trend, (is_date(x), is_date(y)))


def _grid(low: float, high: float, cells: int) -> Array:
    if low == high:
        low, high = low - 0.5, high + 0.5
    if not np.isfinite(high - low):
        raise NotApplicable(f"The numbers reach from {low:.3g} to {high:.3g}, too far to be drawn.")
    return np.linspace(low, high, cells + 1)


FIVE = (0.05, 0.25, 0.5, 0.75, 0.95)


def boxes(view: View, value: str, split: str | None, *, horizontal: bool = False, violin: bool = False) -> Boxes:
    """Quantiles of a column within each level of another. Raises NoSuchColumn, NotApplicable."""
    (column, *rest) = needed(view, value, *([split] if split else []))
    v, group = real(column), level(rest[0]) if rest else "''"
    where = "true"
    if rest:
        where = f"{group} IN ({', '.join(quoted_text(t) for t in top_levels(view, rest[0]))})"
    source = "data" if view.exact else "picked"
    with asking(view) as ask:
        found = ask(
            f"SELECT {group}, count({v}), quantile_cont({v}, {list(FIVE)}) FROM {source} WHERE {where} "
            "GROUP BY 1 ORDER BY 1"
        )
        counts = (
            dict(ask(f"SELECT {group}, count({v}) FROM data WHERE {where} GROUP BY 1")) if source == "picked" else {}
        )
        outlines, edges = _outlines(ask, source, v, group, where) if violin else (None, None)
    rows = [
        {
            "level": g,
            "n": counts.get(g, n),
            **dict(zip(("low", "q1", "median", "q3", "high"), q or [None] * 5, strict=True)),
        }
        for g, n, q in found
    ]
    if not any(r["median"] is not None for r in rows):
        raise NotApplicable(f"No row has both {value} and {split}." if split else f"{value} holds no finite number.")
    return Boxes(
        value, split, pd.DataFrame(rows), sum(r["n"] for r in rows), horizontal, is_date(column), not view.exact,
        outlines, edges,
    )  # fmt: skip


def _outlines(ask: Any, source: str, value: str, group: str, where: str) -> tuple[Array, Array]:
    """Shares of each level's rows in ranges of equal width, smoothed by their neighbours."""
    levels = [g for (g,) in ask(f"SELECT {group} FROM {source} WHERE {where} GROUP BY 1 ORDER BY 1")]
    low, high = ask(f"SELECT min({value}), max({value}) FROM {source} WHERE {where}")[0]
    edges = _grid(low, high, VIOLIN_BINS)
    place = f"greatest(least(floor(({value} - {low!r}) / {float(edges[1] - edges[0])!r}), {VIOLIN_BINS - 1}), 0)::INT"
    found = ask(f"SELECT {group}, {place}, count(*) FROM {source} WHERE {where} AND {value} IS NOT NULL GROUP BY 1, 2")
    counts = np.zeros((len(levels), VIOLIN_BINS))
    for g, b, rows in found:
        counts[levels.index(g), b] = rows
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    smooth = np.array([np.convolve(np.pad(row, 2, mode="reflect"), kernel, mode="valid") for row in counts])
    return smooth / np.maximum(smooth.sum(axis=1, keepdims=True), 1e-12), edges


def counts(view: View, x: Column, y: Column, how: Pairing) -> Counts:
    """How often levels meet. Raises NotApplicable."""
    xs, ys = top_levels(view, x), top_levels(view, y)
    inside = [f"{level(c)} IN ({', '.join(quoted_text(v) for v in vs)})" for c, vs in ((x, xs), (y, ys)) if vs]
    if len(inside) < 2:
        raise NotApplicable(f"No row has both {x.name} and {y.name}.")
    with asking(view) as ask:
        found = ask(f"SELECT {level(x)}, {level(y)}, count(*) FROM data WHERE {' AND '.join(inside)} GROUP BY 1, 2")
        n = ask(f"SELECT count(*) FROM data WHERE {level(x)} IS NOT NULL AND {level(y)} IS NOT NULL")[0][0]
    if not found:
        raise NotApplicable(f"No row has both {x.name} and {y.name}.")
    table = np.zeros((len(ys), len(xs)), int)
    for a, b, rows in found:
        table[ys.index(b), xs.index(a)] = rows
    return Counts(x.name, y.name, tuple(xs), tuple(ys), table, n, how.shares)


def course(view: View, x: Column, y: Column, how: Pairing) -> Course:
    """Medians and middle halves by period. Raises NotApplicable."""
    a, b = real(x), real(y)
    colour, known = colour_sql(view, how.by)
    both = f"{a} IS NOT NULL AND {b} IS NOT NULL"
    source = "data" if view.exact else "picked"
    with asking(view) as ask:
        n, low, high = ask(f"SELECT count(*), min({a}), max({a}) FROM data WHERE {both}")[0]
        if not n:
            raise NotApplicable(f"No row has both {x.name} and {y.name}.")
        period = period_of(low, high)
        start = f"epoch(date_trunc('{period}', make_timestamp(({a} * 1000000)::BIGINT)))"
        found = ask(
            f"SELECT {colour}, {start}, count(*), quantile_cont({b}, [0.25, 0.5, 0.75]) FROM {source} WHERE {both} "
            "GROUP BY 1, 2 ORDER BY 1, 2"
        )
    order = {g: i for i, g in enumerate(groups_in([g for g, *_ in found], known))}
    rows = [
        dict(zip(("group", "start", "n", "q1", "median", "q3"), (g, s, m, *q), strict=True)) for g, s, m, q in found
    ]
    rows.sort(key=lambda r: (order[r["group"]], r["start"]))
    return Course(x.name, y.name, how.by, period, pd.DataFrame(rows), n)


def _split(view: View, x: Column, y: Column, how: Pairing, violin: bool) -> Boxes:
    horizontal = is_continuous(x) and not (has_levels(x) and is_continuous(y))
    value, split = (x, y) if horizontal else (y, x)
    return boxes(view, value.name, split.name, horizontal=horizontal, violin=violin)


def _both(x: Column, y: Column) -> bool:
    return is_continuous(x) and is_continuous(y)


def _parted(x: Column, y: Column) -> bool:
    """A number, and something that parts the rows into groups."""
    return x.name != y.name and ((has_levels(x) and is_continuous(y)) or (has_levels(y) and is_continuous(x)))


def _levels(x: Column, y: Column) -> bool:
    return has_levels(x) and has_levels(y)


SHAPES: tuple[Shape, ...] = (
    Shape("course", "Course in time", lambda x, y: is_date(x) and is_continuous(y) and not is_date(y), course),
    Shape("counts", "Counts", _levels, counts),
    Shape("box", "Boxes", _parted, lambda v, x, y, how: _split(v, x, y, how, violin=False)),
    Shape("violin", "Violins", _parted, lambda v, x, y, how: _split(v, x, y, how, violin=True)),
    Shape("points", "Points", _both, scatter),
    Shape("density", "Density", _both, density),
)


def shapes(view: View, x: str, y: str) -> list[Shape]:
    """The pictures that two columns can be drawn as, the best first: points while there are few, else density."""
    offered = [s for s in SHAPES if s.fits(view.schema[x], view.schema[y])]
    if view.rows > 2 * MOST_POINTS:
        offered.sort(key=lambda s: (s.name in ("points", "density"), s.name == "points"))
    return offered


def relation(data: Dataset | View, x: str, y: str, by: str | None = None, how: Pairing | None = None) -> Any:
    """Two columns as the picture that is asked for, or the best. Raises NoSuchColumn, NotApplicable, BadChoice."""
    view, how = View.of(data), how or Pairing(by)
    first, second = needed(view, x, y)
    return asked_for(shapes(view, x, y), how.shape, f"{x} and {y}").make(view, first, second, how)
