"""What a leak would have cost: the same folds, with one step fitted on all rows. For teaching, never for a ranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import NotFound
from mlcore.result import Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.runs.study import SIDES, Study, leaking, points_of
from mlcore.validation import statistics
from mlcore.validation.metrics import Metric
from mlcore.wording import number, plus_minus


@dataclass(frozen=True, kw_only=True)
class LeakCost(Result):
    """The score of a model whose step was fitted inside the folds, and of the same model whose step saw all rows.

    `honest` and `leaky` are (folds,) scores of the same folds.
    """

    step: str
    title: str
    metric: Metric
    honest: tuple[float, ...]
    leaky: tuple[float, ...]
    ratio: float

    help: ClassVar[Help] = Help(
        "The step is fitted a second time in the wrong way: on all rows, test rows included, before the split. The "
        "folds and the model are the same.",
        "The wrong score minus the right one is optimism: it is not there on new rows.",
        "A step that looks at no target leaks little on many rows. The wrong scores are only shown here; no "
        "leaderboard has them.",
        "Keep every step inside the folds, as a recipe does.",
    )

    def optimism(self) -> statistics.Interval:
        """The paired difference, wrong minus right, with its corrected 95 % interval; positive is too good."""
        difference = self.metric.signed(np.array(self.leaky)) - self.metric.signed(np.array(self.honest))
        return statistics.interval(difference, self.ratio)

    def frame(self) -> pd.DataFrame:
        """One row per fold."""
        return pd.DataFrame(
            {"fold": range(1, len(self.honest) + 1), SIDES[0]: list(self.honest), SIDES[1]: list(self.leaky)}
        )

    def sentence(self) -> str:
        """Both scores and the optimism."""
        optimism, name = self.optimism(), self.metric.title
        right, wrong = float(np.mean(self.honest)), float(np.mean(self.leaky))
        text = (
            f"{self.title}, {self.step}: {name} {number(wrong)} if it is fitted on all rows, {number(right)} inside "
            "the folds. "
        )
        if optimism.low > 0:
            size = plus_minus(optimism.mean, (optimism.low, optimism.high))
            return f"{text}The difference of {size} is optimism that new rows would not confirm."
        return f"{text}Here the leak makes no measurable difference."


def leak_cost(run: RunFolder, study: Study) -> LeakCost:
    """The scores of a study of a leak so far, from the folds that have both. Raises NotFound when there are none."""
    scores = {(p.key, p.value): p.score for p in points_of(run, study) if p.score is not None}
    keys = [k for k in dict.fromkeys(key for key, _ in sorted(scores)) if all((k, s) in scores for s in SIDES)]
    if not keys:
        raise NotFound("This study has no points yet.")
    honest, leaky = (tuple(float(scores[k, side]) for k in keys) for side in SIDES)
    return LeakCost(
        step=leaking(run.experiment)[study.parameter],
        title=run.experiment.candidate(study.model).label,
        metric=run.experiment.protocol.metric_for(run.experiment.recipe.task),
        honest=honest,
        leaky=leaky,
        ratio=float(run.plan()["ratio"]),
    )
