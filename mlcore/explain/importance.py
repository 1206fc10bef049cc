"""How much a model needs each column: permutation importance on rows that the model was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import NotFound
from mlcore.result import Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.runs.study import Study, points_of
from mlcore.validation import statistics
from mlcore.validation.metrics import Metric
from mlcore.wording import plus_minus, several


@dataclass(frozen=True, kw_only=True)
class Importance(Result):
    """The drop of the score when a column is shuffled: (columns,) means over the folds with their 95 % intervals."""

    model: str
    title: str
    metric: Metric
    whole: float
    columns: tuple[tuple[str, float, float, float], ...]  # name, drop, low, high; the largest first

    help: ClassVar[Help] = Help(
        "In each fold the values of one column are shuffled among the test rows, and the score is computed again "
        "(Breiman, 2001). The bar is how much worse it gets.",
        "A long bar means that the model needs the column. An interval that reaches 0 means that it may not.",
        "Two columns that say the same cover for each other, and both look unimportant. Importance is not a cause.",
        "Leave out columns without importance, and compare again. Of a column that is suspiciously strong, ask whether "
        "it is known before the outcome.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per column."""
        return pd.DataFrame(self.columns, columns=["column", "drop", "low", "high"])

    def sentence(self) -> str:
        """The columns that the model measurably needs."""
        needed = [(n, d, lo, hi) for n, d, lo, hi in self.columns if lo > 0]
        if not needed:
            return f"{self.title} needs no single column measurably."
        name, drop, low, high = needed[0]
        rest = f" It also needs {several([n for n, *_ in needed[1:]], 6)}." if len(needed) > 1 else ""
        without = len(self.columns) - len(needed)
        return (
            f"{self.title} needs {name} most: shuffled, {self.metric.title} is {plus_minus(drop, (low, high))} worse."
            f"{rest} {without} of {len(self.columns)} columns are not measurably needed."
        )

    def to_json(self) -> dict[str, Any]:
        """The contract of `holdout explain --global`."""
        return {
            "model": self.model, "metric": self.metric.name, "score": self.whole,
            "importance": [dict(zip(("column", "drop", "low", "high"), c, strict=True)) for c in self.columns],
        }  # fmt: skip


def importance(run: RunFolder, study: Study) -> Importance:
    """The importance from the points of a study so far. Raises NotFound when no column is done in every fold."""
    metric = run.experiment.protocol.metric_for(run.experiment.recipe.task)
    points, ratio = points_of(run, study), float(run.plan()["ratio"])
    whole = {p.key: p.score for p in points if p.value is None and p.score is not None}
    drops: dict[str, list[float]] = {}
    for p in sorted(points, key=lambda p: p.key):
        base = whole.get(p.key)
        if p.value is not None and p.score is not None and base is not None:
            drops.setdefault(str(p.value), []).append(metric.sign * (base - p.score))
    done = {n: v for n, v in drops.items() if len(v) == len(whole)}
    if not done:
        raise NotFound("This study has no points yet.")
    rows = []
    for name, values in done.items():
        mean = statistics.interval(np.array(values), ratio)
        rows.append((name, float(mean.mean), float(mean.low), float(mean.high)))
    return Importance(
        model=study.model, title=run.experiment.candidate(study.model).label, metric=metric,
        whole=float(np.mean(list(whole.values()))), columns=tuple(sorted(rows, key=lambda r: -r[1])),
    )  # fmt: skip
