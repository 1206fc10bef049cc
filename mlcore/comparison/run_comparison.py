"""Two runs on the same split, compared model by model: what the change between them brought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.comparison.leaderboard import Row, board_of
from mlcore.errors import NotApplicable
from mlcore.result import Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.validation import statistics
from mlcore.validation.metrics import Metric
from mlcore.wording import plus_minus


@dataclass(frozen=True, kw_only=True)
class Change:
    """One model in both runs: its scores, and the difference between them."""

    model: str
    title: str
    before: float
    after: float
    difference: statistics.Difference  # positive is better


@dataclass(frozen=True, kw_only=True)
class RunComparison(Result):
    """Two runs on the same split: what the change between them brought to each model."""

    first: str
    second: str
    metric: Metric
    changes: tuple[Change, ...]
    best: tuple[Row, Row]

    help: ClassVar[Help] = Help(
        "Two comparisons of the same rows on the same folds, so that scores can be paired fold by fold.",
        "A dot to the right of zero: the second run is better. Its bar is the 95 % interval, corrected for the overlap "
        "of training sets.",
        "Several changes at once: then nobody knows which of them helped.",
        "Change one thing at a time, and keep it only when the bar clears zero.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per model."""
        return pd.DataFrame(
            [
                {
                    "model": c.model,
                    "title": c.title,
                    self.first: c.before,
                    self.second: c.after,
                    "better by": c.difference.mean,
                    "low": c.difference.low,
                    "high": c.difference.high,
                    "p": c.difference.p,
                }
                for c in self.changes
            ]
        )

    def sentence(self) -> str:
        """The models that changed significantly."""
        adjusted = statistics.holm([1.0 if np.isnan(c.difference.p) else c.difference.p for c in self.changes])
        significant = [c for c, p in zip(self.changes, adjusted, strict=True) if p < statistics.ALPHA]
        if not significant:
            return (
                f"No measurable difference between {self.first} and {self.second} in any of {len(self.changes)} models."
            )
        better = sum(c.difference.mean > 0 for c in significant)
        largest = max(significant, key=lambda c: abs(c.difference.mean))
        ci = (largest.difference.low, largest.difference.high)
        direction = "better" if largest.difference.mean > 0 else "worse"
        return (
            f"From {self.first} to {self.second}, {better} of {len(self.changes)} models became significantly better "
            f"and {len(significant) - better} worse; the largest change is {largest.title}, {direction} by "
            f"{plus_minus(abs(largest.difference.mean), ci)}."
        )


def why_not(first: RunFolder, second: RunFolder) -> str:
    """Why two runs cannot be compared; empty when they can."""
    a, b = first.experiment, second.experiment
    if a.source.fingerprint != b.source.fingerprint:
        return f"They are of different data: {a.source.name} and {b.source.name}."
    if (a.recipe.target, a.recipe.task) != (b.recipe.target, b.recipe.task):
        return f"They predict different targets: {a.recipe.target} and {b.recipe.target}."
    if a.protocol.metric_for(a.recipe.task) != b.protocol.metric_for(b.recipe.task):
        return "They rank by different metrics."
    splits = [r.paths.plan.exists() and r.plan().get("split") for r in (first, second)]
    if not all(splits):
        return "One of them ended before its rows were split."
    if splits[0] != splits[1]:
        return "They use different splits (seed, folds, repeats or kind), so scores cannot be compared pairwise."
    return ""


def compare_runs(first: RunFolder, second: RunFolder) -> RunComparison:
    """Compare two runs. Raises NotApplicable, with the reason, unless their splits are the same."""
    reason = why_not(first, second)
    if reason:
        raise NotApplicable(f"These two comparisons cannot be compared. {reason}")
    a, b = board_of(first), board_of(second)
    before, after = ({r.model: r for r in board.ranked()} for board in (a, b))
    shared = [m for m, row in before.items() if m in after and not row.is_baseline]
    shared = [m for m in shared if len(before[m].folds) == len(after[m].folds) > 1]
    if not shared:
        raise NotApplicable("These two comparisons have no finished model in common.")
    ratio = float(first.plan()["ratio"])
    changes = []
    for name in shared:
        old, new = (a.metric.signed(np.array(rows[name].folds)) for rows in (before, after))
        changes.append(
            Change(
                model=name,
                title=before[name].title,
                before=before[name].score or 0.0,
                after=after[name].score or 0.0,
                difference=statistics.difference(new, old, ratio),
            )
        )
    return RunComparison(
        first=first.name,
        second=second.name,
        metric=a.metric,
        changes=tuple(changes),
        best=(a.ranked()[0], b.ranked()[0]),
    )
