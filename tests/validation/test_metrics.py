"""Each metric against scikit-learn called plainly; and what is undefined is said, not invented."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from mlcore.errors import BadChoice
from mlcore.validation.metrics import DEFAULTS, METRICS, TASKS, compute, for_task, metric
from mlcore.validation.predictions import Predictions

rng = np.random.default_rng(0)


Y2, P2 = rng.integers(0, 2, 60), rng.dirichlet([1, 1], 60)


Y3, P3 = rng.integers(0, 3, 90), rng.dirichlet([1, 1, 1], 90)


YR, PR = rng.gamma(2, 3, 50) + 0.1, rng.gamma(2, 3, 50)


TWO = Predictions(Y2, P2.argmax(1), 2, P2)


THREE = Predictions(Y3, P3.argmax(1), 3, P3)


REAL = Predictions(YR, PR)


EXPECTED = {
    ("binary", "roc_auc"): sk.roc_auc_score(Y2, P2[:, 1]),
    ("binary", "average_precision"): sk.average_precision_score(Y2, P2[:, 1]),
    ("binary", "log_loss"): sk.log_loss(Y2, P2),
    ("binary", "brier_score"): sk.brier_score_loss(Y2, P2[:, 1]),
    ("binary", "accuracy"): sk.accuracy_score(Y2, P2.argmax(1)),
    ("binary", "balanced_accuracy"): sk.balanced_accuracy_score(Y2, P2.argmax(1)),
    ("binary", "f1"): sk.f1_score(Y2, P2.argmax(1)),
    ("binary", "precision"): sk.precision_score(Y2, P2.argmax(1)),
    ("binary", "recall"): sk.recall_score(Y2, P2.argmax(1)),
    ("binary", "matthews_corrcoef"): sk.matthews_corrcoef(Y2, P2.argmax(1)),
    ("multiclass", "roc_auc_ovr"): sk.roc_auc_score(Y3, P3, multi_class="ovr"),
    ("multiclass", "log_loss"): sk.log_loss(Y3, P3),
    ("multiclass", "accuracy"): sk.accuracy_score(Y3, P3.argmax(1)),
    ("multiclass", "balanced_accuracy"): sk.balanced_accuracy_score(Y3, P3.argmax(1)),
    ("multiclass", "f1_macro"): sk.f1_score(Y3, P3.argmax(1), average="macro"),
    ("multiclass", "precision_macro"): sk.precision_score(Y3, P3.argmax(1), average="macro"),
    ("multiclass", "recall_macro"): sk.recall_score(Y3, P3.argmax(1), average="macro"),
    ("multiclass", "matthews_corrcoef"): sk.matthews_corrcoef(Y3, P3.argmax(1)),
    ("regression", "rmse"): sk.root_mean_squared_error(YR, PR),
    ("regression", "mae"): sk.mean_absolute_error(YR, PR),
    ("regression", "median_absolute_error"): sk.median_absolute_error(YR, PR),
    ("regression", "mape"): sk.mean_absolute_percentage_error(YR, PR),
    ("regression", "wape"): np.abs(YR - PR).sum() / YR.sum(),
    ("regression", "r2"): sk.r2_score(YR, PR),
}


@pytest.mark.parametrize(("task", "name"), [(t, m.name) for t in TASKS for m in for_task(t)])
def test_equals_scikit_learn(task, name):
    scored = {"binary": TWO, "multiclass": THREE, "regression": REAL}[task]
    value, why = compute(metric(name, task), scored)
    assert value == pytest.approx(EXPECTED[task, name], rel=1e-12), why


def test_every_metric_says_what_it_is():
    assert all(m.note and m.title for m in METRICS)
    assert all(DEFAULTS[t] in [m.name for m in for_task(t)] for t in TASKS)


@pytest.mark.parametrize(
    ("name", "task", "scored", "part"),
    [
        ("roc_auc", "binary", Predictions(np.ones(4, int), np.ones(4, int), 2, np.full((4, 2), 0.5)), "one class"),
        (
            "average_precision",
            "binary",
            Predictions(np.zeros(4, int), np.ones(4, int), 2, np.full((4, 2), 0.5)),
            "one class",
        ),
        ("recall", "binary", Predictions(np.zeros(4, int), np.ones(4, int), 2), "positive class"),
        ("log_loss", "binary", Predictions(np.array([0, 1]), np.array([0, 1]), 2), "does not predict probabilities"),
        (
            "roc_auc_ovr",
            "multiclass",
            Predictions(np.array([0, 1]), np.array([0, 1]), 3, np.full((2, 3), 1 / 3)),
            "1 of 3",
        ),
        (
            "mape",
            "regression",
            Predictions(np.array([0.0, 1, 2]), np.array([1.0, 1, 1])),
            "1 of 3 true values are zero",
        ),
        ("wape", "regression", Predictions(np.zeros(3), np.ones(3)), "All true values are zero"),
        ("r2", "regression", Predictions(np.full(5, 2.0), np.arange(5.0)), "no variance to explain"),
        ("rmse", "regression", Predictions(np.ones(2), np.array([1.0, np.inf])), "not finite"),
    ],
)
def test_undefined_is_said(name, task, scored, part):
    value, why = compute(metric(name, task), scored)
    assert value is None
    assert part in why


@pytest.mark.parametrize("value", [0.1, 3.3, 19.99, 1234.56])
@pytest.mark.parametrize("rows", [3, 7, 50])
def test_r2_is_undefined_on_equal_values_whose_mean_rounds(value, rows):
    truth = np.full(rows, value)
    assert compute(metric("r2", "regression"), Predictions(truth, truth + 0.5))[0] is None


def test_log_loss_is_clipped_alike_whatever_the_type():
    truth, labels = np.array([0, 1]), np.array([1, 1])
    shares = np.array([[0.0, 1.0], [0.0, 1.0]])
    wide, _ = compute(metric("log_loss", "binary"), Predictions(truth, labels, 2, shares))
    narrow, _ = compute(metric("log_loss", "binary"), Predictions(truth, labels, 2, shares.astype(np.float32)))
    assert wide == narrow
    assert wide == pytest.approx(-np.log(1e-15) / 2, rel=1e-6)


def test_decision_scores_rank_but_are_no_probabilities():
    scored = Predictions(np.array([0, 1, 1, 0]), np.array([0, 1, 1, 0]), 2, None, np.array([-3.0, 2.0, 9.0, -1.0]))
    assert compute(metric("roc_auc", "binary"), scored)[0] == 1.0
    assert compute(metric("brier_score", "binary"), scored)[0] is None


def test_skill_and_rope():
    auc, rmse = metric("roc_auc", "binary"), metric("rmse", "regression")
    assert auc.skill(0.75, 0.5) == pytest.approx(0.5)
    assert rmse.skill(30.0, 120.0) == pytest.approx(0.75)
    assert rmse.skill(150.0, 120.0) == pytest.approx(-0.25)
    assert metric("accuracy", "binary").skill(1.0, 1.0) is None
    assert (auc.rope(0.5), rmse.rope(120.0)) == (0.01, pytest.approx(1.2))


def test_an_unknown_metric_names_the_allowed():
    with pytest.raises(BadChoice, match="roc_auc"):
        metric("roc_aux", "binary")
    with pytest.raises(BadChoice, match="multiclass"):
        metric("roc_auc", "multiclass")


def test_metrics_weigh_rows_as_scikit_learn_does():
    rng = np.random.default_rng(4)
    weights = rng.integers(0, 4, 300).astype(float)
    truth, probability = rng.integers(0, 2, 300), rng.random(300)
    label = (probability > 0.5).astype(int)
    of_two = Predictions(truth, label, 2, np.stack([1 - probability, probability], axis=1), weights=weights)
    amount, guess = rng.gamma(2, 3, 300), rng.gamma(2, 3, 300)
    of_numbers = Predictions(amount, guess, weights=weights)
    expected = {
        "roc_auc": sk.roc_auc_score(truth, probability, sample_weight=weights),
        "average_precision": sk.average_precision_score(truth, probability, sample_weight=weights),
        "log_loss": sk.log_loss(truth, probability, sample_weight=weights),
        "brier_score": sk.brier_score_loss(truth, probability, sample_weight=weights),
        "accuracy": sk.accuracy_score(truth, label, sample_weight=weights),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, label, sample_weight=weights),
        "f1": sk.f1_score(truth, label, sample_weight=weights),
        "precision": sk.precision_score(truth, label, sample_weight=weights),
        "recall": sk.recall_score(truth, label, sample_weight=weights),
        "matthews_corrcoef": sk.matthews_corrcoef(truth, label, sample_weight=weights),
    }
    for name, value in expected.items():
        assert compute(metric(name, "binary"), of_two)[0] == pytest.approx(value), name
    expected = {
        "rmse": sk.root_mean_squared_error(amount, guess, sample_weight=weights),
        "mae": sk.mean_absolute_error(amount, guess, sample_weight=weights),
        "median_absolute_error": np.quantile(abs(amount - guess), 0.5, weights=weights, method="inverted_cdf"),
        "mape": sk.mean_absolute_percentage_error(amount, guess, sample_weight=weights),
        "r2": sk.r2_score(amount, guess, sample_weight=weights),
    }
    for name, value in expected.items():
        assert compute(metric(name, "regression"), of_numbers)[0] == pytest.approx(value), name
    nothing = Predictions(amount, guess, weights=np.zeros(300))
    assert compute(metric("rmse", "regression"), nothing) == (
        None,
        "RMSE is undefined, because all of these rows have the weight 0.",
    )


def test_rows_of_weight_zero_count_as_absent():
    truth, probability = np.array([1, 1, 1, 0, 0, 0]), np.array([0.9, 0.2, 0.6, 0.7, 0.1, 0.3])
    both = np.stack([1 - probability, probability], axis=1)
    one_class = Predictions(truth, (probability > 0.5).astype(int), 2, both, weights=np.array([1.0, 1, 1, 0, 0, 0]))
    for name in ("roc_auc", "average_precision"):
        value, why = compute(metric(name, "binary"), one_class)
        assert value is None, name
        assert "one class" in why
    amounts, guesses = np.array([0.0, 2, 4]), np.array([1.0, 1, 5])
    without_zero = Predictions(amounts, guesses, weights=np.array([0.0, 1, 1]))
    assert compute(metric("mape", "regression"), without_zero)[0] == pytest.approx((1 / 2 + 1 / 4) / 2)
