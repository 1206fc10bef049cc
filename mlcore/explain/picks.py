"""Rows worth explaining, chosen by their out-of-fold predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlcore.result import Array
from mlcore.runs.folder import RunFolder

MOST_LISTED = 50


@dataclass(frozen=True)
class Pick:
    """A selection of rows worth explaining."""

    name: str
    title: str
    rows: tuple[int, ...]  # positions in the file


def picks(run: RunFolder, model: str) -> tuple[Pick, ...]:
    """Rows worth explaining, by out-of-fold predictions: worst errors, most certain and correct, least certain."""
    predictions = run.predictions(model)
    predictions = predictions[predictions["repeat"] == 0]
    rows = predictions["row"].to_numpy()
    probabilities = [c for c in predictions.columns if c.startswith("p_")]
    if run.experiment.recipe.task == "regression":
        error = np.abs(predictions["prediction"].to_numpy(float) - predictions["truth"].to_numpy(float))
        return (
            _pick("worst", "Worst errors", rows, -error),
            _pick("best", "Best predictions", rows, error),
            _pick("first", "In file order", rows, rows),
        )
    wrong = (predictions["truth"].astype(str) != predictions["prediction"].astype(str)).to_numpy()
    if probabilities:
        certainty = predictions[probabilities].max(axis=1).to_numpy(float)
    elif "decision" in predictions:
        certainty = np.abs(predictions["decision"].to_numpy(float))
    else:
        certainty = np.zeros(len(predictions))
    return (
        _pick("worst", "Worst errors", rows[wrong], -certainty[wrong]),
        _pick("surest", "Most certain and correct", rows[~wrong], -certainty[~wrong]),
        _pick("doubtful", "Least certain", rows, certainty),
        _pick("first", "In file order", rows, rows),
    )


def _pick(name: str, title: str, rows: Array, key: Array) -> Pick:
    return Pick(name, title, tuple(int(r) for r in rows[np.argsort(key, kind="stable")][:MOST_LISTED]))
