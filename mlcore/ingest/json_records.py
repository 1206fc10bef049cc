"""JSON (records, columns, or any layout that pandas writes), JSON Lines and GeoJSON; flattened by one level."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mlcore.data.dataset import Reading
from mlcore.errors import CannotRead
from mlcore.ingest.frames import Loaded, Order, cells_to_parquet
from mlcore.wording import several

# MongoDB's extended JSON: an object with one of these names stands for its value.
EXTENDED = ("$numberDecimal", "$numberDouble", "$numberLong", "$numberInt", "$oid", "$date", "$uuid", "$symbol")


def load(order: Order) -> Loaded:
    """Read one JSON document."""
    content = order.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        if content.lstrip()[:1] == b"{" and b"\n{" in content[: 1 << 20].replace(b"\r", b""):
            return load_lines(order)
        raise CannotRead(f"{order.name} is not valid JSON: {_reason(error)}.") from None
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        return _write(order, _features(document), "GeoJSON")
    loaded = _write(order, _records(order, document), "JSON")
    note = _unread(document)
    return replace(loaded, reading=replace(loaded.reading, notes=(*loaded.reading.notes, *note)))


def load_lines(order: Order) -> Loaded:
    """Read one JSON value per line."""
    records = []
    for number, line in enumerate(order.path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        if line.strip():
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise CannotRead(f"{order.name}, line {number}, is not valid JSON: {_reason(error)}.") from None
    return _write(order, _as_records(records), "JSON Lines")


def _unread(document: Any) -> list[str]:
    """A note on the parts of a document that were not read: all but its one list of records."""
    if not isinstance(document, dict) or "columns" in document:
        return []
    inner = [k for k, v in document.items() if isinstance(v, list) and v and isinstance(v[0], dict)]
    if len(inner) != 1 or len(document) == 1 or set(document) == {"schema", "data"}:  # a table as pandas writes it
        return []
    skipped = several([repr(k) for k in document if k != inner[0]])
    return [f"Only the records under {inner[0]!r} were read; {skipped} were not."]


def _records(order: Order, document: Any) -> list[Any]:
    if isinstance(document, list):
        return _as_records(document)
    if isinstance(document, dict) and document:
        lists = {k: v for k, v in document.items() if isinstance(v, list)}
        if {"columns", "data"} <= set(lists) and all(isinstance(row, list) for row in lists["data"]):
            return _split(lists)
        if len(lists) == len(document) and len({len(v) for v in lists.values()}) == 1:
            return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        if all(isinstance(v, dict) for v in document.values()):
            return _nested(document)
        inner = [k for k, v in lists.items() if v and isinstance(v[0], dict)]
        if len(inner) == 1:
            return list(lists[inner[0]])
        if not any(isinstance(v, (dict, list)) for v in document.values()):
            return [{"name": k, "value": v} for k, v in document.items()]  # one value for each name
    raise CannotRead(f"{order.name} is JSON, but not a table. Use a list of records, or one list per column.")


def _as_records(values: list[Any]) -> list[Any]:
    """Records from a list of records, of rows, or of plain values (one column)."""
    if values and all(isinstance(v, list) for v in values):
        return [{f"column_{i + 1}": cell for i, cell in enumerate(row)} for row in values]
    if values and not any(isinstance(v, (dict, list)) for v in values):
        return [{"value": v} for v in values]
    return values


def _split(lists: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """The layout `split` of pandas; its index is a column if it holds anything but 0 … n − 1."""
    index = lists.get("index", [])
    names = [" ".join(map(str, c)) if isinstance(c, list) else str(c) for c in lists["columns"]]
    records = [dict(zip(names, row, strict=False)) for row in lists["data"]]
    if len(index) == len(records) and index != list(range(len(index))):
        return [{"index": key, **record} for key, record in zip(index, records, strict=True)]
    return records


def _nested(document: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Objects in an object: column → row → value, as pandas writes by default, or row → column → value."""
    inner = list(dict.fromkeys(k for d in document.values() for k in d))
    if _rows_come_first(list(document), inner):
        counted = list(document) == [str(i) for i in range(len(document))]
        return [values if counted else {"index": name, **values} for name, values in document.items()]
    counted = inner == [str(i) for i in range(len(inner))]
    records = [{name: column.get(key) for name, column in document.items()} for key in inner]
    return records if counted else [{"index": key, **r} for key, r in zip(inner, records, strict=True)]


def _rows_come_first(outer: list[str], inner: list[str]) -> bool:
    """Whether the outer names are rows: these count or are dates, and columns have words; else the more are rows."""
    labels = [all(_is_label(n) for n in names) for names in (outer, inner)]
    return labels[0] if labels[0] != labels[1] else len(outer) > len(inner)


def _is_label(name: str) -> bool:
    return name.lstrip("-").isdigit() or (name[:4].isdigit() and name[4:5] == "-")


def _features(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The properties of the features of GeoJSON; a point becomes longitude and latitude, other shapes stay as text."""
    records = []
    for feature in document.get("features", []):
        record = dict(feature.get("properties") or {}) if isinstance(feature, dict) else {}
        shape = (feature.get("geometry") or {}) if isinstance(feature, dict) else {}
        if isinstance(feature, dict) and "id" in feature:
            record = {_unique_name("id", record): feature["id"], **record}
        place = shape.get("coordinates")
        if shape.get("type") == "Point" and isinstance(place, list) and len(place) >= 2:
            record[_unique_name("longitude", record)], record[_unique_name("latitude", record)] = place[0], place[1]
        elif shape:
            record[_unique_name("geometry", record)] = shape.get("type")
        records.append(record)
    return records


def _write(order: Order, records: list[Any], title: str) -> Loaded:
    if not records:
        raise CannotRead(f"{order.name} contains no records. Choose a file with rows.")
    if not all(isinstance(r, dict) for r in records):
        raise CannotRead(f"{order.name} is JSON, but not all its rows are records with named values.")
    flat = [_flat(r) for r in records]
    names = list(dict.fromkeys(k for r in flat for k in r))
    notes = cells_to_parquet(names, [[r.get(n) for n in names] for r in flat], order.raw)
    return Loaded(Reading(title, "UTF-8", notes=tuple(notes)), "may be anything")


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, given in record.items():
        value = _plain(given)
        if isinstance(value, dict):
            for inner, nested in value.items():
                out[_unique_name(f"{key}.{inner}", out)] = _plain(nested)
        else:
            out[_unique_name(key, out)] = value
    return out


def _plain(value: Any) -> Any:
    """The value that an object of extended JSON stands for; other values are returned unchanged."""
    if isinstance(value, dict) and len(value) == 1 and (name := next(iter(value))) in EXTENDED:
        return _plain(value[name])
    return value


def _unique_name(name: str, record: dict[str, Any]) -> str:
    """A name that is not yet used in the record."""
    while name in record:
        name += "_"
    return name


def _reason(error: BaseException) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:160]
