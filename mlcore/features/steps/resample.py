"""Class balance: weights, or more or fewer training rows of a class."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlcore.data.dataset import Schema
from mlcore.errors import BadInput
from mlcore.features.steps.base import Step, Training, Works, option
from mlcore.result import Array, Help

RESAMPLINGS = {
    "weights": "the same total weight for each class",
    "over": "repeat rows of the rarer classes",
    "under": "leave out rows of the frequent classes",
    "smote": "new rows between rare ones (SMOTE; needs imbalanced-learn)",
    "shuffle": "shuffle the training rows",
}


@dataclass(frozen=True, kw_only=True)
class Resample(Step):
    """Balance the classes of the training rows; test rows are never touched."""

    step: ClassVar[str] = "resample"
    title: ClassVar[str] = "Balance classes"
    works: ClassVar[Works] = "changes training rows only"
    help: ClassVar[Help] = Help(
        "Gives rare classes more weight in training, by weights or by rows. Test rows stay as they are.",
        "More of the rare class is found, with more false positives.",
        "Probabilities no longer match frequencies: a balanced model calls a 1 % risk 50 %.",
        "Ranking metrics hardly change; moving the threshold does the same without the damage.",
    )
    method: str = option("weights", "Method", choices=RESAMPLINGS)

    def chosen(self, schema: Schema) -> list[str]:
        """It works on rows, not on columns."""
        return []

    @property
    def replaces(self) -> bool:
        """No column changes."""
        return False

    def kept_rows(self, training: Training) -> Array | None:
        """Positions of the training rows, some of them more than once, or fewer of them."""
        if self.method == "smote" and importlib.util.find_spec("imblearn") is None:
            raise BadInput(
                "SMOTE needs imbalanced-learn, which is not installed. Run `pip install 'holdout[imbalance]'`, or "
                "balance by weights."
            )
        rng, y = np.random.default_rng(training.seed), training.y
        if self.method == "shuffle":
            return rng.permutation(len(y))
        if training.task == "regression" or self.method not in ("over", "under"):
            return None
        classes, counts = np.unique(y, return_counts=True)
        wanted = counts.max() if self.method == "over" else counts.min()
        parts = [_drawn(np.flatnonzero(y == c), int(wanted), rng) for c in classes]
        return np.sort(np.concatenate(parts))

    def words(self, columns: list[str]) -> str:
        """What happens to training rows, and to probabilities."""
        if self.method == "shuffle":
            return "Shuffle the training rows."
        return f"Balance classes in training: {RESAMPLINGS[self.method]}. Probabilities no longer match frequencies."


def _drawn(rows: Array, wanted: int, rng: np.random.Generator) -> Array:
    """All rows and further ones of them, or a sample of them."""
    if wanted <= len(rows):
        return np.asarray(rng.choice(rows, wanted, replace=False))
    return np.concatenate([rows, rng.choice(rows, wanted - len(rows))])
