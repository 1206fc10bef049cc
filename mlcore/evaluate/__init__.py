"""Evaluating models of a run from their out-of-fold predictions; nothing is refitted.

Curves and tables use the first repeat, in which each training row is predicted exactly once by a model that did not
see it. Scores and intervals are those of the leaderboard: means over all folds, with the corrected interval.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from mlcore import stats
from mlcore.compare.leaderboard import Row, tally
from mlcore.errors import NotApplicable, NotFound
from mlcore.evaluate.classes import Confusion, Curves, confusion, precision_recall, roc
from mlcore.evaluate.quantities import Predicted, Residuals, predicted, residuals
from mlcore.metrics import Metric, Scored, Task, compute, difference_of, for_task, interval_of
from mlcore.result import Array, Help, Result, number, plus_minus, several
from mlcore.target import load_target

if TYPE_CHECKING:
    from mlcore.compare.run import Run

__all__ = [
    "Confusion",
    "Curves",
    "Evaluation",
    "HoldoutLook",
    "Predicted",
    "Residuals",
    "Scores",
    "confusion",
    "evaluate",
    "holdout_looks",
    "open_holdout",
    "precision_recall",
    "predicted",
    "residuals",
    "roc",
    "scores",
]


@dataclass(frozen=True)
class Score:
    """One metric of one model; value and interval, or the reason why there is none."""

    model: str
    title: str
    metric: Metric
    value: float | None
    ci: tuple[float, float] | None
    undefined: str


@dataclass(frozen=True)
class Scores(Result):
    """All metrics of some models, with intervals."""

    rows: tuple[Score, ...]

    help: ClassVar[Help] = Help(
        "Each metric is computed on every fold from rows that the model did not see; shown are the mean and the 95 % "
        "interval, corrected for the overlap of training sets.",
        "Compare within a column. Where intervals overlap widely, do not read a difference into the third digit.",
        "One metric alone. Accuracy with a rare class. MAPE with small true values.",
        "Choose the metric that prices your errors, and rank by that one.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a model, a column a metric: `0.842 ± 0.021`, or the word undefined."""
        cells: dict[str, dict[str, str]] = {}
        for row in self.rows:
            cells.setdefault(row.title, {})[row.metric.title] = _cell(row)
        return pd.DataFrame.from_dict(cells, orient="index").rename_axis("Model").reset_index()

    def sentence(self) -> str:
        """Say which metrics are undefined and why."""
        reasons: dict[tuple[str, str], list[str]] = {}
        for row in self.rows:
            if row.value is None:
                reasons.setdefault((row.title, row.undefined), []).append(row.metric.title)
        if not reasons:
            return "All metrics are defined for these models."
        return " ".join(
            f"{several(metrics, 9)} undefined for {title}: {why}" for (title, why), metrics in reasons.items()
        )


def _cell(row: Score) -> str:
    return "undefined" if row.value is None else plus_minus(row.value, row.ci)


def scores(run: Run, models: list[str]) -> Scores:
    """All metrics of the task for some models. Raises BadChoice for a model that the run does not have."""
    events = run.events()
    ratio = next((e["ratio"] for e in events if e["event"] == "started"), 0.25)
    found = tally(run.experiment, events)
    rows = []
    for model in models:
        one = found[run.experiment.candidate(model).model]
        for row in for_task(run.experiment.recipe.task):
            values = [f.get(row.name) for f in one.folds.values()]
            if not values or None in values:
                why = one.undefined.get(row.name) or one.reason or "It has no folds."
                rows.append(Score(model, one.title, row, None, None, why))
                continue
            mean = stats.interval(np.array(values, float), ratio)
            rows.append(Score(model, one.title, row, mean.mean, mean.within(row.bounds), ""))
    return Scores(tuple(rows))


@dataclass(frozen=True)
class Evaluation(Result):
    """All there is to say of one model from its out-of-fold predictions."""

    model: str
    title: str
    task: Task
    n: int
    scores: Scores
    confusion: Confusion | None = None
    roc: Curves | None = None
    precision_recall: Curves | None = None
    predicted: Predicted | None = None
    residuals: Residuals | None = None

    help: ClassVar[Help] = Scores.help

    def frame(self) -> pd.DataFrame:
        """The metrics: name, value, low, high, undefined."""
        return pd.DataFrame(
            [
                {
                    "metric": s.metric.name,
                    "title": s.metric.title,
                    "value": s.value,
                    "low": s.ci[0] if s.ci else None,
                    "high": s.ci[1] if s.ci else None,
                    "undefined": s.undefined,
                }
                for s in self.scores.rows
            ]
        )

    def sentence(self) -> str:
        """The first metrics, in words."""
        first = [f"{s.metric.title} {_cell(s)}" for s in self.scores.rows if s.value is not None][:3]
        return f"{self.title} on {self.n:,} rows that it did not see: {several(first)}."

    def figure(self) -> Any:
        """The picture that says most: the confusion matrix, or predicted against actual."""
        shown = self.confusion or self.predicted
        if shown is None:
            raise NotApplicable("There is nothing to draw.")
        return shown.figure()

    def to_json(self) -> dict[str, Any]:
        """The contract of `holdout evaluate --json`."""
        out: dict[str, Any] = {
            "model": self.model,
            "task": self.task,
            "n": self.n,
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


def evaluate(run: Run, model: str) -> Evaluation:
    """Evaluate one model of a run. Raises BadChoice, NotFound."""
    task = run.experiment.recipe.task
    found = run.predictions(model)
    n = int((found["repeat"] == 0).sum())
    title = run.experiment.candidate(model).title or model
    table = scores(run, [model])
    if task == "regression":
        return Evaluation(
            model, title, task, n, table, predicted=predicted(run, model), residuals=residuals(run, model)
        )
    return Evaluation(
        model,
        title,
        task,
        n,
        table,
        confusion(run, model),
        _or_none(roc, run, [model]),
        _or_none(precision_recall, run, [model]),
    )


def _or_none(make: Any, run: Run, models: list[str]) -> Curves | None:
    try:
        found: Curves = make(run, models)
    except NotApplicable:
        return None
    return found


@dataclass(frozen=True)
class HoldoutLook(Result):
    """The score on the locked rows, and how often they have been looked at."""

    model: str
    title: str
    metric: Metric
    n: int
    value: float | None
    ci: tuple[float, float] | None
    metrics: dict[str, float | None]
    looks: int
    undefined: str = ""
    expected: tuple[float, float] | None = None  # where it was to be, from the folds: both errors together
    luck: float = 0.0  # by how much the first of these models flatters on the folds, as it was chosen by its score
    beside: tuple[str, tuple[float, float]] | None = None  # the first model looked at, and this one less that

    help: ClassVar[Help] = Help(
        "The model was fitted on all training rows and scored on rows locked away before anything was chosen.",
        "This is the figure to report. It should lie in the interval of the leaderboard.",
        "Looking more than once and choosing after looking: then these rows are training rows in disguise.",
        "Look once, at the end. If it disappoints, get new rows rather than another look.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a metric."""
        return pd.DataFrame({"metric": list(self.metrics), "value": list(self.metrics.values())})

    def sentence(self) -> str:
        """Say the score and the looks."""
        looks = "once" if self.looks == 1 else f"{self.looks} times"
        if self.value is None:
            return f"{self.metric.title} is undefined on the {self.n:,} locked rows: {self.undefined}"
        said = f"{self.title} scores {self.metric.title} {_from_to(self.value, self.ci)} on {self.n:,} locked rows. "
        if self.beside is not None:
            other, (low, high) = self.beside
            apart = "no measurable difference" if low <= 0 <= high else "told apart"
            said += f"Beside {other} it differs by {number(low)} to {number(high)}: {apart}. "
        elif self.expected is not None and not self.expected[0] <= self.value <= self.expected[1]:
            said += (
                f"On the folds {number(self.expected[0])} to {number(self.expected[1])} was to be expected, so these "
                "rows are of another kind, or it was luck. "
            )
        if self.luck > 0:
            said += (
                f"The best of several models is chosen by its luck as well, on the folds by about "
                f"{number(self.luck, 2)}; this score is free of that. "
            )
        return f"{said}The holdout has been opened {looks}."

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "model": self.model,
            "luck": self.luck,
            "beside": self.beside,
            "n": self.n,
            "metric": self.metric.name,
            "value": self.value,
            "ci": list(self.ci) if self.ci else None,
            "metrics": self.metrics,
            "looks": self.looks,
        }


def _expected(row: Row | None, ci: tuple[float, float] | None) -> tuple[float, float] | None:
    """Where a score on the locked rows was to be expected: the folds' mean, give or take its error and theirs."""
    if row is None or row.score is None or row.ci is None or ci is None:
        return None
    half = float(np.hypot((row.ci[1] - row.ci[0]) / 2, (ci[1] - ci[0]) / 2))
    return row.score - half, row.score + half


def _from_to(value: float, ci: tuple[float, float] | None) -> str:
    """A score with its interval, which need not be even on both sides."""
    return number(value) if ci is None else f"{number(value)} ({number(ci[0])} to {number(ci[1])})"


def open_holdout(run: Run, models: list[str]) -> list[HoldoutLook]:
    """Score models on the locked rows; one look, written into the run. Raises NotFound when nothing was locked."""
    from mlcore.compare.tasks import predict

    plan = run.plan()
    rows = plan["holdout"]
    if not rows:
        raise NotFound("This run kept no holdout, so there is nothing to open. Compare again with --holdout 0.2.")
    experiment = run.experiment
    task, row = experiment.recipe.task, experiment.protocol.metric_for(experiment.recipe.task)
    target = load_target(run.dataset, experiment.recipe.target, task)
    truth = target.y[np.searchsorted(target.rows, rows)]
    looks = len({look["look"] for look in holdout_looks(run)}) + 1
    out: list[HoldoutLook] = []
    first: tuple[str, Scored] | None = None
    board = run.board()
    ranked = {r.model: r for r in board.ranked()}
    fitted = {name: run.model(name) for name in models}  # whatever is missing is found out before the rows are read
    frame = run.dataset.frame(rows=rows)
    for name, pipeline in fitted.items():
        scored = predict(_Coded(pipeline, target.classes), frame, truth, len(target.classes))
        value, why = compute(row, scored)
        metrics = {m.name: compute(m, scored)[0] for m in for_task(task)}
        title = experiment.candidate(name).title or name
        apart = difference_of(row, scored, first[1]) if first is not None else None
        out.append(
            HoldoutLook(
                name, title, row, len(rows), value, interval_of(row, scored), metrics, looks, why,
                _expected(ranked.get(name), interval_of(row, scored)),
                board.luck() if ranked and next(iter(ranked)) == name else 0.0,
                (first[0], apart) if first is not None and apart is not None else None,
            )
        )  # fmt: skip
        first = first or (title, scored)
    with (run.path / "holdout.jsonl").open("a", encoding="utf-8") as file:
        for look in out:
            file.write(json.dumps({"look": looks, "when": time.strftime("%Y-%m-%dT%H:%M:%S"), **look.to_json()}) + "\n")
    return out


def holdout_looks(run: Run) -> list[dict[str, Any]]:
    """All looks at the locked rows so far."""
    try:
        lines = (run.path / "holdout.jsonl").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.strip()]


class _Coded:
    """A pipeline that answers in labels, seen as one that answers in codes of the target's classes."""

    def __init__(self, pipeline: Any, classes: Array) -> None:
        self._pipeline, self._classes = pipeline, classes
        if len(classes):
            self.classes_ = np.searchsorted(classes, pipeline.classes_)
        for name in ("predict_proba", "decision_function"):
            if hasattr(pipeline, name):
                setattr(self, name, getattr(pipeline, name))

    def predict(self, frame: pd.DataFrame) -> Any:
        found = self._pipeline.predict(frame)
        return np.searchsorted(self._classes, found) if len(self._classes) else found
