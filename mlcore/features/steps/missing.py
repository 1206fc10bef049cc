"""Missing values: fill them, and mark where they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Kind
from mlcore.features.steps.base import CATEGORIES, NUMBERS, Learned, Made, Step, Training, numbers, option
from mlcore.result import Help
from mlcore.wording import several

METHODS = {
    "auto": "as each model needs it",
    "mean": "mean",
    "median": "median",
    "most_frequent": "most frequent value",
    "constant": "a constant",
    "knn": "nearest neighbours",
    "iterative": "iterative (each column from the others)",
}


@dataclass(frozen=True, kw_only=True)
class Missing(Step):
    """Fill missing values; by default as each model family needs it, with the median or left to the trees."""

    step: ClassVar[str] = "missing"
    title: ClassVar[str] = "Missing values"
    kinds: ClassVar[tuple[Kind, ...]] = (*NUMBERS, *CATEGORIES)
    help: ClassVar[Help] = Help(
        "Fills missing values with what training rows of the fold show, and can mark where they were.",
        "Automatic leaves them to trees and fills the median for other models. Nearest neighbours and iterative use "
        "the other numeric columns.",
        "That a value is missing can itself predict; without the indicator that is lost.",
        "Keep the indicator when the share of missing values differs between classes.",
    )
    method: str = option("auto", "Method", choices=METHODS)
    indicator: bool = option(True, "Add a missing indicator column")
    value: float = option(0.0, "The constant", low=-1e15, high=1e15)

    def learn(self, training: Training) -> Learned:
        """The fill of each column, or the imputer."""
        frame = training.frame
        numeric = [c for c in frame if frame[c].dtype.kind == "f"]
        gaps = [str(c) for c in frame if self.indicator and frame[c].isna().any()]
        if self.method in ("knn", "iterative"):
            return {
                "gaps": gaps,
                "numeric": numeric,
                "imputer": self._imputer(training.seed).fit(numbers(frame[numeric]).copy()),
            }
        return {"gaps": gaps, "fills": {str(c): self._fill(frame[c]) for c in frame}}

    def _imputer(self, seed: int) -> Any:
        if self.method == "knn":
            from sklearn.impute import KNNImputer

            return KNNImputer(keep_empty_features=True)
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer

        return IterativeImputer(max_iter=10, tol=1e-2, random_state=seed, keep_empty_features=True)

    def _fill(self, column: pd.Series) -> Any:
        known = column.dropna()
        if known.dtype.kind != "f":
            return None if self.method == "constant" or known.empty else str(known.mode().iloc[0])
        if self.method == "constant" or known.empty:
            return self.value
        if self.method == "most_frequent":
            return float(known.mode().iloc[0])
        return float(known.mean() if self.method == "mean" else known.median())

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The filled columns, and the indicators."""
        made: Made = {str(c): frame[c] for c in frame}
        if "imputer" in learned:
            filled = learned["imputer"].transform(numbers(frame[learned["numeric"]]).copy())
            made |= {str(c): np.asarray(filled[:, i], float) for i, c in enumerate(learned["numeric"])}
        for name, fill in learned.get("fills", {}).items():
            made[name] = frame[name].where(frame[name].notna(), "missing" if fill is None else fill)
        marks = {f"{name} missing": frame[name].isna().to_numpy() for name in learned["gaps"]}
        return {**made, **marks}

    def words(self, columns: list[str]) -> str:
        """The columns and the fill."""
        how = "left to the trees, the median for other models" if self.method == "auto" else METHODS[self.method]
        how = f"the constant {self.value:g}" if self.method == "constant" else how
        mark = ", and mark where it was missing" if self.indicator else ""
        return f"Fill missing values of {several(columns)}: {how}{mark}." if columns else "No values are missing."
