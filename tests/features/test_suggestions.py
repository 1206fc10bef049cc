from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore.features.recipe import Recipe
from mlcore.features.suggestions import suggestions, with_suggestions
from tests.helpers import frame_here


@pytest.fixture(scope="module")
def profile(home) -> mlcore.Profile:
    rng = np.random.default_rng(1)
    n = 400
    frame = pd.DataFrame(
        {
            "amount": rng.lognormal(3, 1.6, n),
            "start": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
            "end": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
            "page": [f"https://example.org/{k}/x?q=1" for k in rng.integers(0, 40, n)],
            "plain": rng.normal(size=n),
            "y": rng.integers(0, 2, n),
        }
    )
    frame.loc[frame["y"] == 1, "plain"] = frame["plain"].where(rng.random(n) < 0.4)  # missing, and it tells
    return mlcore.profile(frame_here(frame, "suggesting"), "y")


def test_each_suggestion_has_its_columns_and_its_reason(profile):
    offered = suggestions(profile, Recipe("y", "binary"))
    known = {s.step.step: (s.columns, s.reason) for s in offered}
    assert known["missing"][0] == ("plain",)
    assert known["url"][0] == ("page",)
    assert known["dates"][0] == ("start", "end")
    assert known["transform"][0] == ("amount",)
    assert next(s.step.method for s in offered if s.step.step == "transform") == "log"
    assert len(offered) <= 5
    assert all(s.reason.endswith(".") and s.words().endswith(".") for s in offered)


def test_what_a_recipe_has_is_not_suggested_again(profile):
    recipe = Recipe("y", "binary")
    whole = with_suggestions(recipe, suggestions(profile, recipe))
    assert {s.step for s in suggestions(profile, whole)}.isdisjoint({s.step for s in whole.steps})
    assert not suggestions(profile, with_suggestions(whole, suggestions(profile, whole)))
