from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore import explore
from mlcore.evaluate.holdout import open_holdout
from mlcore.experiment.training import without_holdout
from mlcore.explain.lime import explain
from mlcore.features.recipe import Recipe
from mlcore.validation.protocol import Protocol
from tests.helpers import compare_here, frame_here


@pytest.mark.parametrize("options", [{}, {"seed": 5}, {"holdout": 0.3}, {"split": "random"}])
def test_the_rows_are_those_that_the_comparison_does_not_hold_out(options):
    frame = pd.DataFrame({"x": np.arange(200.0), "y": np.arange(200) % 2})
    data = frame_here(frame, "rows")
    rows = without_holdout(data, Recipe("y", "binary"), Protocol(**options))
    run = compare_here(data, "y", models=["logistic"], folds=2, repeats=1, **options)
    assert rows.frame()["x"].tolist() == sorted(set(range(200)) - set(run.plan()["holdout"]))


def test_groups_stay_whole_and_no_holdout_keeps_all():
    frame = pd.DataFrame({"g": np.repeat(np.arange(40), 5), "x": np.arange(200.0), "y": np.arange(200) % 2})
    data = frame_here(frame, "groups")
    data = data.with_schema(data.schema.change("g", role="group"))
    rows = without_holdout(data, Recipe("y", "binary"), Protocol()).frame()
    assert set(rows["g"].value_counts()) == {5}
    assert without_holdout(data, Recipe("y", "binary"), Protocol(holdout=0)).rows == 200
    few = frame_here(frame.head(4), "few")
    assert without_holdout(few, Recipe("y", "binary"), Protocol()).rows == 4


@pytest.mark.slow
def test_columns_chosen_by_looking_do_not_flatter_the_holdout():
    """Pure noise: the eight columns that Explore ranks first of 150 look good on the folds, and like chance after."""
    folds, held = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(rng.normal(size=(200, 150))).add_prefix("c").assign(y=rng.integers(0, 2, 200))
        data = frame_here(frame, f"noise {seed}")
        looked_at = mlcore.training_rows(data, "y", protocol=Protocol(holdout=0.3))
        ranked = explore.with_target(looked_at, "y").frame()
        best = [n for n in ranked.iloc[:, 0].tolist() if n in frame][:8]
        kept = data.with_schema(data.schema.ignoring([c for c in frame if c not in (*best, "y")]))
        run = compare_here(kept, "y", models=["logistic"], folds=5, repeats=1, holdout=0.3)
        folds.append(run.board().rows[0].score)
        (look,) = open_holdout(run, ["logistic"])
        held.append(look.value)
    assert np.mean(folds) > 0.6
    assert abs(np.mean(held) - 0.5) < 0.09  # two standard errors of six areas of 60 rows


def test_checks_of_the_target_do_not_look_at_the_holdout():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=300), "y": rng.integers(0, 2, 300)})
    rows = without_holdout(frame_here(frame.assign(n=range(300)), "b"), Recipe("y", "binary"), Protocol()).frame()["n"]
    held = sorted(set(range(300)) - set(rows))
    frame["tells"] = rng.normal(size=300)
    frame.loc[held, "tells"] = frame.loc[held, "y"] * 10.0  # a leak in the holdout only
    alerts = mlcore.profile(frame_here(frame, "c"), "y").alerts
    assert "target_leakage" not in {a.code for a in alerts}


def test_the_truth_of_a_holdout_row_is_hidden_until_it_is_opened():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=200)}).assign(y=lambda f: (f["x"] > 0).astype(int))
    run = compare_here(frame_here(frame, "hidden"), "y", models=["logistic"], folds=3, repeats=1)
    plan = run.plan()
    held = plan["holdout"][0]
    trained = next(i for i in range(200) if i not in plan["holdout"])
    assert explain(run, "logistic", held).truth is None
    assert explain(run, "logistic", held).hidden
    assert explain(run, "logistic", trained).truth == str(frame["y"][trained])
    open_holdout(run, ["logistic"])
    assert explain(run, "logistic", held).truth == str(frame["y"][held])
