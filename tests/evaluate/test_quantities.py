from __future__ import annotations

import pytest

from mlcore.evaluate import quantities
from tests.helpers import compare_here, first_repeat_of, frame_here, others


def test_regression_pictures(runs):
    part = first_repeat_of(runs["regression"], "ridge")
    error = part["prediction"] - part["truth"]
    found = quantities.residuals(runs["regression"], "ridge")
    assert found.mean == pytest.approx(error.mean())
    assert found.counts.sum() == len(part)
    assert found.over == int((error > 0).sum())
    points = quantities.predicted(runs["regression"], "ridge")
    assert points.within == pytest.approx(error.abs().median())


def test_mape_with_zeros_says_what_to_use_instead(mixed):

    frame = mixed.frame()
    frame.loc[::9, "amount"] = 0.0
    run = compare_here(frame_here(frame, "zeros"), "amount", ignore=others("regression"), models=["ridge"], folds=3)
    found = run.evaluate("ridge").to_json()["metrics"]
    assert found["mape"]["value"] is None
    assert "zero" in found["mape"]["undefined"]
    assert "WAPE" in found["mape"]["undefined"]
    assert found["wape"]["value"] > 0
