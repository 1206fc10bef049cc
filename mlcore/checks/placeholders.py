"""Values that stand for something else: a missing value, a total, another spelling."""

from __future__ import annotations

from collections.abc import Iterator

from mlcore.checks.base import Check, CheckContext, names_of
from mlcore.data.column_stats import folded
from mlcore.data.dataset import Column
from mlcore.data.sql import real
from mlcore.ingest.markers import SUSPECT_TEXTS
from mlcore.result import Alert, Fix, Help
from mlcore.wording import count_of, day, several, share

# Numbers that programs and people write for nothing; a value counts only if it lies far from all others.
SENTINELS = frozenset(
    {float(sign * int("9" * n)) for sign in (1, -1) for n in range(2, 10)}
    | {float(sign * int("8" * n)) for sign in (1, -1) for n in range(2, 6)}
    | {-1.0, 32767.0, -32768.0, 65535.0, 2147483647.0, -2147483648.0, 4294967295.0, 1e20, -1e20, 1e30, -1e30, 1e36}
)
HUGE = 1e37  # beyond: the largest numbers that a float of four or eight bytes holds
DAYS = frozenset(
    {"0001-01-01", "1000-01-01", "1582-10-15", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31", "1900-01-00",
     "1900-01-01", "1901-01-01", "1970-01-01", "2079-06-06", "2099-12-31", "2100-01-01", "2199-12-31", "2999-12-31",
     "3000-01-01", "9999-01-01", "9999-12-31"}
)  # fmt: skip
FAR = 1.0  # times the range of all other values
MOST_OTHERS = 0.6  # of the known values that a placeholder may make up


def _placeholders(context: CheckContext) -> Iterator[Alert]:
    for c in context.columns:
        if c.kind in ("constant", "boolean") or c.distinct < 3:
            continue
        values = _texts(context, c) if c.dtype == "text" else _extremes(context, c)
        if not values:
            continue
        count = sum(n for _, n in values)
        shown = several([value for value, _ in values])
        alert = Alert(
            "placeholder",
            "medium",
            c.name,
            f"{c.name} is {shown} in {share(count, context.dataset.rows)} rows, "
            + ("which may stand for a missing value." if c.dtype == "text" else
               "far from all other values: it may stand for a missing value."),
            Fix(f"Take {shown} as missing", "missing", c.name, [value for value, _ in values]),
            size=count / context.dataset.rows,
        )  # fmt: skip
        yield alert


def _texts(context: CheckContext, column: Column) -> list[tuple[str, int]]:
    stats = context.stats.get(column.name)
    levels = stats.top if stats is not None else ()
    return [(text, n) for text, n in levels if folded(text) in SUSPECT_TEXTS]


def _extremes(context: CheckContext, column: Column) -> list[tuple[str, int]]:
    """The smallest or the largest value, where it is a known placeholder and far from all others."""
    stats = context.stats.get(column.name)
    if stats is None or stats.low is None or stats.high is None:
        return []
    values: list[tuple[str, int]] = []
    for value in (stats.low, stats.high):
        if not _is_sentinel(value, column):
            continue
        v, ends = real(column), f"({stats.low!r}, {stats.high!r})"
        count, low, high, known = context.ask(
            f"SELECT count(*) FILTER (WHERE {v} = {value!r}), min({v}) FILTER (WHERE {v} NOT IN {ends}), "
            f"max({v}) FILTER (WHERE {v} NOT IN {ends}), count({v}) FROM data"
        )[0]
        if low is None or count > MOST_OTHERS * known:
            continue
        gap = low - value if value < low else value - high
        if gap > FAR * (high - low) and gap > abs(high - low) / max(column.distinct - 2, 1):
            values.append((day(value) if column.dtype == "datetime" else _text(value, column), int(count)))
    return values


def _is_sentinel(value: float, column: Column) -> bool:
    if column.dtype == "datetime":
        return day(value) in DAYS
    return value in SENTINELS or abs(value) >= HUGE


def _text(value: float, column: Column) -> str:
    return (
        str(int(value))
        if column.dtype == "integer" or (float(value).is_integer() and abs(value) < 1e15)
        else repr(value)
    )


PLACEHOLDERS = Check(
    codes=("placeholder",),
    help=Help(
        "A value that may stand for a missing one, such as 999, −999, 9999-12-31 or unknown.",
        "A number or a date that programs write for nothing, further from all other values than these are from each "
        "other; or a word that means that nothing is known.",
        "As a number it distorts means, scales and distances. As a category it is one more group, which may be right.",
        "Find out what it means. If it means missing, take it as missing; the recipe then fills it inside each fold.",
    ),
    together={"placeholder": lambda a: f"{len(a)} columns have values that may stand for missing ones: {names_of(a)}."},
    find=_placeholders,
)


# markers that may be values -------------------------------------------------------------------------------------------

SURE = frozenset(
    {"", "NA", "N/A", "NULL", "null", "NaN", "nan", "NAN", "\\N", "<NA>", "NaT", "(null)", "#N/A", "#DIV/0!"}
)
OFTEN, FEW_OTHERS = 0.05, 10


def _markers(context: CheckContext) -> Iterator[Alert]:
    for name, marker, count in context.dataset.reading.marked:
        if name not in context.dataset.schema or marker in SURE:
            continue
        column = context.dataset.schema[name]
        if column.dtype == "text" and count > OFTEN * context.dataset.rows and column.distinct <= FEW_OTHERS:
            yield Alert(
                "marker",
                "medium",
                name,
                f"{name}: {share(count, context.dataset.rows)} values are {marker!r}, which was taken as missing, "
                f"besides {count_of(column.distinct, 'other value')}. If it is a value, such as a grade, keep it "
                "(--values).",
                Fix(f"Keep {marker!r} as a value", "read", name, {"values": [marker]}),
                size=count / context.dataset.rows,
            )


MARKERS = Check(
    codes=("marker",),
    help=Help(
        "A text that was taken as missing, but may be a value.",
        "More than one row in twenty of a column with at most ten other values.",
        "A grade or an answer that is taken as missing is lost.",
        "Find out what it means in this file. If it is a value, read the file again and keep it.",
    ),
    together={"marker": lambda a: f"{len(a)} columns have a common text that was taken as missing: {names_of(a)}."},
    find=_markers,
)


# spellings ------------------------------------------------------------------------------------------------------------


def _spellings(context: CheckContext) -> Iterator[Alert]:
    for c in context.dataset.schema:
        stats = context.stats.get(c.name)
        if not c.folded or stats is None or c.kind in ("identifier", "text", "constant"):
            continue
        groups: dict[str, list[str]] = {}
        for text, _ in stats.top:
            groups.setdefault(folded(text), []).append(text)
        several_ways = [texts for texts in groups.values() if len(texts) > 1]
        example = several(several_ways[0]) if several_ways else f"{c.distinct - c.folded} categories"
        if c.name == context.target:
            yield Alert("label_spellings", "medium", c.name,
                        f"{c.name}: {example} are spellings of one label and count as one class; {c.folded} classes "
                        f"are left of {c.distinct} spellings.")  # fmt: skip
        elif c.role == "feature":
            yield Alert("spellings", "low", c.name,
                        f"{c.name}: {example} differ only in case or blanks, but are separate categories.")  # fmt: skip


SPELLINGS = Check(
    codes=("label_spellings", "spellings"),
    help=Help(
        "Categories that differ only in case, in blanks or in full-width letters.",
        "By comparing the spellings without them.",
        "As a target they count as one class. As a feature each is a category of its own, and its rows are divided.",
        "Correct them in the file if they mean the same.",
    ),
    together={
        "spellings": lambda a: f"{len(a)} columns have categories that differ only in case or blanks: {names_of(a)}."
    },
    find=_spellings,
)


# a total at the end ---------------------------------------------------------------------------------------------------

TOTALS = frozenset(
    {"total", "totals", "grand total", "sum", "subtotal", "overall", "all", "average", "mean", "gesamt", "summe",
     "insgesamt", "gesamtsumme", "somme", "total général", "total general", "suma", "totale", "somma", "totaal",
     "totalt", "итого", "всего", "razem", "celkem", "összesen", "toplam", "合计", "合計", "总计"}
)  # fmt: skip
FEWEST_ROWS = 5
CLOSE = 1e-6


def _total_row(context: CheckContext) -> Iterator[Alert]:
    """A last row that is labelled as a total, or that is the sum of all others in each column of numbers."""
    dataset = context.dataset
    if dataset.rows < FEWEST_ROWS:
        return
    last = dataset.frame(rows=[dataset.rows - 1]).iloc[0]
    labels = [c.name for c in dataset.schema if c.dtype == "text" and folded(str(last[c.name])).rstrip(":") in TOTALS]
    summed = [c.name for c in dataset.schema if c.dtype in ("integer", "float") and _is_sum(context, c, last[c.name])]
    if not labels and len(summed) < 2:
        return
    reasons = [f"{several(labels)} is {last[labels[0]]!r}"] if labels else []
    reasons += (
        [f"{several(summed)} {'is the sum' if len(summed) == 1 else 'are the sums'} of the other rows"]
        if summed
        else []
    )
    yield Alert(
        "total_row",
        "high",
        None,
        f"The last row looks like a total, not like a row: {' and '.join(reasons)}. Leave it out (--skip-end 1).",
        Fix("Leave out the last row", "rows", None, "last"),
    )


def _is_sum(context: CheckContext, column: Column, last: object) -> bool:
    stats = context.stats.get(column.name)
    if stats is None or stats.mean is None or not isinstance(last, (int, float)) or not abs(float(last)) > 0:
        return False
    total = stats.mean * stats.known
    return stats.known >= FEWEST_ROWS and abs(total - 2 * float(last)) <= CLOSE * abs(float(last)) * stats.known


TOTAL_ROW = Check(
    codes=("total_row",),
    help=Help(
        "A last row that sums up the others.",
        "A word such as total in it, or numbers that are the sums of all rows above, in two columns or more.",
        "It is one row with values far beyond all others, and it makes columns of dates or numbers into text.",
        "Leave it out.",
    ),
    find=_total_row,
)


CHECKS: tuple[Check, ...] = (TOTAL_ROW, SPELLINGS, MARKERS, PLACEHOLDERS)
