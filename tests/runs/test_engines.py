from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from mlcore.api import begin
from mlcore.data.workspace import Workspace
from mlcore.experiment.candidate import Candidate
from mlcore.runs.engines import Inline, LocalProcesses, ProcessDied, TaskFailed
from mlcore.runs.process import launch
from tests.helpers import QUICK, Sleeper, others, planned

pytestmark = pytest.mark.slow  # real processes


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


def test_a_task_process_that_is_killed_ends_its_model_only(mixed):
    data, experiment = planned(mixed, "two", models=["logistic", Candidate.of("slow", Sleeper(30.0))],
                                                             ignore=others("binary"), **QUICK)  # fmt: skip
    run = begin(data, experiment, Workspace().new_run("killed"), lambda folder, _: launch(folder, 2))
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
