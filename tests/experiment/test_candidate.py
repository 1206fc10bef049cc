from __future__ import annotations

import pytest

import mlcore
from mlcore.data.workspace import Workspace
from mlcore.errors import BadChoice, BadInput, BadTarget, NoSuchColumn
from tests.helpers import planned


def test_the_baseline_is_always_there_and_cannot_be_removed(mixed):
    data, experiment = planned(mixed, "two", models=["logistic"])
    assert [c.model for c in experiment.candidates] == ["dummy", "logistic"]
    assert data.schema["two"].role == "target"


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({"target": "twoo"}, NoSuchColumn, "Did you mean 'two'"),
        ({"target": "same"}, BadTarget, "at least two"),
        ({"target": "two", "models": ["xgbost"]}, BadChoice, "Did you mean 'xgboost'"),
        ({"target": "two", "models": ["linear"]}, BadChoice, "model for binary"),
        ({"target": "two", "metric": "rmse"}, BadChoice, "metric for binary"),
        ({"target": "two", "preset": "all"}, BadChoice, "preset"),
        ({"target": "two", "seed": -1}, BadInput, "seed"),
        ({"target": "two", "jobs": 0}, BadInput, "jobs"),
        ({"target": "two", "holdout": 0, "open_holdout": True}, BadInput, "nothing to open"),
        ({"target": "two", "recipe": {"steps": [{"step": "missing", "method": "bogus"}]}}, BadChoice, "median"),
        ({"target": "two", "recipe": {"steps": "median"}}, BadInput, "a list of objects"),
        ({"target": "two", "split": "time", "time": "colour"}, BadInput, "no order in time"),
        ({"target": "two", "models": ["dummy"]}, BadInput, "besides the baseline"),
        ({"target": "two", "split": "group"}, BadInput, "belong together"),
        ({"target": "two", "group": "two"}, BadInput, "target"),
        ({"target": "two", "ignore": ["nope"]}, NoSuchColumn, "nope"),
        ({"target": "two", "task": "regression"}, BadTarget, "not numbers"),
        ({"target": "two", "recipe": {"steps": [{"step": "missing", "number": "mean"}]}}, BadChoice, "method"),
    ],
)  # fmt: skip
def test_choices_that_cannot_be_are_refused_before_anything_runs(mixed, options, error, part):
    before = len(Workspace().run_folders())
    with pytest.raises(error, match=part):
        mlcore.compare(mixed, **options)
    assert len(Workspace().run_folders()) == before
