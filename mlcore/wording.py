"""Numbers, fractions and lists in words, as people read them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Real


def number(value: float | None, digits: int = 3) -> str:
    """Write a number for people: three significant digits, thin separators for thousands.

    >>> number(0.84237), number(12480), number(1234567.8), number(0.0), number(None)
    ('0.842', '12,480', '1,234,568', '0', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return "unknown"
    size = abs(value)
    if size == 0 or (float(value).is_integer() and size < 1e15):
        return f"{value:,.0f}".replace("-", "−")
    if size >= 1000:
        text = f"{value:,.0f}"
    elif size < 1e-4:
        text = f"{value:.{digits - 1}e}"
    else:
        decimals = max(0, digits - 1 - math.floor(math.log10(size)))
        text = f"{value:.{decimals}f}"
    return text.replace("-", "−")


LOPSIDED = 0.1  # of half an interval: how far its middle may be from the value


def plus_minus(value: float | None, ci: tuple[float, float] | None) -> str:
    """A score with half the width of its interval, to two digits; a lopsided interval is written out.

    >>> plus_minus(0.84237, (0.8213, 0.8634)), plus_minus(0.5, (0.5, 0.5)), plus_minus(0.5, None)
    ('0.842 ± 0.021', '0.500', '0.500')
    >>> plus_minus(0.82, (0.556, 0.943))
    '0.820 (0.556 to 0.943)'
    """
    half = (ci[1] - ci[0]) / 2 if ci is not None else 0.0
    if value is None or ci is None or half <= 1e-9 * max(1.0, abs(value)):
        return number(value)
    if abs((ci[1] + ci[0]) / 2 - value) > LOPSIDED * half:
        return f"{number(value)} ({number(ci[0])} to {number(ci[1])})"
    return f"{number(value)} ± {number(half, 2)}"


def share(part: float, whole: float) -> str:
    """Write a count with its percentage: `37 of 891 (4.2 %)`.

    >>> share(37, 891)
    '37 of 891 (4.2 %)'
    """
    return f"{part:,.0f} of {whole:,.0f} ({percent(part, whole, 1)})" if whole else "0 of 0"


def percent(part: float, whole: float = 1.0, decimals: int = 0) -> str:
    """A fraction as a percentage: never 0 % or 100 % unless it is, and with a decimal where it is small.

    >>> percent(19, 28), percent(4, 1000), percent(1, 1_000_000), percent(999, 1000), percent(0, 5), percent(5, 5)
    ('68 %', '0.4 %', '< 0.1 %', '99.9 %', '0 %', '100 %')
    """
    if not whole:
        return "0 %"
    value = 100 * part / whole
    places = decimals or (1 if 0 < abs(value) < 9.95 or 99 < value < 100 else 0)
    text = f"{value:.{places}f}"
    if part and not float(text):
        return f"< {10 ** -(places or 1):g} %" if value > 0 else f"> −{10 ** -(places or 1):g} %"
    if part != whole and float(text) == 100:
        return f"> {100 - 10 ** -(places or 1):g} %"
    exact = part in (0, whole) and not decimals
    return f"{float(text):.0f} %" if exact else f"{text} %".replace("-", "−")


def shortened(text: object, longest: int = 60) -> str:
    """A text cut in the middle when it is long, so that both ends stay readable.

    >>> shortened("a" * 9), shortened("abcdefghijklmnop", 9)
    ('aaaaaaaaa', 'abcde…nop')
    """
    whole = str(text)
    if len(whole) <= longest:
        return whole
    return f"{whole[: longest - longest // 3 - 1]}…{whole[-(longest // 3) :]}"


def several(items: list[str], most: int = 4) -> str:
    """Join names for a sentence, long ones shortened.

    >>> several(["a", "b", "c"]), several(["a", "b", "c", "d", "e", "f"])
    ('a, b and c', 'a, b, c, d and 2 more')
    """
    items = [shortened(i) for i in items]
    if len(items) <= 1:
        return "".join(items)
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return f"{', '.join(items[:-1])} and {items[-1]}"


def apart(values: Sequence[float]) -> list[str]:
    """Numbers as `number` writes them, with as many digits as tell neighbours apart.

    >>> apart([7250221.0, 7250446.0]), apart([52.5198, 52.52]), apart([0.1, 2.5])
    (['7,250,221', '7,250,446'], ['52.5198', '52.5200'], ['0.100', '2.50'])
    """
    ordered = sorted(set(values))
    gap = min((b - a for a, b in pairwise(ordered)), default=math.inf)
    usual = [number(v) for v in values]
    if not gap or not math.isfinite(gap) or 0 < max(map(abs, values)) * 1e-15 > gap:
        return usual
    places = max(0, -math.floor(math.log10(gap)))
    return [u if _places(u) >= places or places > 12 else f"{v:,.{places}f}".replace("-", "−")
            for u, v in zip(usual, values, strict=True)]  # fmt: skip


def _places(text: str) -> int:
    """The digits after the point of a number as text."""
    return 99 if "e" in text else len(text.partition(".")[2])


def days_apart(days: Sequence[float]) -> list[str]:
    """Times in days since 1970 as dates, or with the time of day where that tells neighbours apart.

    >>> days_apart([0, 31]), days_apart([0.25, 0.5]), days_apart([0.25, 1.5, 1.75])
    (['1970-01-01', '1970-02-01'], ['06:00', '12:00'], ['1970-01-01 06:00', '1970-01-02 12:00', '1970-01-02 18:00'])
    """
    dates = [day(86_400 * d) for d in days]
    if len(set(dates)) == len(set(days)):
        return dates
    clocks = [_clock(86_400 * d) for d in days]
    return clocks if len(set(dates)) == 1 else [f"{a} {b}" for a, b in zip(dates, clocks, strict=True)]


def _clock(seconds: float) -> str:
    rest = round(seconds) % 86_400
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}"
    return text if rest % 60 == 0 else f"{text}:{rest % 60:02d}"


EPOCH = dt.datetime(1970, 1, 1)


def day(seconds: float) -> str:
    """The day of a time in seconds since 1970; any year from 1 to 9999.

    >>> day(0), day(-62135596800), day(253402214400)
    ('1970-01-01', '0001-01-01', '9999-12-31')
    """
    try:
        return (EPOCH + dt.timedelta(seconds=math.floor(seconds))).date().isoformat()
    except (OverflowError, ValueError):
        return "before the year 1" if seconds < 0 else "after the year 9999"


def period_words(period: str, start: float) -> str:
    """A calendar period in words, from its kind and its first second since 1970.

    >>> period_words("decade", 946684800), period_words("quarter", 0), period_words("month", 0), period_words("day", 0)
    ('the 2000s', '1970 Q1', '1970-01', '1970-01-01')
    """
    first = day(start)
    year, month = first[:4], first[5:7]
    if not year.isdigit():
        return first
    if period == "decade":
        return f"the {int(year) // 10 * 10}s"
    if period == "quarter":
        return f"{year} Q{(int(month) + 2) // 3}"
    if period == "week":
        return f"the week of {first}"
    if period in ("hour", "minute"):
        return (EPOCH + dt.timedelta(seconds=start)).strftime("%Y-%m-%d %H:%M")
    return {"year": year, "month": f"{year}-{month}"}.get(period, first)


def value_text(value: object) -> str:
    """A number as `number` writes it, anything else as it is.

    >>> value_text(0.84237), value_text("auto"), value_text(True)
    ('0.842', 'auto', 'True')
    """
    numeric = isinstance(value, Real) and not isinstance(value, bool)
    return number(float(value)) if numeric else str(value)  # type: ignore[arg-type]


def count_of(count: int, noun: str) -> str:
    """A number of things: `1 column`, `2 columns`.

    >>> count_of(1, "column"), count_of(1200, "row")
    ('1 column', '1,200 rows')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
