"""Files as people have them; expected values are written out."""

from __future__ import annotations

import bz2
import csv
import datetime as dt
import gzip
import io
import json
import lzma
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import read_here, table_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlcore
from mlcore import sources
from mlcore.dataset import Dataset, unique_names
from mlcore.errors import BadChoice, BadInput, CannotRead, NoSuchColumn, NotFound
from mlcore.ingest import archives, text
from mlcore.ingest.convert import mark_of
from mlcore.ingest.options import Limits, ReadOptions, Stored, Table
from mlcore.workspace import Workspace


def read(tmp_path: Path, name: str, content: bytes | str, **options: object) -> Dataset:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_here(path, ReadOptions(**options) if options else None)


def kinds(data: Dataset) -> dict[str, str]:
    return {c.name: c.kind for c in data.schema}


def test_semicolons_decimal_commas_and_umlauts(tmp_path):
    data = read(tmp_path, "a.csv", "name;preis;am\nJörg;1.234,50;03.02.2024\nÄnne;2,25;28.02.2024\n".encode("cp1252"))
    frame = data.frame()
    assert list(frame["name"]) == ["Jörg", "Änne"]
    assert list(frame["preis"]) == [1234.5, 2.25]
    assert list(frame["am"]) == [pd.Timestamp("2024-02-03"), pd.Timestamp("2024-02-28")]
    assert data.reading.delimiter == ";"
    assert any("decimal comma" in n for n in data.reading.notes)
    assert any("day first" in n for n in data.reading.notes)


def test_leading_zeros_stay_text_and_yes_no_stay_as_written(tmp_path):
    frame = read(tmp_path, "a.csv", "zip,answer,flag\n01234,yes,True\n98765,no,False\n00001,yes,True\n").frame()
    assert list(frame["zip"]) == ["01234", "98765", "00001"]
    assert list(frame["answer"]) == ["yes", "no", "yes"]
    assert list(frame["flag"]) == [True, False, True]


def test_missing_markers(tmp_path):
    frame = read(tmp_path, "a.csv", "x,y\n1,a\n?,NA\nNA,b\n-,none\n4,\n").frame()
    assert frame["x"].isna().tolist() == [False, True, True, True, False]
    assert frame["y"].isna().tolist() == [False, True, False, False, True]  # "none" is a level like any other


def test_utf16_and_byte_order_mark(tmp_path):
    assert list(read(tmp_path, "a.csv", "x,y\n1,é\n2,ü\n".encode("utf-16")).frame()["y"]) == ["é", "ü"]
    assert read(tmp_path, "b.csv", b"\xef\xbb\xbfx,y\n1,2\n").schema.names == ["x", "y"]


def test_ragged_rows_are_said_with_their_lines(tmp_path):
    data = read(tmp_path, "a.csv", "id,a,b\n1,2,3\n4,5\n6,7,8,9\n" + "1,2,3\n" * 40)
    assert data.rows == 41
    assert data.reading.skipped_rows == (3, 4)
    assert any("2 rows skipped" in n and "lines 3, 4" in n for n in data.reading.notes)


def test_a_late_text_in_a_column_of_numbers_keeps_all_rows(tmp_path):
    data = read(tmp_path, "a.csv", "x,y\n" + "1,2\n" * 120_000 + "oops,3\n")
    assert data.rows == 120_001
    assert data.frame()["x"].iloc[-1] == "oops"


def test_no_header(tmp_path):
    data = read(tmp_path, "a.csv", "1,2,x\n3,4,y\n5,6,z\n")
    assert data.schema.names == ["column_1", "column_2", "column_3"]
    assert data.rows == 3


def test_duplicate_names_are_made_unique_and_said(tmp_path):
    data = read(tmp_path, "a.csv", "a,a,b,\n1,2,3,4\n5,6,7,8\n")
    assert data.schema.names == ["a", "a_2", "b", "column_4"]
    assert any("a_2" in n for n in data.reading.notes)


@given(st.lists(st.sampled_from(["a", "A", "a_2", "b", "", "a_3"]), max_size=8))
def test_unique_names_are_unique_and_keep_first_owners(names):
    found, _ = unique_names(names)
    assert len({n.casefold() for n in found}) == len(names)
    for name in {n.casefold() for n in names} - {""}:
        assert name in {n.casefold() for n in found}


def test_names_that_differ_in_case_only(tmp_path):
    data = read(tmp_path, "a.csv", "age,Age,t\n1,2,3\n4,5,6\n")
    assert data.schema.names == ["age", "Age_2", "t"]
    assert data.frame()["Age_2"].tolist() == [2, 5]


def test_frames_keep_their_types_and_odd_ones_become_text(home):
    frame = pd.DataFrame(
        {
            "code": ["0", "1", "0"],
            "cut": pd.cut([1, 5, 9], 3),
            "month": pd.period_range("2024-01", periods=3, freq="M"),
            "nan": [0.0, np.nan, 1.0],
        }
    )
    found = mlcore.read(frame, name="types").frame()
    assert found["code"].tolist() == ["0", "1", "0"]
    assert found["month"].tolist() == ["2024-01", "2024-02", "2024-03"]
    assert found["cut"].str.startswith("(").all()
    assert mlcore.read(frame, name="types").schema["nan"].missing == 1


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("blank.csv", b"\n\n \n", "blank lines"),
        ("header.csv", b"a,b,c\n", "no rows"),
        ("bad.xlsx", b"PK\x03\x04 this is no workbook", "workbook"),
        ("fake.parquet", b"a,b\n1,2\n", "not parquet"),
        ("cut.parquet", b"PAR1" + b"\0" * 40, "Parquet"),
        ("image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not read here"),
        ("bad.json", b'{"a": [1, 2', "not valid JSON"),
        ("scalar.json", b"42", "not a table"),
        ("deep.json", b"[" * 100_000, "nested too deep"),
        ("lines.jsonl", b'{"a": 1}\nnonsense\n', "line 2"),
    ],
)
def test_broken_files_give_a_sentence(tmp_path, name, content, part):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CannotRead, match=part):
        read_here(path)


def test_an_empty_file(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(CannotRead, match="0 bytes"):
        mlcore.read(tmp_path / "a.csv")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(NotFound, match=r"no\.csv"):
        mlcore.read(tmp_path / "no.csv")


def test_the_memory_limit_ends_the_child_and_nothing_else(tmp_path):
    path = tmp_path / "big.json"
    path.write_text(json.dumps([{"x": "y" * 50} for _ in range(400_000)]))
    with pytest.raises(CannotRead, match="memory"):
        mlcore.read(path, limits=Limits(memory_gb=0.6))


def test_formats_agree(tmp_path):
    frame = pd.DataFrame({"n": [1, 2, 3], "x": [0.5, None, 2.5], "t": ["a", "b", None]})
    frame.to_csv(tmp_path / "f.csv", index=False)
    frame.to_csv(tmp_path / "f.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "f.parquet")
    frame.to_feather(tmp_path / "f.feather")
    frame.to_excel(tmp_path / "f.xlsx", index=False)
    frame.to_json(tmp_path / "f.json", orient="records")
    frame.to_json(tmp_path / "f.jsonl", orient="records", lines=True)
    for name in ("f.csv", "f.tsv", "f.parquet", "f.feather", "f.xlsx", "f.json", "f.jsonl"):
        found = read_here(tmp_path / name).frame()
        assert list(found["n"]) == [1, 2, 3], name
        assert found["x"].isna().tolist() == [False, True, False], name
        assert found["x"].iloc[2] == 2.5, name
        assert found["t"].isna().tolist() == [False, False, True], name


def test_json_nested_by_one_level(tmp_path):
    frame = read(tmp_path, "a.json", json.dumps([{"a": 1, "b": {"c": 2, "d": [1, 2]}}, {"a": 3}])).frame()
    assert list(frame.columns) == ["a", "b.c", "b.d"]
    assert frame["b.d"].iloc[0] == "[1, 2]"


def test_equal_files_are_stored_once_and_other_options_are_another_dataset(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n1,5;2\n")
    first, again = mlcore.read(path), mlcore.read(path)
    other = mlcore.read(path, options=ReadOptions(decimal=","))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_kinds_of_the_churn_sample(churn_file):
    assert kinds(mlcore.read(churn_file)) == {
        "customer_id": "identifier",
        "signed_up": "datetime",
        "age": "numeric",
        "region": "categorical",
        "contract": "categorical",
        "internet": "categorical",
        "monthly_charge": "numeric",
        "autopay": "boolean",
        "support_calls": "numeric",
        "retention_call": "categorical",
        "churned": "boolean",
    }


def test_infinities_are_read(tmp_path):
    frame = read(tmp_path, "a.csv", "x,y\n1.5,1\ninf,2\n-inf,3\n").frame()
    assert frame["x"].tolist() == [1.5, np.inf, -np.inf]


def test_delimiters_are_found_by_even_rows():
    assert text.detect_delimiter("a;b\n1,5;2\n2,5;3\n") == ";"
    assert text.detect_delimiter("a\n1\n2\n") == ","
    assert text.detect_delimiter('a,b\n"x,y;z",2\n') == ","


def test_decimal_marks():
    assert mark_of(["1.234,50"], ".") == ","
    assert mark_of(["1,234.50"], ",") == "."
    assert mark_of(["0,5", "12,25"], ".") == ","
    assert mark_of(["1,234", "5,678"], ".") == "."  # always three digits follow: what is usual in the file decides
    assert mark_of(["1,234", "5,678"], ",") == ","


# what people have ----------------------------------------------------------------------------------------------------


def values(tmp_path: Path, content: bytes | str, column: str, name: str = "a.csv", **options: object) -> list[object]:
    return read(tmp_path, name, content, **options).frame()[column].tolist()


def test_a_preamble_is_passed_over_and_said(tmp_path):
    data = read(tmp_path, "a.csv", "Report of May\nmade by hand\n\nid,x\n1,2\n3,4\n5,6\n")
    assert data.schema.names == ["id", "x"]
    assert data.rows == 3
    assert data.reading.skip == 3
    assert "3 lines above the header passed over." in data.reading.notes
    ragged = read(tmp_path, "b.csv", "Report\nid,x\n1,2\n3\n5,6\n7,8\n9,1\n")
    assert ragged.reading.skipped_rows == (4,)  # lines are those of the file


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, ends):
    assert values(tmp_path, ends.join(["a,b", "1,x", "2,y", ""]), "a") == [1, 2]


def test_mixed_line_ends(tmp_path):
    assert values(tmp_path, "a,b\r\n1,x\n2,y\r\n3,z\r\n", "b") == ["x", "y", "z"]


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
    data = read(tmp_path, "a.csv", text.encode(encoding))
    assert data.frame()["city"].tolist()[:3] == words, data.reading.encoding


def test_a_broken_character_in_utf8_is_said_and_spoils_nothing_else(tmp_path):
    text = "x,y\n" + "".join(f"{i},Zürich\n" for i in range(200))
    broken = text.encode().replace("100,Zürich".encode(), b"100,Z\xffrich")
    data = read(tmp_path, "a.csv", broken)
    assert data.frame()["y"].tolist().count("Zürich") == 199
    assert any("1 character is no utf-8" in n and "line 102." in n for n in data.reading.notes)


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
    data = read(tmp_path, "a.csv", content)
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
    data = read(tmp_path, "a.csv", content)
    assert data.frame()["d"].tolist() == [pd.Timestamp(e) for e in expected]
    assert any(said in n for n in data.reading.notes), data.reading.notes


def test_a_date_beyond_the_sample_decides_the_order(tmp_path):
    rows = ["01/02/2024"] * 8000 + ["02/25/2024"]
    data = read(tmp_path, "a.csv", "k,d\n" + "".join(f"{i},{d}\n" for i, d in enumerate(rows)))
    assert data.frame()["d"].iloc[0] == pd.Timestamp("2024-01-02")
    assert any("month first" in n for n in data.reading.notes)


def test_what_only_late_rows_show(tmp_path):
    """Types are settled from the first rows and enforced on all of them."""
    first = "".join(f"{i},{i}.5,{i}\n" for i in range(9000))
    frame = read(tmp_path, "a.csv", "whole,real,code\n" + first + "2.5,oops,007\n").frame()
    assert frame["whole"].tolist()[-2:] == [8999.0, 2.5]
    assert frame["real"].tolist()[-2:] == ["8999.5", "oops"]
    assert frame["code"].tolist()[-2:] == ["8999", "007"]


def test_padded_cells(tmp_path):
    data = read(tmp_path, "a.csv", "n,t\n  1 , yes \n 22 ,no\n3, NA \n4,yes\n")
    assert data.frame()["n"].tolist() == [1, 22, 3, 4]
    assert data.frame()["t"].tolist()[:2] == ["yes", "no"]


def test_every_assumption_can_be_changed(tmp_path):
    assert values(tmp_path, "a;b\n1;2\n3;4\n", "a;b", delimiter=",") == ["1;2", "3;4"]
    assert values(tmp_path, "a,b\n1,2\n", "column_1", header=False) == ["a", "1"]
    assert values(tmp_path, "1,2\n3,4\n", "1", header=True) == [3]
    assert values(tmp_path, "x\na,b\n1,2\n", "a", skip=1) == [1]
    assert values(tmp_path, "a;b\n1,500;2\n", "a") == [1.5]  # semicolons part cells where commas are decimal
    assert values(tmp_path, "a;b\n1,500;2\n", "a", decimal=".") == [1500]
    assert values(tmp_path, "a;b\n1,5;2\n", "a", decimal=".") == ["1,5"]
    assert values(tmp_path, "d;k\n01/02/2024;1\n", "d", dates="month") == [pd.Timestamp("2024-01-02")]
    assert pd.isna(values(tmp_path, "a,b\n99,x\n1,y\n", "a", missing=("", "99"))[0])
    assert values(tmp_path, "a,b\n1,x\n2\n", "a", short_rows="fill") == [1, 2]
    assert values(tmp_path, "a,b\n1,'x,y'\n", "b", quote="'") == ["x,y"]
    assert values(tmp_path, "a,b\n01/02/2024,1\n", "a", text=("a",)) == ["01/02/2024"]
    assert values(tmp_path, "é,b\n1,2\n".encode("cp1252"), "é", encoding="cp1252") == [1]


@pytest.mark.parametrize(
    "wrong",
    [{"delimiter": ";;"}, {"quote": "q"}, {"decimal": "x"}, {"dates": "year"}, {"short_rows": "drop"}, {"skip": -1}],
)
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(BadChoice):
        ReadOptions(**wrong)


# what a fresh pair of eyes found --------------------------------------------------------------------------------------


def test_a_quote_that_is_never_closed_costs_its_line_only(tmp_path):
    rows = [f"{i},row{i}" for i in range(5000)]
    rows[1000] = '1000,"never closed'
    data = read(tmp_path, "a.csv", "\n".join(["id,t", *rows, ""]))
    assert data.rows == 4999
    assert data.reading.skipped_rows == (1002,)
    assert data.frame()["id"].tolist() == [i for i in range(5000) if i != 1000]


def test_many_quotes_that_are_never_closed_lose_no_line(tmp_path):
    """Then quotes are plain characters, and every line of the file is there again."""
    rows = [f'{i},"inch {i}' if i % 7 == 0 else f"{i},row{i}" for i in range(700)]
    data = read(tmp_path, "a.csv", "\n".join(["id,t", *rows, ""]))
    left_out = len(data.reading.skipped_rows)
    assert data.rows + left_out == 700
    assert left_out == 0 or not any("plain characters" in n for n in data.reading.notes)


def test_thousands_of_ragged_rows_are_placed_in_one_walk(tmp_path):
    rows = [f"{i},x,extra" if i % 3 == 0 else f"{i},x" for i in range(30_000)]
    data = read(tmp_path, "a.csv", "\n".join(["id,t", *rows, ""]))
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
    data = read(tmp_path, "a.csv", content)
    assert (data.rows, data.reading.skipped_rows) == (rows, (line,))


LATE = [
    ("${i}", "€5"), ("${i}", "5 USD"), ("{i}%", "$7"), ("{i}%", "5"), ("13/02/2020", "14/02/20"),
    ("2020-01-01", "20-01-05"), ("2020-01-01", "epoch"), ("2020-01-01 10:00:00", "2020-01-05 10:00:00+05:00"),
    ("2020-01-01 10:00:00Z", "2020-01-05 10:00:00"), ("true", "1"), ("true", "yes"), ("{i}", '" 007"'),
    ("{i}", "-007"), ("{i}.5", "1234567890123456789"), ("", "0012"), ("{i}", "1_000"), ("{i}", "0x1F"),
]  # fmt: skip


def test_late_cells_that_differ_are_never_bent(tmp_path):
    """Beyond the sample, a cell that is written in another way turns its column into text; it keeps every letter."""
    names = [f"x{k}" for k in range(len(LATE))]
    rows = [",".join(usual.format(i=i) for usual, _ in LATE) for i in range(1, 6000)]
    data = read(tmp_path, "a.csv", "\n".join([",".join(names), *rows, ",".join(late for _, late in LATE), ""]))
    assert data.rows == 6000
    last = data.frame().iloc[-1]
    assert [last[n].strip() for n in names] == [late.strip('"').strip() for _, late in LATE]


def test_a_late_long_number_keeps_its_digits(tmp_path):
    rows = [f"{i}," for i in range(6000)]
    data = read(tmp_path, "a.csv", "\n".join(["k,x", *rows, "6000,123456789012345678", ""]))
    assert data.frame()["x"].iloc[-1] == 123456789012345678


@pytest.mark.parametrize(
    "cells",
    [
        ["SKU0012", "SKU012"], ["INV1.10", "INV1.1"], ["ABC-12", "ABC-13"], ["$007", "$008"], ["(5", "6)"],
        ["192.168.100.200", "10.20.30.100"], ["+49 151", "+49 170"], ["(-3)", "4"],
    ],
)  # fmt: skip
def test_what_only_looks_like_a_number_stays_text(tmp_path, cells):
    assert values(tmp_path, "x;k\n" + "".join(f"{c};1,5\n" for c in cells), "x") == cells


def test_a_point_parts_no_thousands_unless_the_file_says_so(tmp_path):
    assert values(tmp_path, "lat;lon\n48.137;11.575\n52.520;13.405\n", "lat") == [48.137, 52.52]
    assert values(tmp_path, "x;y\n1.137;0,5\n2.520;1,25\n", "x") == [1137, 2520]


def test_headers_shorter_than_their_rows(tmp_path):
    assert read(tmp_path, "a.csv", "a,b\n1,2,\n3,4,\n5,6,\n").schema.names == ["a", "b", "column_3"]
    named = read(tmp_path, "b.csv", "a,b\nr1,1,2\nr2,3,4\nr3,5,6\n")
    assert named.schema.names == ["a", "b", "column_3"]
    assert any("2 names for 3 columns" in n for n in named.reading.notes)
    assert read(tmp_path, "c.csv", "country,2000,2001,2002\na,1,2,3\nb,4,5,6\n").schema.names[1] == "2000"
    assert read(tmp_path, "d.csv", "2020-01-01,Ann\n2020-01-02,Bob\n").rows == 2


def test_padded_dates_truths_and_markers(tmp_path):
    text = "d,t,n\n 2020-01-01 , TRUE ,1\n 2020-01-02 ,false , NA \n2020-01-03,true, 3 \n"
    frame = read(tmp_path, "a.csv", text).frame()
    assert frame["d"].tolist() == [pd.Timestamp(f"2020-01-0{i}") for i in (1, 2, 3)]
    assert frame["t"].tolist() == [True, False, True]
    assert frame["n"].isna().tolist() == [False, True, False]


def test_workbooks_keep_headers_and_codes(tmp_path):
    index = workbook({"s": [[None, "x", "y"], [0, 1, 2], [1, 3, 4], [2, 5, 6]]})
    assert read(tmp_path, "a.xlsx", index).frame()["x"].tolist() == [1, 3, 5]
    codes = workbook({"s": [["sku", "n", 2000], [12, 1, 5], ["A7", 2, 6]]})
    data = read(tmp_path, "b.xlsx", codes)
    assert data.schema.names == ["sku", "n", "2000"]
    assert data.frame()["sku"].tolist() == ["12", "A7"]
    assert read(tmp_path, "c.xlsx", workbook({"s": [[1, 2], [3, 4], [5, 6]]})).rows == 3
    assert read(tmp_path, "d.xlsx", workbook({"s": [["T"], [], ["a", "b"], [1, 2]]}), skip=2).schema.names == ["a", "b"]
    assert read(tmp_path, "e.xlsx", workbook({"s": [["a", "b"], [1, None], [2, None]]})).schema["b"].kind == "constant"


def test_json_loses_nothing_unsaid(tmp_path):
    twice = read(tmp_path, "a.json", json.dumps([{"a.b": 1, "a": {"b": 2}}, {"a.b": 3, "a": {"b": 4}}])).frame()
    assert sorted(map(list, twice.to_dict("list").values())) == [[1, 3], [2, 4]]
    paged = read(tmp_path, "b.json", json.dumps({"data": [{"a": 1}, {"a": 2}], "total": 5000}))
    assert any("Only the records under 'data'" in n and "'total'" in n for n in paged.reading.notes)
    index = read(tmp_path, "c.json", json.dumps({f"r{i}": {"a": i, "b": 2} for i in range(5)})).frame()
    assert index["a"].tolist() == [0, 1, 2, 3, 4]
    split = read(tmp_path, "d.json", json.dumps({"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}))
    assert split.frame()["b"].tolist() == [2, 4]


def test_long_cells_late_in_a_file(tmp_path):
    rows = [f"{i},x" for i in range(20_000)]
    data = read(tmp_path, "a.csv", "\n".join(["k,t", *rows, "20000," + "y" * 3_000_000, ""]))
    assert (data.rows, len(data.frame()["t"].iloc[-1])) == (20_001, 3_000_000)


def test_a_column_to_keep_has_to_be_there(tmp_path):
    with pytest.raises(NoSuchColumn, match="zz"):
        values(tmp_path, "a,b\n1,2\n", "a", text=("zz",))


# packed, and in parts -------------------------------------------------------------------------------------------------

PLAIN = b"a,b\n1,x\n2,y\n"


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def zstd(content: bytes) -> bytes:
    import pyarrow as pa

    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    return out.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", gzip.compress(PLAIN)),
        ("a.csv.bz2", bz2.compress(PLAIN)),
        ("a.csv.xz", lzma.compress(PLAIN)),
        ("a.csv.zst", zstd(PLAIN)),
        ("a.zip", zipped({"a.csv": PLAIN, "__MACOSX/._a.csv": b"junk"})),
    ],
    ids=["gzip", "bzip2", "xz", "zstd", "zip"],
)
def test_packed_files(tmp_path, name, content):
    data = read(tmp_path, name, content)
    assert data.frame()["a"].tolist() == [1, 2]
    assert data.reading.notes[0].startswith("Unpacked from")


def test_the_file_of_an_archive_can_be_chosen(tmp_path):
    content = zipped({"one.csv": PLAIN, "two.csv": b"c\n7\n8\n9\n10\n11\n12\n13\n"})
    largest = read(tmp_path, "a.zip", content)
    assert largest.schema.names == ["c"]
    assert largest.reading.parts == ("one.csv", "two.csv")
    assert read(tmp_path, "a.zip", content, part="one.csv").frame()["b"].tolist() == ["x", "y"]
    with pytest.raises(BadChoice, match=r"one\.csv"):
        read(tmp_path, "a.zip", content, part="three.csv")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("cut.csv.gz", gzip.compress(os.urandom(9000))[:-200], "cut off"),
        ("no.csv.bz2", b"BZh9 this is none", "could not be unpacked"),
        ("empty.zip", zipped({}), "cannot|without files|not read here|could not"),
        ("nested.zip", zipped({"in.zip": zipped({"a.csv": PLAIN})}), "another archive"),
    ],
    ids=["cut", "none", "empty", "nested"],
)
def test_broken_archives_give_a_sentence(tmp_path, name, content, part):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CannotRead, match=part):
        read_here(tmp_path / name)


def test_an_archive_that_expands_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 1_000_000)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"0" * 50_000_000))
    with pytest.raises(CannotRead, match="unpacks to more than"):
        read_here(tmp_path / "bomb.csv.gz")


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


def test_sheets_titles_above_the_header_and_missing_markers(tmp_path):
    table = [["Sales of May"], [], ["shop", "sold", "on"], ["a", 5, "03.02.2024"], ["b", "NA", "28.02.2024"]]
    content = workbook({"Notes": [], "Table": table, "Other": [["x"], [1]]})
    data = read(tmp_path, "a.xlsx", content)
    assert data.frame()["sold"].tolist()[0] == 5
    assert data.schema["sold"].missing == 1
    assert data.frame()["on"].tolist() == [pd.Timestamp("2024-02-03"), pd.Timestamp("2024-02-28")]
    assert data.reading.part == "Table"
    assert data.reading.parts == ("Notes", "Table", "Other")
    assert read(tmp_path, "a.xlsx", content, part="Other").frame()["x"].tolist() == [1]
    with pytest.raises(BadChoice, match="Did you mean 'Table'"):
        read(tmp_path, "a.xlsx", content, part="table")


def test_ten_thousand_columns_load(tmp_path):
    names = [f"c{i}" for i in range(10_000)]
    rows = [",".join(f"{i % 7}.5" for i in range(10_000)) for _ in range(20)]
    data = read(tmp_path, "wide.csv", "\n".join([",".join(names), *rows]))
    assert (data.rows, len(data.schema)) == (20, 10_000)
    assert data.schema["c9999"].kind == "constant"


def test_kinds_say_why(tmp_path):
    text = "flag,once,answer\n" + "".join(f"{'yes' if i % 2 else 'no'},7,{'J' if i % 3 else 'N'}\n" for i in range(30))
    data = read(tmp_path, "a.csv", text)
    assert kinds(data) == {"flag": "boolean", "once": "constant", "answer": "categorical"}
    assert data.schema["flag"].reason == "yes or no"


def test_large_tables_keep_a_sample_in_the_order_of_the_file(home):
    rows = 250_000
    data = mlcore.read(pd.DataFrame({"n": np.arange(rows), "x": np.arange(rows) * 0.5}), name="large")
    sample = data.sample(["n"])["n"].to_numpy()
    assert len(sample) == 50_000
    assert (np.diff(sample) > 0).all()
    assert abs(sample.mean() - rows / 2) < 0.01 * rows
    assert abs(data.schema["x"].distinct - rows) < 0.1 * rows
    assert data.schema["x"].estimated
    assert data.schema["n"].distinct == rows


# from elsewhere -------------------------------------------------------------------------------------------------------


def test_sqlite_is_read_and_cannot_be_written(tmp_path, home):
    pytest.importorskip("sqlalchemy")
    place = tmp_path / "shop.db"
    with sqlite3.connect(place) as link:
        link.execute('create table "an order"(id integer, at text, price real)')
        link.executemany(
            'insert into "an order" values (?, ?, ?)', [(i, f"2024-01-{i + 1:02d}", i / 4) for i in range(28)]
        )
    url = f"sqlite:///{place}"
    data = mlcore.read(Table(url, "an order"))
    assert data.frame()["price"].tolist() == [i / 4 for i in range(28)]
    assert data.schema["at"].kind == "datetime"
    assert table_here(Table(url, 'select price from "an order" where id < 5')).rows == 5
    few = table_here(Table(url, "an order", most_rows=10))
    assert few.rows == 10
    assert any("first 10 rows" in n for n in few.reading.notes)
    for query, part in (
        ("nosuch", "The tables are: an order"),
        ("select 1; drop table x", "One SELECT"),
        ('with a as (select 1) insert into "an order" select 1, 2, 3', "did not answer"),
        ('delete from "an order"', "no table"),
    ):
        with pytest.raises(BadInput, match=part):
            table_here(Table(url, query))
    with sqlite3.connect(place) as link:
        assert link.execute('select count(*) from "an order"').fetchone() == (28,)
    with pytest.raises(BadInput):
        table_here(Table(f"sqlite:///{tmp_path}/none.db", "x"))
    assert not (tmp_path / "none.db").exists()


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[str]:
    """A PostgreSQL of our own on loopback, ended with the test."""
    pytest.importorskip("psycopg")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if shutil.which("initdb") is None else [Path()]
    if not places:
        if os.environ.get("HOLDOUT_REQUIRE_POSTGRES") == "1":
            pytest.fail("CI has to have PostgreSQL")
        pytest.skip("PostgreSQL is not on this machine")
    root = Path(tempfile.mkdtemp(prefix="holdout-pg-"))
    lead: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(root, "postgres")
        lead = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tools = {n: str(places[-1] / n) for n in ("initdb", "pg_ctl")}
    run: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*lead, tools["initdb"], "-D", f"{root}/d", "-A", "trust", "-U", "holdout"], check=True, **run)
    options = f"-p {port} -k {root} -c listen_addresses=127.0.0.1"
    start = [*lead, tools["pg_ctl"], "-D", f"{root}/d", "-o", options, "-w", "-l", f"{root}/log", "start"]
    subprocess.run(start, check=True, **run)
    try:
        yield f"postgresql+psycopg://holdout@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*lead, tools["pg_ctl"], "-D", f"{root}/d", "-m", "immediate", "stop"], check=True, **run)
        shutil.rmtree(root, ignore_errors=True)


def test_postgresql(postgres, home):
    import sqlalchemy as sa

    engine = sa.create_engine(postgres)
    with engine.begin() as link:
        link.execute(
            sa.text("create schema s; create table s.orders(id int, price numeric(8, 2), at timestamptz, ok bool)")
        )
        link.execute(
            sa.text(
                "insert into s.orders select i, i / 4.0, timestamptz '2024-01-01 12:00+02' + i * interval '1 day', "
                "i % 2 = 0 from generate_series(1, 40) i"
            )
        )
    data = mlcore.read(Table(postgres, "s.orders"))
    assert data.frame()["price"].tolist() == [i / 4 for i in range(1, 41)]
    assert data.frame()["at"].iloc[0] == pd.Timestamp("2024-01-02 10:00")
    assert data.schema["ok"].kind == "boolean"
    with pytest.raises(CannotRead, match="did not answer"):
        mlcore.read(Table(postgres, "with x as (delete from s.orders returning *) select * from x"))
    with engine.begin() as link:
        assert link.execute(sa.text("select count(*) from s.orders")).scalar() == 40
    engine.dispose()


def test_an_address_with_a_password_is_kept_nowhere(home):
    pytest.importorskip("psycopg")
    with pytest.raises(CannotRead) as caught:
        mlcore.read(Table("postgresql+psycopg://me:hunter2@127.0.0.1:1/x", "t"))
    assert "hunter2" not in str(caught.value)
    for place in home.rglob("*"):
        if place.is_file() and place.suffix in (".json", ".txt", ""):
            assert b"hunter2" not in place.read_bytes()


def test_storage(home, monkeypatch, tmp_path):
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        import boto3

        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket="shop")
        client.put_object(Bucket="shop", Key="in/a.csv.gz", Body=gzip.compress(PLAIN))
        data = mlcore.read(Stored("s3://shop/in/a.csv.gz", endpoint))
        assert (data.name, data.frame()["a"].tolist()) == ("a.csv.gz", [1, 2])
        with pytest.raises(CannotRead, match="could not be fetched"):
            mlcore.read(Stored("s3://shop/none.csv", endpoint))
    finally:
        server.stop()


def test_only_what_the_owner_allows(tmp_path, monkeypatch):
    inside, outside = tmp_path / "root", tmp_path / "secret.csv"
    inside.mkdir()
    outside.write_bytes(PLAIN)
    (inside / "a.csv").write_bytes(PLAIN)
    (inside / ".hidden.csv").write_bytes(PLAIN)
    (inside / "link.csv").symlink_to(outside)
    monkeypatch.delenv("HOLDOUT_DATA_ROOT", raising=False)
    assert sources.files() == []
    with pytest.raises(NotFound):
        sources.file("a.csv")
    monkeypatch.setenv("HOLDOUT_DATA_ROOT", str(inside))
    assert sources.files() == ["a.csv"]
    assert sources.file("a.csv").read_bytes() == PLAIN
    for name in ("../secret.csv", str(outside), "link.csv", "none.csv"):
        with pytest.raises(NotFound):
            sources.file(name)
    monkeypatch.delenv("HOLDOUT_SOURCES", raising=False)
    with pytest.raises(BadInput, match="off"):
        sources.table("sqlite:///x.db", "t", 10)
    monkeypatch.setenv("HOLDOUT_SOURCES", "sql")
    with pytest.raises(BadInput, match="HOLDOUT_DATA_ROOT"):
        sources.table(f"sqlite:///{tmp_path}/x.db", "t", 10)
    assert sources.table(f"sqlite:///{inside}/x.db", "t", 10).query == "t"


def test_a_sqlite_path_is_checked_as_it_will_be_taken(tmp_path, monkeypatch):
    """SQLAlchemy undoes %2e%2e in an address, which would leave the folder that is allowed."""
    pytest.importorskip("sqlalchemy")
    (tmp_path / "root").mkdir()
    monkeypatch.setenv("HOLDOUT_DATA_ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("HOLDOUT_SOURCES", "sql")
    for address in ("%2e%2e/secret.db", "../secret.db", "%2E%2E%2Fsecret.db"):
        with pytest.raises(BadInput, match="HOLDOUT_DATA_ROOT"):
            sources.table(f"sqlite:///{tmp_path}/root/{address}", "t", 10)


def test_reading_again_and_keeping_rows_once(home, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("x;y\n1,500;2\n1,500;2\n2,500;3\n")
    data = mlcore.read(path, name="twice.csv")
    assert data.frame()["x"].tolist() == [1.5, 1.5, 2.5]
    sources.keep_original(path, data, Workspace())
    again = sources.read_again(data, ReadOptions(decimal="."), Workspace())
    assert again.frame()["x"].tolist() == [1500, 1500, 2500]
    assert sources.original(again, Workspace()) is not None
    named = mlcore.read(pd.DataFrame({"place": [1.5, 1.5, 2.0], "again": [1, 1, 2]}), name="named")
    assert sources.without_repeats(named, Workspace()).frame()["place"].tolist() == [1.5, 2.0]
    once = sources.without_repeats(data, Workspace())
    assert once.frame()["x"].tolist() == [1.5, 2.5]
    assert any("1 of 3 (33.3 %) rows that repeat" in n for n in once.reading.notes)


# what is written in a dialect is read back ----------------------------------------------------------------------------

numbers = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(-1e6, 1e6).map(lambda v: round(v, 4)))
words = st.one_of(st.none(), st.text("abcäöü ,;\"'\n|", min_size=1, max_size=12).map(lambda t: f"w{t}w"))


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
