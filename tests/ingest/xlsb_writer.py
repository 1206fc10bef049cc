"""A small writer of binary workbooks (xlsb) for tests, after MS-XLSB: each cell is the record that a test asks for."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace

NUMBERS = {
    "BrtRowHdr": 0, "BrtCellBlank": 1, "BrtCellRk": 2, "BrtCellError": 3, "BrtCellBool": 4, "BrtCellReal": 5,
    "BrtCellSt": 6, "BrtCellIsst": 7, "BrtFmlaString": 8, "BrtFmlaNum": 9, "BrtFmlaBool": 10, "BrtFmlaError": 11,
    "BrtSSTItem": 19, "BrtFmt": 44, "BrtXF": 47, "BrtCellRString": 62, "BrtBeginSheet": 129, "BrtEndSheet": 130,
    "BrtBeginBook": 131, "BrtEndBook": 132, "BrtBeginBundleShs": 143, "BrtEndBundleShs": 144,
    "BrtBeginSheetData": 145, "BrtEndSheetData": 146, "BrtWsDim": 148, "BrtWbProp": 153, "BrtBundleSh": 156,
    "BrtBeginSst": 159, "BrtEndSst": 160, "BrtMergeCell": 176, "BrtBeginMergeCells": 177, "BrtEndMergeCells": 178,
    "BrtBeginStyleSheet": 278, "BrtEndStyleSheet": 279, "BrtBeginFmts": 615, "BrtEndFmts": 616,
    "BrtBeginCellXFs": 617, "BrtEndCellXFs": 618, "BrtBeginCellStyleXFs": 626, "BrtEndCellStyleXFs": 627,
}  # fmt: skip
FORMULAS = {"Real": "Num", "St": "String", "Bool": "Bool", "Error": "Error"}
ERRORS = {"#DIV/0!": 0x07, "#VALUE!": 0x0F, "#REF!": 0x17, "#N/A": 0x2A}

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

# A style is a place in this table of number formats: a number, and a code unless the format is built in.
FORMATS = [(0, ""), (164, "yyyy-mm-dd"), (165, "yyyy-mm-dd hh:mm"), (166, "hh:mm:ss"), (167, "[h]:mm:ss"), (9, ""),
           (14, ""), (46, ""), (31, ""), (168, '[Red]0" days"\\d_y*m;[$-409]yyyy')]  # fmt: skip
GENERAL, DATE, MOMENT, CLOCK, DURATION, PERCENT, BUILT_IN_DATE, BUILT_IN_DURATION, EAST_ASIAN_DATE, PLAIN = range(
    len(FORMATS)
)


@dataclass(frozen=True)
class Cell:
    """A record: what follows its column and its style. A shared text is numbered when the workbook is written."""

    record: str
    content: bytes | str = b""
    style: int = GENERAL


@dataclass(frozen=True)
class Sheet:
    """Rows of cells, None for no record; and merged blocks as (first row, last row, first column, last column)."""

    name: str
    rows: Sequence[Sequence[Cell | None]]
    hidden: bool = False
    merged: Sequence[tuple[int, int, int, int]] = ()


def blank(style: int = GENERAL) -> Cell:
    """A cell that has a style and no value."""
    return Cell("BrtCellBlank", style=style)


def rk(value: float, style: int = GENERAL, *, whole: bool = True, hundredths: bool = False) -> Cell:
    """A number in four bytes: an integer, or the upper half of a double; of a hundredth part if `hundredths`."""
    scaled = value * 100 if hundredths else value
    if whole:
        assert scaled == int(scaled)
        return Cell("BrtCellRk", struct.pack("<i", int(scaled) << 2 | 2 | hundredths), style)
    low, high = struct.unpack("<II", struct.pack("<d", scaled))
    assert (low, high & 3) == (0, 0), "only 30 bits are stored, and the flags stand in the other two"
    return Cell("BrtCellRk", struct.pack("<I", high | hundredths), style)


def real(value: float, style: int = GENERAL) -> Cell:
    """A number in eight bytes."""
    return Cell("BrtCellReal", struct.pack("<d", value), style)


def boolean(value: bool) -> Cell:
    """True or false."""
    return Cell("BrtCellBool", bytes([value]))


def error(name: str) -> Cell:
    """An error such as #N/A."""
    return Cell("BrtCellError", bytes([ERRORS[name]]))


def text(value: str) -> Cell:
    """A text in the cell itself."""
    return Cell("BrtCellSt", _wide(value))


def shared(value: str) -> Cell:
    """A text in the table of shared texts."""
    return Cell("BrtCellIsst", value)


def formula(result: Cell) -> Cell:
    """The formula `=1` with this stored result: a number in eight bytes, a text in the cell, a boolean or an error."""
    tokens = b"\x1e\x01\x00"  # the integer 1
    parsed = struct.pack("<HI3sI", 0, len(tokens), tokens, 0)  # flags, the formula, and no extra data
    record = f"BrtFmla{FORMULAS[result.record.removeprefix('BrtCell')]}"
    return replace(result, record=record, content=result.content + parsed)


def xlsb(sheets: Sequence[Sheet], *, epoch_1904: bool = False) -> bytes:
    """The bytes of a workbook."""
    texts: dict[str, int] = {}
    parts = {f"worksheets/sheet{n}.bin": _sheet(sheet, texts) for n, sheet in enumerate(sheets, start=1)}
    kinds = dict.fromkeys(parts, "worksheet") | {"styles.bin": "styles", "sharedStrings.bin": "sharedStrings"}
    items = [_record("BrtSSTItem", b"\0" + _wide(value)) for value in texts]
    table = _record("BrtBeginSst", struct.pack("<II", len(items), len(items))) + b"".join(items) + _record("BrtEndSst")
    parts |= {"workbook.bin": _workbook(sheets, epoch_1904), "styles.bin": _styles(), "sharedStrings.bin": table}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", _content_types(kinds))
        archive.writestr("_rels/.rels", _relations({"xl/workbook.bin": "officeDocument"}))
        archive.writestr("xl/_rels/workbook.bin.rels", _relations(kinds))
        for name, content in parts.items():
            archive.writestr(f"xl/{name}", content)
    return out.getvalue()


def _record(name: str, content: bytes = b"") -> bytes:
    return _sevens(NUMBERS[name]) + _sevens(len(content)) + content


def _sevens(value: int) -> bytes:
    """Seven bits in each byte, the lowest first; the eighth says that another byte follows."""
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + _sevens(value >> 7)


def _wide(value: str) -> bytes:
    return struct.pack("<I", len(value.encode("utf-16-le")) // 2) + value.encode("utf-16-le")


def _counted(name: str, items: list[bytes]) -> bytes:
    return _record(f"BrtBegin{name}", struct.pack("<I", len(items))) + b"".join(items) + _record(f"BrtEnd{name}")


def _sheet(sheet: Sheet, texts: dict[str, int]) -> bytes:
    area = (0, len(sheet.rows) - 1, 0, max(map(len, sheet.rows)) - 1)
    out = _record("BrtBeginSheet") + _record("BrtWsDim", struct.pack("<4I", *area)) + _record("BrtBeginSheetData")
    for number, row in enumerate(sheet.rows):
        if any(row):
            out += _record("BrtRowHdr", struct.pack("<IIH3xI", number, 0, 300, 0))  # style, height, no spans
        for column, cell in enumerate(row):
            if cell is not None:
                content = cell.content
                if isinstance(content, str):
                    content = struct.pack("<I", texts.setdefault(content, len(texts)))
                out += _record(cell.record, struct.pack("<II", column, cell.style) + content)
    out += _record("BrtEndSheetData")
    if sheet.merged:
        out += _counted("MergeCells", [_record("BrtMergeCell", struct.pack("<4I", *block)) for block in sheet.merged])
    return out + _record("BrtEndSheet")


def _workbook(sheets: Sequence[Sheet], epoch_1904: bool) -> bytes:
    out = _record("BrtBeginBook") + _record("BrtWbProp", struct.pack("<II", epoch_1904, 0) + _wide("ThisWorkbook"))
    out += _record("BrtBeginBundleShs")
    for n, sheet in enumerate(sheets, start=1):
        out += _record("BrtBundleSh", struct.pack("<II", sheet.hidden, n) + _wide(f"rId{n}") + _wide(sheet.name))
    return out + _record("BrtEndBundleShs") + _record("BrtEndBook")


def _styles() -> bytes:
    codes = [_record("BrtFmt", struct.pack("<H", number) + _wide(code)) for number, code in FORMATS if code]
    parent = [_record("BrtXF", struct.pack("<HH12x", 0xFFFF, 0))]  # of all styles, and without one itself
    styles = [_record("BrtXF", struct.pack("<HH12x", 0, number)) for number, _ in FORMATS]
    lists = _counted("Fmts", codes) + _counted("CellStyleXFs", parent) + _counted("CellXFs", styles)
    return _record("BrtBeginStyleSheet") + lists + _record("BrtEndStyleSheet")


def _relations(kinds: dict[str, str]) -> str:
    link = '<Relationship Id="rId{}" Type="{}/{}" Target="{}"/>'
    links = "".join(link.format(n, OFFICE, kind, part) for n, (part, kind) in enumerate(kinds.items(), start=1))
    return f'<?xml version="1.0"?><Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>'


def _content_types(kinds: dict[str, str]) -> str:
    excel = "application/vnd.ms-excel"
    types = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    types += f'<Default Extension="bin" ContentType="{excel}.sheet.binary.macroEnabled.main"/>'
    types += "".join(f'<Override PartName="/xl/{p}" ContentType="{excel}.{kind}"/>' for p, kind in kinds.items())
    return f'<?xml version="1.0"?><Types xmlns="{PACKAGE}/content-types">{types}</Types>'
