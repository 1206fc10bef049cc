"""The folder of a run: what was asked, what happened, and what came out, read from disk when it is asked for.

`RunFolder` holds facts and computes nothing; its verbs are in `mlcore.run`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd

from mlcore.data.cast import CASTS
from mlcore.data.dataset import Dataset
from mlcore.data.workspace import read_json, read_json_lines, write_whole
from mlcore.errors import BadChoice, BadInput, CannotRead, HoldoutError, NotFound
from mlcore.experiment.experiment import Experiment
from mlcore.models import storage
from mlcore.result import MISLEADING, SEVERITIES, Array
from mlcore.runs import lock
from mlcore.runs.candidate_log import CandidateLog, candidate_logs
from mlcore.runs.events import Event, EventReader, first, since_resumed
from mlcore.runs.fitted_models import is_fitted, load_model
from mlcore.runs.paths import FINAL_FITS, RunPaths
from mlcore.runs.process import is_starting, launch

State = Literal["starting", "running", "finished", "failed", "cancelled", "interrupted"]
REQUEST = "request.json"
NEARLY_FULL = 1_000_000  # bytes
UNFINISHED: tuple[State, ...] = ("cancelled", "interrupted", "failed")
ENDS: dict[str, State] = {"finished": "finished", "failed": "failed", "cancelled": "cancelled"}
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is."""

    state: State
    done: int  # fits
    total: int
    seconds: float
    left: float | None  # seconds, estimated from what is done so far
    phase: str
    reason: str = ""
    bad_input: bool = False  # it failed because what was asked is not possible

    @property
    def live(self) -> bool:
        """Whether a worker is at work."""
        return self.state in ("starting", "running")

    @property
    def can_resume(self) -> bool:
        """Whether it ended early, for a cause that may have gone."""
        return self.state in UNFINISHED and not self.bad_input

    @property
    def fraction(self) -> float:
        """The fraction of the fits that are done."""
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True)
class RunFolder:
    """A run as it lies on disk. Events are read once: each call parses only what was appended since the last."""

    path: Path

    @property
    def paths(self) -> RunPaths:
        """Where everything lies."""
        return RunPaths(self.path)

    @property
    def id(self) -> str:
        """The short id."""
        return self.path.name.rsplit("-", 1)[-1]

    @property
    def name(self) -> str:
        """The short id and the time it was started."""
        started = time.localtime(self.paths.experiment.stat().st_mtime)
        return f"{self.id} of {time.strftime('%d %b %H:%M', started)}"

    @cached_property
    def experiment(self) -> Experiment:
        """What was asked. Raises NotFound where there is no run."""
        try:
            return Experiment.from_json(read_json(self.paths.experiment))
        except FileNotFoundError:
            raise NotFound(f"{self.path} is not a run: it has no experiment.json.") from None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise CannotRead(
                f"experiment.json in {self.path.name} is damaged, or of another version: {error!r}."
            ) from None

    @cached_property
    def dataset(self) -> Dataset:
        """The rows, with the columns as they were when the run was started."""
        data = read_json(self.paths.dataset)
        return Dataset.from_json(data, self.paths.data).with_schema(self.experiment.schema)

    def columns(self, rows: Sequence[int] | Array, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Columns of some rows of the file, cast to their kinds; the features by default. Raises NoSuchColumn."""
        schema = self.experiment.schema
        chosen = schema.features().names if names is None else list(names)
        frame = self.dataset.frame(chosen, [int(r) for r in rows])
        return pd.DataFrame({n: CASTS[schema[n].kind](frame[n], schema[n].parse) for n in chosen}, index=frame.index)

    def is_readable(self) -> bool:
        """Whether its experiment can be read: a folder may be of another version, or not a run at all."""
        try:
            _ = self.experiment
        except (HoldoutError, OSError):
            return False
        return True

    # what happened ------------------------------------------------------------------------------------------------

    @cached_property
    def _reader(self) -> EventReader:
        return EventReader(self.path)

    @cached_property
    def _remembered(self) -> dict[tuple[Any, ...], tuple[Any, Any]]:
        return {}

    def once(self, key: tuple[Any, ...], make: Callable[[], T], version: Any = None) -> T:
        """Compute something once for the events so far (or for another `version` of what it depends on)."""
        version = len(self.events()) if version is None else version
        known = self._remembered.get(key)
        if known is None or known[0] != version:
            known = self._remembered[key] = (version, make())
        value: T = known[1]
        return value

    def events(self) -> Sequence[Event]:
        """All events so far."""
        return self._reader.events()

    def logs(self) -> dict[str, CandidateLog]:
        """The events gathered by candidate."""
        return self.once(("logs",), lambda: candidate_logs(self.experiment, self.events()))

    def alive(self) -> bool:
        """Whether its worker is alive."""
        return lock.is_held(self.path)

    def progress(self) -> Progress:
        """How far the run is, and an estimate of the time left."""
        version, (known, progress) = self._version(), self._remembered.get(("progress",), (None, None))
        if progress is None or known != version or progress.live or progress.state == "interrupted":
            alive = self.alive()  # before the events: a worker that ends in between has written its end
            progress = self._progress(alive)
            self._remembered["progress",] = (self._version(), progress)
        return progress  # type: ignore[no-any-return]

    def _version(self) -> tuple[int, int]:
        """What an ended run's progress depends on: its events, and whether a worker was started since."""
        pid = self.path / "worker.pid"
        return len(self.events()), pid.stat().st_mtime_ns if pid.exists() else 0

    def _progress(self, alive: bool) -> Progress:
        events = self.events()
        started = first(events, "started")
        dropped = {e["model"] for e in events if e["event"] == "candidate" and e["status"] != "ok"}
        done = sum(e["event"] == "fold" and e["model"] not in dropped for e in events)
        done += len({e["model"] for e in events if e["event"] in ("fitted", "unfitted")} | self.deferred() - dropped)
        folds = started["folds"] if started else 0
        starting = is_starting(self.path, self.paths.experiment.name)
        end = None if starting else next((e for e in since_resumed(events)[::-1] if e["event"] in ENDS), None)
        state: State = "starting" if starting else "running" if alive else "interrupted"
        state = ENDS[end["event"]] if end else state
        phase = "Fitting the models on all training rows" if is_compared(events) else "Comparing on folds"
        return Progress(
            state=state,
            done=done,
            total=(folds + 1) * (len(self.experiment.candidates) - len(dropped)),
            seconds=events[-1]["seconds"] if events else 0.0,
            left=self._seconds_left(events, dropped, folds) if state == "running" else None,
            phase=phase if started else "Reading the data",
            reason=str(end.get("reason", "")) if end else self._silence(state),
            bad_input=bool(end and end.get("bad_input")),
        )

    def _seconds_left(self, events: Sequence[Event], dropped: set[str], folds: int) -> float | None:
        """Seconds left, each fit weighted by the cost of its model; None until a sixth of the work is done."""
        weights = {c.model: 0.03 + c.cost for c in self.experiment.candidates if c.model not in dropped}
        kinds = ("fold", "fitted", "unfitted")
        done = sum(weights.get(e["model"], 0.0) for e in events if e["event"] in kinds)
        total = (folds + 1) * sum(weights.values())
        return events[-1]["seconds"] * (total - done) / done if total and done > total / 6 else None

    def _silence(self, state: State) -> str:
        """Why a run stopped without an event, where that can be found out."""
        if not self.path.exists():
            return "Its folder is gone."
        full = state == "interrupted" and shutil.disk_usage(self.path).free < NEARLY_FULL
        return "The disk is full. Free some space, then resume the run." if full else ""

    def notes(self) -> list[str]:
        """Notes about rows and folds, written when the run started."""
        started = first(self.events(), "started")
        return list(started["notes"]) if started else []

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts about the data, about the split once it is resolved, and about the result once it is there.

        `known` says whether a person has said that what an alert names is known.
        """
        try:
            about_data: list[dict[str, Any]] = [
                {"columns": [a["column"]] if a["column"] else [], **a} for a in read_json(self.paths.alerts)
            ]
        except FileNotFoundError:
            about_data = []
        started = first(self.events(), "started")
        about_split = started.get("alerts", []) if started else []
        about_result = [
            a for e in since_resumed(self.events()) if e["event"] == "compared" for a in e.get("alerts", [])
        ]
        named = {c for a in about_result for c in a["columns"]}  # said of the result, with what it does without them
        about_data = [a for a in about_data if a["code"] != "target_leakage" or not set(a["columns"]) <= named]
        known = self.known()
        alerts = [{**a, "known": _signature(a) in known} for a in (*about_result, *about_data, *about_split)]
        return sorted(alerts, key=lambda a: SEVERITIES.index(a["severity"]))

    def cautions(self) -> list[dict[str, Any]]:
        """The alerts that belong with a score, as plain data: those that make it misleading and are not known."""
        return [a for a in self.alerts() if not a["known"] and (a["severity"] == "high" or a["code"] in MISLEADING)]

    def known(self) -> set[str]:
        """The alerts of which a person has said that they are known."""
        try:
            return set(read_json(self.paths.known))
        except FileNotFoundError:
            return set()

    def accept(self, code: str) -> None:
        """Say that the alerts with a code are known: they stay in the run, but are no longer shown with its scores.

        Raises BadChoice for a code that this run has no alert of.
        """
        alerts = self.alerts()
        if code not in (codes := sorted({a["code"] for a in alerts})):
            raise BadChoice.of("alert of this run", code, codes)
        known = self.known() | {_signature(a) for a in alerts if a["code"] == code}
        write_whole(self.paths.known, json.dumps(sorted(known)))

    # what came out ------------------------------------------------------------------------------------------------

    def plan(self) -> dict[str, Any]:
        """The resolved split: rows of the file that are held out, classes and their counts. Raises NotFound."""
        try:
            plan: dict[str, Any] = self.once(
                ("plan",), lambda: read_json(self.paths.plan), self.paths.plan.stat().st_mtime_ns
            )
        except FileNotFoundError:
            raise NotFound("This run ended before its rows were split.") from None
        return plan

    def weights(self) -> Array | None:
        """The weight of each row of the file, 0 where it is missing; None where each counts once.

        Raises BadInput for impossible weights.
        """
        names = self.experiment.schema.in_role("weight")
        if not names:
            return None
        values = self.dataset.column(names[0]).fillna(0).to_numpy(float)
        if bad := int(((values < 0) | np.isinf(values)).sum()):
            raise BadInput(
                f"{names[0]!r} cannot be a weight: {bad:,} of its values are negative or infinite. Weights are 0 or "
                "more. Give the column another role."
            )
        return values

    def holdout_looks(self) -> list[dict[str, Any]]:
        """All looks at the holdout so far."""
        return read_json_lines(self.paths.holdout)

    def predicted(self) -> list[str]:
        """Models with out-of-fold predictions, in the order of the experiment."""
        return [c.model for c in self.experiment.candidates if self.paths.predictions(c.model).exists()]

    def predictions(self, model: str) -> pd.DataFrame:
        """Out-of-fold predictions, one row per tested row and repeat.

        Columns are `row` (position in the file), `repeat`, `fold`, `truth`, `prediction` and, for classifiers with
        probabilities, `p_<class>`. Raises BadChoice for a model that is not in the run, NotFound where there are none.
        """
        self.experiment.candidate(model)
        path = self.paths.predictions(model)
        if not path.exists():
            raise NotFound(f"{model} has no predictions in this run: {self.why_missing(model)}")
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:  # of pyarrow
            raise CannotRead(f"{path.name} in {self.path.name} is damaged: {str(error)[:120]}.") from None

    def why_missing(self, model: str) -> str:
        """Why a model has no predictions, or was not fitted."""
        for event in self.events():
            if event["event"] == "unfitted" and event["model"] == model:
                return str(event["reason"])
        log, state = self.logs()[model], self.progress().state
        if log.status != "ok" or state == "finished":
            return log.reason or f"it is {log.status}."
        return "the run is not done yet." if state in ("starting", "running") else f"the run was {state}; resume it."

    def fitted(self) -> list[str]:
        """Models that were fitted on all training rows."""
        return [c.model for c in self.experiment.candidates if is_fitted(self.path, self.experiment, c.model)]

    def deferred(self) -> set[str]:
        """Models outside the top group, which are fitted on all training rows when they are first asked for."""
        return {name for name, log in self.logs().items() if log.deferred}

    def model(self, name: str) -> Any:
        """The fitted Pipeline: raw frame in, the target's own labels or values out; waits while it is being fitted.

        A model outside the top group is fitted now, by a worker of its own. Raises BadChoice for a model that is not in
        the run, NotFound for one that failed.
        """
        self.experiment.candidate(name)
        storage.warm()
        self.ensure_fitted(name)
        if not is_fitted(self.path, self.experiment, name):
            raise NotFound(f"{name} was not fitted in this run: {self.why_missing(name)}")
        return load_model(self.path, self.experiment, name)

    def ensure_fitted(self, name: str) -> None:
        """Wait while a model is being fitted on all training rows, and have it fitted if that was deferred."""
        self.wait_fitted(name)
        if name not in self.deferred() or is_fitted(self.path, self.experiment, name):
            return
        folder = self.paths.final_fits / name
        if not (is_starting(folder, REQUEST) or lock.is_held(folder)):  # else another reader asked for it just now
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / REQUEST, json.dumps({"model": name}))
            launch(self.path, part=f"{FINAL_FITS}/{name}")
        while name in self.deferred() and (is_starting(folder, REQUEST) or lock.is_held(folder)):
            time.sleep(0.05)

    def wait_fitted(self, name: str) -> None:
        """Wait while a model may still be fitted on all rows, once the leaderboard is complete."""
        while not is_fitted(self.path, self.experiment, name):
            live, events = (
                self.progress().live,
                self.events(),
            )  # in this order: a run that has ended wrote all its events
            over = {e["model"] for e in events if e["event"] == "unfitted" or e.get("status", "ok") != "ok"}
            if not live or name in over or first(events, "compared") is None:
                return
            time.sleep(0.05)


def _signature(alert: dict[str, Any]) -> str:
    return ":".join([alert["code"], *alert.get("columns", [])])


def is_compared(events: Sequence[Event]) -> bool:
    """Whether the leaderboard is complete; what follows is fitting models on all training rows."""
    return any(e["event"] == "compared" for e in since_resumed(events))
