"""Checks after the fit: a result that is too good to be true, and the columns that make it so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mlcore.data.cast import as_numbers
from mlcore.result import Alert, Array, Fix, Help
from mlcore.validation.metrics import Task
from mlcore.wording import number, several

NEARLY_PERFECT = 0.97  # of the way from chance to perfect
STRONG, AHEAD = 0.7, 0.3  # a best family this good, and this far ahead of the second
FALLS = 0.25  # fraction of its strength that a quick model loses without the columns that are named
FEW = 0.34  # fraction of the columns that may be named, if more than one
MOST_ROWS, MOST_COLUMNS, MOST_NAMED, TREES = 4_000, 200, 4, 80
STRENGTHS: dict[Task, tuple[str, str]] = {
    "binary": ("roc_auc", "ROC AUC"),
    "multiclass": ("balanced_accuracy", "balanced accuracy"),
    "regression": ("r2", "R²"),
}

HELP = Help(
    "A model that is nearly perfect, or far better than every other family of models.",
    "The way from chance to perfect: 97 of 100 parts, or 30 parts more than the second family. A quick model is then "
    "fitted on the same folds without the columns that matter most, until it loses a quarter of its strength.",
    "Real questions are rarely so easy. Mostly a column is recorded after the outcome, or rows of one entity, or "
    "copies, are on both sides of the split.",
    "Find out when the columns named are recorded. If before the outcome, say that it is known; if not, leave them "
    "out.",
)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a comparison gave, for these checks."""

    rows: pd.DataFrame  # the training rows, cast to their kinds
    y: Array
    folds: Sequence[tuple[Array, Array]]  # (train, test) positions
    task: Task
    target: str
    strengths: Mapping[str, float]  # by model: of the way from chance to perfect
    families: Mapping[str, str]  # by model
    titles: Mapping[str, str]  # by model
    scores: Mapping[str, float]  # by model: of the metric of STRENGTHS

    @cached_property
    def classes(self) -> int:
        """The number of distinct values of the target among these rows."""
        return len(np.unique(self.y))


def strength(task: Task, score: float, classes: int) -> float:
    """How far a score is on the way from chance to perfect.

    >>> strength("binary", 0.75, 2), strength("regression", 0.5, 0)
    (0.5, 0.5)
    """
    of_chance = chance(task, classes)
    return (score - of_chance) / (1 - of_chance)


def chance(task: Task, classes: int) -> float:
    """The score of guessing: ROC AUC, balanced accuracy or R²."""
    return {"binary": 0.5, "multiclass": 1 / max(classes, 2), "regression": 0.0}[task]


def too_good(fitted: Fitted) -> list[Alert]:
    """An alert where the best model is too good to be true, with the columns that make it so."""
    ranked = sorted(fitted.strengths, key=lambda m: -fitted.strengths[m])
    if not ranked:
        return []
    best = ranked[0]
    others = [m for m in ranked if fitted.families[m] != fitted.families[best]]
    ahead = fitted.strengths[best] - max((fitted.strengths[m] for m in others), default=fitted.strengths[best])
    perfect = fitted.strengths[best] >= NEARLY_PERFECT
    if not perfect and not (fitted.strengths[best] >= STRONG and ahead >= AHEAD):
        return []
    metric = STRENGTHS[fitted.task][1]
    finding = f"{fitted.titles[best]} is nearly perfect ({metric} {number(fitted.scores[best])})"
    if not perfect:
        finding = f"{fitted.titles[best]} ({metric} {number(fitted.scores[best])}) is far ahead of all other families"
    named, whole, without = _responsible(fitted)
    if not named:
        text = (
            f"{finding}, and no few columns explain it. Check whether rows are copies, or whether several rows belong "
            "to one entity, such as a patient or a customer."
        )
        return [Alert("too_good", "high", None, text, None, HELP)]
    verb = "Is it" if len(named) == 1 else "Are they"
    text = (
        f"{finding}. Without {several(named)} a quick model falls from {number(whole)} to {number(without)}. {verb} "
        f"known before {fitted.target} is? If not, it is target leakage."
    )
    fixes = tuple(Fix("Leave it out", "role", name, "ignore") for name in named)
    fix = fixes[0] if len(fixes) == 1 else Fix(f"Leave out all {len(fixes)}", "each", None, fixes)
    parts = tuple(
        Alert("too_good", "high", name, f"{name} carries much of it.", f) for name, f in zip(named, fixes, strict=True)
    )
    return [
        Alert(
            "too_good",
            "high",
            named[0] if len(named) == 1 else None,
            text,
            fix,
            HELP,
            parts=parts if len(named) > 1 else (),
        )
    ]


def _responsible(fitted: Fitted) -> tuple[list[str], float, float]:
    """The fewest columns without which a quick model is much worse, its score with all, and without them."""
    names = list(fitted.rows.columns[:MOST_COLUMNS])
    x = np.column_stack([_coded(fitted.rows[n]) for n in names]) if names else np.empty((len(fitted.y), 0))
    whole, importance = _quick(fitted, x)
    strong = strength(fitted.task, whole, fitted.classes)
    left = list(np.argsort(-importance))
    dropped: list[int] = []
    score = whole
    while left and len(dropped) < min(MOST_NAMED, len(names)) and strong > 0.2:
        dropped.append(int(left[0]))
        kept = [j for j in range(len(names)) if j not in dropped]
        score, importance = _quick(fitted, x[:, kept]) if kept else (chance(fitted.task, fitted.classes), np.zeros(0))
        left = [kept[j] for j in np.argsort(-importance)]
        if strength(fitted.task, score, fitted.classes) <= (1 - FALLS) * strong:
            few = len(dropped) == 1 or len(dropped) <= FEW * len(names)
            return ([str(names[j]) for j in dropped] if few else []), whole, score
    return [], whole, score


def _coded(column: pd.Series) -> Array:
    numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
    return as_numbers(column).to_numpy() if numeric else pd.factorize(column)[0].astype(float)


def _quick(fitted: Fitted, x: Array) -> tuple[float, Array]:
    """The mean score of extra trees on the folds, and the importance (columns,) of each column."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

    scores: list[float] = []
    importance = np.zeros(x.shape[1])
    options: dict[str, Any] = {"n_estimators": TREES, "min_samples_leaf": 2, "random_state": 0, "max_features": 0.5}
    for train, test in fitted.folds:
        rows = np.random.default_rng(0).permutation(train)[:MOST_ROWS]
        y, truth = fitted.y[rows], fitted.y[test]
        if len(np.unique(truth)) < 2 or len(np.unique(y)) < 2:
            continue
        if fitted.task == "regression":
            model: Any = ExtraTreesRegressor(**options).fit(x[rows], y)
            scores.append(float(r2_score(truth, model.predict(x[test]))))
        else:
            model = ExtraTreesClassifier(**options).fit(x[rows], y)
            binary = fitted.task == "binary"
            scores.append(
                float(roc_auc_score(truth, model.predict_proba(x[test])[:, 1]))
                if binary
                else float(balanced_accuracy_score(truth, model.predict(x[test])))
            )
        importance += model.feature_importances_
    return (float(np.mean(scores)) if scores else chance(fitted.task, fitted.classes)), importance
