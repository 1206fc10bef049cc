"""What calamine misreads in a binary workbook (xlsb, after MS-XLSB): whole days, rich texts and merged blocks.

The bytes are hostile: the records end at the first that is cut off or too short, and fields are slices within one.
How far the archive may unpack is limited where the workbook is opened.
"""

from __future__ import annotations

import datetime as dt
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from mlcore.errors import CannotRead

Cells = list[list[Any]]
Place = tuple[int, int]  # (row, column), counted from 0
BOOK, LINKS, STYLES = "xl/workbook.bin", "xl/_rels/workbook.bin.rels", "xl/styles.bin"
DAMAGE = (OSError, EOFError, KeyError, RuntimeError, zlib.error, zipfile.BadZipFile, ElementTree.ParseError)

ROW, RK, REAL, FORMULA_NUMBER, RICH_TEXT, MERGED = 0, 2, 5, 9, 62, 176
FORMAT, STYLE, STYLES_BEGIN, STYLES_END, BOOK_PROPERTIES, BOOK_SHEET = 44, 47, 617, 618, 153, 156
LEAST = {
    ROW: 4, RK: 12, REAL: 16, FORMULA_NUMBER: 16, RICH_TEXT: 13, MERGED: 16, FORMAT: 6, STYLE: 4, STYLES_BEGIN: 0,
    STYLES_END: 0, BOOK_PROPERTIES: 4, BOOK_SHEET: 16,
}  # fmt: skip
NUMBERS = (RK, REAL, FORMULA_NUMBER)
MOST_ROWS, MOST_COLUMNS = 1 << 20, 1 << 14  # of a sheet


class Timed(NamedTuple):
    """A number format of dates, times or durations, and whether calamine passes over it."""

    duration: bool
    missed: bool = False


BUILT_IN = {number: Timed(number == 46) for number in (*range(14, 23), 45, 46, 47)}
EAST_ASIAN = {number: Timed(False, missed=True) for number in (*range(27, 37), *range(50, 59))}
LITERAL = re.compile(r'"[^"]*"?|[\\_*].?|\[(?!(?:h+|m+|s+)\])[^\]]*\]?', re.IGNORECASE | re.DOTALL)
TIME_CODE = re.compile(r"(\[)?[ymdhs]", re.IGNORECASE)


@dataclass(frozen=True)
class Corrections:
    """The cells that calamine misreads or drops, with their values; and the merged blocks, by first and last cell."""

    values: dict[Place, Any] = field(default_factory=dict)
    merged: list[tuple[Place, Place]] = field(default_factory=list)

    def applied(self, rows: Cells, start: Place) -> tuple[Cells, Place]:
        """The rows with the right values, and where they start: what was dropped may lie outside of the others."""
        if not self.values:
            return rows, start
        ends = [start, (start[0] + len(rows) - 1, start[1] + len(rows[0]) - 1)] if rows else []
        lines, columns = ({place[axis] for place in (*self.values, *ends)} for axis in (0, 1))
        top, left = min(lines), min(columns)
        out: Cells = [[""] * (max(columns) - left + 1) for _ in range(top, max(lines) + 1)]
        for number, row in enumerate(rows, start[0] - top):
            out[number][start[1] - left : start[1] - left + len(row)] = row
        for (line, column), value in self.values.items():
            out[line - top][column - left] = value
        return out, (top, left)


def is_binary(path: Path) -> bool:
    """Whether a file is a binary workbook."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return BOOK in archive.namelist()


def corrections(path: Path, name: str) -> Corrections:
    """What calamine misreads in the sheet of this name. Raises CannotRead if the archive is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            entry, since_1904 = _entry(archive, name)
            styles = _styles(archive.read(STYLES)) if STYLES in archive.namelist() else {}
            content = archive.read(entry)
    except DAMAGE as error:
        raise CannotRead(
            f"Sheet {name!r} could not be read: {str(error)[:120]}. The workbook may be damaged. Open it in Excel or "
            "LibreOffice and save it again."
        ) from None
    out = Corrections()
    row = 0
    for kind, body in _records(content):
        first = _whole(body[:4])  # the number of a row, or the column of a cell
        if kind == MERGED:
            top, bottom, left, right = struct.unpack("<4I", body[:16])
            out.merged.append(((top, left), (bottom, right)))
        elif first >= (MOST_ROWS if kind == ROW else MOST_COLUMNS):
            break
        elif kind == ROW:
            row = first
        elif kind == RICH_TEXT:
            out.values[row, first] = _text(body, 9)[0]
        elif kind in NUMBERS and (style := styles.get(_whole(body[4:7]))) and (style.missed or _is_integer(kind, body)):
            out.values[row, first] = _moment(_number(kind, body), style, since_1904)
    return out


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of the types in LEAST, up to one that is cut off or too short."""
    at = 0
    while at < len(content):
        kind, at = _sevens(content, at, 2)
        size, at = _sevens(content, at, 4)
        least = LEAST.get(kind)
        if at + size > len(content) or (least is not None and size < least):
            return
        if least is not None:
            yield kind, content[at : at + size]
        at += size


def _sevens(content: bytes, at: int, most: int) -> tuple[int, int]:
    """A number in at most so many bytes of seven bits, and where it ends; the eighth says that another byte follows."""
    value = 0
    for end in range(at, min(at + most, len(content))):
        value |= (content[end] & 127) << 7 * (end - at)
        if content[end] < 128:
            return value, end + 1
    return value, at + most


def _whole(content: bytes) -> int:
    return int.from_bytes(content, "little")


def _text(content: bytes, at: int) -> tuple[str, int]:
    """A text after the number of its characters, as far as it is there, and where it should end."""
    end = at + 4 + 2 * _whole(content[at : at + 4])
    return content[at + 4 : end].decode("utf-16-le", "replace"), end


def _entry(archive: zipfile.ZipFile, name: str) -> tuple[str, bool]:
    """The entry of a sheet, and whether the days of the workbook count from 1904."""
    links = ElementTree.fromstring(archive.read(LINKS))  # noqa: S314 - in the child process, within its limits
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    since_1904 = False
    for kind, body in _records(archive.read(BOOK)):
        if kind == BOOK_PROPERTIES:
            since_1904 = bool(body[0] & 1)
        elif kind == BOOK_SHEET:
            link, end = _text(body, 8)
            if _text(body, end)[0] == name:
                return f"xl/{targets.get(link, '')}", since_1904
    raise KeyError(f"the workbook does not list {name!r}")


def _styles(content: bytes) -> dict[int, Timed]:
    """The cell styles, by number, whose number format is one of dates, times or durations."""
    formats: dict[int, Timed | None] = {**EAST_ASIAN}
    numbers: list[int] | None = None
    for kind, body in _records(content):
        if kind == FORMAT:
            code = TIME_CODE.search(LITERAL.sub("", _text(body, 2)[0]).split(";")[0])
            formats[_whole(body[:2])] = code and Timed(code[1] is not None)
        elif kind == STYLES_BEGIN:
            numbers = []
        elif kind == STYLE and numbers is not None:
            numbers.append(_whole(body[2:4]))
        elif kind == STYLES_END:
            break
    formats |= BUILT_IN
    return {i: timed for i, n in enumerate(numbers or []) if (timed := formats.get(n)) is not None}


def _is_integer(kind: int, body: bytes) -> bool:
    """Whether calamine takes a cell for an integer, whatever its format."""
    return kind == RK and body[8] & 3 == 2


def _number(kind: int, body: bytes) -> float:
    """The number of a cell: a double; or 30 bits, of an integer or of a double's upper half, with two flags."""
    if kind != RK:
        return float(struct.unpack("<d", body[8:16])[0])
    bits: int = struct.unpack("<i", body[8:12])[0]
    number = float(bits >> 2) if bits & 2 else float(struct.unpack("<d", struct.pack("<4xi", bits & ~3))[0])
    return number / 100 if bits & 1 else number


def _moment(days: float, style: Timed, since_1904: bool) -> Any:
    """A number of days as calamine gives it; the number itself if it is beyond the calendar."""
    try:
        if style.duration:
            return dt.timedelta(milliseconds=round(days * 86_400_000))
        since_1900 = days + 1462 if since_1904 else days
        whole = since_1900 + (since_1900 < 60)  # Excel counts a 29 February 1900
        moment = dt.datetime(1899, 12, 30) + dt.timedelta(milliseconds=round(whole * 86_400_000))
    except (OverflowError, ValueError):
        return days
    if days < 1:
        return moment.time()
    return moment.date() if days.is_integer() else moment
