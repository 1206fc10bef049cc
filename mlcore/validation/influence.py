"""How much each row moves a metric: its influence, so that the variance of a score follows from the rows that gave it.

The variance of a metric on n rows is about var(influence) / n (the delta method; Hampel, JASA 69, 1974). For means over
rows it is that of their losses, for the area under the ROC curve DeLong's; others are jackknifed in blocks of rows.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mlcore.errors import NotApplicable
from mlcore.result import Array
from mlcore.validation.predictions import Predictions


def variance_within(pairs: Iterable[tuple[Array | None, Array | None]]) -> float | None:
    """The mean variance of the difference of two models on a fold, from the influences (n,) of its rows on each.

    None where no fold has both.
    """
    known = [(a, b) for a, b in pairs if a is not None and b is not None and len(a) == len(b) > 1]
    return float(np.mean([(a - b).var(ddof=1) / len(a) for a, b in known])) if known else None


def roc_auc(s: Predictions) -> Array:
    """Of ROC AUC, DeLong's components: the fraction of the other class that a row is ranked right against."""
    from scipy import stats

    positive, scores = s.truth == 1, s.ranking()
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        raise NotApplicable("These rows have only one class.")
    ranks = stats.rankdata(scores)
    out = np.empty(len(scores))
    out[positive] = (ranks[positive] - stats.rankdata(scores[positive])) / n
    out[~positive] = 1 - (ranks[~positive] - stats.rankdata(scores[~positive])) / m
    area = float(out[positive].mean())
    out[positive] = (out[positive] - area) * len(scores) / m
    out[~positive] = (out[~positive] - area) * len(scores) / n
    return out


def log_loss(s: Predictions) -> Array:
    """Of the log loss."""
    return np.asarray(-np.log(s.clipped()[np.arange(len(s.truth)), s.truth.astype(int)]))


def brier(s: Predictions) -> Array:
    """Of the Brier score."""
    return np.asarray((s.clipped()[:, 1] - (s.truth == 1)) ** 2)


def accuracy(s: Predictions) -> Array:
    """Of the accuracy."""
    return np.asarray((s.truth == s.prediction).astype(float))


def balanced_accuracy(s: Predictions) -> Array:
    """Of the mean recall of the classes."""
    truth, hits = s.truth.astype(int), (s.truth == s.prediction).astype(float)
    counts = np.bincount(truth, minlength=s.classes)
    recalls = np.divide(np.bincount(truth, hits, s.classes), counts, out=np.zeros(s.classes), where=counts > 0)
    present = int((counts > 0).sum())
    return np.asarray((hits - recalls[truth]) * len(truth) / counts[truth] / present)


def _of_ratio(part: Array, whole: Array) -> Array:
    """Of a ratio of two sums over rows."""
    total = float(whole.mean())
    if total == 0:
        raise NotApplicable("The sum of the denominator is 0.")
    return np.asarray((part - float(part.mean()) / total * whole) / total)


def f1(s: Predictions) -> Array:
    """Of F1 of the positive class."""
    truth, predicted = (s.truth == 1).astype(float), (s.prediction == 1).astype(float)
    return _of_ratio(2 * truth * predicted, truth + predicted)


def precision(s: Predictions) -> Array:
    """Of precision of the positive class."""
    truth, predicted = (s.truth == 1).astype(float), (s.prediction == 1).astype(float)
    return _of_ratio(truth * predicted, predicted)


def recall(s: Predictions) -> Array:
    """Of recall of the positive class."""
    truth, predicted = (s.truth == 1).astype(float), (s.prediction == 1).astype(float)
    return _of_ratio(truth * predicted, truth)


def error(s: Predictions) -> Array:
    """Of the mean absolute error."""
    return np.asarray(np.abs(s.prediction.astype(float) - s.truth.astype(float)))


def rmse(s: Predictions) -> Array:
    """Of the root mean squared error."""
    squares = error(s) ** 2
    root = float(np.sqrt(squares.mean()))
    return np.asarray((squares - squares.mean()) / (2 * root)) if root else np.zeros(len(squares))


def r2(s: Predictions) -> Array:
    """Of R²."""
    truth, squares = s.truth.astype(float), error(s) ** 2
    spread = (truth - truth.mean()) ** 2
    return np.asarray(-_of_ratio(squares, spread))


def wape(s: Predictions) -> Array:
    """Of the sum of errors over the sum of values."""
    return _of_ratio(error(s), np.abs(s.truth.astype(float)))


def mape(s: Predictions) -> Array:
    """Of the mean error as a fraction of the value."""
    return np.asarray(error(s) / np.abs(s.truth.astype(float)))
