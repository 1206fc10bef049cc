from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pandas as pd
import pytest

from mlcore.errors import BadChoice, CannotRead
from tests.helpers import read_file, read_here


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_workbooks_keep_headers_and_codes(tmp_path):
    index = workbook({"s": [[None, "x", "y"], [0, 1, 2], [1, 3, 4], [2, 5, 6]]})
    assert read_file(tmp_path, "a.xlsx", index).frame()["x"].tolist() == [1, 3, 5]
    codes = workbook({"s": [["sku", "n", 2000], [12, 1, 5], ["A7", 2, 6]]})
    data = read_file(tmp_path, "b.xlsx", codes)
    assert data.schema.names == ["sku", "n", "2000"]
    assert data.frame()["sku"].tolist() == ["12", "A7"]
    assert read_file(tmp_path, "c.xlsx", workbook({"s": [[1, 2], [3, 4], [5, 6]]})).rows == 3
    assert read_file(tmp_path, "d.xlsx", workbook({"s": [["T"], [], ["a", "b"], [1, 2]]}), skip=2).schema.names == [
        "a",
        "b",
    ]
    assert (
        read_file(tmp_path, "e.xlsx", workbook({"s": [["a", "b"], [1, None], [2, None]]})).schema["b"].kind
        == "constant"
    )


def test_sheets_titles_above_the_header_and_missing_markers(tmp_path):
    table = [["Sales of May"], [], ["shop", "sold", "on"], ["a", 5, "03.02.2024"], ["b", "NA", "28.02.2024"]]
    content = workbook({"Notes": [], "Table": table, "Other": [["x"], [1]]})
    data = read_file(tmp_path, "a.xlsx", content)
    assert data.frame()["sold"].tolist()[0] == 5
    assert data.schema["sold"].missing == 1
    assert data.frame()["on"].tolist() == [pd.Timestamp("2024-02-03"), pd.Timestamp("2024-02-28")]
    assert data.reading.subset == "Table"
    assert data.reading.subsets == ("Notes", "Table", "Other")
    assert read_file(tmp_path, "a.xlsx", content, subset="Other").frame()["x"].tolist() == [1]
    with pytest.raises(BadChoice, match="Did you mean 'Table'"):
        read_file(tmp_path, "a.xlsx", content, subset="table")


@pytest.mark.parametrize("title", [["Sales of May"], ["Sales", "May"]])
@pytest.mark.parametrize("names", [["shop", "sold"], ["shop", "sold", "price"], ["shop", "sold", "price", "tax"]])
def test_a_title_may_stand_left_of_the_table(tmp_path, title, names):
    rows = [[None, "ab"[i % 2], *[i + j for j in range(len(names) - 1)]] for i in range(4)]
    data = read_file(tmp_path, "a.xlsx", workbook({"s": [title, [], [None, *names], *rows]}))
    assert data.schema.names == names
    assert data.frame()["sold"].tolist() == [0, 1, 2, 3]
    assert "2 lines above the header passed over." in data.reading.notes


# every cell type, by two writers --------------------------------------------------------------------------------------

HEAD = ["day", "moment", "clock", "span", "part", "broken", "sum", "flag", "word", "number", "zip"]
FORMATS = ["yyyy-mm-dd", "yyyy-mm-dd hh:mm", "hh:mm:ss", "[h]:mm:ss", "0%"]


def typed_rows() -> list[list[object]]:
    """Eight rows with a day, a time, a time of day, a duration of more than a day, a percentage, texts, numbers."""
    return [
        [dt.date(2024, 3, 1 + i), dt.datetime(2024, 3, 1 + i, 9, 30), dt.time(8, 15, i),
         dt.timedelta(hours=25, minutes=i), 0.25 * i, None, None, bool(i % 2), f"w{i % 2}", i + 0.5, f"0{i}234"]
        for i in range(8)
    ]  # fmt: skip


def by_openpyxl(path: Path, epoch_1904: bool = False) -> None:
    from openpyxl import Workbook
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book = Workbook()
    if epoch_1904:
        book.epoch = CALENDAR_MAC_1904
    book.active.append(HEAD)
    for row in typed_rows():
        book.active.append([*row[:5], "#DIV/0!", "=J2*2", *row[7:]])
    book.save(path)


def by_openpyxl_1904(path: Path) -> None:
    by_openpyxl(path, epoch_1904=True)


def by_xlsxwriter(path: Path, epoch_1904: bool = False) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"date_1904": epoch_1904})
    sheet = book.add_worksheet("S")
    sheet.write_row(0, 0, HEAD)
    formats = [book.add_format({"num_format": f}) for f in FORMATS]
    for i, row in enumerate(typed_rows(), start=1):
        for j in range(4):
            sheet.write_datetime(i, j, row[j], formats[j])
        sheet.write_number(i, 4, row[4], formats[4])
        sheet.write_formula(i, 5, "=1/0", None, "#DIV/0!")
        sheet.write_formula(i, 6, f"=J{i + 1}*2")  # its result is written as 0, to be calculated by Excel
        sheet.write_boolean(i, 7, row[7])
        sheet.write_string(i, 8, row[8])
        sheet.write_number(i, 9, row[9])
        sheet.write_string(i, 10, row[10])
    book.close()


def by_xlsxwriter_1904(path: Path) -> None:
    by_xlsxwriter(path, epoch_1904=True)


def by_xlwt(path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("A")
    styles = [xlwt.easyxf(num_format_str=f) for f in FORMATS]
    for j, name in enumerate(HEAD):
        sheet.write(0, j, name)
    for i, row in enumerate(typed_rows(), start=1):
        for j in range(5):
            value = row[j].total_seconds() / 86_400 if isinstance(row[j], dt.timedelta) else row[j]
            sheet.write(i, j, value, styles[j])
        sheet.write(i, 5, xlwt.Formula("1/0"))
        sheet.write(i, 6, xlwt.Formula(f"J{i + 1}*2"))
        for j in range(7, 11):
            sheet.write(i, j, row[j])
    book.save(str(path))


def by_odfpy(path: Path) -> None:
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableRow

    book = OpenDocumentSpreadsheet()
    table = Table(name="A")
    for row in [HEAD, *typed_rows()]:
        line = TableRow()
        for value in row:
            line.addElement(_odf_cell(value))
        table.addElement(line)
    book.spreadsheet.addElement(table)
    book.save(str(path))


def _odf_cell(value: object) -> object:
    from odf.table import TableCell
    from odf.text import P

    if isinstance(value, str):
        cell = TableCell(valuetype="string")
        cell.addElement(P(text=value))
        return cell
    if isinstance(value, bool):
        return TableCell(valuetype="boolean", booleanvalue=str(value).lower())
    if isinstance(value, dt.date):
        return TableCell(valuetype="date", datevalue=value.isoformat())
    if isinstance(value, dt.time):
        return TableCell(valuetype="time", timevalue=f"PT{value.hour:02d}H{value.minute:02d}M{value.second:02d}S")
    if isinstance(value, dt.timedelta):
        seconds = int(value.total_seconds())
        return TableCell(
            valuetype="time", timevalue=f"PT{seconds // 3600}H{seconds // 60 % 60:02d}M{seconds % 60:02d}S"
        )
    return TableCell() if value is None else TableCell(valuetype="float", value=value)


MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def by_hand(path: Path) -> None:
    """The same as ods, written without a library."""
    import zipfile

    def cell(value: object) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        if isinstance(value, bool):
            return f'<table:table-cell office:value-type="boolean" office:boolean-value="{str(value).lower()}"/>'
        if isinstance(value, dt.date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
        if isinstance(value, (dt.time, dt.timedelta)):
            seconds = (
                int(value.total_seconds())
                if isinstance(value, dt.timedelta)
                else value.hour * 3600 + value.minute * 60 + value.second
            )
            text = f"PT{seconds // 3600:02d}H{seconds // 60 % 60:02d}M{seconds % 60:02d}S"
            return f'<table:table-cell office:value-type="time" office:time-value="{text}"/>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    rows = "".join(f"<table:table-row>{''.join(map(cell, r))}</table:table-row>" for r in [HEAD, *typed_rows()])
    content = (
        '<?xml version="1.0"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="A">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", MANIFEST)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.xlsx", by_openpyxl), ("b.xlsx", by_openpyxl_1904), ("c.xlsx", by_xlsxwriter),
        ("d.xlsx", by_xlsxwriter_1904), ("e.xls", by_xlwt), ("f.ods", by_odfpy), ("g.ods", by_hand),
    ],
)  # fmt: skip
def test_every_cell_type(tmp_path, name, write):
    write(tmp_path / name)
    data = read_here(tmp_path / name)
    frame = data.frame()
    assert frame["day"].tolist() == [pd.Timestamp(2024, 3, 1 + i) for i in range(8)]
    assert frame["moment"].tolist() == [pd.Timestamp(2024, 3, 1 + i, 9, 30) for i in range(8)]
    assert frame["clock"].tolist() == [8 * 3600 + 15 * 60 + i for i in range(8)]
    assert frame["span"].tolist() == [25 * 3600 + 60 * i for i in range(8)]
    assert frame["part"].tolist() == [0.25 * i for i in range(8)]
    assert frame["flag"].tolist() == [False, True] * 4
    assert frame["word"].tolist() == ["w0", "w1"] * 4
    assert frame["number"].tolist() == [i + 0.5 for i in range(8)]
    assert frame["zip"].tolist() == [f"0{i}234" for i in range(8)]
    assert frame["broken"].isna().all()
    assert frame["sum"].isna().all()  # never 0
    assert any("clock and span: durations" in n for n in data.reading.notes)
    assert any("formulas" in n for n in data.reading.notes)


def test_hidden_sheets_are_not_the_default(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "Lists"
    book.active.append(["Status"])
    book.active.append(["won"])
    book.active.sheet_state = "hidden"
    deals = book.create_sheet("Deals")
    for row in [["deal", "amount"], ["a", 5], ["b", 7]]:
        deals.append(row)
    book.save(tmp_path / "a.xlsx")
    data = read_here(tmp_path / "a.xlsx")
    assert data.reading.subset == "Deals"
    assert data.schema.names == ["deal", "amount"]
    assert data.reading.subsets == ()
    assert read_file(tmp_path, "b.xlsx", (tmp_path / "a.xlsx").read_bytes(), subset="Lists").rows == 1


def test_merged_cells_are_filled_down_and_blank_rows_said(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for row in [["region", "shop", "sold"], ["north", "a", 1], [None, "b", 2], [None, None, None], ["south", "c", 3]]:
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    book.save(tmp_path / "a.xlsx")
    data = read_here(tmp_path / "a.xlsx")
    assert data.frame()["region"].tolist() == ["north", "north", "south"]
    assert "1 merged block of cells filled down." in data.reading.notes
    assert "1 blank row inside the table left out." in data.reading.notes


def test_units_repeated_headers_and_totals_in_workbooks(tmp_path):
    rows = [["day", "amount", "kind"], ["(date)", "(EUR)", "(text)"]]
    rows += [[dt.date(2024, 1, 1 + i), 2.5 * i, "ab"[i % 2]] for i in range(12)]
    rows += [["day", "amount", "kind"], ["Total", 165, None]]
    data = read_file(tmp_path, "a.xlsx", workbook({"s": rows}), skip_end=1)
    assert data.rows == 12
    assert data.schema["day"].kind == "datetime"
    assert data.frame()["amount"].tolist() == [2.5 * i for i in range(12)]


def test_a_workbook_of_formulas_without_results_is_refused_with_the_way_out(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    for i in range(1, 6):
        book.active.append([f"=ROW()*{i}", f"=A{i}*2"])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(CannotRead, match=r"has no values in any sheet|lacks its stored result"):
        read_here(tmp_path / "a.xlsx")
