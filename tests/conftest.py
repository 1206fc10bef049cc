"""What all tests share: threads capped before numpy, a workspace of their own, small frames whose answers are known."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore.compare import Options, begin, plan_experiment
from mlcore.compare.run import Run
from mlcore.compare.worker import Conductor, Journal
from mlcore.dataset import Dataset
from mlcore.ingest import _spool_frame
from mlcore.ingest.child import carry_out
from mlcore.ingest.frames import Order
from mlcore.ingest.options import ReadOptions, Table
from mlcore.workspace import Workspace, shipped


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace that goes with the tests."""
    place = tmp_path_factory.mktemp("holdout-home")
    os.environ["HOLDOUT_HOME"] = str(place)
    yield place
    del os.environ["HOLDOUT_HOME"]


@pytest.fixture(scope="session", autouse=True)
def components_are_looked_for_once() -> Iterator[None]:
    """Streamlit looks through all installed packages for components whenever an AppTest runs; it finds the same."""
    from functools import cache

    from streamlit.components.v2 import manifest_scanner

    plain = manifest_scanner.scan_component_manifests
    manifest_scanner.scan_component_manifests = cache(plain)
    yield
    manifest_scanner.scan_component_manifests = plain


def mixed_frame(rows: int = 240, seed: int = 5) -> pd.DataFrame:
    """Numbers, levels, a date, a truth, an identifier, many levels, gaps everywhere, and a learnable target."""
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


def run_here(run: Run, slots: int = 0) -> Run:
    """Carry out a run in this process, without the cost of starting another."""
    with (run.path / "events.jsonl").open("a", encoding="utf-8") as file:
        Conductor(run.path, Journal(file)).run(slots)
    return run


def compare_here(data: Dataset, target: str, **options: object) -> Run:
    """`mlcore.compare` in this process."""
    data, experiment = plan_experiment(data, target, Options.of(options))
    return begin(data, experiment, Workspace().new_run(data.name), run_here).wait()


def read_here(path: Path, options: ReadOptions | None = None) -> Dataset:
    """`mlcore.read` of a file without the child process; the file's folder serves as the spool."""
    spool = Path(tempfile.mkdtemp(dir=path.parent))
    found = carry_out(Order(path, path.name, options or ReadOptions(), spool))
    return Dataset.from_json({**found, "name": path.name, "fingerprint": "0" * 24}, spool / "data.parquet")


def frame_here(frame: pd.DataFrame, name: str) -> Dataset:
    """`mlcore.read` of a frame without the child process."""
    spool = Path(tempfile.mkdtemp())
    _spool_frame(frame, spool / "frame.parquet")
    found = carry_out(Order(spool / "frame.parquet", name, ReadOptions(), spool))
    return Dataset.from_json({**found, "name": name, "fingerprint": secrets.token_hex(12)}, spool / "data.parquet")


def table_here(table: Table) -> Dataset:
    """`mlcore.read` of a database table without the child process."""
    spool = Path(tempfile.mkdtemp())
    found = carry_out(Order(spool / "none", table.name(), ReadOptions(), spool), table)
    return Dataset.from_json({**found, "name": "table", "fingerprint": "0" * 24}, spool / "data.parquet")


TARGETS = {"binary": "two", "multiclass": "three", "regression": "amount"}


@pytest.fixture(scope="session")
def mixed(home: Path) -> Dataset:
    """`mixed_frame` as a dataset."""
    return mlcore.read(mixed_frame(), name="mixed")


def others(task: str) -> list[str]:
    """The targets of the other tasks, which would give this one away."""
    return [name for t, name in TARGETS.items() if t != task]


# Ensembles of few trees: what is tested of them does not depend on how many there are.
FEW = {"random_forest": {"n_estimators": 15}, "extra_trees": {"n_estimators": 15}, "xgboost": {"n_estimators": 25},
       "hist_gradient_boosting": {"max_iter": 25}}  # fmt: skip


def made_once(place: Path, make: Callable[[Path], None]) -> Path:
    """A folder that the first of several test processes makes, and the others wait for."""
    place.parent.mkdir(exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            make(place)
    return place


@pytest.fixture(scope="session")
def runs(mixed: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A finished comparison of all models for each task, those that want rows without a target aside.

    The hinge loss gives `sgd` decision scores instead of probabilities.
    """
    here = tmp_path_factory.getbasetemp()
    shared = here.parent / "runs" if os.environ.get("PYTEST_XDIST_WORKER") else here / "runs"

    def compared(task: str) -> Run:
        data, experiment = plan_experiment(mixed, TARGETS[task], Options(
            preset="thorough", ignore=others(task), folds=3, repeats=2, seed=0,
            parameters=FEW if task == "regression" else {**FEW, "sgd": {"loss": "hinge"}},
        ))  # fmt: skip
        made = made_once(shared / task, lambda place: begin(data, experiment, place, run_here).wait() and None)
        own = Workspace().new_run(mixed.name)  # among the runs that pages offer
        return Run(Path(shutil.copytree(made, own, dirs_exist_ok=True)))

    return {task: compared(task) for task in TARGETS}


@pytest.fixture(scope="session")
def churn_file() -> Path:
    """The churn sample."""
    return shipped("sample_data") / "customer_churn.csv"
