"""Spreadsheets (xlsx, xls, xlsb, ods) through python-calamine, which runs no macros and follows no links."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mlcore.data.dataset import Reading
from mlcore.errors import BadChoice, CannotRead
from mlcore.ingest import binary_sheets, dialect
from mlcore.ingest.archives import MOST_UNPACKED
from mlcore.ingest.dialect import MOST_PREAMBLE
from mlcore.ingest.frames import Loaded, Order, cells_to_parquet, seconds_notes
from mlcore.wording import count_of, several, shortened

Cells = list[list[Any]]


def load(order: Order) -> Loaded:
    """Read one sheet: the one in the options, or the first visible one that is not empty."""
    book = _open(order)
    sheet, area, visible = _sheet(order, book)
    rows, notes = area.filled()
    if not area.is_complete():
        raise CannotRead(
            f"Every formula of {order.name} lacks its stored result, and there are no other values. Open it in Excel "
            "or LibreOffice, save it, and read it again."
        )
    skip = order.options.skip if order.options.skip is not None else _preamble(rows)
    table = [r for r in rows[skip:] if any(c != "" for c in r)]
    if not table:
        raise CannotRead(f"{order.name} has no rows after the first {skip}. Change the number of lines to skip.")
    blank = _inner_blank_rows(rows[skip:])
    notes += [f"{count_of(blank, 'blank row')} inside the table left out."] if blank else []
    header = _has_header(table) if order.options.header is None else order.options.header
    names = table[0] if header else [f"column_{i + 1}" for i in range(max(map(len, table)))]
    body = table[1:] if header else table
    if not body:
        raise CannotRead(
            f"{order.name} has a header ({count_of(len(names), 'column')}) but no rows. Choose a file with rows."
        )
    if header and order.options.header is None:
        body, more = _without_subheaders(names, body)
        notes += more
    elif not header and order.options.header is None:
        notes.append("The first line looks like data, so the columns were named column_1, column_2 …")
    body = body[: len(body) - order.options.skip_end] if order.options.skip_end else body
    names, body, more = _without_unnamed(names, body)
    notes += more + seconds_notes(names, body) + cells_to_parquet(names, body, order.raw)
    empty = [str(n) for i, n in enumerate(names) if not any(i < len(r) and r[i] != "" for r in body)]
    if empty and not area.uncalculated:
        notes.append(
            f"{several(empty)}: no values. If these are formulas, open the file in Excel or LibreOffice and save it, "
            "so that their results are stored."
        )
    if skip and order.options.skip is None:
        notes.append(f"{count_of(skip, 'line')} above the header passed over.")
    parts = tuple(visible) if len(visible) > 1 or sheet not in visible else ()
    if parts:
        notes.append(f"Sheet {sheet!r} of {len(parts)} was read.")
    reading = Reading("workbook", header=header, notes=tuple(notes), skip=skip, subset=sheet, subsets=parts)
    return Loaded(reading, "may be anything")


def _open(order: Order) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook

    _check_unpacked_size(order)
    try:
        return CalamineWorkbook.from_path(str(order.path))
    except (CalamineError, OSError, ValueError) as error:
        locked = any(word in str(error).lower() for word in ("password", "encrypt"))
        why = "it is protected by a password" if locked else "it is damaged or not a workbook"
        without = " without a password" if locked else ""
        raise CannotRead(
            f"{order.name} could not be opened as a workbook: {why}. Open it in your spreadsheet program and save it "
            f"again{without}."
        ) from None


@dataclass(frozen=True)
class _Area:
    """The used cells of a sheet, and what the file says of them besides their values."""

    name: str
    rows: Cells
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]]  # first and last (row, column), within the area
    uncalculated: frozenset[tuple[int, int]]  # (row, column) of formulas without a stored result

    def filled(self) -> tuple[Cells, list[str]]:
        """The cells with those of a merged block filled down, and those of a missing result emptied; and notes."""
        rows = [list(row) for row in self.rows]
        for row, column in self.uncalculated:
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = ""
        down = across = 0
        for (top, left), (bottom, right) in self.merged:
            if left != right or top == bottom or not 0 <= left < len(rows[0]):
                across += left != right
                continue
            down += 1
            for row in range(max(top, 0) + 1, min(bottom, len(rows) - 1) + 1):
                rows[row][left] = rows[max(top, 0)][left]
        notes = [f"{count_of(down, 'merged block')} of cells filled down."] if down else []
        notes += (
            [f"{count_of(across, 'block')} of cells merged across columns; only the first holds the value."]
            if across
            else []
        )
        return rows, notes + self._formula_notes()

    def _formula_notes(self) -> list[str]:
        if not self.uncalculated:
            return []
        columns = sorted({c for _, c in self.uncalculated})
        names = [str(self.rows[0][c]) for c in columns if self.rows and c < len(self.rows[0])]
        where = f" of {several(names)}" if all(names) and names else ""
        return [
            f"{count_of(len(self.uncalculated), 'cell')}{where} hold formulas without a stored result and count as "
            "missing. Open the file in Excel or LibreOffice and save it, and read it again."
        ]

    def is_complete(self) -> bool:
        """Whether any cell holds a value."""
        return any(
            c != "" for r, row in enumerate(self.rows) for i, c in enumerate(row) if (r, i) not in self.uncalculated
        )


def _sheet(order: Order, book: Any) -> tuple[str, _Area, list[str]]:
    """The sheet to read, its cells, and the sheets to choose from: the hidden ones only if nothing else is there."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [m for m in book.sheets_metadata if m.typ == SheetTypeEnum.WorkSheet] or book.sheets_metadata
    visible = [m.name for m in sheets if m.visible == SheetVisibleEnum.Visible]
    names = visible or [m.name for m in sheets]
    choice = order.options.subset
    if choice is not None and choice not in book.sheet_names:
        raise BadChoice.of("sheet", choice, book.sheet_names)
    best: tuple[str, _Area] | None = None
    for name in [choice] if choice is not None else names:
        area = _area(order.path, book.get_sheet_by_name(name))
        if not any(c != "" for row in area.rows for c in row):
            continue
        if len(area.rows) > 1:  # a sheet with one row is a title page
            return name, area, names
        best = best or (name, area)
    if best is not None:
        return *best, names
    raise CannotRead(f"{order.name} has no values in any sheet. Choose a workbook with a header and rows.")


def _area(path: Path, sheet: Any) -> _Area:
    rows, (top, left) = sheet.to_python(skip_empty_area=True), sheet.start or (0, 0)
    merged = getattr(sheet, "merged_cell_ranges", None) or []
    if binary_sheets.is_binary(path):
        corrections = binary_sheets.corrections(path, sheet.name)
        rows, (top, left) = corrections.applied(rows, (top, left))
        merged = corrections.merged
    inner = [((a - top, b - left), (c - top, d - left)) for (a, b), (c, d) in merged]
    return _Area(sheet.name, rows, inner, uncalculated(path, sheet.name, (top, left)))


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ADDRESS = re.compile(r"([A-Z]+)(\d+)")


def uncalculated(path: Path, name: str, start: tuple[int, int]) -> frozenset[tuple[int, int]]:
    """The cells of a sheet of an xlsx file that hold a formula without its result, as programs write them.

    Some write 0 as the result and ask Excel to calculate when it opens the file: such zeros are not results either.
    """
    if not zipfile.is_zipfile(path):
        return frozenset()
    cells: set[tuple[int, int]] = set()
    with zipfile.ZipFile(path) as archive:
        part, asks = _sheet_part(archive, name)
        if part is None or b"<f" not in (content := archive.read(part)):
            return frozenset()
    for _, cell in ElementTree.iterparse(io.BytesIO(content)):  # noqa: S314 - in the child process, within its limits
        if cell.tag == f"{SHEET}row":
            cell.clear()
        if cell.tag != f"{SHEET}c" or cell.find(f"{SHEET}f") is None:
            continue
        value = cell.find(f"{SHEET}v")
        result = value.text if value is not None else None
        address = ADDRESS.fullmatch(cell.get("r", ""))
        if address is not None and (not result or (asks and result == "0")):
            cells.add((int(address[2]) - 1 - start[0], _column_number(address[1]) - start[1]))
    return frozenset(cells)


def _sheet_part(archive: zipfile.ZipFile, name: str) -> tuple[str | None, bool]:
    """The entry of a sheet, and whether the workbook asks to be calculated when it is opened."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - as above
        links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - as above
    except (KeyError, ElementTree.ParseError):
        return None, False
    calculation = book.find(f"{SHEET}calcPr")
    asks = calculation is not None and calculation.get("fullCalcOnLoad") in ("1", "true")
    wanted = next((s.get(RELATION) for s in book.iter(f"{SHEET}sheet") if s.get("name") == name), None)
    target = next((link.get("Target", "") for link in links if link.get("Id") == wanted), "")
    entry = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return (entry, asks) if entry in archive.namelist() else (None, asks)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _inner_blank_rows(rows: Cells) -> int:
    blank = [not any(c != "" for c in row) for row in rows]
    last = max((i for i, b in enumerate(blank) if not b), default=-1)
    first = next((i for i, b in enumerate(blank) if not b), 0)
    return sum(blank[first : last + 1])


def _without_subheaders(names: list[Any], body: Cells) -> tuple[Cells, list[str]]:
    """The rows without those below the names that are no rows, such as units, and those that repeat the names."""
    texts = [[_text(c) for c in row] for row in body[:300]]
    below = dialect.subheaders(texts)
    notes = []
    if below:
        shown = several([repr(shortened(" | ".join(r), 70)) for r in texts[:below]])
        notes.append(f"{count_of(below, 'line')} below the names passed over: {shown}.")
    rows = [row for row in body[below:] if row != names or len(names) < 2]
    repeats = len(body) - below - len(rows)
    if repeats:
        notes.append(f"{count_of(repeats, 'line')} left out that repeat{'s' if repeats == 1 else ''} the header.")
    return rows, notes


def _text(cell: Any) -> str:
    return cell.isoformat() if isinstance(cell, (dt.date, dt.datetime, dt.time)) else str(cell)


def _without_unnamed(names: list[Any], body: Cells) -> tuple[list[Any], Cells, list[str]]:
    """Without columns that have neither a name nor a value."""
    width = max(len(names), max(map(len, body), default=0))
    names = [*names, *[""] * (width - len(names))]
    used = [i for i, n in enumerate(names) if n != "" or any(i < len(r) and r[i] != "" for r in body)]
    if len(used) == width:
        return names, body, []
    rows = [[r[i] if i < len(r) else "" for i in used] for r in body]
    return (
        [names[i] for i in used],
        rows,
        [f"{count_of(width - len(used), 'column')} without a name or any value left out."],
    )


def _preamble(rows: Cells) -> int:
    """Count the lines of titles and remarks above the table: rows with fewer values than most rows span."""
    rows = rows[:300]
    spans = [max((i + 1 for i, cell in enumerate(row) if cell != ""), default=0) for row in rows]
    usual = Counter(s for s in spans if s).most_common(1)[0][0]
    table = [row for row, span in zip(rows, spans, strict=True) if span == usual]
    left = next(i for i in range(usual) if any(row[i] != "" for row in table))  # a title may stand left of the table
    filled = [sum(cell != "" for cell in row[left:]) for row in rows]
    usual -= left
    first = next((i for i, n in enumerate(filled) if n >= max(2, 0.8 * usual)), 0)
    if first and filled[first - 1] >= 2 and _all_text(rows[first - 1]) and not _all_text(rows[first]):
        return first - 1  # a header with an empty cell, such as that of an index
    return first if usual > 1 and first <= MOST_PREAMBLE and all(n < 0.8 * usual for n in filled[:first]) else 0


def _all_text(row: list[Any]) -> bool:
    return all(isinstance(cell, str) for cell in row)


def _has_header(rows: Cells) -> bool:
    """Whether the first row holds column names: it contains a text, or it is the only row."""
    return any(isinstance(c, str) and c for c in rows[0]) or len(rows) < 2


def _check_unpacked_size(order: Order) -> None:
    if not zipfile.is_zipfile(order.path):
        return
    with zipfile.ZipFile(order.path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_UNPACKED / 5:
        raise CannotRead(
            f"{order.name} unpacks to {size / 1e9:.1f} GB, more than the {MOST_UNPACKED / 5e9:.1f} GB allowed."
        )
