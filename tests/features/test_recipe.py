from __future__ import annotations

import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from mlcore.features.recipe import Recipe
from mlcore.features.steps import STEPS, DateParts
from tests.helpers import frame_here

SCHEMA = frame_here(pd.DataFrame({"x": range(30), "y": [0, 1] * 15}), "recipe").schema.with_target("y")


def test_a_transformer_that_is_fitted_to_rows_is_refused(monkeypatch):
    """It would see the rows of every test fold."""
    monkeypatch.setattr(DateParts, "build", lambda step, schema: StandardScaler())
    with pytest.raises(TypeError, match="is fitted to rows"):
        Recipe("y", "binary").transformers(SCHEMA)


def test_the_names_of_a_recipe_are_the_fields_of_steps_in_order():
    assert {"dates", "texts", "fill", "encode", "scale"} <= set(STEPS)  # the names that recipe files use
    assert [type(s) for s in Recipe("y", "binary").steps()] == list(STEPS.values())


def test_options_by_their_former_names_are_still_read():
    data = {"target": "y", "task": "binary", "fill": {"mark": False}, "encode": {"most_levels": 9, "rarest": 4}}
    recipe = Recipe.from_json(data)
    assert recipe.fill.indicator is False
    assert (recipe.encode.max_categories, recipe.encode.min_rows) == (9, 4)
    assert Recipe.from_json(recipe.to_json()) == recipe
