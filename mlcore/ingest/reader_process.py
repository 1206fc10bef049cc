"""The child process that parses hostile bytes: `python -m mlcore.ingest.reader_process`, its order on standard input.

It limits its memory and processor time, reads one file, writes `data.parquet` and `answer.json`, and ends. A file that
crashes the parser ends only this process.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mlcore.errors import CannotRead, HoldoutError
from mlcore.ingest import columnar, convert, declared, html_tables, json_records, kinds, remote, sheets, text
from mlcore.ingest.archives import MOST_UNPACKED, kind_of, unpack
from mlcore.ingest.formats import format_of
from mlcore.ingest.frames import Loaded, Order
from mlcore.ingest.markers import MISSING
from mlcore.ingest.options import ReadOptions, Stored, Table
from mlcore.wording import count_of


def main() -> None:
    """Carry out the order on standard input; the answer is a file, so that library output cannot be mistaken for it."""
    data = json.load(sys.stdin)
    threading.Thread(target=_preload).start()
    _limit(data["memory_gb"], data["seconds"])
    options: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["options"].items()}
    order = Order(Path(data["path"]), data["name"], ReadOptions(**options), Path(data["out"]))
    source = _source(data["source"])
    try:
        answer = carry_out(order, source)
    except HoldoutError as error:
        answer = {"error": str(error), "choices": getattr(error, "choices", ())}
    except (MemoryError, ImportError):  # a library that fails to load is out of memory too
        answer = {
            "error": f"{order.name} needs more memory than the limit of {data['memory_gb']:g} GB. "
            "Try a smaller part of it."
        }
    except Exception as error:  # noqa: BLE001 - the one boundary where any reader's failure becomes a message
        message = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        answer = {
            "error": f"{order.name} could not be read: {message}. "
            "It may be damaged. Open it in the program that made it and save it again."
        }
    (order.out / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _preload() -> None:
    """Import the modules for counting while the file is read."""
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401


def _source(data: dict[str, Any] | None) -> Table | Stored | None:
    if data is None:
        return None
    return Table(**data) if "query" in data else Stored(**data)


def carry_out(order: Order, source: Table | Stored | None = None) -> dict[str, Any]:
    """Read, convert, infer; return the dataset as plain data."""
    if isinstance(source, Stored):
        order = remote.fetch(order, source, MOST_UNPACKED)
    loaded = remote.load_table(order, source) if isinstance(source, Table) else _load(order)
    parses = dict(loaded.parses)
    notes: list[str] = []
    reading = loaded.reading
    if loaded.texts != "settled":
        explicit = order.options.decimal is not None
        how = convert.How(order.options.decimal or ".", explicit, explicit, order.options.dates)
        numbers = loaded.texts == "may be anything"
        usual = MISSING if numbers else ("",)  # databases have a value of their own for missing
        texts = convert.Texts(missing=order.options.markers(usual), numbers=numbers, kept=order.options.as_text or ())
        notes, parses, marked = convert.convert_texts(order.raw, order.data, how, texts)
        reading = replace(reading, marked=marked, markers=tuple(sorted({m for _, m, _ in marked})))
    rows, schema = kinds.infer(order.data, parses)
    for name, kind in loaded.kinds:
        schema = schema.with_declared(name, kind) if name in schema else schema
    schema = schema.ignoring([n for n in loaded.ignored if n in schema])
    if not rows and loaded.reading.skipped_rows:
        raise CannotRead(
            f"No row of {order.name} has as many values as its first line ({len(schema)}). "
            "Set the delimiter, or correct the first line."
        )
    if not rows:
        columns = count_of(len(schema), "column")
        raise CannotRead(f"{order.name} has a header ({columns}) but no rows. Choose a file with rows.")
    reading = replace(reading, notes=(*reading.notes, *notes))
    return {"rows": rows, "schema": asdict(schema), "reading": asdict(reading)}


def _load(order: Order) -> Loaded:
    """Read a file; unpack it first if it is compressed."""
    with order.path.open("rb") as file:
        packed = kind_of(order.path, file.read(16))
    if packed is None:
        return _load_plain(order)
    subset = order.options.subset
    inner, parts, notes = unpack(order, packed)
    with inner.path.open("rb") as file:
        if kind_of(inner.path, file.read(16)) is not None:
            raise CannotRead(
                f"{order.name} contains another archive ({inner.name}). Unpack it and choose the file inside."
            )
    loaded = _load_plain(inner)
    reading = replace(loaded.reading, notes=(*notes, *loaded.reading.notes))
    if parts:
        reading = replace(reading, subset=subset or inner.name, subsets=parts)
    return replace(loaded, reading=reading)


def _load_plain(order: Order) -> Loaded:
    """Read a file that is not compressed, by what it is."""
    detected = format_of(order.path, order.name)
    header = declared.orange_header(order.path) if detected.family == "text" else None
    loaded = reader(detected.family)(order) if header is None else declared.load_orange(order, header)
    return replace(loaded, reading=replace(loaded.reading, notes=(*detected.notes, *loaded.reading.notes)))


def reader(family: str) -> Callable[[Order], Loaded]:
    """The loader of a format family; imported only when needed."""
    return {
        "text": text.load,
        "json": json_records.load,
        "jsonl": json_records.load_lines,
        "excel": sheets.load,
        "parquet": columnar.load_parquet,
        "arrow": columnar.load_arrow,
        "arff": declared.load_arff,
        "html": html_tables.load,
    }[family]


def _limit(memory_gb: float, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # on Windows only the time limit of the parent applies
        return
    size = int(memory_gb * (1 << 30))
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds * 4, seconds * 4))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
