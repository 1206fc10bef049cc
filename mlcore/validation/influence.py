"""How much each row moves a metric: its influence, so that the variance of a score follows from the rows that gave it.

The variance of a metric on n rows is about var(influence) / n (the delta method; Hampel, JASA 69, 1974). For means over
rows it is that of their losses, for the area under the ROC curve DeLong's; others are jackknifed in blocks of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from mlcore.errors import NotApplicable
from mlcore.result import Array
from mlcore.validation.metrics import Metric, Predictions, compute, some

BLOCKS = 20  # of rows, for metrics without a formula of their own


def influence(row: Metric, predictions: Predictions) -> Array | None:
    """The influence (n,) of each row on a metric, with mean 0; None where the metric is undefined on these rows."""
    value, _ = compute(row, predictions)
    if value is None or len(predictions.truth) < 2:
        return None
    own = INFLUENCES.get(row.name) if predictions.weights is None else None
    try:
        moved = own(predictions) if own is not None else _jackknifed(row, predictions, value)
    except NotApplicable:
        return None
    return None if moved is None else np.asarray(moved - moved.mean())


def variance_within(pairs: Iterable[tuple[Array | None, Array | None]]) -> float | None:
    """The mean variance of the difference of two models on a fold, from the influences (n,) of its rows on each.

    None where no fold has both.
    """
    known = [(a, b) for a, b in pairs if a is not None and b is not None and len(a) == len(b) > 1]
    return float(np.mean([(a - b).var(ddof=1) / len(a) for a, b in known])) if known else None


def _roc_auc(s: Predictions) -> Array:
    """DeLong's components: the fraction of the other class that a row is ranked right against."""
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


def _log_loss(s: Predictions) -> Array:
    return np.asarray(-np.log(s.clipped()[np.arange(len(s.truth)), s.truth.astype(int)]))


def _brier(s: Predictions) -> Array:
    return np.asarray((s.clipped()[:, 1] - (s.truth == 1)) ** 2)


def _accuracy(s: Predictions) -> Array:
    return np.asarray((s.truth == s.prediction).astype(float))


def _balanced_accuracy(s: Predictions) -> Array:
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


def _f1(s: Predictions) -> Array:
    truth, predicted = (s.truth == 1).astype(float), (s.prediction == 1).astype(float)
    return _of_ratio(2 * truth * predicted, truth + predicted)


def _precision(s: Predictions) -> Array:
    truth, predicted = (s.truth == 1).astype(float), (s.prediction == 1).astype(float)
    return _of_ratio(truth * predicted, predicted)


def _recall(s: Predictions) -> Array:
    truth, predicted = (s.truth == 1).astype(float), (s.prediction == 1).astype(float)
    return _of_ratio(truth * predicted, truth)


def _error(s: Predictions) -> Array:
    return np.asarray(np.abs(s.prediction.astype(float) - s.truth.astype(float)))


def _rmse(s: Predictions) -> Array:
    squares = _error(s) ** 2
    root = float(np.sqrt(squares.mean()))
    return np.asarray((squares - squares.mean()) / (2 * root)) if root else np.zeros(len(squares))


def _r2(s: Predictions) -> Array:
    truth, squares = s.truth.astype(float), _error(s) ** 2
    spread = (truth - truth.mean()) ** 2
    return np.asarray(-_of_ratio(squares, spread))


def _wape(s: Predictions) -> Array:
    return _of_ratio(_error(s), np.abs(s.truth.astype(float)))


def _mape(s: Predictions) -> Array:
    return np.asarray(_error(s) / np.abs(s.truth.astype(float)))


INFLUENCES: dict[str, Callable[[Predictions], Array]] = {
    "roc_auc": _roc_auc, "log_loss": _log_loss, "brier_score": _brier, "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy, "f1": _f1, "precision": _precision, "recall": _recall, "rmse": _rmse,
    "mae": _error, "r2": _r2, "wape": _wape, "mape": _mape,
}  # fmt: skip


def _jackknifed(row: Metric, predictions: Predictions, value: float) -> Array | None:
    """By leaving out one block of rows at a time; the blocks are random and the same for all models (Tukey, 1958)."""
    n = len(predictions.truth)
    blocks = min(BLOCKS, n)
    of_row = np.random.default_rng(0).permutation(np.arange(n) % blocks)
    pseudo = np.empty(blocks)
    for block in range(blocks):
        left, _ = compute(row, some(predictions, np.flatnonzero(of_row != block)))
        if left is None:
            return None
        pseudo[block] = blocks * value - (blocks - 1) * left
    return np.asarray((pseudo - pseudo.mean())[of_row] * np.sqrt(n / blocks))
