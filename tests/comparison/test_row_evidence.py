from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score

from mlcore.comparison.row_evidence import row_evidence
from mlcore.validation.metrics import metric
from tests.helpers import compare_here, frame_here


def test_rare_classes_do_not_make_everybody_equivalent():
    """At 2 % positives the whole way from the baseline to perfect is 0.02 in Brier scores; a share of it counts."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    y = (x + rng.normal(0, 0.35, 3000) > 2.1).astype(int)
    run = compare_here(
        frame_here(pd.DataFrame({"x": x, "y": y}), "rare"),
        "y",
        models=["logistic"],
        metric="brier_score",
        folds=5,
        repeats=1,
    )
    board = run.board()
    assert board.better == ("logistic",)
    assert [r.model for r in board.rows if r.star] == ["logistic"]


@pytest.mark.parametrize(("name", "score"), [("average_precision", average_precision_score), ("f1", f1_score)])
def test_some_metrics_are_those_of_all_rows_together(name, score):
    rng = np.random.default_rng(1)
    x = rng.normal(size=400)
    y = (x + rng.normal(0, 1, 400) > 1.9).astype(int)
    run = compare_here(
        frame_here(pd.DataFrame({"x": x, "y": y}), name), "y", models=["logistic"], metric=name, folds=4, repeats=2
    )
    predictions = run.predictions("logistic")
    given = {"average_precision": "p_1", "f1": "prediction"}[name]
    pooled = [score(part["truth"], part[given]) for _, part in predictions.groupby("repeat")]
    row = run.board().row("logistic")
    assert row.score == pytest.approx(np.mean(pooled))
    by_fold = [score(part["truth"], part[given]) for _, part in predictions.groupby(["repeat", "fold"])]
    assert row.folds == pytest.approx(by_fold)


def test_an_interval_is_never_narrower_than_the_rows_allow():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=1000), "y": (rng.random(1000) < 0.06).astype(int)})
    run = compare_here(frame_here(frame, "share"), "y", models=["logistic"], metric="accuracy", folds=5, repeats=1)
    row = run.board().row("dummy")
    n = row_evidence(run, "dummy", metric("accuracy", "binary")).rows
    binomial = 1.96 * np.sqrt(row.score * (1 - row.score) / n)
    assert (row.ci[1] - row.ci[0]) / 2 == pytest.approx(binomial, rel=0.02)


def test_a_perfect_score_has_an_interval():
    x = np.linspace(-1, 1, 300)
    frame = pd.DataFrame({"x": x, "y": (x > 0).astype(int)})
    run = compare_here(
        frame_here(frame, "perfect"), "y", models=["decision_tree"], metric="accuracy", folds=5, repeats=1
    )
    row = run.board().row("decision_tree")
    if row.score == 1:
        assert row.ci == (pytest.approx(1 - 3 / 240), 1)


def test_one_row_that_makes_much_of_the_squared_error_is_named():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.normal(size=200)}).assign(y=lambda f: f["x"] + rng.normal(0, 0.1, 200))
    frame.loc[17, "y"] = 40.0
    run = compare_here(frame_here(frame, "heavy"), "y", models=["linear"], folds=5, repeats=1, holdout=0)
    assert "One row (row 17) makes 9" in run.board().sentence()
    assert "mae" in run.board().sentence()
