"""Two columns against each other: points or density, boxes or violins, a crosstab, a trend over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.cast import as_moments
from mlcore.data.dataset import Column, Dataset
from mlcore.data.filters import Filter
from mlcore.data.sql import is_date, level, quoted_text, real
from mlcore.errors import NotApplicable
from mlcore.explore.association import cramers_v
from mlcore.explore.shapes import Shape, asked_for, period_of, period_sql
from mlcore.explore.view import (
    View,
    asking,
    colour_sql,
    drawn,
    groups_in,
    has_categories,
    is_continuous,
    needed,
    table,
    top_categories,
)
from mlcore.result import Array, Help, Result
from mlcore.wording import day, number, period_words, share

MOST_POINTS = 4000
ACROSS, UP = 60, 40  # bins of a density plot
VIOLIN_BINS = 60


@dataclass(frozen=True)
class PairPlotOptions:
    """The options of a plot of two columns."""

    by: str | None = None
    shape: str = "auto"
    shares: bool = False  # of a crosstab: proportions within each of its columns


@dataclass(frozen=True)
class Trend:
    """The least-squares line."""

    slope: float
    intercept: float
    r: float
    about: bool = False  # whether it comes from a sample

    def words(self, x: str, y: str, dates: bool) -> str:
        """Pearson's r, and the slope or formula of the line."""
        r = f"r {'≈' if self.about else '='} {self.r:.2f}".replace("-", "−")
        if dates:
            return f"{r}; {y} changes by {number(self.slope * 86_400 * 365.25)} per year."
        sign = "−" if self.intercept < 0 else "+"
        return f"{r}; {y} ≈ {number(self.slope)} × {x} {sign} {number(abs(self.intercept))}."


def _trend(
    ask: Any, view: View, x: str, y: str, where: str
) -> tuple[int, Trend | None, tuple[float, float, float, float] | None]:
    """Count, line (from the sample if rows are many, None if a column is constant) and ranges of rows with both."""
    n, *ranges = ask(f"SELECT count(*), min({x}), max({x}), min({y}), max({y}) FROM data WHERE {where}")[0]
    if not n:
        return 0, None, None
    slope, intercept, r = ask(
        f"SELECT regr_slope({y}, {x}), regr_intercept({y}, {x}), corr({x}, {y}) "
        f"FROM {'data' if view.exact else 'picked'} WHERE {where}"
    )[0]
    real_line = all(v is not None and np.isfinite(v) for v in (slope, intercept, r))
    return n, Trend(slope, intercept, r, not view.exact) if real_line else None, tuple(ranges)


@dataclass(frozen=True, kw_only=True)
class Scatter(Result):
    """Points of two columns: all rows, or a sample of many."""

    x: str
    y: str
    by: str | None
    points: pd.DataFrame  # x, y, group
    n: int  # rows with both values
    trend: Trend | None
    dates: tuple[bool, bool]
    groups: tuple[str, ...] = ("",)

    help: ClassVar[Help] = Help(
        "Each point is a row, placed by two of its columns. The line is the least-squares line over all rows.",
        "A slope is a relation; r measures how close to a straight line the points are, from −1 to 1.",
        "r captures straight lines only, and one outlier can create it. Colour may show that groups, not rows, differ.",
        "Look at each column alone first, and at the points far from the rest.",
    )

    @property
    def r(self) -> float | None:
        """Pearson's correlation over all rows with both values."""
        return self.trend.r if self.trend else None

    def frame(self) -> pd.DataFrame:
        """The points."""
        by = [(self.by, self.points["group"])] if self.by else []
        return table((self.x, self.points["x"]), (self.y, self.points["y"]), *by)

    def sentence(self) -> str:
        """The number of rows and of points drawn, and the line."""
        shown = f", {len(self.points):,} of them drawn" if len(self.points) < self.n else ""
        line = f" {self.trend.words(self.x, self.y, self.dates[0])}" if self.trend and not self.dates[1] else ""
        return f"{self.y} against {self.x}: {self.n:,} rows have both{shown}.{line}"

    def selected_box(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[Filter, ...]:
        """The conditions that select a rectangle."""
        return _rectangle(self.x, x, self.y, y)


def _rectangle(x: str, x_range: tuple[float, float], y: str, y_range: tuple[float, float]) -> tuple[Filter, ...]:
    return (
        Filter(x, "between", (min(x_range), max(x_range))),
        Filter(y, "between", (min(y_range), max(y_range))),
    )


@dataclass(frozen=True, kw_only=True)
class Density(Result):
    """The number of rows in each bin of a grid over two columns."""

    x: str
    y: str
    x_edges: Array  # (across + 1,)
    y_edges: Array  # (up + 1,)
    counts: Array  # (up, across)
    n: int
    trend: Trend | None
    dates: tuple[bool, bool]

    help: ClassVar[Help] = Help(
        "The plane is divided into bins; the more rows in a bin, the darker it is. All rows are counted, not drawn.",
        "Most rows are in the dark ridges; a sloping ridge is a relation.",
        "Single outliers are barely visible, though they stretch the axes. The colour scale is logarithmic.",
        "Choose points to see a sample of rows, coloured by a third column.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per bin that is not empty."""
        y_index, x_index = np.nonzero(self.counts)
        return table(
            (f"{self.x} from", self.x_edges[x_index]),
            (f"{self.x} to", self.x_edges[x_index + 1]),
            (f"{self.y} from", self.y_edges[y_index]),
            (f"{self.y} to", self.y_edges[y_index + 1]),
            ("rows", self.counts[y_index, x_index]),
        )

    def sentence(self) -> str:
        """The number of rows, and the line."""
        line = f" {self.trend.words(self.x, self.y, self.dates[0])}" if self.trend and not self.dates[1] else ""
        return f"{self.y} against {self.x}: {self.n:,} rows have both, all counted.{line}"

    def selected_box(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[Filter, ...]:
        """The conditions that select a rectangle."""
        return _rectangle(self.x, x, self.y, y)


@dataclass(frozen=True, kw_only=True)
class Boxes(Result):
    """A numeric column within each category of another, or over all rows."""

    value: str
    level: str | None
    rows: pd.DataFrame  # level, n, low, q1, median, q3, high
    n: int
    horizontal: bool
    dates: bool = False
    about: bool = False  # whether the quantiles come from a sample
    outlines: Array | None = None  # (categories, bins): proportions of each category's rows, for violins
    edges: Array | None = None  # (bins + 1,)

    help: ClassVar[Help] = Help(
        "For each category: the box is the interquartile range, the line in it the median; the whiskers reach from the "
        "5 % to the 95 % quantile. A violin is wider at values that more rows have.",
        "Compare medians first, then whether boxes overlap.",
        "A box of five rows looks as certain as one of five thousand; hover to see the count.",
        "If the boxes barely overlap, the value is strongly related to the category.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per category."""
        return self.rows

    def sentence(self) -> str:
        """The highest and the lowest median."""
        say, about = (day if self.dates else number), "≈ " if self.about else ""
        known = self.rows.dropna(subset=["median"])
        if self.level is None and len(known):
            only = known.iloc[0]
            return (
                f"{self.value}, {self.n:,} rows: median {about}{say(only['median'])}, interquartile range "
                f"{say(only['q1'])} to {say(only['q3'])}, 90 % between {say(only['low'])} and {say(only['high'])}."
            )
        if len(known) < 2:
            return f"{self.value} by {self.level}: {self.n:,} rows."
        ordered = known.sort_values("median", kind="stable")
        top, bottom = ordered.iloc[-1], ordered.iloc[0]
        return (
            f"{self.value} by {self.level}, {self.n:,} rows: the median is highest for {top['level']} "
            f"({about}{say(top['median'])}) and lowest for {bottom['level']} ({about}{say(bottom['median'])})."
        )


@dataclass(frozen=True, kw_only=True)
class Crosstab(Result):
    """How often two categories occur together."""

    x: str
    y: str
    x_levels: tuple[str, ...]
    y_levels: tuple[str, ...]
    counts: Array  # (y, x)
    n: int
    shares: bool = False  # whether cells show proportions of their column rather than counts

    help: ClassVar[Help] = Help(
        "Each cell counts the rows with both categories; the colour is the proportion within the column.",
        "Columns with the same pattern: no relation. A column that differs: its category is special.",
        "Percentages of few rows are noisy; the counts are in the cells or in the hover.",
        "Look at categories with enough rows first.",
    )

    def within(self) -> Array:
        """(y, x): the proportion of each cell within its column."""
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
        """The most common pair, and the strength of the relation."""
        i, j = np.unravel_index(int(self.counts.argmax()), self.counts.shape)
        v = cramers_v(self.counts)
        strength = "" if v is None else f" Cramér's V is {number(v)} (0: no relation, 1: one determines the other)."
        return (
            f"{self.y} and {self.x}, {self.n:,} rows: the most common pair is {self.y_levels[i]} with "
            f"{self.x_levels[j]}, {share(int(self.counts[i, j]), self.n)}.{strength}"
        )

    def selected_box(self, x: tuple[float, float], y: tuple[float, float]) -> tuple[Filter, ...]:
        """The conditions that select the cells whose centres are in a rectangle; the centres are at 0, 1, 2 …"""
        xs = tuple(v for i, v in enumerate(self.x_levels) if min(x) <= i <= max(x))
        ys = tuple(v for i, v in enumerate(self.y_levels) if min(y) <= i <= max(y))
        return (Filter(self.x, "is", xs), Filter(self.y, "is", ys)) if xs and ys else ()


@dataclass(frozen=True, kw_only=True)
class TrendOverTime(Result):
    """A number over time: the median and the interquartile range of each period."""

    x: str
    y: str
    by: str | None
    period: str
    rows: pd.DataFrame  # group, start (seconds), n, q1, median, q3
    n: int

    help: ClassVar[Help] = Help(
        "For each calendar period, the median and the interquartile range.",
        "A rising line is a trend; a wave is a season. A widening band means that rows differ more.",
        "Periods with few rows are noisy; hover to see the count. The last period may be incomplete.",
        "If the median changes with time, test models on rows later than the training rows.",
    )

    def selected_range(self, low: float, high: float) -> tuple[Filter, ...]:
        """The condition that selects a time range."""
        return (Filter(self.x, "between", (min(low, high), max(low, high))),)

    def frame(self) -> pd.DataFrame:
        """One row per period and group."""
        figures = [(name, self.rows[name]) for name in ("n", "q1", "median", "q3")]
        by = [(self.by, self.rows["group"])] if self.by else []
        return table(*by, (self.period, as_moments(self.rows["start"].to_numpy())), *figures)

    def sentence(self) -> str:
        """The medians of the first and the last period."""
        group_rows = self.rows[self.rows["group"] == self.rows["group"].iloc[0]]
        first, last = group_rows.iloc[0], group_rows.iloc[-1]
        group = f" for {self.by} = {first['group']}" if self.by else ""
        return (
            f"{self.y} over {self.x}, {self.n:,} rows: the median goes from {number(first['median'])} in "
            f"{period_words(self.period, first['start'])} to {number(last['median'])} in "
            f"{period_words(self.period, last['start'])}{group}."
        )


# building them --------------------------------------------------------------------------------------------------------


def scatter(view: View, x: Column, y: Column, how: PairPlotOptions) -> Scatter:
    """A sample of points, coloured by a third column, and the line over all rows. Raises NotApplicable."""
    colour, order = colour_sql(view, how.by)
    both = f"{real(x)} IS NOT NULL AND {real(y)} IS NOT NULL"
    with asking(view) as ask:
        n, trend, _ = _trend(ask, view, real(x), real(y), both)
    if not n:
        raise NotApplicable(f"No row has both {x.name} and {y.name}.")
    points = drawn(view, f"{real(x)}, {real(y)}, {colour}", both, MOST_POINTS, ["x", "y", "group"])
    groups = groups_in(list(points["group"].unique()), order)
    return Scatter(
        x=x.name,
        y=y.name,
        by=how.by,
        points=points,
        n=n,
        trend=trend,
        dates=(is_date(x), is_date(y)),
        groups=tuple(groups),
    )


def density(view: View, x: Column, y: Column, how: PairPlotOptions) -> Density:
    """All rows counted in a grid. Raises NotApplicable."""
    a, b = real(x), real(y)
    both = f"{a} IS NOT NULL AND {b} IS NOT NULL"
    with asking(view) as ask:
        n, trend, ranges = _trend(ask, view, a, b, both)
        if not n or ranges is None:
            raise NotApplicable(f"No row has both {x.name} and {y.name}.")
        edges = [_grid(low, high, bins) for (low, high), bins in ((ranges[:2], ACROSS), (ranges[2:], UP))]
        positions = [
            f"greatest(least(floor(({v} - {float(e[0])!r}) / {float(e[1] - e[0])!r}), {len(e) - 2}), 0)::INT"
            for v, e in zip((a, b), edges, strict=True)
        ]
        records = ask(f"SELECT {positions[0]}, {positions[1]}, count(*) FROM data WHERE {both} GROUP BY 1, 2")
    counts = np.zeros((UP, ACROSS), int)
    for i, j, rows in records:
        counts[j, i] = rows
    return Density(
        x=x.name,
        y=y.name,
        x_edges=edges[0],
        y_edges=edges[1],
        counts=counts,
        n=n,
        trend=trend,
        dates=(is_date(x), is_date(y)),
    )


def _grid(low: float, high: float, bins: int) -> Array:
    if low == high:
        low, high = low - 0.5, high + 0.5
    if not np.isfinite(high - low):
        raise NotApplicable(f"The numbers range from {low:.3g} to {high:.3g}, too far to draw.")
    return np.linspace(low, high, bins + 1)


FIVE = (0.05, 0.25, 0.5, 0.75, 0.95)


def boxes(view: View, value: str, split: str | None, *, horizontal: bool = False, violin: bool = False) -> Boxes:
    """Quantiles of a column within each category of another. Raises NoSuchColumn, NotApplicable."""
    (column, *rest) = needed(view, value, *([split] if split else []))
    v, group = real(column), level(rest[0]) if rest else "''"
    where = "true"
    if rest:
        where = f"{group} IN ({', '.join(quoted_text(t) for t in top_categories(view, rest[0]))})"
    source = "data" if view.exact else "picked"
    with asking(view) as ask:
        records = ask(
            f"SELECT {group}, count({v}), quantile_cont({v}, {list(FIVE)}) FROM {source} WHERE {where} "
            "GROUP BY 1 ORDER BY 1"
        )
        known_counts = (
            dict(ask(f"SELECT {group}, count({v}) FROM data WHERE {where} GROUP BY 1")) if source == "picked" else {}
        )
        outlines, edges = _outlines(ask, source, v, group, where) if violin else (None, None)
    rows = [
        {
            "level": g,
            "n": known_counts.get(g, n),
            **dict(zip(("low", "q1", "median", "q3", "high"), q or [None] * 5, strict=True)),
        }
        for g, n, q in records
    ]
    if not any(r["median"] is not None for r in rows):
        raise NotApplicable(f"No row has both {value} and {split}." if split else f"{value} has no finite number.")
    return Boxes(
        value=value,
        level=split,
        rows=pd.DataFrame(rows),
        n=sum(r["n"] for r in rows),
        horizontal=horizontal,
        dates=is_date(column),
        about=not view.exact,
        outlines=outlines,
        edges=edges,
    )


def _outlines(ask: Any, source: str, value: str, group: str, where: str) -> tuple[Array, Array]:
    """Proportions of each category's rows in ranges of equal width, smoothed over neighbouring ranges."""
    categories = [g for (g,) in ask(f"SELECT {group} FROM {source} WHERE {where} GROUP BY 1 ORDER BY 1")]
    low, high = ask(f"SELECT min({value}), max({value}) FROM {source} WHERE {where}")[0]
    edges = _grid(low, high, VIOLIN_BINS)
    index = f"greatest(least(floor(({value} - {low!r}) / {float(edges[1] - edges[0])!r}), {VIOLIN_BINS - 1}), 0)::INT"
    result = ask(f"SELECT {group}, {index}, count(*) FROM {source} WHERE {where} AND {value} IS NOT NULL GROUP BY 1, 2")
    counts = np.zeros((len(categories), VIOLIN_BINS))
    for g, b, rows in result:
        counts[categories.index(g), b] = rows
    kernel = np.array([1, 4, 6, 4, 1]) / 16
    smooth = np.array([np.convolve(np.pad(row, 2, mode="reflect"), kernel, mode="valid") for row in counts])
    return smooth / np.maximum(smooth.sum(axis=1, keepdims=True), 1e-12), edges


def counts(view: View, x: Column, y: Column, how: PairPlotOptions) -> Crosstab:
    """How often categories occur together. Raises NotApplicable."""
    xs, ys = top_categories(view, x), top_categories(view, y)
    clauses = [f"{level(c)} IN ({', '.join(quoted_text(v) for v in vs)})" for c, vs in ((x, xs), (y, ys)) if vs]
    if len(clauses) < 2:
        raise NotApplicable(f"No row has both {x.name} and {y.name}.")
    with asking(view) as ask:
        records = ask(f"SELECT {level(x)}, {level(y)}, count(*) FROM data WHERE {' AND '.join(clauses)} GROUP BY 1, 2")
        n = ask(f"SELECT count(*) FROM data WHERE {level(x)} IS NOT NULL AND {level(y)} IS NOT NULL")[0][0]
    if not records:
        raise NotApplicable(f"No row has both {x.name} and {y.name}.")
    matrix = np.zeros((len(ys), len(xs)), int)
    for a, b, rows in records:
        matrix[ys.index(b), xs.index(a)] = rows
    return Crosstab(x=x.name, y=y.name, x_levels=tuple(xs), y_levels=tuple(ys), counts=matrix, n=n, shares=how.shares)


def trend_over_time(view: View, x: Column, y: Column, how: PairPlotOptions) -> TrendOverTime:
    """Medians and interquartile ranges by period. Raises NotApplicable."""
    a, b = real(x), real(y)
    colour, order = colour_sql(view, how.by)
    both = f"{a} IS NOT NULL AND {b} IS NOT NULL"
    source = "data" if view.exact else "picked"
    with asking(view) as ask:
        n, low, high = ask(f"SELECT count(*), min({a}), max({a}) FROM data WHERE {both}")[0]
        if not n:
            raise NotApplicable(f"No row has both {x.name} and {y.name}.")
        period = period_of(low, high)
        start = f"epoch({period_sql(period, a)})"
        records = ask(
            f"SELECT {colour}, {start}, count(*), quantile_cont({b}, [0.25, 0.5, 0.75]) FROM {source} WHERE {both} "
            "GROUP BY 1, 2 ORDER BY 1, 2"
        )
    position = {g: i for i, g in enumerate(groups_in([g for g, *_ in records], order))}
    rows = [
        dict(zip(("group", "start", "n", "q1", "median", "q3"), (g, s, m, *q), strict=True)) for g, s, m, q in records
    ]
    rows.sort(key=lambda r: (position[r["group"]], r["start"]))
    return TrendOverTime(x=x.name, y=y.name, by=how.by, period=period, rows=pd.DataFrame(rows), n=n)


def _boxes_by_category(view: View, x: Column, y: Column, how: PairPlotOptions, violin: bool) -> Boxes:
    horizontal = is_continuous(x) and not (has_categories(x) and is_continuous(y))
    value, split = (x, y) if horizontal else (y, x)
    return boxes(view, value.name, split.name, horizontal=horizontal, violin=violin)


def _both_continuous(x: Column, y: Column) -> bool:
    return is_continuous(x) and is_continuous(y)


def _number_by_category(x: Column, y: Column) -> bool:
    """A number, and a column that divides the rows into groups."""
    return x.name != y.name and ((has_categories(x) and is_continuous(y)) or (has_categories(y) and is_continuous(x)))


def _both_categorical(x: Column, y: Column) -> bool:
    return has_categories(x) and has_categories(y)


SHAPES: tuple[Shape, ...] = (
    Shape(
        "course", "Trend over time", lambda x, y: is_date(x) and is_continuous(y) and not is_date(y), trend_over_time
    ),
    Shape("counts", "Crosstab", _both_categorical, counts),
    Shape("box", "Boxes", _number_by_category, lambda v, x, y, how: _boxes_by_category(v, x, y, how, violin=False)),
    Shape("violin", "Violins", _number_by_category, lambda v, x, y, how: _boxes_by_category(v, x, y, how, violin=True)),
    Shape("points", "Points", _both_continuous, scatter),
    Shape("density", "Density", _both_continuous, density),
)


def shapes(view: View, x: str, y: str) -> list[Shape]:
    """The plots that suit two columns, the best first: points for few rows, density for many."""
    available = [s for s in SHAPES if s.fits(view.schema[x], view.schema[y])]
    if view.rows > 2 * MOST_POINTS:
        available.sort(key=lambda s: (s.name in ("points", "density"), s.name == "points"))
    return available


def relation(data: Dataset | View, x: str, y: str, by: str | None = None, how: PairPlotOptions | None = None) -> Any:
    """Two columns as the plot that `how` names, or the best. Raises NoSuchColumn, NotApplicable, BadChoice."""
    view, how = View.of(data), how or PairPlotOptions(by)
    first, second = needed(view, x, y)
    return asked_for(shapes(view, x, y), how.shape, f"{x} and {y}").make(view, first, second, how)
