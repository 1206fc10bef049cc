"""Types of text columns: numbers, booleans or dates; a whole column is converted or none of it, with a note."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mlcore.data.number_formats import number_parts
from mlcore.data.sql import connection, number_sql, quoted, quoted_text

SAFE_DIGITS = 15  # that a float keeps
WHOLE = re.compile(r"[-+]?\d{1,18}")
REAL = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)
LONG = re.compile(r"[-+]?\d{16,}")
CODE = re.compile(r"[-+]?0[0-9xX]")
# The same for RE2 in SQL: every value has to match the pattern of the sample, because DuckDB's casts are looser.
WHOLE_SQL = "[-+]?(?:0|[1-9][0-9]{{0,17}})"
STRAY_SQL = "^[-+]?0[0-9xX]|_|^[-+]?[0-9]{16,}$"  # texts that a cast would read as numbers, with a loss
STAMP = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?")
STAMP_SQL = r"\d{{4}}-\d{{1,2}}-\d{{1,2}}(?:[T ]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,9}})?)?)?"
ZONED = re.compile(r"\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s?(?:Z|UTC|[-+]\d{2}:?\d{2})")
ZONED_SQL = STAMP_SQL + r"\s?(?:Z|UTC|[-+]\d{{2}}:?\d{{2}})"
DATE_LIKE = re.compile(
    r"(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})"
    r"(?:[T ]\d{1,2}:\d{2}.{0,20})?"
)
ONE_MARK = {",": re.compile(r",(\d{1,2}|\d{4,})\D*$"), ".": re.compile(r"\.(\d{1,2}|\d{4,})\D*$")}
TRIED = 400  # distinct values that a date pattern has to fit before it is tried on all rows


@dataclass(frozen=True)
class Conversion:
    """A way to read a text: the type that DuckDB reads, or SQL; and its description for the user."""

    description: str = ""
    parse: str = ""  # stored with the column, so that raw data is read in the same way at prediction
    native: Literal["VARCHAR", "DOUBLE"] = "VARCHAR"  # the type to read it as
    sql: str | None = None  # where the type alone is not enough; {c} stands for the trimmed text
    gives: str = "VARCHAR"  # the type of the result of `sql`
    blank_is_missing: bool = False  # whether NULL from `sql` means a missing value, not a misfit
    padded: bool = False  # whether values have spaces around them

    def fits(self, c: str) -> str:
        """SQL that is true if a text can be read in this way."""
        if self.sql is not None:
            return "true" if self.blank_is_missing else f"({self.sql.format(c=f'trim({c})')}) IS NOT NULL"
        if self.native == "VARCHAR":
            return "true"
        cast = f"TRY_CAST({c} AS DOUBLE)"
        exact = f" AND {is_whole(cast)}" if self.gives == "BIGINT" else ""
        return f"({cast} IS NOT NULL AND NOT regexp_matches(trim({c}), '{STRAY_SQL}'){exact})"


def is_whole(number: str) -> str:
    """SQL that is true if a float is whole and small enough to be exact."""
    return f"({number} = trunc({number}) AND abs({number}) < 9007199254740992)"


@dataclass(frozen=True)
class How:
    """Options of the conversion: the file's decimal mark, the order of day and month, a column kept as text."""

    mark: str = "."
    sure: bool = False  # whether some column of the file, or the user, determines the mark
    asked: bool = False  # whether the user set the mark
    dates: str | None = None  # day or month: which comes first where both would fit
    text: bool = False


AS_TEXT = Conversion()
TRIMMED = Conversion("text, without the spaces around it", "", "VARCHAR", "nullif({c}, '')", "VARCHAR", True)
# DuckDB rounds 2.5 when it reads integers, so these are read as floats and checked to be whole.
INTEGER = Conversion(native="DOUBLE", gives="BIGINT")
LONG_INTEGER = Conversion(
    sql=f"CASE WHEN regexp_full_match({{c}}, '{WHOLE_SQL}') THEN TRY_CAST({{c}} AS BIGINT) END", gives="BIGINT"
)
FLOAT = Conversion(native="DOUBLE", gives="DOUBLE")
ISO = Conversion(
    "dates (year-month-day)",
    "ISO8601",
    sql="CASE WHEN length({c}) = 10 AND {c}[5] = '-' THEN TRY_CAST({c} AS TIMESTAMP) "
    f"WHEN regexp_full_match({{c}}, '{STAMP_SQL}') THEN TRY_CAST({{c}} AS TIMESTAMP) END",
    gives="TIMESTAMP",
)
IN_UTC = Conversion(
    "times with a time zone, converted to UTC",
    "ISO8601",
    sql=f"CASE WHEN regexp_full_match({{c}}, '{ZONED_SQL}') THEN TRY_CAST({{c}} AS TIMESTAMPTZ)::TIMESTAMP END",
    gives="TIMESTAMP",
)
BOOLEAN = Conversion(
    "true or false",
    sql="CASE lower({c}) WHEN 'true' THEN true WHEN 'false' THEN false END",
    gives="BOOLEAN",
)
WITHOUT_NOTE = ("", ISO.description, BOOLEAN.description)


SHAPES = {"Y": r"\d{{4}}", "y": r"\d{{2}}", "b": "[A-Za-z]+", "B": "[A-Za-z]+", "p": "[AaPp][Mm]"}


def _date(pattern: str, description: str) -> Conversion:
    """A date pattern; `%Y` requires four digits, although DuckDB would accept two."""
    shape = re.sub("%(.)", lambda m: SHAPES.get(m[1], r"\d{{1,2}}"), pattern.replace(".", "[.]"))
    sql = (
        f"CASE WHEN regexp_full_match({{c}}, {quoted_text(shape)}) THEN try_strptime({{c}}, {quoted_text(pattern)}) END"
    )
    return Conversion(description, pattern, "VARCHAR", sql, "TIMESTAMP")


ORDERS = {
    "day": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y"),
    "month": ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y"),
}
NAMED = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%Y/%m/%d", "%Y.%m.%d")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def choose(values: list[str], how: How) -> Conversion:
    """Choose how a column is read, from some of its distinct texts (without missing values)."""
    if how.text:
        return AS_TEXT
    stripped = [v.strip() for v in values]
    known = [v for v in stripped if v]
    conversion = _numbers(known, how) or _booleans(known) or _dates(known, how)
    if conversion is not None:
        return replace(from_text(conversion), padded=True) if stripped != values else conversion
    return AS_TEXT if stripped == values else TRIMMED


def from_text(conversion: Conversion) -> Conversion:
    """The same conversion for values that are stored as text."""
    if conversion.sql is not None or conversion.native == "VARCHAR":
        return conversion
    if conversion == INTEGER:
        return LONG_INTEGER
    sql = f"CASE WHEN NOT regexp_matches({{c}}, '{STRAY_SQL.replace('{', '{{').replace('}', '}}')}') "
    return replace(conversion, native="VARCHAR", sql=f"{sql}THEN TRY_CAST({{c}} AS DOUBLE) END")


def _booleans(known: list[str]) -> Conversion | None:
    return BOOLEAN if known and {v.lower() for v in known} <= {"true", "false"} else None


def _numbers(known: list[str], how: How) -> Conversion | None:
    if any(CODE.match(v) for v in known):
        return None
    if all(map(WHOLE.fullmatch, known)):  # also without values: the strictest type, so that later values are checked
        return INTEGER if known and max(map(len, known)) <= SAFE_DIGITS else LONG_INTEGER
    if any(map(LONG.fullmatch, known)):
        return None  # as floats they would lose digits
    if all(map(REAL.fullmatch, known)) and not (how.mark == "," and how.sure and mark_of(known, ",") == ","):
        return FLOAT
    parts = [number_parts(v) for v in known]
    if not all(parts):
        return None
    units = {(m["before"] or "", m["after"] or "") for m in parts if m is not None}
    mark = how.mark if how.asked else mark_of(known, how.mark)
    return _number_with_unit(*units.pop(), mark) if len(units) == 1 else None


def _number_with_unit(before: str, after: str, mark: str) -> Conversion:
    """Numbers with separators and one unit, the same in every value."""
    description = "numbers with a decimal comma" if mark == "," else "numbers with thousands separators"
    if before or after:
        unit = "per cent" if after == "%" else before or after
        description = f"numbers in {unit}" + (" with a decimal comma" if mark == "," else "")
    return Conversion(description, mark, "VARCHAR", number_sql(mark, (before, after)), "DOUBLE")


def mark_of(values: Iterable[str], usual: str) -> str:
    """The decimal mark of some numbers: the last of the two in a value that has both, or one that is not followed by
    exactly three digits; if neither decides, the usual mark of the file."""
    evidence = _evidence(values)
    if evidence[","] and not evidence["."]:
        return ","
    if evidence["."] and not evidence[","]:
        return "."
    return usual


def _evidence(values: Iterable[str]) -> dict[str, int]:
    counts = {",": 0, ".": 0}
    for value in values:
        comma, point = value.rfind(","), value.rfind(".")
        if comma >= 0 and point >= 0:
            counts["," if comma > point else "."] += 1
        elif comma >= 0 and (ONE_MARK[","].search(value) or value.lstrip("-+").startswith("0,")):
            counts[","] += 1
        elif point >= 0 and (ONE_MARK["."].search(value) or value.lstrip("-+").startswith("0.")):
            counts["."] += 1
    return counts


def usual_mark(columns: Iterable[list[str]], delimiter: str) -> tuple[str, bool]:
    """The decimal mark of a file, and whether some column determines it; if none does, a comma for semicolon files."""
    votes = {",": 0, ".": 0}
    for values in columns:
        known = [v.strip() for v in values[:200] if v.strip()]
        if known and all(map(number_parts, known)):
            evidence = _evidence(known)
            for mark, other in ((",", "."), (".", ",")):
                votes[mark] += evidence[mark] > 0 and not evidence[other]
    if votes[","] == votes["."]:
        return "," if delimiter == ";" and not votes["."] else ".", False
    return max(votes, key=lambda m: votes[m]), True


def _dates(known: list[str], how: How) -> Conversion | None:
    sample = known[:TRIED] + known[-TRIED:]
    if not sample or not all(map(DATE_LIKE.fullmatch, sample)):
        return None
    if all(map(STAMP.fullmatch, sample)):
        return ISO
    if all(map(ZONED.fullmatch, sample)):
        return IN_UTC
    first, second = ("month", "day") if how.dates == "month" else ("day", "month")
    for clock in CLOCKS:
        for one, other in zip(ORDERS[first], ORDERS[second], strict=True):
            fits_one, fits_other = _all_parse(sample, one + clock), _all_parse(sample, other + clock)
            if fits_one or fits_other:
                chosen, order = (one, first) if fits_one else (other, second)
                ambiguous = fits_one and fits_other and how.dates is None
                note = f"; {second} first would fit as well" if ambiguous else ""
                return _date(chosen + clock, f"dates ({order} first{note})")
        for pattern in NAMED:
            if _all_parse(sample, pattern + clock):
                return _date(pattern + clock, "dates")
    return None


def _all_parse(values: list[str], pattern: str) -> bool:
    try:
        for value in values:
            dt.datetime.strptime(value, pattern)
    except ValueError:
        return False
    return True


def conversion_notes(types: Mapping[str, Conversion]) -> list[str]:
    """The assumptions made about columns, as sentences."""
    columns: dict[str, list[str]] = {}
    for name, conversion in types.items():
        if conversion.description not in WITHOUT_NOTE:
            columns.setdefault(conversion.description, []).append(name)
    return [
        f"{', '.join(names[:6])}{' …' if len(names) > 6 else ''}: read as {description}."
        for description, names in columns.items()
    ]


def texts(
    raw: Path, out: Path, how: How, *, numbers: bool = True, kept: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Write the Parquet file `raw` to `out` with its texts converted.

    `numbers` is false if the format has a type for numbers, so that digits in a text are meant as text; the columns in
    `kept` stay as they are. Returns the assumptions as sentences, and how each converted column was read.
    """
    con = connection(out.parent)
    source = f"read_parquet({quoted_text(str(raw))})"
    types: dict[str, Conversion] = {}
    names = []
    for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall():
        names.append(name)
        if kind != "VARCHAR" or name in kept:
            continue
        c = quoted(name)
        distinct = f"SELECT DISTINCT {c} FROM {source} WHERE {c} IS NOT NULL"
        values = [v for (v,) in con.execute(f"{distinct} LIMIT 2000").fetchall()]
        for _ in range(4):
            chosen = from_text(choose(values, how))
            misfits = con.execute(f"{distinct} AND NOT coalesce({chosen.fits(c)}, false) LIMIT 200").fetchall()
            if not misfits:
                break
            values += [v for (v,) in misfits]
        else:
            chosen = AS_TEXT
        if chosen.sql is not None and (numbers or chosen.gives not in ("BIGINT", "DOUBLE")):
            types[name] = chosen
    parts = []
    for name in names:
        sql = types[name].sql if name in types else None
        parts.append(f"{sql.format(c=f'trim({quoted(name)})')} AS {quoted(name)}" if sql else quoted(name))
    con.execute(f"COPY (SELECT {', '.join(parts)} FROM {source}) TO {quoted_text(str(out))} (FORMAT parquet)")
    con.close()
    return conversion_notes(types), {name: t.parse for name, t in types.items() if t.parse}
