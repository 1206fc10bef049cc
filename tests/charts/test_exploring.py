from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore import explore
from mlcore.charts.style import plain, short
from mlcore.errors import NotApplicable
from mlcore.explore import PairPlotOptions, PlotOptions
from mlcore.explore.bivariate import SHAPES as TWO
from mlcore.explore.univariate import SHAPES as ONE
from tests.helpers import frame_here


def everything(data):
    """Every picture of every registry that fits, on these data."""
    for column in data.schema:
        for shape in ONE:
            if shape.fits(column):
                yield lambda c=column, s=shape: explore.one(data, c.name, PlotOptions("g", shape=s.name))
    names = ["x", "g", "when", "flag", "n"] if data.rows > 100 else ["x", "g", "when", "flag"]
    for i, x in enumerate(names):
        for y in names[i:]:
            for shape in TWO:
                if shape.fits(data.schema[x], data.schema[y]):
                    yield lambda x=x, y=y, s=shape: explore.relation(data, x, y, how=PairPlotOptions(shape=s.name))
    yield from (lambda m=method: explore.correlations(data, m) for method in ("association", "pearson", "spearman"))
    yield lambda: explore.with_target(data, names[0])
    yield lambda: explore.pairs(data, names[:3])
    yield lambda: explore.parallel(data, names[:4])
    yield from (lambda f=make: f(data) for make in (explore.missing, explore.missingness_map, explore.patterns))


def test_plotly_text_is_plain_and_short():
    assert plain("<b>&") == "&lt;b&gt;&amp;"
    assert short("x" * 50) == "x" * 19 + "…" + "x" * 10
    assert short("<short>") == "&lt;short&gt;"


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["one row", "one class", *(pytest.param(k, marks=pytest.mark.slow) for k in ("plenty", "gaps"))]
)
def test_every_picture_of_every_registry(home, data, frame, kind):
    small = {
        "plenty": frame.head(120),
        "gaps": frame.head(120).mask(np.random.default_rng(0).random((120, frame.shape[1])) < 0.4),
        "one row": frame.head(1),
        "one class": frame.head(60).assign(g="a", flag=True),
    }[kind]
    read = frame_here(small, kind)
    drawn = 0
    for make in everything(read):
        try:
            result = make()
            figure = result.figure()
        except NotApplicable:
            continue
        drawn += 1
        assert result.sentence().endswith(".")
        assert isinstance(result.frame(), pd.DataFrame)
        assert all((result.help.what, result.help.read, result.help.misleads, result.help.do))
        assert kind != "plenty" or len(figure.to_json()) < 200_000
    assert drawn > 10
