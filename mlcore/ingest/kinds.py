"""What each column is: kind, first role, and the reason, from counts over the Parquet file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mlcore.dataset import Column, Kind, Schema
from mlcore.ingest.frames import connection, quoted, quoted_text

EXACT_ROWS = 500_000  # above this many rows distinct values are counted approximately first
ID_NAME = re.compile(
    r"(^|[_\s.\-])(id|ids|uuid|guid|key|no|nr|number|code|index|idx)$|[a-z](Id|ID|Key|No|Nr)$|^(id|unnamed: 0)$",
    re.IGNORECASE,
)
ID_CASED = re.compile(r"[a-z](Id|ID|Key|No|Nr)$|^(ID|Id|id)$")
TYPES = {"BIGINT": "integer", "DOUBLE": "float", "BOOLEAN": "boolean", "VARCHAR": "text"}


@dataclass(frozen=True)
class Counts:
    """What is counted of one column."""

    dtype: str
    rows: int
    known: int
    distinct: int
    span: float  # highest less lowest plus one, of whole numbers; 0 otherwise
    words: float  # mean number of words, of texts
    length: float  # mean number of characters, of texts


def infer(path: Path, parses: dict[str, str]) -> tuple[int, Schema]:
    """Return the row count and the schema of a Parquet file; `parses` say how texts were read."""
    con = connection(path.parent)
    source = f"read_parquet({quoted_text(str(path))})"
    described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    names = {name: TYPES.get(kind, "datetime") for name, kind, *_ in described}
    rows: int = con.execute(f"SELECT count(*) FROM {source}").fetchone()[0]  # type: ignore[index]
    columns = []
    listed = list(names)
    for start in range(0, len(listed), 200):  # very wide tables are counted in pieces
        part = listed[start : start + 200]
        asked = ", ".join(_asked(n, names[n], rows) for n in part)
        answers = con.execute(f"SELECT {asked} FROM {source}").fetchone() or ()
        for i, name in enumerate(part):
            known, distinct, span, words, length = answers[5 * i : 5 * i + 5]
            if rows > EXACT_ROWS and distinct > 0.9 * known:
                distinct = con.execute(f"SELECT count(DISTINCT {quoted(name)}) FROM {source}").fetchone()[0]  # type: ignore[index]
            counts = Counts(names[name], rows, known, min(distinct, known), span or 0, words or 0, length or 0)
            kind, reason = kind_of(name, counts)
            role = "ignore" if kind in ("identifier", "text", "constant") else "feature"
            told = (rows - known, counts.distinct, reason, parses.get(name, ""))
            columns.append(Column(name, kind, role, names[name], *told))  # type: ignore[arg-type]
    con.close()
    return rows, Schema(tuple(columns))


def _asked(name: str, dtype: str, rows: int) -> str:
    c = quoted(name)
    distinct = f"count(DISTINCT {c})" if rows <= EXACT_ROWS else f"approx_count_distinct({c})"
    span = f"max({c})::DOUBLE - min({c})::DOUBLE + 1" if dtype == "integer" else "0"
    words = f"avg(length({c}) - length(replace({c}, ' ', '')) + 1)" if dtype == "text" else "0"
    length = f"avg(length({c}))" if dtype == "text" else "0"
    return f"count({c}), {distinct}, {span}, {words}, {length}"


def kind_of(name: str, counts: Counts) -> tuple[Kind, str]:
    """Decide a kind from the counts, and say why.

    >>> kind_of("PassengerId", Counts("integer", 891, 891, 891, 891, 0, 0))[0]
    'identifier'
    >>> kind_of("Population", Counts("integer", 500, 500, 500, 90000, 0, 0))[0]
    'numeric'
    >>> kind_of("Name", Counts("text", 891, 891, 891, 0, 4.1, 27))[0]
    'text'
    """
    if counts.known == 0:
        return "constant", "every cell is missing"
    if counts.distinct == 1:
        if counts.known < counts.rows:
            return "categorical", "one value or missing, which may itself tell something"
        return "constant", "one value only"
    if counts.dtype == "boolean":
        return "boolean", "true or false"
    if counts.dtype == "datetime":
        return "datetime", "dates"
    all_differ = counts.distinct == counts.known and counts.known >= 20
    if counts.dtype in ("integer", "float"):
        return _of_numbers(name, counts, all_differ)
    return _of_texts(name, counts, all_differ)


def _of_numbers(name: str, counts: Counts, all_differ: bool) -> tuple[Kind, str]:
    named_id = bool(ID_NAME.search(name)) and (
        name == name.lower() or bool(ID_CASED.search(name)) or " " in name or name.isupper()
    )
    if all_differ and counts.dtype == "integer" and counts.known == counts.rows:
        if counts.span == counts.known:
            return "identifier", f"counts from row to row: {counts.distinct:,} different whole numbers without a gap"
        if named_id:
            return "identifier", f"its name, and {counts.distinct:,} different whole numbers in as many rows"
    return "numeric", "whole numbers" if counts.dtype == "integer" else "numbers"


def _of_texts(name: str, counts: Counts, all_differ: bool) -> tuple[Kind, str]:
    varied = counts.distinct > 0.5 * counts.known and counts.known >= 20
    if varied and counts.words >= 3 and counts.length >= 15:
        return "text", f"free text: {counts.words:.0f} words in a cell, hardly two alike"
    if all_differ and counts.known == counts.rows:
        return "identifier", f"{counts.distinct:,} different values in as many rows"
    return "categorical", f"{counts.distinct:,} levels"
