"""Weights of rows count in training and in scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.comparison.leaderboard import board_of
from mlcore.ingest.changes import with_roles
from tests.helpers import compare_here, frame_here


@pytest.fixture(scope="module")
def run():
    """Rows of weight 0 carry nonsense; the others lie on a line, to a standard deviation of 0.1."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=240), "z": rng.normal(size=240)})
    frame["y"] = 2 * frame["x"] + rng.normal(0, 0.1, 240)
    frame["w"] = 1.0
    spoilt = frame.index[::4]
    frame.loc[spoilt, "y"], frame.loc[spoilt, "w"] = 40 + rng.normal(0, 9, len(spoilt)), 0.0
    dataset = with_roles(frame_here(frame, "weighed"), {"w": "weight"})
    return compare_here(dataset, "y", models=["ridge", "extra_trees"])


def test_rows_of_weight_zero_change_no_score(run):
    best = board_of(run).ranked()[0]
    assert best.model == "ridge"
    assert best.metrics["rmse"] == pytest.approx(0.1, rel=0.25)
    assert best.metrics["r2"] > 0.99


def test_the_run_says_where_weights_count(run):
    assert any("weighted by w, in training and in scores" in note for note in run.notes())
