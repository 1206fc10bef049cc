"""The table of metrics: every metric of some models, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from mlcore.comparison.leaderboard import score_of
from mlcore.comparison.row_evidence import row_evidence
from mlcore.result import Help, Result
from mlcore.runs.events import first
from mlcore.runs.folder import RunFolder
from mlcore.validation.metrics import Metric, for_task
from mlcore.wording import plus_minus, several


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of one model: value and interval, or the reason why there is none."""

    model: str
    title: str
    metric: Metric
    value: float | None = None
    ci: tuple[float, float] | None = None
    undefined: str = ""
    positive: str | None = None  # the class of two that binary figures are about

    @property
    def name(self) -> str:
        """The metric's title, with the class that it is about."""
        return self.metric.titled(self.positive)

    def text(self) -> str:
        """As a cell of a table: `0.842 ± 0.021`, or the word undefined."""
        return "undefined" if self.value is None else plus_minus(self.value, self.ci)


@dataclass(frozen=True, kw_only=True)
class Scores(Result):
    """All metrics of some models, with intervals."""

    rows: tuple[Score, ...]

    help: ClassVar[Help] = Help(
        "Each metric is computed on the test rows of every fold, average precision, F1, precision and recall on those "
        "of a whole repeat; shown are the mean and the 95 % interval, the wider of that of the folds and that of the "
        "rows.",
        "Compare within a row. Where intervals overlap widely, a difference in the third digit means nothing.",
        "One metric alone. Accuracy with a rare class. MAPE with small true values.",
        "Choose the metric that reflects the cost of your errors, and rank by that one.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per model, one column per metric: `0.842 ± 0.021`, or the word undefined."""
        cells: dict[str, dict[str, str]] = {}
        for row in self.rows:
            cells.setdefault(row.title, {})[row.name] = row.text()
        return pd.DataFrame.from_dict(cells, orient="index").rename_axis("Model").reset_index()

    def sentence(self) -> str:
        """Which metrics are undefined, and why."""
        reasons: dict[tuple[str, str], list[str]] = {}
        for row in self.rows:
            if row.value is None:
                reasons.setdefault((row.title, row.undefined), []).append(row.name)
        if not reasons:
            return "All metrics are defined for these models."
        return " ".join(
            f"{several(metrics, 9)} undefined for {title}: {why}" for (title, why), metrics in reasons.items()
        )


def scores(run: RunFolder, models: list[str]) -> Scores:
    """All metrics of the task for some models, as the leaderboard ranked by each gives them.

    Raises BadChoice for a model that the run does not have.
    """
    started = first(run.events(), "started")
    ratio = started["ratio"] if started else 0.25
    rows, experiment = [], run.experiment
    for model in models:
        log = run.logs()[experiment.candidate(model).model]
        for row in for_task(experiment.recipe.task):
            value, ci = score_of(log, row, row_evidence(run, model, row), ratio)
            why = "" if value is not None else log.undefined.get(row.name) or log.reason or "It has no folds."
            rows.append(
                Score(model=model, title=log.title, metric=row, value=value, ci=ci, undefined=why,
                      positive=experiment.recipe.positive)
            )  # fmt: skip
    return Scores(rows=tuple(rows))
