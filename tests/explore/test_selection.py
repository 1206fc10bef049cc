from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore import explore
from mlcore.data.filters import Filter
from mlcore.explore.selection import conditions
from tests.helpers import frame_here


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "x": rng.normal(50, 10, 500).round(2),
            "n": rng.integers(0, 9, 500),
            "g": rng.choice(["a", "b", "c"], 500, p=[0.6, 0.3, 0.1]),
            "many": [f"level {n}" for n in rng.integers(0, 80, 500)],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 500), unit="D"),
            "flag": rng.random(500) < 0.5,
            "v": rng.integers(0, 2, 500),  # names that careless SQL would use itself
            "data": rng.normal(size=500),
            "Place": rng.normal(size=500),
        }
    )
    frame["y"] = 2 * frame["x"] + rng.normal(0, 5, 500)
    frame.loc[::7, "x"] = np.nan
    return frame


@pytest.fixture(scope="module")
def data(home, frame):
    return frame_here(frame, "explore")


def test_marking_a_picture_gives_conditions(data):
    box = {"box": [{"x": [10.0, 30.0], "y": [5.0, 50.0]}], "points": []}
    assert conditions(explore.one(data, "x"), box) == (Filter("x", "between", (10.0, 30.0)),)
    assert conditions(explore.relation(data, "x", "y"), box) == (
        Filter("x", "between", (10.0, 30.0)),
        Filter("y", "between", (5.0, 50.0)),
    )
    assert conditions(explore.one(data, "g"), {"box": [{"x": [-0.4, 1.2], "y": [0, 9]}]}) == (
        Filter("g", "is", ("a", "b")),
    )
    bars = {"points": [{"point_index": 0}], "box": []}
    assert conditions(explore.one(data, "g"), bars) == (Filter("g", "is", ("a",)),)
    cells = {"box": [{"x": [-0.5, 0.4], "y": [-0.5, 0.4]}]}
    found = explore.relation(data, "g", "flag")
    assert conditions(found, cells) == (
        Filter("g", "is", (found.x_levels[0],)),
        Filter("flag", "is", (found.y_levels[0],)),
    )
    dates = {"box": [{"x": ["2024-02-01", "2024-03-01 12:00"], "y": [0, 1]}]}
    (stretch,) = conditions(explore.one(data, "when"), dates)
    assert stretch.checked(data.schema).values == ("2024-02-01 00:00:00", "2024-03-01 12:00:00")
    assert conditions(explore.correlations(data), box) == ()
    assert conditions(explore.one(data, "x"), {}) == ()
