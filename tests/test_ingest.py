"""Files as people have them; expected values are written out."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import read_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlcore
from mlcore.dataset import Dataset, unique_names
from mlcore.errors import CannotRead, NotFound
from mlcore.ingest import text
from mlcore.ingest.convert import mark_of
from mlcore.ingest.options import Limits, ReadOptions


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
        "retention_call": "boolean",
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


cells = st.one_of(st.none(), st.integers(-(10**9), 10**9), st.floats(-1e6, 1e6).map(lambda v: round(v, 4)))
words = st.one_of(st.none(), st.text("abcäöü ,;\"'\n", min_size=1, max_size=12).map(lambda t: f"w{t}w"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(cells, words), min_size=2, max_size=30),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-16", "cp1252"]),
)
def test_what_is_written_in_a_dialect_is_read_back(tmp_path, rows, delimiter, encoding):
    frame = pd.DataFrame(rows, columns=["number", "word"])
    frame.insert(0, "row", range(len(frame)))
    path = tmp_path / f"dialect-{uuid.uuid4()}.csv"
    frame.to_csv(path, index=False, sep=delimiter, encoding=encoding, quoting=1)
    found = read_here(path, ReadOptions(encoding=encoding)).frame()
    assert len(found) == len(frame)
    expected = frame["number"].astype(float)
    if expected.notna().any():
        np.testing.assert_allclose(found["number"].astype(float), expected)
    assert [None if pd.isna(v) else v for v in found["word"]] == [None if pd.isna(v) else v for v in frame["word"]]
