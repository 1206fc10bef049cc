"""JSON (a list of records, or columns) and JSON Lines; nested records are flattened by one level."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mlcore.data.dataset import Reading
from mlcore.errors import CannotRead
from mlcore.ingest.frames import Loaded, Order, cells_to_parquet
from mlcore.wording import several


def load(order: Order) -> Loaded:
    """Read one JSON document."""
    try:
        document = json.loads(order.path.read_bytes())
    except (ValueError, RecursionError) as error:
        if order.path.read_bytes()[:1] == b"{" and b"\n{" in order.path.read_bytes()[: 1 << 20]:
            return load_lines(order)
        raise CannotRead(f"{order.name} is not valid JSON: {_reason(error)}.") from None
    loaded = _write(order, _records(order, document), "JSON")
    inner = (
        [k for k, v in document.items() if isinstance(v, list) and v and isinstance(v[0], dict)]
        if isinstance(document, dict)
        else []
    )
    if len(inner) != 1 or len(document) == 1:
        return loaded
    skipped = several([repr(k) for k in document if k != inner[0]])
    note = f"Only the records under {inner[0]!r} were read; {skipped} were not."
    return replace(loaded, reading=replace(loaded.reading, notes=(*loaded.reading.notes, note)))


def load_lines(order: Order) -> Loaded:
    """Read one JSON value per line."""
    records = []
    for number, line in enumerate(order.path.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise CannotRead(f"{order.name}, line {number}, is not valid JSON: {_reason(error)}.") from None
    return _write(order, records, "JSON Lines")


def _records(order: Order, document: Any) -> list[Any]:
    if isinstance(document, list):
        return document
    if isinstance(document, dict):
        lists = {k: v for k, v in document.items() if isinstance(v, list)}
        if {"columns", "data"} <= set(lists) and all(isinstance(row, list) for row in lists["data"]):
            return [dict(zip(map(str, lists["columns"]), row, strict=False)) for row in lists["data"]]
        if len(lists) == len(document) and document and len({len(v) for v in lists.values()}) == 1:
            return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        dicts = [v for v in document.values() if isinstance(v, dict)]
        if document and len(dicts) == len(document):  # pandas' default: column → index → value
            keys = list(dict.fromkeys(k for d in dicts for k in d))
            if len(document) > len(keys):  # more names than values in each: one record per name
                return [{"index": name, **values} for name, values in document.items()]
            return [{name: document[name].get(key) for name in document} for key in keys]
        inner = [k for k, v in lists.items() if v and isinstance(v[0], dict)]
        if len(inner) == 1:
            return list(lists[inner[0]])
    raise CannotRead(f"{order.name} is JSON, but not a table. Use a list of records, or one list per column.")


def _write(order: Order, records: list[Any], title: str) -> Loaded:
    if not records:
        raise CannotRead(f"{order.name} contains no records. Choose a file with rows.")
    if not all(isinstance(r, dict) for r in records):
        raise CannotRead(f"{order.name} is JSON, but not all its rows are records with named values.")
    flat = [_flat(r) for r in records]
    names = list(dict.fromkeys(k for r in flat for k in r))
    notes = cells_to_parquet(names, [[r.get(n) for n in names] for r in flat], order.raw)
    return Loaded(Reading(title, "UTF-8", notes=tuple(notes)), "may be dates")


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            for inner, nested in value.items():
                out[_unique_name(f"{key}.{inner}", out)] = nested
        else:
            out[_unique_name(key, out)] = value
    return out


def _unique_name(name: str, record: dict[str, Any]) -> str:
    """A name that is not yet used in the record."""
    while name in record:
        name += "_"
    return name


def _reason(error: BaseException) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:160]
