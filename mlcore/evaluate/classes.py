"""Classification: confusion matrix, ROC and precision–recall curves from out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import BadChoice, NotApplicable
from mlcore.evaluate.out_of_fold import OutOfFold, Scored, classes_of, out_of_fold
from mlcore.evaluate.thresholds import ThresholdRule, counts_at, rate, sweep
from mlcore.result import Array, Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.wording import number, several, share

MOST_POINTS = 400


@dataclass(frozen=True)
class Confusion(Result):
    """How often each class was predicted as each other; rows are the true classes."""

    title: str
    labels: tuple[str, ...]
    counts: Array  # (classes, classes): [truth, prediction]

    help: ClassVar[Help] = Help(
        "Each row was predicted once by a model not trained on it. The table counts true and predicted classes.",
        "Read along a row: how the rows of this true class were predicted. The diagonal is correct.",
        "Colour is the percentage of the true class, so that a rare class is visible next to a common one.",
        "Look at the largest count off the diagonal: which two classes are confused, and what could separate them?",
    )

    def frame(self) -> pd.DataFrame:
        """Counts: one row per true class, one column per predicted class."""
        return (
            pd.DataFrame(self.counts, index=list(self.labels), columns=list(self.labels))
            .rename_axis("True class")
            .reset_index()
        )

    def sentence(self) -> str:
        """The number of correct predictions, and the most common error."""
        right, total = int(np.trace(self.counts)), int(self.counts.sum())
        errors = self.counts.copy()
        np.fill_diagonal(errors, 0)
        if not errors.any():
            return f"{self.title}: all {total:,} rows are correct."
        i, j = np.unravel_index(int(errors.argmax()), errors.shape)
        return (
            f"{self.title}: {share(right, total)} are correct. The most common error: "
            f"{share(int(errors[i, j]), int(self.counts[i].sum()))} of “{self.labels[i]}” are predicted as "
            f"“{self.labels[j]}”."
        )


def confusion(run: RunFolder, model: str, threshold: float | None = None) -> Confusion:
    """The confusion matrix of one model; of two classes, at a threshold for the positive one if there is one."""
    known = out_of_fold(run, model)
    prediction = known.predictions.prediction.astype(int)
    if threshold is not None and len(known.classes) == 2:
        prediction = called(known, run.experiment.recipe.positive, threshold)
    counts = np.zeros((len(known.classes), len(known.classes)), int)
    np.add.at(counts, (known.predictions.truth.astype(int), prediction), 1)
    return Confusion(known.title, known.classes, counts)


def rows_of(model: OutOfFold, cell: tuple[int, int], positive: str | None, threshold: float | None) -> Array:
    """Positions in the file of the rows of one cell (true class, predicted class) of a confusion matrix."""
    prediction = model.predictions.prediction if threshold is None else called(model, positive, threshold)
    return np.asarray(model.rows[(model.predictions.truth == cell[0]) & (prediction == cell[1])])


def called(model: OutOfFold, positive: str | None, threshold: float) -> Array:
    """The codes (n,) that a threshold gives two classes. Raises NotApplicable without scores."""
    code = model.classes.index(model.named(positive))
    return np.where(model.scored(positive).score >= threshold, code, 1 - code)


@dataclass(frozen=True)
class Curve:
    """One model's curve."""

    model: str
    title: str
    slot: int  # position in the experiment, for its colour
    x: Array
    y: Array
    area: float | None
    band: tuple[Array, Array, Array] | None = None  # x, and the lowest and the highest y of the folds there
    point: tuple[float, float] | None = None  # where the threshold is


@dataclass(frozen=True, kw_only=True)
class Curves(Result):
    """Curves of several models for one class against the rest."""

    kind: str  # roc or precision_recall
    positive: str
    prevalence: float
    n: int
    curves: tuple[Curve, ...]
    left_out: tuple[str, ...] = ()

    @property
    def help(self) -> Help:  # type: ignore[override]
        """The help card for this kind of curve."""
        return _HELP[self.kind]

    def frame(self) -> pd.DataFrame:
        """One row per point."""
        names = ("false_positive_rate", "true_positive_rate") if self.kind == "roc" else ("recall", "precision")
        return pd.concat(
            [pd.DataFrame({"model": c.model, names[0]: c.x, names[1]: c.y}) for c in self.curves], ignore_index=True
        )

    def sentence(self) -> str:
        """The areas under the curves, and the value by chance."""
        title = "ROC AUC" if self.kind == "roc" else "average precision"
        chance = 0.5 if self.kind == "roc" else self.prevalence
        ranked = sorted((c for c in self.curves if c.area is not None), key=lambda c: -(c.area or 0))
        areas = several([f"{c.title} {number(c.area)}" for c in ranked], 5)
        missing = f" No scores to rank by: {several(list(self.left_out))}." if self.left_out else ""
        return (
            f"“{self.positive}” against the rest, {title} over {self.n:,} pooled rows: {areas}; "
            f"chance is {number(chance)}.{missing}"
        )

    def to_json(self) -> Any:
        """The curve of one model, or a list of the curves of several."""
        names = ("fpr", "tpr") if self.kind == "roc" else ("recall", "precision")
        curves = [
            {
                "model": c.model,
                "positive": self.positive,
                names[0]: np.round(c.x, 6).tolist(),
                names[1]: np.round(c.y, 6).tolist(),
                "area": c.area,
            }
            for c in self.curves
        ]
        return curves[0] if len(curves) == 1 else curves


_HELP = {
    "roc": Help(
        "For every threshold: the true positive rate (recall, y axis) against the false positive rate (the proportion "
        "of negatives predicted positive, x axis). Predictions are out-of-fold, pooled over the first repeat.",
        "The nearer to the upper left, the better. The area is how often a positive ranks above a negative.",
        "With a rare positive class it looks too good: many false positives are a small fraction of many negatives.",
        "With a rare class look at precision–recall as well.",
    ),
    "precision_recall": Help(
        "For every threshold: precision (of the rows predicted positive, the proportion that are; y axis) against "
        "recall (of the positives, the proportion predicted positive; x axis). Predictions are out-of-fold, pooled "
        "over the first repeat.",
        "The grey line is the prevalence, the precision of guessing. Follow the curve to the recall you need and read "
        "off the precision.",
        "The prevalence decides its height: curves from different data cannot be compared.",
        "Choose a threshold by the costs of a false negative and a false positive.",
    ),
}


def _curves(
    run: RunFolder, models: list[str], positive: str | None, kind: str, rule: ThresholdRule | None = None
) -> Curves:
    labels = classes_of(run)
    positive = positive or run.experiment.recipe.positive or labels[-1]
    if positive not in labels:
        raise BadChoice.of("class", positive, labels)
    curves, left_out, prevalence, n = [], [], 0.0, 0
    for model in models:
        known = out_of_fold(run, model)
        try:
            scored = known.scored(positive)
        except NotApplicable:
            left_out.append(known.title)
            continue
        if scored.truth.all() or not scored.truth.any():
            raise NotApplicable(f"A curve needs rows of “{positive}” and of other classes; these rows lack one.")
        weights = None if known.predictions.weights is None else scored.weights
        x, y, area = _points(kind, scored.truth, scored.score, weights)
        curves.append(
            Curve(model, known.title, known.slot, x, y, area, _band(kind, scored), _operating(kind, scored, rule))
        )
        prevalence, n = scored.prevalence, known.n
    if not curves:
        raise NotApplicable(f"There is no curve, because there are no scores to rank by: {several(left_out)}.")
    return Curves(
        kind=kind,
        positive=positive,
        prevalence=prevalence,
        n=n,
        curves=tuple(curves),
        left_out=tuple(left_out),
    )


def _points(kind: str, truth: Array, ranking: Array, weights: Array | None) -> tuple[Array, Array, float]:
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    if kind == "roc":
        x, y, _ = roc_curve(truth, ranking, sample_weight=weights)
        area = float(roc_auc_score(truth, ranking, sample_weight=weights))
    else:
        y, x, _ = precision_recall_curve(truth, ranking, sample_weight=weights, drop_intermediate=True)
        area = float(average_precision_score(truth, ranking, sample_weight=weights))
    if len(x) > MOST_POINTS:
        keep = np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).astype(int))
        x, y = x[keep], y[keep]
    return x, y, area


BAND = np.linspace(0, 1, 51)  # where the folds are compared


def _band(kind: str, scored: Scored) -> tuple[Array, Array, Array] | None:
    """The lowest and the highest curve of the folds; None for fewer than two that have both classes."""
    heights = []
    for fold in np.unique(scored.fold):
        part = scored.where(scored.fold == fold)
        if part.truth.any() and not part.truth.all():
            _, c = sweep(part)
            if kind == "roc":
                heights.append(np.interp(BAND, c.fp / c.fp[-1], c.tp / c.tp[-1]))
            else:
                recall, precision = c.tp[1:] / c.tp[-1], c.tp[1:] / (c.tp + c.fp)[1:]
                heights.append(precision[np.searchsorted(recall, BAND).clip(0, len(recall) - 1)])
    return (BAND, np.min(heights, axis=0), np.max(heights, axis=0)) if len(heights) > 1 else None


def _operating(kind: str, scored: Scored, rule: ThresholdRule | None) -> tuple[float, float] | None:
    """Where a threshold lies on the curve; None where it cannot be."""
    try:
        c = counts_at(scored, (rule or ThresholdRule(kind="at", value=scored.usual)).choose(scored))
    except NotApplicable:
        return None
    recall = float(rate("recall", c))
    if kind == "roc":
        return 1 - float(rate("specificity", c)), recall
    return (recall, float(rate("precision", c))) if c.tp + c.fp else None


def roc(run: RunFolder, models: list[str], positive: str | None = None, rule: ThresholdRule | None = None) -> Curves:
    """ROC curves of several models; `positive` is a class as text, the last one by default.

    `rule` chooses the threshold that is marked on each curve, 0.5 by default.

    Raises NotApplicable if no model gives scores, or if all rows are positive or all negative.
    """
    return _curves(run, models, positive, "roc", rule)


def precision_recall(
    run: RunFolder, models: list[str], positive: str | None = None, rule: ThresholdRule | None = None
) -> Curves:
    """Precision–recall curves of several models; see `roc`."""
    return _curves(run, models, positive, "precision_recall", rule)
