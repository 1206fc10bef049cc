"""The registry of plots for one or two columns, and the options of a plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlcore.errors import BadChoice

BINS = 30


@dataclass(frozen=True)
class PlotOptions:
    """The options of a plot of one column."""

    by: str | None = None
    bins: int = BINS
    log: bool = False  # ranges of equal ratio instead of equal width
    density: bool = False  # proportions within each group, so that groups of different size can be compared
    shape: str = "auto"


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
    """The shortest calendar period that gives a readable plot."""
    return next((name for name, seconds in PERIODS if (high - low) / seconds <= MOST_PERIODS), PERIODS[-1][0])


def period_sql(period: str, seconds: str) -> str:
    """SQL of the first moment of a period; a decade before the year 1 begins with it."""
    return f"greatest(date_trunc('{period}', make_timestamp(({seconds} * 1000000)::BIGINT)), TIMESTAMP '0001-01-01')"


@dataclass(frozen=True)
class Shape:
    """A row of the registry of plots: its name, the columns it fits, and the function that makes it."""

    name: str
    title: str
    fits: Callable[..., bool]
    make: Callable[..., Any]


def asked_for(offered: list[Shape], wanted: str, of: str) -> Shape:
    """The plot named `wanted`, or with `auto` the best. Raises BadChoice."""
    for shape in offered:
        if wanted in ("auto", shape.name):
            return shape
    raise BadChoice.of(f"plot of {of}", wanted, [s.name for s in offered])
