from __future__ import annotations

import json

import pandas as pd
import pytest

import mlcore
from mlcore.errors import CannotRead, NoSuchColumn, NotFound
from mlcore.ingest.options import Limits, ReadOptions
from tests.helpers import read_file, read_here, values_of


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("blank.csv", b"\n\n \n", "blank lines"),
        ("header.csv", b"a,b,c\n", "no rows"),
        ("bad.xlsx", b"PK\x03\x04 this is no workbook", "workbook"),
        ("cut.parquet", b"PAR1" + b"\0" * 40, "Parquet"),
        ("image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG image"),
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


@pytest.mark.slow
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


def test_equal_files_are_stored_once_and_other_options_are_another_dataset(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n1,5;2\n")
    first, again = mlcore.read(path), mlcore.read(path)
    other = mlcore.read(path, options=ReadOptions(decimal=","))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_a_column_to_keep_has_to_be_there(tmp_path):
    with pytest.raises(NoSuchColumn, match="zz"):
        values_of(tmp_path, "a,b\n1,2\n", "a", as_text=("zz",))


@pytest.mark.slow
def test_ten_thousand_columns_load(tmp_path):
    names = [f"c{i}" for i in range(10_000)]
    rows = [",".join(f"{i % 7}.5" for i in range(10_000)) for _ in range(20)]
    data = read_file(tmp_path, "wide.csv", "\n".join([",".join(names), *rows]))
    assert (data.rows, len(data.schema)) == (20, 10_000)
    assert data.schema["c9999"].kind == "constant"
