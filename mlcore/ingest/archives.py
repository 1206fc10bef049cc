"""Compressed files: gzip, bzip2, xz, zstd, and zip; unpacked within a limit, then read as what is inside."""

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

from mlcore.errors import BadChoice, CannotRead
from mlcore.ingest.frames import Order

MOST_UNPACKED = int(float(os.environ.get("HOLDOUT_UNPACK_GB", "20")) * (1 << 30))
SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
BOOKS = ("xl/", "content.xml")  # what tells a workbook from any other zip


def kind_of(path: Path, head: bytes) -> str | None:
    """Name the compression by the first bytes; None where there is none, or the zip is a workbook."""
    found = next((name for sign, name in SIGNS if head.startswith(sign)), None)
    if found is None and head.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            inside = archive.namelist()
        return None if any(n.startswith(BOOKS) for n in inside) else "zip"
    return found


def unpack(order: Order, kind: str) -> tuple[Order, tuple[str, ...], list[str]]:
    """Unpack into the spool; return the order for what was inside, the files to choose from, and a note."""
    if kind == "zip":
        return _from_zip(order)
    inner = _without_ending(order.name)
    openers: dict[str, Callable[[Path], Any]] = {
        "gzip": gzip.open,
        "bzip2": bz2.open,
        "xz": lzma.open,
        "zstd": _open_zstd,
    }
    with _readable(order, kind), openers[kind](order.path) as source:
        place = _spill(order, source, inner)
    return replace(order, path=place, name=inner), (), [f"Unpacked from {kind}."]


def _from_zip(order: Order) -> tuple[Order, tuple[str, ...], list[str]]:
    with _readable(order, "zip"), zipfile.ZipFile(order.path) as archive:
        entries = {
            e.filename: e
            for e in archive.infolist()
            if not e.is_dir() and not e.filename.startswith("__MACOSX/") and not Path(e.filename).name.startswith(".")
        }
        if not entries:
            raise CannotRead(f"{order.name} is an archive without files. Choose one that holds a table.")
        wanted = order.options.part
        if wanted is not None and wanted not in entries:
            raise BadChoice.of("file of the archive", wanted, entries)
        chosen = entries[wanted] if wanted is not None else max(entries.values(), key=lambda e: e.file_size)
        if chosen.flag_bits & 1:
            raise CannotRead(f"{order.name} is protected by a password. Unpack it and choose the file inside.")
        with archive.open(chosen) as source:
            place = _spill(order, source, Path(chosen.filename).name)
    said = f"Unpacked from zip: {chosen.filename}" + (
        f", the largest of {len(entries)} files." if len(entries) > 1 else "."
    )
    if wanted is not None:
        said = f"Unpacked from zip: {chosen.filename}."
    inner = replace(order, path=place, name=Path(chosen.filename).name, options=replace(order.options, part=None))
    return inner, tuple(entries) if len(entries) > 1 else (), [said]


def _spill(order: Order, source: IO[bytes], name: str) -> Path:
    """Write what comes out to disk, and stop where it grows beyond the limit."""
    place = order.out / f"unpacked{Path(name).suffix.lower()[:10]}"
    size = 0
    with place.open("wb") as out:
        while chunk := source.read(1 << 20):
            size += len(chunk)
            if size > MOST_UNPACKED or shutil.disk_usage(order.out).free < len(chunk):
                raise CannotRead(
                    f"{order.name} unpacks to more than the {MOST_UNPACKED / (1 << 30):.3g} GB allowed or the disk "
                    "holds. Unpack it yourself, and bring a part of it."
                )
            out.write(chunk)
    return place


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
            f"{order.name} could not be unpacked as {kind}: {str(error)[:120]}. It may be cut off; fetch it again."
        ) from None


def _open_zstd(path: Path) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


def _without_ending(name: str) -> str:
    """`sales.csv.gz` holds `sales.csv`.

    >>> _without_ending("sales.csv.gz"), _without_ending("sales"), _without_ending("a.tgz")
    ('sales.csv', 'sales', 'a')
    """
    return Path(name).stem if Path(name).suffix else name
