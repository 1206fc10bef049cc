from __future__ import annotations

import csv
import datetime as dt
import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlcore.ingest import dialect
from mlcore.ingest.convert import mark_of
from mlcore.ingest.options import ReadOptions
from tests.helpers import read_file, read_here, values_of

LATE = [
    ("${i}", "€5"), ("${i}", "5 USD"), ("{i}%", "$7"), ("{i}%", "5"), ("13/02/2020", "14/02/20"),
    ("2020-01-01", "20-01-05"), ("2020-01-01", "epoch"), ("2020-01-01 10:00:00", "2020-01-05 10:00:00+05:00"),
    ("2020-01-01 10:00:00Z", "2020-01-05 10:00:00"), ("true", "1"), ("true", "yes"), ("{i}", '" 007"'),
    ("{i}", "-007"), ("{i}.5", "1234567890123456789"), ("", "0012"), ("{i}", "1_000"), ("{i}", "0x1F"),
]  # fmt: skip


numbers = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(-1e6, 1e6).map(lambda v: round(v, 4)))


words = st.one_of(st.none(), st.text("abcäöü ,;\"'\n|", min_size=1, max_size=12).map(lambda t: f"w{t}w"))


def test_semicolons_decimal_commas_and_umlauts(tmp_path):
    data = read_file(
        tmp_path, "a.csv", "name;preis;am\nJörg;1.234,50;03.02.2024\nÄnne;2,25;28.02.2024\n".encode("cp1252")
    )
    frame = data.frame()
    assert list(frame["name"]) == ["Jörg", "Änne"]
    assert list(frame["preis"]) == [1234.5, 2.25]
    assert list(frame["am"]) == [pd.Timestamp("2024-02-03"), pd.Timestamp("2024-02-28")]
    assert data.reading.delimiter == ";"
    assert any("decimal comma" in n for n in data.reading.notes)
    assert any("day first" in n for n in data.reading.notes)


def test_leading_zeros_stay_text_and_yes_no_stay_as_written(tmp_path):
    frame = read_file(tmp_path, "a.csv", "zip,answer,flag\n01234,yes,True\n98765,no,False\n00001,yes,True\n").frame()
    assert list(frame["zip"]) == ["01234", "98765", "00001"]
    assert list(frame["answer"]) == ["yes", "no", "yes"]
    assert list(frame["flag"]) == [True, False, True]


def test_missing_markers(tmp_path):
    frame = read_file(tmp_path, "a.csv", "x,y\n1,a\n?,NA\nNA,b\n-,none\n4,\n").frame()
    assert frame["x"].isna().tolist() == [False, True, True, True, False]
    assert frame["y"].isna().tolist() == [False, True, False, False, True]  # "none" is a level like any other


def test_utf16_and_byte_order_mark(tmp_path):
    assert list(read_file(tmp_path, "a.csv", "x,y\n1,é\n2,ü\n".encode("utf-16")).frame()["y"]) == ["é", "ü"]
    assert read_file(tmp_path, "b.csv", b"\xef\xbb\xbfx,y\n1,2\n").schema.names == ["x", "y"]


def test_ragged_rows_are_said_with_their_lines(tmp_path):
    data = read_file(tmp_path, "a.csv", "id,a,b\n1,2,3\n4,5\n6,7,8,9\n" + "1,2,3\n" * 40)
    assert data.rows == 41
    assert data.reading.skipped_rows == (3, 4)
    assert any("2 rows skipped" in n and "lines 3, 4" in n for n in data.reading.notes)


def test_a_late_text_in_a_column_of_numbers_keeps_all_rows(tmp_path):
    data = read_file(tmp_path, "a.csv", "x,y\n" + "1,2\n" * 120_000 + "oops,3\n")
    assert data.rows == 120_001
    assert data.frame()["x"].iloc[-1] == "oops"


def test_no_header(tmp_path):
    data = read_file(tmp_path, "a.csv", "1,2,x\n3,4,y\n5,6,z\n")
    assert data.schema.names == ["column_1", "column_2", "column_3"]
    assert data.rows == 3


def test_infinities_are_read(tmp_path):
    frame = read_file(tmp_path, "a.csv", "x,y\n1.5,1\ninf,2\n-inf,3\n").frame()
    assert frame["x"].tolist() == [1.5, np.inf, -np.inf]


def test_delimiters_are_found_by_even_rows():
    assert dialect.detect_delimiter("a;b\n1,5;2\n2,5;3\n") == ";"
    assert dialect.detect_delimiter("a\n1\n2\n") == ","
    assert dialect.detect_delimiter('a,b\n"x,y;z",2\n') == ","


def test_decimal_marks():
    assert mark_of(["1.234,50"], ".") == ","
    assert mark_of(["1,234.50"], ",") == "."
    assert mark_of(["0,5", "12,25"], ".") == ","
    assert mark_of(["1,234", "5,678"], ".") == "."  # always three digits follow: what is usual in the file decides
    assert mark_of(["1,234", "5,678"], ",") == ","


def test_a_preamble_is_passed_over_and_said(tmp_path):
    data = read_file(tmp_path, "a.csv", "Report of May\nmade by hand\n\nid,x\n1,2\n3,4\n5,6\n")
    assert data.schema.names == ["id", "x"]
    assert data.rows == 3
    assert data.reading.skip == 3
    assert "3 lines above the header passed over." in data.reading.notes
    ragged = read_file(tmp_path, "b.csv", "Report\nid,x\n1,2\n3\n5,6\n7,8\n9,1\n")
    assert ragged.reading.skipped_rows == (4,)  # lines are those of the file


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, ends):
    assert values_of(tmp_path, ends.join(["a,b", "1,x", "2,y", ""]), "a") == [1, 2]


def test_mixed_line_ends(tmp_path):
    assert values_of(tmp_path, "a,b\r\n1,x\n2,y\r\n3,z\r\n", "b") == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-16-le", ["Äpfel", "Birnen", "Öl"]),
        ("cp1251", ["Москва", "Санкт-Петербург", "Новосибирск"]),
        ("shift_jis", ["東京都", "大阪府", "北海道"]),
        ("big5", ["臺北市", "高雄市", "臺中市"]),
        ("gb18030", ["北京市", "上海市", "广州市"]),
        ("latin-1", ["café", "naïve", "garçon"]),
    ],
)
def test_encodings_are_found(tmp_path, encoding, words):
    text = "city,n\n" + "".join(f"{words[i % 3]},{i}\n" for i in range(300))
    data = read_file(tmp_path, "a.csv", text.encode(encoding))
    assert data.frame()["city"].tolist()[:3] == words, data.reading.encoding


def test_a_broken_character_in_utf8_is_said_and_spoils_nothing_else(tmp_path):
    text = "x,y\n" + "".join(f"{i},Zürich\n" for i in range(200))
    broken = text.encode().replace("100,Zürich".encode(), b"100,Z\xffrich")
    data = read_file(tmp_path, "a.csv", broken)
    assert data.frame()["y"].tolist().count("Zürich") == 199
    assert any("1 character is not valid utf-8" in n and "line 102." in n for n in data.reading.notes)


@pytest.mark.parametrize(
    ("cells", "expected", "said"),
    [
        (["12%", "7.5%", "100%"], [12, 7.5, 100], "per cent"),
        (["€ 1,200.50", "€ 3", "€ -4.25"], [1200.5, 3, -4.25], "€"),
        (["1200 USD", "3 USD", "-4 USD"], [1200, 3, -4], "USD"),
        (["(1,200)", "35", "(4)"], [-1200, 35, -4], "thousands"),
        (["1'200", "3'500.5", "7"], [1200, 3500.5, 7], "thousands"),
        (["1.200,5", "3", "0,25"], [1200.5, 3, 0.25], "decimal comma"),
        (["12%", "3", "4"], ["12%", "3", "4"], None),  # a mixture of units is no number
        (["€5", "$5", "€7"], ["€5", "$5", "€7"], None),
        (["0x1F", "0x2A", "7"], ["0x1F", "0x2A", "7"], None),
        (["1_000", "2_000", "3"], ["1_000", "2_000", "3"], None),
        (["12345678901234567890", "2", "3"], ["12345678901234567890", "2", "3"], None),  # would lose digits
    ],
)
def test_numbers_as_people_write_them(tmp_path, cells, expected, said):
    content = "x\tk\n" + "".join(f"{c}\t{i}\n" for i, c in enumerate(cells))
    data = read_file(tmp_path, "a.csv", content)
    assert data.frame()["x"].tolist() == expected
    assert said is None or any(said in n for n in data.reading.notes), data.reading.notes


@pytest.mark.parametrize(
    ("cells", "expected", "said"),
    [
        (["13/02/2024", "01/03/2024"], ["2024-02-13", "2024-03-01"], "day first"),
        (["02/13/2024", "03/01/2024"], ["2024-02-13", "2024-03-01"], "month first"),
        (["01/02/2024", "03/04/2024"], ["2024-02-01", "2024-04-03"], "month first would fit as well"),
        (["5 Mar 2024", "17 Dec 2023"], ["2024-03-05", "2023-12-17"], "dates"),
        (["March 5, 2024", "May 17, 2023"], ["2024-03-05", "2023-05-17"], "dates"),
        (["2024/02/13", "2024/3/1"], ["2024-02-13", "2024-03-01"], "dates"),
        (["2024-02-13T10:30:00+02:00", "2024-02-13T10:30:00Z"], ["2024-02-13 08:30", "2024-02-13 10:30"], "UTC"),
    ],
)
def test_dates_as_people_write_them(tmp_path, cells, expected, said):
    content = "d;k\n" + "".join(f"{c};{i}\n" for i, c in enumerate(cells))
    data = read_file(tmp_path, "a.csv", content)
    assert data.frame()["d"].tolist() == [pd.Timestamp(e) for e in expected]
    assert any(said in n for n in data.reading.notes), data.reading.notes


def test_a_date_beyond_the_sample_decides_the_order(tmp_path):
    rows = ["01/02/2024"] * 8000 + ["02/25/2024"]
    data = read_file(tmp_path, "a.csv", "k,d\n" + "".join(f"{i},{d}\n" for i, d in enumerate(rows)))
    assert data.frame()["d"].iloc[0] == pd.Timestamp("2024-01-02")
    assert any("month first" in n for n in data.reading.notes)


def test_what_only_late_rows_show(tmp_path):
    """Types are settled from the first rows and enforced on all of them."""
    first = "".join(f"{i},{i}.5,{i}\n" for i in range(9000))
    frame = read_file(tmp_path, "a.csv", "whole,real,code\n" + first + "2.5,oops,007\n").frame()
    assert frame["whole"].tolist()[-2:] == [8999.0, 2.5]
    assert frame["real"].tolist()[-2:] == ["8999.5", "oops"]
    assert frame["code"].tolist()[-2:] == ["8999", "007"]


def test_padded_cells(tmp_path):
    data = read_file(tmp_path, "a.csv", "n,t\n  1 , yes \n 22 ,no\n3, NA \n4,yes\n")
    assert data.frame()["n"].tolist() == [1, 22, 3, 4]
    assert data.frame()["t"].tolist()[:2] == ["yes", "no"]


def test_a_quote_that_is_never_closed_costs_its_line_only(tmp_path):
    rows = [f"{i},row{i}" for i in range(5000)]
    rows[1000] = '1000,"never closed'
    data = read_file(tmp_path, "a.csv", "\n".join(["id,t", *rows, ""]))
    assert data.rows == 4999
    assert data.reading.skipped_rows == (1002,)
    assert data.frame()["id"].tolist() == [i for i in range(5000) if i != 1000]


def test_many_quotes_that_are_never_closed_lose_no_line(tmp_path):
    """Then quotes are plain characters, and every line of the file is there again."""
    rows = [f'{i},"inch {i}' if i % 7 == 0 else f"{i},row{i}" for i in range(700)]
    data = read_file(tmp_path, "a.csv", "\n".join(["id,t", *rows, ""]))
    left_out = len(data.reading.skipped_rows)
    assert data.rows + left_out == 700
    assert left_out == 0 or not any("plain characters" in n for n in data.reading.notes)


def test_thousands_of_ragged_rows_are_placed_in_one_walk(tmp_path):
    rows = [f"{i},x,extra" if i % 3 == 0 else f"{i},x" for i in range(30_000)]
    data = read_file(tmp_path, "a.csv", "\n".join(["id,t", *rows, ""]))
    assert data.rows == 20_000
    assert data.reading.skipped_rows[:3] == (2, 5, 8)


@pytest.mark.parametrize(
    ("content", "rows", "line"),
    [
        ("a,b\n1,2\nTotal\n", 1, 3),
        ("a,b\n1,2\n3,x,4\n5,6\n", 2, 3),
        ("a,b\n1,2\n3,4\n5,6\nTotal 3 rows\n", 3, 5),
        ('id,a\n1,"x\ny\nz"\n2,y,z\n3,w\n', 2, 5),  # lines are those of the file, whatever cells span
        ("id,a\n1,x\n\n\n2,y,z\n3,w\n", 2, 5),
        ("id,a\r\n1,x\r\n\r\n2,y,z\r\n3,w\r\n", 2, 4),
    ],
)
def test_rows_that_do_not_fit_are_left_out_by_their_true_line(tmp_path, content, rows, line):
    data = read_file(tmp_path, "a.csv", content)
    assert (data.rows, data.reading.skipped_rows) == (rows, (line,))


@pytest.mark.slow
def test_late_cells_that_differ_are_never_bent(tmp_path):
    """Beyond the sample, a cell that is written in another way turns its column into text; it keeps every letter."""
    names = [f"x{k}" for k in range(len(LATE))]
    rows = [",".join(usual.format(i=i) for usual, _ in LATE) for i in range(1, 6000)]
    data = read_file(tmp_path, "a.csv", "\n".join([",".join(names), *rows, ",".join(late for _, late in LATE), ""]))
    assert data.rows == 6000
    last = data.frame().iloc[-1]
    assert [last[n].strip() for n in names] == [late.strip('"').strip() for _, late in LATE]


def test_a_late_long_number_keeps_its_digits(tmp_path):
    rows = [f"{i}," for i in range(6000)]
    data = read_file(tmp_path, "a.csv", "\n".join(["k,x", *rows, "6000,123456789012345678", ""]))
    assert data.frame()["x"].iloc[-1] == 123456789012345678


@pytest.mark.parametrize(
    "cells",
    [
        ["SKU0012", "SKU012"], ["INV1.10", "INV1.1"], ["ABC-12", "ABC-13"], ["$007", "$008"], ["(5", "6)"],
        ["192.168.100.200", "10.20.30.100"], ["+49 151", "+49 170"], ["(-3)", "4"],
    ],
)  # fmt: skip
def test_what_only_looks_like_a_number_stays_text(tmp_path, cells):
    assert values_of(tmp_path, "x;k\n" + "".join(f"{c};1,5\n" for c in cells), "x") == cells


def test_a_point_parts_no_thousands_unless_the_file_says_so(tmp_path):
    assert values_of(tmp_path, "lat;lon\n48.137;11.575\n52.520;13.405\n", "lat") == [48.137, 52.52]
    assert values_of(tmp_path, "x;y\n1.137;0,5\n2.520;1,25\n", "x") == [1137, 2520]


def test_headers_shorter_than_their_rows(tmp_path):
    assert read_file(tmp_path, "a.csv", "a,b\n1,2,\n3,4,\n5,6,\n").schema.names == ["a", "b"]
    named = read_file(tmp_path, "b.csv", "a,b\nr1,1,2\nr2,3,4\nr3,5,6\n")
    assert named.schema.names == ["row_name", "a", "b"]
    assert any("one name fewer (2) than rows have values (3)" in n for n in named.reading.notes)
    shorter = read_file(tmp_path, "e.csv", "a,b\n" + "r1,1,2,9\nr2,3,4,8\nr3,5,6,7\n" * 3)
    assert shorter.schema.names == ["a", "b", "column_3", "column_4"]
    assert any("2 names for 4 columns" in n for n in shorter.reading.notes)
    assert read_file(tmp_path, "c.csv", "country,2000,2001,2002\na,1,2,3\nb,4,5,6\n").schema.names[1] == "2000"
    assert read_file(tmp_path, "d.csv", "2020-01-01,Ann\n2020-01-02,Bob\n").rows == 2


def test_padded_dates_truths_and_markers(tmp_path):
    text = "d,t,n\n 2020-01-01 , TRUE ,1\n 2020-01-02 ,false , NA \n2020-01-03,true, 3 \n"
    frame = read_file(tmp_path, "a.csv", text).frame()
    assert frame["d"].tolist() == [pd.Timestamp(f"2020-01-0{i}") for i in (1, 2, 3)]
    assert frame["t"].tolist() == [True, False, True]
    assert frame["n"].isna().tolist() == [False, True, False]


def test_long_cells_late_in_a_file(tmp_path):
    rows = [f"{i},x" for i in range(20_000)]
    data = read_file(tmp_path, "a.csv", "\n".join(["k,t", *rows, "20000," + "y" * 3_000_000, ""]))
    assert (data.rows, len(data.frame()["t"].iloc[-1])) == (20_001, 3_000_000)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(numbers, words, st.dates(dt.date(1990, 1, 1), dt.date(2040, 1, 1))), min_size=2, max_size=30
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    ends=st.sampled_from(["\n", "\r\n"]),
    marker=st.sampled_from(["", "NA", "?", "NULL"]),
    decimal=st.sampled_from([".", ","]),
    pattern=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"]),
)
def test_a_random_dialect_is_read_back(  # noqa: PLR0917
    tmp_path, rows, delimiter, encoding, ends, marker, decimal, pattern
):
    frame = pd.DataFrame(rows, columns=["number", "word", "day"])
    frame.insert(0, "row", range(len(frame)))
    path = tmp_path / f"dialect-{uuid.uuid4()}.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=ends, quoting=csv.QUOTE_ALL)
        writer.writerow(frame.columns)
        for row, number, word, day in frame.itertuples(index=False):
            shown = marker if pd.isna(number) else f"{number:.4f}".replace(".", decimal)
            writer.writerow([row, shown, marker if pd.isna(word) else word.replace("\n", ends), day.strftime(pattern)])
    found = read_here(
        path, ReadOptions(encoding=encoding, decimal=decimal, dates="month" if "%m/" in pattern else "day")
    )
    read_back = found.frame()
    assert len(read_back) == len(frame), found.reading.notes
    expected = frame["number"].astype(float)
    if expected.notna().any():
        np.testing.assert_allclose(read_back["number"].astype(float), expected)
    assert read_back["day"].dt.date.tolist() == frame["day"].tolist()
    plain = [None if pd.isna(v) else v.replace("\r\n", "\n") for v in read_back["word"]]
    assert plain == [None if pd.isna(v) else v for v in frame["word"]]
