"""Evaluation from out-of-fold predictions, against scikit-learn on the same predictions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import TARGETS, compare_here, frame_here, others
from sklearn import metrics as sk

from mlcore import evaluate
from mlcore.errors import BadChoice, NotApplicable, NotFound


def first(run, model):
    found = run.predictions(model)
    return found[found["repeat"] == 0]


def test_confusion_equals_scikit_learn(runs):
    for task in ("binary", "multiclass"):
        part = first(runs[task], "logistic")
        found = evaluate.confusion(runs[task], "logistic")
        assert found.counts.tolist() == sk.confusion_matrix(part["truth"], part["prediction"]).tolist()
        assert found.counts.sum() == runs[task].plan()["train"]
        assert str(int(np.trace(found.counts))) in found.sentence()


def test_roc_and_precision_recall_equal_scikit_learn(runs):
    part = first(runs["binary"], "xgboost")
    truth, score = part["truth"] == "yes", part["p_yes"]
    roc = evaluate.roc(runs["binary"], ["xgboost", "logistic"])
    x, y, _ = sk.roc_curve(truth, score)
    np.testing.assert_allclose(roc.curves[0].x, x)
    np.testing.assert_allclose(roc.curves[0].y, y)
    assert roc.curves[0].area == pytest.approx(sk.roc_auc_score(truth, score))
    assert [c.model for c in roc.curves] == ["xgboost", "logistic"]
    found = evaluate.precision_recall(runs["binary"], ["xgboost"])
    assert found.curves[0].area == pytest.approx(sk.average_precision_score(truth, score))
    assert found.prevalence == pytest.approx(truth.mean())


def test_models_without_probabilities_rank_by_decision(runs):
    part = first(runs["binary"], "sgd")
    found = evaluate.roc(runs["binary"], ["sgd"])
    assert found.curves[0].area == pytest.approx(sk.roc_auc_score(part["truth"] == "yes", part["decision"]))
    other = evaluate.roc(runs["binary"], ["sgd"], "no")
    assert other.curves[0].area == pytest.approx(found.curves[0].area)
    with pytest.raises(NotApplicable, match="no scores"):
        evaluate.roc(runs["multiclass"], ["sgd"])


def test_one_class_against_the_rest(runs):
    part = first(runs["multiclass"], "random_forest")
    found = evaluate.roc(runs["multiclass"], ["random_forest"], "1")
    assert found.curves[0].area == pytest.approx(sk.roc_auc_score(part["truth"] == 1, part["p_1"]))
    with pytest.raises(BadChoice, match="class"):
        evaluate.roc(runs["multiclass"], ["random_forest"], "9")


def test_regression_pictures(runs):
    part = first(runs["regression"], "ridge")
    error = part["prediction"] - part["truth"]
    found = evaluate.residuals(runs["regression"], "ridge")
    assert found.mean == pytest.approx(error.mean())
    assert found.counts.sum() == len(part)
    assert found.over == int((error > 0).sum())
    points = evaluate.predicted(runs["regression"], "ridge")
    assert points.within == pytest.approx(error.abs().median())


@pytest.mark.parametrize("task", list(TARGETS))
def test_the_json_contract(runs, task):
    run = runs[task]
    said = json.loads(json.dumps(run.evaluate("xgboost").to_json()))
    assert {"model", "task", "n", "metrics"} <= set(said)
    assert said["n"] == run.plan()["train"]
    board = next(r for r in run.board().rows if r.model == "xgboost")
    for name, value in board.metrics.items():
        assert said["metrics"][name]["value"] == value
    if task == "regression":
        assert said["residuals"]["counts"]
    else:
        assert len(said["confusion"]["counts"]) == len(said["confusion"]["labels"])
        assert len(said["roc"]["fpr"]) == len(said["roc"]["tpr"])


@pytest.mark.parametrize("task", list(TARGETS))
def test_every_result_draws_and_speaks(runs, task):
    run = runs[task]
    found = run.evaluate()
    parts = [found, found.scores, run.board(), found.confusion, found.roc, found.precision_recall, found.predicted,
             found.residuals]  # fmt: skip
    for part in filter(None, parts):
        assert part.sentence()
        assert len(part.frame())
        assert part.help.what
        if part is not found.scores:
            assert len(part.figure().to_json()) < 200_000


def test_mape_with_zeros_says_what_to_use_instead(mixed):

    frame = mixed.frame()
    frame.loc[::9, "amount"] = 0.0
    run = compare_here(frame_here(frame, "zeros"), "amount", ignore=others("regression"), models=["ridge"], folds=3)
    found = run.evaluate("ridge").to_json()["metrics"]
    assert found["mape"]["value"] is None
    assert "zero" in found["mape"]["undefined"]
    assert "WAPE" in found["mape"]["undefined"]
    assert found["wape"]["value"] > 0


def test_each_look_at_the_holdout_is_counted(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["logistic"], folds=3, repeats=1)
    assert evaluate.holdout_looks(run) == []
    (first_look,) = evaluate.open_holdout(run, ["logistic"])
    rows = run.plan()["holdout"]
    frame = mixed.frame().iloc[rows]
    plain = sk.roc_auc_score(frame["two"] == "yes", run.model("logistic").predict_proba(frame)[:, 1])
    assert first_look.value == pytest.approx(plain)
    assert first_look.looks == 1
    (second,) = evaluate.open_holdout(run, ["dummy"])
    assert second.looks == 2
    assert "2 times" in second.sentence()
    assert len(evaluate.holdout_looks(run)) == 2


def test_no_holdout_means_nothing_to_open(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["logistic"], folds=3, repeats=1, holdout=0)
    assert run.plan()["train"] == mixed.rows
    with pytest.raises(NotFound, match="--holdout"):
        evaluate.open_holdout(run, ["logistic"])


def test_colours_follow_the_model(runs):
    run = runs["binary"]
    slots = [c.model for c in run.experiment.candidates]
    found = evaluate.roc(run, ["xgboost", "knn"])
    assert [c.slot for c in found.curves] == [slots.index("xgboost"), slots.index("knn")]
    assert slots[0] == "dummy"


def test_every_chart_of_a_run_prints(runs):
    from mlcore import evaluate
    from mlcore.charts.print import printed

    for task, run in runs.items():
        model = run.leaderboard()["model"].iloc[0]
        found = run.evaluate(model)
        assert printed(run.board(), "svg").startswith(b"<?xml"), task
        assert found.frame() is not None
    binary = runs["binary"]
    for make in (evaluate.roc, evaluate.precision_recall, evaluate.confusion):
        first = binary.leaderboard()["model"].iloc[0]
        assert printed(make(binary, [first]) if make is not evaluate.confusion else make(binary, first), "png")
