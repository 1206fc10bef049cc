"""What the readers share: the order, a DuckDB connection for hostile files, and loose cells to Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb

from mlcore.dataset import Reading, unique_names
from mlcore.errors import CannotRead
from mlcore.ingest.options import ReadOptions

MOST_COLUMNS = 20_000
WIDE = 1_000


@dataclass(frozen=True)
class Order:
    """What to read, where to put it."""

    path: Path
    name: str
    options: ReadOptions
    out: Path

    @property
    def raw(self) -> Path:
        """The Parquet file as first read, before texts were turned into numbers and dates."""
        return self.out / "raw.parquet"

    @property
    def data(self) -> Path:
        """The Parquet file as it will be kept."""
        return self.out / "data.parquet"


@dataclass(frozen=True)
class Loaded:
    """What a reader brings back: how it understood the file, and what is left to settle in `Order.raw`."""

    reading: Reading
    texts: Literal["settled", "may be dates", "may be anything"]  # settled: `Order.data` is written already
    parses: tuple[tuple[str, str], ...] = ()  # how columns of texts were read


def connection(spool: Path, columns: int = 0) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB that spills to the spool folder and cannot fetch anything from outside; `columns` of one table."""
    con = duckdb.connect()
    wide = columns > WIDE  # each thread holds some thousand rows of all columns
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
    """Names that no column has, for what SQL has to count on the way.

    >>> free_names(["Place", "x"], 2)
    ['place_', 'place__']
    """
    used, found, name = {n.casefold() for n in taken}, list[str](), "place"
    while len(found) < count:
        if name not in used:
            found.append(name)
        name += "_"
    return found


def names_note(names: Sequence[object]) -> tuple[list[str], list[str]]:
    """Return unique names and what to say about the change."""
    if len(names) > MOST_COLUMNS:
        raise CannotRead(
            f"There are {len(names):,} columns; at most {MOST_COLUMNS:,} are read. Is the table turned on its side?"
        )
    unique, changed = unique_names(list(names))
    if not changed:
        return unique, []
    shown = ", ".join(repr(c) for c in changed[:5]) + (" …" if len(changed) > 5 else "")
    return unique, [f"{len(changed)} column names were empty or repeated; they are now {shown}."]


def cells_to_parquet(header: Sequence[object], rows: Sequence[Sequence[Any]], out: Path) -> list[str]:
    """Write rows of Python values as Parquet; a column of mixed types becomes text. Returns notes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names, notes = names_note([_written(name) for name in header])
    arrays = [_array([row[i] if i < len(row) else None for row in rows]) for i in range(len(names))]
    pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), out)
    return notes


def _written(value: Any) -> Any:
    """A cell as text; spreadsheets keep 12 as 12.0, which nobody wrote."""
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _array(values: list[Any]) -> Any:
    import datetime as dt

    import pyarrow as pa

    values = [None if v is None or v == "" else v for v in values]
    types = {type(v) for v in values if v is not None}
    if types <= {int, float} and types != {int}:
        values = [None if v is None else float(v) for v in values]
        if all(v is None or (abs(v) < 2**53 and v.is_integer()) for v in values) and types:
            values = [None if v is None else int(v) for v in values]
    elif types == {dt.date, dt.datetime}:
        values = [dt.datetime(v.year, v.month, v.day) if type(v) is dt.date else v for v in values]
    elif len(types) > 1 or types & {dt.time, dt.timedelta, dict, list}:
        import json

        values = [None if v is None else json.dumps(v) if isinstance(v, (dict, list)) else _written(v) for v in values]
    if not types:
        return pa.array(values, pa.float64())
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if v is None else str(v) for v in values])
