from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore import explore
from mlcore.errors import NotApplicable
from mlcore.explore.association import correlation_ratio, cramers_v
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


def test_association_measures():
    assert cramers_v(np.array([[50, 0], [0, 50]])) == pytest.approx(1, abs=0.02)
    assert cramers_v(np.array([[25, 25], [25, 25]])) == 0
    assert cramers_v(np.array([[9, 4]])) is None
    # Two groups with means 1 and 3 and no spread inside: all variance is between them.
    assert correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 1, 3, 3])) == pytest.approx(1)
    # Sums of squares: between 4, within 4; η² is one half.
    assert correlation_ratio(np.array([0, 0, 1, 1]), np.array([0.0, 2, 2, 4])) == pytest.approx(np.sqrt(0.5))


def test_what_goes_with_the_target_is_ranked(data, frame):
    found = explore.with_target(data, "y")
    assert found.names[0] == "x"
    assert found.signed[0] == pytest.approx(frame["x"].corr(frame["y"], method="spearman"))
    with pytest.raises(NotApplicable, match="No target"):
        explore.with_target(data, None)
