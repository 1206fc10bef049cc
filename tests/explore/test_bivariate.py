from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore import explore
from mlcore.explore import PairPlotOptions
from mlcore.explore.bivariate import MOST_POINTS


def test_scatter_has_the_points_and_r(data, frame):
    found = explore.relation(data, "x", "y", "g")
    both = frame.dropna(subset=["x"])
    assert found.n == len(found.points) == len(both)
    assert found.r == pytest.approx(both["x"].corr(both["y"]))
    assert sorted(found.points["x"]) == pytest.approx(sorted(both["x"]))


def test_large_scatters_are_sampled_and_say_so(home):
    rng = np.random.default_rng(0)
    big = mlcore.read(pd.DataFrame(rng.normal(size=(9000, 2)), columns=["a", "b"]), name="big")
    found = explore.relation(big, "a", "b")
    assert found.counts.sum() == found.n == 9000
    points = explore.relation(big, "a", "b", how=PairPlotOptions(shape="points"))
    assert len(points.points) == MOST_POINTS
    assert "4,000 of them drawn" in points.sentence()
    assert len(points.figure().to_json()) < 200_000


def test_boxes_are_quantiles(data, frame):
    found = explore.relation(data, "g", "y")
    rows = found.frame().set_index("level")
    for level, part in frame.groupby("g")["y"]:
        expected = part.quantile([0.05, 0.25, 0.5, 0.75, 0.95])
        np.testing.assert_allclose(rows.loc[level, ["low", "q1", "median", "q3", "high"]].astype(float), expected)


def test_counts_of_two_levels(data, frame):
    found = explore.relation(data, "g", "flag")
    table = pd.crosstab(frame["flag"].map({True: "true", False: "false"}), frame["g"])
    assert found.counts.tolist() == table.loc[list(found.y_levels), list(found.x_levels)].to_numpy().tolist()


def test_density_counts_every_row(data, frame):
    found = explore.relation(data, "x", "y", how=PairPlotOptions(shape="density"))
    both = frame.dropna(subset=["x"])
    counts, _, _ = np.histogram2d(both["y"], both["x"], bins=[found.y_edges, found.x_edges])
    assert found.counts.tolist() == counts.astype(int).tolist()
    slope, intercept = np.polyfit(both["x"], both["y"], 1)
    assert (found.trend.slope, found.trend.intercept) == pytest.approx((slope, intercept))
    assert f"y ≈ {slope:.2f} × x" in found.sentence()


def test_violins_are_shares(data):
    found = explore.relation(data, "g", "y", how=PairPlotOptions(shape="violin"))
    np.testing.assert_allclose(found.outlines.sum(axis=1), 1)


def test_courses_are_medians_of_periods(data, frame):
    found = explore.relation(data, "when", "y").rows.set_index("start")
    period = explore.relation(data, "when", "y").period
    expected = frame.groupby(frame["when"].dt.to_period({"week": "W", "day": "D", "month": "M"}[period]))["y"].median()
    np.testing.assert_allclose(found["median"], expected)
