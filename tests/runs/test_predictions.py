from __future__ import annotations

import numpy as np


def test_predictions_are_out_of_fold_and_complete(runs, mixed):
    run = runs["multiclass"]
    found = run.predictions("logistic")
    assert list(found.columns) == ["row", "repeat", "fold", "truth", "prediction", "p_0", "p_1", "p_2"]
    plan = run.plan()
    rows = sorted(set(range(mixed.rows)) - set(plan["holdout"]))
    for _, part in found.groupby("repeat"):
        assert sorted(part["row"]) == rows
    truth = mixed.frame()["three"]
    assert (found["truth"].to_numpy() == truth.iloc[found["row"]].to_numpy()).all()
    np.testing.assert_allclose(found[["p_0", "p_1", "p_2"]].sum(axis=1), 1)
