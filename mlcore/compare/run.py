"""A run: a folder that holds everything, and the process that fills it.

experiment.json    what was asked           events.jsonl          what happened, live
data.parquet       the rows                 predictions.parquet/  out-of-fold, a file a model
plan.json          the settled split        models/*.skops        fitted on all training rows
dataset.json       how the rows were read   holdout.jsonl         each look at the locked rows
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from mlcore.compare.experiment import Experiment
from mlcore.compare.leaderboard import Leaderboard, leaderboard
from mlcore.dataset import Dataset
from mlcore.errors import BadInput, NotFound, RunFailed
from mlcore.workspace import write_whole

if TYPE_CHECKING:
    from mlcore.evaluate import Evaluation
    from mlcore.explain.lime import Explanation

State = Literal["starting", "running", "finished", "failed", "cancelled", "interrupted"]
ENDS: dict[str, State] = {"finished": "finished", "failed": "failed", "cancelled": "cancelled"}
THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


@dataclass(frozen=True)
class Progress:
    """Where a run is."""

    state: State
    done: int
    total: int
    seconds: float
    left: float | None  # seconds, by what is done so far
    phase: str
    reason: str = ""
    bad_input: bool = False  # it failed because what was asked cannot be

    @property
    def live(self) -> bool:
        """Whether there is a process at work."""
        return self.state in ("starting", "running")

    @property
    def share(self) -> float:
        """Of the work that is done."""
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True)
class Run:
    """A run by its folder; everything is read from disk when asked."""

    path: Path

    @property
    def id(self) -> str:
        """The short id."""
        return self.path.name.rsplit("-", 1)[-1]

    @cached_property
    def experiment(self) -> Experiment:
        """What was asked."""
        try:
            return Experiment.from_json(json.loads((self.path / "experiment.json").read_text("utf-8")))
        except FileNotFoundError:
            raise NotFound(f"{self.path} is not a run: it holds no experiment.json.") from None

    @cached_property
    def dataset(self) -> Dataset:
        """The rows, with the columns as they were when the run was started."""
        data = json.loads((self.path / "dataset.json").read_text("utf-8"))
        return Dataset.from_json(data, self.path / "data.parquet").with_schema(self.experiment.schema)

    # what happened ------------------------------------------------------------------------------------------------

    def events(self) -> list[dict[str, Any]]:
        """All events so far; a line that is still being written is left for the next time."""
        try:
            text = (self.path / "events.jsonl").read_text("utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def alive(self) -> bool:
        """Whether the worker lives: it holds a lock for as long as it does."""
        try:
            import fcntl

            with (self.path / "alive.lock").open("r") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    return True
                return False
        except (FileNotFoundError, ImportError):
            return False

    def progress(self) -> Progress:
        """Where the run is, and about how long it will take."""
        alive = self.alive()  # before the events: a worker that ends in between has told its end
        events = self.events()
        started = next((e for e in events if e["event"] == "started"), None)
        candidates = len(self.experiment.candidates)
        folds = started["folds"] if started else 0
        dropped = {e["model"]: e for e in events if e["event"] == "candidate" and e["status"] != "ok"}
        done = sum(e["event"] == "fold" and e["model"] not in dropped for e in events)
        done += sum(e["event"] in ("fitted", "unfitted") for e in events)
        total = (folds + 1) * (candidates - len(dropped))
        seconds = events[-1]["seconds"] if events else 0.0
        end = next((e for e in reversed(events) if e["event"] in ENDS), None)
        state: State = ENDS[end["event"]] if end else "running" if alive else self._without_process(bool(events))
        compared = any(e["event"] == "compared" for e in events)
        phase = "Fitting the models on all training rows" if compared else "Comparing on folds"
        left = self._left(events, dropped, folds, seconds) if state == "running" else None
        return Progress(
            state,
            done,
            total,
            seconds,
            left,
            phase if started else "Reading the data",
            str(end.get("reason", "")) if end else "",
            bool(end and end.get("bad_input")),
        )

    def _left(self, events: list[dict[str, Any]], dropped: dict[str, Any], folds: int, seconds: float) -> float | None:
        """Seconds left, each fit weighed by what its model costs; None until a sixth of the work is done."""
        weights = {c.model: 0.03 + c.cost for c in self.experiment.candidates if c.model not in dropped}
        kinds = ("fold", "fitted", "unfitted")
        done = sum(weights.get(e["model"], 0.0) for e in events if e["event"] in kinds)
        total = (folds + 1) * sum(weights.values())
        return seconds * (total - done) / done if total and done > total / 6 else None

    def _without_process(self, began: bool) -> State:
        """No process holds the lock: it is about to take it, or it broke off."""
        asked = (self.path / "experiment.json").stat().st_mtime
        ordered = self._pid() is not None or time.time() - asked < 5
        return "starting" if not began and ordered else "interrupted"

    def notes(self) -> list[str]:
        """What had to be said of rows and folds."""
        return next((e["notes"] for e in self.events() if e["event"] == "started"), [])

    def alerts(self) -> list[dict[str, Any]]:
        """What was noticed before the first fit."""
        try:
            found: list[dict[str, Any]] = json.loads((self.path / "alerts.json").read_text("utf-8"))
        except FileNotFoundError:
            return []
        return found

    def board(self, by: str | None = None) -> Leaderboard:
        """The leaderboard as a result; `by` sorts by another metric."""
        return leaderboard(self.experiment, self.events(), by)

    def leaderboard(self, by: str | None = None) -> pd.DataFrame:
        """The leaderboard as a frame, best first."""
        return self.board(by).frame()

    # what came out ------------------------------------------------------------------------------------------------

    def plan(self) -> dict[str, Any]:
        """The settled split: rows of the file that are locked, classes and their counts."""
        try:
            found: dict[str, Any] = json.loads((self.path / "plan.json").read_text("utf-8"))
        except FileNotFoundError:
            raise NotFound("This run did not get as far as splitting the rows.") from None
        return found

    def predicted(self) -> list[str]:
        """Models with out-of-fold predictions, in the order of the experiment."""
        return [c.model for c in self.experiment.candidates if self._predictions_file(c.model).exists()]

    def _predictions_file(self, model: str) -> Path:
        return self.path / "predictions.parquet" / f"{model}.parquet"

    def predictions(self, model: str) -> pd.DataFrame:
        """Out-of-fold predictions: `row` (place in the file), `repeat`, `fold`, `truth`, `prediction`, `p_<class>`."""
        self.experiment.candidate(model)
        if not self._predictions_file(model).exists():
            raise NotFound(f"{model} has no predictions in this run: {self._why_not(model)}")
        return pd.read_parquet(self._predictions_file(model))

    def _why_not(self, model: str) -> str:
        for event in self.events():
            if event["event"] == "unfitted" and event["model"] == model:
                return str(event["reason"])
        row = next(r for r in self.board().rows if r.model == model)
        return row.reason or f"it is {row.status}."

    def fitted(self) -> list[str]:
        """Models that were fitted on all training rows."""
        return [c.model for c in self.experiment.candidates if (self.path / "models" / f"{c.model}.skops").exists()]

    def model(self, name: str) -> Any:
        """The fitted Pipeline: raw frame in, the target's own labels out. Raises NotFound, BadChoice."""
        from mlcore.compare import storage

        self.experiment.candidate(name)
        place = self.path / "models" / f"{name}.skops"
        if not place.exists():
            raise NotFound(f"{name} was not fitted in this run: {self._why_not(name)}")
        return storage.load(place)

    def evaluate(self, model: str | None = None) -> Evaluation:
        """Evaluate a model (the best by default) from its out-of-fold predictions."""
        from mlcore.evaluate import evaluate

        return evaluate(self, model or self.best())

    def explain(self, model: str | None = None, row: int = 0, **options: Any) -> Explanation:
        """Explain one prediction with LIME; `row` is a position in the file's rows."""
        from mlcore.explain.lime import explain

        return explain(self, model or self.best(), row, **options)

    def best(self) -> str:
        """The model with the best score that is not the baseline, if there is one. Raises RunFailed."""
        ranked = self.board().ranked()
        if not ranked:
            raise RunFailed("No model of this run has a score.")
        return next((r.model for r in ranked if r.model != "dummy"), ranked[0].model)

    # the process --------------------------------------------------------------------------------------------------

    def wait(self, on_event: Any = None, every: float = 0.05) -> Run:
        """Wait until the run has ended, handing each event on. Raises RunFailed unless it finished."""
        told = 0
        while True:
            progress = self.progress()
            events = self.events()
            for event in events[told:]:
                if on_event is not None:
                    on_event(event)
            told = len(events)
            if not progress.live:
                break
            time.sleep(every)
        if progress.bad_input:
            raise BadInput(progress.reason)
        if progress.state != "finished":
            raise RunFailed(progress.reason or f"The run was {progress.state}. {self._log_tail()}".strip())
        return self

    def _log_tail(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            lines = (self.path / "log.txt").read_text("utf-8", "replace").strip().splitlines()
            return lines[-1][:300] if lines else ""
        return ""

    def cancel(self, grace: float = 1.0) -> None:
        """End the run: ask its process, and after `grace` seconds end the whole group. What is done stays."""
        pid = self._pid()
        if pid is None or not self.progress().live:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + grace
        while self.alive() and time.monotonic() < end:
            time.sleep(0.05)
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        if not any(e["event"] in ENDS for e in self.events()):  # it had no time to say so itself
            with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"event": "cancelled", "seconds": 0.0}) + "\n")

    def _pid(self) -> int | None:
        """The worker's process, if it lives and is a worker; a number in a file may mean any process by now."""
        try:
            pid = int((self.path / "worker.pid").read_text())
            if sys.platform == "linux":
                words = Path(f"/proc/{pid}/cmdline").read_bytes()
                return pid if b"mlcore.compare.worker" in words else None
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid if self.alive() else None


def write_run(folder: Path, experiment: Experiment, dataset: Dataset, alerts: list[dict[str, Any]]) -> Run:
    """Put an experiment and its data into a run's folder; the data are linked where that is possible."""
    from mlcore.compare import storage

    folder.mkdir(parents=True, exist_ok=True)
    for candidate in experiment.candidates:
        if candidate.estimator is not None:
            (folder / "estimators").mkdir(exist_ok=True)
            storage.dump(candidate.estimator, folder / "estimators" / f"{candidate.model}.skops")
    with contextlib.suppress(FileExistsError):
        try:
            os.link(dataset.path, folder / "data.parquet")
        except FileExistsError:
            raise
        except OSError:
            shutil.copyfile(dataset.path, folder / "data.parquet")
    write_whole(folder / "dataset.json", json.dumps(dataset.to_json()))
    write_whole(folder / "alerts.json", json.dumps(alerts))
    write_whole(folder / "experiment.json", json.dumps(experiment.to_json(), indent=1))
    return Run(folder)


def _environment(modules: tuple[str, ...] = ()) -> dict[str, str]:
    """The worker's environment; `modules` define a person's own estimators and are imported from the same places."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *(p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p)]
    if modules:
        paths += [p or os.getcwd() for p in sys.path]
    return {**os.environ, **THREADS, "PYTHONPATH": os.pathsep.join(paths), "HOLDOUT_MODULES": ",".join(modules)}


def launch(run: Run, slots: int | None = None, modules: tuple[str, ...] = ()) -> Run:
    """Start the worker of a run as a process of its own, which outlives this one.

    `modules` are the modules of a person's own estimators; they come from the calling process, never from a folder.
    """
    slots = slots or cores()
    with (run.path / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlcore.compare.worker", str(run.path), str(slots)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_environment(modules),
        )
    write_whole(run.path / "worker.pid", str(process.pid))
    return run


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Standby:
    """One warm worker that has done its imports and waits; it ends when this process does."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()  # all sessions of a server share it

    def warm(self) -> None:
        """Have a worker waiting."""
        with self._turn:
            if self._process is not None and self._process.poll() is None:
                return
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlcore.compare.worker", "--standby"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=_environment(),
            )

    def launch(self, run: Run, slots: int | None = None) -> Run:
        """Hand the run to the waiting worker, or start a new one."""
        with self._turn:
            process, self._process = self._process, None
        if process is None or process.poll() is not None or process.stdin is None:
            return launch(run, slots)
        order = json.dumps({"run": str(run.path), "slots": slots or cores()}) + "\n"
        try:
            write_whole(run.path / "worker.pid", str(process.pid))
            process.stdin.write(order.encode())
            process.stdin.close()
        except BrokenPipeError:
            return launch(run, slots)
        return run

    def close(self) -> None:
        """Let the waiting worker end."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process = None


def all_runs(folders: list[Path]) -> Iterator[Run]:
    """Runs of some folders, those that cannot be read left out."""
    for folder in folders:
        run = Run(folder)
        with contextlib.suppress(Exception):
            _ = run.experiment
            yield run
