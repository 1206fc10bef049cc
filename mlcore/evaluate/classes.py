"""Classification: confusion matrix, ROC and precision–recall curves from out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import BadChoice, NotApplicable
from mlcore.result import Array, Help, Result, number, several, share

if TYPE_CHECKING:
    from mlcore.compare.run import Run

MOST_POINTS = 400


def first_repeat(run: Run, model: str) -> pd.DataFrame:
    """The predictions in which each row is tested once."""
    found = run.predictions(model)
    return found[found["repeat"] == 0]


def classes_of(run: Run) -> list[str]:
    """The classes as text, in their order."""
    return [str(c) for c in run.plan()["classes"]]


@dataclass(frozen=True)
class Confusion(Result):
    """How often each class was taken for each other; rows are the truth."""

    title: str
    labels: tuple[str, ...]
    counts: Array  # (classes, classes): [truth, prediction]

    help: ClassVar[Help] = Help(
        "Each row was predicted once by a model that did not see it; the table counts truth against prediction.",
        "Read along a row: of the rows that truly are this class, where did they go. The diagonal is right.",
        "Colour is the share of the row's class, so that a rare class can be seen beside a common one.",
        "Look at the largest cell off the diagonal: which two classes are confused, and what tells them apart?",
    )

    def frame(self) -> pd.DataFrame:
        """Counts, truth down and prediction across."""
        return (
            pd.DataFrame(self.counts, index=list(self.labels), columns=list(self.labels))
            .rename_axis("True class")
            .reset_index()
        )

    def sentence(self) -> str:
        """How many are right, and the most common confusion."""
        right, total = int(np.trace(self.counts)), int(self.counts.sum())
        off = self.counts.copy()
        np.fill_diagonal(off, 0)
        if not off.any():
            return f"{self.title}: all {total:,} rows are right."
        i, j = np.unravel_index(int(off.argmax()), off.shape)
        return (
            f"{self.title}: {share(right, total)} are right. The most common error: "
            f"{share(int(off[i, j]), int(self.counts[i].sum()))} of “{self.labels[i]}” are taken for "
            f"“{self.labels[j]}”."
        )


def confusion(run: Run, model: str) -> Confusion:
    """The confusion matrix of one model."""
    found, labels = first_repeat(run, model), classes_of(run)
    place = {label: i for i, label in enumerate(labels)}
    truth, prediction = (found[c].astype(str).map(place).to_numpy(int) for c in ("truth", "prediction"))
    counts = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, (truth, prediction), 1)
    return Confusion(run.experiment.candidate(model).title or model, tuple(labels), counts)


@dataclass(frozen=True)
class Curve:
    """One model's curve."""

    model: str
    title: str
    slot: int  # place in the experiment, for its colour
    x: Array
    y: Array
    area: float | None


@dataclass(frozen=True)
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
        """The card of the kind of curve."""
        return _HELP[self.kind]

    def frame(self) -> pd.DataFrame:
        """A row a point."""
        names = ("false_positive_rate", "true_positive_rate") if self.kind == "roc" else ("recall", "precision")
        return pd.concat(
            [pd.DataFrame({"model": c.model, names[0]: c.x, names[1]: c.y}) for c in self.curves], ignore_index=True
        )

    def sentence(self) -> str:
        """The areas, and what chance would give."""
        title = "ROC AUC" if self.kind == "roc" else "average precision"
        chance = 0.5 if self.kind == "roc" else self.prevalence
        ranked = sorted((c for c in self.curves if c.area is not None), key=lambda c: -(c.area or 0))
        areas = several([f"{c.title} {number(c.area)}" for c in ranked], 5)
        missing = f" {several(list(self.left_out))} gives no scores to rank by." if self.left_out else ""
        return (
            f"“{self.positive}” against the rest, {title} over {self.n:,} pooled rows: {areas}; "
            f"chance is {number(chance)}.{missing}"
        )

    def to_json(self) -> Any:
        """The curve of one model, or of each."""
        names = ("fpr", "tpr") if self.kind == "roc" else ("recall", "precision")
        each = [
            {
                "model": c.model,
                "positive": self.positive,
                names[0]: np.round(c.x, 6).tolist(),
                names[1]: np.round(c.y, 6).tolist(),
                "area": c.area,
            }
            for c in self.curves
        ]
        return each[0] if len(each) == 1 else each


_HELP = {
    "roc": Help(
        "For every threshold: the share of positives that is found (up) against the share of negatives that is "
        "alarmed (right). Predictions are out-of-fold, pooled over the first repeat.",
        "The nearer to the upper left, the better. The area is how often a positive is ranked above a negative.",
        "With a rare positive class it looks too good: many false alarms are a small share of many negatives.",
        "With a rare class look at precision–recall as well.",
    ),
    "precision_recall": Help(
        "For every threshold: of those called positive, how many are (up), against how many positives are found "
        "(right). Predictions are out-of-fold, pooled over the first repeat.",
        "The grey line is the prevalence, what guessing gives. Follow the curve to the recall you need, read off the "
        "precision.",
        "The prevalence decides its height: curves of different data cannot be compared.",
        "Choose a threshold by what a miss and a false alarm cost you.",
    ),
}


def _ranking(found: pd.DataFrame, positive: str, binary: bool) -> Array | None:
    if f"p_{positive}" in found:
        return found[f"p_{positive}"].to_numpy(float)
    if binary and "decision" in found:
        return found["decision"].to_numpy(float)
    return None


def _curves(run: Run, models: list[str], positive: str | None, kind: str) -> Curves:
    labels = classes_of(run)
    positive = positive or labels[-1]
    if positive not in labels:
        raise BadChoice.of("class", positive, labels)
    made, left_out, truth = [], [], np.array([])
    slots = {c.model: i for i, c in enumerate(run.experiment.candidates)}
    for model in models:
        title = run.experiment.candidate(model).title or model
        found = first_repeat(run, model)
        truth = (found["truth"].astype(str) == positive).to_numpy()
        ranking = _ranking(found, positive, len(labels) == 2)
        if ranking is None:
            left_out.append(title)
            continue
        if len(labels) == 2 and positive == labels[0] and f"p_{positive}" not in found:
            ranking = -ranking
        if truth.all() or not truth.any():
            raise NotApplicable(f"All predicted rows are of one side of “{positive}”; a curve needs both.")
        x, y, area = _points(kind, truth, ranking)
        made.append(Curve(model, title, slots[model], x, y, area))
    if not made:
        raise NotApplicable(f"{several(left_out)} gives no scores to rank by, so there is no curve.")
    return Curves(kind, positive, float(truth.mean()), len(truth), tuple(made), tuple(left_out))


def _points(kind: str, truth: Array, ranking: Array) -> tuple[Array, Array, float]:
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    if kind == "roc":
        x, y, _ = roc_curve(truth, ranking)
        area = float(roc_auc_score(truth, ranking))
    else:
        y, x, _ = precision_recall_curve(truth, ranking, drop_intermediate=True)
        area = float(average_precision_score(truth, ranking))
    if len(x) > MOST_POINTS:
        keep = np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).astype(int))
        x, y = x[keep], y[keep]
    return x, y, area


def roc(run: Run, models: list[str], positive: str | None = None) -> Curves:
    """ROC curves of several models; `positive` is a class as text, the last one by default.

    Raises NotApplicable when no model gives scores, or all rows are of one side.
    """
    return _curves(run, models, positive, "roc")


def precision_recall(run: Run, models: list[str], positive: str | None = None) -> Curves:
    """Precision–recall curves of several models; see `roc`."""
    return _curves(run, models, positive, "precision_recall")
