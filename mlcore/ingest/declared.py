"""Text formats that declare their columns: Weka's ARFF, and Orange's header of three rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mlcore.data.dataset import Kind
from mlcore.errors import CannotRead
from mlcore.ingest import text
from mlcore.ingest.encoding import as_utf8, detect
from mlcore.ingest.frames import Loaded, Order
from mlcore.wording import count_of

NAME = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s{]+"
ATTRIBUTE = re.compile(rf"@attribute\s+({NAME})\s*(\{{.*|[A-Za-z].*)$", re.IGNORECASE)
ARFF_CELL = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^,\t]*?)\s*(?:[,\t]|$)")
# Weka's types; a value of a nominal attribute is one of those in its braces.
NUMBERS = ("numeric", "real", "integer")


@dataclass(frozen=True)
class Attribute:
    """A declared column."""

    name: str
    kind: str  # numeric, real, integer, string, date, or the categories in braces
    levels: tuple[str, ...] = ()


def load_arff(order: Order) -> Loaded:
    """Read an ARFF file: names and kinds from its declarations, `?` as missing, dense or sparse rows."""
    encoding = detect(order.path)
    plain = order.path if encoding.clean else as_utf8(order.path, encoding.name, order.out / "arff.txt")[0]
    table = order.out / "arff.csv"
    with (
        plain.open("r", encoding="utf-8", errors="replace") as source,
        table.open("w", encoding="utf-8", newline="") as to,
    ):
        attributes = list(_attributes(order, source))
        writer = csv.writer(to, lineterminator="\n")
        writer.writerow([a.name for a in attributes])
        rows = _rows(source, attributes)
        width, uneven = len(attributes), 0
        for row in rows:
            uneven += len(row) != width
            writer.writerow(row)
    named = tuple(a.name for a in attributes if a.levels)
    options = replace(
        order.options, delimiter=",", header=True, skip=0, as_text=(*(order.options.as_text or ()), *named)
    )
    options = replace(options, missing=order.options.missing or ("?",), quote='"', encoding="utf-8")
    loaded = text.load(replace(order, path=table, options=options))
    kinds: list[tuple[str, Kind]] = [(a.name, "categorical") for a in attributes if a.levels and len(a.levels) > 1]
    notes = [n for n in loaded.reading.notes if "quote" not in n.lower() or "skipped" in n]
    reading = replace(loaded.reading, format="ARFF", delimiter=None, header=True, notes=tuple(notes), encoding=None)
    return replace(loaded, reading=reading, kinds=tuple(kinds))


def _attributes(order: Order, lines: Iterator[str]) -> Iterator[Attribute]:
    """The declarations, up to @data. Raises CannotRead."""
    count = 0
    for line in lines:
        stripped = line.strip()
        if stripped.lower().startswith("@data"):
            break
        if stripped.lower().startswith("@attribute"):
            parsed = ATTRIBUTE.match(stripped)
            if parsed is None:
                raise CannotRead(
                    f"{order.name} has an ARFF declaration that cannot be read: {stripped[:80]!r}. Correct it."
                )
            count += 1
            name, kind = _plain(parsed[1]), parsed[2].strip()
            levels = tuple(_cells(kind.strip()[1:].rsplit("}", 1)[0])) if kind.startswith("{") else ()
            yield Attribute(name, kind.lower(), levels)
    if not count:
        raise CannotRead(f"{order.name} is an ARFF file without attributes. Choose one that declares its columns.")


def _rows(lines: Iterator[str], attributes: list[Attribute]) -> Iterator[list[str]]:
    for line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("%"):
            continue
        if stripped.startswith("{"):  # sparse: index and value, where not 0 or the first category
            row = [a.levels[0] if a.levels else "0" for a in attributes]
            for pair in _cells(stripped[1:].rsplit("}", 1)[0]):
                index, _, value = pair.partition(" ")
                if index.isdigit() and int(index) < len(row):
                    row[int(index)] = _plain(value.strip())
            yield row
        else:
            yield _cells(stripped)


def _cells(line: str) -> list[str]:
    cells: list[str] = []
    position = 0
    while position < len(line) or not cells:
        parsed = ARFF_CELL.match(line, position)
        if parsed is None or parsed.end() == position:
            break
        cells.append(_plain(parsed[1]))
        position = parsed.end()
    if line.endswith((",", "\t")):
        cells.append("")
    return cells


def _plain(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", cell[1:-1])
    return cell


# Orange ---------------------------------------------------------------------------------------------------------------

KINDS: dict[str, Kind] = {
    "c": "numeric", "continuous": "numeric", "d": "categorical", "discrete": "categorical", "s": "text",
    "string": "text", "t": "datetime", "time": "datetime",
}  # fmt: skip
FLAGS = ("", "class", "meta", "ignore", "i", "m", "c", "weight", "w")


def orange_header(path: Path) -> list[tuple[str, str, str]] | None:
    """Name, type and flag of each column, if the first three rows of a tab-separated file are Orange's header."""
    with path.open("r", encoding="utf-8", errors="replace") as file:
        rows = [file.readline(1 << 20).rstrip("\r\n").split("\t") for _ in range(3)]
    width = len(rows[0])
    if width < 1 or [len(r) for r in rows[1:]] != [width, width]:
        return None
    types, flags = ([c.strip() for c in row] for row in rows[1:])
    flagged = all(f.split(" ")[0].lower() in FLAGS or "=" in f for f in flags)
    declared = [t.lower() in KINDS or len(t.split()) > 1 for t in types]
    if not flagged or not all(declared) or not any(t.lower() in KINDS for t in types):
        return None
    return list(zip(rows[0], types, (f.lower() for f in flags), strict=True))


def load_orange(order: Order, header: list[tuple[str, str, str]]) -> Loaded:
    """Read Orange's tab-separated file: kinds and roles from its second and third row."""
    table = order.out / "orange.tsv"
    with order.path.open("rb") as source, table.open("wb") as to:
        to.write(source.readline())
        source.readline()
        source.readline()
        to.writelines(source)
    kept = tuple(n for n, kind, _ in header if KINDS.get(kind.lower(), "categorical") in ("categorical", "text"))
    options = replace(
        order.options, delimiter="\t", header=True, skip=0, as_text=(*(order.options.as_text or ()), *kept)
    )
    loaded = text.load(replace(order, path=table, options=options))
    kinds = [(n, KINDS.get(kind.lower(), "categorical")) for n, kind, _ in header]
    classes = [n for n, _, flag in header if flag.startswith("c")]
    unused = [n for n, _, flag in header if flag.split(" ")[0] in ("meta", "m", "ignore", "i")]
    notes = [f"The second and third line declare {count_of(len(header), 'column')}, as Orange writes them."]
    notes += [f"{classes[0]} is declared as the class."] if classes else []
    reading = replace(loaded.reading, notes=(*notes, *loaded.reading.notes))
    return replace(
        loaded, reading=reading, kinds=tuple((n, k) for n, k in kinds if k != "datetime"), ignored=tuple(unused)
    )
