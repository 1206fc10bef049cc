"""Parquet and Feather/Arrow: types are kept; nested columns become JSON text."""

from __future__ import annotations

import re
from typing import Any

from mlcore.data.dataset import Reading
from mlcore.errors import CannotRead
from mlcore.ingest.frames import Loaded, Order, names_note
from mlcore.wording import several


def load_parquet(order: Order) -> Loaded:
    """Copy a Parquet file in batches of rows, to use little memory."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(order.path)
    except (pa.ArrowException, OSError) as error:
        raise CannotRead(f"{order.name} is not a readable Parquet file: {str(error)[:160]}.") from None
    kept, given = _columns(file.schema_arrow)
    names, notes = names_note(given)
    notes += _lossy(file.schema_arrow)
    _copy(
        (pa.Table.from_batches([b], schema=file.schema_arrow) for b in file.iter_batches(65_536)),
        file.schema_arrow.empty_table(),
        dict(zip(kept, names, strict=True)),
        order,
    )
    return Loaded(Reading("Parquet", notes=tuple(notes)), "settled")


def load_arrow(order: Order) -> Loaded:
    """Copy a Feather (Arrow IPC) file."""
    import pyarrow as pa
    from pyarrow import feather

    try:
        table = feather.read_table(order.path)
    except (pa.ArrowException, OSError) as error:
        raise CannotRead(f"{order.name} is not a readable Feather file: {str(error)[:160]}.") from None
    kept, given = _columns(table.schema)
    names, notes = names_note(given)
    notes += _lossy(table.schema)
    _copy(iter([table]), table.schema.empty_table(), dict(zip(kept, names, strict=True)), order)
    return Loaded(Reading("Feather", notes=tuple(notes)), "settled")


def _lossy(schema: Any) -> list[str]:
    """Notes on columns that lose digits, because only 8-byte numbers and microseconds are stored."""
    import pyarrow.types as pt

    wide = [f.name for f in schema if pt.is_uint64(f.type) or (pt.is_decimal(f.type) and f.type.precision > 15)]
    fine = [f.name for f in schema if pt.is_timestamp(f.type) and f.type.unit == "ns"]
    notes = [f"{several(wide)}: kept to 15 digits."] if wide else []
    return notes + ([f"{several(fine)}: kept to the microsecond."] if fine else [])


UNNAMED_INDEX = re.compile(r"__index_level_(\d+)__")


def _columns(schema: Any) -> tuple[list[int], list[str]]:
    """Positions and names of the columns, with those of a pandas index first if they hold anything but 0 … n − 1.

    pandas writes an index of 0 … n − 1 as its range, without a column.
    """
    names = list(schema.names)
    index = [i for i, n in enumerate(names) if UNNAMED_INDEX.fullmatch(n)]
    order = [*index, *(i for i in range(len(names)) if i not in index)]
    given = {i: _index_name(len(index), number) for number, i in enumerate(index)}
    return order, [given.get(i, names[i]) for i in order]


def _index_name(levels: int, number: int) -> str:
    return "index" if levels == 1 else f"index_{number + 1}"


def _copy(tables: Any, empty: Any, names: dict[int, str], order: Order) -> None:
    """Write the columns at the positions `names` under their names."""
    import pyarrow.parquet as pq

    kept, new = list(names), list(names.values())
    plain = _plain(empty.select(kept).rename_columns(new))
    with pq.ParquetWriter(order.data, plain.schema) as writer:
        for table in tables:
            chunk = _plain(table.select(kept).rename_columns(new))
            writer.write_table(chunk.cast(plain.schema))


def _plain(table: Any) -> Any:
    """Convert each column to one of: integer, float, boolean, timestamp, text."""
    import pyarrow as pa

    return pa.table({name: _plain_column(table.column(i)) for i, name in enumerate(table.schema.names)})


def _plain_column(array: Any) -> Any:
    import pyarrow as pa
    import pyarrow.types as pt

    if pt.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    kind = array.type
    if pt.is_timestamp(kind) and kind.tz is not None:
        array = array.cast(pa.timestamp(kind.unit, "UTC"))
    casts = (
        (pt.is_boolean, pa.bool_()),
        (pt.is_uint64, pa.float64()),
        (pt.is_integer, pa.int64()),
        (pt.is_floating, pa.float64()),
        (pt.is_decimal, pa.float64()),
        (pt.is_null, pa.float64()),
        (pt.is_date, pa.timestamp("us")),
        (pt.is_timestamp, pa.timestamp("us")),
        (pt.is_string, pa.string()),
        (pt.is_large_string, pa.string()),
        (pt.is_string_view, pa.string()),
    )
    for fits, target in casts:
        if fits(kind):
            converted = array.cast(target, safe=False)
            return _without_nan(converted) if pt.is_floating(target) else converted
    if pt.is_duration(kind) or pt.is_time(kind):
        seconds = [None if v is None else _seconds(v) for v in array.to_pylist()]
        return pa.chunked_array([pa.array(seconds, pa.float64())])
    return pa.chunked_array([pa.array([_text(v) for v in array.to_pylist()], pa.string())])


def _seconds(value: Any) -> float:
    """The seconds of a duration, or of a time of day since midnight."""
    if hasattr(value, "total_seconds"):
        return float(value.total_seconds())
    return float(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)


def _without_nan(array: Any) -> Any:
    """Replace NaN with null, so that missing values have one representation."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(pc.is_nan(array), pa.scalar(None, pa.float64()), array)


def _text(value: Any) -> str | None:
    import json

    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json.dumps(value, default=str) if isinstance(value, (dict, list)) else str(value)
