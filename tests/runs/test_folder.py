from __future__ import annotations

import os
import shutil
import signal
import time

import pytest

import mlcore
from mlcore.api import begin
from mlcore.errors import BadChoice, BadInput, NotFound, RunFailed
from tests.helpers import never, planned, started_run


def test_a_folder_with_other_things_in_it_is_no_place_for_a_run(mixed, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="not empty"):
        mlcore.compare(mixed, target="two", run=tmp_path)


def test_a_run_without_its_folder_ends_in_words(mixed, tmp_path):
    _, experiment = planned(mixed, "two", models=["logistic"])
    run = begin(mixed, experiment, tmp_path / "gone", never)
    _ = run.experiment
    shutil.rmtree(run.path)
    with pytest.raises(RunFailed, match="Its folder is gone"):
        run.wait()


@pytest.mark.slow
def test_a_killed_worker_is_interrupted_not_endless(mixed):
    run = started_run(mixed)
    pid = next(e["pid"] for e in run.events() if e["event"] == "started")
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while run.progress().live and time.monotonic() < end:
        time.sleep(0.05)
    assert run.progress().state == "interrupted"
    assert run.board().ranked()


def test_a_run_can_be_moved_and_reopened(runs, tmp_path):
    import shutil

    moved = tmp_path / "elsewhere"
    shutil.copytree(runs["binary"].path, moved)
    again = mlcore.open_run(str(moved))
    assert again.leaderboard().equals(runs["binary"].leaderboard())
    assert again.explain("logistic", row=3).prediction == runs["binary"].explain("logistic", row=3).prediction
    assert mlcore.open_run(runs["binary"].id).path == runs["binary"].path


def test_unknown_runs_and_models(runs, tmp_path):
    with pytest.raises(NotFound, match="holdout runs"):
        mlcore.open_run("ffffff")
    with pytest.raises(NotFound, match="not a run"):
        mlcore.open_run(str(tmp_path / "nothing"))
    with pytest.raises(BadChoice, match="model of this run"):
        runs["binary"].model("linear")
