"""Everything about one model, from its out-of-fold predictions.

Plots use the first repeat, in which each training row is predicted exactly once by a model that was not trained on it.
Scores and intervals are those of the leaderboard: means over all folds, with the corrected interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import pandas as pd

from mlcore.errors import BadInput, NotApplicable
from mlcore.evaluate.calibration import Calibration, calibration
from mlcore.evaluate.classes import Confusion, Curves, confusion, precision_recall, roc
from mlcore.evaluate.out_of_fold import OutOfFold, out_of_fold
from mlcore.evaluate.quantities import (
    PredictedVsActual,
    PredictionIntervals,
    Residuals,
    predicted,
    prediction_intervals,
    residuals,
)  # fmt: skip
from mlcore.evaluate.rows import LabelDoubts, label_doubts
from mlcore.evaluate.scores import Scores, scores
from mlcore.evaluate.slices import Slices, slice_columns, slices, worst_slices
from mlcore.evaluate.thresholds import Payoff, Profit, Threshold, ThresholdRule, profit, threshold
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
    threshold: Threshold | None = None
    profit: Profit | None = None
    calibration: Calibration | None = None
    intervals: PredictionIntervals | None = None
    slices: Slices | None = None
    label_doubts: LabelDoubts | None = None

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
        everything = (
            self.confusion, self.roc, self.precision_recall, self.threshold, self.profit, self.calibration,
            self.predicted, self.residuals, self.intervals, self.slices, self.label_doubts,
        )  # fmt: skip
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
        if self.task == "binary":
            out["threshold"] = self.threshold.threshold if self.threshold else None
            out["thresholds"] = self.threshold.to_json() if self.threshold else None
            out["at_threshold"] = self.threshold.rates().to_dict("records") if self.threshold else None
            out["calibration"] = self.calibration.to_json() if self.calibration else None
        if self.profit is not None:
            out["costs"] = self.profit.to_json()
        if self.residuals is not None:
            out["residuals"] = self.residuals.to_json()
            out["intervals"] = self.intervals.to_json() if self.intervals else None
        out["slices"] = self.slices.to_json() if self.slices else []
        out["label_doubts"] = self.label_doubts.to_json() if self.label_doubts else []
        return out


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What else is asked of an evaluation: a threshold, the money of each outcome, columns to slice by."""

    threshold: str | float | None = None
    costs: Sequence[float] | None = None
    by: Sequence[str] = ()


def evaluate(run: RunFolder, model: str, options: EvaluateOptions | None = None) -> Evaluation:
    """Evaluate one model of a run. Raises BadChoice, BadInput, NotApplicable, NotFound."""
    asked, recipe = options or EvaluateOptions(), run.experiment.recipe
    known = out_of_fold(run, model)
    parts = _of_quantity(run, model) if recipe.task == "regression" else _of_classes(run, known)
    if recipe.task == "binary":
        parts |= _of_two_classes(run, known, asked)
    elif asked.threshold is not None or asked.costs is not None:
        raise BadInput(f"Thresholds and costs are for two classes; {recipe.target} is {recipe.task}.")
    return Evaluation(
        model=model,
        title=known.title,
        task=recipe.task,
        n=known.n,
        scores=scores(run, [model]),
        positive=recipe.positive,
        slices=_slices(run, known, asked.by),
        **parts,
    )


def _of_quantity(run: RunFolder, model: str) -> dict[str, Any]:
    intervals = _if_any(lambda: prediction_intervals(run, model))
    return {"predicted": predicted(run, model), "residuals": residuals(run, model), "intervals": intervals}


def _of_classes(run: RunFolder, known: OutOfFold) -> dict[str, Any]:
    return {
        "confusion": confusion(run, known.model),
        "roc": _if_any(lambda: roc(run, [known.model])),
        "precision_recall": _if_any(lambda: precision_recall(run, [known.model])),
        "label_doubts": _if_any(lambda: label_doubts(known)),
    }


def _of_two_classes(run: RunFolder, known: OutOfFold, asked: EvaluateOptions) -> dict[str, Any]:
    """What hangs on a threshold. What was asked for by name is never left out in silence."""
    positive = run.experiment.recipe.positive
    parts: dict[str, Any] = {"calibration": _if_any(lambda: calibration(known.scored(positive)))}
    if asked.threshold is None:
        parts["threshold"] = _if_any(lambda: threshold(known.scored(positive)))
    else:
        parts["threshold"] = threshold(known.scored(positive), ThresholdRule.parse(str(asked.threshold)))
        parts["confusion"] = confusion(run, known.model, parts["threshold"].threshold)
    if asked.costs is not None:
        parts["profit"] = profit(known.scored(positive), Payoff.of(asked.costs))
    return parts


def _slices(run: RunFolder, known: OutOfFold, by: Sequence[str]) -> Slices | None:
    metric = run.experiment.protocol.metric_for(known.task)
    if by:
        return slices(known, metric, run.columns(known.rows, slice_columns(by)))
    return _if_any(lambda: worst_slices(known, metric, run.columns(known.rows)))


Made = TypeVar("Made")


def _if_any(make: Callable[[], Made]) -> Made | None:
    """A result, or None where the model or the rows have none."""
    try:
        return make()
    except NotApplicable:
        return None
