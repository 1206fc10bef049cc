from __future__ import annotations

from mlcore.runs.runtime_estimate import seconds
from tests.helpers import planned


def test_time_is_estimated_from_costs_and_from_what_ran(mixed, runs):
    small = seconds(planned(mixed, "two", models=["logistic"])[1])
    large = seconds(planned(mixed, "two", models=["logistic", "svm", "mlp"], folds=10, repeats=5)[1])
    assert 0 < small < large
    known = seconds(runs["binary"].experiment, runs["binary"])
    took = sum((r.fit_seconds or 0) + (r.predict_seconds or 0) for r in runs["binary"].board().rows)
    assert known >= took / 64
