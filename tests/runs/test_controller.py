from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mlcore
from mlcore.api import begin
from mlcore.data.workspace import Workspace
from mlcore.experiment.candidate import Candidate
from mlcore.runs.controller import RunController
from mlcore.runs.events import NAME, EventLog
from mlcore.runs.fitted_models import blend_weights
from tests.helpers import QUICK, Sleeper, others, planned, run_here

pytestmark = pytest.mark.slow  # real processes


def test_a_time_limit_really_ends_a_model_and_nobody_else(mixed):
    run = mlcore.compare(
        mixed, target="two", models=[Candidate.of("slow", Sleeper()), "logistic"], folds=3, repeats=1, time_limit=1.5
    )
    rows = {r.model: r for r in run.board().rows}
    assert rows["slow"].status == "timeout"
    assert "1.5 seconds" in rows["slow"].reason
    assert rows["slow"].score is None
    assert rows["logistic"].status == "ok"
    assert run.board().rows[-1].model == "slow"


def test_two_folds_failing_at_once_end_their_model_only(mixed):
    from sklearn.linear_model import LogisticRegression

    bad = Candidate.of("bad", LogisticRegression(C=-1.0))
    run = mlcore.compare(mixed, target="two", models=[bad, "logistic"], folds=5, repeats=1, jobs=2)
    rows = {r.model: r for r in run.board().rows}
    assert rows["bad"].status == "failed"
    assert "'C' parameter" in rows["bad"].reason
    assert rows["logistic"].status == "ok"


def test_the_leaderboard_is_waited_for_and_models_when_they_are_asked_for(mixed):
    models = ["logistic", Candidate.of("slow", Sleeper(0.5))]
    run = mlcore.compare(mixed, "two", models=models, ignore=others("binary"), folds=2, repeats=1)
    assert run.board().ranked()[0].model == "logistic"
    assert "slow" not in run.fitted()
    assert run.progress().live
    assert set(run.model("slow").classes_) == {"no", "yes"}
    assert run.wait().progress().state == "finished"


def test_a_model_outside_the_top_group_is_fitted_when_it_is_first_asked_for(mixed):
    """The blend, too, as soon as its members are needed; the run stays finished all the while."""
    data, experiment = planned(
        mixed, "two", models=["logistic", "naive_bayes", "knn", "blend"], ignore=others("binary"), **QUICK
    )
    run = begin(data, experiment, Workspace().new_run("later"), _only_logistic_at_once).wait()
    assert run.fitted() == ["dummy", "logistic"]
    assert run.deferred() == {"naive_bayes", "knn", "blend"}
    assert {r.model for r in run.board().rows if r.deferred} == run.deferred()
    assert run.progress().fraction == 1.0
    assert run.board().row("blend").description  # its members are known, fitted or not
    direct = mixed.frame().iloc[run.plan()["holdout"]]
    assert set(run.model("knn").predict(direct)) <= {"no", "yes"}
    run.model("blend")
    assert run.deferred() == {"naive_bayes"} - set(blend_weights(run.path))
    assert run.progress().state == "finished"
    assert not run.paths.scratch.exists()


def test_a_model_that_is_fitted_later_is_the_one_that_would_have_been_fitted_at_once(mixed):
    options = {"models": ["logistic", "random_forest"], "ignore": others("binary"), "seed": 3, **QUICK}
    data, experiment = planned(mixed, "two", **options)
    later = begin(data, experiment, Workspace().new_run("later"), _only_logistic_at_once).wait()
    once = begin(data, experiment, Workspace().new_run("once"), run_here).wait()
    rows = mixed.frame()
    a, b = (run.model("random_forest").predict_proba(rows) for run in (later, once))
    np.testing.assert_array_equal(a, b)


def _only_logistic_at_once(folder: Path, slots: int | None = None) -> None:
    with (folder / NAME).open("a", encoding="utf-8") as file:
        RunController(folder, EventLog(file), fitted_at_once=lambda run: ["logistic"]).carry_out(0)
