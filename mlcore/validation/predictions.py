"""Rows with their truth and what one model predicted for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlcore.errors import NotApplicable
from mlcore.result import Array

CLIP = 1e-15  # the same for all models, in float64: clipping by type would favour float32 boosters


@dataclass(frozen=True)
class Predictions:
    """Rows with their truth and the predictions of one model."""

    truth: Array  # (n,) codes or values
    prediction: Array  # (n,) codes or values
    classes: int = 0
    probabilities: Array | None = None  # (n, classes)
    decision: Array | None = None  # (n,) of a binary classifier without probabilities
    weights: Array | None = None  # (n,) of the rows; each counts once without them

    def mean(self, values: Array) -> float:
        """The mean of (n,) values over the rows, by their weights."""
        return float(np.average(values, weights=self.weights))

    def median(self, values: Array) -> float:
        """The median of (n,) values over the rows; with weights, half of the weight lies below it."""
        if self.weights is None:
            return float(np.median(values))
        order = np.argsort(values)
        below = np.cumsum(self.weights[order])
        return float(values[order][np.searchsorted(below, below[-1] / 2)])

    def ranking(self) -> Array:
        """Scores of the positive class: probabilities or decision values, never labels."""
        if self.probabilities is not None:
            return np.asarray(self.probabilities[:, 1])
        if self.decision is not None:
            return self.decision
        raise NotApplicable("This model predicts neither probabilities nor decision scores.")

    def clipped(self) -> Array:
        """Return (n, classes) probabilities in float64, clipped alike for all models."""
        if self.probabilities is None:
            raise NotApplicable("This model does not predict probabilities.")
        clipped = np.clip(np.asarray(self.probabilities, np.float64), CLIP, 1 - CLIP)
        return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))


def some(predictions: Predictions, rows: Array) -> Predictions:
    """Some of the rows."""
    return Predictions(
        predictions.truth[rows],
        predictions.prediction[rows],
        predictions.classes,
        None if predictions.probabilities is None else predictions.probabilities[rows],
        None if predictions.decision is None else predictions.decision[rows],
        None if predictions.weights is None else predictions.weights[rows],
    )
