"""The blend: a weighted mean of other models, chosen greedily from their out-of-fold predictions.

After Caruana, Niculescu-Mizil, Crew and Ksikes (Ensemble selection from libraries of models, ICML 2004): again and
again the model is added (it may be one that is in already) that makes the mean of those chosen best. What is made
best is the log loss, or the squared error of a quantity. For the score, the weights of a fold are chosen on the other
folds of its repeat, so that the rows it is tested on have no say; in order of time, on earlier folds only.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlcore.compare import storage
from mlcore.compare.tasks import (
    Context,
    FoldResult,
    context,
    measured,
    model_file,
    read_predictions,
    write_fold,
)
from mlcore.errors import NotApplicable
from mlcore.metrics import CLIP, Scored, interval_of
from mlcore.protocol import Fold
from mlcore.result import Array
from mlcore.workspace import write_whole

if TYPE_CHECKING:
    from mlcore.compare.run import Run

STEPS = 25
MOST_ROWS = 20_000  # on which weights are chosen
LEFT_OUT = ("dummy", "rule", "blend", "self_training", "label_spreading")


def greedy(predictions: Array, truth: Array | None, steps: int = STEPS) -> Array:
    """Return (models,) weights that sum to 1.

    `predictions` are (models, n): values beside their `truth` (n,), or, where `truth` is None, the probability that
    each model gave to the true class.
    """
    counts = np.zeros(len(predictions))
    total = np.zeros(predictions.shape[1])
    best, best_loss = counts, np.inf
    for step in range(1, steps + 1):
        losses = _losses((total + predictions) / step, truth)
        pick = int(losses.argmin())
        counts = counts.copy()
        counts[pick] += 1
        total = total + predictions[pick]
        if losses[pick] < best_loss * (1 - 1e-9):
            best, best_loss = counts, float(losses[pick])
    return np.asarray(best / best.sum())


def _losses(means: Array, truth: Array | None) -> Array:
    if truth is None:
        return np.asarray(-np.log(np.clip(means, CLIP, 1)).mean(axis=1))
    return np.asarray(((means - truth) ** 2).mean(axis=1))


def members(run: Context, fine: list[str]) -> list[str]:
    """Models that can be blended: those that got through and give probabilities, or quantities."""
    able = [m for m in fine if m not in LEFT_OUT]
    if run.setting.task == "regression":
        return able
    return [m for m in able if _has_probabilities(run, m)]


def _has_probabilities(run: Context, model: str) -> bool:
    """Whether a model gave probabilities in every fold."""
    found = read_predictions(run, model).values()
    return all(s.probabilities is not None and np.isfinite(s.probabilities).all() for s in found)


def blend(folder: str, fine: list[str]) -> list[FoldResult]:
    """Choose weights and score them, fold by fold; the weights chosen on all rows are written for the final model."""
    run = context(folder)
    if len(run.plan.folds) < 2:
        raise NotApplicable("A blend needs folds: with one validation split there are no other rows to choose it by.")
    names = members(run, fine)
    if len(names) < 2:
        raise NotApplicable("A blend needs at least two models that got through and give probabilities or quantities.")
    told = {name: read_predictions(run, name) for name in names}
    results = []
    for fold in run.plan.folds:
        start = time.perf_counter()
        weights = _weights(run, told, _before(run, fold))
        scored = _mixed([told[n][fold.key] for n in names], weights)
        values, undefined = measured(run.setting.task, scored)
        write_fold(run.told("blend", fold.key), scored)
        ci = interval_of(run.metric, scored) if len(run.plan.folds) == 1 else None
        results.append(FoldResult("blend", fold.key, time.perf_counter() - start, 0.0, values, undefined, None, ci,
                                  len(fold.train)))  # fmt: skip
    final = _weights(run, told, list(run.plan.folds))
    chosen = {n: round(float(w), 6) for n, w in zip(names, final, strict=True) if w > 0}
    write_whole(run.folder / "blend.json", json.dumps(chosen))
    return results


def _before(run: Context, fold: Fold) -> list[Fold]:
    """The folds whose rows may choose the weights of a fold."""
    if run.experiment.protocol.kind(run.setting.task) == "time":
        return [f for f in run.plan.folds if f.fold < fold.fold]
    return [f for f in run.plan.folds if f.repeat == fold.repeat and f.fold != fold.fold]


def _weights(run: Context, told: dict[str, dict[str, Scored]], folds: list[Fold]) -> Array:
    """The greedy weights on some folds; equal ones where there is none."""
    if not folds:
        return np.full(len(told), 1 / len(told))
    truth = np.concatenate([run.y[f.test] for f in folds])
    step = max(1, len(truth) // MOST_ROWS)
    said = []
    for scored in told.values():
        parts = []
        for fold in folds:
            one = scored[fold.key]
            codes = one.truth.astype(int)
            parts.append(
                one.prediction if one.probabilities is None else one.probabilities[np.arange(len(codes)), codes]
            )
        said.append(np.concatenate(parts)[::step])
    return greedy(np.array(said, float), truth[::step].astype(float) if run.setting.task == "regression" else None)


def _mixed(parts: list[Scored], weights: Array) -> Scored:
    first = parts[0]
    if first.probabilities is None:
        mean = sum(w * p.prediction for w, p in zip(weights, parts, strict=True))
        return Scored(first.truth, np.asarray(mean, float))
    shares = np.asarray(sum(w * p.probabilities for w, p in zip(weights, parts, strict=True)))
    return Scored(first.truth, shares.argmax(axis=1), first.classes, shares)


def finish_blend(folder: str) -> dict[str, Any]:
    """Say what the blend of the final models is; it is its members and their weights, and not stored a second time."""
    run = context(folder)
    chosen = weights_of(run.folder)
    for name in chosen:
        if not model_file(run.folder, name).exists():
            raise NotApplicable(f"Its member {name} could not be fitted on all rows.")
    titles = {c.model: c.title or c.model for c in run.experiment.candidates}
    ordered = sorted(chosen, key=lambda n: -chosen[n])
    return {
        "fit_seconds": 0.0,
        "bytes": sum(model_file(run.folder, n).stat().st_size for n in chosen),
        "rows": len(run.y),
        "words": ", ".join(f"{round(100 * chosen[n])} % {titles[n]}" for n in ordered),
    }


def weights_of(folder: Path) -> dict[str, float]:
    """The members of a run's blend and their weights; empty when there is none."""
    place = folder / "blend.json"
    return json.loads(place.read_text("utf-8")) if place.exists() else {}


def fitted_blend(run: Run) -> Any:
    """The blend of a run's final models as one Pipeline: raw frame in, the target's own labels out."""
    from sklearn.pipeline import Pipeline

    from mlcore.features.transformers import Conform
    from mlcore.learners import BlendedClassifier, BlendedRegressor

    chosen = weights_of(run.path)
    parts = [storage.load(model_file(run.path, n)) for n in chosen]
    kind = BlendedRegressor if run.experiment.recipe.task == "regression" else BlendedClassifier
    steps = [("columns", Conform.of(run.experiment.schema)), ("model", kind.of(parts, list(chosen.values())))]
    return Pipeline(steps)
