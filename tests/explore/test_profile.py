from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlcore.api import profile
from mlcore.checks.base import LEAK
from mlcore.checks.leakage import single_column_score
from mlcore.data.column_stats import quantiles
from tests.helpers import frame_here


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "x": rng.normal(50, 10, 500).round(2),
            "n": rng.integers(0, 9, 500),
            "g": rng.choice(["a", "b", "c"], 500, p=[0.6, 0.3, 0.1]),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 500), unit="D"),
            "flag": rng.random(500) < 0.5,
        }
    )
    frame.loc[::7, "x"] = np.nan
    return frame


@pytest.fixture(scope="module")
def data(home, frame):
    return frame_here(frame, "profile")


def test_profile_figures(data, frame):
    found = profile(data)
    x = next(c for c in found.columns if c.name == "x")
    assert x.mean == pytest.approx(frame["x"].mean())
    assert x.deviation == pytest.approx(frame["x"].std())
    assert x.quartiles == pytest.approx(tuple(frame["x"].quantile([0.25, 0.5, 0.75])))
    assert x.spark == tuple(np.histogram(frame["x"].dropna(), bins=12)[0])
    g = next(c for c in found.columns if c.name == "g")
    assert g.top == tuple(frame["g"].value_counts().items())
    said = json.loads(json.dumps(found.to_json()))
    assert set(said) == {"dataset", "reading", "columns", "alerts"}
    assert said["dataset"]["rows"] == 500


def test_more_figures(data, frame):
    found = {c.name: c for c in profile(data).columns}
    assert found["x"].skew == pytest.approx(frame["x"].skew(), abs=0.01)  # pandas corrects for n
    assert found["n"].zeros == (frame["n"] == 0).sum()
    assert (found["when"].minimum, found["when"].maximum) == ("2024-01-01", str(frame["when"].max().date()))
    assert dict(found["flag"].top) == {"true": frame["flag"].sum(), "false": (~frame["flag"]).sum()}
    plainly = np.histogram(frame["when"].astype("int64"), bins=12)[0]
    assert sum(found["when"].spark) == 500
    assert (
        np.abs(np.array(found["when"].spark) - plainly).max() <= 1
    )  # a day on the edge of two bars may fall either way


@settings(deadline=None, max_examples=60)
@given(arrays("float64", st.integers(1, 60), elements=st.floats(-1e6, 1e6)))
def test_quantiles_equal_numpy(values):
    np.testing.assert_allclose(quantiles(values, (0.1, 0.25, 0.5, 0.9)), np.quantile(values, [0.1, 0.25, 0.5, 0.9]))


def test_outliers_are_beyond_three_quartile_ranges(home):
    values = [*range(100), 395, 500, -250]  # quartiles of about 25 and 75: far out is below −125 and above 225
    found = profile(frame_here(pd.DataFrame({"x": np.array(values, float)}), "far")).columns[0]
    assert found.outliers == 3


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_one_column_scores(task):
    rng = np.random.default_rng(0)
    y = {"binary": rng.integers(0, 2, 600), "multiclass": rng.integers(0, 3, 600), "regression": rng.normal(size=600)}[
        task
    ]
    chance = {"binary": 0.5, "multiclass": 1 / 3, "regression": 0.0}[task]
    noise, _ = single_column_score(pd.Series(rng.normal(size=600)), y, task)
    assert abs(noise - chance) < 0.12
    ids, _ = single_column_score(pd.Series([f"r{i}" for i in range(600)]), y, task)
    assert ids <= chance + 0.05  # learning rows by heart does not help on other rows
    leak, _ = single_column_score(pd.Series(y.astype(float)), y, task)
    assert leak > LEAK[task]
