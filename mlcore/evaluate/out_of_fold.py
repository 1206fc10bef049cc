"""The out-of-fold predictions of one model as arrays: what every view of Evaluate is computed from.

They are those of the first repeat, in which each training row is predicted once by a model that was not trained on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlcore.errors import BadChoice, NotApplicable
from mlcore.result import Array
from mlcore.runs.folder import RunFolder
from mlcore.validation.metrics import Task
from mlcore.validation.predictions import Predictions


def first_repeat(run: RunFolder, model: str) -> pd.DataFrame:
    """The predictions of the first repeat, in which each row is tested once."""
    predictions = run.predictions(model)
    return predictions[predictions["repeat"] == 0]


def classes_of(run: RunFolder) -> list[str]:
    """The classes as text, in their order."""
    return [str(c) for c in run.plan()["classes"]]


def slot_of(run: RunFolder, model: str) -> int:
    """The place of a model among the candidates, for its colour."""
    return [c.model for c in run.experiment.candidates].index(model)


@dataclass(frozen=True, kw_only=True)
class OutOfFold:
    """Rows of the file in their order, each with its fold, its truth and what one model predicted."""

    model: str
    title: str
    slot: int
    task: Task
    target: str
    rows: Array  # (n,) positions in the file
    fold: Array  # (n,)
    classes: tuple[str, ...]
    predictions: Predictions  # codes into the classes, or values

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def named(self, label: str | None) -> str:
        """A class by its label, the last one by default. Raises BadChoice."""
        if label is not None and label not in self.classes:
            raise BadChoice.of("class", label, self.classes)
        return label if label is not None else self.classes[-1]

    def scored(self, label: str | None = None) -> Scored:
        """The rows with a score for one class against the rest. Raises NotApplicable without scores."""
        positive = self.named(label)
        code, p = self.classes.index(positive), self.predictions
        if p.probabilities is not None:
            score, limit = p.probabilities[:, code], 0.5
        elif p.decision is not None:
            score, limit = (p.decision if code else -p.decision), 0.0
        else:
            raise NotApplicable(f"{self.title} predicts classes without scores, so there is no threshold to move.")
        return Scored(
            title=self.title, slot=self.slot, positive=positive, truth=p.truth == code, score=np.asarray(score, float),
            fold=self.fold, rows=self.rows, weights=np.ones(self.n) if p.weights is None else p.weights, usual=limit,
            is_probability=p.probabilities is not None,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Rows with a score for one class: the higher, the more likely."""

    title: str
    slot: int
    positive: str
    truth: Array  # (n,) booleans
    score: Array  # (n,) probabilities or decision scores
    fold: Array  # (n,)
    rows: Array  # (n,) positions in the file
    weights: Array  # (n,)
    usual: float  # the threshold at which models predict: 0.5, or 0 for decision scores
    is_probability: bool

    @property
    def prevalence(self) -> float:
        """The fraction of the rows that are of the class."""
        return float(np.average(self.truth, weights=self.weights))

    def where(self, mask: Array) -> Scored:
        """Some of the rows."""
        parts = {name: getattr(self, name)[mask] for name in ("truth", "score", "fold", "rows", "weights")}
        return replace(self, **parts)


def out_of_fold(run: RunFolder, model: str) -> OutOfFold:
    """The out-of-fold predictions of a model. Raises BadChoice, NotFound."""
    path = run.paths.predictions(model)
    if not path.exists():
        run.predictions(model)  # raises with the reason
    return _read(str(run.path), model, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _read(folder: str, model: str, _: int) -> OutOfFold:
    run = RunFolder(Path(folder))
    frame, classes, of_rows = first_repeat(run, model), classes_of(run), run.weights()
    rows = frame["row"].to_numpy()
    parts: dict[str, Any] = {"weights": None if of_rows is None else of_rows[rows]}
    if classes:
        codes = {label: i for i, label in enumerate(classes)}
        truth, prediction = (frame[c].astype(str).map(codes).to_numpy(int) for c in ("truth", "prediction"))
        if all(f"p_{c}" in frame for c in classes):
            parts["probabilities"] = frame[[f"p_{c}" for c in classes]].to_numpy(float)
        if "decision" in frame:
            parts["decision"] = frame["decision"].to_numpy(float)
    else:
        truth, prediction = (frame[c].to_numpy(float) for c in ("truth", "prediction"))
    return OutOfFold(
        model=model,
        title=run.experiment.candidate(model).label,
        slot=slot_of(run, model),
        task=run.experiment.recipe.task,
        target=run.experiment.recipe.target,
        rows=rows,
        fold=frame["fold"].to_numpy(),
        classes=tuple(classes),
        predictions=Predictions(truth, prediction, len(classes), **parts),
    )
