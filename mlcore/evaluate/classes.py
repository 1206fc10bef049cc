"""Classification: confusion matrix, ROC and precision–recall curves from out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import BadChoice, NotApplicable
from mlcore.result import Array, Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.wording import number, several, share

MOST_POINTS = 400


def first_repeat(run: RunFolder, model: str) -> pd.DataFrame:
    """The predictions of the first repeat, in which each row is tested once."""
    predictions = run.predictions(model)
    return predictions[predictions["repeat"] == 0]


def classes_of(run: RunFolder) -> list[str]:
    """The classes as text, in their order."""
    return [str(c) for c in run.plan()["classes"]]


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


def confusion(run: RunFolder, model: str) -> Confusion:
    """The confusion matrix of one model."""
    predictions, labels = first_repeat(run, model), classes_of(run)
    index = {label: i for i, label in enumerate(labels)}
    truth, prediction = (predictions[c].astype(str).map(index).to_numpy(int) for c in ("truth", "prediction"))
    counts = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, (truth, prediction), 1)
    return Confusion(run.experiment.candidate(model).label, tuple(labels), counts)


@dataclass(frozen=True)
class Curve:
    """One model's curve."""

    model: str
    title: str
    slot: int  # position in the experiment, for its colour
    x: Array
    y: Array
    area: float | None


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


def _ranking(predictions: pd.DataFrame, positive: str, binary: bool) -> Array | None:
    if f"p_{positive}" in predictions:
        return predictions[f"p_{positive}"].to_numpy(float)
    if binary and "decision" in predictions:
        return predictions["decision"].to_numpy(float)
    return None


def _curves(run: RunFolder, models: list[str], positive: str | None, kind: str) -> Curves:
    labels = classes_of(run)
    positive = positive or run.experiment.recipe.positive or labels[-1]
    if positive not in labels:
        raise BadChoice.of("class", positive, labels)
    curves, left_out, truth, weights, of_rows = [], [], np.array([]), None, run.weights()
    slots = {c.model: i for i, c in enumerate(run.experiment.candidates)}
    for model in models:
        title = run.experiment.candidate(model).label
        predictions = first_repeat(run, model)
        truth = (predictions["truth"].astype(str) == positive).to_numpy()
        weights = None if of_rows is None else of_rows[predictions["row"].to_numpy()]
        ranking = _ranking(predictions, positive, len(labels) == 2)
        if ranking is None:
            left_out.append(title)
            continue
        if len(labels) == 2 and positive == labels[0] and f"p_{positive}" not in predictions:
            ranking = -ranking
        if truth.all() or not truth.any():
            raise NotApplicable(f"A curve needs rows of “{positive}” and of other classes; these rows lack one.")
        x, y, area = _points(kind, truth, ranking, weights)
        curves.append(Curve(model, title, slots[model], x, y, area))
    if not curves:
        raise NotApplicable(f"There is no curve, because there are no scores to rank by: {several(left_out)}.")
    return Curves(
        kind=kind,
        positive=positive,
        prevalence=float(np.average(truth, weights=weights)),
        n=len(truth),
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


def roc(run: RunFolder, models: list[str], positive: str | None = None) -> Curves:
    """ROC curves of several models; `positive` is a class as text, the last one by default.

    Raises NotApplicable if no model gives scores, or if all rows are positive or all negative.
    """
    return _curves(run, models, positive, "roc")


def precision_recall(run: RunFolder, models: list[str], positive: str | None = None) -> Curves:
    """Precision–recall curves of several models; see `roc`."""
    return _curves(run, models, positive, "precision_recall")
