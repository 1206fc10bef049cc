from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore import explore
from mlcore.api import profile
from mlcore.errors import NotApplicable
from mlcore.explore import PlotOptions
from tests.helpers import frame_here


def test_histogram_counts_equal_numpy(data, frame):
    found = explore.histogram(data, "x", bins=25)
    counts, edges = np.histogram(frame["x"].dropna(), bins=25)
    assert found.counts.tolist() == [counts.tolist()]
    np.testing.assert_allclose(found.edges, edges)
    assert (found.n, found.missing) == (500, int(frame["x"].isna().sum()))
    assert f"{500 - found.missing} of 500 known" in found.sentence()


def test_histogram_by_class_adds_up(data, frame):
    found = explore.histogram(data, "x", by="g", bins=10)
    assert found.groups == ("a", "b", "c")
    for group, counts in zip(found.groups, found.counts, strict=True):
        part = frame.loc[frame["g"] == group, "x"].dropna()
        assert counts.tolist() == np.histogram(part, bins=found.edges)[0].tolist()


def test_whole_numbers_get_a_bar_each(data, frame):
    found = explore.histogram(data, "n")
    assert found.counts[0].tolist() == frame["n"].value_counts().sort_index().tolist()


def test_levels_beyond_the_most_common_are_other(data, frame):
    found = explore.histogram(data, "many")
    expected = frame["many"].value_counts()
    assert found.levels[-1] == "other"
    assert found.counts.sum() == 500
    assert found.counts[0][:-1].tolist() == expected.iloc[:20].tolist()


def test_extreme_ranges_and_upper_case_names(home):
    far = frame_here(pd.DataFrame({"x": [-1.7e308, 0.0, 1.7e308] * 5, "Place": range(15)}), "far")
    profile(far)
    with pytest.raises(NotApplicable, match="too far"):
        explore.histogram(far, "x")


def test_one_row_and_one_class_are_survived(home):
    one = frame_here(pd.DataFrame({"a": [1.0], "b": ["x"], "c": [True]}), "one row")
    assert "1 rows" in profile(one).sentence()
    for make in (
        lambda: explore.histogram(one, "a"),
        lambda: explore.histogram(one, "b", "c"),
        lambda: explore.relation(one, "a", "b"),
        lambda: explore.relation(one, "b", "c"),
        lambda: explore.missing(one),
    ):
        result = make()
        assert result.sentence()
    for row in (explore.histogram(one, "a"), explore.relation(one, "b", "c")):
        assert row.figure().data
    with pytest.raises(NotApplicable):
        explore.correlations(one)


def test_cumulative_shares(data, frame):
    found = explore.one(data, "y", PlotOptions("g", shape="ecdf"))
    for group, shares in zip(found.groups, found.shares, strict=True):
        part = np.sort(frame.loc[frame["g"] == group, "y"])
        np.testing.assert_allclose(shares, np.searchsorted(part, found.at, "right") / len(part))


def test_ranges_of_equal_ratio(home):
    values = np.array([0.0, -1.0, 1, 2, 10, 20, 100, 150, 1000])
    found = explore.one(frame_here(pd.DataFrame({"x": values}), "log"), "x", PlotOptions(bins=3, log=True))
    np.testing.assert_allclose(found.edges, [1, 10, 100, 1000])
    assert found.counts.tolist() == [[2, 2, 3]]
    assert "2 values are not above 0 and are not shown" in found.sentence()


def test_shares_of_each_group(data, frame):
    found = explore.one(data, "y", PlotOptions("g", bins=8, density=True))
    np.testing.assert_allclose(found.heights().sum(axis=1), 1)
    assert found.counts.sum() == 500


def test_medians_of_groups_are_told(home):
    frame = pd.DataFrame(
        {"age": [30.0, 32, 34, 36, 38] * 2 + [20.0, 22, 24, 26, 28] * 2, "s": ["no"] * 10 + ["yes"] * 10}
    )
    found = explore.one(frame_here(frame, "medians"), "age", PlotOptions("s"))
    assert "The median is 10 higher for s = no than for yes." in found.sentence()


def test_timelines_count_calendar_periods(home):
    when = pd.to_datetime(["2024-01-05", "2024-01-20", "2024-04-02", "2026-12-31"])
    found = explore.one(frame_here(pd.DataFrame({"d": when}), "time"), "d")
    table = found.frame().set_index("month")["rows"]
    assert found.period == "month"
    assert table["2024-01-01"] == 2
    assert table["2024-02-01"] == 0  # empty periods are there
    assert table["2024-04-01"] == 1
    assert table.sum() == 4


def test_words_and_lengths(home):
    texts = ["The red house is old", "the red car", "a blue house, the house"] * 10
    data = frame_here(pd.DataFrame({"t": texts, "k": range(30)}), "words")
    data = data.with_schema(data.schema.with_kind("t", "text"))
    found = explore.one(data, "t", PlotOptions(shape="words")).frame().set_index("word")["rows"]
    assert (found["the"], found["house"], found["red"], found["car"]) == (30, 20, 20, 10)
    sizes = explore.one(data, "t", PlotOptions(shape="lengths"))
    assert sizes.counts.sum() == 30
    assert sizes.middle == (11, 20, 23)
