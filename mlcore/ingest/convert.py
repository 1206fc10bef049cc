"""Types of text columns: numbers, booleans or dates; a whole column is converted or none of it, with a note."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from mlcore.data.number_formats import DEBIT, DURATION, DURATION_SQL, DURATIONS, NEGATIVE, number_parts, number_sql
from mlcore.data.sql import BLANKS, connection, quoted, quoted_path, quoted_text, trimmed
from mlcore.ingest.markers import AMONG_NUMBERS, MISSING, kept

SAFE_DIGITS = 15  # that a float keeps
WHOLE = re.compile(r"[-+]?\d{1,18}")
REAL = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?)", re.IGNORECASE)
LONG = re.compile(r"[-+]?\d{16,}")
CODE = re.compile(r"[-+]?0[0-9xX]|\+\d{7}|\+\d[\d.]*[ (/-]")  # 007, 0x1F, a telephone number
COUNT_CODE = re.compile(r"\d+E\d+")  # 5E1: a flat, or fifty
# The same for RE2 in SQL: every value has to match the pattern of the sample, because DuckDB's casts are looser.
WHOLE_SQL = "[-+]?(?:0|[1-9][0-9]{0,17})"
# Texts that a cast would read as numbers, with a loss.
STRAY_SQL = r"^[-+]?0[0-9xX]|_|^[-+]?[0-9]{16,}$|^\+[0-9]{7}|^[0-9]+E[0-9]+$"
STAMP = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?")
ZONED = re.compile(r"\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s?(?:Z|UTC|[-+]\d{2}:?\d{2})")
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
    markers: tuple[str, ...] = ()  # texts that mean missing in this column, besides those of the file

    @property
    def is_number(self) -> bool:
        """Whether it gives numbers."""
        return "DOUBLE" in (self.native, self.gives) or self.gives == "BIGINT"

    def of(self, c: str) -> str:
        """SQL of the value of the column `c`; NULL where the text cannot be read in this way."""
        return c if self.sql is None else self.sql.replace("{c}", trimmed(c))

    def fits(self, c: str) -> str:
        """SQL that is true if a text can be read in this way."""
        if self.sql is not None:
            return f"({self.of(c)}) IS NOT NULL"
        if self.native == "VARCHAR":
            return "true"
        cast = f"TRY_CAST({c} AS DOUBLE)"
        exact = f" AND {is_whole(cast)}" if self.gives == "BIGINT" else ""
        return f"({cast} IS NOT NULL AND NOT regexp_matches(trim({c}), '{STRAY_SQL}'){exact})"

    def value(self, c: str, missing: Sequence[str], failure: str = "NULL") -> str:
        """SQL of the value of a column of texts: NULL where it is missing, `failure` where it does not fit."""
        if self.sql is None:
            return c
        absent = f"{c} IS NULL OR {trimmed(c)} IN ({sql_list((*missing, *self.markers))})"
        return f"CASE WHEN {absent} THEN NULL ELSE coalesce({self.of(c)}, {failure}) END"


def sql_list(texts: Iterable[str]) -> str:
    """Texts as a list in SQL."""
    return ", ".join(map(quoted_text, texts))


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
    padded: bool = False  # whether some value has blanks around it


AS_TEXT = Conversion()
TIDY_TEXT = Conversion(sql="nullif({c}, '')")  # without the blanks around it
CODES_AS_TEXT = Conversion(
    "text, because values such as 5E1 may be codes; as a numeric column they are numbers", sql="{c}"
)
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
    f"WHEN regexp_full_match({{c}}, '{STAMP.pattern}') THEN TRY_CAST({{c}} AS TIMESTAMP) END",
    gives="TIMESTAMP",
)
IN_UTC = Conversion(
    "times with a time zone, converted to UTC",
    "ISO8601",
    sql=f"CASE WHEN regexp_full_match({{c}}, '{ZONED.pattern}') THEN TRY_CAST({{c}} AS TIMESTAMPTZ)::TIMESTAMP END",
    gives="TIMESTAMP",
)
BOOLEAN = Conversion(
    "true or false",
    sql="CASE lower({c}) WHEN 'true' THEN true WHEN 'false' THEN false END",
    gives="BOOLEAN",
)
WITHOUT_NOTE = ("", ISO.description, BOOLEAN.description)


SHAPES = {"Y": r"\d{4}", "y": r"\d{2}", "b": "[A-Za-z]+", "B": "[A-Za-z]+", "p": "[AaPp][Mm]"}


def _date(pattern: str, description: str) -> Conversion:
    """A date pattern; `%Y` requires four digits, although DuckDB would accept two."""
    shape = re.sub("%(.)", lambda m: SHAPES.get(m[1], r"\d{1,2}"), pattern.replace(".", "[.]"))
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
    stripped = [v.strip(BLANKS) for v in values]
    padded = how.padded or stripped != values
    known = [v for v in stripped if v]
    conversion = _numbers(known, how) or _booleans(known) or _dates(known, how)
    if conversion is None and (markers := [v for v in known if v in AMONG_NUMBERS]):
        others = [v for v in known if v not in AMONG_NUMBERS]
        if any(map(HAS_DIGIT, others)) and (numbers := _numbers(others, how)) is not None:
            return replace(from_text(numbers), markers=tuple(markers))
    if conversion is not None:
        return from_text(conversion) if padded else conversion
    return TIDY_TEXT if padded else AS_TEXT


HAS_DIGIT = re.compile(r"\d").search


def from_text(conversion: Conversion) -> Conversion:
    """The same conversion for values that are stored as text."""
    if conversion.sql is not None or conversion.native == "VARCHAR":
        return conversion
    if conversion == INTEGER:
        return LONG_INTEGER
    sql = f"CASE WHEN NOT regexp_matches({{c}}, '{STRAY_SQL}') THEN TRY_CAST({{c}} AS DOUBLE) END"
    return replace(conversion, native="VARCHAR", sql=sql)


def _booleans(known: list[str]) -> Conversion | None:
    return BOOLEAN if known and {v.lower() for v in known} <= {"true", "false"} else None


def _numbers(known: list[str], how: How) -> Conversion | None:
    if known and all(map(DURATION.fullmatch, known)):
        description = "durations or times of day (hours:minutes:seconds), in seconds"
        return Conversion(description, DURATIONS, sql=DURATION_SQL, gives="DOUBLE")
    if any(CODE.match(v) for v in known):
        return None
    if all(map(WHOLE.fullmatch, known)):  # also without values: the strictest type, so that later values are checked
        return INTEGER if known and max(map(len, known)) <= SAFE_DIGITS else LONG_INTEGER
    if any(map(LONG.fullmatch, known)) or not any(map(HAS_DIGIT, known)):
        return None  # as floats they would lose digits; Infinity alone may be a name
    if all(map(REAL.fullmatch, known)) and not (how.mark == "," and how.sure and mark_of(known, ",") == ","):
        return CODES_AS_TEXT if any(map(COUNT_CODE.fullmatch, known)) else FLOAT
    return _written_numbers(known, how)


def _written_numbers(known: list[str], how: How) -> Conversion | None:
    """Numbers with separators, one unit, the same in every value, or a sign behind them."""
    parts = [m for m in map(number_parts, known) if m is not None]
    units = {(m["before"] or "", m["after"] or "") for m in parts}
    sides = {m["side"] for m in parts} & set(DEBIT)
    if len(parts) < len(known) or len(units) != 1 or len(sides & {"S", "H"}) == 1:
        return None  # S alone may be a size
    mark = how.mark if how.asked else mark_of(known, how.mark)
    conversion = _number_with_unit(*units.pop(), mark, any(m["part"] or "," in m.string for m in parts))
    owed = " and ".join(sorted(sides & set(NEGATIVE)))
    return (
        replace(conversion, description=f"{conversion.description}; {owed} counts as negative") if owed else conversion
    )


def _number_with_unit(before: str, after: str, mark: str, separated: bool) -> Conversion:
    plain = "numbers with thousands separators" if separated else "numbers with signs"
    description = "numbers with a decimal comma" if mark == "," else plain
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


EXPONENT = re.compile(r"[eE][-+−]?\d{1,3}$")
FROM_DIGIT_TO_DIGIT = re.compile(r"(?:(?<![^\W\d])[.,])?\d(?:.*\d)?")  # without a unit such as "Rs." or "kr."


def _evidence(values: Iterable[str]) -> dict[str, int]:
    counts = {",": 0, ".": 0}
    for written in values:
        inside = FROM_DIGIT_TO_DIGIT.search(written)
        digits = inside[0] if inside else written
        value = EXPONENT.sub("", digits)
        if value != digits and len(marks := set(value) & {",", "."}) == 1:
            counts[marks.pop()] += 1  # 1,234E-5: before an exponent there are no thousands
            continue
        comma, point = value.rfind(","), value.rfind(".")
        for mark, other in ((",", "."), (".", ",")):
            if value.count(mark) > 1 and other not in value:
                counts[other] += 1  # 1.000.000: what stands twice separates thousands
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


@dataclass(frozen=True)
class Texts:
    """Options for the texts of a Parquet file."""

    missing: Sequence[str] = MISSING  # that stand for a missing value
    numbers: bool = True  # False if the source has a type for numbers, so that digits in a text are meant as text
    kept: Sequence[str] = ()  # columns that stay as they are


Marked = tuple[tuple[str, str, int], ...]  # column, marker, and how many of its cells were taken as missing


def convert_texts(raw: Path, out: Path, how: How, options: Texts) -> tuple[list[str], dict[str, str], Marked]:
    """Write the Parquet file `raw` to `out` with its texts converted.

    Returns the assumptions as sentences, how each converted column was read, and what was taken as missing.
    """
    con = connection(out.parent)
    source = f"read_parquet({quoted_path(raw)})"
    described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    columns = {
        name: _TextColumn(name, source, options)
        for name, kind, *_ in described
        if kind == "VARCHAR" and name not in options.kept
    }
    types = {name: column.conversion(con, how) for name, column in columns.items()}
    parts = [
        f"{types[n].value(quoted(n), columns[n].markers)} AS {quoted(n)}" if n in types else quoted(n)
        for n, *_ in described
    ]
    con.execute(f"COPY (SELECT {', '.join(parts)} FROM {source}) TO {quoted_text(str(out))} (FORMAT parquet)")
    marked = tuple((name, marker, n) for name, column in columns.items() for marker, n in column.marked(con))
    con.close()
    return conversion_notes(types), {name: t.parse for name, t in types.items() if t.parse}, marked


class _TextColumn:
    """A column of texts in a Parquet file."""

    def __init__(self, name: str, source: str, options: Texts) -> None:
        self.name, self.source, self.numbers = quoted(name), source, options.numbers
        self.markers: tuple[str, ...] = tuple(options.missing)  # that mean missing here

    def conversion(self, con: Any, how: How) -> Conversion:
        """How all its values can be read."""
        text = trimmed(self.name)
        distinct = f"SELECT DISTINCT {self.name} FROM {self.source} WHERE {self.name} IS NOT NULL AND {text} NOT IN "
        values = self._values(con, f"{distinct} ({sql_list(self.markers)}) LIMIT 2000")
        grades = kept([v.strip(BLANKS) for v in values], self.markers)
        self.markers = tuple(m for m in self.markers if m not in grades)
        for _ in range(4):
            chosen = from_text(choose(values, how))
            if chosen == AS_TEXT or (chosen.is_number and not self.numbers):
                chosen = TIDY_TEXT
            absent = sql_list((*self.markers, *chosen.markers))
            misfits = self._values(
                con, f"{distinct} ({absent}) AND NOT coalesce({chosen.fits(self.name)}, false) LIMIT 200"
            )
            if not misfits:
                break
            values += misfits
        else:
            chosen = TIDY_TEXT
        self.markers = (*self.markers, *chosen.markers)
        return chosen

    def marked(self, con: Any) -> list[tuple[str, int]]:
        """How often each marker occurs."""
        text = trimmed(self.name)
        counts = f"SELECT {text}, count(*) FROM {self.source} WHERE {text} IN ({sql_list(self.markers)}) GROUP BY 1"
        return [(str(marker), int(n)) for marker, n in con.execute(counts).fetchall()]

    def _values(self, con: Any, sql: str) -> list[str]:
        return [v for (v,) in con.execute(sql).fetchall()]
