"""The blend: a weighted mean of other models, chosen greedily from their out-of-fold predictions.

After Caruana, Niculescu-Mizil, Crew and Ksikes (Ensemble selection from libraries of models, ICML 2004): in each step
the model is added, with replacement, that most improves the mean of those chosen, by log loss or squared error. The
weights of a fold are chosen on the other folds of its repeat, so that its test rows have no influence on its score;
with a split by time, on earlier folds only.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from mlcore.data.workspace import write_whole
from mlcore.errors import NotApplicable
from mlcore.result import Array
from mlcore.runs.context import Context, context
from mlcore.runs.fit import FoldResult
from mlcore.runs.fitted_models import blend_weights
from mlcore.runs.predictions import read_predictions, write_fold
from mlcore.validation.metrics import compute_all, interval_of
from mlcore.validation.predictions import CLIP, Predictions
from mlcore.validation.splitter import Fold

STEPS = 25
MOST_ROWS = 20_000  # on which weights are chosen


def greedy(predictions: Array, truth: Array | None, steps: int = STEPS, of_rows: Array | None = None) -> Array:
    """Return (models,) weights that sum to 1.

    `predictions` are (models, n): values, with their `truth` (n,); or, where `truth` is None, the probability that each
    model gave to the true class. `of_rows` (n,) are weights of the rows.
    """
    counts = np.zeros(len(predictions))
    total = np.zeros(predictions.shape[1])
    best, best_loss = counts, np.inf
    for step in range(1, steps + 1):
        losses = np.average(_losses((total + predictions) / step, truth), axis=1, weights=of_rows)
        best_model = int(losses.argmin())
        counts = counts.copy()
        counts[best_model] += 1
        total = total + predictions[best_model]
        if losses[best_model] < best_loss * (1 - 1e-9):
            best, best_loss = counts, float(losses[best_model])
    return np.asarray(best / best.sum())


def _losses(means: Array, truth: Array | None) -> Array:
    return np.asarray(-np.log(np.clip(means, CLIP, 1)) if truth is None else (means - truth) ** 2)


def members(run: Context, done: list[str]) -> list[str]:
    """The models that can be blended: those that finished and predict probabilities, or a continuous target."""
    able = [m for m in done if run.experiment.candidate(m).blends]
    if run.setting.task == "regression":
        return able
    return [m for m in able if _has_probabilities(run, m)]


def _has_probabilities(run: Context, model: str) -> bool:
    """Whether a model predicted probabilities in every fold."""
    folds = read_predictions(run, model).values()
    return all(p.probabilities is not None and np.isfinite(p.probabilities).all() for p in folds)


def blend(folder: str, name: str, done: list[str]) -> list[FoldResult]:
    """Choose weights and score them, fold by fold; weights chosen on all rows are stored for the final model.

    `name` is the blend's own, `done` the models that finished. Raises NotApplicable where there are too few.
    """
    run = context(folder)
    if len(run.plan.folds) < 2:
        raise NotApplicable("A blend needs folds: one validation split leaves no other rows to choose its weights on.")
    names = members(run, done)
    if len(names) < 2:
        raise NotApplicable("A blend needs at least two finished models that predict probabilities or a number.")
    predictions = {member: read_predictions(run, member) for member in names}
    results = []
    for fold in run.plan.folds:
        start = time.perf_counter()
        weights = _weights(run, predictions, _earlier_or_other(run, fold))
        blended = _weighted_mean([predictions[m][fold.key] for m in names], weights)
        values, undefined = compute_all(run.setting.task, blended)
        write_fold(run.paths.fold(name, fold.key), blended)
        results.append(
            FoldResult(
                model=name,
                key=fold.key,
                seconds=time.perf_counter() - start,
                metrics=values,
                undefined=undefined,
                ci=interval_of(run.metric, blended) if len(run.plan.folds) == 1 else None,
                rows=len(fold.train),
            )
        )
    final = _weights(run, predictions, list(run.plan.folds))
    chosen = {m: round(float(w), 6) for m, w in zip(names, final, strict=True) if w > 0}
    write_whole(run.paths.blend, json.dumps(chosen))
    return results


def _earlier_or_other(run: Context, fold: Fold) -> list[Fold]:
    """The folds whose rows may choose the weights of a fold."""
    if run.experiment.protocol.kind(run.setting.task) == "time":
        return [f for f in run.plan.folds if f.fold < fold.fold]
    return [f for f in run.plan.folds if f.repeat == fold.repeat and f.fold != fold.fold]


def _weights(run: Context, predictions: dict[str, dict[str, Predictions]], folds: list[Fold]) -> Array:
    """The greedy weights on some folds; equal ones where there is none."""
    if not folds:
        return np.full(len(predictions), 1 / len(predictions))
    truth = np.concatenate([run.y[f.test] for f in folds])
    step = max(1, len(truth) // MOST_ROWS)
    by_model = []
    for by_fold in predictions.values():
        parts = []
        for fold in folds:
            one = by_fold[fold.key]
            codes = one.truth.astype(int)
            parts.append(
                one.prediction if one.probabilities is None else one.probabilities[np.arange(len(codes)), codes]
            )
        by_model.append(np.concatenate(parts)[::step])
    values = truth[::step].astype(float) if run.setting.task == "regression" else None
    of_rows = run.weights_of(np.concatenate([f.test for f in folds])[::step])
    return greedy(np.array(by_model, float), values, of_rows=of_rows if of_rows is not None and of_rows.any() else None)


def _weighted_mean(parts: list[Predictions], weights: Array) -> Predictions:
    first = parts[0]
    if first.probabilities is None:
        mean = sum(w * p.prediction for w, p in zip(weights, parts, strict=True))
        return Predictions(first.truth, np.asarray(mean, float), weights=first.weights)
    probabilities = np.asarray(sum(w * p.probabilities for w, p in zip(weights, parts, strict=True)))
    classes = probabilities.argmax(axis=1)
    return Predictions(first.truth, classes, first.classes, probabilities, weights=first.weights)


def finish_blend(folder: str) -> dict[str, Any]:
    """Describe the blend of the final models: it is its members and their weights, and not stored a second time."""
    run = context(folder)
    weights = blend_weights(run.folder)
    for name in weights:
        if not run.paths.model(name).exists():
            raise NotApplicable(f"Its member {name} could not be fitted on all rows.")
    return {
        "fit_seconds": 0.0,
        "bytes": sum(run.paths.model(n).stat().st_size for n in weights),
        "rows": len(run.y),
        "description": description(run),
    }


def description(run: Context) -> str:
    """The members of the blend and their weights, the largest first."""
    weights = blend_weights(run.folder)
    ordered = sorted(weights, key=lambda n: -weights[n])
    return ", ".join(f"{round(100 * weights[n])} % {run.experiment.candidate(n).label}" for n in ordered)
