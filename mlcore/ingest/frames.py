"""Shared parts of the readers: the order, its result, column names, and Python values to Parquet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mlcore.data.dataset import Kind, Reading, unique_names
from mlcore.errors import CannotRead
from mlcore.ingest.options import ReadOptions
from mlcore.wording import several

MOST_COLUMNS = 20_000


@dataclass(frozen=True)
class Order:
    """A file to read, its options, and the folder for the result."""

    path: Path
    name: str
    options: ReadOptions
    out: Path

    @property
    def raw(self) -> Path:
        """The Parquet file as first read, before texts are converted to numbers and dates."""
        return self.out / "raw.parquet"

    @property
    def data(self) -> Path:
        """The final Parquet file."""
        return self.out / "data.parquet"


@dataclass(frozen=True)
class Loaded:
    """The result of a reader: how the file was read, and which texts in `Order.raw` remain to be converted."""

    reading: Reading
    texts: Literal["settled", "may be dates", "may be anything"]  # settled: `Order.data` is already written
    parses: tuple[tuple[str, str], ...] = ()  # how text columns were read
    kinds: tuple[tuple[str, Kind], ...] = ()  # that the file declares
    ignored: tuple[str, ...] = ()  # columns that the file declares not to be features


def names_note(names: Sequence[object]) -> tuple[list[str], list[str]]:
    """Return unique names, and a note if any name was changed."""
    if len(names) > MOST_COLUMNS:
        raise CannotRead(f"The table has {len(names):,} columns; the maximum is {MOST_COLUMNS:,}. Is it transposed?")
    unique, changed = unique_names(list(names))
    if not changed:
        return unique, []
    shown = ", ".join(repr(c) for c in changed[:5]) + (" …" if len(changed) > 5 else "")
    subject = "column name was" if len(changed) == 1 else "column names were"
    return unique, [f"{len(changed)} {subject} empty, repeated or of several lines; now {shown}."]


def cells_to_parquet(header: Sequence[object], rows: Sequence[Sequence[Any]], out: Path) -> list[str]:
    """Write rows of Python values as Parquet; a column of mixed types becomes text. Returns notes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names, notes = names_note([_as_text(name) for name in header])
    arrays = [_array([row[i] if i < len(row) else None for row in rows]) for i in range(len(names))]
    pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), out)
    return notes


def _as_text(value: Any) -> Any:
    """A value as text; spreadsheets store 12 as 12.0, so a whole float is written without decimals."""
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _array(values: list[Any]) -> Any:
    import datetime as dt

    import pyarrow as pa

    values = [None if v is None or v == "" else _plain(v) for v in values]
    types = {type(v) for v in values if v is not None}
    if types <= {int, float} and types != {int}:
        values = [None if v is None else float(v) for v in values]
        if all(v is None or (abs(v) < 2**53 and v.is_integer()) for v in values) and types:
            values = [None if v is None else int(v) for v in values]
    elif types == {dt.datetime}:
        return pa.array(values, pa.timestamp("us"))
    elif len(types) > 1 or types & {dict, list}:
        import json

        values = [None if v is None else json.dumps(v) if isinstance(v, (dict, list)) else _as_text(v) for v in values]
    if not types:
        return pa.array(values, pa.float64())
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if v is None else str(v) for v in values])


def _plain(value: Any) -> Any:
    """A day as the time at which it begins; a duration or a time of day as seconds."""
    import datetime as dt

    if type(value) is dt.date:
        return dt.datetime(value.year, value.month, value.day)
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, dt.time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    if isinstance(value, str) and (iso := ISO_DURATION.fullmatch(value)) is not None:
        return int(iso[1]) * 3600 + int(iso[2]) * 60 + float(iso[3].replace(",", "."))
    return value


ISO_DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+(?:[.,]\d+)?)S")  # of more than a day in ods


def _is_timed(value: Any) -> bool:
    import datetime as dt

    return isinstance(value, (dt.timedelta, dt.time)) or (
        isinstance(value, str) and bool(ISO_DURATION.fullmatch(value))
    )


def seconds_notes(header: Sequence[object], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A note on columns of durations or times of day, which are read as seconds."""
    timed = [str(name) for i, name in enumerate(header) if any(_is_timed(row[i]) for row in rows if i < len(row))]
    return [f"{several(timed)}: durations or times of day, read as seconds."] if timed else []
