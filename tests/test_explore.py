"""Aggregates against pandas and numpy computed plainly; alerts on frames built for them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from conftest import frame_here
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mlcore
import mlcore.explore.view as view_module
from mlcore import explore
from mlcore.charts.print import FORMATS, printed
from mlcore.charts.style import plain, short
from mlcore.dataset import Column, Schema
from mlcore.errors import BadChoice, BadInput, NoSuchColumn, NotApplicable
from mlcore.explore import Look, Pairing, View
from mlcore.explore.brush import conditions
from mlcore.explore.many import correlation_ratio, cramers_v
from mlcore.explore.one import SHAPES as ONE
from mlcore.explore.two import MOST_POINTS
from mlcore.explore.two import SHAPES as TWO
from mlcore.export.profile_report import profile_html
from mlcore.filters import OPERATORS, Filter, from_text, to_text
from mlcore.profile import profile, summary

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "![i](http://example.invalid/a.png)",
    "a_b*c$d$",
    "=1+1",
    "</script>",
    'q"uote',
]


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
    points = explore.relation(big, "a", "b", how=Pairing(shape="points"))
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


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations_equal_pandas(data, frame, method):
    found = explore.correlations(data, method)
    np.testing.assert_allclose(found.values, frame[list(found.names)].corr(method), atol=1e-9)


def test_missing(data, frame):
    found = explore.missing(data)
    assert (found.columns, found.missing) == (("x",), (int(frame["x"].isna().sum()),))
    assert found.complete == len(frame.dropna())


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


def test_extreme_ranges_and_upper_case_names(home):
    far = frame_here(pd.DataFrame({"x": [-1.7e308, 0.0, 1.7e308] * 5, "Place": range(15)}), "far")
    profile(far)
    with pytest.raises(NotApplicable, match="too far"):
        explore.histogram(far, "x")


def test_plotly_text_is_plain_and_short():
    assert plain("<b>&") == "&lt;b&gt;&amp;"
    assert short("x" * 50) == "x" * 19 + "…" + "x" * 10
    assert short("<short>") == "&lt;short&gt;"


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


# the same against numpy and pandas, computed plainly ------------------------------------------------------------------


def test_cumulative_shares(data, frame):
    found = explore.one(data, "y", Look("g", shape="ecdf"))
    for group, shares in zip(found.groups, found.shares, strict=True):
        part = np.sort(frame.loc[frame["g"] == group, "y"])
        np.testing.assert_allclose(shares, np.searchsorted(part, found.at, "right") / len(part))


def test_ranges_of_equal_ratio(home):
    values = np.array([0.0, -1.0, 1, 2, 10, 20, 100, 150, 1000])
    found = explore.one(frame_here(pd.DataFrame({"x": values}), "log"), "x", Look(bins=3, log=True))
    np.testing.assert_allclose(found.edges, [1, 10, 100, 1000])
    assert found.counts.tolist() == [[2, 2, 3]]
    assert "2 cells are not above 0" in found.sentence()


def test_shares_of_each_group(data, frame):
    found = explore.one(data, "y", Look("g", bins=8, density=True))
    np.testing.assert_allclose(found.heights().sum(axis=1), 1)
    assert found.counts.sum() == 500


def test_medians_of_groups_are_told(home):
    frame = pd.DataFrame(
        {"age": [30.0, 32, 34, 36, 38] * 2 + [20.0, 22, 24, 26, 28] * 2, "s": ["no"] * 10 + ["yes"] * 10}
    )
    found = explore.one(frame_here(frame, "medians"), "age", Look("s"))
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
    found = explore.one(data, "t", Look(shape="words")).frame().set_index("word")["rows"]
    assert (found["the"], found["house"], found["red"], found["car"]) == (30, 20, 20, 10)
    sizes = explore.one(data, "t", Look(shape="lengths"))
    assert sizes.counts.sum() == 30
    assert sizes.middle == (11, 20, 23)


def test_density_counts_every_row(data, frame):
    found = explore.relation(data, "x", "y", how=Pairing(shape="density"))
    both = frame.dropna(subset=["x"])
    counts, _, _ = np.histogram2d(both["y"], both["x"], bins=[found.y_edges, found.x_edges])
    assert found.counts.tolist() == counts.astype(int).tolist()
    slope, intercept = np.polyfit(both["x"], both["y"], 1)
    assert (found.trend.slope, found.trend.intercept) == pytest.approx((slope, intercept))
    assert f"y ≈ {slope:.2f} × x" in found.sentence()


def test_violins_are_shares(data):
    found = explore.relation(data, "g", "y", how=Pairing(shape="violin"))
    np.testing.assert_allclose(found.outlines.sum(axis=1), 1)


def test_courses_are_medians_of_periods(data, frame):
    found = explore.relation(data, "when", "y").rows.set_index("start")
    period = explore.relation(data, "when", "y").period
    expected = frame.groupby(frame["when"].dt.to_period({"week": "W", "day": "D", "month": "M"}[period]))["y"].median()
    np.testing.assert_allclose(found["median"], expected)


def test_association_measures():
    assert cramers_v(np.array([[50, 0], [0, 50]])) == pytest.approx(1, abs=0.02)
    assert cramers_v(np.array([[25, 25], [25, 25]])) == 0
    assert cramers_v(np.array([[9, 4]])) is None
    # Two groups with means 1 and 3 and no spread inside: all variance is between them.
    assert correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 1, 3, 3])) == pytest.approx(1)
    # Sums of squares: between 4, within 4; η² is one half.
    assert correlation_ratio(np.array([0, 0, 1, 1]), np.array([0.0, 2, 2, 4])) == pytest.approx(np.sqrt(0.5))


def test_what_goes_with_the_target_is_ranked(data, frame):
    found = explore.with_target(data, "y")
    assert found.names[0] == "x"
    assert found.signed[0] == pytest.approx(frame["x"].corr(frame["y"], method="spearman"))
    with pytest.raises(NotApplicable, match="No target"):
        explore.with_target(data, None)


def test_gaps_by_place_and_together(home):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"a": rng.normal(size=600), "b": rng.normal(size=600), "c": rng.normal(size=600)})
    frame.loc[:199, ["a", "b"]] = np.nan
    frame.loc[500:509, "c"] = np.nan
    data = frame_here(frame, "gaps")
    where = explore.gap_map(data)
    assert where.shares[0].tolist() == [1.0] * 20 + [0.0] * 40
    together = explore.patterns(data).frame()
    assert dict(zip(together["missing together"], together["rows"], strict=True)) == {"none": 390, "a, b": 200, "c": 10}
    assert "a and b are missing together in 200 of 600" in explore.patterns(data).sentence()
    with pytest.raises(NotApplicable, match="No cell is missing"):
        explore.gap_map(frame_here(pd.DataFrame({"a": range(9)}), "whole"))


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
    points = explore.relation(few, "x", "k", how=Pairing(shape="points"))
    assert len(points.points) == points.n == 1000  # the sample holds too few of them, so all rows are asked


# conditions -----------------------------------------------------------------------------------------------------------

CONDITIONS = [
    (Filter("g", "is", ("a", "b")), lambda f: f["g"].isin(["a", "b"])),
    (Filter("g", "is_not", ("a",)), lambda f: f["g"] != "a"),
    (Filter("many", "contains", ("LEVEL 1",)), lambda f: f["many"].str.contains("level 1")),
    (Filter("many", "starts", ("level 7",)), lambda f: f["many"].str.startswith("level 7")),
    (Filter("y", "from", (100,)), lambda f: f["y"] >= 100),
    (Filter("y", "to", (100,)), lambda f: f["y"] <= 100),
    (Filter("n", "between", (2, 5)), lambda f: f["n"].between(2, 5)),
    (Filter("when", "between", ("2024-02-01", "2024-03-01")), lambda f: f["when"].between("2024-02-01", "2024-03-01")),
    (Filter("x", "missing"), lambda f: f["x"].isna()),
    (Filter("x", "known"), lambda f: f["x"].notna()),
    (Filter("flag", "is", ("true",)), lambda f: f["flag"]),
]


@pytest.mark.parametrize(("condition", "plainly"), CONDITIONS)
def test_each_operator_keeps_the_rows_that_pandas_keeps(data, frame, condition, plainly):
    view = View(data, (condition.checked(data.schema),))
    expected = plainly(frame).to_numpy(bool)
    assert view.rows == expected.sum()
    assert view.keep().tolist() == expected.tolist()
    assert condition.words()
    assert from_text(to_text(view.filters), data.schema) == view.filters


def test_every_operator_is_tried():
    assert {c.operator for c, _ in CONDITIONS} == {o.name for o in OPERATORS}


def test_conditions_hold_for_every_picture(data, frame):
    view = View(data, (Filter("y", "from", (100,)), Filter("g", "is", ("a",))))
    kept = frame[(frame["y"] >= 100) & (frame["g"] == "a")]
    assert explore.one(view, "n").counts.sum() == len(kept)
    assert explore.relation(view, "x", "y").n == kept["x"].notna().sum()
    assert explore.missing(view).missing == (int(kept["x"].isna().sum()),)
    assert len(explore.head(view, 1000)) == len(kept)
    found = {c.name: c for c in summary(view).columns}
    assert found["y"].quartiles == pytest.approx(tuple(kept["y"].quantile([0.25, 0.5, 0.75])))
    assert found["g"].top == (("a", len(kept)),)
    empty = View(data, (Filter("y", "from", (1e9,)),))
    with pytest.raises(NotApplicable, match="No row is left"):
        explore.one(empty, "n")


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (Filter("nosuch", "is", ("a",)), "no column"),
        (Filter("g", "between", (1, 2)), "is not a comparison"),
        (Filter("y", "from", ("__import__('os')",)), "no number"),
        (Filter("y", "between", (1,)), "takes 2"),
        (Filter("when", "from", ("yesterday",)), "no date"),
        (Filter("y", "from", (float("nan"),)), "finite"),
    ],
)
def test_conditions_that_make_no_sense(data, wrong, part):
    with pytest.raises(BadInput, match=part):
        wrong.checked(data.schema)


@given(st.text(max_size=60))
def test_an_address_may_hold_anything(text):
    schema = Schema((Column("a", "numeric", "feature", "float", 0, 9),))
    assert isinstance(from_text(text, schema), tuple)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4))
def test_levels_of_a_condition_are_values_never_sql(data, levels):
    view = View(data, (Filter("g", "is", tuple(levels)).checked(data.schema),))
    assert view.rows == sum(len(data.frame(["g"])[data.frame(["g"])["g"] == v]) for v in set(levels))


def test_marking_a_picture_gives_conditions(data):
    box = {"box": [{"x": [10.0, 30.0], "y": [5.0, 50.0]}], "points": []}
    assert conditions(explore.one(data, "x"), box) == (Filter("x", "between", (10.0, 30.0)),)
    assert conditions(explore.relation(data, "x", "y"), box) == (
        Filter("x", "between", (10.0, 30.0)),
        Filter("y", "between", (5.0, 50.0)),
    )
    assert conditions(explore.one(data, "g"), {"box": [{"x": [-0.4, 1.2], "y": [0, 9]}]}) == (
        Filter("g", "is", ("a", "b")),
    )
    bars = {"points": [{"point_index": 0}], "box": []}
    assert conditions(explore.one(data, "g"), bars) == (Filter("g", "is", ("a",)),)
    cells = {"box": [{"x": [-0.5, 0.4], "y": [-0.5, 0.4]}]}
    found = explore.relation(data, "g", "flag")
    assert conditions(found, cells) == (
        Filter("g", "is", (found.x_levels[0],)),
        Filter("flag", "is", (found.y_levels[0],)),
    )
    dates = {"box": [{"x": ["2024-02-01", "2024-03-01 12:00"], "y": [0, 1]}]}
    (stretch,) = conditions(explore.one(data, "when"), dates)
    assert stretch.checked(data.schema).values == ("2024-02-01 00:00:00", "2024-03-01 12:00:00")
    assert conditions(explore.correlations(data), box) == ()
    assert conditions(explore.one(data, "x"), {}) == ()


# contracts ------------------------------------------------------------------------------------------------------------


def everything(data):
    """Every picture of every registry that fits, on these data."""
    for column in data.schema:
        for shape in ONE:
            if shape.fits(column):
                yield lambda c=column, s=shape: explore.one(data, c.name, Look("g", shape=s.name))
    names = ["x", "g", "when", "flag", "n"] if data.rows > 100 else ["x", "g", "when", "flag"]
    for i, x in enumerate(names):
        for y in names[i:]:
            for shape in TWO:
                if shape.fits(data.schema[x], data.schema[y]):
                    yield lambda x=x, y=y, s=shape: explore.relation(data, x, y, how=Pairing(shape=s.name))
    yield from (lambda m=method: explore.correlations(data, m) for method in ("association", "pearson", "spearman"))
    yield lambda: explore.with_target(data, names[0])
    yield lambda: explore.pairs(data, names[:3])
    yield lambda: explore.parallel(data, names[:4])
    yield from (lambda f=make: f(data) for make in (explore.missing, explore.gap_map, explore.patterns))


@pytest.mark.parametrize("kind", ["plenty", "gaps", "one row", "one class"])
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


@pytest.mark.parametrize("kind", FORMATS)
def test_charts_for_paper(data, kind):
    import matplotlib.pyplot as plt

    signs = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    every = (
        explore.one(data, "x", Look("g")),
        explore.relation(data, "g", "y", how=Pairing(shape="violin")),
        explore.relation(data, "when", "y"),
        explore.correlations(data, "association"),
        explore.pairs(data, ["x", "y"], "g"),
        explore.parallel(data, ["x", "y", "g"], "g"),
        explore.gap_map(data),
    )
    for result in every if kind == "svg" else every[:2]:
        assert printed(result, kind).startswith(signs[kind])
    assert plt.get_fignums() == []  # nothing was drawn through global state


def test_paper_shows_text_as_it_is(home):
    odd = frame_here(pd.DataFrame({"$a_b$ <b>": range(30), "l": ["<i>x", "$y$", "&z"] * 10}), "paper")
    svg = printed(explore.one(odd, "l"), "svg").decode()
    assert "&lt;i&gt;x" in svg
    assert "$y$" in svg
    assert b"%PDF" in printed(explore.one(odd, "$a_b$ <b>"), "pdf")
    with pytest.raises(BadChoice, match="png"):
        printed(explore.one(odd, "l"), "gif")


def test_the_report_is_one_file_that_asks_for_nothing(home):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({name: rng.normal(size=60) for name in HOSTILE[:4]} | {"g": rng.choice(HOSTILE, 60)})
    frame.loc[:9, HOSTILE[0]] = np.nan
    html = profile_html(profile(frame_here(frame, "</title><script>alert(1)</script>")))
    met: list[str] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: met.extend([tag, *(name for name, _ in attributes)])
    reader.feed(html)
    assert not {"script", "img", "src", "href", "onerror", "link"} & set(met)
    assert not re.search(r"url\(|@import", html)
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert html.count("<svg") >= 5


def test_tables_keep_columns_that_are_called_like_figures(home):
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"rows": rng.choice(["a", "b"], 90), "x": rng.normal(size=90), "share": rng.normal(size=90)})
    frame["month"] = frame["rows"]
    frame["d"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, 90), unit="D")
    data = frame_here(frame, "figures")
    for made, names in (
        (explore.one(data, "x", Look("rows")), ["rows", "from", "to", "rows_2"]),
        (explore.one(data, "share", Look("rows", shape="ecdf")), ["rows", "share", "share_2"]),
        (explore.one(data, "d", Look("month")), ["month", "month_2", "rows"]),
        (explore.relation(data, "x", "x"), ["x", "x_2"]),
        (explore.parallel(data, ["x", "rows"], "rows"), ["x", "rows", "rows_2"]),
    ):
        assert list(made.frame().columns) == names
    assert explore.one(data, "x", Look("rows")).frame()["rows_2"].sum() == 90


def test_conditions_on_numbers_and_dates_that_are_texts(home):
    frame = pd.DataFrame(
        {
            "n": [*(f"{i},5" for i in range(50)), "none"],
            "d": [*(f"{i % 28 + 1:02d}.03.2024" for i in range(50)), "soon"],
        }
    )
    data = frame_here(frame, "texts")
    schema = data.schema.with_kind("n", "numeric", ",").with_kind("d", "datetime", "%d.%m.%Y")
    data = data.with_schema(schema)
    assert View(data, (Filter("n", "between", (10, 20)).checked(schema),)).rows == 10
    early = Filter("d", "to", ("2024-03-02",)).checked(schema)
    assert View(data, (early,)).rows == 4
    (stretch,) = conditions(explore.one(data, "d"), {"box": [{"x": ["2024-03-01", "2024-03-02 12:00"], "y": [0, 1]}]})
    assert View(data, (stretch.checked(schema),)).rows == 4
