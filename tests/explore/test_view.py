from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlcore.explore.view as view_module
from mlcore import explore
from mlcore.api import profile
from mlcore.data.filters import Filter
from mlcore.errors import NoSuchColumn, NotApplicable
from mlcore.explore import PairPlotOptions, View
from tests.helpers import HOSTILE, frame_here


def test_every_result_keeps_the_protocol(data):
    results = [
        explore.histogram(data, "x", "g"), explore.histogram(data, "when"), explore.histogram(data, "flag"),
        explore.relation(data, "x", "y"), explore.relation(data, "when", "y"), explore.relation(data, "g", "y"),
        explore.relation(data, "y", "g"), explore.relation(data, "g", "many"), explore.correlations(data),
        explore.missing(data),
    ]  # fmt: skip
    for result in results:
        assert len(result.frame())
        assert result.sentence().endswith(".")
        assert all((result.help.what, result.help.read, result.help.misleads, result.help.do))
        assert len(result.figure().to_json()) < 200_000


def test_what_cannot_be_drawn_is_said(home):
    odd = frame_here(pd.DataFrame({"empty": [None] * 9, "one": range(9)}), "odd")
    with pytest.raises(NotApplicable, match="missing"):
        explore.histogram(odd, "empty")
    with pytest.raises(NotApplicable, match="missing"):
        explore.relation(odd, "one", "empty")
    with pytest.raises(NotApplicable, match="two columns"):
        explore.correlations(odd)
    with pytest.raises(NoSuchColumn, match="Did you mean 'one'"):
        explore.histogram(odd, "on")


def test_hostile_names_and_levels(home):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({name: rng.normal(size=40) for name in HOSTILE[:3]} | {HOSTILE[5]: rng.choice(HOSTILE, 40)})
    data = frame_here(frame, "hostile")
    assert data.schema.names == list(frame.columns)
    for result in (
        explore.histogram(data, HOSTILE[0], HOSTILE[5]),
        explore.histogram(data, HOSTILE[5]),
        explore.relation(data, HOSTILE[1], HOSTILE[2], HOSTILE[5]),
        explore.relation(data, HOSTILE[5], HOSTILE[0]),
        explore.correlations(data),
    ):
        text = result.figure().to_json()
        assert "<img" not in text
        assert "</script" not in text
    profile(data)


def test_a_large_table_is_drawn_from_its_sample_and_says_so(home, monkeypatch):
    monkeypatch.setattr(view_module, "EXACT_ROWS", 100_000)
    rng = np.random.default_rng(3)
    rows = 210_000
    frame = pd.DataFrame({"x": rng.normal(size=rows), "g": rng.choice(["a", "b"], rows), "k": np.arange(rows)})
    data = frame_here(frame, "drawn")
    found = explore.one(data, "x")
    assert found.counts.sum() == rows  # counts stay exact
    assert "median ≈" in found.sentence()
    assert found.middle[1] == pytest.approx(frame["x"].median(), abs=0.02)
    few = View(data, (Filter("k", "between", (1000, 1999)),))
    points = explore.relation(few, "x", "k", how=PairPlotOptions(shape="points"))
    assert len(points.points) == points.n == 1000  # the sample holds too few of them, so all rows are asked
