from __future__ import annotations

import pytest

import mlcore
from mlcore.experiment.candidate import Candidate
from tests.helpers import Sleeper, others

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
