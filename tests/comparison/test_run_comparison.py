from __future__ import annotations

import numpy as np
import pytest

from mlcore.comparison.run_comparison import compare_runs, why_not
from mlcore.errors import NotApplicable
from tests.helpers import QUICK, compare_here, fold_scores_of, frame_here, mixed_frame, others


@pytest.mark.slow
def test_two_runs_on_the_same_split(mixed, runs):
    options = {"ignore": others("binary"), "models": ["logistic", "knn"], **QUICK}
    first = compare_here(mixed, "two", **options)
    second = compare_here(mixed, "two", recipe={"steps": [{"step": "scale", "method": "none"}]}, **options)
    found = compare_runs(first, second)
    assert {c.model for c in found.changes} == {"logistic", "knn"}
    knn = next(c for c in found.changes if c.model == "knn")
    by_hand = np.mean(np.array(fold_scores_of(second)["knn"]) - np.array(fold_scores_of(first)["knn"]))
    assert knn.difference.mean == pytest.approx(by_hand)
    assert found.figure().data
    assert "logistic" in found.frame()["model"].tolist()
    assert not why_not(first, second)
    other = compare_here(mixed, "two", seed=9, **options)
    with pytest.raises(NotApplicable, match="use different splits"):
        compare_runs(first, other)
    assert "predict different targets" in why_not(first, runs["regression"])
    assert "different data" in why_not(first, compare_here(frame_here(mixed_frame(60), "else"), "two", **options))
