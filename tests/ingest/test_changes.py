from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mlcore
from mlcore.data.workspace import Workspace
from mlcore.errors import BadChoice, BadInput, NoSuchColumn
from mlcore.ingest import changes
from tests.helpers import compare_here, frame_here, read_here


def read(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:24]  # changed tables are stored under one made of it
    return replace(read_here(tmp_path / "a.csv"), fingerprint=fingerprint)


def test_a_changed_kind_is_true_of_counts_and_of_values(home, tmp_path):
    data = read(tmp_path, "code,n\n" + "5E1,1\n7E2,2\n12E0,3\n" * 8)
    assert data.schema["code"].dtype == "text"
    changed = changes.with_kinds(data, {"code": "numeric"})
    assert changed.frame()["code"].tolist()[:3] == [50, 700, 12]
    assert (changed.schema["code"].kind, changed.schema["code"].role) == ("numeric", "feature")
    mixed = read(tmp_path, "x,n\n" + "".join(f"{i},{i}\n" for i in range(30)) + "about 5,1\nabout 6,2\n")
    numbers = changes.with_kinds(mixed, {"x": "numeric"})
    assert numbers.schema["x"].missing == 2
    assert mlcore.profile(numbers).columns[0].missing == 2
    assert data.schema["code"].dtype == "text"  # the former table stays as it is


@pytest.mark.parametrize(
    ("kinds", "error"),
    [({"x": "number"}, BadChoice), ({"z": "numeric"}, NoSuchColumn), ({"x": "numeric"}, BadInput),
     ({"n": "datetime"}, BadInput), ({"x": "datetime"}, BadInput), ({"x": "boolean"}, BadInput)],
)  # fmt: skip
def test_kinds_that_cannot_be_are_refused(home, tmp_path, kinds, error):
    data = read(tmp_path, "x,n\n" + "red,1\nblue,2\n" * 9)
    with pytest.raises(error):
        changes.with_kinds(data, kinds)


def test_what_does_not_fit_is_said_and_whole_years_are_dates(home, tmp_path):
    data = read(tmp_path, "x,year\n" + "".join(f"{i},{1990 + i % 9}\n" for i in range(30)) + "about 5,1991\n")
    changed = changes.with_kinds(data, {"x": "numeric", "year": "datetime"})
    assert any("1 of 31 (3.2 %) values of x do not fit and became missing" in n for n in changed.reading.notes)
    assert changed.frame()["year"][0] == pd.Timestamp(1990, 1, 1)
    assert changes.with_kinds(data, {"year": "datetime"}).schema["year"].missing == 0


def test_an_identifier_becomes_a_feature_by_its_role():
    data = frame_here(pd.DataFrame({"id": range(40), "y": [0, 1] * 20}), "roles")
    assert data.schema["id"].kind == "identifier"
    changed = changes.with_roles(data, {"id": "feature"})
    assert (changed.schema["id"].kind, changed.schema["id"].role) == ("numeric", "feature")
    with pytest.raises(BadChoice):
        changes.with_roles(data, {"id": "predictor"})


def test_a_counting_column_that_is_all_there_is_becomes_the_feature():
    data = frame_here(pd.DataFrame({"no": range(1, 41), "y": np.arange(40) * 2.5}), "counting")
    run = compare_here(data, "y", models=["ridge"], folds=3, repeats=1)
    assert run.experiment.schema.features().names == ["no"]
    assert "no used as a feature: it may be an identifier, but nothing else is left to predict from." in run.notes()


def test_columns_are_renamed_by_name_and_in_order(home, tmp_path):
    data = read(tmp_path, "1,2\n3,4\n5,6\n")
    named = changes.rename(data, ["width", "height"])
    assert named.schema.names == ["width", "height"]
    assert named.frame()["height"].tolist() == [2, 4, 6]
    assert changes.rename(named, {"width": "w"}).schema.names == ["w", "height"]
    for wrong in (["a"], ["a", "a"], ["a", ""], {"width": "Height"}):
        with pytest.raises(BadInput):
            changes.rename(named, wrong)
    with pytest.raises(NoSuchColumn):
        changes.rename(named, {"depth": "d"})


def test_values_are_taken_as_missing(home):
    frame = pd.DataFrame({"x": [1.5, -999.0, 2.5] * 8, "n": [999, 5, 7] * 8, "t": ["unknown", "a", "b"] * 8})
    frame["d"] = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"] * 8)
    data = frame_here(frame, "placeholders")
    values = {"x": ["-999"], "n": ["999"], "t": ["unknown"], "d": ["2024-01-02"]}
    changed = changes.with_missing(data, values)
    assert [changed.schema[n].missing for n in "xntd"] == [8, 8, 8, 8]
    assert changed.frame()["n"].dropna().tolist() == [5, 7] * 8
    assert changed.fingerprint != data.fingerprint
    for name, text in (("x", "n/a"), ("d", "soon")):
        with pytest.raises(BadInput, match=f"{text}' cannot stand for a missing value of {name}. Give a"):
            changes.with_missing(data, {name: [text]})


def test_without_its_total_a_column_of_dates_is_dates(home, tmp_path):
    rows = "".join(f"2024-01-{i + 1:02d},{i}\n" for i in range(20))
    data = read(tmp_path, "day,amount\n" + rows + "Total,190\n")
    assert data.schema["day"].dtype == "text"
    (alert,) = [a for a in mlcore.profile(data).alerts if a.code == "total_row"]
    changed = changes.with_fix(data, alert.fix, Workspace())
    assert changed.rows == 20
    assert changed.schema["day"].kind == "datetime"
    assert changed.frame()["day"].tolist()[-1] == pd.Timestamp("2024-01-20")


def test_without_its_total_a_column_keeps_the_decimal_comma_of_its_file(home, tmp_path):
    rows = "".join(f"{i},100;{'pq'[i % 2]}\n" for i in range(1, 21))
    data = read(tmp_path, "a;b\n" + rows + "Total;p\n")
    for changed in (changes.without_last(data, 1), changes.with_kinds(data, {"a": "numeric"})):
        assert changed.frame()["a"].dropna().tolist() == [i + 0.1 for i in range(1, 21)]


def test_without_its_total_an_ignored_column_stays_ignored(home, tmp_path):
    data = read(tmp_path, "a,b\n" + "".join(f"{i * 1.5},{i % 3}\n" for i in range(20)))
    assert changes.without_last(changes.with_roles(data, {"b": "ignore"}), 1).schema["b"].role == "ignore"


def test_a_column_without_values_has_no_other_kind(home, tmp_path):
    table = pa.table({"a": list(range(9)), "b": pa.array([None] * 9, pa.string())})
    pq.write_table(table, tmp_path / "empty.parquet")
    data = read_here(tmp_path / "empty.parquet")
    with pytest.raises(BadInput, match=r"b holds no values\. Keep it"):
        changes.with_kinds(data, {"b": "numeric"})


def test_what_was_taken_as_missing_follows_a_new_name(home, tmp_path):
    data = read(tmp_path, "k,n\n" + "".join(f"{'-' if i % 3 else i},{i}\n" for i in range(30)))
    ((old, *rest),) = [m for m in data.reading.marked if m[1] == "-"]
    assert old == "k"
    assert changes.rename(data, {"k": "z"}).reading.marked == (("z", *rest),)
