"""JSON (a list of records, or columns) and JSON Lines; nested records are flattened by one level."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mlcore.dataset import Reading
from mlcore.errors import CannotRead
from mlcore.ingest.frames import Loaded, Order, cells_to_parquet
from mlcore.result import several


def load(order: Order) -> Loaded:
    """Read one JSON document."""
    try:
        found = json.loads(order.path.read_bytes())
    except (ValueError, RecursionError) as error:
        if order.path.read_bytes()[:1] == b"{" and b"\n{" in order.path.read_bytes()[: 1 << 20]:
            return load_lines(order)
        raise CannotRead(f"{order.name} is not valid JSON: {_short(error)}.") from None
    loaded = _write(order, _records(order, found), "JSON")
    inner = (
        [k for k, v in found.items() if isinstance(v, list) and v and isinstance(v[0], dict)]
        if isinstance(found, dict)
        else []
    )
    if len(inner) != 1 or len(found) == 1:
        return loaded
    left = several([repr(k) for k in found if k != inner[0]])
    note = f"Only the records under {inner[0]!r} were read; {left} were not."
    return replace(loaded, reading=replace(loaded.reading, notes=(*loaded.reading.notes, note)))


def load_lines(order: Order) -> Loaded:
    """Read one JSON value a line."""
    records = []
    for number, line in enumerate(order.path.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise CannotRead(f"{order.name}, line {number}, is not valid JSON: {_short(error)}.") from None
    return _write(order, records, "JSON Lines")


def _records(order: Order, found: Any) -> list[Any]:
    if isinstance(found, list):
        return found
    if isinstance(found, dict):
        lists = {k: v for k, v in found.items() if isinstance(v, list)}
        if {"columns", "data"} <= set(lists) and all(isinstance(row, list) for row in lists["data"]):
            return [dict(zip(map(str, lists["columns"]), row, strict=False)) for row in lists["data"]]
        if len(lists) == len(found) and found and len({len(v) for v in lists.values()}) == 1:
            return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        dicts = [v for v in found.values() if isinstance(v, dict)]
        if found and len(dicts) == len(found):  # pandas' default: column → index → value
            keys = list(dict.fromkeys(k for d in dicts for k in d))
            if len(found) > len(keys):  # more names than cells in each: a record a name
                return [{"index": name, **cells} for name, cells in found.items()]
            return [{name: found[name].get(key) for name in found} for key in keys]
        inner = [k for k, v in lists.items() if v and isinstance(v[0], dict)]
        if len(inner) == 1:
            return list(lists[inner[0]])
    raise CannotRead(f"{order.name} is JSON, but not a table: give a list of records, or one list per column.")


def _write(order: Order, records: list[Any], title: str) -> Loaded:
    if not records:
        raise CannotRead(f"{order.name} holds no records. Choose a file with rows.")
    if not all(isinstance(r, dict) for r in records):
        raise CannotRead(f"{order.name} is JSON, but its rows are not records with named cells.")
    flat = [_flat(r) for r in records]
    names = list(dict.fromkeys(k for r in flat for k in r))
    notes = cells_to_parquet(names, [[r.get(n) for n in names] for r in flat], order.raw)
    return Loaded(Reading(title, "UTF-8", notes=tuple(notes)), "may be dates")


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            for inner, cell in value.items():
                out[_free(f"{key}.{inner}", out)] = cell
        else:
            out[_free(key, out)] = value
    return out


def _free(name: str, taken: dict[str, Any]) -> str:
    """A name that no cell of the record has yet."""
    while name in taken:
        name += "_"
    return name


def _short(error: BaseException) -> str:
    return "it is nested too deep" if isinstance(error, RecursionError) else str(error)[:160]
