from __future__ import annotations

import pytest

from mlcore.runs.process import cores
from mlcore.runs.runtime_estimate import seconds
from tests.helpers import planned


def test_time_is_estimated_from_costs_and_from_what_ran(mixed, runs):
    small = seconds(planned(mixed, "two", models=["logistic"])[1])
    large = seconds(planned(mixed, "two", models=["logistic", "svm", "mlp"], folds=10, repeats=5)[1])
    assert 0 < small < large
    known = seconds(runs["binary"].experiment, runs["binary"])
    fits = [(log.seconds + log.predict_seconds) / len(log.folds) for log in runs["binary"].logs().values()]
    measured = [fit for fit in fits if fit]
    assert len(measured) == len(fits)  # every model of that run was timed, so nothing is left to guess
    folds = len(runs["binary"].board().rows[0].folds)
    assert known == pytest.approx(1.5 + (folds + 1) * sum(measured) / cores())
