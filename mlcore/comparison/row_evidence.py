"""What the rows say of a score, beyond its folds: its standard error, its value on all rows, the rows that weigh most.

Folds are few, and stratified folds share their class proportions; the rows are many. Both kinds of error are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mlcore.errors import HoldoutError
from mlcore.result import Array
from mlcore.runs.folder import RunFolder
from mlcore.validation.influence import variance_within
from mlcore.validation.metrics import Metric, compute, for_task, influence_of
from mlcore.validation.predictions import Predictions, some

MOST_ROWS = 20_000  # from which a variance is estimated
WEIGHT = "holdout-weight"  # of a row, next to its predictions
HEAVY = 0.2  # fraction of the squared error that one row may make without being named


@dataclass(frozen=True)
class RowEvidence:
    """What the out-of-fold predictions of one model say of its score."""

    error: float | None  # standard error of the score over the rows of one repeat
    pooled: float | None  # the metric on all rows of a repeat together, mean over repeats
    within: dict[str, Array]  # influence of each test row on the score of its fold, by fold
    rows: int  # in one repeat
    rare: int  # of the rarer class among them, or all of a continuous target
    heaviest: tuple[int, float] | None = None  # the row with the largest squared error, and its fraction of all
    together: dict[str, float] = field(default_factory=dict)  # every metric that is pooled, on all rows of a repeat


def row_evidence(run: RunFolder, model: str, metric: Metric) -> RowEvidence | None:
    """The evidence of one model; None where it has no predictions yet. Computed once for each model and metric."""
    path = run.paths.predictions(model)
    if not path.exists():
        return None
    evidence: RowEvidence | None = run.once(
        ("rows", model, metric.name), lambda: _of(run, model, metric), path.stat().st_mtime_ns
    )
    return evidence


def _of(run: RunFolder, model: str, metric: Metric) -> RowEvidence | None:
    try:
        frame, classes = _weighed(run, model), run.plan()["classes"]
    except HoldoutError:
        return None
    within: dict[str, Array] = {}
    for (repeat, fold), part in frame.groupby(["repeat", "fold"], sort=False):
        moved = _influence(metric, _predictions(part, classes))
        if moved is not None:
            within[f"{repeat}-{fold}"] = moved
    repeats = [_predictions(part, classes) for _, part in frame.groupby("repeat")]
    together = {
        m.name: _mean([compute(m, p)[0] for p in repeats]) for m in for_task(run.experiment.recipe.task) if m.pooled
    }
    moved = _influence(metric, repeats[0])
    first = frame[frame["repeat"] == 0]
    counts = np.bincount(repeats[0].truth) if classes else np.array([len(first)])
    return RowEvidence(
        error=None if moved is None else float(np.sqrt(moved.var(ddof=1) / len(moved))),
        pooled=_mean([compute(metric, p)[0] for p in repeats]) if metric.pooled else None,
        within=within,
        rows=len(first),
        rare=int(counts[counts > 0].min()),
        heaviest=None if classes else _heaviest(first),
        together={name: value for name, value in together.items() if value is not None},
    )


def _weighed(run: RunFolder, model: str) -> pd.DataFrame:
    """The predictions of a model, with the weights of the rows in a column of their own."""
    frame, weights = run.predictions(model), run.weights()
    return frame if weights is None else frame.assign(**{WEIGHT: weights[frame["row"].to_numpy()]})


def first_repeat(run: RunFolder, model: str) -> Predictions:
    """The predictions of the first repeat, in which each row is tested once. Raises NotFound where there are none."""
    frame = _weighed(run, model)
    return _predictions(frame[frame["repeat"] == 0], run.plan()["classes"])


def _influence(metric: Metric, predictions: Predictions) -> Array | None:
    """The influence of the rows; of very many, that of a random sample, scaled so that its variance is that of all."""
    n = len(predictions.truth)
    if n <= MOST_ROWS:
        return influence_of(metric, predictions)
    rows = np.random.default_rng(0).choice(n, MOST_ROWS, replace=False)  # the same for all models of a fold
    moved = influence_of(metric, some(predictions, rows))
    return None if moved is None else moved * np.sqrt(MOST_ROWS / n)


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _predictions(frame: pd.DataFrame, classes: list[Any]) -> Predictions:
    """Stored predictions as codes of the classes."""
    weights = frame[WEIGHT].to_numpy(float) if WEIGHT in frame else None
    if not classes:
        return Predictions(frame["truth"].to_numpy(float), frame["prediction"].to_numpy(float), weights=weights)
    truth, prediction = (
        pd.Categorical(frame[c], categories=classes).codes.astype(int) for c in ("truth", "prediction")
    )
    columns = [f"p_{c}" for c in classes]
    probabilities = frame[columns].to_numpy(float) if set(columns) <= set(frame) else None
    if probabilities is not None and np.isnan(probabilities).any():
        probabilities = None
    decision = frame["decision"].to_numpy(float) if "decision" in frame else None
    return Predictions(truth, prediction, len(classes), probabilities, decision, weights)


def _heaviest(frame: pd.DataFrame) -> tuple[int, float] | None:
    squares = ((frame["prediction"] - frame["truth"]).astype(float) ** 2).to_numpy()
    if WEIGHT in frame:
        squares = squares * frame[WEIGHT].to_numpy(float)
    total = float(squares.sum())
    if not total:
        return None
    worst = int(squares.argmax())
    return int(frame["row"].iloc[worst]), float(squares[worst] / total)


def gap_within(first: RowEvidence | None, second: RowEvidence | None) -> float | None:
    """The mean variance of the difference of two models on a fold, from its rows; None where there is no evidence."""
    if first is None or second is None:
        return None
    keys = sorted(first.within.keys() & second.within.keys())
    return variance_within((first.within[k], second.within[k]) for k in keys)
