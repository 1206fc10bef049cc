"""What a column of texts really holds: numbers, truths, dates; for the whole column, all or nothing, and said."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mlcore.ingest.frames import connection, quoted, quoted_text
from mlcore.written import number_parts

SAFE_DIGITS = 15  # that a real number keeps
WHOLE = re.compile(r"[-+]?\d{1,18}")
REAL = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE)
LONG = re.compile(r"[-+]?\d{16,}")
CODE = re.compile(r"[-+]?0[0-9xX]")
# The same for RE2 in SQL: every cell has to look as the sample did, as DuckDB's own casts are looser.
WHOLE_SQL = "[-+]?(?:0|[1-9][0-9]{{0,17}})"
STRAY_SQL = "^[-+]?0[0-9xX]|_|^[-+]?[0-9]{16,}$"  # what a cast would take for a number, and lose something
STAMP = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?")
STAMP_SQL = r"\d{{4}}-\d{{1,2}}-\d{{1,2}}(?:[T ]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d{{1,9}})?)?)?"
ZONED = re.compile(r"\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s?(?:Z|UTC|[-+]\d{2}:?\d{2})")
ZONED_SQL = STAMP_SQL + r"\s?(?:Z|UTC|[-+]\d{{2}}:?\d{{2}})"
DATE_LIKE = re.compile(
    r"(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})"
    r"(?:[T ]\d{1,2}:\d{2}.{0,20})?"
)
ONE_MARK = {",": re.compile(r",(\d{1,2}|\d{4,})\D*$"), ".": re.compile(r"\.(\d{1,2}|\d{4,})\D*$")}
TRIED = 400  # different values that a pattern of dates has to fit before it is tried on all rows


@dataclass(frozen=True)
class Conversion:
    """A way to read a text: its type as DuckDB reads it, or SQL; and how it is told to a person."""

    said: str = ""
    parse: str = ""  # what the column keeps of it, so that a raw frame can be read in the same way when predicting
    native: Literal["VARCHAR", "DOUBLE"] = "VARCHAR"  # the type to read it as
    sql: str | None = None  # where the type alone does not do; {c} stands for the trimmed text
    gives: str = "VARCHAR"  # the type that `sql` gives
    blank_is_missing: bool = False  # whether what `sql` turns into nothing is missing, rather than a misfit
    padded: bool = False  # whether cells have blanks around them

    def fits(self, c: str) -> str:
        """SQL that says whether a text can be read in this way."""
        if self.sql is not None:
            return "true" if self.blank_is_missing else f"({self.sql.format(c=f'trim({c})')}) IS NOT NULL"
        if self.native == "VARCHAR":
            return "true"
        cast = f"TRY_CAST({c} AS DOUBLE)"
        whole = f" AND {is_whole(cast)}" if self.gives == "BIGINT" else ""
        return f"({cast} IS NOT NULL AND NOT regexp_matches(trim({c}), '{STRAY_SQL}'){whole})"


def is_whole(number: str) -> str:
    """SQL that says whether a real number is whole and small enough to be exact."""
    return f"({number} = trunc({number}) AND abs({number}) < 9007199254740992)"


@dataclass(frozen=True)
class How:
    """What bears on the choice: the file's decimal mark, the order of day and month, a column kept as text."""

    mark: str = "."
    sure: bool = False  # whether some column of the file settles the mark, or a person did
    asked: bool = False  # whether a person said the mark
    dates: str | None = None  # day or month: which comes first where both would fit
    text: bool = False


AS_TEXT = Conversion()
TRIMMED = Conversion("texts, without the blanks around them", "", "VARCHAR", "nullif({c}, '')", "VARCHAR", True)
# DuckDB rounds 2.5 when it is asked for whole numbers, so these are read as reals and checked to be whole.
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
    "times of a zone, as UTC",
    "ISO8601",
    sql=f"CASE WHEN regexp_full_match({{c}}, '{ZONED_SQL}') THEN TRY_CAST({{c}} AS TIMESTAMPTZ)::TIMESTAMP END",
    gives="TIMESTAMP",
)
BOOLEAN = Conversion(
    "true or false",
    sql="CASE lower({c}) WHEN 'true' THEN true WHEN 'false' THEN false END",
    gives="BOOLEAN",
)
UNSAID = ("", ISO.said, BOOLEAN.said)


SHAPES = {"Y": r"\d{{4}}", "y": r"\d{{2}}", "b": "[A-Za-z]+", "B": "[A-Za-z]+", "p": "[AaPp][Mm]"}


def _date(pattern: str, said: str) -> Conversion:
    """A pattern of dates; `%Y` takes four digits, though DuckDB would take two."""
    shape = re.sub("%(.)", lambda m: SHAPES.get(m[1], r"\d{{1,2}}"), pattern.replace(".", "[.]"))
    sql = (
        f"CASE WHEN regexp_full_match({{c}}, {quoted_text(shape)}) THEN try_strptime({{c}}, {quoted_text(pattern)}) END"
    )
    return Conversion(said, pattern, "VARCHAR", sql, "TIMESTAMP")


ORDERS = {
    "day": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y"),
    "month": ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y"),
}
NAMED = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%Y/%m/%d", "%Y.%m.%d")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def choose(values: list[str], how: How) -> Conversion:
    """Settle how a column is read from some of its different texts (missing ones left out)."""
    if how.text:
        return AS_TEXT
    stripped = [v.strip() for v in values]
    known = [v for v in stripped if v]
    found = _numbers(known, how) or _truths(known) or _dates(known, how)
    if found is not None:
        return replace(from_text(found), padded=True) if stripped != values else found
    return AS_TEXT if stripped == values else TRIMMED


def from_text(found: Conversion) -> Conversion:
    """The same conversion where cells come as text."""
    if found.sql is not None or found.native == "VARCHAR":
        return found
    if found == INTEGER:
        return LONG_INTEGER
    sql = f"CASE WHEN NOT regexp_matches({{c}}, '{STRAY_SQL.replace('{', '{{').replace('}', '}}')}') "
    return replace(found, native="VARCHAR", sql=f"{sql}THEN TRY_CAST({{c}} AS DOUBLE) END")


def _truths(known: list[str]) -> Conversion | None:
    return BOOLEAN if known and {v.lower() for v in known} <= {"true", "false"} else None


def _numbers(known: list[str], how: How) -> Conversion | None:
    if any(CODE.match(v) for v in known):
        return None
    if all(map(WHOLE.fullmatch, known)):  # nothing known yet: the strictest, so that what comes late is looked at
        return INTEGER if known and max(map(len, known)) <= SAFE_DIGITS else LONG_INTEGER
    if any(map(LONG.fullmatch, known)):
        return None  # beside numbers with a fraction they would lose digits
    if all(map(REAL.fullmatch, known)) and not (how.mark == "," and how.sure and mark_of(known, ",") == ","):
        return FLOAT
    parts = [number_parts(v) for v in known]
    if not all(parts):
        return None
    units = {(m["before"] or "", m["after"] or "") for m in parts if m is not None}
    mark = how.mark if how.asked else mark_of(known, how.mark)
    return _with_unit(*units.pop(), mark) if len(units) == 1 else None


def _with_unit(before: str, after: str, mark: str) -> Conversion:
    """Numbers with separators and one unit, the same in every cell."""
    said = "numbers with a decimal comma" if mark == "," else "numbers with thousands separators"
    if before or after:
        unit = "per cent" if after == "%" else before or after
        said = f"numbers in {unit}" + (" with a decimal comma" if mark == "," else "")
    return Conversion(said, mark, "VARCHAR", number_sql(mark, (before, after)), "DOUBLE")


def number_sql(mark: str, unit: tuple[str, str] | None = None) -> str:
    """SQL of a number written with separators, a unit (any, unless said) or brackets; {c} is the trimmed text."""
    cleaned = f"regexp_replace({{c}}, '[^0-9{mark}-]', '', 'g')"
    if mark == ",":
        cleaned = f"replace({cleaned}, ',', '.')"
    number = f"TRY_CAST({cleaned} AS DOUBLE)"
    before, after = unit or (r"[^0-9()-]{{0,3}}", r"[^0-9()]{{0,3}}")
    if unit is not None:
        before, after = (re.escape(part).replace("'", "''") for part in unit)
    thousands = r"(?:[ .''’\x{{00A0}}\x{{202F}}]\d{{3}})+"
    if mark == ".":
        thousands = r"(?:(?:,\d{{2,3}})*,\d{{3}}|(?:[ ''’\x{{00A0}}\x{{202F}}]\d{{3}})+)"
    digits = rf"(?:[1-9]\d{{{{0,2}}}}{thousands}|0|[1-9]\d*)(?:[{mark}]\d+)?"
    plain = rf"{before}\s?-?{digits}\s?{after}"
    below = rf"\(\s?{before}\s?{digits}\s?{after}\s?\)"
    signed = f"CASE WHEN {{c}} LIKE '(%' THEN -{number} ELSE {number} END"
    return f"CASE WHEN regexp_full_match({{c}}, '-?{plain}|{below}') THEN {signed} END"


def mark_of(values: Iterable[str], usual: str) -> str:
    """The decimal mark of some numbers: the last of the two in a value that has both, or one that is not followed by
    exactly three digits; where neither settles it, what is usual in the file."""
    evidence = _evidence(values)
    if evidence[","] and not evidence["."]:
        return ","
    if evidence["."] and not evidence[","]:
        return "."
    return usual


def _evidence(values: Iterable[str]) -> dict[str, int]:
    found = {",": 0, ".": 0}
    for value in values:
        comma, point = value.rfind(","), value.rfind(".")
        if comma >= 0 and point >= 0:
            found["," if comma > point else "."] += 1
        elif comma >= 0 and (ONE_MARK[","].search(value) or value.lstrip("-+").startswith("0,")):
            found[","] += 1
        elif point >= 0 and (ONE_MARK["."].search(value) or value.lstrip("-+").startswith("0.")):
            found["."] += 1
    return found


def usual_mark(columns: Iterable[list[str]], delimiter: str) -> tuple[str, bool]:
    """The decimal mark of a file, and whether some column settles it; else a comma where semicolons part the cells."""
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
    tried = known[:TRIED] + known[-TRIED:]
    if not tried or not all(map(DATE_LIKE.fullmatch, tried)):
        return None
    if all(map(STAMP.fullmatch, tried)):
        return ISO
    if all(map(ZONED.fullmatch, tried)):
        return IN_UTC
    first, second = ("month", "day") if how.dates == "month" else ("day", "month")
    for clock in CLOCKS:
        for one, other in zip(ORDERS[first], ORDERS[second], strict=True):
            fits_one, fits_other = _all_parse(tried, one + clock), _all_parse(tried, other + clock)
            if fits_one or fits_other:
                chosen, order = (one, first) if fits_one else (other, second)
                both = fits_one and fits_other and how.dates is None
                more = f"; {second} first would fit as well" if both else ""
                return _date(chosen + clock, f"dates ({order} first{more})")
        for pattern in NAMED:
            if _all_parse(tried, pattern + clock):
                return _date(pattern + clock, "dates")
    return None


def _all_parse(values: list[str], pattern: str) -> bool:
    try:
        for value in values:
            dt.datetime.strptime(value, pattern)
    except ValueError:
        return False
    return True


def said(types: Mapping[str, Conversion]) -> list[str]:
    """What was assumed of columns, as sentences."""
    told: dict[str, list[str]] = {}
    for name, conversion in types.items():
        if conversion.said not in UNSAID:
            told.setdefault(conversion.said, []).append(name)
    return [f"{', '.join(names[:6])}{' …' if len(names) > 6 else ''}: read as {how}." for how, names in told.items()]


def texts(
    raw: Path, out: Path, how: How, *, numbers: bool = True, kept: Sequence[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Write the Parquet file `raw` to `out` with its texts converted.

    `numbers` is false where the format has numbers of its own, so that a text of digits is meant; columns of `kept`
    stay as they are. Returns what was assumed, as sentences, and how each converted column was read.
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
        different = f"SELECT DISTINCT {c} FROM {source} WHERE {c} IS NOT NULL"
        values = [v for (v,) in con.execute(f"{different} LIMIT 2000").fetchall()]
        for _ in range(4):
            chosen = from_text(choose(values, how))
            bad = con.execute(f"{different} AND NOT coalesce({chosen.fits(c)}, false) LIMIT 200").fetchall()
            if not bad:
                break
            values += [v for (v,) in bad]
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
    return said(types), {name: t.parse for name, t in types.items() if t.parse}
