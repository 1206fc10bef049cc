"""The race: which candidates cannot be in the top group of the whole comparison any more.

A candidate is out when, with all folds done, the corrected test with Holm's adjustment would tell it from the best,
even if its gap shrank by as much as chance allows in the folds to come. How much folds differ is estimated from the
differences between folds and, as there are few of them, from blocks of rows within each fold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlcore.compare.tasks import Context, read_fold
from mlcore.metrics import Scored, compute, some
from mlcore.protocol import Fold
from mlcore.result import Array
from mlcore.stats import ALPHA, t_quantile

BLOCKS = 10
ENOUGH = 20  # test rows in a block, fewer say nothing of the spread
EARLY, LATE = 2, 4  # folds before the first look, with and without blocks
CHANCE = 2.6  # standard errors by which a gap may still shrink (one in 200)


def first_look(run: Context) -> int:
    """After how many folds the race is judged first."""
    return EARLY if min(len(f.test) for f in run.plan.folds) >= BLOCKS * ENOUGH else LATE


def behind(run: Context, judged: Sequence[Fold], told: dict[str, list[float | None]]) -> list[tuple[str, float]]:
    """Candidates that are out after some folds, with their gap to the best; `told` are their fold scores."""
    row = run.metric
    scores = {m: row.signed(np.array(v, float)) for m, v in told.items() if None not in v}
    if len(scores) < 2:
        return []
    best = max(scores, key=lambda m: float(scores[m].mean()))
    k, whole = len(judged), len(run.plan.folds)
    surely = t_quantile(1 - ALPHA / (2 * len(told)), whole - 1) * np.sqrt(1 / whole + run.plan.ratio)
    bar = surely + CHANCE * np.sqrt(1 / k - 1 / whole)
    rope = row.rope(float(np.abs(scores[best]).mean()))
    first = {f.key: read_fold(run, best, f.key) for f in judged}
    out = []
    for name, values in scores.items():
        gap = float((scores[best] - values).mean())
        if name != best and gap > 2 * rope:
            spread = _spread(run, judged, (first, name), scores[best] - values)
            if gap > bar * spread:
                out.append((name, gap))
    return out


def _spread(run: Context, judged: Sequence[Fold], pair: tuple[dict[str, Scored], str], gaps: Array) -> float:
    """The standard deviation of the gap from fold to fold: of the folds so far and of their blocks, pooled."""
    first, name = pair
    between = float(gaps.var(ddof=1)) if len(gaps) > 1 else 0.0
    within = [v for f in judged if (v := _block_variance(run, first[f.key], read_fold(run, name, f.key))) is not None]
    if not within:
        return float(np.sqrt(between))
    mean = float(np.mean(within))
    pooled = ((len(gaps) - 1) * between + BLOCKS * mean) / (len(gaps) - 1 + BLOCKS)
    return float(np.sqrt(max(mean, pooled)))


def _block_variance(run: Context, first: Scored, other: Scored) -> float | None:
    """The variance of a fold's gap, from the gaps of its blocks of rows; None where rows are too few."""
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
