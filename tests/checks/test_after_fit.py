from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from mlcore.checks.after_fit import Fitted, too_good
from tests.helpers import compare_here, frame_here


def fitted(rows: pd.DataFrame, y: np.ndarray, strengths: dict[str, float]) -> Fitted:
    half = np.arange(len(y)) % 2 == 0
    folds = [(np.flatnonzero(half), np.flatnonzero(~half)), (np.flatnonzero(~half), np.flatnonzero(half))]
    return Fitted(
        rows=rows, y=y, folds=folds, task="binary", target="y", strengths=strengths,
        families={m: m for m in strengths}, titles={m: m.title() for m in strengths},
        scores={m: (1 + s) / 2 for m, s in strengths.items()},
    )  # fmt: skip


def frame(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 600)
    return pd.DataFrame(rng.normal(size=(600, 8))).add_prefix("x").assign(x0=y + rng.normal(0, 1.2, 600)), y


def test_an_ordinary_result_is_believed():
    rows, y = frame()
    assert too_good(fitted(rows, y, {"linear": 0.5, "trees": 0.45})) == []


def test_the_column_that_makes_it_perfect_is_named_with_what_is_left_without_it():
    rows, y = frame()
    rows["call"] = np.where(y == 1, "made", None)
    (alert,) = too_good(fitted(rows, y, {"linear": 0.99, "trees": 0.98}))
    assert alert.columns == ("call",)
    assert re.search(
        r"Without call a quick model falls from 1 to 0\.(6|7)", alert.text
    )  # x0 alone: Φ(1 / (1.2 √2)) = 0.72
    assert alert.fix.value == "ignore"


def test_two_columns_that_say_the_same_are_both_named():
    rows, y = frame()
    rows["call"] = y * 2.0
    rows["letter"] = np.where(y == 1, "a", "b")
    (alert,) = too_good(fitted(rows, y, {"linear": 0.99}))
    assert set(alert.columns) == {"call", "letter"}
    assert alert.fix.action == "each"


def test_a_family_far_ahead_is_looked_at():
    rows, y = frame()
    (alert,) = too_good(fitted(rows, y, {"linear": 0.3, "neighbours": 0.9}))
    assert "Neighbours" in alert.text
    assert "far ahead" in alert.text


@pytest.mark.slow  # starts real processes
def test_copies_are_named_where_no_few_columns_explain_it():
    rng = np.random.default_rng(4)
    few = pd.DataFrame(rng.normal(size=(60, 9))).add_prefix("x").assign(y=rng.integers(0, 2, 60))
    run = compare_here(frame_here(few.loc[few.index.repeat(10)].reset_index(drop=True), "copies"), "y",
                       models=["random_forest"], folds=3, repeats=1)  # fmt: skip
    codes = [a["code"] for a in run.cautions()]
    assert "too_good" in codes
    assert "duplicates" in codes
    (result,) = [a for a in run.cautions() if a["code"] == "too_good"]
    assert "no few columns explain it" in result["text"]
