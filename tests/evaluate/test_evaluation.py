from __future__ import annotations

import json

import pytest

from mlcore.evaluate import classes
from mlcore.validation.metrics import for_task
from tests.helpers import TARGETS


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


def test_colours_follow_the_model(runs):
    run = runs["binary"]
    slots = [c.model for c in run.experiment.candidates]
    found = classes.roc(run, ["xgboost", "knn"])
    assert [c.slot for c in found.curves] == [slots.index("xgboost"), slots.index("knn")]
    assert slots[0] == "dummy"


@pytest.mark.slow
def test_every_chart_of_a_run_prints(runs):
    from mlcore.charts.figure_file import figure_file
    from mlcore.evaluate import classes

    for task, run in runs.items():
        model = run.leaderboard()["model"].iloc[0]
        found = run.evaluate(model)
        assert figure_file(run.board(), "svg").startswith(b"<?xml"), task
        assert len(found.frame()) == len(for_task(run.experiment.recipe.task)), task
    binary = runs["binary"]
    for make in (classes.roc, classes.precision_recall, classes.confusion):
        first = binary.leaderboard()["model"].iloc[0]
        assert figure_file(make(binary, [first]) if make is not classes.confusion else make(binary, first), "png")
