"""Warm start: more trees for a model that has been compared. It is continued, fold by fold, not fitted again.

A forest's further trees do not depend on its first ones, so only they are grown, and their predictions are joined with
those that are stored. Each boosting round depends on the ones before, so boosters of the folds are kept with the run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlcore.data.workspace import write_whole
from mlcore.errors import BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.experiment.experiment import Experiment
from mlcore.models import storage
from mlcore.models.builders import STOPPING_FROM
from mlcore.result import Array
from mlcore.runs.paths import RunPaths
from mlcore.validation.predictions import Predictions

WORTH_KEEPING = 1.0  # seconds of a fit; writing it takes about a tenth


@dataclass(frozen=True)
class Start:
    """Where a candidate is continued from: the run, and how many trees it had there."""

    folder: Path
    trees: int


def with_more_trees(experiment: Experiment, model: str, more: int) -> tuple[Experiment, int]:
    """The experiment with more trees for one candidate, and how many it has now. Raises BadInput."""
    candidate = experiment.candidate(model)
    row = candidate.row
    if row is None or row.trees is None or candidate.search is not None:
        raise BadInput(f"{candidate.label} has no trees to add to.")
    if experiment.protocol.fast and row.trees.kind == "forest":
        raise BadInput(f"{row.title} of scikit-learn-intelex cannot be warm-started. Compare with more trees instead.")
    if not 1 <= more <= 100_000:
        raise BadInput(f"1 to 100,000 trees can be added; {more} was given.")
    parameters = candidate.resolved(experiment.recipe.task)
    stopping = parameters.get("early_stopping")
    if stopping == "yes" or (stopping == "auto" and experiment.source.rows >= STOPPING_FROM):
        raise BadInput(f"{row.title} stopped early: more trees did not improve it on its validation rows.")
    now = parameters[row.trees.parameter] or 100
    changed = {**dict(candidate.parameters), row.trees.parameter: now + more}
    return experiment.with_candidate(replace(candidate, parameters=tuple(sorted(changed.items())))), now


def note_start(folder: Path, model: str, start: Start) -> None:
    """Write into a run's folder where one of its candidates is continued from."""
    write_whole(folder / "grow.json", json.dumps({"model": model, "run": str(start.folder), "trees": start.trees}))


def start_of(folder: Path, candidate: Candidate) -> Start | None:
    """Where a candidate of a run is continued from, if it is."""
    try:
        data = json.loads((folder / "grow.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Start(Path(data["run"]), data["trees"]) if data["model"] == candidate.model else None


def keep(folder: Path, candidate: Candidate, key: str, estimator: Any, seconds: float) -> None:
    """Keep a booster of a fold, so that it can be continued; a fast one is as quickly fitted again."""
    if candidate.grows == "booster" and candidate.search is None and seconds >= WORTH_KEEPING:
        path = RunPaths(folder).grown(candidate.model, key)
        path.parent.mkdir(exist_ok=True)
        storage.dump(estimator, path)


def fit(
    folder: Path, candidate: Candidate, key: str, estimator: Any, rows: tuple[Any, Array], options: dict[str, Any]
) -> Any:
    """Fit an estimator on (features, targets), or continue it from where another run left it."""
    start = start_of(folder, candidate)
    if start is None or not candidate.can_continue(estimator):
        return estimator.fit(*rows, **options)
    old_paths, final = RunPaths(start.folder), key == "final"
    if candidate.grows == "forest" and not final:
        return _further_trees(estimator, start.trees, rows, options)
    if not final and not old_paths.grown(candidate.model, key).exists():
        return estimator.fit(*rows, **options)
    if final:
        old = storage.load(old_paths.model(candidate.model))[-1]
    else:
        old = storage.load(old_paths.grown(candidate.model, key))
    if hasattr(estimator, "continue_from"):
        return estimator.continue_from(old, start.trees, *rows, **options)
    trees = candidate.trees_parameter
    return old.set_params(warm_start=True, **{trees: estimator.get_params()[trees]}).fit(*rows, **options)


def is_joined(folder: Path, candidate: Candidate) -> bool:
    """Whether a fold's predictions join those of a forest's further trees with those of its first ones."""
    return candidate.grows == "forest" and start_of(folder, candidate) is not None


def _further_trees(estimator: Any, trees: int, rows: tuple[Any, Array], options: dict[str, Any]) -> Any:
    """Grow only the trees after the first `trees`; their seeds are those that they have in the whole forest."""
    estimator.set_params(warm_start=True)
    estimator.estimators_ = [None] * trees
    estimator.fit(*rows, **options)
    estimator.estimators_ = estimator.estimators_[trees:]
    return estimator.set_params(n_estimators=len(estimator.estimators_))


def joined(folder: Path, candidate: Candidate, key: str, predictions: Predictions) -> Predictions:
    """Predictions of a forest's further trees, joined with those of its first ones."""
    start = start_of(folder, candidate)
    if start is None or candidate.grows != "forest":
        return predictions
    whole = dict(candidate.parameters)[candidate.trees_parameter]
    repeat, fold = map(int, key.split("-"))
    old = pd.read_parquet(RunPaths(start.folder).predictions(candidate.model))
    old = old[(old["repeat"] == repeat) & (old["fold"] == fold)]
    if predictions.probabilities is None:
        first = old["prediction"].to_numpy()
        return replace(predictions, prediction=_mean(first, predictions.prediction, start.trees, whole))
    by_class = old[[c for c in old.columns if c.startswith("p_")]].to_numpy()
    mean = _mean(by_class, predictions.probabilities, start.trees, whole)
    return replace(predictions, prediction=np.asarray(mean.argmax(axis=1)), probabilities=mean)


def _mean(first: Array, further: Array, trees: int, whole: int) -> Array:
    """The mean over all trees; sums are rounded so that rows which tied before tie again."""
    total = first * trees + further * (whole - trees)
    size = float(np.abs(total).max(initial=1.0))
    return np.asarray(np.round(total / size, 13) * size / whole)
