"""Fixtures that all tests share: threads capped before numpy, a workspace of their own, finished runs."""

from __future__ import annotations

import os
import shutil

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import mlcore
from mlcore.api import begin
from mlcore.data.dataset import Dataset
from mlcore.data.workspace import Workspace, shipped
from mlcore.run import Run
from tests.helpers import FEW, TARGETS, explored_frame, frame_here, made_once, mixed_frame, others, planned, run_here


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace that is removed with the tests."""
    place = tmp_path_factory.mktemp("holdout-home")
    os.environ["HOLDOUT_HOME"] = str(place)
    yield place
    del os.environ["HOLDOUT_HOME"]


@pytest.fixture(scope="session", autouse=True)
def component_scan_once() -> Iterator[None]:
    """Streamlit searches all installed packages for components whenever an AppTest runs; the result never changes."""
    from functools import cache

    from streamlit.components.v2 import manifest_scanner

    plain = manifest_scanner.scan_component_manifests
    manifest_scanner.scan_component_manifests = cache(plain)
    yield
    manifest_scanner.scan_component_manifests = plain


@pytest.fixture(scope="session")
def mixed(home: Path) -> Dataset:
    """`mixed_frame` as a dataset."""
    return mlcore.read(mixed_frame(), name="mixed")


@pytest.fixture(scope="session")
def runs(mixed: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A finished comparison of all models for each task, except those that need rows without a target.

    The hinge loss gives `sgd` decision scores instead of probabilities.
    """
    here = tmp_path_factory.getbasetemp()
    shared = here.parent / "runs" if os.environ.get("PYTEST_XDIST_WORKER") else here / "runs"

    def compared(task: str) -> Run:
        parameters = FEW if task == "regression" else {**FEW, "sgd": {"loss": "hinge"}}
        data, experiment = planned(
            mixed, TARGETS[task], preset="thorough", ignore=others(task), folds=3, repeats=2, seed=0,
            parameters=parameters,
        )  # fmt: skip

        def make(place: Path) -> None:
            begin(data, experiment, place, run_here).wait()

        made = made_once(shared / task, make)
        own = Workspace().new_run(mixed.name)  # among the runs that pages offer
        return Run(Path(shutil.copytree(made, own, dirs_exist_ok=True)))

    return {task: compared(task) for task in TARGETS}


@pytest.fixture(scope="session")
def churn_file() -> Path:
    """The churn sample."""
    return shipped("sample_data") / "customer_churn.csv"


@pytest.fixture(scope="session")
def churn(home: Path, churn_file: Path) -> Dataset:
    """The churn sample as a dataset."""
    return mlcore.read(churn_file)


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """`explored_frame`."""
    return explored_frame()


@pytest.fixture(scope="session")
def data(home: Path, frame: pd.DataFrame) -> Dataset:
    """`explored_frame` as a dataset."""
    return frame_here(frame, "explore")
