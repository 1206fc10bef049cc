"""The child process that touches hostile bytes: `python -m mlcore.ingest.child ORDER.json`.

It limits its own memory and processor time, reads one file, writes `data.parquet` and `answer.json`, and ends. A file
that blows it up ends this process and nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mlcore.dataset import Reading
from mlcore.errors import CannotRead, HoldoutError
from mlcore.ingest import FORMATS, READS, ReadOptions
from mlcore.ingest.frames import Order

TYPED = ("parquet", "arrow")  # formats that say what each column is
NUMBERED = ("json", "jsonl")  # formats that tell numbers from text, but have no dates


def main(order_file: str) -> None:
    """Carry out one order; the answer is a file, so that nothing a library prints can be taken for it."""
    data = json.loads(Path(order_file).read_text("utf-8"))
    _limit(data["memory_gb"], data["seconds"])
    order = Order(Path(data["path"]), data["name"], ReadOptions(**data["options"]), Path(data["out"]))
    try:
        answer = carry_out(order)
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
            "error": f"{order.name} could not be read as {format_of(order.path, order.name)}: {first}. "
            "It may be damaged; open it in the program that made it and save it again."
        }
    (order.out / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def carry_out(order: Order) -> dict[str, Any]:
    """Read, convert, infer; return the dataset as plain data."""
    from mlcore.ingest import convert, kinds

    family = format_of(order.path, order.name)
    reading = reader(family)(order)
    out = order.out / "data.parquet"
    notes: list[str] = []
    parses: dict[str, str] = {}
    if family in TYPED:
        order.raw.rename(out)
    else:
        notes, parses = convert.texts(order.raw, out, order.options.decimal, numbers=family not in NUMBERED)
    rows, schema = kinds.infer(out, parses)
    if not rows and reading.skipped_rows:
        raise CannotRead(
            f"No row of {order.name} has as many cells as its first line ({len(schema)}). "
            "Say which delimiter it has, or mend the first line."
        )
    if not rows:
        raise CannotRead(f"{order.name} has a header ({len(schema)} columns) but no rows. Choose a file with rows.")
    return {"rows": rows, "schema": asdict(schema), "reading": asdict(_with_notes(reading, notes))}


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


def reader(family: str) -> Callable[[Order], Reading]:
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


def _with_notes(reading: Reading, notes: list[str]) -> Reading:
    return replace(reading, notes=(*reading.notes, *notes))


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
    main(sys.argv[1])
