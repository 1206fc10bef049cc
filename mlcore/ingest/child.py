"""The child process that touches hostile bytes: `python -m mlcore.ingest.child`, its order on standard input.

It limits its own memory and processor time, reads one file, writes `data.parquet` and `answer.json`, and ends. A file
that blows it up ends this process and nothing else.
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
from mlcore.ingest import FORMATS, READS
from mlcore.ingest.archives import MOST_UNPACKED, kind_of, unpack
from mlcore.ingest.frames import Loaded, Order
from mlcore.ingest.options import ReadOptions, Stored, Table


def main() -> None:
    """Carry out the order of standard input; the answer is a file, so that nothing a library prints is taken for it."""
    data = json.load(sys.stdin)
    threading.Thread(target=_warm).start()
    _limit(data["memory_gb"], data["seconds"])
    options: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["options"].items()}
    order = Order(Path(data["path"]), data["name"], ReadOptions(**options), Path(data["out"]))
    source = _source(data["source"])
    try:
        answer = carry_out(order, source)
    except HoldoutError as error:
        answer = {"error": str(error)}
    except (MemoryError, ImportError):  # a library that finds no room to load is out of memory as well
        answer = {
            "error": f"{order.name} needs more memory than the limit of {data['memory_gb']:g} GB. "
            "Try a smaller part of it."
        }
    except Exception as error:  # noqa: BLE001 - the one border where any reader's failure becomes a sentence
        first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        answer = {
            "error": f"{order.name} could not be read: {first}. "
            "It may be damaged; open it in the program that made it and save it again."
        }
    (order.out / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def _warm() -> None:
    """Load what counting will need, while the file is looked through."""
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401


def _source(data: dict[str, Any] | None) -> Table | Stored | None:
    if data is None:
        return None
    return Table(**data) if "query" in data else Stored(**data)


def carry_out(order: Order, source: Table | Stored | None = None) -> dict[str, Any]:
    """Read, convert, infer; return the dataset as plain data."""
    from mlcore.ingest import convert, kinds, remote

    if isinstance(source, Stored):
        order = remote.fetch(order, source, MOST_UNPACKED)
    loaded = remote.load_table(order, source) if isinstance(source, Table) else _load(order)
    parses = dict(loaded.parses)
    notes: list[str] = []
    if loaded.texts != "settled":
        said = order.options.decimal is not None
        how = convert.How(order.options.decimal or ".", said, said, order.options.dates)
        numbers = loaded.texts == "may be anything"
        notes, parses = convert.texts(order.raw, order.data, how, numbers=numbers, kept=order.options.text or ())
    rows, schema = kinds.infer(order.data, parses)
    if not rows and loaded.reading.skipped_rows:
        raise CannotRead(
            f"No row of {order.name} has as many cells as its first line ({len(schema)}). "
            "Say which delimiter it has, or mend the first line."
        )
    if not rows:
        raise CannotRead(f"{order.name} has a header ({len(schema)} columns) but no rows. Choose a file with rows.")
    reading = replace(loaded.reading, notes=(*loaded.reading.notes, *notes))
    return {"rows": rows, "schema": asdict(schema), "reading": asdict(reading)}


def _load(order: Order) -> Loaded:
    """Read a file, unpacked first where it is compressed."""
    with order.path.open("rb") as file:
        packed = kind_of(order.path, file.read(16))
    if packed is None:
        return reader(format_of(order.path, order.name))(order)
    chosen = order.options.part
    inner, parts, notes = unpack(order, packed)
    with inner.path.open("rb") as file:
        if kind_of(inner.path, file.read(16)) is not None:
            raise CannotRead(
                f"{order.name} holds another archive ({inner.name}). Unpack it and choose the file inside."
            )
    loaded = reader(format_of(inner.path, inner.name))(inner)
    reading = replace(loaded.reading, notes=(*notes, *loaded.reading.notes))
    if parts:
        reading = replace(reading, part=chosen or inner.name, parts=parts)
    return replace(loaded, reading=reading)


def format_of(path: Path, name: str) -> str:
    """Tell the format by the ending, checked against the first bytes, which win."""
    with path.open("rb") as file:
        head = file.read(4096)
    signs = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xd0\xcf\x11\xe0", "excel"), (b"PK\x03\x04", "excel"))
    for sign, family in signs:
        if head.startswith(sign):
            return family
    named = dict(FORMATS).get(Path(name).suffix.lower())
    if named in ("parquet", "arrow", "excel"):
        raise CannotRead(
            f"{name} is not {Path(name).suffix.lower()[1:]}: its first bytes are something else. "
            "It may be damaged or have the wrong ending."
        )
    if named:
        return named
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CannotRead(f"{name} is of a type that is not read here. Holdout reads {READS}.")
    return "text"


def reader(family: str) -> Callable[[Order], Loaded]:
    """Find the module of a format family; imported only when needed."""
    from mlcore.ingest import columnar, json_records, sheets, text

    return {
        "text": text.load,
        "json": json_records.load,
        "jsonl": json_records.load_lines,
        "excel": sheets.load,
        "parquet": columnar.load_parquet,
        "arrow": columnar.load_arrow,
    }[family]


def _limit(memory_gb: float, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows: there the time limit of the parent remains
        return
    size = int(memory_gb * (1 << 30))
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds * 4, seconds * 4))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
