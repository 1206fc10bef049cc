"""The holdout: opened on purpose, and every look is counted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.comparison.leaderboard import Row, board_of
from mlcore.errors import NotFound
from mlcore.result import Array, Help, Result
from mlcore.runs.fit import predict
from mlcore.runs.folder import RunFolder
from mlcore.validation.metrics import Metric, compute, difference_of, for_task, interval_of
from mlcore.validation.predictions import Predictions
from mlcore.validation.splitter import codes_of
from mlcore.validation.target import load_target
from mlcore.wording import number


@dataclass(frozen=True, kw_only=True)
class HoldoutLook(Result):
    """The score on the holdout, and how often it has been opened."""

    model: str
    title: str
    metric: Metric
    n: int
    value: float | None
    ci: tuple[float, float] | None
    metrics: dict[str, float | None]
    looks: int
    undefined: str = ""
    expected: tuple[float, float] | None = None  # the range expected from the folds, with both errors
    optimism: float = 0.0  # of this model's score on the folds, if it was chosen because it was the best
    reference: str = ""  # the first model of this look, and the difference of this one to it
    difference: tuple[float, float] | None = None

    help: ClassVar[Help] = Help(
        "The model was fitted on all training rows and scored on rows held out before anything was chosen.",
        "This is the score to report. It should be inside the interval of the leaderboard.",
        "Looking more than once and choosing after looking: then these rows are training rows in disguise.",
        "Look once, at the end. If it disappoints, get new rows rather than another look.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per metric."""
        return pd.DataFrame({"metric": list(self.metrics), "value": list(self.metrics.values())})

    def sentence(self) -> str:
        """The score and the number of looks."""
        looks = "once" if self.looks == 1 else f"{self.looks} times"
        if self.value is None:
            return f"{self.metric.title} is undefined on the {self.n:,} holdout rows: {self.undefined}"
        sentences = [
            f"{self.title} scores {self.metric.title} {_with_interval(self.value, self.ci)} on {self.n:,} holdout rows."
        ]
        if self.difference is not None:
            low, high = self.difference
            verdict = "no measurable difference" if low <= 0 <= high else "a significant difference"
            sentences.append(f"The difference to {self.reference} is {number(low)} to {number(high)}: {verdict}.")
        elif self.expected is not None and self.expected[0] <= self.value <= self.expected[1]:
            ends = f"{number(self.expected[0])} to {number(self.expected[1])}"
            sentences.append(f"That is in line with the folds, after which {ends} was expected.")
        elif self.expected is not None:
            sentences.append(
                f"From the folds, {number(self.expected[0])} to {number(self.expected[1])} was expected: these rows "
                "are different, or it is chance."
            )
        if self.optimism > 0:
            sentences.append(
                "The best of several models is partly chosen by luck: its score on the folds is about "
                f"{number(self.optimism, 2)} too good, or a little more where models are nearly equal. This score is "
                "free of that."
            )
        return " ".join([*sentences, f"The holdout has been opened {looks}."])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "model": self.model,
            "optimism": self.optimism,
            "reference": self.reference or None,
            "difference": self.difference,
            "n": self.n,
            "metric": self.metric.name,
            "value": self.value,
            "ci": list(self.ci) if self.ci else None,
            "metrics": self.metrics,
            "looks": self.looks,
        }


def _expected(row: Row | None, ci: tuple[float, float] | None) -> tuple[float, float] | None:
    """The range expected on the holdout: the mean of the folds, with its error and that of the holdout together."""
    if row is None or row.score is None or row.ci is None or ci is None:
        return None
    half = float(np.hypot((row.ci[1] - row.ci[0]) / 2, (ci[1] - ci[0]) / 2))
    return row.score - half, row.score + half


def _with_interval(value: float, ci: tuple[float, float] | None) -> str:
    """A score with its interval, which may be lopsided."""
    return number(value) if ci is None else f"{number(value)} ({number(ci[0])} to {number(ci[1])})"


def open_holdout(run: RunFolder, models: list[str]) -> list[HoldoutLook]:
    """Score models on the holdout; one look, recorded in the run. Raises NotFound when no holdout was kept."""
    plan, experiment = run.plan(), run.experiment
    rows = plan["holdout"]
    if not rows:
        raise NotFound("This run kept no holdout, so there is nothing to open. Compare again with --holdout 0.2.")
    task = experiment.recipe.task
    row = experiment.protocol.metric_for(task)
    target = load_target(run.dataset, experiment.recipe.target, task, experiment.recipe.positive)
    truth = target.y[np.searchsorted(target.rows, rows)]
    count = len({look["look"] for look in run.holdout_looks()}) + 1
    fitted = {name: run.model(name) for name in models}  # a missing model is noticed before the rows are read
    frame = run.dataset.frame(rows=rows)
    weights = run.weights()
    board = board_of(run)
    ranked = {r.model: r for r in board.ranked()}
    looks: list[HoldoutLook] = []
    first: tuple[str, Predictions] | None = None
    for name, pipeline in fitted.items():
        predictions = predict(_Coded(pipeline, target.classes), frame, truth, len(target.classes))
        predictions = replace(predictions, weights=None if weights is None else weights[rows])
        value, why = compute(row, predictions)
        ci, title = interval_of(row, predictions), experiment.candidate(name).label
        looks.append(
            HoldoutLook(
                model=name,
                title=title,
                metric=row,
                n=len(rows),
                value=value,
                ci=ci,
                metrics={m.name: compute(m, predictions)[0] for m in for_task(task)},
                looks=count,
                undefined=why,
                expected=_expected(ranked.get(name), ci),
                optimism=board.optimism() if ranked and next(iter(ranked)) == name else 0.0,
                reference=first[0] if first is not None else "",
                difference=difference_of(row, predictions, first[1]) if first is not None else None,
            )
        )
        first = first or (title, predictions)
    _record(run, looks, count)
    return looks


def _record(run: RunFolder, looks: list[HoldoutLook], count: int) -> None:
    with run.paths.holdout.open("a", encoding="utf-8") as file:
        for look in looks:
            record = {"look": count, "when": time.strftime("%Y-%m-%dT%H:%M:%S"), **look.to_json()}
            file.write(json.dumps(record) + "\n")


class _Coded:
    """A pipeline that predicts labels, as one that predicts codes of the target's classes."""

    def __init__(self, pipeline: Any, classes: Array) -> None:
        self._pipeline, self._classes = pipeline, classes
        if len(classes):
            self.classes_ = codes_of(pipeline.classes_, classes)
        for name in ("predict_proba", "decision_function"):
            if hasattr(pipeline, name):
                setattr(self, name, getattr(self, f"_{name}"))

    def _predict_proba(self, frame: pd.DataFrame) -> Any:
        return self._pipeline.predict_proba(frame)

    def _decision_function(self, frame: pd.DataFrame) -> Any:
        """The scores of the class with the higher code, whichever comes last in the pipeline."""
        scores = self._pipeline.decision_function(frame)
        return -scores if len(self.classes_) == 2 and self.classes_[1] == 0 else scores

    def predict(self, frame: pd.DataFrame) -> Any:
        labels = self._pipeline.predict(frame)
        return codes_of(labels, self._classes) if len(self._classes) else labels
