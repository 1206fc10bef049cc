"""Regression: predicted against actual, and residuals, from out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.result import Array, Help, Result, number, share

if TYPE_CHECKING:
    from mlcore.compare.run import Run

MOST_POINTS = 2000


def _first(run: Run, model: str) -> tuple[str, Array, Array, Array]:
    found = run.predictions(model)
    found = found[found["repeat"] == 0]
    title = run.experiment.candidate(model).title or model
    return title, found["row"].to_numpy(), found["truth"].to_numpy(float), found["prediction"].to_numpy(float)


@dataclass(frozen=True)
class Predicted(Result):
    """Predicted against actual values, a point a row; many rows are sampled."""

    title: str
    slot: int
    target: str
    n: int
    row: Array
    actual: Array
    prediction: Array
    within: float  # median absolute error over all rows

    help: ClassVar[Help] = Help(
        "Each point is a row, predicted by a model that did not see it.",
        "On the diagonal the prediction is right; above it, too high. A cloud that bends off the diagonal shows where "
        "the model is biased.",
        "Where points are dense they hide each other. A wide range makes large errors look small.",
        "Look at the points farthest off: are they errors in the data, or rows unlike the rest?",
    )

    def frame(self) -> pd.DataFrame:
        """A row a point."""
        return pd.DataFrame({"row": self.row, "actual": self.actual, "prediction": self.prediction})

    def sentence(self) -> str:
        """How near the predictions are."""
        shown = "" if len(self.row) == self.n else f" ({len(self.row):,} of them shown)"
        return (
            f"{self.title}: half of the {self.n:,} predictions{shown} are within {number(self.within)} of the true "
            f"{self.target}."
        )


@dataclass(frozen=True)
class Residuals(Result):
    """Prediction less truth: their distribution."""

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
        "The error of each row: prediction less truth.",
        "Centred on zero and narrow is good. A long tail to the left means that large values are missed.",
        "A mean near zero can hide two opposite errors.",
        "With a long tail, model the logarithm of the target or look at what the tail's rows share.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a bin."""
        return pd.DataFrame({"from": self.edges[:-1], "to": self.edges[1:], "rows": self.counts})

    def sentence(self) -> str:
        """Bias and range, in words."""
        return (
            f"{self.title}: the mean error is {number(self.mean)}; nine of ten lie between {number(self.low)} and "
            f"{number(self.high)}; {share(self.over, self.n)} are predicted too high."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "mean": self.mean,
            "p05": self.low,
            "p95": self.high,
            "edges": self.edges.tolist(),
            "counts": self.counts.tolist(),
        }


def _slot(run: Run, model: str) -> int:
    return [c.model for c in run.experiment.candidates].index(model)


def predicted(run: Run, model: str) -> Predicted:
    """Predicted against actual of one model."""
    title, row, truth, prediction = _first(run, model)
    within = float(np.median(np.abs(prediction - truth)))
    n = len(row)
    if n > MOST_POINTS:
        pick = np.sort(np.random.default_rng(0).choice(n, MOST_POINTS, replace=False))
        row, truth, prediction = row[pick], truth[pick], prediction[pick]
    return Predicted(title, _slot(run, model), run.experiment.recipe.target, n, row, truth, prediction, within)


def residuals(run: Run, model: str) -> Residuals:
    """The distribution of errors of one model; the outermost half per cent shares the outer bins."""
    title, _, truth, prediction = _first(run, model)
    errors = prediction - truth
    low, high = np.quantile(errors, [0.005, 0.995])
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(np.clip(errors, low, high), bins=40, range=(low, high))
    return Residuals(
        title,
        _slot(run, model),
        run.experiment.recipe.target,
        len(errors),
        edges,
        counts,
        float(errors.mean()),
        float(np.quantile(errors, 0.05)),
        float(np.quantile(errors, 0.95)),
        int((errors > 0).sum()),
    )
