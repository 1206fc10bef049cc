"""Cached results, keyed by fingerprint and parameters, never by a data frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from mlcore import __version__
from mlcore.data.dataset import Dataset
from mlcore.data.filters import to_text
from mlcore.data.workspace import Workspace
from mlcore.errors import HoldoutError
from mlcore.experiment.training import without_holdout
from mlcore.explore.view import View
from mlcore.run import Run
from ui.state import session, workspace


@st.cache_data(max_entries=512, show_spinner=False)
def _cached_result(key: tuple[Any, ...], version: str, _make: Callable[[], Any]) -> Any:
    return _make()


def result(name: str, dataset: Dataset, make: Callable[[], Any], *parameters: Any) -> Any:
    """A result of a dataset; computed once per set of parameters."""
    shape = tuple(sorted((c.name, c.kind, c.role) for c in dataset.schema))
    return _cached_result((name, dataset.fingerprint, dataset.name, hash(shape), *parameters), __version__, make)


def look(name: str, view: View, make: Callable[[], Any], *parameters: Any) -> Any:
    """A result of the filtered rows of a dataset."""
    return result(name, view.dataset, make, to_text(view.filters), *parameters)


def of_run(name: str, run: Run, make: Callable[[], Any], *parameters: Any) -> Any:
    """A result of a run that has ended, or of one of its finished models."""
    return _cached_result((name, str(run.path), *parameters), __version__, make)


def remember(name: str, value: Any) -> None:
    """Keep a value for this browser tab until it is closed."""
    st.session_state[f"kept-{name}"] = value


def remembered(name: str) -> Any:
    """A value that was kept in this tab, or None."""
    return st.session_state.get(f"kept-{name}")


@st.cache_resource(max_entries=64, show_spinner=False)
def _dataset(owner: str, fingerprint: str) -> Dataset:
    return Workspace(owner).dataset(fingerprint)


def dataset() -> Dataset | None:
    """The dataset of this session with the user's corrections, or None. Raises NotFound if it was deleted."""
    current = session()
    if current.fingerprint is None or current.schema is None:
        return None
    return _dataset(workspace().owner, current.fingerprint).with_schema(current.schema)


def training() -> Dataset | None:
    """The dataset without the holdout, once a target is chosen: what Explore and the checks look at."""
    data, recipe = dataset(), session().recipe
    if data is None or recipe is None:
        return data
    protocol = session().protocol
    parts = (recipe.target, recipe.task, recipe.positive, protocol)
    try:
        rows: Dataset = result("training", data, lambda: without_holdout(data, recipe, protocol), *parts)
    except HoldoutError:
        return data
    return rows


@st.cache_resource(max_entries=4, show_spinner=False)
def _run(path: str) -> Run:
    return Run(workspace().run_folder(path))


def run() -> Run | None:
    """The run that this session is attached to, or None if there is none or it was deleted."""
    current = session()
    if current.run is None:
        return None
    folder = workspace().root / "runs" / current.run
    if not (folder / "experiment.json").exists():
        current.set_run(None)
        return None
    return _run(str(folder))
