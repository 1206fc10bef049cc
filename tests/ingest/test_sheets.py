from __future__ import annotations

import io

import pandas as pd
import pytest

from mlcore.errors import BadChoice
from tests.helpers import read_file


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
