"""Compressed files: gzip, bzip2, xz, zstd and zip; unpacked up to a size limit, then the file inside is read."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from mlcore.errors import Ambiguous, BadChoice, CannotRead
from mlcore.ingest.formats import FORMATS
from mlcore.ingest.frames import Order
from mlcore.wording import several

MOST_UNPACKED = int(float(os.environ.get("HOLDOUT_UNPACK_GB", "20")) * (1 << 30))
SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
BOOKS = ("xl/", "content.xml")  # entries that distinguish a workbook from other zip files


def kind_of(path: Path, head: bytes) -> str | None:
    """Detect the compression from the first bytes; None if there is none, or if the zip is a workbook."""
    compression = next((name for sign, name in SIGNS if head.startswith(sign)), None)
    if compression is None and head.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            entries = archive.namelist()
        return None if any(n.startswith(BOOKS) for n in entries) else "zip"
    return compression


def unpack(order: Order, kind: str) -> tuple[Order, tuple[str, ...], list[str]]:
    """Unpack into `order.out`; return the order for the file inside, the files to choose from, and a note."""
    if kind == "zip":
        return _from_zip(order)
    inner = _without_suffix(order.name)
    openers: dict[str, Callable[[Path], Any]] = {
        "gzip": gzip.open,
        "bzip2": bz2.open,
        "xz": lzma.open,
        "zstd": _open_zstd,
    }
    with _readable(order, kind), openers[kind](order.path) as source:
        path = _write_limited(order, source, inner)
    return replace(order, path=path, name=inner), (), [f"Unpacked from {kind}."]


def _from_zip(order: Order) -> tuple[Order, tuple[str, ...], list[str]]:
    with _readable(order, "zip"), zipfile.ZipFile(order.path) as archive:
        entries = {
            e.filename: e
            for e in archive.infolist()
            if not e.is_dir() and not e.filename.startswith("__MACOSX/") and not Path(e.filename).name.startswith(".")
        }
        if not entries:
            raise CannotRead(f"{order.name} is an archive without files. Choose one that contains a table.")
        choice = order.options.subset
        if choice is not None and choice not in entries:
            raise BadChoice.of("file in the archive", choice, entries)
        chosen = entries[choice if choice is not None else _only_table(order, list(entries))]
        if chosen.flag_bits & 1:
            raise CannotRead(f"{order.name} is protected by a password. Unpack it and choose the file inside.")
        with archive.open(chosen) as source:
            path = _write_limited(order, source, Path(chosen.filename).name)
    note = f"Unpacked from zip: {chosen.filename}."
    inner = replace(order, path=path, name=Path(chosen.filename).name, options=replace(order.options, subset=None))
    return inner, tuple(entries) if len(entries) > 1 else (), [note]


def _only_table(order: Order, names: list[str]) -> str:
    """The one file of an archive that can be a table. Raises Ambiguous if there are several."""
    if len(names) == 1:
        return names[0]
    tables = [n for n in names if Path(n).suffix.lower() in TABLES] or [n for n in names if _is_plausible(n)] or names
    if len(tables) == 1:
        return tables[0]
    listed = several([repr(n) for n in sorted(tables)], 8)
    raise Ambiguous(
        f"{order.name} holds {len(tables)} files that may be tables: {listed}. Name one with --subset, or as subset "
        "in the read options.",
        sorted(tables),
    )


TABLES = frozenset(ending for ending, _ in FORMATS) - {".txt", ".html", ".htm", ".dat"}


def _is_plausible(name: str) -> bool:
    """Whether a text file may be the table, rather than one that explains it."""
    stem = Path(name).stem.lower()
    return Path(name).suffix.lower() in (".txt", ".dat", "") and not stem.startswith(("readme", "license", "copying"))


def _write_limited(order: Order, source: IO[bytes], name: str) -> Path:
    """Write the unpacked bytes to disk; raise CannotRead if they exceed the limit or the free space."""
    path = order.out / f"unpacked{Path(name).suffix.lower()[:10]}"
    size = 0
    with path.open("wb") as out:
        while chunk := source.read(1 << 20):
            size += len(chunk)
            if size > MOST_UNPACKED or shutil.disk_usage(order.out).free < len(chunk):
                raise CannotRead(
                    f"{order.name} unpacks to more than the {MOST_UNPACKED / (1 << 30):.3g} GB allowed or the "
                    "free disk space. Unpack it yourself and choose a part of it."
                )
            out.write(chunk)
    return path


@contextmanager
def _readable(order: Order, kind: str) -> Iterator[None]:
    try:
        yield
    except (
        OSError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise CannotRead(
            f"{order.name} could not be unpacked as {kind}: {str(error)[:120]}. It may be incomplete; fetch it again."
        ) from None


def _open_zstd(path: Path) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


def _without_suffix(name: str) -> str:
    """`sales.csv.gz` contains `sales.csv`.

    >>> _without_suffix("sales.csv.gz"), _without_suffix("sales"), _without_suffix("a.tgz")
    ('sales.csv', 'sales', 'a')
    """
    return Path(name).stem if Path(name).suffix else name
