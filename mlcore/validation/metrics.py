"""The metrics, one row each: what is computed, which way is better, what it needs, and when it is undefined.

Names are scikit-learn's scorer names without `neg_`, or short ones where those are long (`rmse`, `mae`, `mape`). Errors
(RMSE, log loss …) are positive numbers, lower better. Truth and predictions of classifiers are codes 0 … k−1 into the
sorted classes; the positive class is the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mlcore.errors import BadChoice, NotApplicable
from mlcore.result import Array
from mlcore.validation import influence as of_rows
from mlcore.validation.predictions import Predictions, some
from mlcore.validation.statistics import delong, delong_interval

Task = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A row of the table of metrics. To add a metric, write its function and add a row to METRICS."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    compute: Callable[[Predictions], float]  # raises NotApplicable where it is undefined
    note: str  # what it is, in one clause
    higher_is_better: bool = True
    perfect: float = 1.0
    bounds: tuple[float, float] = (0.0, 1.0)
    pooled: bool = False  # whether it is computed on all rows of a repeat together; a mean over folds would be biased
    of_positive: bool = False  # whether it is about the positive class alone, so that the class belongs in its title
    by_row: bool = False  # whether it is a mean over rows, so that it is defined on a single row
    # (n,) how much each row moves it; without one, blocks of rows are left out in turn.
    influence: Callable[[Predictions], Array] | None = None
    # Its 95 % interval on rows predicted once, and that of the difference of two models; by default a bootstrap.
    interval: Callable[[Predictions], tuple[float, float] | None] | None = None
    difference: Callable[[Predictions, Predictions], tuple[float, float] | None] | None = None

    @property
    def sign(self) -> int:
        """1 where higher is better, otherwise −1."""
        return 1 if self.higher_is_better else -1

    def titled(self, positive: str | None) -> str:
        """The title, with the class that it is about: `F1 of disease`."""
        return f"{self.title} of {positive}" if self.of_positive and positive is not None else self.title

    def signed(self, score: Array) -> Array:
        """Scores with the sign that makes higher better."""
        return np.asarray(score, float) * self.sign

    def skill(self, score: float, baseline: float) -> float | None:
        """The fraction of the way from the baseline to a perfect score.

        It is negative for a score below the baseline, and None where the baseline is perfect.
        """
        way = self.perfect - baseline
        return None if abs(way) <= 1e-12 * max(abs(self.perfect), abs(baseline)) else (score - baseline) / way

    def rope(self, baseline: float) -> float:
        """Region of practical equivalence: 2 % of the way from the baseline to a perfect score; 1 % for errors."""
        return (0.02 if self.higher_is_better else 0.01) * abs(self.perfect - baseline)


def _binary_truth(s: Predictions) -> Array:
    positives = s.truth == 1
    if positives.all() or not positives.any():
        raise NotApplicable("These rows have only one class.")
    return np.asarray(positives)


def _roc_auc(s: Predictions) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(_binary_truth(s), s.ranking(), sample_weight=s.weights))


def _average_precision(s: Predictions) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(_binary_truth(s), s.ranking(), sample_weight=s.weights))


def _roc_auc_ovr(s: Predictions) -> float:
    from sklearn.metrics import roc_auc_score

    if s.probabilities is None:
        raise NotApplicable("This model does not predict probabilities.")
    probabilities = np.asarray(s.probabilities, float)  # not clipped and rescaled, which would break ties
    present = np.bincount(s.truth.astype(int), minlength=s.classes)
    if (present == 0).any():
        raise NotApplicable(f"{int((present == 0).sum())} of {s.classes} classes have no row among these.")
    areas = (roc_auc_score(s.truth == k, probabilities[:, k], sample_weight=s.weights) for k in range(s.classes))
    return float(np.mean(list(areas)))


def _log_loss(s: Predictions) -> float:
    return s.mean(-np.log(s.clipped()[np.arange(len(s.truth)), s.truth.astype(int)]))


def _brier(s: Predictions) -> float:
    return s.mean((s.clipped()[:, 1] - (s.truth == 1)) ** 2)


def _accuracy(s: Predictions) -> float:
    return s.mean(s.truth == s.prediction)


def _per_class(s: Predictions) -> tuple[Array, Array, Array]:
    """Hits, predicted counts and true counts per class, each (classes,), by the weights of the rows."""
    truth, prediction = s.truth.astype(int), s.prediction.astype(int)
    weights = np.ones(len(truth)) if s.weights is None else s.weights
    right = truth == prediction
    hits = np.bincount(truth[right], weights[right], s.classes)
    return hits, np.bincount(prediction, weights, s.classes), np.bincount(truth, weights, s.classes)


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _balanced_accuracy(s: Predictions) -> float:
    hits, _, true = _per_class(s)
    return float(np.mean(hits[true > 0] / true[true > 0]))  # classes without a row have no recall


def _precision_each(s: Predictions) -> Array:
    hits, predicted, _ = _per_class(s)
    return _ratio(hits, predicted)


def _recall_each(s: Predictions) -> Array:
    hits, _, true = _per_class(s)
    return _ratio(hits, true)


def _f1_each(s: Predictions) -> Array:
    hits, predicted, true = _per_class(s)
    return _ratio(2 * hits, predicted + true)


def _of_positive(each: Callable[[Predictions], Array]) -> Callable[[Predictions], float]:
    def compute(s: Predictions) -> float:
        if not (s.truth == 1).any():
            raise NotApplicable("No row is of the positive class.")
        return float(each(s)[1])

    return compute


def _macro(each: Callable[[Predictions], Array]) -> Callable[[Predictions], float]:
    def compute(s: Predictions) -> float:
        _, predicted, true = _per_class(s)
        return float(each(s)[(true > 0) | (predicted > 0)].mean())

    return compute


def _matthews(s: Predictions) -> float:
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(s.truth.astype(int), s.prediction.astype(int), sample_weight=s.weights))


def _errors(s: Predictions) -> Array:
    return np.asarray(np.abs(s.prediction.astype(float) - s.truth.astype(float)))


def _rmse(s: Predictions) -> float:
    return float(np.sqrt(s.mean(_errors(s) ** 2)))


def _mape(s: Predictions) -> float:
    zeros = int((s.truth == 0).sum())
    if zeros:
        raise NotApplicable(
            f"{zeros:,} of {len(s.truth):,} true values are zero, and a fraction of zero is undefined. "
            "Use WAPE, the sum of errors over the sum of values."
        )
    return s.mean(_errors(s) / np.abs(s.truth))


def _wape(s: Predictions) -> float:
    total = s.mean(np.abs(s.truth))
    if total == 0:
        raise NotApplicable("All true values are zero.")
    return s.mean(_errors(s)) / total


def _r2(s: Predictions) -> float:
    spread = s.mean((s.truth - s.mean(s.truth)) ** 2)
    if (
        len(s.truth) < 2 or s.truth.min() == s.truth.max()
    ):  # the mean of equal values may differ from them in the last bit
        raise NotApplicable("All true values are equal, so there is no variance to explain.")
    return 1 - s.mean(_errors(s) ** 2) / spread


def _delong_interval(s: Predictions) -> tuple[float, float] | None:
    return delong_interval(s.truth == 1, s.ranking())


def _delong_difference(first: Predictions, second: Predictions) -> tuple[float, float] | None:
    positive = first.truth == 1
    if min(positive.sum(), (~positive).sum()) < 2:
        return None
    areas, covariance = delong(positive, np.stack([first.ranking(), second.ranking()]))
    half = 1.959964 * float(np.sqrt(max(0.0, covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])))
    return float(areas[0] - areas[1] - half), float(areas[0] - areas[1] + half)


_INF = float("inf")
_BINARY: tuple[Task, ...] = ("binary",)
_MULTICLASS: tuple[Task, ...] = ("multiclass",)
_CLASSES: tuple[Task, ...] = ("binary", "multiclass")
_REGRESSION: tuple[Task, ...] = ("regression",)
METRICS: tuple[Metric, ...] = (
    Metric(
        name="roc_auc", title="ROC AUC", tasks=_BINARY, compute=_roc_auc, interval=_delong_interval,
        difference=_delong_difference,
        influence=of_rows.roc_auc,
        note="how often a positive row is ranked above a negative one; 0.5 is chance",
    ),
    Metric(
        name="balanced_accuracy", title="Balanced accuracy", tasks=_CLASSES, compute=_balanced_accuracy,
        influence=of_rows.balanced_accuracy,
        note="the mean recall of the classes, so that a large class cannot hide a small one",
    ),
    Metric(
        name="accuracy", title="Accuracy", tasks=_CLASSES, compute=_accuracy, by_row=True,
        influence=of_rows.accuracy,
        note="the proportion of rows predicted correctly",
    ),
    Metric(
        name="average_precision", title="Average precision", tasks=_BINARY, compute=_average_precision,
        of_positive=True, pooled=True,
        note="the area under the precision–recall curve; the prevalence is chance",
    ),
    Metric(
        name="roc_auc_ovr", title="ROC AUC, one vs rest", tasks=_MULTICLASS, compute=_roc_auc_ovr,
        note="the mean over classes of how well each is ranked above the rest",
    ),
    Metric(
        name="log_loss", title="Log loss", tasks=_CLASSES, compute=_log_loss, higher_is_better=False, perfect=0.0,
        bounds=(0.0, _INF), by_row=True,
        influence=of_rows.log_loss,
        note="the penalty for confident but wrong probabilities; lower is better",
    ),
    Metric(
        name="brier_score", title="Brier score", tasks=_BINARY, compute=_brier, higher_is_better=False, perfect=0.0,
        by_row=True,
        influence=of_rows.brier,
        note="mean squared error of the probability; lower is better",
    ),
    Metric(
        name="f1", of_positive=True, pooled=True, title="F1", tasks=_BINARY, compute=_of_positive(_f1_each),
        influence=of_rows.f1,
        note="the harmonic mean of precision and recall of the positive class",
    ),
    Metric(
        name="precision", title="Precision", tasks=_BINARY, compute=_of_positive(_precision_each), of_positive=True,
        pooled=True,
        influence=of_rows.precision,
        note="of the rows predicted positive, the proportion that are positive",
    ),
    Metric(
        name="recall", of_positive=True, pooled=True, title="Recall", tasks=_BINARY, compute=_of_positive(_recall_each),
        influence=of_rows.recall,
        note="of the positive rows, the proportion that are predicted positive",
    ),
    Metric(
        name="f1_macro", title="F1, macro", tasks=_MULTICLASS, compute=_macro(_f1_each),
        note="the mean over classes of F1, each class with equal weight",
    ),
    Metric(
        name="precision_macro", title="Precision, macro", tasks=_MULTICLASS, compute=_macro(_precision_each),
        note="the mean over classes of precision, each class with equal weight",
    ),
    Metric(
        name="recall_macro", title="Recall, macro", tasks=_MULTICLASS, compute=_macro(_recall_each),
        note="the mean over classes of recall, each class with equal weight",
    ),
    Metric(
        name="matthews_corrcoef", title="Matthews correlation", tasks=_CLASSES, compute=_matthews, bounds=(-1.0, 1.0),
        note="the correlation of truth and prediction; 0 is chance",
    ),
    Metric(
        name="rmse", title="RMSE", tasks=_REGRESSION, compute=_rmse, higher_is_better=False, perfect=0.0,
        bounds=(0.0, _INF),
        influence=of_rows.rmse,
        note="root mean squared error, in the target's units; large errors weigh more",
    ),
    Metric(
        name="mae", title="MAE", tasks=_REGRESSION, compute=lambda s: s.mean(_errors(s)), higher_is_better=False,
        perfect=0.0, bounds=(0.0, _INF), by_row=True,
        influence=of_rows.error,
        note="mean absolute error, in the target's units",
    ),
    Metric(
        name="median_absolute_error", title="Median absolute error", tasks=_REGRESSION,
        compute=lambda s: s.median(_errors(s)), higher_is_better=False, perfect=0.0, bounds=(0.0, _INF),
        note="half of the errors are smaller, in the target's units",
    ),
    Metric(
        name="mape", title="MAPE", tasks=_REGRESSION, compute=_mape, higher_is_better=False, perfect=0.0,
        bounds=(0.0, _INF), by_row=True,
        influence=of_rows.mape,
        note="mean absolute error as a fraction of the true value; undefined where that is zero",
    ),
    Metric(
        name="wape", title="WAPE", tasks=_REGRESSION, compute=_wape, higher_is_better=False, perfect=0.0,
        bounds=(0.0, _INF),
        influence=of_rows.wape,
        note="the sum of absolute errors over the sum of values; like MAPE, but defined with zeros",
    ),
    Metric(
        name="r2", title="R²", tasks=_REGRESSION, compute=_r2, bounds=(-_INF, 1.0),
        influence=of_rows.r2,
        note="the proportion of the variance explained; 0 is the mean, negative is worse than it",
    ),
)  # fmt: skip
DEFAULTS: dict[Task, str] = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "rmse"}


def for_task(task: Task) -> list[Metric]:
    """The metrics of a task, in the order in which they are shown."""
    return [m for m in METRICS if task in m.tasks]


def metric(name: str, task: Task) -> Metric:
    """A metric of a task by its name; `auto` is the default. Raises BadChoice."""
    name_or_default = DEFAULTS[task] if name == "auto" else name
    for row in for_task(task):
        if row.name == name_or_default:
            return row
    raise BadChoice.of(f"metric for {task}", name, [m.name for m in for_task(task)])


def compute(row: Metric, predictions: Predictions) -> tuple[float | None, str]:
    """Return the value, or None and the reason why it is undefined. A number is never invented.

    A row of weight 0 counts as absent.
    """
    if predictions.weights is not None and not predictions.weights.all():
        predictions = some(predictions, np.flatnonzero(predictions.weights))
        if not len(predictions.truth):
            return None, f"{row.title} is undefined, because all of these rows have the weight 0."
    if len(predictions.truth) == 1 and not row.by_row:
        return None, f"{row.title} is undefined on a single row, which is all that leave-one-out tests on at a time."
    try:
        value = row.compute(predictions)
    except NotApplicable as why:
        return None, str(why)
    return (value, "") if np.isfinite(value) else (None, "The predictions are not finite numbers.")


def compute_all(task: Task, predictions: Predictions) -> tuple[dict[str, float], dict[str, str]]:
    """All metrics of a task by name, and the reasons why others are undefined."""
    values, undefined = {}, {}
    for row in for_task(task):
        value, why = compute(row, predictions)
        if value is None:
            undefined[row.name] = why
        else:
            values[row.name] = value
    return values, undefined


# intervals on rows that were predicted once -------------------------------------------------------------------------

RESAMPLES = 400


def interval_of(row: Metric, predictions: Predictions) -> tuple[float, float] | None:
    """The 95 % interval of a metric on rows that were predicted once: the metric's own, otherwise a bootstrap."""
    if row.interval is None or predictions.weights is not None:
        return _percentiles(_resampled(row, [predictions])[:, 0])
    try:
        return row.interval(predictions)
    except NotApplicable:
        return None


def difference_of(row: Metric, first: Predictions, second: Predictions) -> tuple[float, float] | None:
    """The 95 % interval of the first minus the second on the same rows: the metric's own, or a paired bootstrap."""
    if row.difference is None or first.weights is not None:
        values = _resampled(row, [first, second])
        return _percentiles(values[:, 0] - values[:, 1])
    try:
        return row.difference(first, second)
    except NotApplicable:
        return None


def _resampled(row: Metric, models: list[Predictions]) -> Array:
    """Return (resamples, models) values on the same resampled rows; resamples where it is undefined are left out."""
    rng = np.random.default_rng(0)
    n = len(models[0].truth)
    resamples = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, n, n)
        values = [compute(row, some(m, rows))[0] for m in models]
        if None not in values:
            resamples.append(values)
    return np.array(resamples, float).reshape(-1, len(models))


def _percentiles(values: Array) -> tuple[float, float] | None:
    if len(values) < RESAMPLES / 2:
        return None
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


# how much each row moves a metric ------------------------------------------------------------------------------------

BLOCKS = 20  # of rows, for metrics without a formula of their own


def influence_of(row: Metric, predictions: Predictions) -> Array | None:
    """The influence (n,) of each row on a metric, with mean 0; None where the metric is undefined on these rows."""
    value, _ = compute(row, predictions)
    if value is None or len(predictions.truth) < 2:
        return None
    own = row.influence if predictions.weights is None else None
    try:
        moved = own(predictions) if own is not None else _jackknifed(row, predictions, value)
    except NotApplicable:
        return None
    return None if moved is None else np.asarray(moved - moved.mean())


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
