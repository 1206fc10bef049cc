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

    def best(self) -> dict[str, str]:
        """The title of the model with the best value of each metric that is defined, by the metric's title."""
        out: dict[str, str] = {}
        for name in dict.fromkeys(r.name for r in self.rows):
            known = [r for r in self.rows if r.name == name and r.value is not None]
            if known:
                out[name] = max(known, key=lambda r: r.metric.sign * (r.value or 0.0)).title
        return out

    def _winners(self) -> str:
        best = self.best()
        titles = list(dict.fromkeys(r.title for r in self.rows))
        if len(titles) < 2 or not best:
            return ""
        wins = {t: [m for m, title in best.items() if title == t] for t in titles}
        leader = max(titles, key=lambda t: len(wins[t]))
        others = [f"{t} on {several(wins[t], 4)}" for t in titles if t != leader and wins[t]]
        rest = f"; {'; '.join(others)}" if others else ""
        return f"{leader} has the best value on {len(wins[leader])} of {len(best)} metrics{rest}. "

    def sentence(self) -> str:
        """Which model has the best value on which metric, and which metrics are undefined, with the reason."""
        reasons: dict[tuple[str, str], list[str]] = {}
        for row in self.rows:
            if row.value is None:
                reasons.setdefault((row.title, row.undefined), []).append(row.name)
        if not reasons:
            return self._winners().strip() or "All metrics are defined for this model."
        return self._winners() + " ".join(
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
