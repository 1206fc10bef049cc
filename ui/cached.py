"""Cached reads, keyed by fingerprint and parameters and never by a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from mlcore import __version__
from mlcore.compare.run import Run
from mlcore.dataset import Dataset
from mlcore.explore.view import View
from mlcore.filters import to_text
from mlcore.workspace import Workspace
from ui.state import session, workspace


@st.cache_data(max_entries=512, show_spinner=False)
def _kept(key: tuple[Any, ...], version: str, _make: Callable[[], Any]) -> Any:
    return _make()


def result(name: str, dataset: Dataset, make: Callable[[], Any], *parameters: Any) -> Any:
    """A result of a dataset; computed once for each set of parameters."""
    shape = tuple(sorted((c.name, c.kind, c.role) for c in dataset.schema))
    return _kept((name, dataset.fingerprint, dataset.name, hash(shape), *parameters), __version__, make)


def look(name: str, view: View, make: Callable[[], Any], *parameters: Any) -> Any:
    """A result of some rows of a dataset."""
    return result(name, view.dataset, make, to_text(view.filters), *parameters)


def of_run(name: str, run: Run, make: Callable[[], Any], *parameters: Any) -> Any:
    """A result of a run that has ended, or of a model of it that is done."""
    return _kept((name, str(run.path), *parameters), __version__, make)


@st.cache_resource(max_entries=64, show_spinner=False)
def _dataset(owner: str, fingerprint: str) -> Dataset:
    return Workspace(owner).dataset(fingerprint)


def dataset() -> Dataset | None:
    """The dataset of this session with the person's corrections, or None. Raises NotFound when it is gone."""
    current = session()
    if current.fingerprint is None or current.schema is None:
        return None
    return _dataset(workspace().owner, current.fingerprint).with_schema(current.schema)


@st.cache_resource(max_entries=4, show_spinner=False)
def _run(path: str) -> Run:
    return Run(workspace().run_folder(path))


def run() -> Run | None:
    """The run that this session is attached to, or None when there is none or it is gone."""
    current = session()
    if current.run is None:
        return None
    place = workspace().root / "runs" / current.run
    if not (place / "experiment.json").exists():
        current.set_run(None)
        return None
    return _run(str(place))
