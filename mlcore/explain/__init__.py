"""Explaining predictions on a person's own columns; an explanation says how far it can be trusted, or abstains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlcore.result import Array

if TYPE_CHECKING:
    from mlcore.compare.run import Run

MOST_LISTED = 50


@dataclass(frozen=True)
class Pick:
    """A way to choose rows worth explaining."""

    name: str
    title: str
    rows: tuple[int, ...]  # positions in the file


def picks(run: Run, model: str) -> tuple[Pick, ...]:
    """Rows worth a look, by out-of-fold predictions: worst errors, surest right ones, nearest to a coin toss."""
    found = run.predictions(model)
    found = found[found["repeat"] == 0]
    rows = found["row"].to_numpy()
    shares = [c for c in found.columns if c.startswith("p_")]
    if run.experiment.recipe.task == "regression":
        error = np.abs(found["prediction"].to_numpy(float) - found["truth"].to_numpy(float))
        return (
            _pick("worst", "Worst errors", rows, -error),
            _pick("best", "Best predictions", rows, error),
            _pick("first", "In order of the file", rows, rows),
        )
    wrong = (found["truth"].astype(str) != found["prediction"].astype(str)).to_numpy()
    if shares:
        sure = found[shares].max(axis=1).to_numpy(float)
    elif "decision" in found:
        sure = np.abs(found["decision"].to_numpy(float))
    else:
        sure = np.zeros(len(found))
    return (
        _pick("worst", "Worst errors", rows[wrong], -sure[wrong]),
        _pick("surest", "Surest and right", rows[~wrong], -sure[~wrong]),
        _pick("doubtful", "Most doubtful", rows, sure),
        _pick("first", "In order of the file", rows, rows),
    )


def _pick(name: str, title: str, rows: Array, key: Array) -> Pick:
    return Pick(name, title, tuple(int(r) for r in rows[np.argsort(key, kind="stable")][:MOST_LISTED]))
