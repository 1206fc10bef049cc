"""SQL of a column according to its kind: a number, a timestamp, a category."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

from mlcore.data.dataset import Column


def real(column: Column) -> str:
    """SQL of a column as finite real numbers; dates are seconds since 1970."""
    name = quoted(column.name)
    if column.dtype == "datetime":
        return f"epoch({name})"
    if column.dtype == "boolean":
        return f"CAST({name} AS INT)"
    if column.dtype == "text":
        text = f"trim({name})"
        if column.kind == "datetime":
            date = f"try_strptime({text}, {quoted_text(column.parse)})" if "%" in column.parse else ""
            return f"epoch({date or f'TRY_CAST({text} AS TIMESTAMP)'})"
        number = (
            number_sql(column.parse).format(c=text) if column.parse in (".", ",") else f"TRY_CAST({text} AS DOUBLE)"
        )
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


def number_sql(mark: str, unit: tuple[str, str] | None = None) -> str:
    """SQL of a number with separators, a unit (any by default) or brackets; {c} is the trimmed text."""
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
    negative = rf"\(\s?{before}\s?{digits}\s?{after}\s?\)"
    signed = f"CASE WHEN {{c}} LIKE '(%' THEN -{number} ELSE {number} END"
    return f"CASE WHEN regexp_full_match({{c}}, '-?{plain}|{negative}') THEN {signed} END"


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
