"""Parquet and Feather/Arrow: types are kept; nested columns become their JSON text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlcore.dataset import Reading
from mlcore.errors import CannotRead
from mlcore.ingest.frames import names_note

if TYPE_CHECKING:
    from mlcore.ingest.child import Order


def load_parquet(order: Order) -> Reading:
    """Copy a Parquet file row group by row group, so that memory stays small."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(order.path)
    except (pa.ArrowException, OSError) as error:
        raise CannotRead(f"{order.name} is not a readable Parquet file: {str(error)[:160]}.") from None
    names, notes = names_note(list(file.schema_arrow.names))
    _copy((pa.Table.from_batches([b], schema=file.schema_arrow) for b in file.iter_batches(65_536)),
          file.schema_arrow.empty_table(), names, order)
    return Reading("Parquet", notes=tuple(notes))


def load_arrow(order: Order) -> Reading:
    """Copy a Feather (Arrow IPC) file."""
    import pyarrow as pa
    import pyarrow.feather as feather

    try:
        table = feather.read_table(order.path)
    except (pa.ArrowException, OSError) as error:
        raise CannotRead(f"{order.name} is not a readable Feather file: {str(error)[:160]}.") from None
    names, notes = names_note(list(table.schema.names))
    _copy(iter([table]), table.schema.empty_table(), names, order)
    return Reading("Feather", notes=tuple(notes))


def _copy(tables: Any, empty: Any, names: list[str], order: Order) -> None:
    import pyarrow.parquet as pq

    keep = [i for i, n in enumerate(empty.schema.names) if not n.startswith("__index_level_")]
    plain = _plain(empty.select(keep).rename_columns([names[i] for i in keep]))
    with pq.ParquetWriter(order.raw, plain.schema, compression="zstd") as writer:
        for table in tables:
            chunk = _plain(table.select(keep).rename_columns([names[i] for i in keep]))
            writer.write_table(chunk.cast(plain.schema))


def _plain(table: Any) -> Any:
    """Bring each column to one of: integer, float, boolean, timestamp, text."""
    import json

    import pyarrow as pa
    import pyarrow.types as pt

    def column(array: Any) -> Any:
        kind = array.type
        if pt.is_dictionary(kind):
            array = array.cast(kind.value_type)
            kind = array.type
        if pt.is_boolean(kind) or pt.is_float64(kind) or pt.is_int64(kind):
            return array
        if pt.is_integer(kind):
            return array.cast(pa.int64() if not pt.is_uint64(kind) else pa.float64(), safe=False)
        if pt.is_floating(kind) or pt.is_decimal(kind):
            return array.cast(pa.float64(), safe=False)
        if pt.is_date(kind) or pt.is_timestamp(kind):
            if pt.is_timestamp(kind) and kind.tz is not None:
                array = array.cast(pa.timestamp(kind.unit, "UTC"))
            return array.cast(pa.timestamp("us"), safe=False)
        if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind):
            return array.cast(pa.string())
        if pt.is_null(kind):
            return array.cast(pa.float64())
        if pt.is_duration(kind):
            return pa.chunked_array([pa.array([None if v is None else v.total_seconds() for v in array.to_pylist()],
                                              pa.float64())])
        values = [None if v is None else v.decode("utf-8", "replace") if isinstance(v, bytes)
                  else json.dumps(v, default=str) if isinstance(v, (dict, list)) else str(v) for v in array.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.string())])

    return pa.table({name: column(table.column(i)) for i, name in enumerate(table.schema.names)})
