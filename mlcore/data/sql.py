"""SQL of a column according to its kind: a number, a timestamp, a category."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

from mlcore.data.dataset import Column
from mlcore.data.number_formats import DURATION_SQL, DURATIONS, number_sql

# Blanks of all kinds; a value that consists of them is empty, and those around a value do not belong to it.
BLANKS = " \t\n\r\v\f\u00a0\u2000\u2001\u2002\u2003\u2007\u2008\u2009\u200a\u200b\u202f\u3000\ufeff"


def real(column: Column) -> str:
    """SQL of a column as finite real numbers; dates are seconds since 1970."""
    name = quoted(column.name)
    if column.dtype == "datetime":
        return f"epoch({name})"
    if column.dtype == "boolean":
        return f"CAST({name} AS INT)"
    if column.dtype == "text":
        text = trimmed(name)
        if column.kind == "datetime":
            date = f"try_strptime({text}, {quoted_text(column.parse)})" if "%" in column.parse else ""
            return f"epoch({date or f'TRY_CAST({text} AS TIMESTAMP)'})"
        number = f"TRY_CAST({text} AS DOUBLE)"
        if column.parse:
            number = (DURATION_SQL if column.parse == DURATIONS else number_sql(column.parse)).replace("{c}", text)
        return f"(CASE WHEN isfinite({number}) THEN {number} END)"
    if column.dtype == "integer":
        return f"{name}::DOUBLE"
    return f"(CASE WHEN isfinite({name}) THEN {name} END)"


def level(column: Column) -> str:
    """SQL of a column as text."""
    return f"CAST({quoted(column.name)} AS VARCHAR)"


def is_date(column: Column) -> bool:
    """Whether the column is plotted on a time axis."""
    return column.dtype == "datetime" or (column.dtype == "text" and column.kind == "datetime")


def trimmed(name: str) -> str:
    """SQL of a text without blanks of any kind around it."""
    return f"trim({name}, {quoted_text(BLANKS)})"


WIDE = 1_000


def connection(spool: Path, columns: int = 0) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB that spills to the spool folder and cannot download anything; `columns` is the table's width."""
    con = duckdb.connect()
    wide = columns > WIDE  # each thread holds a few thousand rows of all columns
    con.execute("SET memory_limit = '4GB'; SET threads = 1" if wide else "SET memory_limit = '1GB'")
    con.execute(f"SET temp_directory = {quoted_text(str(spool / 'spill'))}")
    con.execute("SET autoinstall_known_extensions = false")
    con.execute("SET preserve_insertion_order = true")
    return con


def quoted(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def quoted_path(path: Path) -> str:
    """SQL of the path of one file to read: DuckDB takes `*`, `?` and `[ ]` for a pattern, which may match other files.

    >>> quoted_path(Path("a[1].csv")), quoted_path(Path("it's.csv"))
    ("'a[[]1].csv'", "'it''s.csv'")
    """
    return quoted_text(re.sub(r"[*?\[]", lambda c: f"[{c[0]}]", str(path)))


def quoted_text(text: str) -> str:
    """Quote a string for SQL."""
    return "'" + text.replace("'", "''") + "'"


def free_names(taken: Iterable[str], count: int) -> list[str]:
    """Column names that are not taken, for intermediate results in SQL.

    >>> free_names(["Place", "x"], 2)
    ['place_', 'place__']
    """
    used, names, name = {n.casefold() for n in taken}, list[str](), "place"
    while len(names) < count:
        if name not in used:
            names.append(name)
        name += "_"
    return names
