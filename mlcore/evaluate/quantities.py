"""Regression: predicted against actual, and residuals, from out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.result import Array, Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.wording import number, share

MOST_POINTS = 2000


def _first_repeat(run: RunFolder, model: str) -> tuple[str, Array, Array, Array]:
    frame = run.predictions(model)
    frame = frame[frame["repeat"] == 0]
    title = run.experiment.candidate(model).label
    return title, frame["row"].to_numpy(), frame["truth"].to_numpy(float), frame["prediction"].to_numpy(float)


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


def _slot(run: RunFolder, model: str) -> int:
    return [c.model for c in run.experiment.candidates].index(model)


def predicted(run: RunFolder, model: str) -> PredictedVsActual:
    """Predicted against actual of one model."""
    title, row, truth, prediction = _first_repeat(run, model)
    within = float(np.median(np.abs(prediction - truth)))
    n = len(row)
    if n > MOST_POINTS:
        pick = np.sort(np.random.default_rng(0).choice(n, MOST_POINTS, replace=False))
        row, truth, prediction = row[pick], truth[pick], prediction[pick]
    return PredictedVsActual(
        title=title,
        slot=_slot(run, model),
        target=run.experiment.recipe.target,
        n=n,
        row=row,
        actual=truth,
        prediction=prediction,
        within=within,
    )


def residuals(run: RunFolder, model: str) -> Residuals:
    """The distribution of errors of one model; the outermost 0.5 % on each side are counted in the outer bins."""
    title, _, truth, prediction = _first_repeat(run, model)
    errors = prediction - truth
    low, high = np.quantile(errors, [0.005, 0.995])
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(np.clip(errors, low, high), bins=40, range=(low, high))
    return Residuals(
        title=title,
        slot=_slot(run, model),
        target=run.experiment.recipe.target,
        n=len(errors),
        edges=edges,
        counts=counts,
        mean=float(errors.mean()),
        low=float(np.quantile(errors, 0.05)),
        high=float(np.quantile(errors, 0.95)),
        over=int((errors > 0).sum()),
    )
