"""The race: candidates that can no longer be in the top group of the whole comparison are stopped.

A candidate is eliminated when, with all folds done, the corrected test with Holm's adjustment would find it worse than
the best, even if its gap shrank by as much as chance allows in the folds to come. The variance of the gap is estimated
from the folds so far and, because there are few of them, shrunk towards what the rows show, as in the tie groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlcore.result import Array
from mlcore.runs.context import Context
from mlcore.runs.predictions import read_fold
from mlcore.validation.influence import variance_within
from mlcore.validation.metrics import influence_of
from mlcore.validation.splitter import Fold
from mlcore.validation.statistics import ALPHA, shrunk_variance, t_quantile

ENOUGH = 200  # test rows in a fold; fewer cannot stand for folds that are still to come, so there is no race
EARLY = 2  # folds before the first look
CHANCE = 2.6  # standard errors by which a gap may still shrink (one in 200)


def is_on(run: Context) -> bool:
    """Whether candidates race: where it was asked for or saves much, and every fold has enough test rows."""
    return run.experiment.protocol.races(len(run.y)) and _fewest(run) >= ENOUGH


def notes(run: Context) -> list[str]:
    """What is to be said of the race before it begins."""
    protocol = run.experiment.protocol
    if is_on(run) and protocol.race is None:
        return [
            "With this many rows, models that can no longer be in the top group are stopped after a few folds: a race. "
            "Turn the race off to see all scores."
        ]
    if protocol.race and not is_on(run):
        return [
            f"There is no race: the smallest fold has {_fewest(run)} test rows, and below {ENOUGH} a few folds cannot "
            "show which models are out. All models are scored on all folds."
        ]
    return []


def _fewest(run: Context) -> int:
    return min((len(f.test) for f in run.plan.folds), default=0)


def eliminated(
    run: Context, folds: Sequence[Fold], by_model: dict[str, list[float | None]], baseline: float | None = None
) -> list[tuple[str, float]]:
    """Candidates that are out after some folds, with their gap to the best.

    `by_model` are their scores on these folds, `baseline` is that of the baseline. The test is that of the tie groups.
    """
    row = run.metric
    scores = {m: row.signed(np.array(v, float)) for m, v in by_model.items() if None not in v}
    if len(scores) < 2:
        return []
    best = max(scores, key=lambda m: float(scores[m].mean()))
    k, whole = len(folds), len(run.plan.folds)
    rope = row.rope(row.perfect - 1.0 if baseline is None else baseline)
    of_best = [_influence(run, best, f) for f in folds]
    out = []
    for name, values in scores.items():
        gap = float((scores[best] - values).mean())
        if name == best or gap <= 2 * rope:
            continue
        variance, freedom = shrunk_variance(
            scores[best] - values, variance_within(zip(of_best, (_influence(run, name, f) for f in folds), strict=True))
        )
        freedom += whole - k  # the folds to come
        significant = t_quantile(1 - ALPHA / len(by_model), freedom) * np.sqrt(1 / whole + run.plan.ratio)
        if gap > (significant + CHANCE * np.sqrt(1 / k - 1 / whole)) * np.sqrt(variance):
            out.append((name, gap))
    return out


def _influence(run: Context, name: str, fold: Fold) -> Array | None:
    """How much each test row of a fold moves a model's score; None where there are too few rows."""
    return influence_of(run.metric, read_fold(run, name, fold.key)) if len(fold.test) >= ENOUGH else None
