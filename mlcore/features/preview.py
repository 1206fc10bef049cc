"""What a recipe does to a few rows; fitted on training rows only, as in a fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Dataset
from mlcore.features.recipe import Recipe
from mlcore.models.catalogue import Family
from mlcore.result import Help, Result
from mlcore.validation.protocol import Protocol
from mlcore.validation.target import resolve_split

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
        "Follow a value from left to right: a category becomes columns or codes, a missing value is filled.",
        "The transformations are fitted on these training rows; in each fold the numbers differ a little.",
        "If a column that matters has become useless, change its kind on the Data page or a step here.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """The rows as features of the model."""
        return self.after

    def sentence(self) -> str:
        """Columns in and out."""
        return (
            f"{self.before.shape[1]} columns become {self.after.shape[1]} numbers. Fitted on {self.fitted_on:,} "
            "training rows; the holdout is not touched."
        )


def preview_recipe(data: Dataset, recipe: Recipe, protocol: Protocol, family: Family) -> Preview:
    """Fit the recipe on training rows (5,000 at most) and show ten of them. Raises BadInput."""
    schema, split = data.schema, resolve_split(data, recipe, protocol)
    target, rows = split.target, split.plan.train
    if len(rows) > FITTED_ON:
        rows = np.sort(np.random.default_rng(protocol.seed).choice(rows, FITTED_ON, replace=False))
    frame = data.frame(schema.features().names).iloc[rows]
    y = target.y[np.searchsorted(target.rows, rows)]
    after = recipe.preview(schema, frame, y, family)
    return Preview(frame.head(SHOWN), after.head(SHOWN), len(rows))
