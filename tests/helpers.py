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
from mlcore.data.dataset import Dataset
from mlcore.data.workspace import Workspace
from mlcore.experiment.candidate import Choice
from mlcore.experiment.experiment import Experiment
from mlcore.ingest.frames import Order
from mlcore.ingest.options import ReadOptions, Table
from mlcore.ingest.reader import write_frame
from mlcore.ingest.reader_process import carry_out
from mlcore.run import Run
from mlcore.runs.controller import RunController
from mlcore.runs.events import NAME, EventLog
from mlcore.runs.study import Study, request
from mlcore.runs.worker import Order as WorkerOrder
from mlcore.runs.worker import carry_out_study
from mlcore.validation.protocol import Protocol

TARGETS = {"binary": "two", "multiclass": "three", "regression": "amount"}
# Ensembles of few trees: what is tested of them does not depend on how many there are.
FEW = {
    "random_forest": {"n_estimators": 15},
    "extra_trees": {"n_estimators": 15},
    "xgboost": {"n_estimators": 25},
    "hist_gradient_boosting": {"max_iter": 25},
}


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


def study_here(run: Run, study: Study) -> LearningCurve | ValidationCurve:
    """Carry out a study in this process."""
    request(run, study)
    with (run.paths.study(study.name) / NAME).open("a", encoding="utf-8") as file:
        carry_out_study(WorkerOrder(run.path, 0, study.name), EventLog(file))
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
