from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.comparison.leaderboard import leaderboard
from mlcore.errors import NotApplicable
from tests.helpers import compare_here, frame_here, others


def board_of(runs, statuses):
    """A leaderboard in which some candidates have not ended."""
    run = runs["binary"]
    events = [e for e in run.events() if not (e.get("model") in statuses and e["event"] in ("candidate", "fold"))]
    return leaderboard(run.experiment, events)


def test_leaderboard_frame_has_the_fields_of_the_contract(runs):
    frame = runs["regression"].leaderboard()
    wanted = "model title status score ci folds metrics skill group star fit_seconds reason"
    assert list(frame.columns)[:12] == wanted.split()
    assert {
        "skill_ci",
        "first",
        "better",
        "equal",
        "worse",
        "train_score",
        "predict_seconds",
        "bytes",
        "description",
    } < set(frame)
    assert frame["first"].sum() == pytest.approx(1)
    np.testing.assert_allclose(frame[["better", "equal", "worse"]].sum(axis=1), 1)
    assert frame["score"].is_monotonic_increasing  # RMSE: the smallest first
    assert (frame["score"] > 0).all()
    assert frame["star"].sum() == 1
    assert frame.loc[frame["model"] == "dummy", "skill"].iloc[0] == pytest.approx(0)
    best = frame.iloc[0]
    assert best["score"] == pytest.approx(np.mean(best["folds"]))
    assert best["ci"][0] < best["score"] < best["ci"][1]


def test_sorting_by_another_metric_needs_no_refit(runs):
    run = runs["regression"]
    by = run.leaderboard("r2")
    assert by["score"].is_monotonic_decreasing
    assert by.iloc[0]["score"] == pytest.approx(by.iloc[0]["metrics"]["r2"])


def test_no_star_for_a_model_that_is_probably_worse(runs):
    """A tree 0.10 behind on erratic folds: t = 1.95 on 4 degrees of freedom, one-sided p = 0.062: not significant."""
    experiment = runs["binary"].experiment
    eliminated = {"random_forest": [0.0] * 5, "decision_tree": [0.04, 0.16, 0.01, 0.19, 0.10]}
    events = [{"event": "started", "folds": 5, "ratio": 0.25, "seconds": 0}]
    for candidate in experiment.candidates:
        for fold in range(5):
            gap = eliminated.get(candidate.model, [0.4 + 0.001 * fold for fold in range(5)])[fold]
            events.append({"event": "fold", "model": candidate.model, "key": f"0-{fold}", "undefined": {},
                           "metrics": {"roc_auc": 0.9 - gap}, "fit_seconds": 0.1})  # fmt: skip
        events.append({"event": "candidate", "model": candidate.model, "status": "ok", "reason": ""})
    board = leaderboard(experiment, events)
    assert [r.model for r in board.rows if r.group == 1] == ["random_forest", "decision_tree"]
    assert board.row("decision_tree").worse > 0.9
    assert [r.model for r in board.rows if r.star] == ["random_forest"]
    assert (
        "Random forest leads with ROC AUC 0.900; Decision tree does not differ significantly from it."
        in board.sentence()
    )
    assert "The simpler ones among them are probably worse." in board.sentence()


def test_no_order_is_final_before_all_models_are_done(runs):
    board = board_of(runs, {"xgboost"})
    assert not board.is_complete()
    assert board.findings() == [
        f"So far {len(board.rows) - 1} of {len(board.rows)} models are done; the order is not final."
    ]
    assert not any(r.star for r in board.rows)
    assert runs["binary"].board().is_complete()


def test_pure_noise_is_said_to_be_noise():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(200, 5)), columns=list("abcde")).assign(y=rng.integers(0, 2, 200))
    run = compare_here(frame_here(frame, "noise"), target="y", models=["logistic", "knn", "naive_bayes"], seed=1)
    board = run.board()
    dummy = next(r for r in board.rows if r.model == "dummy")
    assert (dummy.group, dummy.star) == (1, True)
    assert board.beats_baseline() is False
    assert "Nothing beats the baseline" in board.sentence()


@pytest.mark.slow
def test_leave_one_out_has_means_over_rows_only(mixed):
    data = frame_here(mixed.frame().head(40), "forty")
    run = compare_here(data, "two", ignore=others("binary"), models=["logistic"], split="leave_one_out", holdout=0)
    board = run.board()
    assert board.metric.name == "log_loss"
    told = run.predictions("logistic")
    p = np.where(told["truth"] == "yes", told["p_yes"], told["p_no"])
    assert board.row("logistic").score == pytest.approx(-np.log(p).mean())
    assert board.row("logistic").metrics["balanced_accuracy"] is None
    assert "single row" in run.board("matthews_corrcoef").row("logistic").reason


def test_one_validation_split_decides_nothing(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["logistic", "lda", "blend"],
                       split="validation")  # fmt: skip
    board = run.board()
    assert board.row("logistic").ci[0] < board.row("logistic").score < board.row("logistic").ci[1]
    assert "One split does not show how much scores vary" in board.sentence()
    assert (board.beats_baseline(), any(r.star for r in board.rows)) == (None, False)
    assert "needs folds" in board.row("blend").reason
    with pytest.raises(NotApplicable, match="only one split"):
        board.fold_scores("logistic")
