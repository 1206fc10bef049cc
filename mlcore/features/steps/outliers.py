"""Outliers: clip them, or leave out the training rows that have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Column, Kind
from mlcore.errors import BadInput
from mlcore.features.steps.base import Learned, Made, Step, Training, Works, numbers, option
from mlcore.result import Array, Help
from mlcore.wording import several

BY = {"quantile": "quantiles", "iqr": "interquartile range"}


@dataclass(frozen=True, kw_only=True)
class Clip(Step):
    """Move values beyond limits to the limits, which training rows give."""

    step: ClassVar[str] = "clip"
    title: ClassVar[str] = "Clip outliers"
    kinds: ClassVar[tuple[Kind, ...]] = ("numeric",)
    help: ClassVar[Help] = Help(
        "Values below the low limit become the low limit, values above the high limit the high one.",
        "The limits are quantiles of the training rows, or lie k interquartile ranges beyond the quartiles.",
        "The largest values may be what matters most, as in fraud.",
        "Mark the clipped values, or compare with a logarithm.",
    )
    method: str = option("quantile", "Limits by", choices=BY)
    low: float = option(0.01, "Low quantile", low=0.0, high=0.5)
    high: float = option(0.99, "High quantile", low=0.5, high=1.0)
    factor: float = option(1.5, "Interquartile ranges (k)", low=0.1, high=100.0)
    mark: bool = option(False, "Add a column that marks clipped values")

    def learn(self, training: Training) -> Learned:
        """The limits of each column."""
        return {"limits": {str(c): self._limits(training.frame[c].dropna()) for c in training.frame}}

    def _limits(self, known: pd.Series) -> list[float]:
        if known.empty:
            return [-np.inf, np.inf]
        if self.method == "quantile":
            return [float(q) for q in np.quantile(known, [self.low, self.high])]
        lower, upper = np.quantile(known, [0.25, 0.75])
        if lower == upper:  # half of the values are equal, so the range says nothing of how far the others may lie
            return [-np.inf, np.inf]
        return [float(lower - self.factor * (upper - lower)), float(upper + self.factor * (upper - lower))]

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The clipped columns, and the marks."""
        limits = learned["limits"]
        made: Made = {n: frame[n].clip(*limits[n]) for n in limits}
        marks = {f"{n} clipped": ((frame[n] < low) | (frame[n] > high)).to_numpy() for n, (low, high) in limits.items()}
        return {**made, **(marks if self.mark else {})}

    def words(self, columns: list[str]) -> str:
        """The columns and the limits."""
        how = f"{self.factor:g} interquartile ranges beyond the quartiles"
        if self.method == "quantile":
            how = f"the {100 * self.low:g} % and {100 * self.high:g} % quantiles"
        return f"Clip {several(columns)} at {how}{', and mark clipped values' if self.mark else ''}."


WHICH = {"missing": "a missing value", "iqr": "a value beyond k interquartile ranges", "isolation_forest": "an "
         "unusual combination (isolation forest)"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DropRows(Step):
    """Leave out training rows; rows to predict are never left out."""

    step: ClassVar[str] = "drop_rows"
    title: ClassVar[str] = "Leave out training rows"
    works: ClassVar[Works] = "changes training rows only"
    help: ClassVar[Help] = Help(
        "Rows with missing values or outliers are left out of training. All rows are still predicted and scored.",
        "The score stays comparable: every model is tested on the same rows as before.",
        "Unusual rows come in use as well; a model that has never seen one can be far off there.",
        "Compare the score with and without the step.",
    )
    method: str = option("iqr", "Rows with", choices=WHICH)
    factor: float = option(3.0, "Interquartile ranges (k)", low=0.5, high=100.0)
    contamination: float = option(0.02, "Fraction of unusual rows", low=0.001, high=0.5)

    def takes(self, column: Column) -> bool:
        """Missing values are looked for in any column, outliers in numbers."""
        return self.method == "missing" or column.kind in self.kinds

    @property
    def replaces(self) -> bool:
        """No column changes."""
        return False

    def kept_rows(self, training: Training) -> Array | None:
        """The rows without what is looked for."""
        frame = training.frame
        if self.method == "missing":
            kept = frame.notna().all(axis=1).to_numpy()
        elif self.method == "iqr":
            kept = self._inside(numbers(frame))
        else:
            kept = self._usual(numbers(frame), training.seed)
        if len(np.unique(training.y[kept])) < min(2, len(np.unique(training.y))):
            raise BadInput(
                f"{self.title}: {int((~kept).sum()):,} of {len(kept):,} training rows would go, and those that stay "
                "have one value of the target. Name fewer columns, or widen the limits."
            )
        return np.flatnonzero(kept)

    def _inside(self, values: Array) -> Array:
        low, high = np.nanquantile(values, [0.25, 0.75], axis=0)
        reach = self.factor * np.where(high > low, high - low, np.inf)  # half of the values equal: no limits
        return np.asarray(~((values < low - reach) | (values > high + reach)).any(axis=1))

    def _usual(self, values: Array, seed: int) -> Array:
        from sklearn.ensemble import IsolationForest

        forest = IsolationForest(contamination=self.contamination, random_state=seed)
        return np.asarray(forest.fit_predict(np.nan_to_num(values)) == 1)

    def words(self, columns: list[str]) -> str:
        """Which rows go."""
        return f"Leave out training rows with {WHICH[self.method]} in {several(columns)}."
