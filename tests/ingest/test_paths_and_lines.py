"""A path is one file whatever its name, and every line of a file is in a row, in a cell, or named."""

from __future__ import annotations

import pytest

from tests.helpers import read_file


@pytest.mark.parametrize("name", ["a[1].csv", "star*.csv", "q?.csv", "[ab].csv", "it's.csv", "a {b}.csv", "ü 2.csv"])
def test_a_name_is_never_a_pattern(tmp_path, name):
    """Siblings that the name would match as a pattern hold other rows."""
    for sibling in ("a1.csv", "starX.csv", "qq.csv", "a.csv", "b.csv"):
        (tmp_path / sibling).write_text("x,y\n" + "7,8\n" * 5)
    data = read_file(tmp_path, name, "x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    assert data.frame()["x"].tolist() == list(range(20))


def lines_with(row: int, text: str, rows: int = 3000) -> list[str]:
    lines = ["id,name,size,y", *(f"{i},item {i},{i % 7},{'ab'[i % 2]}" for i in range(rows))]
    lines[row] = text
    return lines


def test_a_quote_that_is_closed_much_later_is_named(tmp_path):
    lines = lines_with(100, '99,"item 5,3,a')
    lines[600] = '599,item 5",3,a'
    data = read_file(tmp_path, "late.csv", "\n".join(lines) + "\n")
    assert data.rows == 2500
    (note,) = data.reading.notes
    assert "One value of name goes over 501 lines" in note
    assert "500 rows are inside it" in note


def test_a_quote_that_is_never_closed_costs_its_line_only(tmp_path):
    data = read_file(tmp_path, "open.csv", "\n".join(lines_with(100, '99,"item 5,3,a')) + "\n")
    assert data.rows >= 2999
    assert data.reading.notes


def test_texts_of_a_few_lines_are_no_finding(tmp_path):
    rows = "".join(f'{i},"a letter\nof three\nlines, {i}"\n' for i in range(50))
    data = read_file(tmp_path, "letters.csv", "id,text\n" + rows)
    assert data.rows == 50
    assert data.reading.notes == ()


@pytest.mark.slow
def test_no_line_of_a_large_file_is_lost_to_one_quote(tmp_path):
    """DuckDB reads large files in parts, and shows of such a quote only its own line."""
    data = read_file(tmp_path, "large.csv", "\n".join(lines_with(1000, '999,"item 5,3,a', 2_000_000)) + "\n")
    assert data.rows >= 1_999_999
