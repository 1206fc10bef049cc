from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore import explore
from mlcore.errors import NotApplicable
from tests.helpers import frame_here


def test_missing(data, frame):
    found = explore.missing(data)
    assert (found.columns, found.missing) == (("x",), (int(frame["x"].isna().sum()),))
    assert found.complete == len(frame.dropna())


def test_gaps_by_place_and_together(home):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"a": rng.normal(size=600), "b": rng.normal(size=600), "c": rng.normal(size=600)})
    frame.loc[:199, ["a", "b"]] = np.nan
    frame.loc[500:509, "c"] = np.nan
    data = frame_here(frame, "gaps")
    where = explore.missingness_map(data)
    assert where.shares[0].tolist() == [1.0] * 20 + [0.0] * 40
    together = explore.patterns(data).frame()
    assert dict(zip(together["missing together"], together["rows"], strict=True)) == {"none": 390, "a, b": 200, "c": 10}
    assert "a and b are missing together in 200 of 600" in explore.patterns(data).sentence()
    with pytest.raises(NotApplicable, match="No value is missing"):
        explore.missingness_map(frame_here(pd.DataFrame({"a": range(9)}), "whole"))
