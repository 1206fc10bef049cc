"""Regression: predicted against actual, and residuals, from out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.bins import grouped
from mlcore.errors import NotApplicable
from mlcore.evaluate.out_of_fold import out_of_fold
from mlcore.result import Array, Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.wording import number, percent, share

MOST_POINTS = 2000
PARTS, MOST_LEVELS = 10, 12  # bins of numbers, and categories, over which errors are shown


@dataclass(frozen=True, kw_only=True)
class PredictedVsActual(Result):
    """Predicted against actual values, one point per row; many rows are sampled."""

    title: str
    slot: int
    target: str
    n: int
    row: Array
    actual: Array
    prediction: Array
    within: float  # median absolute error over all rows

    help: ClassVar[Help] = Help(
        "Each point is a row, predicted by a model that was not trained on it.",
        "On the diagonal the prediction is exact; above it, too high. A cloud that bends off the diagonal shows where "
        "the model is biased.",
        "Dense points hide each other. A wide range makes large errors look small.",
        "Look at the points farthest off: are they errors in the data, or unusual rows?",
    )

    def frame(self) -> pd.DataFrame:
        """One row per point."""
        return pd.DataFrame({"row": self.row, "actual": self.actual, "prediction": self.prediction})

    def sentence(self) -> str:
        """The median absolute error."""
        shown = "" if len(self.row) == self.n else f" ({len(self.row):,} of them shown)"
        return (
            f"{self.title}: half of the {self.n:,} predictions{shown} are within {number(self.within)} of the true "
            f"{self.target}."
        )


@dataclass(frozen=True, kw_only=True)
class Residuals(Result):
    """The distribution of the errors: prediction minus true value."""

    title: str
    slot: int
    target: str
    n: int
    edges: Array
    counts: Array
    mean: float
    low: float  # 5 % quantile
    high: float  # 95 % quantile
    over: int  # rows predicted too high

    help: ClassVar[Help] = Help(
        "The error of each row: prediction minus true value.",
        "Centred on zero and narrow is good. A long tail to the left means that large values are underestimated.",
        "A mean near zero can hide opposite errors.",
        "With a long tail, model the logarithm of the target or look at what the rows in the tail have in common.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per bin."""
        return pd.DataFrame({"from": self.edges[:-1], "to": self.edges[1:], "rows": self.counts})

    def sentence(self) -> str:
        """Bias and range, in words."""
        return (
            f"{self.title}: the mean error is {number(self.mean)}; nine of ten errors are between "
            f"{number(self.low)} and {number(self.high)}; {share(self.over, self.n)} are predicted too high."
        )

    def to_json(self) -> dict[str, Any]:
        """The statistics and the histogram as plain data."""
        return {
            "mean": self.mean,
            "p05": self.low,
            "p95": self.high,
            "edges": self.edges.tolist(),
            "counts": self.counts.tolist(),
        }


@dataclass(frozen=True, kw_only=True)
class PredictionIntervals(Result):
    """An interval around each prediction that holds the true value of so many rows (split conformal, by folds).

    `coverage` is what intervals reach on a fold when the residuals of the other folds give their width.
    """

    title: str
    target: str
    n: int
    level: float
    coverage: float
    half: float  # half of the width
    by_level: pd.DataFrame

    help: ClassVar[Help] = Help(
        "How far the true value may be from the prediction: the quantile of the absolute out-of-fold errors (conformal "
        "prediction).",
        "With a level of 90 %, nine of ten new rows lie within the interval, if they are like these.",
        "Each interval has the same width, whatever the row: too wide for easy rows, too narrow for hard ones.",
        "If errors grow with the value, model the logarithm of the target.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per level: half-width and coverage."""
        return self.by_level

    def sentence(self) -> str:
        """The interval of the level, and its coverage on folds that did not give its width."""
        return (
            f"{self.title}: {percent(self.level)} of the true values of {self.target} lie within ± {number(self.half)} "
            f"of the prediction; on folds that did not give this width, {percent(self.coverage, 1, 1)} do."
        )

    def to_json(self) -> dict[str, float]:
        """Level, coverage and width."""
        return {"level": self.level, "coverage": self.coverage, "width": 2 * self.half}


LEVELS = (0.5, 0.8, 0.9, 0.95)


def prediction_intervals(run: RunFolder, model: str, level: float = 0.9) -> PredictionIntervals:
    """Conformal intervals of a regression model from its out-of-fold errors."""
    known = out_of_fold(run, model)
    if len(np.unique(known.fold)) < 2:
        raise NotApplicable("Prediction intervals are judged on other folds, and this run has one fold.")
    errors = np.abs(known.predictions.prediction - known.predictions.truth)
    rows = []
    for one in sorted({*LEVELS, level}):
        inside = np.zeros(known.n, bool)
        for fold in np.unique(known.fold):
            test = known.fold == fold
            inside[test] = errors[test] <= (conformal(errors[~test], one) if (~test).any() else np.inf)
        rows.append({"level": one, "half-width": conformal(errors, one), "coverage": float(inside.mean())})
    table = pd.DataFrame(rows)
    chosen = table[table["level"] == level].iloc[0]
    return PredictionIntervals(
        title=known.title, target=known.target, n=known.n, level=level, coverage=float(chosen["coverage"]),
        half=float(chosen["half-width"]), by_level=table,
    )  # fmt: skip


def conformal(errors: Array, level: float) -> float:
    """The half-width: the ⌈(n + 1) · level⌉-th smallest absolute error (Vovk, Gammerman and Shafer, 2005).

    >>> conformal(np.arange(1.0, 10.0), 0.9)
    9.0
    """
    place = int(np.ceil((len(errors) + 1) * level))
    return float(np.sort(errors)[min(place, len(errors)) - 1])


@dataclass(frozen=True, kw_only=True)
class ResidualsOver(Result):
    """Residuals over the prediction, a column or time: in each bin the mean error and the range of nine tenths."""

    title: str
    slot: int
    target: str
    over: str
    bins: pd.DataFrame

    help: ClassVar[Help] = Help(
        "Rows are put into bins by the value on the x axis. The point is the mean error, the bar holds nine of ten "
        "errors.",
        "Points on 0 everywhere are good. A slope or a bend is a pattern that the model missed; bars that widen mean "
        "that errors grow.",
        "With few rows in a bin its mean moves by chance.",
        "A bend calls for a transformed column or a model that bends; widening bars for the logarithm of the target.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per bin."""
        return self.bins

    def sentence(self) -> str:
        """The bin with the largest mean error."""
        worst = max(self.bins.to_dict("records"), key=lambda b: abs(b["mean"]))
        return (
            f"{self.title}: the mean error is largest where {self.over} is about {worst['at']}: "
            f"{number(worst['mean'])} on {worst['n']:,.0f} rows."
        )


def residuals_over(run: RunFolder, model: str, values: pd.Series | None = None) -> ResidualsOver:
    """Residuals over a column of the same rows, or over the prediction."""
    known = out_of_fold(run, model)
    p = known.predictions
    error = p.prediction - p.truth
    column = pd.Series(p.prediction, name="the prediction") if values is None else values.reset_index(drop=True)
    groups = grouped(column, PARTS, MOST_LEVELS)
    rows = []
    for k, name in enumerate(groups.middles):
        part = error[groups.place == k]
        if len(part):
            low, high = np.quantile(part, [0.05, 0.95])
            rows.append({"at": name, "n": len(part), "mean": float(part.mean()), "low": low, "high": high})
    return ResidualsOver(title=known.title, slot=known.slot, target=known.target, over=str(column.name),
                         bins=pd.DataFrame(rows))  # fmt: skip


def predicted(run: RunFolder, model: str) -> PredictedVsActual:
    """Predicted against actual of one model."""
    known = out_of_fold(run, model)
    row, truth, prediction = known.rows, known.predictions.truth, known.predictions.prediction
    within, n = float(np.median(np.abs(prediction - truth))), known.n
    if n > MOST_POINTS:
        pick = np.sort(np.random.default_rng(0).choice(n, MOST_POINTS, replace=False))
        row, truth, prediction = row[pick], truth[pick], prediction[pick]
    return PredictedVsActual(
        title=known.title,
        slot=known.slot,
        target=known.target,
        n=n,
        row=row,
        actual=truth,
        prediction=prediction,
        within=within,
    )


def residuals(run: RunFolder, model: str) -> Residuals:
    """The distribution of errors of one model; the outermost 0.5 % on each side are counted in the outer bins."""
    known = out_of_fold(run, model)
    errors = known.predictions.prediction - known.predictions.truth
    low, high = np.quantile(errors, [0.005, 0.995])
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(np.clip(errors, low, high), bins=40, range=(low, high))
    return Residuals(
        title=known.title,
        slot=known.slot,
        target=known.target,
        n=len(errors),
        edges=edges,
        counts=counts,
        mean=float(errors.mean()),
        low=float(np.quantile(errors, 0.05)),
        high=float(np.quantile(errors, 0.95)),
        over=int((errors > 0).sum()),
    )
