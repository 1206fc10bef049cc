"""Learning curves and validation curves: the results of studies."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.comparison.leak_cost import leak_cost
from mlcore.errors import NotFound, RunFailed
from mlcore.explain.importance import importance
from mlcore.models.parameters import Parameter
from mlcore.result import Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.runs.process import launch
from mlcore.runs.study import POINTS, Point, Study, points_of, request, state_of, tunable_parameter
from mlcore.validation import statistics
from mlcore.validation.metrics import Metric
from mlcore.wording import number, plus_minus, value_text

LITTLE = 0.01  # fraction of a score that does not matter


@dataclass(frozen=True, kw_only=True)
class Level:
    """All folds at one size or value: means, the corrected interval, and the scores of the folds."""

    at: Any
    score: float
    ci: tuple[float, float] | None
    train_score: float | None
    folds: tuple[float, ...]


def _levels(points: list[Point], by: str, ratio: float, row: Metric) -> list[Level]:
    groups: dict[Any, list[Point]] = {}
    for one in sorted(points, key=lambda p: p.key):
        groups.setdefault(getattr(one, by), []).append(one)
    most = max((len(v) for v in groups.values()), default=0)
    levels = []
    for at, group in groups.items():
        scores = [p.score for p in group if p.score is not None]
        if len(scores) < most:
            continue
        train_scores = [p.train_score for p in group if p.train_score is not None]
        mean = statistics.interval(np.array(scores, float), ratio)
        levels.append(
            Level(
                at=at,
                score=mean.mean,
                ci=mean.within(row.bounds),
                train_score=float(np.mean(train_scores)) if train_scores else None,
                folds=tuple(scores),
            )
        )
    return levels


@dataclass(frozen=True, kw_only=True)
class LearningCurve(Result):
    """How the score of a model grows with the number of training rows."""

    model: str
    title: str
    metric: Metric
    levels: tuple[Level, ...]
    ratio: float

    help: ClassVar[Help] = Help(
        "The model is fitted on growing fractions of the training rows of each fold, and scored on the same test rows: "
        "at most five folds of the first repeat, so its end may differ a little from the leaderboard.",
        "Solid: test rows, with 95 % intervals. Dashed: training rows. Where the two lines meet, more rows bring "
        "nothing; a wide gap is overfitting, which more rows reduce.",
        "Anything beyond the last point is an extrapolation from the last two doublings.",
        "If the curve still climbs, get more rows. If it is flat and low, get better columns or another model.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per size."""
        return _frame(self.levels, "rows", self.metric)

    def gain(self) -> tuple[float, tuple[float, float], int, int] | None:
        """The recent gain per doubling, its interval, and the sizes it is measured between; None for too few points.

        In each fold a line is fitted to the scores over the logarithm of the rows, from a quarter of them on; the
        interval of the mean slope is the corrected one.
        """
        late = [lv for lv in self.levels if lv.at >= max(x.at for x in self.levels) / 4.2]
        if len(late) < 2 or any(len(lv.folds) < 2 for lv in late):
            return None
        x = np.log2([lv.at for lv in late])
        scores = np.array([self.metric.signed(np.array(lv.folds)) for lv in late])  # (sizes, folds)
        slopes = ((x - x.mean())[:, None] * scores).sum(axis=0) / ((x - x.mean()) ** 2).sum()
        slope = statistics.interval(slopes, self.ratio)
        return slope.mean, (slope.low, slope.high), late[0].at, late[-1].at

    def next_gain(self) -> float | None:
        """An estimate of the gain from the next doubling: gains shrink as they did recently, and never grow."""
        at = {lv.at: lv for lv in self.levels}
        last = max(at)
        half, quarter = (min(at, key=lambda s: abs(s - last / part)) for part in (2, 4))
        if not quarter < half < last:
            return None
        sizes = (last, half, quarter)
        whole, middle, first = (float(self.metric.signed(np.array(at[s].folds)).mean()) for s in sizes)
        if whole <= middle or middle <= first:
            return None
        return (whole - middle) * min(1.0, (whole - middle) / (middle - first))

    def sentence(self) -> str:
        """Whether more rows would help, and by how much."""
        recent = self.gain()
        if recent is None:
            return f"{self.title}: too few rows for a learning curve."
        gained, ci, few, many = recent
        name, size = self.metric.title, max(abs(lv.score) for lv in self.levels)
        if ci[0] <= 1e-9 * size:
            little = ci[1] < 2 * LITTLE * size
            end = "more rows of this kind would barely help" if little else "it is unclear whether more rows would help"
            return (
                f"{self.title}: from {few:,} to {many:,} rows {name} changed by {plus_minus(gained, ci)} with each "
                f"doubling: {end}."
            )
        coming = self.next_gain()
        hint = f" Twice as many rows would bring about {number(coming, 2)} more." if coming else ""
        return (
            f"{self.title}: from {few:,} to {many:,} rows {name} improved by {plus_minus(gained, ci)} with each "
            f"doubling.{hint}"
        )


@dataclass(frozen=True, kw_only=True)
class ValidationCurve(Result):
    """How the score of a model changes with one hyperparameter, on training and on test rows."""

    model: str
    title: str
    parameter: Parameter
    metric: Metric
    levels: tuple[Level, ...]

    help: ClassVar[Help] = Help(
        "The model is fitted with each value of one hyperparameter on the training rows of each fold (at most five "
        "folds of the first repeat); the others stay.",
        "Solid: test rows, with 95 % intervals. Dashed: training rows. Where both are poor it underfits; where the "
        "dashed line is good and the solid line falls off, it overfits.",
        "The best value of a curve is chosen by its scores, so its score is slightly optimistic.",
        "Take the simplest value whose interval reaches the best one.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per value."""
        return _frame(self.levels, self.parameter.name, self.metric)

    def sentence(self) -> str:
        """The best value, and whether it is at the edge of what was tried."""
        name = self.parameter.name
        if not self.levels:
            return f"{self.title}: no value of {name} has a score."
        best = max(self.levels, key=lambda lv: self.metric.sign * lv.score)
        text = f"{self.title} is best at {name} = {value_text(best.at)}: {self.metric.title} "
        text += plus_minus(best.score, best.ci)
        ends = (self.levels[0].at, self.levels[-1].at)
        if not self.parameter.choices and best.at in ends and len(self.levels) > 2:
            text += ". That is the edge of what was tried; better values may lie beyond"
        similar = [lv for lv in self.levels if best.ci and best.ci[0] <= lv.score <= best.ci[1]]
        if len(similar) == len(self.levels):
            text += ", but no value is measurably worse"
        return text + "."


def _frame(levels: tuple[Level, ...], name: str, row: Metric) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                name: lv.at,
                row.name: lv.score,
                "low": lv.ci[0] if lv.ci else None,
                "high": lv.ci[1] if lv.ci else None,
                "on training rows": lv.train_score,
            }
            for lv in levels
        ]
    )


def result(run: RunFolder, study: Study) -> Result:
    """What the points so far show. Raises NotFound when there are none."""
    return RESULTS[study.kind](run, study)


def _points(run: RunFolder, study: Study) -> tuple[list[Point], float, Metric]:
    points = points_of(run, study)
    if not points:
        raise NotFound("This study has no points yet.")
    return points, float(run.plan()["ratio"]), run.experiment.protocol.metric_for(run.experiment.recipe.task)


def _learning(run: RunFolder, study: Study) -> LearningCurve:
    points, ratio, row = _points(run, study)
    levels = sorted(_levels(points, "rows", ratio, row), key=lambda lv: lv.at)
    label = run.experiment.candidate(study.model).label
    return LearningCurve(model=study.model, title=label, metric=row, levels=tuple(levels), ratio=ratio)


def _validation(run: RunFolder, study: Study) -> ValidationCurve:
    points, ratio, row = _points(run, study)
    parameter = tunable_parameter(run, study.model, study.parameter)
    places = {v: i for i, v in enumerate(parameter.grid(POINTS))}
    levels = sorted(_levels(points, "value", ratio, row), key=lambda lv: places.get(lv.at, 0))
    label = run.experiment.candidate(study.model).label
    return ValidationCurve(model=study.model, title=label, parameter=parameter, metric=row, levels=tuple(levels))


RESULTS: dict[str, Callable[[RunFolder, Study], Result]] = {
    "learning": _learning, "validation": _validation, "leak": leak_cost, "importance": importance,
}  # fmt: skip


def learning_curve(run: RunFolder, study: Study) -> LearningCurve:
    """Carry out a study, wait for it, and return its curve. Raises BadInput, RunFailed."""
    _carry_out(run, study)
    return _learning(run, study)


def validation_curve(run: RunFolder, study: Study) -> ValidationCurve:
    """Carry out a study, wait for it, and return its curve. Raises BadInput, RunFailed."""
    _carry_out(run, study)
    return _validation(run, study)


def importance_of(run: RunFolder, study: Study) -> Result:
    """Carry out a study of a model's columns, wait for it, and return their importance. Raises BadInput, RunFailed."""
    _carry_out(run, study)
    return importance(run, study)


def _carry_out(run: RunFolder, study: Study) -> None:
    if state_of(run, study).state == "finished":
        return
    request(run, study)
    launch(run.path, part=study.part)
    while (now := state_of(run, study)).state == "running":
        time.sleep(0.1)
    if now.state != "finished":
        raise RunFailed(f"The study was {now.state}. {now.reason}".strip())
