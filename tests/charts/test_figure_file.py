from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore import explore
from mlcore.charts.figure_file import FORMATS, figure_file
from mlcore.errors import BadChoice
from mlcore.explore import PairPlotOptions, PlotOptions
from tests.helpers import frame_here


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "x": rng.normal(50, 10, 500).round(2),
            "n": rng.integers(0, 9, 500),
            "g": rng.choice(["a", "b", "c"], 500, p=[0.6, 0.3, 0.1]),
            "many": [f"level {n}" for n in rng.integers(0, 80, 500)],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 500), unit="D"),
            "flag": rng.random(500) < 0.5,
            "v": rng.integers(0, 2, 500),  # names that careless SQL would use itself
            "data": rng.normal(size=500),
            "Place": rng.normal(size=500),
        }
    )
    frame["y"] = 2 * frame["x"] + rng.normal(0, 5, 500)
    frame.loc[::7, "x"] = np.nan
    return frame


@pytest.fixture(scope="module")
def data(home, frame):
    return frame_here(frame, "explore")


@pytest.mark.parametrize("kind", FORMATS)
def test_charts_for_paper(data, kind):
    import matplotlib.pyplot as plt

    signs = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    every = (
        explore.one(data, "x", PlotOptions("g")),
        explore.relation(data, "g", "y", how=PairPlotOptions(shape="violin")),
        explore.relation(data, "when", "y"),
        explore.correlations(data, "association"),
        explore.pairs(data, ["x", "y"], "g"),
        explore.parallel(data, ["x", "y", "g"], "g"),
        explore.missingness_map(data),
    )
    for result in every if kind == "svg" else every[:2]:
        assert figure_file(result, kind).startswith(signs[kind])
    assert plt.get_fignums() == []  # nothing was drawn through global state


def test_paper_shows_text_as_it_is(home):
    odd = frame_here(pd.DataFrame({"$a_b$ <b>": range(30), "l": ["<i>x", "$y$", "&z"] * 10}), "paper")
    svg = figure_file(explore.one(odd, "l"), "svg").decode()
    assert "&lt;i&gt;x" in svg
    assert "$y$" in svg
    assert b"%PDF" in figure_file(explore.one(odd, "$a_b$ <b>"), "pdf")
    with pytest.raises(BadChoice, match="png"):
        figure_file(explore.one(odd, "l"), "gif")
