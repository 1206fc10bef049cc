"""What follows a run or stands beside it: resume, carry-over, growth, races, studies, stress, side by side, memory."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from conftest import compare_here, frame_here, mixed_frame, others, run_here
from test_compare import Sleeper

import mlcore
from mlcore import leaks
from mlcore.compare import Candidate, Options, begin, plan_experiment, tasks
from mlcore.compare.beside import other_splits, same_under_other_splits, side_by_side, stress_of, why_not
from mlcore.compare.blend import read_predictions
from mlcore.compare.estimate import seconds
from mlcore.compare.memory import bytes_a_row, rows_that_fit
from mlcore.compare.race import behind
from mlcore.compare.run import Run, carry_over, launch, write_run
from mlcore.compare.studies import LearningCurve, Study, left_of, order, points_of, result, state_of, stop
from mlcore.compare.worker import Conductor, Journal, Order, carry_out_study, hold_lock
from mlcore.engines import FULL
from mlcore.errors import BadInput, NotApplicable
from mlcore.metrics import metric
from mlcore.workspace import Workspace

QUICK = {"folds": 3, "repeats": 1}


def numbers(run: Run) -> dict[str, tuple[float, ...]]:
    return {r.model: r.folds for r in run.board().rows}


# going on -------------------------------------------------------------------------------------------------------------


class Stopping(Conductor):
    """A conductor that is stopped after so many folds."""

    left = 4

    def _fold_done(self, value, shared):
        super()._fold_done(value, shared)
        Stopping.left -= 1
        self.stop = Stopping.left <= 0


def test_a_cancelled_run_goes_on_and_ends_as_if_it_had_not_been(mixed):
    options = {"ignore": others("binary"), "models": ["logistic", "decision_tree", "random_forest", "blend"], **QUICK}
    whole = compare_here(mixed, "two", **options)
    data, experiment = plan_experiment(mixed, "two", Options.of(options))

    def stopped(run):
        with (run.path / "events.jsonl").open("a", encoding="utf-8") as file:
            Stopping(run.path, Journal(file)).run(0)
            file.write('{"event": "fold", "mod')  # killed while it wrote
        return run

    run = begin(data, experiment, Workspace().new_run("stopped"), stopped)
    assert run.progress().state == "cancelled"
    before = [e for e in run.events() if e["event"] == "fold"]
    assert 0 < len(before) < 12
    run.resume().wait()
    assert numbers(run) == numbers(whole)
    pd.testing.assert_frame_equal(run.predictions("blend"), whole.predictions("blend"))
    again = [(e["model"], e["key"]) for e in run.events() if e["event"] == "fold"]
    assert len(again) == len(set(again))  # nothing was done twice
    with pytest.raises(BadInput, match="finished"):
        run.resume()


def test_a_second_worker_at_the_same_run_does_no_harm(mixed):
    data, experiment = plan_experiment(mixed, "two", Options(models=["logistic"], ignore=others("binary"), **QUICK))
    run = begin(data, experiment, Workspace().new_run("twice"), lambda r: r)
    lock = hold_lock(run.path)  # as the first one does for as long as it lives
    second = subprocess.run([sys.executable, "-m", "mlcore.compare.worker", str(run.path), "1"], capture_output=True,
                            text=True, check=False, timeout=60)  # fmt: skip
    assert second.returncode != 0
    assert "worked on already" in second.stderr
    assert run.events() == []
    lock.close()


def test_a_task_process_that_is_killed_ends_its_model_only(mixed):
    data, experiment = plan_experiment(mixed, "two", Options(models=["logistic", Candidate.of("slow", Sleeper(30.0))],
                                                             ignore=others("binary"), **QUICK))  # fmt: skip
    run = begin(data, experiment, Workspace().new_run("killed"), lambda r: launch(r, 2))
    end = time.monotonic() + 60
    while not any(e["event"] == "candidate" and e["model"] == "logistic" for e in run.events()):
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.5)
    pid = int((run.path / "worker.pid").read_text())
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
    for child in children.stdout.split():
        os.kill(int(child), signal.SIGKILL)
    run.wait()
    rows = {r.model: r for r in run.board().rows}
    assert (rows["slow"].status, rows["logistic"].status) == ("failed", "ok")
    assert "out of memory" in rows["slow"].reason


def full_disk(run: Run) -> Run:
    """A worker whose files may not grow beyond 12 kB, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, before[1]))
    try:
        return run_here(run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_the_run_goes_on_later(mixed):
    options = {"ignore": others("binary"), "models": ["logistic", "knn"], **QUICK}
    data, experiment = plan_experiment(mixed, "two", Options.of(options))
    run = begin(data, experiment, Workspace().new_run("full"), full_disk)
    told = [e["reason"] for e in run.events() if e["event"] in ("candidate", "failed") and e.get("reason")]
    assert told
    assert all(FULL in t for t in told)
    assert run.board().row("dummy").status == "ok"


def test_the_split_stays_when_free_memory_changes(mixed, monkeypatch):
    """A run that goes on must not learn from rows that were locked when it began."""
    _, experiment = plan_experiment(mixed, "two", Options(models=["logistic"], ignore=others("binary")))
    each = bytes_a_row(experiment)
    monkeypatch.setattr("mlcore.compare.memory.FEWEST", 50)
    monkeypatch.setattr("mlcore.compare.memory.free_memory", lambda: round(120 * each / 0.7))
    run = compare_here(mixed, "two", models=["logistic"], ignore=others("binary"), **QUICK)
    first = tasks.split_digest(tasks.context(str(run.path)).plan)
    monkeypatch.setattr("mlcore.compare.memory.free_memory", lambda: round(180 * each / 0.7))
    tasks.context.cache_clear()
    assert tasks.split_digest(tasks.context(str(run.path)).plan) == first == run.plan()["split"]


def test_an_estimator_of_a_module_that_is_not_imported_is_not_gone_on_with(mixed):
    data, experiment = plan_experiment(mixed, "two", Options(models=[Candidate.of("slow", Sleeper(0.0)), "logistic"],
                                                             ignore=others("binary"), **QUICK))  # fmt: skip
    run = begin(data, experiment, Workspace().new_run("own"), lambda r: r)
    assert json.loads((run.path / "estimators" / "modules.json").read_text()) == ["test_compare"]
    (run.path / "estimators" / "modules.json").write_text('["somebody_else"]')
    with pytest.raises(BadInput, match="somebody_else"):
        launch(run)


def test_a_worker_that_is_slow_to_begin_is_not_given_up(mixed, monkeypatch):
    data, experiment = plan_experiment(mixed, "two", Options(models=["logistic"], ignore=others("binary"), **QUICK))
    run = begin(data, experiment, Workspace().new_run("slow"), launch)
    monkeypatch.setattr("mlcore.compare.run.ORDERED", -1.0)
    assert run.progress().live  # its process is there, though it has said nothing yet
    run.wait(board=True)


# taking over and growing ----------------------------------------------------------------------------------------------


def test_equal_candidates_are_taken_over_and_others_are_not(mixed):
    options = {"ignore": others("binary"), **QUICK}
    first = compare_here(mixed, "two", models=["logistic", "knn", "blend"], **options)
    near = Candidate.named("knn", "binary", n_neighbors=5)
    wanted = Options.of({**options, "models": ["logistic", near, "decision_tree", "blend"]})
    data, experiment = plan_experiment(mixed, "two", wanted)
    run = begin(data, experiment, Workspace().new_run("more"), run_here, first).wait()
    fresh = begin(data, experiment, Workspace().new_run("fresh"), run_here).wait()
    carried = {e["model"] for e in run.events() if e.get("carried") and e["event"] == "candidate"}
    assert carried == {"dummy", "logistic"}
    assert numbers(run) == numbers(fresh)
    frame = mixed.frame()
    np.testing.assert_allclose(run.model("blend").predict_proba(frame), fresh.model("blend").predict_proba(frame))
    other = write_run(Workspace().new_run("seed"), plan_experiment(mixed, "two", Options.of({**options, "seed": 1,
                      "models": ["logistic"]}))[1], data)  # fmt: skip
    assert carry_over(first, other) == []


@pytest.mark.parametrize(
    ("name", "task"),
    [("random_forest", "binary"), ("extra_trees", "regression"), ("xgboost", "binary"), ("xgboost", "regression"),
     ("hist_gradient_boosting", "binary")],
)  # fmt: skip
def test_more_trees_go_on_and_equal_a_fresh_fit(mixed, name, task, monkeypatch):
    from mlcore.compare import grow

    monkeypatch.setattr(grow, "WORTH_KEEPING", 0.0)
    target = {"binary": "two", "regression": "amount"}[task]
    options = {"ignore": others(task), **QUICK}
    knob = next(r.grows for r in mlcore.compare.catalogue.MODELS if r.name == name)
    few, many = (Candidate.named(name, task, **{knob: n}) for n in (15, 35))
    first = compare_here(mixed, target, models=[few], **options)
    grown = run_here(first.grow(name, 20, Workspace().new_run("grown"))).wait()
    fresh = compare_here(mixed, target, models=[many], **options)
    assert dict(grown.experiment.candidate(name).parameters)[knob] == 35
    np.testing.assert_allclose(numbers(grown)[name], numbers(fresh)[name], atol=1e-12)
    frame = mixed.frame()
    np.testing.assert_allclose(grown.model(name).predict(frame) == fresh.model(name).predict(frame), True)
    trees = {"random_forest": "n_estimators", "extra_trees": "n_estimators"}.get(name)
    if trees:
        assert len(grown.model(name)[-1].estimators_) == 35


def test_a_changed_search_starts_anew(mixed):
    from mlcore.compare import Search

    options = {"ignore": others("binary"), "models": ["knn", "logistic"], "tune": ["knn"], **QUICK}
    first = compare_here(mixed, "two", search=Search("random", trials=3), **options)
    before = first.tuning("knn").frame()
    data, experiment = plan_experiment(mixed, "two", Options.of({**options, "search": Search("sobol", trials=4)}))
    run = begin(data, experiment, Workspace().new_run("search"), run_here, first).wait()
    fresh = begin(data, experiment, Workspace().new_run("search"), run_here).wait()
    assert numbers(run) == numbers(fresh)
    assert len(run.tuning("knn").trials) == 5
    pd.testing.assert_frame_equal(first.tuning("knn").frame(), before)


def test_growth_in_a_race_and_into_a_full_folder(mixed):
    few = Candidate.named("random_forest", "binary", n_estimators=10)
    run = compare_here(mixed, "two", ignore=others("binary"), models=[few, "logistic", "lda"], folds=6, repeats=1,
                       race=True)  # fmt: skip
    assert run_here(run.grow("random_forest", 5, Workspace().new_run("race"))).wait().board().ranked()
    with pytest.raises(BadInput, match="not empty"):
        run.grow("random_forest", 5, run.path)


def test_what_cannot_grow_says_so(runs):
    from dataclasses import replace

    from mlcore.compare.grow import more_trees

    experiment = runs["binary"].experiment
    fast = replace(experiment, protocol=replace(experiment.protocol, fast=True))
    with pytest.raises(BadInput, match="cannot be gone on with"):  # joining would count its first trees twice
        more_trees(fast, "random_forest", 10)
    with pytest.raises(BadInput, match="no trees"):
        runs["binary"].grow("logistic", 10, Workspace().new_run("x"))
    with pytest.raises(BadInput, match="1 to 100,000"):
        runs["binary"].grow("xgboost", 0, Workspace().new_run("x"))


# the race -------------------------------------------------------------------------------------------------------------


def test_a_race_stops_who_is_behind_and_keeps_the_top_group():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 4))
    frame = pd.DataFrame(x, columns=list("abcd")).assign(
        y=np.where(x @ [1, 1, 1, 0] + 0.5 * rng.normal(size=1500) > 0, 1, 0)
    )
    data = frame_here(frame, "race")
    options = {"models": ["logistic", "lda", "rule", "decision_tree"], "folds": 5, "repeats": 2}
    whole, raced = compare_here(data, "y", **options), compare_here(data, "y", race=True, **options)
    stopped = {r.model: r.reason for r in raced.board().rows if r.status == "stopped"}
    assert "after 2 of 10 folds" in stopped["decision_tree"]
    assert raced.board().row("decision_tree").score is None
    groups = [{r.model for r in run.board().rows if r.group == 1} for run in (whole, raced)]
    assert groups[0] == groups[1]
    again = compare_here(data, "y", race=True, **options)
    assert [(e["model"], e.get("reason")) for e in again.events() if e["event"] == "candidate"] == [
        (e["model"], e.get("reason")) for e in raced.events() if e["event"] == "candidate"]  # fmt: skip


def test_the_race_by_hand(runs, monkeypatch):
    """A gap of 30 spreads is out after four folds of six, one of a spread is not."""
    shared = tasks.context(str(runs["binary"].path))
    monkeypatch.setattr("mlcore.compare.race.read_fold", lambda run, name, key: read_predictions(run, name)[key])
    base = np.array([0.80, 0.82, 0.81, 0.79])
    told = {"logistic": base.tolist(), "lda": (base - np.array([0.011, 0.009, 0.012, 0.008])).tolist(),
            "knn": (base - np.array([0.3, 0.31, 0.3, 0.29])).tolist(), "svm": [0.9, None, 0.9, 0.9]}  # fmt: skip
    assert [name for name, _ in behind(shared, shared.plan.folds[:4], told)] == ["knn"]


# studies --------------------------------------------------------------------------------------------------------------


def study_here(run: Run, asked: Study):
    place = order(run, asked)
    with (place / "events.jsonl").open("a", encoding="utf-8") as file:
        carry_out_study(Order(run.path, 0, asked.name), Journal(file))
    return result(run, asked)


def test_a_learning_curve_ends_at_the_scores_of_the_run(runs):
    run = runs["regression"]
    found = study_here(run, Study("learning", "ridge"))
    assert state_of(run, Study("learning", "ridge"))[0] == "finished"
    assert [lv.at for lv in found.levels] == sorted(lv.at for lv in found.levels)
    last = found.levels[-1]
    first_repeat = run.board().row("ridge").folds[:3]
    np.testing.assert_allclose(sorted(last.folds), sorted(first_repeat))
    assert last.seen < last.score  # RMSE on rows that it learned from is smaller
    assert len(found.frame()) == len(found.levels)
    assert found.figure().data
    assert "RMSE" in found.sentence()


def test_a_study_that_broke_off_goes_on_and_counts_each_fit_once(runs):
    run, asked = runs["multiclass"], Study("learning", "naive_bayes")
    whole = study_here(run, asked)
    place = order(run, asked) / "events.jsonl"
    lines = place.read_text().splitlines(keepends=True)
    place.write_text("".join(lines[:5]))
    again = study_here(run, asked)
    assert again == whole
    assert len(points_of(run, asked)) == len(lines) - 2  # without the first word and the last


def test_a_study_is_ended_and_gone_on_with(runs):
    run, asked = runs["regression"], Study("learning", "random_forest")
    order(run, asked)
    launch(run, 1, study=asked.name)
    assert state_of(run, asked)[0] == "running"
    stop(run, asked)  # while its process is starting, or at work
    assert state_of(run, asked)[0] == "interrupted"
    assert left_of(run, asked) is None
    done = len(points_of(run, asked))
    study_here(run, asked)
    assert state_of(run, asked)[0] == "finished"
    assert len(points_of(run, asked)) > done


def curve_of(scores: dict[int, list[float]]) -> LearningCurve:
    from mlcore.compare.studies import Level

    levels = tuple(Level(n, float(np.mean(f)), None, None, tuple(f)) for n, f in scores.items())
    return LearningCurve("m", "Model", metric("roc_auc", "binary"), levels, 0.25)


def test_what_a_learning_curve_says():
    # .70 at 100, .76 at 200, .80 at 400: the slope over two doublings is .05; the next gains .04 × .04/.06
    rising = curve_of({n: [s - 0.001, s, s + 0.001] for n, s in ((100, 0.70), (200, 0.76), (400, 0.80))})
    assert rising.gain()[0] == pytest.approx(0.05)
    assert rising.coming() == pytest.approx(0.04 * 0.04 / 0.06)
    assert "about 0.027 more" in rising.sentence()
    flat = curve_of({n: [0.801, 0.799, 0.800] for n in (100, 200, 400)})
    assert "would hardly help" in flat.sentence()
    torn = curve_of({100: [0.6, 0.8, 0.7], 200: [0.8, 0.6, 0.75], 400: [0.7, 0.9, 0.65]})
    assert "is not sure" in torn.sentence()


def test_a_knob_curve_shows_over_and_underfit(runs):
    found = study_here(runs["binary"], Study("knob", "decision_tree", "max_depth"))
    seen = [lv.seen for lv in found.levels]
    assert seen[-1] > seen[0]
    assert len(points_of(runs["binary"], Study("knob", "decision_tree", "max_depth"))) == 3 * len(found.levels)
    assert "max_depth" in found.sentence()
    with pytest.raises(BadInput, match="no parameter 'nope'"):
        order(runs["binary"], Study("knob", "decision_tree", "nope"))
    with pytest.raises(BadInput, match="no fits of its own"):
        order(runs["binary"], Study("learning", "blend"))


# beside one another ---------------------------------------------------------------------------------------------------


def test_two_runs_on_the_same_split(mixed, runs):
    options = {"ignore": others("binary"), "models": ["logistic", "knn"], **QUICK}
    first = compare_here(mixed, "two", **options)
    second = compare_here(mixed, "two", recipe={"scale": {"method": "none"}}, **options)
    found = side_by_side(first, second)
    assert {c.model for c in found.changes} == {"logistic", "knn"}
    knn = next(c for c in found.changes if c.model == "knn")
    by_hand = np.mean(np.array(numbers(second)["knn"]) - np.array(numbers(first)["knn"]))
    assert knn.difference.mean == pytest.approx(by_hand)
    assert found.figure().data
    assert "logistic" in found.frame()["model"].tolist()
    assert not why_not(first, second)
    other = compare_here(mixed, "two", seed=9, **options)
    with pytest.raises(NotApplicable, match="split otherwise"):
        side_by_side(first, other)
    assert "predict different things" in why_not(first, runs["regression"])
    assert "different data" in why_not(first, compare_here(frame_here(mixed_frame(60), "else"), "two", **options))


def test_a_split_by_group_shows_the_drop():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(60), 8)
    face = rng.normal(size=(60, 3))[who] + 0.01 * rng.normal(size=(480, 3))
    y = rng.integers(0, 2, 60)[who]  # of the person, not of anything that can be learned for others
    frame = pd.DataFrame(face, columns=list("abc")).assign(person=[f"p{w}" for w in who], y=y)
    data = frame_here(frame, "people")
    near = Candidate.named("knn", "binary", n_neighbors=3)
    asked = Options(models=[near, "logistic"], group="person", **QUICK)
    data, experiment = plan_experiment(data, "y", asked)
    runs_ = [(k, begin(data, e, Workspace().new_run("stress"), run_here).wait()) for k, e in other_splits(experiment)]
    assert [k for k, _ in runs_] == ["stratified", "group"]
    found = stress_of(runs_)
    scores = {(r.model, k): r.score for k, rows in found.boards for r in rows}
    assert scores["knn", "stratified"] > 0.95
    assert scores["knn", "group"] < 0.8
    assert "expect that surprise when new groups come" in found.sentence()
    assert set(found.frame()["split"]) == {"stratified", "group"}
    assert found.figure().data
    assert same_under_other_splits(experiment, runs_)
    assert not same_under_other_splits(
        plan_experiment(data, "y", Options(models=["logistic"], group="person"))[1], runs_
    )
    codes = [a["code"] for a in runs_[0][1].alerts()]
    assert {"group_straddles", "near_duplicates"} <= set(codes)
    assert not {"group_straddles", "near_duplicates"} & {a["code"] for a in runs_[1][1].alerts()}
    with pytest.raises(BadInput, match="role group or time"):
        other_splits(plan_experiment(data.with_schema(data.schema.change("person", role="feature")), "y",
                                     Options(models=["knn"]))[1])  # fmt: skip


# checks of the split --------------------------------------------------------------------------------------------------


def test_checks_of_a_split_are_silent_on_clean_data(mixed, runs):
    for run in runs.values():
        assert [a["code"] for a in run.alerts() if a["code"] in {c for k in leaks.CHECKS for c in k.codes}] == []


def test_a_column_that_is_constant_where_it_is_learned_from():
    n = 120
    frame = pd.DataFrame({"t": np.arange(n), "x": np.random.default_rng(0).normal(size=n),
                          "late": np.where(np.arange(n) < 90, 0, np.arange(n) % 2), "y": np.arange(n) % 2})  # fmt: skip
    run = compare_here(frame_here(frame, "late"), "y", models=["logistic"], split="time", time="t", folds=4)
    assert [(a["code"], a["column"]) for a in run.alerts() if a["code"] == "constant_in_fold"] == [
        ("constant_in_fold", "late")]  # fmt: skip


@pytest.mark.parametrize("kind", ["sum", "ratio", "larger"])
def test_a_target_made_of_two_columns(kind):
    from mlcore.alerts import find

    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 9, 400), rng.uniform(1, 9, 400)
    y = {"sum": 3 * (a + b) + 2, "ratio": a / b, "larger": np.where(a > b, "yes", "no")}[kind]
    data = frame_here(pd.DataFrame({"a": a, "b": b, "noise": rng.normal(size=400), "y": y}), kind)
    data = data.with_schema(data.schema.with_target("y"))
    found = [x for x in find(data, "y", "binary" if kind == "larger" else "regression") if x.code == "derived"]
    assert len(found) == 1
    sign = {"sum": "a + b", "ratio": "a ÷ b", "larger": "a − b"}[kind]
    assert sign in found[0].text
    noisy = frame_here(pd.DataFrame({"a": a, "b": b, "y": a + b + rng.normal(size=400)}), "noisy")
    assert not [x for x in find(noisy.with_schema(noisy.schema.with_target("y")), "y", "regression")
                if x.code == "derived"]  # fmt: skip


# memory and time ------------------------------------------------------------------------------------------------------


def test_rows_that_fit_into_memory(mixed, monkeypatch):
    _, experiment = plan_experiment(mixed, "two", Options(models=["logistic"], ignore=others("binary")))
    each = bytes_a_row(experiment)
    assert rows_that_fit(experiment, 5000, free=10**12) == 5000
    assert rows_that_fit(experiment, 5000, free=round(2000 * each / 0.7) + 1000) == 2000
    with pytest.raises(BadInput, match="too little memory"):
        rows_that_fit(experiment, 5000, free=10_000)
    monkeypatch.setattr("mlcore.compare.memory.FEWEST", 50)
    monkeypatch.setattr("mlcore.compare.memory.free_memory", lambda: round(120 * each / 0.7))
    run = compare_here(mixed, "two", models=["logistic"], ignore=others("binary"), **QUICK)
    assert any("holds about 120 of the 240 rows" in n for n in run.notes())
    assert run.plan()["train"] + len(run.plan()["holdout"]) == pytest.approx(120, abs=2)


def test_time_is_estimated_from_costs_and_from_what_ran(mixed, runs):
    small = seconds(plan_experiment(mixed, "two", Options(models=["logistic"]))[1])
    large = seconds(plan_experiment(mixed, "two", Options(models=["logistic", "svm", "mlp"], folds=10, repeats=5))[1])
    assert 0 < small < large
    known = seconds(runs["binary"].experiment, runs["binary"])
    took = sum((r.fit_seconds or 0) + (r.predict_seconds or 0) for r in runs["binary"].board().rows)
    assert known >= took / 64


def test_intel_extension_is_refused_where_it_is_not_installed(mixed):
    pytest.importorskip("sklearn")
    if mlcore.compare.fast_is_possible():
        pytest.skip("it is installed here")
    with pytest.raises(BadInput, match="scikit-learn-intelex"):
        compare_here(mixed, "two", models=["logistic"], fast=True)


def test_events_of_a_run_are_json_with_the_words_of_the_models(runs):
    fitted = {e["model"]: e for e in runs["binary"].events() if e["event"] == "fitted"}
    assert fitted["rule"]["words"].startswith("if ")
    assert "%" in fitted["blend"]["words"]
    assert all(e["bytes"] > 0 for e in fitted.values())
    assert json.loads((runs["binary"].path / "plan.json").read_text())["split"]
