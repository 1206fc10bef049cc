from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore.checks.registry import CHECKS, find
from mlcore.data.dataset import Dataset
from mlcore.data.workspace import Workspace
from mlcore.ingest.changes import with_fix
from mlcore.ingest.options import ReadOptions
from mlcore.validation.target import task_of
from tests.helpers import frame_here, read_here
from ui.state import Session

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


@cache
def built() -> dict[tuple[str, str | None], pd.DataFrame]:
    """A frame for each alert."""
    rng = np.random.default_rng(9)
    frame = clean()
    y = frame["y"].to_numpy()
    gap = rng.random(ROWS) < 0.3
    days = pd.date_range("2024-01-01", periods=ROWS, freq="D")
    return {
        ("target_formula", "p"): frame.assign(
            p=(p := rng.normal(size=ROWS)), q=p + (2 * y - 1) * rng.uniform(0.1, 1, ROWS)
        ),
        ("target_leakage", "leak"): frame.assign(leak=y * 3 + rng.normal(0, 0.1, ROWS)),
        ("target_leakage", "late"): frame.assign(late=np.where(y == 1, "called", None)),
        ("identifier", "id"): frame.assign(id=range(ROWS)),
        ("groups", "patient_id"): frame.assign(patient_id=[f"p{n}" for n in rng.integers(0, 60, ROWS)]),
        ("time_order", "when"): frame.assign(when=days),
        ("constant", "c"): frame.assign(c=1),
        ("near_constant", "c"): frame.assign(c=["x"] * (ROWS - 2) + ["z", "z"]),
        ("missing", "a"): frame.assign(a=frame["a"].mask(rng.random(ROWS) < 0.6)),
        ("informative_missingness", "b"): frame.assign(b=frame["b"].mask((y == 1) & (rng.random(ROWS) < 0.6))),
        ("missing_together", "a"): frame.assign(a=frame["a"].mask(gap), b=frame["b"].mask(gap)),
        ("high_cardinality", "t"): frame.assign(t=[f"t{n}" for n in rng.integers(0, 300, ROWS)]),
        ("rare_categories", "t"): frame.assign(t=["u", "v"] * (ROWS // 2 - 2) + ["w", "x", "z", "z"]),
        ("infinite", "b"): frame.assign(b=frame["b"].mask(rng.random(ROWS) < 0.02, np.inf)),
        ("duplicates", None): pd.concat([frame, frame.head(50)], ignore_index=True),
        ("duplicate_column", "d"): frame.assign(d=frame["a"]),
        ("correlated_features", "d"): frame.assign(d=frame["a"] * 2 + rng.normal(0, 0.1, ROWS)),
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
        ("target_determined", "u"): frame.assign(
            u=(u := rng.integers(0, 4, ROWS)), w=(w := rng.integers(0, 4, ROWS)), y=np.where((u + w) % 2, "odd", "even")
        ).astype({"u": str, "w": str}),
        ("total_row", None): pd.concat([frame, frame.sum(numeric_only=True).to_frame().T.assign(g="Total")]),
        ("label_spellings", "y"): frame.assign(y=rng.choice(["Yes", "yes", "No"], ROWS)),
        ("spellings", "g"): frame.assign(g=rng.choice(["u", "U", "v"], ROWS)),
        ("placeholder", "a"): frame.assign(a=frame["a"].mask(rng.random(ROWS) < 0.05, -999.0)),
        ("placeholder", "when"): frame.assign(
            when=frame["when"].astype("datetime64[us]").mask(rng.random(ROWS) < 0.1, pd.Timestamp(9999, 12, 31))
        ),
        ("placeholder", "g"): frame.assign(g=rng.choice(["u", "v", "unknown"], ROWS)),
        ("wide", None): pd.concat([frame, pd.DataFrame(rng.normal(size=(ROWS, 1100))).add_prefix("w")], axis=1),
    }


def test_a_clean_frame_is_silent(home):
    assert codes(clean()) == set()
    assert codes(clean(), None) == set()
    assert codes(clean().assign(y=clean()["a"] + np.random.default_rng(0).normal(10, 1, ROWS))) == set()


@pytest.mark.parametrize("expected", list(built()), ids=lambda e: f"{e[0]}-{e[1]}")
def test_each_alert_fires_on_what_was_built_for_it_and_its_fix_mends_it(home, expected):
    """What a click does is carried out by the session; the alert is then gone, or its fix is shown as done."""
    data, task = opened(built()[expected], "y")
    alert = next(a for a in find(data, "y", task) if (a.code, a.column) == expected)
    if alert.fix is None:
        return
    data = Workspace().store(data)
    session = Session("f" * 20)
    session.open(data, "y")
    session.resolve(alert.fix)
    left = find(session.dataset(), session.target, session.recipe.task)
    gone = expected not in {(a.code, a.column) for a in left if a.fix is not None}
    assert gone or session.is_resolved(alert.fix)
    session.undo()
    assert session.dataset().schema == data.schema
    assert session.fingerprint == data.fingerprint


def test_another_measure_of_the_target_is_named():
    rng = np.random.default_rng(3)
    income = rng.gamma(4, 9, ROWS)
    frame = clean().drop(columns="y").assign(income_median=income, income_q75=1.3 * income + rng.normal(0, 5, ROWS))
    data = frame_here(frame, "measures")
    data = data.with_schema(data.schema.with_target("income_median"))
    alerts = find(data, "income_median", "regression")
    assert [(a.code, a.column) for a in alerts if a.severity == "high"] == [("same_measure", "income_q75")]


def test_a_common_marker_that_may_be_a_value_is_asked_about(tmp_path):
    (tmp_path / "a.csv").write_text("grade,x\n" + "none,1\n?,2\nlow,3\n" * 20)
    data = read_here(tmp_path / "a.csv")
    (alert,) = [a for a in find(data) if a.code == "marker"]
    assert "20 of 60 (33.3 %) values are '?'" in alert.text
    again = read_here(tmp_path / "a.csv", ReadOptions(values=tuple(alert.fix.value["values"])))
    assert again.schema["grade"].missing == 0
    assert again.schema["grade"].distinct == 3


def test_one_row_for_each_finding():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(ROWS, 40))).add_prefix("c")
    frame = frame.mask(rng.random(frame.shape) < 0.02).assign(y=rng.integers(0, 2, ROWS))
    data = frame_here(frame, "many")
    (alert,) = find(data.with_schema(data.schema.with_target("y")), "y", "binary")
    assert alert.code == "missing"
    assert len(alert.columns) == 40
    assert alert.text.startswith("40 columns have a few missing values, ")
    assert alert.to_json()["columns"][:2] == ["c0", "c1"]
    assert len(alert.to_json()["details"]) == 40


def test_every_code_of_the_registry_has_a_frame_and_a_card():
    assert {code for check in CHECKS for code in check.codes} == {code for code, _ in built()} | {
        "marker",
        "same_measure",
    }
    for check in CHECKS:
        assert all((check.help.what, check.help.read, check.help.misleads, check.help.do))


def test_mixed_types_become_numbers_and_the_rest_missing(home):
    data, task = opened(built()["mixed_types", "m"], "y")
    alert = next(a for a in find(data, "y", task) if a.code == "mixed_types")
    assert "3 of 399" in alert.text or "4 of 400" in alert.text
    changed = with_fix(data, alert.fix, Workspace())
    from mlcore import explore

    found = explore.one(changed, "m")
    assert found.counts.sum() == ROWS - 4
    assert changed.schema["m"].missing == 4
    from mlcore.features.transformers import Conform

    cast = Conform.of(changed.schema).transform(changed.frame())["m"]
    assert cast.notna().sum() == ROWS - 4


def test_alerts_on_one_row_and_on_nothing(home):
    one = pd.DataFrame({"a": [1.0], "b": ["x"], "y": [1]})
    assert codes(one) == {("constant", None), ("target_constant", "y")}
    empty = pd.DataFrame({"a": [np.nan] * 30, "y": [0, 1] * 15})
    assert ("constant", "a") in codes(empty)
