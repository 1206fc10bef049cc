"""Everything about one model, from its out-of-fold predictions.

Plots use the first repeat, in which each training row is predicted exactly once by a model that was not trained on it.
Scores and intervals are those of the leaderboard: means over all folds, with the corrected interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from mlcore.errors import NotApplicable
from mlcore.evaluate.classes import Confusion, Curves, confusion, precision_recall, roc
from mlcore.evaluate.quantities import PredictedVsActual, Residuals, predicted, residuals
from mlcore.evaluate.scores import Scores, scores
from mlcore.result import Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.validation.metrics import Task
from mlcore.wording import several


@dataclass(frozen=True, kw_only=True)
class Evaluation(Result):
    """Everything about one model, from its out-of-fold predictions."""

    model: str
    title: str
    task: Task
    n: int
    scores: Scores
    positive: str | None = None  # the class of two that binary figures are about
    confusion: Confusion | None = None
    roc: Curves | None = None
    precision_recall: Curves | None = None
    predicted: PredictedVsActual | None = None
    residuals: Residuals | None = None

    help: ClassVar[Help] = Scores.help

    def frame(self) -> pd.DataFrame:
        """One row per metric: name, title, value, low, high, undefined."""
        return pd.DataFrame(
            [
                {
                    "metric": s.metric.name,
                    "title": s.name,
                    "value": s.value,
                    "low": s.ci[0] if s.ci else None,
                    "high": s.ci[1] if s.ci else None,
                    "undefined": s.undefined,
                }
                for s in self.scores.rows
            ]
        )

    def sentence(self) -> str:
        """The first three metrics."""
        first = [f"{s.name} {s.text()}" for s in self.scores.rows if s.value is not None][:3]
        return f"{self.title} on {self.n:,} rows that it was not trained on: {several(first)}."

    def parts(self) -> list[Result]:
        """The plots that the task has."""
        everything = (self.confusion, self.roc, self.precision_recall, self.predicted, self.residuals)
        return [part for part in everything if part is not None]

    def figure(self) -> Any:
        """The first plot: the confusion matrix, or predicted against actual."""
        return self.parts()[0].figure()

    def to_json(self) -> dict[str, Any]:
        """The contract of `holdout evaluate --json`."""
        out: dict[str, Any] = {
            "model": self.model,
            "task": self.task,
            "n": self.n,
            "positive": self.positive,
            "metrics": {
                s.metric.name: {"value": s.value, "ci": list(s.ci) if s.ci else None, "undefined": s.undefined or None}
                for s in self.scores.rows
            },
        }
        if self.confusion is not None:
            out["confusion"] = {"labels": list(self.confusion.labels), "counts": self.confusion.counts.tolist()}
            out["roc"] = self.roc.to_json() if self.roc else None
            out["precision_recall"] = self.precision_recall.to_json() if self.precision_recall else None
        if self.residuals is not None:
            out["residuals"] = self.residuals.to_json()
        return out


def evaluate(run: RunFolder, model: str) -> Evaluation:
    """Evaluate one model of a run. Raises BadChoice, NotFound."""
    task = run.experiment.recipe.task
    predictions = run.predictions(model)
    plots: dict[str, Any] = {"predicted": predicted, "residuals": residuals}
    if task != "regression":
        plots = {"confusion": confusion, "roc": _single(roc), "precision_recall": _single(precision_recall)}
    return Evaluation(
        model=model,
        title=run.experiment.candidate(model).label,
        task=task,
        n=int((predictions["repeat"] == 0).sum()),
        scores=scores(run, [model]),
        positive=run.experiment.recipe.positive,
        **{name: make(run, model) for name, make in plots.items()},
    )


def _single(make: Callable[[RunFolder, list[str]], Curves]) -> Callable[[RunFolder, str], Curves | None]:
    """The curve of one model, or None where it has none."""

    def single(run: RunFolder, model: str) -> Curves | None:
        try:
            return make(run, [model])
        except NotApplicable:
            return None

    return single
