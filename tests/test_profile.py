"""Figures against numpy and pandas computed plainly; each alert on a frame built for it, and silence on a clean one."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from conftest import frame_here
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import mlcore
from mlcore.alerts import CHECKS, LEAK, find, single_column_score
from mlcore.dataset import Dataset
from mlcore.profile import profile
from mlcore.scan import quantiles
from mlcore.target import task_of
from ui.state import Session


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "x": rng.normal(50, 10, 500).round(2),
            "n": rng.integers(0, 9, 500),
            "g": rng.choice(["a", "b", "c"], 500, p=[0.6, 0.3, 0.1]),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 500), unit="D"),
            "flag": rng.random(500) < 0.5,
        }
    )
    frame.loc[::7, "x"] = np.nan
    return frame


@pytest.fixture(scope="module")
def data(home, frame):
    return frame_here(frame, "profile")


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


def test_more_figures(data, frame):
    found = {c.name: c for c in profile(data).columns}
    assert found["x"].skew == pytest.approx(frame["x"].skew(), abs=0.01)  # pandas corrects for n
    assert found["n"].zeros == (frame["n"] == 0).sum()
    assert (found["when"].minimum, found["when"].maximum) == ("2024-01-01", str(frame["when"].max().date()))
    assert dict(found["flag"].top) == {"true": frame["flag"].sum(), "false": (~frame["flag"]).sum()}
    plainly = np.histogram(frame["when"].astype("int64"), bins=12)[0]
    assert sum(found["when"].spark) == 500
    assert (
        np.abs(np.array(found["when"].spark) - plainly).max() <= 1
    )  # a day on the edge of two bars may fall either way


@settings(deadline=None, max_examples=60)
@given(arrays("float64", st.integers(1, 60), elements=st.floats(-1e6, 1e6)))
def test_quantiles_equal_numpy(values):
    np.testing.assert_allclose(quantiles(values, (0.1, 0.25, 0.5, 0.9)), np.quantile(values, [0.1, 0.25, 0.5, 0.9]))


def test_outliers_are_beyond_three_quartile_ranges(home):
    values = [*range(100), 395, 500, -250]  # quartiles of about 25 and 75: far out is below −125 and above 225
    found = profile(frame_here(pd.DataFrame({"x": np.array(values, float)}), "far")).columns[0]
    assert found.outliers == 3


# alerts ---------------------------------------------------------------------------------------------------------------

ROWS = 400


def opened(frame: pd.DataFrame, target: str | None, name: str = "alerts") -> tuple[Dataset, str | None]:
    data = frame_here(frame, name)
    if target is None:
        return data, None
    try:
        task = task_of(data.schema[target])
    except mlcore.HoldoutError:
        task = None
    return data.with_schema(data.schema.with_target(target)), task


def codes(frame: pd.DataFrame, target: str | None = "y") -> set[tuple[str, str | None]]:
    data, task = opened(frame, target)
    return {(a.code, a.column) for a in find(data, target, task)}


def clean() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"a": rng.normal(size=ROWS), "b": rng.normal(size=ROWS), "g": rng.choice(["u", "v"], ROWS)})
    return frame.assign(
        when=pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, ROWS), unit="D"),
        y=(frame["a"] + rng.normal(size=ROWS) > 0).astype(int),
    )


def test_a_clean_frame_is_silent(home):
    assert codes(clean()) == set()
    assert codes(clean(), None) == set()
    assert codes(clean().assign(y=clean()["a"] + np.random.default_rng(0).normal(10, 1, ROWS))) == set()


@cache
def built() -> dict[tuple[str, str | None], pd.DataFrame]:
    """A frame for each alert."""
    rng = np.random.default_rng(9)
    frame = clean()
    y = frame["y"].to_numpy()
    gap = rng.random(ROWS) < 0.3
    days = pd.date_range("2024-01-01", periods=ROWS, freq="D")
    return {
        ("derived", "p"): frame.assign(p=(p := rng.normal(size=ROWS)), q=p + (2 * y - 1) * rng.uniform(0.1, 1, ROWS)),
        ("giveaway", "leak"): frame.assign(leak=y * 3 + rng.normal(0, 0.1, ROWS)),
        ("giveaway", "late"): frame.assign(late=np.where(y == 1, "called", None)),
        ("identifier", "id"): frame.assign(id=range(ROWS)),
        ("groups", "patient_id"): frame.assign(patient_id=[f"p{n}" for n in rng.integers(0, 60, ROWS)]),
        ("time_order", "when"): frame.assign(when=days),
        ("constant", "c"): frame.assign(c=1),
        ("near_constant", "c"): frame.assign(c=["x"] * (ROWS - 2) + ["z", "z"]),
        ("missing", "a"): frame.assign(a=frame["a"].mask(rng.random(ROWS) < 0.6)),
        ("missing_tells", "b"): frame.assign(b=frame["b"].mask((y == 1) & (rng.random(ROWS) < 0.6))),
        ("missing_together", "a"): frame.assign(a=frame["a"].mask(gap), b=frame["b"].mask(gap)),
        ("many_levels", "t"): frame.assign(t=[f"t{n}" for n in rng.integers(0, 300, ROWS)]),
        ("rare_levels", "t"): frame.assign(t=["u", "v"] * (ROWS // 2 - 2) + ["w", "x", "z", "z"]),
        ("infinite", "b"): frame.assign(b=frame["b"].mask(rng.random(ROWS) < 0.02, np.inf)),
        ("duplicates", None): pd.concat([frame, frame.head(50)], ignore_index=True),
        ("duplicate_column", "d"): frame.assign(d=frame["a"]),
        ("redundant", "d"): frame.assign(d=frame["a"] * 2 + rng.normal(0, 0.1, ROWS)),
        ("mixed_types", "m"): frame.assign(
            m=[*(str(v) for v in rng.integers(0, 999, ROWS - 4)), "none", "off", "x", "?!"]
        ),
        ("text_dates", "m"): frame.assign(m=[*(str(d.date()) for d in days[:-3]), "soon", "later", "then"]),
        ("outliers", "b"): frame.assign(b=frame["b"].where(np.arange(ROWS) % 50 > 0, 9.0 * np.where(y, 1, -1))),
        ("skew", "b"): frame.assign(b=np.exp(3 * rng.normal(size=ROWS))),
        ("imbalance", "y"): frame.assign(y=(np.arange(ROWS) < 20).astype(int)),
        ("rare_class", "y"): frame.assign(y=["p", "q", "r"] * (ROWS // 3) + ["s"]),
        ("target_missing", "y"): frame.assign(y=frame["y"].astype(float).mask(rng.random(ROWS) < 0.1)),
        ("target_constant", "y"): frame.assign(y=1),
        ("target_zeros", "y"): frame.assign(y=np.where(rng.random(ROWS) < 0.1, 0.0, rng.normal(5, 1, ROWS))),
        ("wide", None): pd.concat([frame, pd.DataFrame(rng.normal(size=(ROWS, 1100))).add_prefix("w")], axis=1),
    }


@pytest.mark.parametrize("expected", list(built()), ids=lambda e: f"{e[0]}-{e[1]}")
def test_each_alert_fires_on_what_was_built_for_it_and_its_fix_mends_it(home, expected):
    """What a click does is carried out by the session; the alert is then gone, or its fix is shown as done."""
    data, task = opened(built()[expected], "y")
    alert = next(a for a in find(data, "y", task) if (a.code, a.column) == expected)
    if alert.fix is None or alert.fix.action == "rows":
        return
    session = Session("f" * 20)
    session.open(data, "y")
    session.mend(alert.fix)
    assert session.schema is not None
    left = find(data.with_schema(session.schema), session.target, session.recipe.task)
    gone = expected not in {(a.code, a.column) for a in left if a.fix is not None}
    assert gone or session.mended(alert.fix)


def test_every_code_of_the_registry_has_a_frame_and_a_card():
    assert {code for check in CHECKS for code in check.codes} == {code for code, _ in built()}
    for check in CHECKS:
        assert all((check.help.what, check.help.read, check.help.misleads, check.help.do))


def test_mixed_types_become_numbers_and_the_rest_missing(home):
    data, task = opened(built()["mixed_types", "m"], "y")
    alert = next(a for a in find(data, "y", task) if a.code == "mixed_types")
    assert "3 of 399" in alert.text or "4 of 400" in alert.text
    kind, parse = alert.fix.value
    schema = data.schema.with_kind("m", kind, parse)
    from mlcore import explore

    found = explore.one(data.with_schema(schema), "m")
    assert found.counts.sum() == ROWS - 4
    from mlcore.features.transformers import Conform

    cast = Conform.of(schema).transform(data.frame())["m"]
    assert cast.notna().sum() == ROWS - 4


def test_alerts_on_one_row_and_on_nothing(home):
    one = pd.DataFrame({"a": [1.0], "b": ["x"], "y": [1]})
    assert isinstance(codes(one), set)
    empty = pd.DataFrame({"a": [np.nan] * 30, "y": [0, 1] * 15})
    assert ("constant", "a") in codes(empty)


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
