"""Spreadsheets (xlsx, xls, xlsb, ods) through python-calamine, which runs no macros and follows no links."""

from __future__ import annotations

import zipfile
from collections import Counter
from typing import Any

from mlcore.data.dataset import Reading
from mlcore.errors import BadChoice, CannotRead
from mlcore.ingest.archives import MOST_UNPACKED
from mlcore.ingest.frames import Loaded, Order, cells_to_parquet
from mlcore.ingest.text import MISSING, MOST_PREAMBLE
from mlcore.wording import count_of

Cells = list[list[Any]]


def load(order: Order) -> Loaded:
    """Read one sheet: the one in the options, or the first that is not empty."""
    from python_calamine import CalamineError, CalamineWorkbook

    _check_unpacked_size(order)
    try:
        book = CalamineWorkbook.from_path(str(order.path))
    except (CalamineError, OSError, ValueError) as error:
        locked = any(word in str(error).lower() for word in ("password", "encrypt"))
        why = "it is protected by a password" if locked else "it is damaged or not a workbook"
        raise CannotRead(
            f"{order.name} could not be opened as a workbook: {why}. "
            "Open it in your spreadsheet program and save it again without a password."
        ) from None
    sheet, rows = _sheet(order, book)
    skip = order.options.skip if order.options.skip is not None else _preamble(rows)
    rows = [r for r in rows[skip:] if any(c != "" for c in r)]
    header = _has_header(rows) if order.options.header is None else order.options.header
    if len(rows) == 1 and header:
        columns = count_of(len(rows[0]), "column")
        raise CannotRead(f"{order.name} has a header ({columns}) but no rows. Choose a file with rows.")
    if not rows:
        raise CannotRead(f"{order.name} has no rows after the first {skip}. Change the number of lines to skip.")
    header_notes: list[str] = []
    names = rows[0] if header else [f"column_{i + 1}" for i in range(max(map(len, rows)))]
    if order.options.header is None and not header:
        header_notes.append("The first line looks like data, so the columns were named column_1, column_2 …")
    notes = header_notes + cells_to_parquet(names, _with_missing(rows[1:] if header else rows, order), order.raw)
    if skip and order.options.skip is None:
        notes.append(f"{count_of(skip, 'line')} above the header passed over.")
    parts = tuple(book.sheet_names) if len(book.sheet_names) > 1 else ()
    if parts:
        notes.append(f"Sheet {sheet!r} of {len(parts)} was read.")
    reading = Reading("workbook", header=header, notes=tuple(notes), skip=skip, subset=sheet, subsets=parts)
    return Loaded(reading, "may be anything")


def _sheet(order: Order, book: Any) -> tuple[str, Cells]:
    choice = order.options.subset
    if choice is not None and choice not in book.sheet_names:
        raise BadChoice.of("sheet", choice, book.sheet_names)
    for sheet in [choice] if choice is not None else book.sheet_names:
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=True)
        if any(c != "" for row in rows for c in row):
            return sheet, rows
    raise CannotRead(f"{order.name} has no values in any sheet. Choose a workbook with a header and rows.")


def _preamble(rows: Cells) -> int:
    """Count the lines of titles and remarks above the table: rows with fewer values than most rows span."""
    spans = [max((i + 1 for i, cell in enumerate(row) if cell != ""), default=0) for row in rows[:300]]
    filled = [sum(cell != "" for cell in row) for row in rows[:300]]
    usual = Counter(s for s in spans if s).most_common(1)[0][0]
    first = next((i for i, n in enumerate(filled) if n >= max(2, 0.8 * usual)), 0)
    if first and filled[first - 1] >= 2 and _all_text(rows[first - 1]) and not _all_text(rows[first]):
        return first - 1  # a header with an empty cell, such as that of an index
    return first if usual > 1 and first <= MOST_PREAMBLE and all(n < 0.8 * usual for n in filled[:first]) else 0


def _all_text(row: list[Any]) -> bool:
    return all(isinstance(cell, str) for cell in row)


def _has_header(rows: Cells) -> bool:
    """Whether the first row holds column names: it contains a text, or it is the only row."""
    return any(isinstance(c, str) and c for c in rows[0]) or len(rows) < 2


def _with_missing(rows: Cells, order: Order) -> Cells:
    """Replace texts that stand for a missing value with None."""
    markers = set(order.options.missing or MISSING)
    return [[None if isinstance(cell, str) and cell.strip() in markers else cell for cell in row] for row in rows]


def _check_unpacked_size(order: Order) -> None:
    if not zipfile.is_zipfile(order.path):
        return
    with zipfile.ZipFile(order.path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_UNPACKED / 5:
        raise CannotRead(
            f"{order.name} unpacks to {size / 1e9:.1f} GB, more than the {MOST_UNPACKED / 5e9:.1f} GB allowed."
        )
