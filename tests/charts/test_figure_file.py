from __future__ import annotations

import pandas as pd
import pytest

from mlcore import explore
from mlcore.charts.figure_file import FORMATS, figure_file
from mlcore.errors import BadChoice
from mlcore.explore import PairPlotOptions, PlotOptions
from tests.helpers import frame_here


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
