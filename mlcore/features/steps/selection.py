"""Selection: which columns stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Kind
from mlcore.features.steps.base import (
    CATEGORIES,
    NUMBERS,
    Learned,
    Made,
    Step,
    Training,
    Works,
    option,
    texts,
)
from mlcore.result import Array, Help
from mlcore.wording import several

SELECTIONS = {
    "variance": "most variance",
    "correlated": "one of each correlated pair",
    "univariate": "strongest alone with the target",
    "model": "most important in a forest",
    "recursive": "recursive elimination by a forest",
    "random_column": "better than a random column",
}
CORRELATED = 0.95


@dataclass(frozen=True, kw_only=True)
class Select(Step):
    """Keep some of the columns, chosen on the training rows of each fold."""

    step: ClassVar[str] = "select"
    title: ClassVar[str] = "Select columns"
    works: ClassVar[Works] = "uses the target, inside the fold"
    kinds: ClassVar[tuple[Kind, ...]] = (*NUMBERS, *CATEGORIES)
    help: ClassVar[Help] = Help(
        "Ranks the columns on the training rows of each fold, and keeps the best of them.",
        "Inside the fold it cannot leak. Chosen on all rows, even noise would seem to predict.",
        "Columns that only count together can look useless alone.",
        "Selection rarely helps trees; it makes linear models and explanations easier.",
    )
    method: str = option("univariate", "Keep", choices=SELECTIONS)
    keep: int = option(10, "Number of columns", low=1, high=100_000)

    def learn(self, training: Training) -> Learned:
        """The names of the columns that stay."""
        names = [str(c) for c in training.frame]
        codes = np.column_stack([_codes(training.frame[c]) for c in training.frame])
        if self.method == "correlated":
            return {"kept": [names[i] for i in _uncorrelated(codes)]}
        if self.method == "random_column":
            noise = np.random.default_rng(training.seed).normal(size=(len(codes), 3))
            scores = _importance(np.hstack([codes, noise]), training)
            best = [n for n, s in zip(names, scores, strict=False) if s > scores[-3:].max()]
            return {"kept": best or [names[int(np.argmax(scores[:-3]))]]}
        kept = self._ranked(codes, training)[: self.keep]
        return {"kept": [names[i] for i in sorted(kept)]}

    def _ranked(self, codes: Array, training: Training) -> list[int]:
        if self.method == "variance":
            spread = codes.std(axis=0) / np.maximum(np.abs(codes).max(axis=0), 1e-300)
            return [int(i) for i in np.argsort(-spread, kind="stable")]
        if self.method == "recursive":
            return _recursive(codes, training, self.keep)
        scores = _importance(codes, training) if self.method == "model" else _alone(codes, training)
        return [int(i) for i in np.argsort(-scores, kind="stable")]

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The columns that stay, as they are."""
        return {n: frame[n] for n in learned["kept"]}

    def words(self, columns: list[str]) -> str:
        """How columns are chosen."""
        if self.method in ("correlated", "random_column"):
            return f"Of {several(columns)}, keep {SELECTIONS[self.method]}."
        return f"Of {len(columns)} columns, keep {self.keep}: {SELECTIONS[self.method]}."


def _codes(column: pd.Series) -> Array:
    """Numbers with the median for missing ones; categories by how often they occur."""
    if column.dtype.kind == "f":
        values = column.to_numpy(float)
        return np.where(np.isnan(values), np.nanmedian(values) if column.notna().any() else 0.0, values)
    known = texts(column)
    order = {v: i for i, v in enumerate(known.value_counts().index)}
    return np.asarray(known.map(order).fillna(-1).to_numpy(float))


def _alone(codes: Array, training: Training) -> Array:
    """F statistics of each column with the target."""
    from sklearn.feature_selection import f_classif, f_regression

    varied = codes.std(axis=0) > 0
    scores = np.full(codes.shape[1], -1.0)
    with np.errstate(all="ignore"):
        test = f_regression if training.task == "regression" else f_classif
        scores[varied] = np.nan_to_num(test(codes[:, varied], training.y)[0], nan=-1.0)
    return scores


def _forest(training: Training) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if training.task == "regression" else ExtraTreesClassifier
    return kind(100, min_samples_leaf=3, random_state=training.seed)


def _importance(codes: Array, training: Training) -> Array:
    return np.asarray(_forest(training).fit(codes, training.y).feature_importances_)


def _recursive(codes: Array, training: Training, keep: int) -> list[int]:
    """Drop a fifth of the columns at a time, the least important first."""
    left = list(range(codes.shape[1]))
    while len(left) > keep:
        order = np.argsort(_importance(codes[:, left], training), kind="stable")
        gone = set(order[: max(1, min(len(left) - keep, len(left) // 5))].tolist())
        left = [column for place, column in enumerate(left) if place not in gone]
    return left


def _uncorrelated(codes: Array) -> list[int]:
    """The first column of each group of correlated ones."""
    with np.errstate(all="ignore"):
        r = np.nan_to_num(np.atleast_2d(np.corrcoef(codes, rowvar=False)))
    kept: list[int] = []
    for i in range(codes.shape[1]):
        if not any(abs(r[i, j]) > CORRELATED for j in kept):
            kept.append(i)
    return kept


@dataclass(frozen=True, kw_only=True)
class Drop(Step):
    """Leave out columns."""

    step: ClassVar[str] = "drop"
    title: ClassVar[str] = "Leave out columns"
    works: ClassVar[Works] = "row by row"
    kinds: ClassVar[tuple[Kind, ...]] = (*NUMBERS, *CATEGORIES, "datetime", "text")
    has_auto: ClassVar[bool] = False
    help: ClassVar[Help] = Help(
        "Models do not get these columns; steps before this one may use them.",
        "Use it for a column that only serves to make another.",
        "Dropping a column that leaks is better done by its role, on the Data page.",
        "Give the column the role 'ignore' to leave it out everywhere.",
    )

    def words(self, columns: list[str]) -> str:
        """The columns."""
        return f"Leave out {several(columns)}."
