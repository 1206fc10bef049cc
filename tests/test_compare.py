"""Runs: the engine, its events, failures, time limits, cancel, repeatability, the leaderboard."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time

import numpy as np
import pandas as pd
import pytest
from conftest import compare_here, frame_here, others, run_here
from sklearn.base import BaseEstimator, ClassifierMixin

import mlcore
from mlcore.compare import Candidate, Options, begin, plan_experiment
from mlcore.compare.leaderboard import leaderboard
from mlcore.compare.run import Run, Standby, launch
from mlcore.engines import Inline, LocalProcesses, ProcessDied, TaskFailed
from mlcore.errors import BadChoice, BadInput, BadTarget, NoSuchColumn, NotApplicable, NotFound, RunFailed
from mlcore.workspace import Workspace


class Sleeper(ClassifierMixin, BaseEstimator):
    """A model that never comes back."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds = seconds

    def fit(self, X, y):
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[0], len(X))


def square(x):
    return x * x


def fail(message):
    raise ValueError(message)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("engine", [Inline, lambda: LocalProcesses(2)])
def test_engines_have_one_shape(engine):
    made = engine()
    try:
        futures = []
        for work, *args in ((square, 7), (fail, "no luck")):
            future = made.submit(work, *args)
            while not future.done():
                made.poll(0.1)
            futures.append(future)
        assert futures[0].result() == 49
        with pytest.raises(TaskFailed, match="ValueError: no luck"):
            futures[1].result()
    finally:
        made.shutdown()


def test_a_process_that_dies_is_replaced():
    engine = LocalProcesses(1)
    try:
        future = engine.submit(die)
        while not future.done():
            engine.poll(0.1)
        with pytest.raises(ProcessDied, match="memory"):
            future.result()
        after = engine.submit(square, 3)
        while not after.done():
            engine.poll(0.1)
        assert after.result() == 9
    finally:
        engine.shutdown()


def test_predictions_are_out_of_fold_and_complete(runs, mixed):
    run = runs["multiclass"]
    found = run.predictions("logistic")
    assert list(found.columns) == ["row", "repeat", "fold", "truth", "prediction", "p_0", "p_1", "p_2"]
    plan = run.plan()
    rows = sorted(set(range(mixed.rows)) - set(plan["holdout"]))
    for _, part in found.groupby("repeat"):
        assert sorted(part["row"]) == rows
    truth = mixed.frame()["three"]
    assert (found["truth"].to_numpy() == truth.iloc[found["row"]].to_numpy()).all()
    np.testing.assert_allclose(found[["p_0", "p_1", "p_2"]].sum(axis=1), 1)


def test_the_baseline_is_always_there_and_cannot_be_removed(mixed):
    data, experiment = plan_experiment(mixed, "two", Options(models=["logistic"]))
    assert [c.model for c in experiment.candidates] == ["dummy", "logistic"]
    assert data.schema["two"].role == "target"


def test_equal_experiments_give_equal_numbers_whatever_the_jobs(mixed):
    options = {"target": "two", "ignore": others("binary"), "folds": 3, "repeats": 1, "seed": 4,
               "models": ["logistic", "random_forest", "xgboost", "hist_gradient_boosting"]}  # fmt: skip
    first, second = compare_here(mixed, **options), mlcore.compare(mixed, jobs=2, **options)
    for a, b in zip(first.board().rows, second.board().rows, strict=True):
        assert (a.model, a.folds) == (b.model, b.folds)
        pd.testing.assert_frame_equal(first.predictions(a.model), second.predictions(a.model))


def test_a_time_limit_really_ends_a_model_and_nobody_else(mixed):
    start = time.monotonic()
    run = mlcore.compare(
        mixed, target="two", models=[Candidate.of("slow", Sleeper()), "logistic"], folds=3, repeats=1, time_limit=1.5
    )
    assert time.monotonic() - start < 25
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


def test_a_folder_with_other_things_in_it_is_no_place_for_a_run(mixed, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="not empty"):
        mlcore.compare(mixed, target="two", run=tmp_path)


def test_bad_input_that_the_worker_meets_is_bad_input(tmp_path):
    few = frame_here(pd.DataFrame({"x": range(6), "y": [0, 1] * 3}), "few")
    with pytest.raises(BadInput, match="at least 8"):
        mlcore.compare(few, target="y")


def test_cancel_signals_no_stranger(mixed, tmp_path):
    import subprocess

    stranger = subprocess.Popen(["sleep", "30"])
    data, experiment = plan_experiment(mixed, "two", Options(models=["logistic"]))
    run = begin(data, experiment, tmp_path / "sent", lambda r: r)
    (run.path / "worker.pid").write_text(str(stranger.pid))
    run.cancel()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def started(mixed, seconds=60.0) -> Run:
    data, experiment = plan_experiment(
        mixed, "two", Options(models=["logistic", Candidate.of("slow", Sleeper(seconds))], folds=3, repeats=1)
    )
    run = begin(data, experiment, Workspace().new_run("cancel"), launch)
    end = time.monotonic() + 30
    while not any(e["event"] == "candidate" and e["model"] == "logistic" for e in run.events()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return run


def test_cancel_ends_soon_and_leaves_a_readable_run(mixed):
    run = started(mixed)
    start = time.monotonic()
    run.cancel()
    assert time.monotonic() - start < 3
    assert run.progress().state == "cancelled"
    assert run.board().ranked()[0].model == "logistic"
    assert len(run.predictions("logistic")) == run.plan()["train"]
    with pytest.raises(RunFailed, match="cancelled"):
        run.wait()


def test_a_run_without_its_folder_ends_in_words(mixed, tmp_path):
    _, experiment = plan_experiment(mixed, "two", Options(models=["logistic"]))
    run = begin(mixed, experiment, tmp_path / "gone", lambda r: r)
    _ = run.experiment
    shutil.rmtree(run.path)
    with pytest.raises(RunFailed, match="Its folder is gone"):
        run.wait()


def test_a_model_that_was_not_fitted_says_why(mixed):
    data, experiment = plan_experiment(mixed, "two", Options(models=["logistic"], ignore=others("binary"), folds=2))
    run = begin(data, experiment, Workspace().new_run("stopped"), run_here)
    (run.path / "models" / "logistic.skops").unlink()
    events = [e for e in run.events() if e["event"] not in ("fitted", "finished")]
    lines = [json.dumps(e) for e in [*events, {"event": "cancelled", "seconds": 1.0}]]
    (run.path / "events.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(NotFound, match="the run was cancelled; resume it"):
        run.model("logistic")


def test_what_changed_since_an_experiment_is_named(mixed):
    def planned(**options):
        return plan_experiment(mixed, "two", Options(models=["logistic"], **options))[1]

    before = planned()
    assert planned().changed_since(before) == []
    assert planned(folds=4).changed_since(before) == ["protocol"]
    assert planned(parameters={"logistic": {"C": 2.0}}).changed_since(before) == ["settings of Logistic regression"]
    assert planned(ignore=["a"], recipe={"scale": {"method": "robust"}}).changed_since(before) == ["columns", "recipe"]


def test_the_leaderboard_is_waited_for_and_models_when_they_are_asked_for(mixed):
    models = ["logistic", Candidate.of("slow", Sleeper(0.5))]
    run = mlcore.compare(mixed, "two", models=models, ignore=others("binary"), folds=2, repeats=1)
    assert run.board().ranked()[0].model == "logistic"
    assert "slow" not in run.fitted()
    assert run.progress().live
    assert set(run.model("slow").classes_) == {"no", "yes"}
    assert run.wait().progress().state == "finished"


def test_cancel_ends_a_run_whose_process_has_only_just_begun(mixed):
    data, experiment = plan_experiment(mixed, "two", Options(models=["logistic"], ignore=others("binary")))
    run = begin(data, experiment, Workspace().new_run("early"), launch)
    run.cancel()
    assert run.progress().state == "cancelled"
    time.sleep(0.2)
    assert run.progress().state == "cancelled"
    assert [e["event"] for e in run.events()] == ["cancelled"]


def test_a_killed_worker_is_interrupted_not_endless(mixed):
    run = started(mixed)
    pid = next(e["pid"] for e in run.events() if e["event"] == "started")
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while run.progress().live and time.monotonic() < end:
        time.sleep(0.05)
    assert run.progress().state == "interrupted"
    assert run.board().ranked()


def test_a_warm_worker_takes_the_run(mixed):
    standby = Standby()
    standby.warm()
    data, experiment = plan_experiment(mixed, "two", Options(models=["logistic"], folds=3, repeats=1))
    run = begin(data, experiment, Workspace().new_run("warm"), standby.launch).wait()
    assert run.progress().state == "finished"
    standby.close()


def test_a_run_can_be_moved_and_reopened(runs, tmp_path):
    import shutil

    moved = tmp_path / "elsewhere"
    shutil.copytree(runs["binary"].path, moved)
    again = mlcore.open_run(str(moved))
    assert again.leaderboard().equals(runs["binary"].leaderboard())
    assert again.explain("logistic", row=3).prediction == runs["binary"].explain("logistic", row=3).prediction
    assert mlcore.open_run(runs["binary"].id).path == runs["binary"].path


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
        ({"target": "two", "recipe": {"fill": {"numbers": "bogus"}}}, BadChoice, "median"),
        ({"target": "two", "recipe": {"fill": "median"}}, BadInput, "objects of options"),
        ({"target": "two", "split": "time", "time": "colour"}, BadInput, "no order in time"),
        ({"target": "two", "fold": 3}, BadChoice, "option of compare"),
        ({"target": "two", "models": ["dummy"]}, BadInput, "beside the baseline"),
        ({"target": "two", "split": "group"}, BadInput, "belong together"),
        ({"target": "two", "group": "two"}, BadInput, "target"),
        ({"target": "two", "ignore": ["nope"]}, NoSuchColumn, "nope"),
        ({"target": "two", "task": "regression"}, BadTarget, "not numbers"),
        ({"target": "two", "recipe": {"fill": {"number": "mean"}}}, BadChoice, "numbers"),
    ],
)  # fmt: skip
def test_choices_that_cannot_be_are_refused_before_anything_runs(mixed, options, error, part):
    before = len(Workspace().run_folders())
    with pytest.raises(error, match=part):
        mlcore.compare(mixed, **options)
    assert len(Workspace().run_folders()) == before


def test_unknown_runs_and_models(runs, tmp_path):
    with pytest.raises(NotFound, match="holdout runs"):
        mlcore.open_run("ffffff")
    with pytest.raises(NotFound, match="not a run"):
        mlcore.open_run(str(tmp_path / "nothing"))
    with pytest.raises(BadChoice, match="model of this run"):
        runs["binary"].model("linear")


def test_leaderboard_frame_has_the_fields_of_the_contract(runs):
    frame = runs["regression"].leaderboard()
    wanted = "model title status score ci folds metrics skill group star fit_seconds reason"
    assert list(frame.columns)[:12] == wanted.split()
    assert {"skill_ci", "first", "better", "equal", "worse", "seen", "predict_seconds", "bytes", "words"} < set(frame)
    assert frame["first"].sum() == pytest.approx(1)
    np.testing.assert_allclose(frame[["better", "equal", "worse"]].sum(axis=1), 1)
    assert frame["score"].is_monotonic_increasing  # RMSE: the smallest first
    assert (frame["score"] > 0).all()
    assert frame["star"].sum() == 1
    assert frame.loc[frame["model"] == "dummy", "skill"].iloc[0] == pytest.approx(0)
    best = frame.iloc[0]
    assert best["score"] == pytest.approx(np.mean(best["folds"]))
    assert best["ci"][0] < best["score"] < best["ci"][1]


def test_sorting_by_another_metric_needs_no_refit(runs):
    run = runs["regression"]
    by = run.leaderboard("r2")
    assert by["score"].is_monotonic_decreasing
    assert by.iloc[0]["score"] == pytest.approx(by.iloc[0]["metrics"]["r2"])


def board_of(runs, statuses):
    """A leaderboard in which some candidates have not ended."""
    run = runs["binary"]
    events = [e for e in run.events() if not (e.get("model") in statuses and e["event"] in ("candidate", "fold"))]
    return leaderboard(run.experiment, events)


def test_no_star_for_a_model_that_is_probably_worse(runs):
    """A tree 0.10 behind on erratic folds: t = 2.25 on 4 degrees of freedom, p = 0.088, so nobody can tell it apart."""
    experiment = runs["binary"].experiment
    behind = {"random_forest": [0.0] * 5, "decision_tree": [0.05, 0.15, 0.02, 0.18, 0.10]}
    events = [{"event": "started", "folds": 5, "ratio": 0.25, "seconds": 0}]
    for candidate in experiment.candidates:
        for fold in range(5):
            gap = behind.get(candidate.model, [0.4 + 0.001 * fold for fold in range(5)])[fold]
            events.append({"event": "fold", "model": candidate.model, "key": f"0-{fold}", "undefined": {},
                           "metrics": {"roc_auc": 0.9 - gap}, "fit_seconds": 0.1})  # fmt: skip
        events.append({"event": "candidate", "model": candidate.model, "status": "ok", "reason": ""})
    board = leaderboard(experiment, events)
    assert [r.model for r in board.rows if r.group == 1] == ["random_forest", "decision_tree"]
    assert board.row("decision_tree").worse > 0.9
    assert [r.model for r in board.rows if r.star] == ["random_forest"]
    assert "Random forest leads with ROC AUC 0.900; Decision tree cannot be told apart from it." in board.sentence()
    assert "The simpler ones among them are probably worse." in board.sentence()


def test_nothing_is_settled_before_all_models_are_done(runs):
    board = board_of(runs, {"xgboost"})
    assert not board.complete()
    assert board.findings() == [
        f"So far {len(board.rows) - 1} of {len(board.rows)} models are done; the order is not settled."
    ]
    assert not any(r.star for r in board.rows)
    assert runs["binary"].board().complete()


def test_pure_noise_is_said_to_be_noise():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(200, 5)), columns=list("abcde")).assign(y=rng.integers(0, 2, 200))
    run = compare_here(frame_here(frame, "noise"), target="y", models=["logistic", "knn", "naive_bayes"], seed=1)
    board = run.board()
    dummy = next(r for r in board.rows if r.model == "dummy")
    assert (dummy.group, dummy.star) == (1, True)
    assert board.beaten() is False
    assert "Nothing beats the baseline" in board.sentence()


def test_a_target_given_away_raises_an_alert_first(churn_file):
    run = compare_here(mlcore.read(churn_file), target="churned", preset="quick", folds=3, repeats=1)
    assert [(a["code"], a["column"]) for a in run.alerts() if a["severity"] == "high"] == [
        ("giveaway", "retention_call")
    ]
    assert run.alerts()[0]["fix"]["value"] == "ignore"


def test_events_are_whole_lines_of_json(runs):
    text = (runs["binary"].path / "events.jsonl").read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert events[0]["event"] == "started"
    assert events[-1]["event"] == "finished"
    assert sum(e["event"] == "fold" for e in events) == 6 * len(runs["binary"].experiment.candidates)


def test_half_a_line_is_left_for_later(runs, tmp_path):
    (tmp_path / "events.jsonl").write_text('{"event": "started"}\n{"event": "fo')
    assert Run(tmp_path).events() == [{"event": "started"}]


def test_group_and_time_columns(mixed):
    for split, column in (("group", "town"), ("time", "when")):
        run = compare_here(mixed, target="two", ignore=others("binary"), models=["logistic"], folds=3, split=split,
                             **{split: column})  # fmt: skip
        assert run.experiment.protocol.kind("binary") == split
        assert run.board().ranked()


def test_leave_one_out_has_means_over_rows_only(mixed):
    data = frame_here(mixed.frame().head(40), "forty")
    run = compare_here(data, "two", ignore=others("binary"), models=["logistic"], split="leave_one_out", holdout=0)
    board = run.board()
    assert board.metric.name == "log_loss"
    told = run.predictions("logistic")
    p = np.where(told["truth"] == "yes", told["p_yes"], told["p_no"])
    assert board.row("logistic").score == pytest.approx(-np.log(p).mean())
    assert board.row("logistic").metrics["balanced_accuracy"] is None
    assert "single row" in run.board("matthews_corrcoef").row("logistic").reason


def test_one_validation_split_tells_nobody_apart(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["logistic", "lda", "blend"],
                       split="validation")  # fmt: skip
    board = run.board()
    assert board.row("logistic").ci[0] < board.row("logistic").score < board.row("logistic").ci[1]
    assert "One split tells nothing of the spread" in board.sentence()
    assert (board.beaten(), any(r.star for r in board.rows)) == (None, False)
    assert "needs folds" in board.row("blend").reason
    with pytest.raises(NotApplicable, match="one split only"):
        board.fold_scores("logistic")
