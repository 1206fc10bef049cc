from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore import explore
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


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations_equal_pandas(data, frame, method):
    found = explore.correlations(data, method)
    np.testing.assert_allclose(found.values, frame[list(found.names)].corr(method), atol=1e-9)
