"""Aggregates against pandas and numpy computed plainly; alerts on frames built for them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore import explore
from mlcore.alerts import CHECKS, LEAK, find, single_column_score
from mlcore.charts.style import plain, short
from mlcore.errors import NoSuchColumn, NotApplicable
from mlcore.explore.two import MOST_POINTS
from mlcore.profile import profile

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
    return mlcore.read(frame, name="explore")


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
    assert len(found.points) == MOST_POINTS
    assert found.n == 9000
    assert "4,000 of them drawn" in found.sentence()
    assert len(found.figure().to_json()) < 200_000


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
    odd = mlcore.read(pd.DataFrame({"empty": [None] * 9, "one": range(9)}), name="odd")
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
    data = mlcore.read(frame, name="hostile")
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
    far = mlcore.read(pd.DataFrame({"x": [-1.7e308, 0.0, 1.7e308] * 5, "Place": range(15)}), name="far")
    profile(far)
    with pytest.raises(NotApplicable, match="too far"):
        explore.histogram(far, "x")


def test_plotly_text_is_plain_and_short():
    assert plain("<b>&") == "&lt;b&gt;&amp;"
    assert short("x" * 50) == "x" * 19 + "…" + "x" * 10
    assert short("<short>") == "&lt;short&gt;"


def test_profile_figures(data, frame):
    found = profile(data)
    x = next(c for c in found.columns if c.name == "x")
    assert x.mean == pytest.approx(frame["x"].mean())
    assert x.deviation == pytest.approx(frame["x"].std())
    assert x.quartiles == pytest.approx(tuple(frame["x"].quantile([0.25, 0.5, 0.75])))
    assert x.spark == tuple(np.histogram(frame["x"].dropna(), bins=12)[0])
    g = next(c for c in found.columns if c.name == "g")
    assert g.top == tuple(frame["g"].value_counts().items())
    said = json.loads(json.dumps(found.to_json()))
    assert set(said) == {"dataset", "reading", "columns", "alerts"}
    assert said["dataset"]["rows"] == 500


def alert_codes(frame, target=None, task=None):
    data = mlcore.read(frame, name="alerts")
    if target:
        data = data.with_schema(data.schema.with_target(target))
    return {(a.code, a.column) for a in find(data, target, task)}


def clean(rows=400):
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "g": rng.choice(["u", "v"], rows)})
    return frame.assign(y=(frame["a"] + rng.normal(size=rows) > 0).astype(int))


def test_a_clean_frame_is_silent(home):
    assert alert_codes(clean(), "y", "binary") == set()
    assert len(CHECKS) == 10


def test_each_alert_fires_on_what_was_built_for_it(home):
    rng = np.random.default_rng(9)
    frame = clean()
    y = frame["y"].to_numpy()
    cases = {
        ("giveaway", "leak"): frame.assign(leak=y * 3 + rng.normal(0, 0.1, 400)),
        ("giveaway", "late"): frame.assign(late=np.where(y == 1, "called", None)),
        ("identifier", "id"): frame.assign(id=range(400)),
        ("groups", "patient_id"): frame.assign(patient_id=[f"p{n}" for n in rng.integers(0, 60, 400)]),
        ("constant", "c"): frame.assign(c=1),
        ("missing", "a"): frame.assign(a=frame["a"].mask(rng.random(400) < 0.6)),
        ("many_levels", "t"): frame.assign(t=[f"t{n}" for n in rng.integers(0, 300, 400)]),
        ("infinite", "b"): frame.assign(b=frame["b"].mask(rng.random(400) < 0.02, np.inf)),
        ("duplicates", None): pd.concat([frame, frame.head(50)], ignore_index=True),
        ("imbalance", "y"): frame.assign(y=(np.arange(400) < 20).astype(int)),
        ("target_missing", "y"): frame.assign(y=frame["y"].astype(float).mask(rng.random(400) < 0.1)),
    }
    for expected, built in cases.items():
        assert expected in alert_codes(built, "y", "binary"), expected


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_one_column_scores(task):
    rng = np.random.default_rng(0)
    y = {"binary": rng.integers(0, 2, 600), "multiclass": rng.integers(0, 3, 600), "regression": rng.normal(size=600)}[
        task
    ]
    chance = {"binary": 0.5, "multiclass": 1 / 3, "regression": 0.0}[task]
    noise, _ = single_column_score(pd.Series(rng.normal(size=600)), y, task)
    assert abs(noise - chance) < 0.12
    ids, _ = single_column_score(pd.Series([f"r{i}" for i in range(600)]), y, task)
    assert ids <= chance + 0.05  # learning rows by heart does not help on other rows
    leak, _ = single_column_score(pd.Series(y.astype(float)), y, task)
    assert leak > LEAK[task]


def test_one_row_and_one_class_are_survived(home):
    one = mlcore.read(pd.DataFrame({"a": [1.0], "b": ["x"], "c": [True]}), name="one row")
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
