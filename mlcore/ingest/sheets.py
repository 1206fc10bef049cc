"""Spreadsheets (xlsx, xls, xlsb, ods) through python-calamine, which runs no macro and follows no link."""

from __future__ import annotations

import zipfile

from mlcore.dataset import Reading
from mlcore.errors import BadChoice, CannotRead
from mlcore.ingest.frames import Order, cells_to_parquet

MOST_UNPACKED = 4 << 30


def load(order: Order) -> Reading:
    """Read one sheet: the one asked for, else the first that holds anything."""
    from python_calamine import CalamineError, CalamineWorkbook

    _refuse_bombs(order)
    try:
        book = CalamineWorkbook.from_path(str(order.path))
    except (CalamineError, OSError, ValueError) as error:
        locked = "password" in str(error).lower() or "encrypt" in str(error).lower()
        why = "it is protected by a password" if locked else "it is damaged, or is no workbook"
        raise CannotRead(
            f"{order.name} could not be opened as a workbook: {why}. "
            "Open it in your spreadsheet program and save it again without a password."
        ) from None
    wanted = order.options.sheet
    if wanted is not None and wanted not in book.sheet_names:
        raise BadChoice.of("sheet", wanted, book.sheet_names)
    for sheet in [wanted] if wanted is not None else book.sheet_names:
        rows = [r for r in book.get_sheet_by_name(sheet).to_python(skip_empty_area=True) if any(c != "" for c in r)]
        if rows:
            break
    else:
        raise CannotRead(f"{order.name} has no cells in any sheet. Choose a workbook with a header and rows.")
    if len(rows) == 1:
        raise CannotRead(f"{order.name} has a header ({len(rows[0])} columns) but no rows. Choose a file with rows.")
    notes = cells_to_parquet(rows[0], rows[1:], order.raw)
    if len(book.sheet_names) > 1:
        notes.append(f"Sheet {sheet!r} of {len(book.sheet_names)} was read.")
    return Reading("workbook", notes=tuple(notes))


def _refuse_bombs(order: Order) -> None:
    if not zipfile.is_zipfile(order.path):
        return
    with zipfile.ZipFile(order.path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        names = archive.namelist()
    if size > MOST_UNPACKED:
        raise CannotRead(
            f"{order.name} unpacks to {size / 1e9:.1f} GB, more than the {MOST_UNPACKED / 1e9:.1f} GB allowed."
        )
    if not any(n.startswith("xl/") or n == "content.xml" for n in names):
        raise CannotRead(f"{order.name} is an archive, not a workbook. Unpack it and choose the file inside.")
