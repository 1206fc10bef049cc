"""Weights of rows count in training, in scores and in curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from mlcore.comparison.leaderboard import board_of
from mlcore.errors import BadInput
from mlcore.evaluate.classes import precision_recall, roc
from mlcore.evaluate.holdout import open_holdout
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


def test_curves_and_the_holdout_weigh_rows_as_scikit_learn_does():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"x": rng.normal(size=300), "w": rng.integers(0, 4, 300).astype(float)})
    frame["y"] = np.where(frame["x"] + rng.normal(size=300) > 0, "yes", "no")
    dataset = with_roles(frame_here(frame, "weighed"), {"w": "weight"})
    run = compare_here(dataset, "y", models=["logistic"], folds=3, repeats=1)
    kept = run.predictions("logistic")
    of_rows, positive = frame["w"].to_numpy()[kept["row"]], kept["truth"] == "yes"
    (curve,) = roc(run, ["logistic"]).curves
    assert curve.area == pytest.approx(roc_auc_score(positive, kept["p_yes"], sample_weight=of_rows))
    assert precision_recall(run, ["logistic"]).prevalence == pytest.approx(np.average(positive, weights=of_rows))
    (look,) = open_holdout(run, ["logistic"])
    rows = run.plan()["holdout"]
    guessed = run.model("logistic").predict_proba(frame.loc[rows])[:, 1]
    expected = roc_auc_score(frame["y"][rows] == "yes", guessed, sample_weight=frame["w"][rows])
    assert look.value == pytest.approx(expected)


def test_a_heavy_row_of_weight_zero_is_no_warning(run):
    assert board_of(run).heavy == ""


def test_a_fold_without_weight_is_refused_before_anything_is_fitted():
    frame = pd.DataFrame({"x": range(90), "g": [i // 30 for i in range(90)], "y": [0, 1, 1] * 30})
    frame["w"] = np.where(frame["g"] == 1, 0.0, 1.0)
    dataset = with_roles(frame_here(frame, "weighed"), {"w": "weight", "g": "group"})
    with pytest.raises(BadInput, match=r"In one fold all rows have the weight 0 \(w\)"):
        compare_here(dataset, "y", models=["logistic"], split="group", holdout=0, folds=3)
