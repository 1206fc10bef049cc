from __future__ import annotations

import numpy as np
import pandas as pd

from mlcore.checks import split
from tests.helpers import compare_here, frame_here


def test_checks_of_a_split_are_silent_on_clean_data(mixed, runs):
    for run in runs.values():
        assert [a["code"] for a in run.alerts() if a["code"] in {c for k in split.CHECKS for c in k.codes}] == []


def test_a_column_that_is_constant_where_it_is_learned_from():
    n = 120
    frame = pd.DataFrame({"t": np.arange(n), "x": np.random.default_rng(0).normal(size=n),
                          "late": np.where(np.arange(n) < 90, 0, np.arange(n) % 2), "y": np.arange(n) % 2})  # fmt: skip
    run = compare_here(frame_here(frame, "late"), "y", models=["logistic"], split="time", time="t", folds=4)
    assert [(a["code"], a["column"]) for a in run.alerts() if a["code"] == "constant_in_fold"] == [
        ("constant_in_fold", "late")]  # fmt: skip
