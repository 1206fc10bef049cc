"""A run: a folder that holds everything, and the process that fills it.

experiment.json    what was asked           events.jsonl          what happened, live
data.parquet       the rows                 predictions.parquet/  out-of-fold, a file a model
plan.json          the settled split        models/*.skops        fitted on all training rows
dataset.json       how the rows were read   holdout.jsonl         each look at the locked rows
search/            trials of searches       studies/              learning curves and the like
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
from dataclasses import dataclass, replace
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
    from mlcore.compare.studies import KnobCurve, LearningCurve
    from mlcore.compare.tuning import Tuning
    from mlcore.evaluate import Evaluation
    from mlcore.explain.lime import Explanation

State = Literal["starting", "running", "finished", "failed", "cancelled", "interrupted"]
NEARLY_FULL = 1_000_000  # bytes
ORDERED = 15.0  # seconds within which a worker that was started must say something
UNFINISHED: tuple[State, ...] = ("cancelled", "interrupted", "failed")
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
    def can_go_on(self) -> bool:
        """Whether it ended early, for a cause that need not stay."""
        return self.state in UNFINISHED and not self.bad_input

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

    @property
    def name(self) -> str:
        """The short id and when it was begun, as people know it."""
        begun = time.localtime((self.path / "experiment.json").stat().st_mtime)
        return f"{self.id} of {time.strftime('%d %b %H:%M', begun)}"

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
        ordered = just_ordered(self.path, "experiment.json")
        end = None if ordered else next((e for e in since_resumed(events)[::-1] if e["event"] in ENDS), None)
        state: State = "starting" if ordered else "running" if alive else "interrupted"
        state = ENDS[end["event"]] if end else state
        phase = "Fitting the models on all training rows" if _is_whole(events) else "Comparing on folds"
        left = self._left(events, dropped, folds, seconds) if state == "running" else None
        return Progress(
            state,
            done,
            total,
            seconds,
            left,
            phase if started else "Reading the data",
            str(end.get("reason", "")) if end else self._silence(state),
            bool(end and end.get("bad_input")),
        )

    def _left(self, events: list[dict[str, Any]], dropped: dict[str, Any], folds: int, seconds: float) -> float | None:
        """Seconds left, each fit weighed by what its model costs; None until a sixth of the work is done."""
        weights = {c.model: 0.03 + c.cost for c in self.experiment.candidates if c.model not in dropped}
        kinds = ("fold", "fitted", "unfitted")
        done = sum(weights.get(e["model"], 0.0) for e in events if e["event"] in kinds)
        total = (folds + 1) * sum(weights.values())
        return seconds * (total - done) / done if total and done > total / 6 else None

    def _silence(self, state: State) -> str:
        """Why a run ended without a word, where that can be seen."""
        if not self.path.exists():
            return "Its folder is gone."
        full = state == "interrupted" and shutil.disk_usage(self.path).free < NEARLY_FULL
        return "The disk is full. Free some space, and go on with the run." if full else ""

    def notes(self) -> list[str]:
        """What had to be said of rows and folds."""
        return next((e["notes"] for e in self.events() if e["event"] == "started"), [])

    def alerts(self) -> list[dict[str, Any]]:
        """What was noticed before the first fit: of the data, and of the split once it is settled."""
        try:
            found: list[dict[str, Any]] = json.loads((self.path / "alerts.json").read_text("utf-8"))
        except FileNotFoundError:
            found = []
        of_split: list[dict[str, Any]] = next(
            (e.get("alerts", []) for e in self.events() if e["event"] == "started"), []
        )
        rank = {"high": 0, "medium": 1, "low": 2}
        return sorted([*found, *of_split], key=lambda a: rank[a["severity"]])

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
        row, state = next(r for r in self.board().rows if r.model == model), self.progress().state
        if row.status != "ok" or state == "finished":
            return row.reason or f"it is {row.status}."
        return "the run is still under way." if state in ("starting", "running") else f"the run was {state}; resume it."

    def fitted(self) -> list[str]:
        """Models that were fitted on all training rows."""
        return [c.model for c in self.experiment.candidates if self._is_fitted(c.model)]

    def _is_fitted(self, name: str) -> bool:
        if name != "blend":
            return (self.path / "models" / f"{name}.skops").exists()
        try:  # it is its members
            weights = json.loads((self.path / "blend.json").read_text("utf-8"))
        except FileNotFoundError:
            return False
        return all(self._is_fitted(m) for m in weights)

    def model(self, name: str) -> Any:
        """The fitted Pipeline: raw frame in, the target's own labels out; waits for it while it is being fitted.

        Raises NotFound for a model that failed, BadChoice for one that is not in the run.
        """
        from mlcore.compare import storage

        self.experiment.candidate(name)
        storage.warm()
        self._awaited(name)
        if not self._is_fitted(name):
            raise NotFound(f"{name} was not fitted in this run: {self._why_not(name)}")
        if name == "blend":
            from mlcore.compare.blend import fitted_blend

            return fitted_blend(self)
        return storage.load(self.path / "models" / f"{name}.skops")

    def _awaited(self, name: str) -> None:
        """Wait while a model may still be fitted on all rows, the leaderboard having been whole."""
        while not self._is_fitted(name):
            live, events = self.progress().live, self.events()  # in this order: what ended has told all
            over = {e["model"] for e in events if e["event"] == "unfitted" or e.get("status", "ok") != "ok"}
            if not live or name in over or not any(e["event"] == "compared" for e in events):
                return
            time.sleep(0.05)

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

    def grown(self, model: str, more: int, folder: str | Path, slots: int | None = None) -> Run:
        """A new run in which a model goes on with `more` trees and all others are taken over. Raises BadInput."""
        run = self.grow(model, more, Path(folder))
        return launch(run, slots).wait()

    def grow(self, model: str, more: int, folder: Path) -> Run:
        """Write the run that `grown` starts. Raises BadInput when the model has no trees to add to."""
        from mlcore.compare import grow

        experiment, trees = grow.more_trees(self.experiment, model, more)
        for candidate in self.experiment.candidates:  # the others are taken over with their models
            self._awaited(candidate.model)
        if model not in self.fitted():
            raise BadInput(f"{model} cannot be gone on with: {self._why_not(model)}")
        run = write_run(folder, experiment, self.dataset)
        _link(self.path / "alerts.json", run.path / "alerts.json")
        for place in (self.path / "estimators").glob("*"):
            _link(place, run.path / "estimators" / place.name)
        carry_over(self, run)
        grow.note_start(run.path, model, grow.Start(self.path, trees))
        return run

    def learning_curve(self, model: str | None = None) -> LearningCurve:
        """How the score of a model (the best by default) grows with rows; fits it anew on shares of them."""
        from mlcore.compare.studies import Study, study

        return study(self, Study("learning", model or self.best()))  # type: ignore[return-value]

    def knob_curve(self, model: str, knob: str) -> KnobCurve:
        """What one parameter of a model does on rows that it learned from and on others."""
        from mlcore.compare.studies import Study, study

        return study(self, Study("knob", model, knob))  # type: ignore[return-value]

    def tuning(self, model: str) -> Tuning:
        """The search of a candidate's parameters. Raises NotFound when there was none."""
        from mlcore.compare.tuning import tuning

        return tuning(self, model)

    # the process --------------------------------------------------------------------------------------------------

    def wait(self, on_event: Any = None, every: float = 0.05, *, board: bool = False) -> Run:
        """Wait until the run has ended, handing each event on; with `board` only until its leaderboard is whole.

        Raises RunFailed unless it got so far.
        """
        told = 0
        while True:
            progress = self.progress()
            events = self.events()
            for event in events[told:]:
                if on_event is not None:
                    on_event(event)
            told = len(events)
            if board and _is_whole(events):
                return self
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
        if not self.progress().live or not end_worker(self.path, grace):
            return
        if not any(e["event"] in ENDS for e in since_resumed(self.events())):  # it had no time to say so itself
            tell_after(self.path, "experiment.json", {"event": "cancelled", "seconds": self.progress().seconds})

    def resume(self, slots: int | None = None, start: Any = None) -> Run:
        """Go on with a run that was cancelled or broke off; what is done stays. Raises BadInput otherwise."""
        state = self.progress().state
        if state not in UNFINISHED:
            raise BadInput(f"This run is {state}; only one that was cancelled or broke off can be gone on with.")
        begun: Run = (start or launch)(self, slots)
        return begun


def just_ordered(folder: Path, asked: str) -> bool:
    """Whether a worker was told to begin a moment ago, and has not said anything yet; `asked` is the order's file."""
    written = [p.stat().st_mtime_ns for p in (folder / asked, folder / "worker.pid") if p.exists()]
    told = folder / "events.jsonl"
    quiet = bool(written) and (not told.exists() or told.stat().st_mtime_ns <= max(written))
    return quiet and (time.time() - max(written) / 1e9 < ORDERED or worker_of(folder) is not None)


def end_worker(folder: Path, grace: float = 1.0) -> bool:
    """Ask a folder's worker to end, which may be starting still, and after `grace` seconds end its whole group.

    Returns whether there was one.
    """
    pid = worker_of(folder)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + grace
    while Run(folder).alive() and time.monotonic() < end:
        time.sleep(0.05)
    if Run(folder).alive():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return True


def tell_after(folder: Path, asked: str, event: dict[str, Any]) -> None:
    """Append an event for a worker that cannot, later than its order even where the clock of files is coarse."""
    told = folder / "events.jsonl"
    with told.open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")
    written = [p.stat().st_mtime_ns for p in (folder / asked, folder / "worker.pid") if p.exists()]
    now = max([told.stat().st_mtime_ns, *(w + 1_000_000 for w in written)])
    os.utime(told, ns=(now, now))


def worker_of(folder: Path) -> int | None:
    """The process that a folder names as its worker, if it is one; a number in a file may mean any process by now."""
    try:
        pid = int((folder / "worker.pid").read_text())
        if sys.platform == "linux":
            place = Path(f"/proc/{pid}/cmdline")
            for _ in range(20):  # it is empty for an instant while a process begins, and when it has ended
                if command := place.read_bytes():
                    return pid if b"mlcore.compare.worker" in command else None
                time.sleep(0.005)
            return None
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _is_whole(events: list[dict[str, Any]]) -> bool:
    """Whether the leaderboard is whole; what follows is fitting models on all training rows."""
    return any(e["event"] == "compared" for e in since_resumed(events))


def since_resumed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events since the run was last taken up again: of those before, the end does not count."""
    places = [i for i, e in enumerate(events) if e["event"] == "resumed"]
    return events[places[-1] :] if places else events


def carry_over(old: Run, new: Run) -> list[str]:
    """Take over from a run what a new one would compute again: candidates that are equal, on the same split.

    Returns their names. The new run must not have been started; its worker finds them done.
    """
    same = _equal_parts(old, new)
    if not same:
        return []
    for sub, kind in (("predictions.parquet", "parquet"), ("models", "skops")):
        for name in same:
            _link(old.path / sub / f"{name}.{kind}", new.path / sub / f"{name}.{kind}")
    for place in (old.path / "grown").glob("*.skops"):
        if place.name.rsplit("-", 2)[0] in same:
            _link(place, new.path / "grown" / place.name)
    for place in (p for name in same for p in (old.path / "search" / name).glob("*.jsonl")):
        goal = new.path / "search" / place.parent.name / place.name
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, goal)  # they are appended to
    _link(old.path / "plan.json", new.path / "plan.json")
    with (new.path / "events.jsonl").open("a", encoding="utf-8") as file:
        for event in old.events():
            taken = event["event"] in ("fold", "candidate", "fitted") and event["model"] in same
            begun = {"candidates": len(new.experiment.candidates)} if event["event"] == "started" else {}
            if taken or begun:
                file.write(json.dumps({**event, **begun, "seconds": 0.0, "carried": True}) + "\n")
    return same


def _equal_parts(old: Run, new: Run) -> list[str]:
    """Candidates of a new run that an old one has done already: all that decides their numbers is equal."""
    a, b = old.experiment, new.experiment
    if replace(a, candidates=()) != replace(b, candidates=()) or not (old.path / "plan.json").exists():
        return []
    if any(c.unlabelled for c in a.candidates) != any(c.unlabelled for c in b.candidates):
        return []
    done = set(old.fitted()) - {"blend"}
    return [c.model for c in b.candidates if c in a.candidates and c.model in done]


def _link(old: Path, new: Path) -> None:
    """A second name of the same file, or a copy where that is not possible."""
    new.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        try:
            os.link(old, new)
        except FileExistsError:
            raise
        except OSError:
            shutil.copyfile(old, new)


def write_run(folder: Path, experiment: Experiment, dataset: Dataset) -> Run:
    """Put an experiment and its data into a run's folder; the data are linked where that is possible."""
    from mlcore.compare import storage

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} is there already and is not empty. Give a folder that does not exist yet.")
    folder.mkdir(parents=True, exist_ok=True)
    own = {c.model: c.estimator for c in experiment.candidates if c.estimator is not None}
    for name, estimator in own.items():
        (folder / "estimators").mkdir(exist_ok=True)
        storage.dump(estimator, folder / "estimators" / f"{name}.skops")
    if own:
        write_whole(folder / "estimators" / "modules.json", json.dumps(storage.modules_of(list(own.values()))))
    _link(dataset.path, folder / "data.parquet")
    write_whole(folder / "dataset.json", json.dumps(dataset.to_json()))
    write_whole(folder / "experiment.json", json.dumps(experiment.to_json(), indent=1))
    return Run(folder)


def _environment(modules: tuple[str, ...] = ()) -> dict[str, str]:
    """The worker's environment; `modules` define a person's own estimators and are imported from the same places."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *(p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p)]
    if modules:
        paths += [p or os.getcwd() for p in sys.path]
    return {**os.environ, **THREADS, "PYTHONPATH": os.pathsep.join(paths), "HOLDOUT_MODULES": ",".join(modules)}


def _modules(run: Run) -> tuple[str, ...]:
    """The modules of a person's own estimators in a run. Raises BadInput for one that this process has not imported.

    A folder may come from anybody, so it only names modules: what is not imported here already stays so.
    """
    place = run.path / "estimators" / "modules.json"
    names: list[str] = json.loads(place.read_text("utf-8")) if place.exists() else []
    for name in names:
        if name not in sys.modules:
            raise BadInput(f"This run has an estimator of the module {name!r}. Import it first, if you trust it.")
    return tuple(names)


def launch(run: Run, slots: int | None = None, study: str = "") -> Run:
    """Start the worker of a run, or of a study of it, as a process of its own, which outlives this one."""
    modules = _modules(run)
    slots = slots or cores()
    command = [sys.executable, "-m", "mlcore.compare.worker", str(run.path), str(slots)]
    with (run.path / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [*command, study] if study else command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_environment(modules),
        )
    write_whole((run.path / "studies" / study if study else run.path) / "worker.pid", str(process.pid))
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

    def launch(self, run: Run, slots: int | None = None, study: str = "") -> Run:
        """Hand the run, or a study of it, to the waiting worker, or start a new one."""
        if _modules(run):  # the waiting worker has not imported them
            return launch(run, slots, study)
        with self._turn:
            process, self._process = self._process, None
        if process is None or process.poll() is not None or process.stdin is None:
            return launch(run, slots, study)
        order = json.dumps({"run": str(run.path), "slots": slots or cores(), "study": study}) + "\n"
        try:
            write_whole((run.path / "studies" / study if study else run.path) / "worker.pid", str(process.pid))
            process.stdin.write(order.encode())
            process.stdin.close()
        except BrokenPipeError:
            return launch(run, slots, study)
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
