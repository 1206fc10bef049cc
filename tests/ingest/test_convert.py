from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlcore.data.dataset import unique_names
from tests.helpers import read_file


def test_duplicate_names_are_made_unique_and_said(tmp_path):
    data = read_file(tmp_path, "a.csv", "a,a,b,\n1,2,3,4\n5,6,7,8\n")
    assert data.schema.names == ["a", "a_2", "b", "column_4"]
    assert any("a_2" in n for n in data.reading.notes)


@given(st.lists(st.sampled_from(["a", "A", "a_2", "b", "", "a_3"]), max_size=8))
def test_unique_names_are_unique_and_keep_first_owners(names):
    found, _ = unique_names(names)
    assert len({n.casefold() for n in found}) == len(names)
    for name in {n.casefold() for n in names} - {""}:
        assert name in {n.casefold() for n in found}


def test_names_that_differ_in_case_only(tmp_path):
    data = read_file(tmp_path, "a.csv", "age,Age,t\n1,2,3\n4,5,6\n")
    assert data.schema.names == ["age", "Age_2", "t"]
    assert data.frame()["Age_2"].tolist() == [2, 5]
