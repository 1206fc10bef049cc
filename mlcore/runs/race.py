"""The race: candidates that can no longer be in the top group of the whole comparison are stopped.

A candidate is eliminated when, with all folds done, the corrected test with Holm's adjustment would find it worse than
the best, even if its gap shrank by as much as chance allows in the folds to come. The variance of the gap is estimated
from the folds so far and, because there are few of them, from blocks of rows within each fold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlcore.result import Array
from mlcore.runs.context import Context
from mlcore.runs.predictions import read_fold
from mlcore.validation.metrics import Predictions, compute, some
from mlcore.validation.splitter import Fold
from mlcore.validation.statistics import ALPHA, t_quantile

BLOCKS = 10
ENOUGH = 20  # test rows in a block; fewer are too few to estimate a variance
EARLY, LATE = 2, 4  # folds before the first look, with and without blocks
CHANCE = 2.6  # standard errors by which a gap may still shrink (one in 200)


def first_look(run: Context) -> int:
    """After how many folds the race is looked at first."""
    return EARLY if min(len(f.test) for f in run.plan.folds) >= BLOCKS * ENOUGH else LATE


def eliminated(run: Context, folds: Sequence[Fold], by_model: dict[str, list[float | None]]) -> list[tuple[str, float]]:
    """Candidates that are out after some folds, with their gap to the best; `by_model` are their scores on these."""
    row = run.metric
    scores = {m: row.signed(np.array(v, float)) for m, v in by_model.items() if None not in v}
    if len(scores) < 2:
        return []
    best = max(scores, key=lambda m: float(scores[m].mean()))
    k, whole = len(folds), len(run.plan.folds)
    significant = t_quantile(1 - ALPHA / (2 * len(by_model)), whole - 1) * np.sqrt(1 / whole + run.plan.ratio)
    bar = significant + CHANCE * np.sqrt(1 / k - 1 / whole)
    rope = row.rope(float(np.abs(scores[best]).mean()))
    of_best = {f.key: read_fold(run, best, f.key) for f in folds}
    out = []
    for name, values in scores.items():
        gap = float((scores[best] - values).mean())
        if name != best and gap > 2 * rope:
            blocks = [_block_variance(run, of_best[f.key], read_fold(run, name, f.key)) for f in folds]
            if gap > bar * _deviation(scores[best] - values, [v for v in blocks if v is not None]):
                out.append((name, gap))
    return out


def _deviation(gaps: Array, within: list[float]) -> float:
    """The standard deviation of the gap from fold to fold: of the folds so far and of their blocks, pooled."""
    between = float(gaps.var(ddof=1)) if len(gaps) > 1 else 0.0
    if not within:
        return float(np.sqrt(between))
    mean = float(np.mean(within))
    pooled = ((len(gaps) - 1) * between + BLOCKS * mean) / (len(gaps) - 1 + BLOCKS)
    return float(np.sqrt(max(mean, pooled)))


def _block_variance(run: Context, first: Predictions, other: Predictions) -> float | None:
    """The variance of a fold's gap, from the gaps of its blocks of rows; None where there are too few rows."""
    n = len(first.truth)
    if n < BLOCKS * ENOUGH:
        return None
    order = np.random.default_rng(run.setting.seed).permutation(n)
    gaps = []
    for rows in np.array_split(order, BLOCKS):
        values = [compute(run.metric, some(s, rows))[0] for s in (first, other)]
        if None in values:
            return None
        gaps.append((values[0] or 0.0) - (values[1] or 0.0))
    return float(np.var(gaps, ddof=1)) / BLOCKS
