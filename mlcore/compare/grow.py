"""Adding trees to a model that has been compared: it is continued, fold by fold, not started again.

A forest's further trees do not depend on its first ones, so only they are grown, and their predictions are joined with
those that are stored. Boosting mends what was left over, so its models of the folds are kept beside the run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlcore.compare import storage
from mlcore.compare.experiment import Candidate, Experiment
from mlcore.errors import BadInput
from mlcore.estimators import STOPPING_FROM
from mlcore.labelled import Labelled
from mlcore.metrics import Scored
from mlcore.result import Array
from mlcore.workspace import write_whole

FORESTS = ("random_forest", "extra_trees")
WORTH_KEEPING = 1.0  # seconds of a fit; writing it takes about a tenth
BOOSTERS = ("hist_gradient_boosting", "xgboost")


@dataclass(frozen=True)
class Start:
    """What a candidate is continued from: the run, and how many trees it had there."""

    folder: Path
    trees: int


def more_trees(experiment: Experiment, model: str, more: int) -> tuple[Experiment, int]:
    """The experiment with more trees for one candidate, and how many it has now. Raises BadInput."""
    candidate = experiment.candidate(model)
    row = candidate.row
    if row is None or not row.grows or candidate.search is not None:
        raise BadInput(f"{candidate.title or model} has no trees that could be added to.")
    if experiment.protocol.fast and model in FORESTS:
        raise BadInput(f"{row.title} of scikit-learn-intelex cannot be gone on with. Compare with more trees instead.")
    if not 1 <= more <= 100_000:
        raise BadInput(f"1 to 100,000 trees can be added; {more} was given.")
    parameters = candidate.settled(experiment.recipe.task)
    stopping = parameters.get("early_stopping")
    if stopping == "yes" or (stopping == "auto" and experiment.source.rows >= STOPPING_FROM):
        raise BadInput(f"{row.title} stopped by itself: more trees did not help on rows that it had kept aside.")
    now = parameters[row.grows] or 100
    changed = {**dict(candidate.parameters), row.grows: now + more}
    return experiment.with_candidate(replace(candidate, parameters=tuple(sorted(changed.items())))), now


def note_start(folder: Path, model: str, start: Start) -> None:
    """Write into a run's folder what one of its candidates is continued from."""
    write_whole(folder / "grow.json", json.dumps({"model": model, "run": str(start.folder), "trees": start.trees}))


def start_of(folder: Path, candidate: Candidate) -> Start | None:
    """What a candidate of a run is continued from, if it is."""
    try:
        data = json.loads((folder / "grow.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Start(Path(data["run"]), data["trees"]) if data["model"] == candidate.model else None


def _kept(folder: Path, model: str, key: str) -> Path:
    return folder / "grown" / f"{model}-{key}.skops"


def keep(folder: Path, candidate: Candidate, key: str, estimator: Any, seconds: float) -> None:
    """Keep a booster of a fold, so that it can be continued; one that took no time is as quickly made again."""
    boosted = candidate.model in BOOSTERS and candidate.row is not None and candidate.search is None
    if boosted and seconds >= WORTH_KEEPING:
        place = _kept(folder, candidate.model, key)
        place.parent.mkdir(exist_ok=True)
        storage.dump(estimator, place)


def fitted(folder: Path, candidate: Candidate, key: str, estimator: Any, rows: tuple[Any, Array],
           options: dict[str, Any]) -> Any:  # fmt: skip
    """Fit an estimator on (features, targets), or continue it from where another run left it."""
    start = start_of(folder, candidate)
    if start is None or type(estimator) is Labelled or _drawn_by_tree(candidate):
        return estimator.fit(*rows, **options)
    if candidate.model in FORESTS and key != "final":
        return _further_trees(estimator, start.trees, rows, options)
    kept = _kept(start.folder, candidate.model, key)
    if key == "final":
        old = storage.load(start.folder / "models" / f"{candidate.model}.skops")[-1]
    elif kept.exists():
        old = storage.load(kept)
    else:
        return estimator.fit(*rows, **options)
    if candidate.model == "xgboost":
        return _continued_booster(estimator, old, start.trees, rows, options)
    wanted = estimator.get_params()[_grows(candidate)]
    return old.set_params(warm_start=True, **{_grows(candidate): wanted}).fit(*rows, **options)


def _drawn_by_tree(candidate: Candidate) -> bool:
    """Whether XGBoost draws rows or columns for each tree: continued, it would draw the first ones again."""
    chosen = dict(candidate.parameters)
    return candidate.model == "xgboost" and min(chosen.get(n, 1.0) for n in ("subsample", "colsample_bytree")) < 1


def is_joined(folder: Path, candidate: Candidate) -> bool:
    """Whether a fold's predictions are of a forest's further trees joined with its first ones."""
    return candidate.model in FORESTS and start_of(folder, candidate) is not None


def _grows(candidate: Candidate) -> str:
    assert candidate.row is not None
    return candidate.row.grows


def _further_trees(estimator: Any, trees: int, rows: tuple[Any, Array], options: dict[str, Any]) -> Any:
    """Grow only the trees after the first so many; their seeds are those that they have in the whole forest."""
    estimator.set_params(warm_start=True)
    estimator.estimators_ = [None] * trees
    estimator.fit(*rows, **options)
    estimator.estimators_ = estimator.estimators_[trees:]
    return estimator.set_params(n_estimators=len(estimator.estimators_))


def _continued_booster(estimator: Any, old: Any, trees: int, rows: tuple[Any, Array], options: dict[str, Any]) -> Any:
    whole = estimator.estimator.n_estimators
    estimator.estimator.set_params(n_estimators=whole - trees)
    estimator.start = old.estimator_
    estimator.fit(*rows, **options)
    estimator.start = None
    estimator.estimator.set_params(n_estimators=whole)
    return estimator


def joined(folder: Path, candidate: Candidate, key: str, scored: Scored) -> Scored:
    """Predictions of a forest's further trees, joined with those of its first ones."""
    start = start_of(folder, candidate)
    if start is None or candidate.model not in FORESTS:
        return scored
    assert candidate.row is not None
    whole = dict(candidate.parameters)[candidate.row.grows]
    repeat, fold = map(int, key.split("-"))
    old = pd.read_parquet(start.folder / "predictions.parquet" / f"{candidate.model}.parquet")
    old = old[(old["repeat"] == repeat) & (old["fold"] == fold)]
    if scored.probabilities is None:
        return replace(scored, prediction=_mean(old["prediction"].to_numpy(), scored.prediction, start.trees, whole))
    first = old[[c for c in old.columns if c.startswith("p_")]].to_numpy()
    shares = _mean(first, scored.probabilities, start.trees, whole)
    return replace(scored, prediction=np.asarray(shares.argmax(axis=1)), probabilities=shares)


def _mean(first: Array, further: Array, trees: int, whole: int) -> Array:
    """The mean over all trees; sums are rounded so that rows which tied before tie again."""
    total = first * trees + further * (whole - trees)
    size = float(np.abs(total).max(initial=1.0))
    return np.asarray(np.round(total / size, 13) * size / whole)
