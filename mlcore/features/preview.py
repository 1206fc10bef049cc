"""What a recipe does, seen on a few rows; fitted on training rows only, as it is in a fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.dataset import Dataset
from mlcore.features.recipe import Recipe
from mlcore.models import Family
from mlcore.protocol import Protocol
from mlcore.result import Help, Result
from mlcore.target import settle

SHOWN = 10
FITTED_ON = 5000


@dataclass(frozen=True)
class Preview(Result):
    """Some training rows before and after."""

    before: pd.DataFrame
    after: pd.DataFrame
    fitted_on: int

    help: ClassVar[Help] = Help(
        "Ten training rows as they are in the file, and the numbers that a model of the chosen family gets for them.",
        "Find a cell on the left and follow it to the right: a category becomes columns or codes, a gap is filled.",
        "The numbers are learned from these training rows; in each fold they differ a little.",
        "If a column that matters has become useless, change its kind on the Data page or a step here.",
    )

    def frame(self) -> pd.DataFrame:
        """The rows as a model sees them."""
        return self.after

    def sentence(self) -> str:
        """Columns in and out."""
        return (
            f"{self.before.shape[1]} columns become {self.after.shape[1]} numbers. Learned from {self.fitted_on:,} "
            "training rows; the holdout is not touched."
        )


def preview_recipe(data: Dataset, recipe: Recipe, protocol: Protocol, family: Family) -> Preview:
    """Fit the recipe on training rows (at most 5,000) and show ten of them. Raises BadInput."""
    schema, settled = data.schema, settle(data, recipe.target, recipe.task, protocol)
    target, rows = settled.target, settled.plan.train
    if len(rows) > FITTED_ON:
        rows = np.sort(np.random.default_rng(protocol.seed).choice(rows, FITTED_ON, replace=False))
    frame = data.frame(schema.features().names).iloc[rows]
    y = target.y[np.searchsorted(target.rows, rows)]
    after = recipe.preview(schema, frame, y, family)
    return Preview(frame.head(SHOWN), after.head(SHOWN), len(rows))
