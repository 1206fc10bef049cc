"""The metrics, one row each: what is computed, which way is better, what it needs, and when it is undefined.

Names are scikit-learn's scorer names without `neg_`. Errors (RMSE, log loss …) are positive numbers, lower better.
Truth and predictions of classifiers are codes 0 … k−1 into the sorted classes; the positive class is the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mlcore.errors import BadChoice, NotApplicable
from mlcore.result import Array

Task = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
CLIP = 1e-15  # all models alike, in float64: left to the type, float32 boosters are favoured


@dataclass(frozen=True)
class Scored:
    """Rows with their truth and what one model said of them."""

    truth: Array  # (n,) codes or values
    prediction: Array  # (n,) codes or values
    classes: int = 0
    probabilities: Array | None = None  # (n, classes)
    decision: Array | None = None  # (n,) of a binary classifier without probabilities

    def ranking(self) -> Array:
        """Scores of the positive class: probabilities or decision values, never labels."""
        if self.probabilities is not None:
            return np.asarray(self.probabilities[:, 1])
        if self.decision is not None:
            return self.decision
        raise NotApplicable("This model gives neither probabilities nor decision scores.")

    def shares(self) -> Array:
        """Return (n, classes) probabilities in float64, clipped alike for all models."""
        if self.probabilities is None:
            raise NotApplicable("This model gives no probabilities.")
        clipped = np.clip(np.asarray(self.probabilities, np.float64), CLIP, 1 - CLIP)
        return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Metric:
    """A row of the table of metrics."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    compute: Callable[[Scored], float]
    higher_is_better: bool = True
    perfect: float = 1.0
    bounds: tuple[float, float] = (0.0, 1.0)
    note: str = ""
    by_row: bool = False  # a mean over rows, so that it has a value on a single one

    def signed(self, score: Array) -> Array:
        """Scores with the sign that makes higher better."""
        return np.asarray(score, float) * (1 if self.higher_is_better else -1)

    def skill(self, score: float, baseline: float) -> float | None:
        """Share of the way from the baseline to a perfect score; negative when worse; None when there is no way."""
        way = self.perfect - baseline
        return None if abs(way) <= 1e-12 * max(abs(self.perfect), abs(baseline)) else (score - baseline) / way

    def rope(self, baseline: float) -> float:
        """Region of practical equivalence: 0.01 for bounded scores, 1 % of the baseline for errors."""
        return 0.01 if np.isfinite(self.bounds[1]) else 0.01 * abs(baseline)


def _binary_truth(s: Scored) -> Array:
    positives = s.truth == 1
    if positives.all() or not positives.any():
        raise NotApplicable("There is one class only among these rows.")
    return np.asarray(positives)


def _roc_auc(s: Scored) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(_binary_truth(s), s.ranking()))


def _average_precision(s: Scored) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(_binary_truth(s), s.ranking()))


def _roc_auc_ovr(s: Scored) -> float:
    from sklearn.metrics import roc_auc_score

    shares = s.shares()
    present = np.bincount(s.truth.astype(int), minlength=s.classes)
    if (present == 0).any():
        raise NotApplicable(f"{int((present == 0).sum())} of {s.classes} classes have no row here.")
    return float(np.mean([roc_auc_score(s.truth == k, shares[:, k]) for k in range(s.classes)]))


def _log_loss(s: Scored) -> float:
    return float(-np.log(s.shares()[np.arange(len(s.truth)), s.truth.astype(int)]).mean())


def _brier(s: Scored) -> float:
    return float(np.mean((s.shares()[:, 1] - (s.truth == 1)) ** 2))


def _accuracy(s: Scored) -> float:
    return float(np.mean(s.truth == s.prediction))


def _per_class(s: Scored) -> tuple[Array, Array, Array]:
    """Hits, predicted counts and true counts per class, each (classes,)."""
    truth, prediction = s.truth.astype(int), s.prediction.astype(int)
    hits = np.bincount(truth[truth == prediction], minlength=s.classes)
    return hits, np.bincount(prediction, minlength=s.classes), np.bincount(truth, minlength=s.classes)


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _balanced_accuracy(s: Scored) -> float:
    hits, _, true = _per_class(s)
    return float(np.mean(hits[true > 0] / true[true > 0]))  # classes without a row here have no recall


def _precision_each(s: Scored) -> Array:
    hits, predicted, _ = _per_class(s)
    return _ratio(hits, predicted)


def _recall_each(s: Scored) -> Array:
    hits, _, true = _per_class(s)
    return _ratio(hits, true)


def _f1_each(s: Scored) -> Array:
    hits, predicted, true = _per_class(s)
    return _ratio(2 * hits, predicted + true)


def _of_positive(each: Callable[[Scored], Array]) -> Callable[[Scored], float]:
    def compute(s: Scored) -> float:
        if not (s.truth == 1).any():
            raise NotApplicable("There is no row of the positive class here.")
        return float(each(s)[1])

    return compute


def _macro(each: Callable[[Scored], Array]) -> Callable[[Scored], float]:
    def compute(s: Scored) -> float:
        _, predicted, true = _per_class(s)
        return float(each(s)[(true > 0) | (predicted > 0)].mean())

    return compute


def _matthews(s: Scored) -> float:
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(s.truth.astype(int), s.prediction.astype(int)))


def _errors(s: Scored) -> Array:
    return np.asarray(np.abs(s.prediction.astype(float) - s.truth.astype(float)))


def _rmse(s: Scored) -> float:
    return float(np.sqrt(np.mean(_errors(s) ** 2)))


def _mape(s: Scored) -> float:
    zeros = int((s.truth == 0).sum())
    if zeros:
        raise NotApplicable(
            f"{zeros:,} of {len(s.truth):,} true values are zero, and a share of zero has no meaning. "
            "Use WAPE, the sum of errors over the sum of values."
        )
    return float(np.mean(_errors(s) / np.abs(s.truth)))


def _wape(s: Scored) -> float:
    total = float(np.abs(s.truth).sum())
    if total == 0:
        raise NotApplicable("All true values are zero.")
    return float(_errors(s).sum() / total)


def _r2(s: Scored) -> float:
    spread = float(((s.truth - s.truth.mean()) ** 2).sum())
    if len(s.truth) < 2 or s.truth.min() == s.truth.max():  # the mean of equal values need not equal them
        raise NotApplicable("All true values are the same here, so there is nothing to explain.")
    return 1 - float((_errors(s) ** 2).sum()) / spread


_INF = float("inf")
_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
METRICS: tuple[Metric, ...] = (
    Metric(
        "roc_auc",
        "ROC AUC",
        ("binary",),
        _roc_auc,
        note="how often a positive row is ranked above a negative one; 0.5 is chance",
    ),
    Metric(
        "balanced_accuracy",
        "Balanced accuracy",
        _CLASSES,
        _balanced_accuracy,
        note="the mean share of each class that is found, so that a large class cannot hide a small one",
    ),
    Metric("accuracy", "Accuracy", _CLASSES, _accuracy, note="the share of rows that are right", by_row=True),
    Metric(
        "average_precision",
        "Average precision",
        ("binary",),
        _average_precision,
        note="the area under the precision–recall curve; the prevalence is chance",
    ),
    Metric(
        "roc_auc_ovr",
        "ROC AUC, one against rest",
        ("multiclass",),
        _roc_auc_ovr,
        note="the mean over classes of how well each is ranked above the rest",
    ),
    Metric(
        "log_loss",
        "Log loss",
        _CLASSES,
        _log_loss,
        False,
        0.0,
        (0.0, _INF),
        note="the price of probabilities that were sure and wrong; lower is better",
        by_row=True,
    ),
    Metric(
        "brier_score",
        "Brier score",
        ("binary",),
        _brier,
        False,
        0.0,
        note="mean squared error of the probability; lower is better",
        by_row=True,
    ),
    Metric("f1", "F1", ("binary",), _of_positive(_f1_each), note="precision and recall of the positive class in one"),
    Metric(
        "precision",
        "Precision",
        ("binary",),
        _of_positive(_precision_each),
        note="of the rows called positive, the share that are",
    ),
    Metric(
        "recall",
        "Recall",
        ("binary",),
        _of_positive(_recall_each),
        note="of the positive rows, the share that is found",
    ),
    Metric(
        "f1_macro",
        "F1, mean over classes",
        ("multiclass",),
        _macro(_f1_each),
        note="precision and recall in one, each class counting the same",
    ),
    Metric(
        "precision_macro",
        "Precision, mean over classes",
        ("multiclass",),
        _macro(_precision_each),
        note="each class counting the same",
    ),
    Metric(
        "recall_macro",
        "Recall, mean over classes",
        ("multiclass",),
        _macro(_recall_each),
        note="each class counting the same",
    ),
    Metric(
        "matthews_corrcoef",
        "Matthews correlation",
        _CLASSES,
        _matthews,
        bounds=(-1.0, 1.0),
        note="correlation of truth and prediction; 0 is chance",
    ),
    Metric(
        "rmse",
        "RMSE",
        ("regression",),
        _rmse,
        False,
        0.0,
        (0.0, _INF),
        note="typical size of an error, large ones weighing more; in the target's units",
    ),
    Metric(
        "mae",
        "MAE",
        ("regression",),
        lambda s: float(_errors(s).mean()),
        False,
        0.0,
        (0.0, _INF),
        note="mean size of an error, in the target's units",
        by_row=True,
    ),
    Metric(
        "median_absolute_error",
        "Median error",
        ("regression",),
        lambda s: float(np.median(_errors(s))),
        False,
        0.0,
        (0.0, _INF),
        note="half of the errors are smaller, in the target's units",
    ),
    Metric(
        "mape",
        "MAPE",
        ("regression",),
        _mape,
        False,
        0.0,
        (0.0, _INF),
        note="mean error as a share of the true value; undefined where that is zero",
        by_row=True,
    ),
    Metric(
        "wape",
        "WAPE",
        ("regression",),
        _wape,
        False,
        0.0,
        (0.0, _INF),
        note="sum of errors over sum of values; what MAPE is meant to say, and defined with zeros",
    ),
    Metric(
        "r2",
        "R²",
        ("regression",),
        _r2,
        bounds=(-_INF, 1.0),
        note="share of the spread explained; 0 is the mean, negative is worse than it",
    ),
)
DEFAULTS: dict[Task, str] = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "rmse"}


def for_task(task: Task) -> list[Metric]:
    """The metrics of a task, in the order in which they are shown."""
    return [m for m in METRICS if task in m.tasks]


def metric(name: str, task: Task) -> Metric:
    """Find a metric of a task by its name; `auto` gives the default. Raises BadChoice."""
    wanted = DEFAULTS[task] if name == "auto" else name
    for found in for_task(task):
        if found.name == wanted:
            return found
    raise BadChoice.of(f"metric for {task}", name, [m.name for m in for_task(task)])


def compute(row: Metric, scored: Scored) -> tuple[float | None, str]:
    """Return the value, or None and the reason why it is undefined. A number is never invented."""
    if len(scored.truth) == 1 and not row.by_row:
        return None, f"{row.title} has no value on a single row, which is all that leave-one-out tests on at a time."
    try:
        value = row.compute(scored)
    except NotApplicable as why:
        return None, str(why)
    return (value, "") if np.isfinite(value) else (None, "The predictions are not finite numbers.")


# intervals on rows that were predicted once -------------------------------------------------------------------------

RESAMPLES = 400


def some(scored: Scored, rows: Array) -> Scored:
    """Some of the rows."""
    return Scored(
        scored.truth[rows],
        scored.prediction[rows],
        scored.classes,
        None if scored.probabilities is None else scored.probabilities[rows],
        None if scored.decision is None else scored.decision[rows],
    )


def interval_of(row: Metric, scored: Scored) -> tuple[float, float] | None:
    """The 95 % interval of a metric on rows that were predicted once: DeLong's for ROC AUC, else of a bootstrap."""
    from mlcore.stats import delong_interval

    if row.name == "roc_auc":
        try:
            return delong_interval(scored.truth == 1, scored.ranking())
        except NotApplicable:
            return None
    return _ends(_resampled(row, [scored])[:, 0])


def difference_of(row: Metric, first: Scored, second: Scored) -> tuple[float, float] | None:
    """The 95 % interval of the first less the second on the same rows: DeLong's for ROC AUC, else paired resamples."""
    from mlcore.stats import delong

    if row.name == "roc_auc":
        positive = first.truth == 1
        if min(positive.sum(), (~positive).sum()) < 2:
            return None
        try:
            areas, covariance = delong(positive, np.stack([first.ranking(), second.ranking()]))
        except NotApplicable:
            return None
        half = 1.959964 * float(np.sqrt(max(0.0, covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])))
        return float(areas[0] - areas[1] - half), float(areas[0] - areas[1] + half)
    found = _resampled(row, [first, second])
    return _ends(found[:, 0] - found[:, 1])


def _resampled(row: Metric, models: list[Scored]) -> Array:
    """Return (resamples, models) values on the same redrawn rows; resamples where it is undefined are left out."""
    rng = np.random.default_rng(0)
    n = len(models[0].truth)
    values = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, n, n)
        found = [compute(row, some(m, rows))[0] for m in models]
        if None not in found:
            values.append(found)
    return np.array(values, float).reshape(-1, len(models))


def _ends(values: Array) -> tuple[float, float] | None:
    if len(values) < RESAMPLES / 2:
        return None
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))
