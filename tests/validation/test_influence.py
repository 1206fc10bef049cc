"""The influence of rows: its variance is that of the metric over samples, against a bootstrap and DeLong's formula."""

from __future__ import annotations

import numpy as np
import pytest

from mlcore.validation.metrics import METRICS, compute, for_task, influence_of, metric
from mlcore.validation.predictions import Predictions, some
from mlcore.validation.statistics import delong

RNG = np.random.default_rng(11)
N = 700


def predictions(task: str) -> Predictions:
    if task == "regression":
        truth = RNG.gamma(3, 2, N)
        return Predictions(truth, truth + RNG.normal(0, 1, N))
    classes = 2 if task == "binary" else 3
    truth = RNG.choice(classes, N, p=[0.8, 0.2] if classes == 2 else [0.5, 0.3, 0.2])
    scores = RNG.normal(size=(N, classes)) + 1.4 * np.eye(classes)[truth]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return Predictions(truth, probabilities.argmax(axis=1), classes, probabilities)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_standard_errors_agree_with_a_bootstrap(task):
    given = predictions(task)
    draws = [RNG.integers(0, N, N) for _ in range(300)]
    for row in for_task(task):
        moved = influence_of(row, given)
        assert moved.mean() == pytest.approx(0, abs=1e-9)
        resampled = np.std([compute(row, some(given, rows))[0] for rows in draws])
        # 300 resamples give a standard error to 4 %, 20 jackknife blocks to 16 %
        assert moved.std() / np.sqrt(N) == pytest.approx(resampled, rel=0.6), row.name


def test_the_area_has_delongs_variance():
    given = predictions("binary")
    _, covariance = delong(given.truth == 1, given.ranking()[None])
    moved = influence_of(metric("roc_auc", "binary"), given)
    assert moved.var() / N == pytest.approx(covariance[0, 0], rel=0.02)


def test_it_is_undefined_where_the_metric_is():
    alone = Predictions(np.zeros(30, int), np.zeros(30, int), 2, np.full((30, 2), 0.5))
    assert influence_of(metric("roc_auc", "binary"), alone) is None
    assert influence_of(metric("mape", "regression"), Predictions(np.zeros(9), np.ones(9))) is None
    assert {m.name for m in METRICS} >= {"roc_auc", "rmse"}
