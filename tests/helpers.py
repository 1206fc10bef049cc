"""Builders that tests share: small frames whose answers are known, and runs that need no process of their own."""

from __future__ import annotations

import fcntl
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin

from mlcore.api import Aim, begin, plan
from mlcore.comparison.curves import LearningCurve, ValidationCurve, result
from mlcore.comparison.leak_cost import LeakCost
from mlcore.data.dataset import Dataset
from mlcore.data.workspace import Workspace
from mlcore.experiment.candidate import Candidate, Choice
from mlcore.experiment.experiment import Experiment
from mlcore.ingest.frames import Order
from mlcore.ingest.options import ReadOptions, Table
from mlcore.ingest.reader import write_frame
from mlcore.ingest.reader_process import carry_out
from mlcore.run import Run
from mlcore.runs.controller import RunController
from mlcore.runs.events import NAME, EventLog
from mlcore.runs.process import launch
from mlcore.runs.study import Study, request
from mlcore.runs.worker import Order as WorkerOrder
from mlcore.runs.worker import carry_out_study
from mlcore.validation.protocol import Protocol
from mlcore.validation.splitter import Plan, Target, make_plan

TARGETS = {"binary": "two", "multiclass": "three", "regression": "amount"}
# Ensembles of few trees: what is tested of them does not depend on how many there are.
FEW = {
    "random_forest": {"n_estimators": 15},
    "extra_trees": {"n_estimators": 15},
    "xgboost": {"n_estimators": 25},
    "hist_gradient_boosting": {"max_iter": 25},
}
QUICK = {"folds": 3, "repeats": 1}
# Names and texts that are markup, a formula or a quote somewhere.
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "![i](http://example.invalid/a.png)",
    "a_b*c$d$",
    "=1+1",
    "</script>",
    'q"uote',
]


def mixed_frame(rows: int = 240, seed: int = 5) -> pd.DataFrame:
    """Numbers, categories, a date, a boolean, an identifier, many categories, missing values, a learnable target."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"r{n:04d}" for n in rng.permutation(rows)],
            "a": rng.normal(size=rows),
            "b": rng.integers(0, 50, rows).astype(float),
            "colour": rng.choice(["red", "green", "blue"], rows),
            "town": [f"town {n}" for n in rng.integers(0, 60, rows)],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, rows), unit="D"),
            "flag": rng.random(rows) < 0.4,
            "same": "x",
        }
    )
    signal = frame["a"] + 0.04 * frame["b"] + (frame["colour"] == "red") + 0.4 * rng.normal(size=rows)
    for name in ("a", "b", "colour", "when"):
        frame.loc[rng.random(rows) < 0.06, name] = np.nan if name != "when" else pd.NaT
    frame["two"] = np.where(signal > signal.median(), "yes", "no")
    frame["three"] = np.digitize(signal, signal.quantile([0.33, 0.66]))
    frame["amount"] = (10 + 3 * signal).round(3)
    return frame


def others(task: str) -> list[str]:
    """The targets of the other tasks, which would give this one away."""
    return [name for t, name in TARGETS.items() if t != task]


def planned(data: Dataset, target: str, **options: Any) -> tuple[Dataset, Experiment]:
    """What `mlcore.compare` plans for some of its keywords."""
    parts = []
    for kind in (Aim, Protocol, Choice):
        names = [f.name for f in fields(kind)]
        parts.append({k: options.pop(k) for k in list(options) if k in names})
    assert not options, options
    return plan(data, Aim(target, **parts[0]), Protocol(**parts[1]), Choice(**parts[2]))


def run_here(folder: Path, slots: int | None = 0) -> None:
    """Carry out a run in this process, without the cost of starting another."""
    with (folder / NAME).open("a", encoding="utf-8") as file:
        RunController(folder, EventLog(file)).carry_out(slots or 0)


def never(folder: Path, slots: int | None = None) -> None:
    """Start no worker."""


def study_here(run: Run, study: Study) -> LearningCurve | ValidationCurve | LeakCost:
    """Carry out a study in this process."""
    request(run, study)
    with (run.paths.study(study.name) / NAME).open("a", encoding="utf-8") as file:
        carry_out_study(WorkerOrder(run.path, 0, study.part), EventLog(file))
    return result(run, study)


def compare_here(data: Dataset, target: str, **options: Any) -> Run:
    """`mlcore.compare` in this process."""
    data, experiment = planned(data, target, **options)
    return begin(data, experiment, Workspace().new_run(data.name), run_here).wait()


def _dataset(order: Order, name: str, fingerprint: str, source: Table | None = None) -> Dataset:
    answer = carry_out(order, source)
    return Dataset.from_json({**answer, "name": name, "fingerprint": fingerprint}, order.out / "data.parquet")


def read_here(path: Path, options: ReadOptions | None = None) -> Dataset:
    """`mlcore.read` of a file without the child process; the file's folder serves as the spool."""
    spool = Path(tempfile.mkdtemp(dir=path.parent))
    return _dataset(Order(path, path.name, options or ReadOptions(), spool), path.name, "0" * 24)


def frame_here(frame: pd.DataFrame, name: str) -> Dataset:
    """`mlcore.read` of a frame without the child process."""
    spool = Path(tempfile.mkdtemp())
    write_frame(frame, spool / "frame.parquet")
    return _dataset(Order(spool / "frame.parquet", name, ReadOptions(), spool), name, secrets.token_hex(12))


def table_here(table: Table) -> Dataset:
    """`mlcore.read` of a database table without the child process."""
    spool = Path(tempfile.mkdtemp())
    return _dataset(Order(spool / "none", table.name(), ReadOptions(), spool), "table", "0" * 24, table)


def made_once(place: Path, make: Callable[[Path], None]) -> Path:
    """A folder that the first of several test processes makes, and the others wait for."""
    place.parent.mkdir(exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            make(place)
    return place


class Sleeper(ClassifierMixin, BaseEstimator):
    """A classifier whose fit takes so many seconds."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds = seconds

    def fit(self, X: Any, y: Any) -> Sleeper:
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.repeat(self.classes_[0], len(X))


def explored_frame() -> pd.DataFrame:
    """Numbers, categories, dates and booleans whose relations are known, with missing values."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "x": rng.normal(50, 10, 500).round(2),
            "n": rng.integers(0, 9, 500),
            "g": rng.choice(["a", "b", "c"], 500, p=[0.6, 0.3, 0.1]),
            "many": [f"level {n}" for n in rng.integers(0, 80, 500)],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 500), unit="D"),
            "flag": rng.random(500) < 0.5,
            "v": rng.integers(0, 2, 500),  # names that careless SQL would use itself
            "data": rng.normal(size=500),
            "Place": rng.normal(size=500),
        }
    )
    frame["y"] = 2 * frame["x"] + rng.normal(0, 5, 500)
    frame.loc[::7, "x"] = np.nan
    return frame


def read_file(tmp_path: Path, name: str, content: bytes | str, **options: Any) -> Dataset:
    """Write a file and read it in this process."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_here(path, ReadOptions(**options) if options else None)


def values_of(tmp_path: Path, content: bytes | str, column: str, name: str = "a.csv", **options: Any) -> list[object]:
    """One column of a file, as it is read."""
    return read_file(tmp_path, name, content, **options).frame()[column].tolist()


def fold_scores_of(run: Run) -> dict[str, tuple[float, ...]]:
    """The score of each model on each fold."""
    return {r.model: r.folds for r in run.board().rows}


def tiny_frame(task: str, rows: int, **changes: object) -> pd.DataFrame:
    """A small `mixed_frame` with one target, and some columns replaced."""
    return mixed_frame(rows, seed=9).drop(columns=others(task)).assign(**changes)


def first_repeat_of(run: Run, model: str) -> pd.DataFrame:
    """The predictions in which each row is tested once."""
    found = run.predictions(model)
    return found[found["repeat"] == 0]


def started_run(mixed: Dataset, seconds: float = 60.0) -> Run:
    """A run whose first model is done and whose second takes so many seconds."""
    data, experiment = planned(
        mixed, "two", models=["logistic", Candidate.of("slow", Sleeper(seconds))], folds=3, repeats=1
    )
    run = begin(data, experiment, Workspace().new_run("cancel"), launch)
    end = time.monotonic() + 30
    while not any(e["event"] == "candidate" and e["model"] == "logistic" for e in run.events()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return run


def target_of(y: Any, classes: int = 2) -> Target:
    """A target of known rows; codes of classes, or numbers where there are 0 classes."""
    y = np.asarray(y)
    return Target(np.arange(len(y)), y, np.arange(classes) if classes else np.array([]))


def plan_of(y: Any, task: Any = "binary", classes: int = 2, keys: Any = None, **options: Any) -> Plan:
    """The holdout and the folds for a target."""
    return make_plan(Protocol(**options), task, target_of(y, classes), pd.DataFrame(keys or {}, index=range(len(y))))
