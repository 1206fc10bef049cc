"""Intervals, corrected tests and tie groups: the conclusions that scores of folds support.

Scores of folds are not independent, because their training sets overlap; a plain paired t-test declares a winner among
equal models in about half of all comparisons. The correction is Nadeau and Bengio's (Inference for the Generalization
Error, Machine Learning 52, 2003): the variance of the mean is s²·(1/k + n_test/n_train) instead of s²/k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlcore.result import Array

ALPHA = 0.05


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the width."""
        return (self.high - self.low) / 2

    def within(self, bounds: tuple[float, float]) -> tuple[float, float] | None:
        """The interval clipped to the bounds of a metric; None when there was only one fold."""
        if not np.isfinite(self.low):
            return None
        return max(self.low, bounds[0]), min(self.high, bounds[1])


@dataclass(frozen=True)
class Difference:
    """The difference between two models on the same folds: first minus second."""

    mean: float
    low: float
    high: float
    p: float  # two-sided, of the hypothesis of no difference
    p_better: float  # one-sided, of the hypothesis that the first is not better
    better: float  # probability that the first is better by more than the region of practical equivalence
    equal: float
    worse: float


def interval(scores: Array, ratio: float, level: float = 0.95) -> Interval:
    """Return the corrected interval of a mean score.

    `scores` are (k,) scores of folds (all repeats), `ratio` is n_test / n_train of a fold.
    One fold gives no interval: low and high are NaN.
    """
    values = np.asarray(scores, float)
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, float("nan"), float("nan"))
    half = t_quantile((1 + level) / 2, len(values) - 1) * _error(values, ratio)
    return Interval(mean, mean - half, mean + half)


def difference(first: Array, second: Array, ratio: float, rope: float = 0.0, within: float | None = None) -> Difference:
    """Compare two models by their scores on the same folds (higher is better).

    The test is Nadeau and Bengio's corrected resampled t-test; the three probabilities are the posterior of the
    correlated Bayesian t-test in its closed form (Benavoli et al., JMLR 18, 2017), which is the same distribution.
    `within` is the variance of a fold's difference that its rows show: the variance of the folds is shrunk towards it.
    """
    d = np.asarray(first, float) - np.asarray(second, float)
    mean = float(d.mean())
    variance, freedom = shrunk_variance(d, within)
    error = float(np.sqrt(variance * (1 / len(d) + ratio))) if len(d) > 1 else 0.0
    rounding = 1e-12 * float(max(np.abs(first).max(), np.abs(second).max()))  # rounding error at the size of the scores
    if error <= rounding:
        testable = len(d) > 1
        p = float("nan") if not testable else 1.0 if abs(mean) <= rounding else 0.0
        one = float("nan") if not testable else 0.0 if mean > rounding else 1.0
        return Difference(mean, mean, mean, p, one, float(mean > rope), float(abs(mean) <= rope), float(mean < -rope))
    half = t_quantile(0.975, freedom) * error
    tail, above, below = (t_below(x, freedom) for x in (-abs(mean) / error, (mean - rope) / error,
                                                        (-rope - mean) / error))  # fmt: skip
    one = t_below(-mean / error, freedom)
    return Difference(mean, mean - half, mean + half, 2 * tail, one, above, max(0.0, 1 - above - below), below)


ROW_FREEDOM = 10  # degrees of freedom that the variance from the rows counts as


def shrunk_variance(gaps: Array, within: float | None) -> tuple[float, int]:
    """The variance of a difference from fold to fold, and its degrees of freedom.

    `gaps` (k,) are the differences of the folds. A variance of few folds is unsteady, so it is shrunk towards the
    variance that the rows of the folds show, which is also its floor (after Smyth, SAGMB 3, 2004).
    """
    freedom = len(gaps) - 1
    between = float(np.asarray(gaps, float).var(ddof=1)) if freedom > 0 else 0.0
    if within is None:
        return between, max(freedom, 1)
    pooled = (freedom * between + ROW_FREEDOM * within) / (freedom + ROW_FREEDOM)
    return max(pooled, within), freedom + ROW_FREEDOM


def t_below(x: float, freedom: int) -> float:
    """The probability of less than x under Student's t; like `scipy.stats`, which takes half a second to import."""
    from scipy.special import stdtr

    return float(stdtr(freedom, x))


def t_quantile(probability: float, freedom: int) -> float:
    """The quantile of Student's t for a probability."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, probability))


def _error(values: Array, ratio: float) -> float:
    return float(np.sqrt(values.var(ddof=1) * (1 / len(values) + ratio)))


def delong(positive: Array, rankings: Array) -> tuple[Array, Array]:
    """The areas under ROC curves of models on the same rows, and their covariance.

    `positive` is (n,) booleans, `rankings` (models, n) scores. DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988)
    by the ranks of Sun and Xu (IEEE Signal Processing Letters 21, 2014). Needs two rows of each class.
    """
    from scipy import stats

    positives, scores = np.asarray(positive, bool), np.atleast_2d(np.asarray(rankings, float))
    pos, neg = scores[:, positives], scores[:, ~positives]
    m, n = pos.shape[1], neg.shape[1]
    all_ranks = stats.rankdata(np.hstack([pos, neg]), axis=1)
    areas = (all_ranks[:, :m].sum(axis=1) - m * (m + 1) / 2) / (m * n)
    of_pos = (all_ranks[:, :m] - stats.rankdata(pos, axis=1)) / n
    of_neg = 1 - (all_ranks[:, m:] - stats.rankdata(neg, axis=1)) / m
    return areas, np.atleast_2d(np.cov(of_pos)) / m + np.atleast_2d(np.cov(of_neg)) / n


def delong_interval(positive: Array, ranking: Array, level: float = 0.95) -> tuple[float, float] | None:
    """The interval of one area on the logit scale, so that it stays within 0 and 1; None for fewer than two rows."""
    from scipy import stats

    positives = np.asarray(positive, bool)
    if min(positives.sum(), (~positives).sum()) < 2:
        return None
    areas, covariance = delong(positives, ranking)
    area, error = float(areas[0]), float(np.sqrt(covariance[0, 0]))
    if error == 0 or not 0 < area < 1:
        return None
    z = float(stats.norm.ppf((1 + level) / 2)) * error / (area * (1 - area))
    logit = np.log(area / (1 - area))
    return float(1 / (1 + np.exp(z - logit))), float(1 / (1 + np.exp(-z - logit)))


def wilson(hits: float, n: float, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson, 1927).

    >>> tuple(round(v, 3) for v in wilson(0, 10))
    (0.0, 0.278)
    """
    p, scale = hits / n, 1 + z * z / n
    centre, half = (p + z * z / (2 * n)) / scale, z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def posterior_draws(scores: Array, ratio: float, times: int = 4000, seed: int = 0) -> Array:
    """Return (times, models) mean scores that other samples of the same size might have given.

    `scores` is (k, models) of the same folds. The draws are multivariate t; their differences have the distribution
    of the corrected test: covariance of the folds times (1/k + n_test/n_train), k − 1 degrees of freedom.
    """
    values = np.asarray(scores, float)
    k = len(values)
    rng = np.random.default_rng(seed)
    centred = values - values.mean(axis=0)
    deviations = rng.normal(size=(times, k)) @ centred / np.sqrt(k - 1)
    scale = np.sqrt((1 / k + ratio) * (k - 1) / rng.chisquare(k - 1, size=(times, 1)))
    return np.asarray(values.mean(axis=0) + scale * deviations)


def probability_best(scores: Array, ratio: float) -> Array:
    """Fraction of draws in which each model is best; (k, models) scores, higher is better. Ties are divided."""
    draws = posterior_draws(scores, ratio)
    best = draws >= draws.max(axis=1, keepdims=True) - 1e-12
    return np.asarray((best / best.sum(axis=1, keepdims=True)).mean(axis=0))


def winners_curse(scores: Array, ratio: float) -> float:
    """By how much the best of several models overstates its score, on average: the winner's curse."""
    draws = posterior_draws(scores, ratio)
    winners = draws.argmax(axis=1)
    means = np.asarray(scores, float).mean(axis=0)
    return float(np.mean(draws[np.arange(len(draws)), winners] - means[winners]))


def holm(p: list[float]) -> list[float]:
    """Adjust p-values for their number (Holm, 1979); order is kept.

    >>> [round(x, 3) for x in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)
    adjusted, running = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = running
    return adjusted


Within = Callable[[int], float | None]  # the variance that the rows show of the difference to another model


def significantly_worse(
    best: Array, others: list[Array], ratio: float, rope: float = 0.0, within: Within | None = None
) -> list[bool]:
    """Whether each other model is significantly worse than the best.

    The one-sided corrected test must be significant after Holm's adjustment, and the mean difference must exceed
    `rope`, the region of practical equivalence. All are (k,) scores of the same folds, higher is better.
    """
    differences = [
        difference(best, other, ratio, within=within(i) if within is not None else None)
        for i, other in enumerate(others)
    ]
    adjusted = holm([1.0 if np.isnan(d.p_better) else d.p_better for d in differences])
    return [p < ALPHA and d.mean > rope for d, p in zip(differences, adjusted, strict=True)]


def tie_groups(
    scores: dict[str, Array], ratio: float, rope: float = 0.0, within: Callable[[str, str], float | None] | None = None
) -> dict[str, int]:
    """Group models that do not differ significantly from the best of their group; group 1 holds the best.

    `scores` maps a model to its (k,) fold scores, higher is better, same folds; `within` gives the variance that the
    rows show of the difference of two models. A model below one that is significantly worse is so too, so that a
    group is consecutive in the ranking. The other models are grouped in the same way.
    """
    remaining = sorted(scores, key=lambda m: -float(np.mean(scores[m])))
    groups: dict[str, int] = {}
    number = 0
    while remaining:
        number += 1
        best, others = remaining[0], remaining[1:]
        of = None if within is None else _within_of(within, best, others)
        worse = significantly_worse(scores[best], [scores[m] for m in others], ratio, rope, of)
        end = worse.index(True) if True in worse else len(others)
        groups.update(dict.fromkeys([best, *others[:end]], number))
        remaining = others[end:]
    return groups


def _within_of(within: Callable[[str, str], float | None], best: str, others: list[str]) -> Within:
    return lambda i: within(best, others[i])
