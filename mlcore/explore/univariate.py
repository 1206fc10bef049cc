"""One column: a histogram, boxes, a cumulative curve, words or a timeline, optionally split by another column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.cast import as_moments
from mlcore.data.dataset import Column, Dataset
from mlcore.data.filters import Filter
from mlcore.data.sql import is_date, level, quoted, quoted_text, real
from mlcore.errors import NotApplicable
from mlcore.explore.bivariate import boxes
from mlcore.explore.shapes import BINS, PlotOptions, Shape, asked_for, period_of, period_sql
from mlcore.explore.view import (
    EXACT_ROWS,
    MOST_LEVELS,
    OTHER,
    View,
    asking,
    colour_sql,
    groups_in,
    is_continuous,
    needed,
    table,
)
from mlcore.result import Array, Help, Result
from mlcore.wording import day, number, percent, period_words, several

STEPS = 200  # points of a cumulative curve
FEW_LEVELS = 1000  # of a column that is counted in one query
FEWEST_IN_GROUP = 5  # rows of a group whose median is reported


@dataclass(frozen=True, kw_only=True)
class Histogram(Result):
    """The number of rows in each range or category, optionally split by a second column."""

    column: str
    by: str | None
    groups: tuple[str, ...]
    edges: Array  # (bins + 1,) for numbers and dates; empty for categories
    levels: tuple[str, ...]  # for categories
    counts: Array  # (groups, bins or categories)
    dates: bool
    n: int  # rows, with and without a value
    missing: int
    middle: tuple[float, float, float] | None  # quartiles
    medians: tuple[float | None, ...] = ()  # of each group
    log: bool = False
    density: bool = False
    about: bool = False  # whether the quartiles come from a sample
    left_out: int = 0  # known values that a logarithmic scale cannot show
    derived: bool = False  # whether the column is computed from another, such as the length of a text

    help: ClassVar[Help] = Help(
        "The rows are sorted into ranges (or categories) and counted.",
        "Look for the centre, the width, a second peak, and bars far from the rest. As proportions, the bars of each "
        "group add up to 1, so shapes can be compared.",
        "The number of bins shapes the plot; a peak may come and go with it. Categories beyond the most common "
        f"{MOST_LEVELS} are combined under other.",
        "Change the bins before you believe a shape. Split by the target to see what separates the classes.",
    )

    def heights(self) -> Array:
        """(groups, bins): counts, or proportions within each group."""
        if not self.density:
            return self.counts
        totals = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(self.counts, totals, out=np.zeros(self.counts.shape), where=totals > 0))

    def frame(self) -> pd.DataFrame:
        """One row per bar and group."""
        bars = self.counts.shape[1]
        ranges = [("from", self.edges[:-1]), ("to", self.edges[1:])]
        where = [("level", np.array(self.levels, object))] if self.levels else ranges
        return table(
            *([(self.by, np.repeat(self.groups, bars))] if self.by else []),
            *((name, np.tile(values, len(self.groups))) for name, values in where),
            ("rows", self.counts.ravel()),
        )

    def sentence(self) -> str:
        """The known values, their median and quartiles, and how the groups differ."""
        known = f"{self.column}: {self.n - self.missing:,} of {self.n:,} known"
        if self.levels:
            totals = self.counts.sum(axis=0)
            first = [
                f"{self.levels[i]} ({percent(totals[i], self.n)})"
                for i in np.argsort(-totals, kind="stable")
                if self.levels[i] != OTHER
            ][:3]
            return f"{known}; most common {several(first)}.{self._rates()}"
        if self.middle is None:
            return f"{known}."
        say = day if self.dates else number
        lower, median, upper = (say(v) for v in self.middle)
        about = "≈ " if self.about else ""
        note = f" {self.left_out:,} values are not above 0 and are not shown." if self.left_out else ""
        return f"{known}; median {about}{median}, interquartile range {lower} to {upper}.{self._difference()}{note}"

    def _difference(self) -> str:
        """The groups with the highest and the lowest median."""
        sizes = self.counts.sum(axis=1)
        medians = [
            (m, g)
            for m, g, n in zip(self.medians, self.groups, sizes, strict=False)
            if m is not None and n >= FEWEST_IN_GROUP and g not in ("missing", "")
        ]
        if self.by is None or len(medians) < 2:
            return ""
        (low, lowest), (high, highest) = min(medians), max(medians)
        if low == high:
            return f" The median is the same for every {self.by}."
        difference = f"{(high - low) / 86_400:,.0f} days" if self.dates else number(high - low)
        return f" The median is {difference} higher for {self.by} = {highest} than for {lowest}."

    def _rates(self) -> str:
        """The category in which a group is most over-represented."""
        named = [g for g in self.groups if g not in ("missing", OTHER, "")]
        if self.by is None or len(named) < 2:
            return ""
        totals = self.counts.sum(axis=0)
        last = named[-1]
        row = self.counts[self.groups.index(last)]
        shown = [i for i, n in enumerate(totals) if n >= 10 * FEWEST_IN_GROUP and self.levels[i] != OTHER]
        if len(shown) < 2:
            return ""
        rates = [(row[i] / totals[i], self.levels[i]) for i in shown]
        (low, lowest), (high, highest) = min(rates), max(rates)
        return (
            f" {self.by} = {last} is most frequent for {highest} ({percent(high)}) and least frequent for "
            f"{lowest} ({percent(low)})."
        )

    def selected_range(self, low: float, high: float) -> tuple[Filter, ...]:
        """The condition that selects the values between two positions on the x axis."""
        if not self.levels:
            low, high = (10**low, 10**high) if self.log else (low, high)
            return (Filter(self.column, "between", (min(low, high), max(low, high))),)
        first, last = sorted((low, high))
        return self.picked([i for i in range(len(self.levels)) if first - 0.5 <= i <= last + 0.5])

    def picked(self, bars: list[int]) -> tuple[Filter, ...]:
        """The condition that selects some bars."""
        if self.levels:
            names = tuple(self.levels[i] for i in bars if 0 <= i < len(self.levels) and self.levels[i] != OTHER)
            return (Filter(self.column, "is", names),) if names else ()
        inside = [i for i in bars if 0 <= i < len(self.edges) - 1]
        if not inside:
            return ()
        return (Filter(self.column, "between", (float(self.edges[min(inside)]), float(self.edges[max(inside) + 1]))),)


@dataclass(frozen=True, kw_only=True)
class Ecdf(Result):
    """For each value, the fraction of rows that do not exceed it."""

    column: str
    by: str | None
    groups: tuple[str, ...]
    at: Array  # (steps,)
    shares: Array  # (groups, steps)
    sizes: tuple[int, ...]
    dates: bool
    n: int
    whole: int  # rows that these are a sample of, if there are very many

    help: ClassVar[Help] = Help(
        "The fraction of rows whose value is at most the one on the x axis.",
        "Where the curve is steep, there are many rows. The median is at half height. A curve further right has larger "
        "values.",
        "It hides small peaks; the histogram shows them.",
        "Compare groups by the vertical distance between their curves: it does not depend on bins.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per value and group."""
        return table(
            *([(self.by, np.repeat(self.groups, len(self.at)))] if self.by else []),
            (self.column, np.tile(self.at, len(self.groups))),
            ("share", self.shares.ravel()),
        )

    def sentence(self) -> str:
        """The outer tenths, and the largest distance between two groups (the Kolmogorov–Smirnov statistic)."""
        say = day if self.dates else number
        overall = np.average(self.shares, axis=0, weights=np.maximum(self.sizes, 1e-9))
        indices = [min(int(np.searchsorted(overall, q)), len(self.at) - 1) for q in (0.1, 0.9)]
        tenth, ninth = (say(float(self.at[i])) for i in indices)
        sample = f" (a sample of {self.whole:,})" if self.n < 0.5 * self.whole and self.whole > EXACT_ROWS else ""
        text = f"{self.column}, {self.n:,} rows{sample}: 10 % of the values are at most {tenth}, 10 % at least {ninth}."
        named = [i for i, g in enumerate(self.groups) if g not in ("missing", OTHER) and self.sizes[i] >= 20]
        if self.by is None or len(named) < 2:
            return text
        distances = [
            (float(np.abs(self.shares[i] - self.shares[j]).max()), self.groups[i], self.groups[j])
            for k, i in enumerate(named)
            for j in named[k + 1 :]
        ]
        distance, a, b = max(distances)
        return f"{text} {self.by} = {a} and {b} are furthest apart: {100 * distance:.0f} percentage points."


@dataclass(frozen=True, kw_only=True)
class Words(Result):
    """The most common words of a text column."""

    column: str
    words: tuple[str, ...]
    rows: tuple[int, ...]  # rows that hold the word
    n: int  # rows with a value, of the sample if there is one
    whole: int  # rows of the view

    help: ClassVar[Help] = Help(
        "The words that occur in the most rows, however often in each. Case is ignored, one-letter words are left out.",
        "The longest bars are often filler words, which are nearly everywhere; look below them.",
        "Words are split at spaces and punctuation; languages without spaces give nonsense.",
        "If a word matters, add a column that is 1 where it occurs.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per word."""
        return pd.DataFrame({"word": self.words, "rows": self.rows, "share": [r / self.n for r in self.rows]})

    def sentence(self) -> str:
        """The three most common words."""
        sampled = f" A sample of {self.n:,} of {self.whole:,} rows." if self.n < self.whole else ""
        first = [f"{w} ({percent(r, self.n)} of the rows)" for w, r in zip(self.words[:3], self.rows[:3], strict=True)]
        return f"{self.column}: the most common words are {several(first)}.{sampled}"


@dataclass(frozen=True, kw_only=True)
class Timeline(Result):
    """The number of rows in each calendar period."""

    column: str
    by: str | None
    period: str
    groups: tuple[str, ...]
    starts: Array  # (periods,) seconds since 1970
    counts: Array  # (groups, periods)
    n: int
    ends: tuple[float, float]  # the earliest and the latest date, in seconds since 1970

    help: ClassVar[Help] = Help(
        "The number of rows in each calendar period.",
        "Look for growth, seasons, empty periods, and a first or last period that is cut short.",
        "The first and the last period are often incomplete, which looks like a drop.",
        "If the number of rows changes with time, test models on rows later than the training rows.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per period and group."""
        return table(
            *([(self.by, np.repeat(self.groups, len(self.starts)))] if self.by else []),
            (self.period, np.tile(as_moments(self.starts), len(self.groups))),
            ("rows", self.counts.ravel()),
        )

    def sentence(self) -> str:
        """The first and the last period, and the one with the most rows."""
        totals = self.counts.sum(axis=0)
        top = period_words(self.period, float(self.starts[int(totals.argmax())]))
        empty = int((totals == 0).sum())
        note = f" {empty} {self.period}s are empty." if empty else ""
        return (
            f"{self.column}: {self.n:,} rows from {day(self.ends[0])} to {day(self.ends[1])}; most in {top} "
            f"({int(totals.max()):,}).{note}"
        )

    def selected_range(self, low: float, high: float) -> tuple[Filter, ...]:
        """The condition that selects a time range."""
        return (Filter(self.column, "between", (min(low, high), max(low, high))),)


# building them --------------------------------------------------------------------------------------------------------


def histogram(data: Dataset | View, column: str, by: str | None = None, bins: int = BINS) -> Histogram:
    """Count a column in `bins` ranges or by category, split by column `by`. Raises NoSuchColumn, NotApplicable."""
    return counted(View.of(data), column, PlotOptions(by, bins))


def counted(view: View, name: str, look: PlotOptions) -> Histogram:
    """A histogram for numbers and dates, bars for categories."""
    (column,) = needed(view, name)
    return _ranges(view, column, look) if is_continuous(column) else _bars(view, column, look)


def _bars(view: View, column: Column, options: PlotOptions) -> Histogram:
    text = level(column)
    colour, order = colour_sql(view, options.by)
    with asking(view) as ask:
        n = ask("SELECT count(*) FROM data")[0][0]
        if column.distinct <= FEW_LEVELS:
            records = ask(f"SELECT {text}, {colour}, count(*) FROM data WHERE {text} IS NOT NULL GROUP BY 1, 2")
        else:  # only the most common categories are returned, however many there are
            first = ask(
                f"SELECT {text}, count(*) FROM data WHERE {text} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 "
                f"LIMIT {MOST_LEVELS}"
            )
            inside = ", ".join(quoted_text(str(v)) for v, _ in first) or "''"
            records = ask(
                f"SELECT CASE WHEN {text} IN ({inside}) THEN {text} END, {colour}, count(*) FROM data "
                f"WHERE {text} IS NOT NULL GROUP BY 1, 2"
            )
    if not records:
        raise NotApplicable(f"Every value of {column.name} is missing in these rows.")
    totals: dict[str | None, int] = {}
    for v, _, rows in records:
        totals[v] = totals.get(v, 0) + rows
    rest = totals.pop(None, 0)
    shown = sorted((str(v) for v in totals), key=lambda v: (-totals[v], v))
    categories = shown[:MOST_LEVELS] + ([OTHER] if rest or len(shown) > MOST_LEVELS else [])
    index = {v: i for i, v in enumerate(shown[:MOST_LEVELS])}
    groups = groups_in([g for _, g, _ in records], order)
    counts = np.zeros((len(groups), len(categories)), int)
    for v, g, rows in records:
        counts[groups.index(g), index.get(v, len(categories) - 1)] += rows
    return Histogram(
        column=column.name,
        by=options.by,
        groups=tuple(groups),
        edges=np.array([]),
        levels=tuple(categories),
        counts=counts,
        dates=False,
        n=n,
        missing=n - int(counts.sum()),
        middle=None,
        density=options.density,
    )


def _ranges(view: View, column: Column, options: PlotOptions) -> Histogram:
    value, dates = real(column), is_date(column)
    colour, order = colour_sql(view, options.by)
    source = "data" if view.exact else "picked"
    with asking(view) as ask:
        n, known, lowest, high, positive = ask(
            f"SELECT count(*), count({value}), min({value}), max({value}), min({value}) FILTER (WHERE {value} > 0) "
            "FROM data"
        )[0]
        if not known:
            raise NotApplicable(f"{column.name} has no finite number in these rows, so there is nothing to draw.")
        quartiles = ask(f"SELECT quantile_cont({value}, [0.25, 0.5, 0.75]) FROM {source}")[0][0]
        log = options.log and not dates and positive is not None and high > positive
        edges = _edges(column, positive if log else lowest, high, options.bins, log)
        bins = len(edges) - 1
        x = f"log10({value})" if log else value
        low, width = (np.log10(edges[0]), np.log10(edges[-1] / edges[0])) if log else (edges[0], edges[-1] - edges[0])
        records = ask(
            f"SELECT greatest(least(floor(({x} - {float(low)!r}) / {float(width / bins)!r}), {bins - 1}), 0)::INT, "
            f"{colour}, count(*) FROM data WHERE {value} {'> 0' if log else 'IS NOT NULL'} GROUP BY 1, 2"
        )
        medians = ask(f"SELECT {colour}, median({value}) FROM {source} GROUP BY 1") if options.by else []
    groups = groups_in([g for _, g, _ in records], order)
    counts = np.zeros((len(groups), bins), int)
    for b, g, rows in records:
        counts[groups.index(g), b] = rows
    median_of = dict(medians)
    return Histogram(
        column=column.name,
        by=options.by,
        groups=tuple(groups),
        edges=edges,
        levels=(),
        counts=counts,
        dates=dates,
        n=n,
        missing=n - known,
        middle=tuple(quartiles) if quartiles else None,
        medians=tuple(median_of.get(g) for g in groups),
        log=bool(log),
        density=options.density,
        about=not view.exact,
        left_out=known - int(counts.sum()),
    )


def _edges(column: Column, low: float, high: float, bins: int, log: bool) -> Array:
    """The boundaries of the ranges. Raises NotApplicable if the values are too far apart to draw."""
    if log:
        return np.asarray(np.geomspace(low, high, bins + 1))
    if column.dtype == "integer" and high - low < bins:  # one bar per integer, to avoid aliasing
        return np.arange(low - 0.5, high + 1)
    if high == low:
        low, high = low - 0.5, high + 0.5
    if not np.isfinite(high - low):
        raise NotApplicable(f"{column.name} ranges from {low:.3g} to {high:.3g}, too far to draw.")
    return np.asarray(np.linspace(low, high, bins + 1))


def ecdf(view: View, name: str, look: PlotOptions) -> Ecdf:
    """A cumulative curve. Raises NoSuchColumn, NotApplicable."""
    (column,) = needed(view, name)
    value = real(column)
    colour, order = colour_sql(view, look.by)
    steps = [i / (STEPS - 1) for i in range(STEPS)]
    with asking(view) as ask:
        source = "data" if view.exact else "picked"
        low, high = ask(f"SELECT min({value}), max({value}) FROM data")[0]
        if low is None:
            raise NotApplicable(f"{name} has no finite number in these rows, so there is nothing to draw.")
        inner = ask(f"SELECT quantile_disc({value}, {steps}) FROM {source}")[0][0] or []
        at = np.unique([low, *inner, high])
        # Counting in the intervals between these values makes the fractions exact there.
        records = ask(_steps_sql(value, colour, at, source))
    groups = groups_in([g for _, g, _ in records], order)
    counts = np.zeros((len(groups), len(at)), int)
    for i, g, rows in records:
        counts[groups.index(g), min(i, len(at) - 1)] += rows
    sizes = counts.sum(axis=1)
    fractions = counts.cumsum(axis=1) / np.maximum(sizes[:, None], 1)
    return Ecdf(
        column=name,
        by=look.by,
        groups=tuple(groups),
        at=at,
        shares=fractions,
        sizes=tuple(int(s) for s in sizes),
        dates=is_date(column),
        n=int(sizes.sum()),
        whole=view.rows,
    )


def _steps_sql(value: str, colour: str, at: Array, source: str) -> str:
    """SQL that counts the rows in each interval: a binary search with eight comparisons per row."""

    def search(low: int, high: int) -> str:
        if low == high:
            return str(low)
        mid = (low + high) // 2
        return f"CASE WHEN v <= {float(at[mid])!r} THEN {search(low, mid)} ELSE {search(mid + 1, high)} END"

    inner = f"SELECT {value} AS v, {colour} AS g FROM {source} WHERE {value} IS NOT NULL"
    return f"SELECT {search(0, len(at) - 1)}, g, count(*) FROM ({inner}) GROUP BY 1, 2"


def words(view: View, name: str, look: PlotOptions) -> Words:
    """The most common words. Raises NoSuchColumn, NotApplicable."""
    needed(view, name)
    c = quoted(name)
    with asking(view) as ask:
        source = view.drawn_from(50_000)
        n = ask(f"SELECT count(*) FROM {source} WHERE {c} IS NOT NULL")[0][0]
        records = ask(
            "SELECT w, count(*) FROM (SELECT unnest(list_distinct(regexp_extract_all(lower(CAST("
            f"{c} AS VARCHAR)), '[\\p{{L}}\\p{{N}}]{{2,}}'))) AS w FROM {source} WHERE {c} IS NOT NULL) "
            f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_LEVELS}"
        )
    if not records:
        raise NotApplicable(f"{name} has no words in these rows.")
    return Words(
        column=name, words=tuple(w for w, _ in records), rows=tuple(r for _, r in records), n=n, whole=view.rows
    )


def lengths(view: View, name: str, look: PlotOptions) -> Histogram:
    """The number of characters in the texts. Raises NoSuchColumn, NotApplicable."""
    needed(view, name)
    c = quoted(name)
    colour, order = colour_sql(view, look.by)
    with asking(view) as ask:
        records = ask(f"SELECT length(CAST({c} AS VARCHAR)), {colour}, count(*) FROM data GROUP BY 1, 2")
    n, known = sum(rows for *_, rows in records), [(size, g, rows) for size, g, rows in records if size is not None]
    if not known:
        raise NotApplicable(f"Every value of {name} is missing in these rows.")
    sizes, row_counts = np.array([s for s, *_ in known]), np.array([rows for *_, rows in known])
    low, high = int(sizes.min()), int(sizes.max())
    width = max(1, -(-(high - low + 1) // look.bins))
    edges = low - 0.5 + width * np.arange(-(-(high - low + 1) // width) + 1)
    groups = groups_in([g for _, g, _ in known], order)
    counts = np.zeros((len(groups), len(edges) - 1), int)
    for size, g, rows in known:
        counts[groups.index(g), (size - low) // width] += rows
    ordered = np.argsort(sizes, kind="stable")
    cumulative = np.cumsum(row_counts[ordered]) / row_counts.sum()
    quartiles = tuple(float(sizes[ordered][np.searchsorted(cumulative, q)]) for q in (0.25, 0.5, 0.75))
    return Histogram(
        column=f"characters in {name}",
        by=look.by,
        groups=tuple(groups),
        edges=edges,
        levels=(),
        counts=counts,
        dates=False,
        n=n,
        missing=n - int(row_counts.sum()),
        middle=(quartiles[0], quartiles[1], quartiles[2]),
        density=look.density,
        derived=True,
    )


def timeline(view: View, name: str, look: PlotOptions) -> Timeline:
    """The number of rows by period. Raises NoSuchColumn, NotApplicable."""
    (column,) = needed(view, name)
    value = real(column)
    colour, order = colour_sql(view, look.by)
    with asking(view) as ask:
        low, high = ask(f"SELECT min({value}), max({value}) FROM data")[0]
        if low is None:
            raise NotApplicable(f"{name} has no date in these rows, so there is nothing to draw.")
        period = period_of(low, high)
        stamp = period_sql(period, value)
        records = ask(f"SELECT epoch({stamp}), {colour}, count(*) FROM data WHERE {value} IS NOT NULL GROUP BY 1, 2")
        step = {"decade": "10 years", "quarter": "3 months"}.get(period, f"1 {period}")
        first, last = (f"make_timestamp({int(1e6 * f(s for s, *_ in records))})" for f in (min, max))
        begins = f"epoch({period_sql(period, 'epoch(s)')})"
        calendar = ask(f"SELECT {begins} FROM generate_series({first}, {last}, INTERVAL {step}) t(s)")
    starts = np.array(sorted({float(s) for s, *_ in [*calendar, *records]}))
    groups = groups_in([g for _, g, _ in records], order)
    counts = np.zeros((len(groups), len(starts)), int)
    for s, g, rows in records:
        counts[groups.index(g), int(np.searchsorted(starts, s))] += rows
    return Timeline(
        column=name,
        by=look.by,
        period=period,
        groups=tuple(groups),
        starts=starts,
        counts=counts,
        n=int(counts.sum()),
        ends=(low, high),
    )


def _box(view: View, name: str, look: PlotOptions) -> Result:
    return boxes(view, name, look.by)


SHAPES: tuple[Shape, ...] = (
    Shape("words", "Words", lambda c: c.dtype == "text" and c.kind == "text", words),
    Shape("lengths", "Lengths", lambda c: c.dtype == "text" and c.kind in ("text", "identifier"), lengths),
    Shape("timeline", "Timeline", is_date, timeline),
    Shape("histogram", "Histogram", is_continuous, counted),
    Shape("bars", "Bars", lambda c: not is_continuous(c) and c.kind not in ("text",), counted),
    Shape("box", "Box", is_continuous, _box),
    Shape("ecdf", "Cumulative", is_continuous, ecdf),
)


def shapes(column: Column) -> list[Shape]:
    """The plots that suit a column, the best first."""
    return [s for s in SHAPES if s.fits(column)]


def one(data: Dataset | View, name: str, look: PlotOptions | None = None) -> Any:
    """One column as the plot that `look` names, or the best. Raises NoSuchColumn, NotApplicable, BadChoice."""
    view, look = View.of(data), look or PlotOptions()
    return asked_for(shapes(view.schema[name]), look.shape, name).make(view, name, look)
