from __future__ import annotations

import json

import pandas as pd
import pytest

import mlcore
from mlcore.experiment.experiment import Experiment
from tests.helpers import compare_here, others, planned


@pytest.mark.slow
def test_equal_experiments_give_equal_numbers_whatever_the_jobs(mixed):
    options = {"target": "two", "ignore": others("binary"), "folds": 3, "repeats": 1, "seed": 4,
               "models": ["logistic", "random_forest", "xgboost", "hist_gradient_boosting"]}  # fmt: skip
    first, second = compare_here(mixed, **options), mlcore.compare(mixed, jobs=2, **options)
    for a, b in zip(first.board().rows, second.board().rows, strict=True):
        assert (a.model, a.folds) == (b.model, b.folds)
        pd.testing.assert_frame_equal(first.predictions(a.model), second.predictions(a.model))


def test_what_changed_since_an_experiment_is_named(mixed):
    def asked(**options):
        return planned(mixed, "two", models=["logistic"], **options)[1]

    before = asked()
    assert asked().changed_since(before) == []
    assert asked(folds=4).changed_since(before) == ["folds: 5 → 4"]
    assert asked(parameters={"logistic": {"C": 2.0}}).changed_since(before) == ["settings of Logistic regression"]
    assert asked(ignore=["a"], recipe={"steps": [{"step": "scale", "method": "robust"}]}).changed_since(before) == [
        "a: feature → ignore",
        "step scale method=robust added",
    ]


def test_experiments_survive_json_and_hash_what_decides_numbers(runs):
    experiment = runs["binary"].experiment
    again = Experiment.from_json(json.loads(json.dumps(experiment.to_json())))
    assert again == experiment
    assert again.digest == experiment.digest
    assert runs["regression"].experiment.digest != experiment.digest
