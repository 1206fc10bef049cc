from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import mlcore
from mlcore.api import begin
from mlcore.data.workspace import Workspace
from mlcore.errors import BadInput, NotFound, RunFailed
from mlcore.runs import lock
from mlcore.runs.engines import FULL
from mlcore.runs.process import Standby, launch
from tests.helpers import QUICK, frame_here, never, others, planned, run_here, started_run

pytestmark = pytest.mark.slow  # real processes


def full_disk(folder: Path, slots: int | None = 0) -> None:
    """A worker whose files may not grow beyond 12 kB, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, before[1]))
    try:
        run_here(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_bad_input_that_the_worker_meets_is_bad_input(tmp_path):
    few = frame_here(pd.DataFrame({"x": range(6), "y": [0, 1] * 3}), "few")
    with pytest.raises(BadInput, match="at least 8"):
        mlcore.compare(few, target="y")


def test_cancel_signals_no_stranger(mixed, tmp_path):
    import subprocess

    stranger = subprocess.Popen(["sleep", "30"])
    data, experiment = planned(mixed, "two", models=["logistic"])
    run = begin(data, experiment, tmp_path / "sent", never)
    (run.path / "worker.pid").write_text(str(stranger.pid))
    run.cancel()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_cancel_ends_soon_and_leaves_a_readable_run(mixed):
    run = started_run(mixed)
    run.cancel()
    assert run.progress().state == "cancelled"
    assert run.board().ranked()[0].model == "logistic"
    assert len(run.predictions("logistic")) == run.plan()["train"]
    with pytest.raises(RunFailed, match="cancelled"):
        run.wait()


def test_a_model_that_was_not_fitted_says_why(mixed):
    data, experiment = planned(mixed, "two", models=["logistic"], ignore=others("binary"), folds=2)
    run = begin(data, experiment, Workspace().new_run("stopped"), run_here)
    (run.path / "models" / "logistic.skops").unlink()
    events = [e for e in run.events() if e["event"] not in ("fitted", "finished")]
    lines = [json.dumps(e) for e in [*events, {"event": "cancelled", "seconds": 1.0}]]
    (run.path / "events.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(NotFound, match="the run was cancelled; resume it"):
        run.model("logistic")


def test_cancel_ends_a_run_whose_process_has_only_just_begun(mixed):
    data, experiment = planned(mixed, "two", models=["logistic"], ignore=others("binary"))
    run = begin(data, experiment, Workspace().new_run("early"), launch)
    run.cancel()
    assert run.progress().state == "cancelled"
    time.sleep(0.2)
    assert run.progress().state == "cancelled"
    assert [e["event"] for e in run.events()] == ["cancelled"]


def test_a_warm_worker_takes_the_run(mixed):
    standby = Standby()
    standby.warm()
    data, experiment = planned(mixed, "two", models=["logistic"], folds=3, repeats=1)
    run = begin(data, experiment, Workspace().new_run("warm"), standby.launch).wait()
    assert run.progress().state == "finished"
    standby.close()


def test_a_second_worker_at_the_same_run_does_no_harm(mixed):
    data, experiment = planned(mixed, "two", models=["logistic"], ignore=others("binary"), **QUICK)
    run = begin(data, experiment, Workspace().new_run("twice"), never)
    held = lock.hold(run.path)  # as the first one does for as long as it lives
    second = subprocess.run([sys.executable, "-m", "mlcore.runs.worker", str(run.path), "1"], capture_output=True,
                            text=True, check=False, timeout=60)  # fmt: skip
    assert second.returncode != 0
    assert "is already working on" in second.stderr
    assert run.events() == []
    held.close()


def test_a_full_disk_is_said_and_the_run_goes_on_later(mixed):
    options = {"ignore": others("binary"), "models": ["logistic", "knn"], **QUICK}
    data, experiment = planned(mixed, "two", **options)
    run = begin(data, experiment, Workspace().new_run("full"), full_disk)
    told = [e["reason"] for e in run.events() if e["event"] in ("candidate", "failed") and e.get("reason")]
    assert told
    assert all(FULL in t for t in told)
    assert run.board().row("dummy").status == "ok"


def test_a_worker_that_is_slow_to_begin_is_not_given_up(mixed, monkeypatch):
    data, experiment = planned(mixed, "two", models=["logistic"], ignore=others("binary"), **QUICK)
    run = begin(data, experiment, Workspace().new_run("slow"), launch)
    monkeypatch.setattr("mlcore.runs.process.STARTING", -1.0)
    assert run.progress().live  # its process is there, though it has said nothing yet
    run.wait(board=True)
