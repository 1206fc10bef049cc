"""One column: a histogram, boxes, a cumulative curve, words, a timeline; all may be split by another column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.columns import is_date, level, real
from mlcore.dataset import Column, Dataset
from mlcore.errors import BadChoice, NotApplicable
from mlcore.explore.view import (
    EXACT_ROWS,
    MOST_LEVELS,
    OTHER,
    View,
    asking,
    colour_sql,
    groups_in,
    is_continuous,
    moment,
    needed,
    table,
)
from mlcore.filters import Filter
from mlcore.ingest.frames import quoted, quoted_text
from mlcore.result import Array, Help, Result, number, several

BINS = 30
STEPS = 200  # points of a cumulative curve
FEW_LEVELS = 1000  # of a column that is counted in one go
FEWEST_IN_GROUP = 5  # rows of a group whose median is told


@dataclass(frozen=True)
class Look:
    """How to look at a column."""

    by: str | None = None
    bins: int = BINS
    log: bool = False  # ranges of equal ratio instead of equal width
    density: bool = False  # each group's own shares, so that groups of different size can be compared
    shape: str = "auto"


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
    n: int  # rows looked at
    missing: int
    middle: tuple[float, float, float] | None  # quartiles
    medians: tuple[float | None, ...] = ()  # of each group
    log: bool = False
    density: bool = False
    about: bool = False  # whether quartiles come from a sample
    left_out: int = 0  # known cells that a scale of ratios cannot show
    derived: bool = False  # whether the column is counted from another, such as the length of a text

    help: ClassVar[Help] = Help(
        "The rows are sorted into ranges (or levels) and counted.",
        "Look for the middle, the spread, a second hump, and bars far from the rest. With shares, each group adds up "
        "to 1, so that shapes can be compared.",
        "The number of bins shapes the picture; a hump may come and go with it. Levels beyond the most common "
        f"{MOST_LEVELS} are gathered under other.",
        "Change the bins before you believe in a shape. Split by the target to see what separates the classes.",
    )

    def heights(self) -> Array:
        """(groups, bins): counts, or each group's shares."""
        if not self.density:
            return self.counts
        totals = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(self.counts, totals, out=np.zeros(self.counts.shape), where=totals > 0))

    def frame(self) -> pd.DataFrame:
        """A row a bar and group."""
        bars = self.counts.shape[1]
        ranges = [("from", self.edges[:-1]), ("to", self.edges[1:])]
        where = [("level", np.array(self.levels, object))] if self.levels else ranges
        return table(
            *([(self.by, np.repeat(self.groups, bars))] if self.by else []),
            *((name, np.tile(values, len(self.groups))) for name, values in where),
            ("rows", self.counts.ravel()),
        )

    def sentence(self) -> str:
        """What is known, the middle and the spread, and how the groups differ."""
        known = f"{self.column}: {self.n - self.missing:,} of {self.n:,} known"
        if self.levels:
            totals = self.counts.sum(axis=0)
            first = [
                f"{self.levels[i]} ({100 * totals[i] / max(totals.sum(), 1):.0f} %)"
                for i in np.argsort(-totals, kind="stable")[:3]
                if self.levels[i] != OTHER
            ]
            return f"{known}; most common {several(first)}.{self._shares()}"
        if self.middle is None:
            return f"{known}."
        say = moment if self.dates else number
        low, median, high = (say(v) for v in self.middle)
        about = "≈ " if self.about else ""
        left = f" {self.left_out:,} cells are not above 0 and are not shown." if self.left_out else ""
        return f"{known}; median {about}{median}, half between {low} and {high}.{self._difference()}{left}"

    def _difference(self) -> str:
        """The groups with the highest and the lowest median."""
        sizes = self.counts.sum(axis=1)
        told = [
            (m, g)
            for m, g, n in zip(self.medians, self.groups, sizes, strict=False)
            if m is not None and n >= FEWEST_IN_GROUP and g not in ("missing", "")
        ]
        if self.by is None or len(told) < 2:
            return ""
        (low, lowest), (high, highest) = min(told), max(told)
        if low == high:
            return f" The median is the same for every {self.by}."
        gap = f"{(high - low) / 86_400:,.0f} days" if self.dates else number(high - low)
        return f" The median is {gap} higher for {self.by} = {highest} than for {lowest}."

    def _shares(self) -> str:
        """The level in which a group is most over-represented."""
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
            f" {self.by} = {last} is most frequent for {highest} ({100 * high:.0f} %) and least for {lowest} "
            f"({100 * low:.0f} %)."
        )

    def brushed(self, low: float, high: float) -> tuple[Filter, ...]:
        """The condition that picks what lies between two places on the axis across."""
        if not self.levels:
            low, high = (10**low, 10**high) if self.log else (low, high)
            return (Filter(self.column, "between", (min(low, high), max(low, high))),)
        first, last = sorted((low, high))
        return self.picked([i for i in range(len(self.levels)) if first - 0.5 <= i <= last + 0.5])

    def picked(self, bars: list[int]) -> tuple[Filter, ...]:
        """The condition that picks some bars."""
        if self.levels:
            names = tuple(self.levels[i] for i in bars if 0 <= i < len(self.levels) and self.levels[i] != OTHER)
            return (Filter(self.column, "is", names),) if names else ()
        inside = [i for i in bars if 0 <= i < len(self.edges) - 1]
        if not inside:
            return ()
        return (Filter(self.column, "between", (float(self.edges[min(inside)]), float(self.edges[max(inside) + 1]))),)


@dataclass(frozen=True)
class Ecdf(Result):
    """For each value, the share of rows that do not exceed it."""

    column: str
    by: str | None
    groups: tuple[str, ...]
    at: Array  # (steps,)
    shares: Array  # (groups, steps)
    sizes: tuple[int, ...]
    dates: bool
    n: int
    whole: int  # rows that these are a sample of, where there are very many

    help: ClassVar[Help] = Help(
        "The share of rows whose value is at most the one across.",
        "Where it is steep, many rows lie. At half height stands the median. A curve further right has larger values.",
        "It hides small humps; the histogram shows them.",
        "Compare groups by the gap between their curves: it is the same whatever the bins.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a value and group."""
        return table(
            *([(self.by, np.repeat(self.groups, len(self.at)))] if self.by else []),
            (self.column, np.tile(self.at, len(self.groups))),
            ("share", self.shares.ravel()),
        )

    def sentence(self) -> str:
        """The median, and the largest gap between two groups (the statistic of Kolmogorov and Smirnov)."""
        say = moment if self.dates else number
        whole = np.average(self.shares, axis=0, weights=np.maximum(self.sizes, 1e-9))
        places = [min(int(np.searchsorted(whole, q)), len(self.at) - 1) for q in (0.1, 0.9)]
        tenth, ninth = (say(float(self.at[i])) for i in places)
        of = f" (a sample of {self.whole:,})" if self.n < 0.5 * self.whole and self.whole > EXACT_ROWS else ""
        text = f"{self.column}, {self.n:,} rows{of}: a tenth lies up to {tenth}, a tenth from {ninth}."
        named = [i for i, g in enumerate(self.groups) if g not in ("missing", OTHER) and self.sizes[i] >= 20]
        if self.by is None or len(named) < 2:
            return text
        gaps = [
            (float(np.abs(self.shares[i] - self.shares[j]).max()), self.groups[i], self.groups[j])
            for k, i in enumerate(named)
            for j in named[k + 1 :]
        ]
        gap, a, b = max(gaps)
        return f"{text} {self.by} = {a} and {b} are furthest apart: {100 * gap:.0f} points of share."


@dataclass(frozen=True)
class Words(Result):
    """The most common words of a text column."""

    column: str
    words: tuple[str, ...]
    rows: tuple[int, ...]  # rows that hold the word
    n: int  # rows looked at
    whole: int

    help: ClassVar[Help] = Help(
        "The words that occur in most rows, however often in each; letters' case aside, one-letter words left out.",
        "Long bars are words that say little, as they are nearly everywhere; look below them.",
        "Words are cut at blanks and signs; languages without blanks give nonsense.",
        "If a word matters, make a column of whether it occurs.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a word."""
        return pd.DataFrame({"word": self.words, "rows": self.rows, "share": [r / self.n for r in self.rows]})

    def sentence(self) -> str:
        """The first words."""
        sampled = f" A sample of {self.n:,} of {self.whole:,} rows." if self.n < self.whole else ""
        first = [
            f"{w} ({100 * r / self.n:.0f} % of the rows)" for w, r in zip(self.words[:3], self.rows[:3], strict=True)
        ]
        return f"{self.column}: the most common words are {several(first)}.{sampled}"


@dataclass(frozen=True)
class Timeline(Result):
    """Rows in each period of the calendar."""

    column: str
    by: str | None
    period: str
    groups: tuple[str, ...]
    starts: Array  # (periods,) seconds since 1970
    counts: Array  # (groups, periods)
    n: int

    help: ClassVar[Help] = Help(
        "How many rows fall into each period of the calendar.",
        "Look for growth, seasons, gaps, and a first or last period that is cut short.",
        "The first and the last period are often incomplete and look like a fall.",
        "If the number of rows changes with time, test models on what comes after what they learned from.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a period and group."""
        return table(
            *([(self.by, np.repeat(self.groups, len(self.starts)))] if self.by else []),
            (self.period, np.tile(pd.to_datetime(self.starts, unit="s"), len(self.groups))),
            ("rows", self.counts.ravel()),
        )

    def sentence(self) -> str:
        """From when to when, and the fullest period."""
        totals = self.counts.sum(axis=0)
        first, last, top = (
            moment(float(s)) for s in (self.starts[0], self.starts[-1], self.starts[int(totals.argmax())])
        )
        empty = int((totals == 0).sum())
        gaps = f" {empty} {self.period}s are empty." if empty else ""
        return (
            f"{self.column}: {self.n:,} rows from {first} to {last}; most in the {self.period} of {top} "
            f"({int(totals.max()):,}).{gaps}"
        )

    def brushed(self, low: float, high: float) -> tuple[Filter, ...]:
        """The condition that picks a stretch of time."""
        return (Filter(self.column, "between", (min(low, high), max(low, high))),)


# making them ----------------------------------------------------------------------------------------------------------


def histogram(data: Dataset | View, column: str, by: str | None = None, bins: int = BINS) -> Histogram:
    """Count a column in `bins` ranges, or by level; `by` splits by a column. Raises NoSuchColumn, NotApplicable."""
    return counted(View.of(data), column, Look(by, bins))


def counted(view: View, name: str, look: Look) -> Histogram:
    """A histogram of numbers and dates, bars of levels."""
    (column,) = needed(view, name)
    return _ranges(view, column, look) if is_continuous(column) else _bars(view, column, look)


def _bars(view: View, column: Column, look: Look) -> Histogram:
    text = level(column)
    colour, known = colour_sql(view, look.by)
    with asking(view) as ask:
        n = ask("SELECT count(*) FROM data")[0][0]
        if column.distinct <= FEW_LEVELS:
            found = ask(f"SELECT {text}, {colour}, count(*) FROM data WHERE {text} IS NOT NULL GROUP BY 1, 2")
        else:  # only the most common levels come back, however many there are
            first = ask(
                f"SELECT {text}, count(*) FROM data WHERE {text} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 "
                f"LIMIT {MOST_LEVELS}"
            )
            inside = ", ".join(quoted_text(str(v)) for v, _ in first) or "''"
            found = ask(
                f"SELECT CASE WHEN {text} IN ({inside}) THEN {text} END, {colour}, count(*) FROM data "
                f"WHERE {text} IS NOT NULL GROUP BY 1, 2"
            )
    if not found:
        raise NotApplicable(f"Every cell of {column.name} is missing in these rows.")
    totals: dict[str | None, int] = {}
    for v, _, rows in found:
        totals[v] = totals.get(v, 0) + rows
    rest = totals.pop(None, 0)
    shown = sorted((str(v) for v in totals), key=lambda v: (-totals[v], v))
    levels = shown[:MOST_LEVELS] + ([OTHER] if rest or len(shown) > MOST_LEVELS else [])
    place = {v: i for i, v in enumerate(shown[:MOST_LEVELS])}
    groups = groups_in([g for _, g, _ in found], known)
    counts = np.zeros((len(groups), len(levels)), int)
    for v, g, rows in found:
        counts[groups.index(g), place.get(v, len(levels) - 1)] += rows
    return Histogram(
        column.name, look.by, tuple(groups), np.array([]), tuple(levels), counts, False, n, n - int(counts.sum()), None,
        density=look.density,
    )  # fmt: skip


def _ranges(view: View, column: Column, look: Look) -> Histogram:
    value, dates = real(column), is_date(column)
    colour, known = colour_sql(view, look.by)
    source = "data" if view.exact else "picked"
    with asking(view) as ask:
        n, some, lowest, high, positive = ask(
            f"SELECT count(*), count({value}), min({value}), max({value}), min({value}) FILTER (WHERE {value} > 0) "
            "FROM data"
        )[0]
        if not some:
            raise NotApplicable(f"{column.name} holds no finite number in these rows, so there is nothing to draw.")
        middle = ask(f"SELECT quantile_cont({value}, [0.25, 0.5, 0.75]) FROM {source}")[0][0]
        log = look.log and not dates and positive is not None and high > positive
        edges = _edges(column, positive if log else lowest, high, look.bins, log)
        bins = len(edges) - 1
        place = f"log10({value})" if log else value
        low, width = (np.log10(edges[0]), np.log10(edges[-1] / edges[0])) if log else (edges[0], edges[-1] - edges[0])
        found = ask(
            f"SELECT greatest(least(floor(({place} - {float(low)!r}) / {float(width / bins)!r}), {bins - 1}), 0)::INT, "
            f"{colour}, count(*) FROM data WHERE {value} {'> 0' if log else 'IS NOT NULL'} GROUP BY 1, 2"
        )
        medians = ask(f"SELECT {colour}, median({value}) FROM {source} GROUP BY 1") if look.by else []
    groups = groups_in([g for _, g, _ in found], known)
    counts = np.zeros((len(groups), bins), int)
    for b, g, rows in found:
        counts[groups.index(g), b] = rows
    halves = dict(medians)
    return Histogram(
        column.name, look.by, tuple(groups), edges, (), counts, dates, n, n - some,
        tuple(middle) if middle else None, tuple(halves.get(g) for g in groups), bool(log), look.density,
        not view.exact, some - int(counts.sum()),
    )  # fmt: skip


def _edges(column: Column, low: float, high: float, bins: int, log: bool) -> Array:
    """Where the ranges begin and end. Raises NotApplicable for what is too far to be drawn."""
    if log:
        return np.asarray(np.geomspace(low, high, bins + 1))
    if column.dtype == "integer" and high - low < bins:  # a bar a whole number, rather than bars that alias
        return np.arange(low - 0.5, high + 1)
    if high == low:
        low, high = low - 0.5, high + 0.5
    if not np.isfinite(high - low):
        raise NotApplicable(f"{column.name} reaches from {low:.3g} to {high:.3g}, too far to be drawn.")
    return np.asarray(np.linspace(low, high, bins + 1))


def ecdf(view: View, name: str, look: Look) -> Ecdf:
    """A cumulative curve. Raises NoSuchColumn, NotApplicable."""
    (column,) = needed(view, name)
    value = real(column)
    colour, known = colour_sql(view, look.by)
    steps = [i / (STEPS - 1) for i in range(STEPS)]
    with asking(view) as ask:
        source = "data" if view.exact else "picked"
        low, high = ask(f"SELECT min({value}), max({value}) FROM data")[0]
        if low is None:
            raise NotApplicable(f"{name} holds no finite number in these rows, so there is nothing to draw.")
        inner = ask(f"SELECT quantile_disc({value}, {steps}) FROM {source}")[0][0] or []
        at = np.unique([low, *inner, high])
        # Counting in the stretches between these values makes the shares exact there.
        found = ask(_steps_sql(value, colour, at, source))
    groups = groups_in([g for _, g, _ in found], known)
    counts = np.zeros((len(groups), len(at)), int)
    for i, g, rows in found:
        counts[groups.index(g), min(i, len(at) - 1)] += rows
    sizes = counts.sum(axis=1)
    shares = counts.cumsum(axis=1) / np.maximum(sizes[:, None], 1)
    return Ecdf(
        name,
        look.by,
        tuple(groups),
        at,
        shares,
        tuple(int(s) for s in sizes),
        is_date(column),
        int(sizes.sum()),
        view.rows,
    )


def _steps_sql(value: str, colour: str, at: Array, source: str) -> str:
    """The same by comparing with each half in turn: a binary search written as SQL, eight comparisons a row."""

    def search(low: int, high: int) -> str:
        if low == high:
            return str(low)
        mid = (low + high) // 2
        return f"CASE WHEN v <= {float(at[mid])!r} THEN {search(low, mid)} ELSE {search(mid + 1, high)} END"

    inner = f"SELECT {value} AS v, {colour} AS g FROM {source} WHERE {value} IS NOT NULL"
    return f"SELECT {search(0, len(at) - 1)}, g, count(*) FROM ({inner}) GROUP BY 1, 2"


def words(view: View, name: str, look: Look) -> Words:
    """The most common words. Raises NoSuchColumn, NotApplicable."""
    needed(view, name)
    c = quoted(name)
    with asking(view) as ask:
        source = view.drawn_from(50_000)
        n = ask(f"SELECT count(*) FROM {source} WHERE {c} IS NOT NULL")[0][0]
        found = ask(
            "SELECT w, count(*) FROM (SELECT unnest(list_distinct(regexp_extract_all(lower(CAST("
            f"{c} AS VARCHAR)), '[\\p{{L}}\\p{{N}}]{{2,}}'))) AS w FROM {source} WHERE {c} IS NOT NULL) "
            f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_LEVELS}"
        )
    if not found:
        raise NotApplicable(f"{name} holds no words in these rows.")
    return Words(name, tuple(w for w, _ in found), tuple(r for _, r in found), n, view.rows)


def lengths(view: View, name: str, look: Look) -> Histogram:
    """How many characters the texts have."""
    needed(view, name)
    c = quoted(name)
    colour, order = colour_sql(view, look.by)
    with asking(view) as ask:
        found = ask(f"SELECT length(CAST({c} AS VARCHAR)), {colour}, count(*) FROM data GROUP BY 1, 2")
    n, known = sum(rows for *_, rows in found), [(size, g, rows) for size, g, rows in found if size is not None]
    if not known:
        raise NotApplicable(f"Every cell of {name} is missing in these rows.")
    sizes, counts_of = np.array([s for s, *_ in known]), np.array([rows for *_, rows in known])
    low, high = int(sizes.min()), int(sizes.max())
    width = max(1, -(-(high - low + 1) // look.bins))
    edges = low - 0.5 + width * np.arange(-(-(high - low + 1) // width) + 1)
    groups = groups_in([g for _, g, _ in known], order)
    counts = np.zeros((len(groups), len(edges) - 1), int)
    for size, g, rows in known:
        counts[groups.index(g), (size - low) // width] += rows
    ordered = np.argsort(sizes, kind="stable")
    reached = np.cumsum(counts_of[ordered]) / counts_of.sum()
    middle = tuple(float(sizes[ordered][np.searchsorted(reached, q)]) for q in (0.25, 0.5, 0.75))
    return Histogram(
        f"characters in {name}", look.by, tuple(groups), edges, (), counts, False, n, n - int(counts_of.sum()),
        (middle[0], middle[1], middle[2]), density=look.density, derived=True,
    )  # fmt: skip


PERIODS: tuple[tuple[str, float], ...] = (
    ("minute", 60),
    ("hour", 3600),
    ("day", 86_400),
    ("week", 7 * 86_400),
    ("month", 30.4 * 86_400),
    ("quarter", 91.3 * 86_400),
    ("year", 365.25 * 86_400),
    ("decade", 3652.5 * 86_400),
)
MOST_PERIODS = 120


def period_of(low: float, high: float) -> str:
    """The shortest period of the calendar that gives a picture, not a fringe."""
    return next((name for name, seconds in PERIODS if (high - low) / seconds <= MOST_PERIODS), PERIODS[-1][0])


def timeline(view: View, name: str, look: Look) -> Timeline:
    """Rows by period. Raises NoSuchColumn, NotApplicable."""
    (column,) = needed(view, name)
    value = real(column)
    colour, known = colour_sql(view, look.by)
    with asking(view) as ask:
        low, high = ask(f"SELECT min({value}), max({value}) FROM data")[0]
        if low is None:
            raise NotApplicable(f"{name} holds no date in these rows, so there is nothing to draw.")
        period = period_of(low, high)
        stamp = f"date_trunc('{period}', make_timestamp(({value} * 1000000)::BIGINT))"
        found = ask(f"SELECT epoch({stamp}), {colour}, count(*) FROM data WHERE {value} IS NOT NULL GROUP BY 1, 2")
    steps = {"decade": "10YS", "year": "YS", "quarter": "QS", "month": "MS", "week": "W-MON", "day": "D"}
    first, last = (pd.Timestamp(f(s for s, *_ in found), unit="s") for f in (min, max))
    every = pd.date_range(first, last, freq=steps.get(period, {"hour": "h", "minute": "min"}.get(period)))
    starts = np.array(sorted({*(e.timestamp() for e in every), *(float(s) for s, *_ in found)}))
    groups = groups_in([g for _, g, _ in found], known)
    counts = np.zeros((len(groups), len(starts)), int)
    for s, g, rows in found:
        counts[groups.index(g), int(np.searchsorted(starts, s))] += rows
    return Timeline(name, look.by, period, tuple(groups), starts, counts, int(counts.sum()))


@dataclass(frozen=True)
class Shape:
    """A row of the registry of pictures: its name, what it is drawn for, and how it is made."""

    name: str
    title: str
    fits: Callable[..., bool]
    make: Callable[..., Any]


def _boxed(view: View, name: str, look: Look) -> Result:
    from mlcore.explore.two import boxes

    return boxes(view, name, look.by)


SHAPES: tuple[Shape, ...] = (
    Shape("words", "Words", lambda c: c.dtype == "text" and c.kind == "text", words),
    Shape("lengths", "Lengths", lambda c: c.dtype == "text" and c.kind in ("text", "identifier"), lengths),
    Shape("timeline", "Timeline", is_date, timeline),
    Shape("histogram", "Histogram", is_continuous, counted),
    Shape("bars", "Bars", lambda c: not is_continuous(c) and c.kind not in ("text",), counted),
    Shape("box", "Box", is_continuous, _boxed),
    Shape("ecdf", "Cumulative", is_continuous, ecdf),
)


def asked_for(offered: list[Shape], wanted: str, of: str) -> Shape:
    """The picture that is asked for, or with `auto` the best. Raises BadChoice."""
    for shape in offered:
        if wanted in ("auto", shape.name):
            return shape
    raise BadChoice.of(f"picture of {of}", wanted, [s.name for s in offered])


def shapes(column: Column) -> list[Shape]:
    """The pictures that a column can be drawn as, the best first."""
    return [s for s in SHAPES if s.fits(column)]


def one(data: Dataset | View, name: str, look: Look | None = None) -> Any:
    """One column as the picture that is asked for, or the best. Raises NoSuchColumn, NotApplicable, BadChoice."""
    view, look = View.of(data), look or Look()
    return asked_for(shapes(view.schema[name]), look.shape, name).make(view, name, look)
