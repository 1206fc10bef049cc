from __future__ import annotations

import pandas as pd
import pytest

from mlcore.errors import BadChoice
from mlcore.ingest.options import ReadOptions
from tests.helpers import values_of


@pytest.mark.slow  # starts real processes
def test_every_assumption_can_be_changed(tmp_path):
    assert values_of(tmp_path, "a;b\n1;2\n3;4\n", "a;b", delimiter=",") == ["1;2", "3;4"]
    assert values_of(tmp_path, "a,b\n1,2\n", "column_1", header=False) == ["a", "1"]
    assert values_of(tmp_path, "1,2\n3,4\n", "1", header=True) == [3]
    assert values_of(tmp_path, "x\na,b\n1,2\n", "a", skip=1) == [1]
    assert values_of(tmp_path, "a;b\n1,500;2\n", "a") == [1.5]  # semicolons part cells where commas are decimal
    assert values_of(tmp_path, "a;b\n1,500;2\n", "a", decimal=".") == [1500]
    assert values_of(tmp_path, "a;b\n1,5;2\n", "a", decimal=".") == ["1,5"]
    assert values_of(tmp_path, "d;k\n01/02/2024;1\n", "d", dates="month") == [pd.Timestamp("2024-01-02")]
    assert pd.isna(values_of(tmp_path, "a,b\n99,x\n1,y\n", "a", missing=("", "99"))[0])
    assert values_of(tmp_path, "a,b\n1,x\n2\n", "a", short_rows="fill") == [1, 2]
    assert values_of(tmp_path, "a,b\n1,'x,y'\n", "b", quote="'") == ["x,y"]
    assert values_of(tmp_path, "a,b\n01/02/2024,1\n", "a", as_text=("a",)) == ["01/02/2024"]
    assert values_of(tmp_path, "é,b\n1,2\n".encode("cp1252"), "é", encoding="cp1252") == [1]


@pytest.mark.parametrize(
    "wrong",
    [{"delimiter": ";;;;;"}, {"quote": "q"}, {"decimal": "x"}, {"dates": "year"}, {"short_rows": "drop"}, {"skip": -1}],
)
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(BadChoice):
        ReadOptions(**wrong)
