"""Texts that are really booleans, numbers or dates, column by column; each conversion is all or nothing, and said."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from mlcore.ingest.frames import connection, quoted, quoted_text

CURRENCY = "€$£¥₹"
PLAIN_NUMBER = re.compile(
    rf"[-+]?[{CURRENCY}]?\s?[-+]?(\d{{1,3}}([ .,'’\u00a0\u202f]\d{{3}})+|\d+)([.,]\d+)?\s?[%{CURRENCY}]?"
)
LEADING_ZERO = re.compile(r"[-+]?0\d")


@dataclass(frozen=True)
class Conversion:
    """A way to read a text: its SQL, and how it is told to a person."""

    sql: str  # {c} stands for the trimmed text
    said: str
    parse: str  # what the column keeps of it, so that a raw frame can be read in the same way when predicting


def _date(pattern: str, said: str) -> Conversion:
    return Conversion(f"try_strptime({{c}}, {quoted_text(pattern)})", said, pattern)


ISO = Conversion("TRY_CAST({c} AS TIMESTAMP)", "dates (year-month-day)", "ISO8601")
# Day-first comes before month-first: where both fit every cell, day-first is assumed, and said.
DATES: tuple[Conversion, ...] = (
    ISO,
    *(
        _date(f"{date}{time}", f"dates ({said})")
        for said, dates in (
            ("day first", ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y")),
            ("month first", ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%b %d, %Y", "%B %d, %Y")),
            ("year first", ("%Y/%m/%d", "%Y.%m.%d")),
        )
        for date in dates
        for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p")
    ),
)
BOOLEAN = Conversion("CASE lower({c}) WHEN 'true' THEN true WHEN 'false' THEN false END", "true or false", "")


def texts(
    raw: Path, out: Path, decimal: str | None = None, *, numbers: bool = True
) -> tuple[list[str], dict[str, str]]:
    """Write `raw` to `out` with its texts converted.

    `numbers` is false where the format has numbers of its own, so that a text of digits is meant. Returns what was
    assumed, as sentences, and how each converted column was read.
    """
    con = connection(out.parent)
    source = f"read_parquet({quoted_text(str(raw))})"
    columns = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    chosen: dict[str, Conversion] = {}
    for name, kind, *_ in columns:
        if kind == "VARCHAR":
            found = _choose(con, source, name, decimal)
            if found is not None and (numbers or found.parse not in (".", ",")):
                chosen[name] = found
    if not chosen:
        con.close()
        os.replace(raw, out)
        return [], {}
    selected = ", ".join(
        f"{chosen[n].sql.format(c=f'trim({quoted(n)})')} AS {quoted(n)}" if n in chosen else quoted(n)
        for n, *_ in columns
    )
    con.execute(f"COPY (SELECT {selected} FROM {source}) TO {quoted_text(str(out))} (FORMAT parquet, COMPRESSION zstd)")
    con.close()
    said: dict[str, list[str]] = {}
    for name, conversion in chosen.items():
        if conversion not in (ISO, BOOLEAN):
            said.setdefault(conversion.said, []).append(name)
    notes = [f"{', '.join(names[:6])}{' …' if len(names) > 6 else ''}: read as {how}." for how, names in said.items()]
    return notes, {name: conversion.parse for name, conversion in chosen.items()}


def _choose(con: object, source: str, name: str, decimal: str | None) -> Conversion | None:
    column = f"trim({quoted(name)})"
    run = con.execute  # type: ignore[attr-defined]
    values = [
        v
        for (v,) in run(
            f"SELECT DISTINCT {column} FROM (SELECT {quoted(name)} FROM {source} "
            f"WHERE {quoted(name)} IS NOT NULL LIMIT 20000) LIMIT 2000"
        ).fetchall()
    ]
    if not values:
        return None
    for conversion in _fitting(values, decimal):
        sql = conversion.sql.format(c=column)
        bad = run(f"SELECT count(*) FROM {source} WHERE {quoted(name)} IS NOT NULL AND {sql} IS NULL").fetchone()[0]
        if bad == 0:
            return conversion
    return None


def _fitting(values: list[str], decimal: str | None) -> list[Conversion]:
    """The conversions worth trying on the whole column, judged by a sample of its values."""
    if {v.lower() for v in values} <= {"true", "false"}:
        return [BOOLEAN]
    if all(PLAIN_NUMBER.fullmatch(v) for v in values):
        if any(LEADING_ZERO.match(v) for v in values):
            return []  # codes, not numbers
        return [_number(values, decimal)]
    if all(any(ch.isdigit() for ch in v) and 6 <= len(v) <= 40 for v in values):
        return list(DATES)
    return []


def _number(values: list[str], decimal: str | None) -> Conversion:
    mark = decimal or _decimal_mark(values)
    said = "numbers with a decimal comma" if mark == "," else "numbers with thousands separators or units"
    if any("%" in v for v in values):
        said += " (per cent)"
    cleaned = f"regexp_replace({{c}}, '[^0-9{mark}+-]', '', 'g')"
    if mark == ",":
        cleaned = f"replace({cleaned}, ',', '.')"
    return Conversion(f"TRY_CAST({cleaned} AS DOUBLE)", said, mark)


def _decimal_mark(values: list[str]) -> str:
    """The last of the two marks in a value that has both, or one that is not followed by exactly three digits."""
    for value in values:
        comma, point = value.rfind(","), value.rfind(".")
        if comma >= 0 and point >= 0:
            return "," if comma > point else "."
    for mark, other in ((",", "."), (".", ",")):
        if any(re.search(rf"\{mark}(\d{{1,2}}|\d{{4,}})\D*$", v) for v in values) and not any(
            other in v for v in values
        ):
            return mark
    return "."
