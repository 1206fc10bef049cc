from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore.errors import BadChoice, BadInput, NoSuchColumn
from mlcore.features.recipe import Recipe
from mlcore.features.steps import STEPS, step_from_json
from tests.helpers import QUICK, compare_here, frame_here, mixed_frame, others


def test_the_names_of_the_contract_are_there():
    """The first twenty; others may follow."""
    assert {
        "missing", "clip", "drop_rows", "encode", "scale", "transform", "bins", "cross", "combine", "formula",
        "group_stats", "dates", "text", "url", "trees", "clusters", "project", "select", "drop", "resample",
    } <= set(STEPS)  # fmt: skip


def test_steps_stand_in_the_order_that_was_given_and_survive_json():
    data = {"target": "y", "task": "binary", "steps": [
        {"step": "formula", "name": "family", "formula": "sibsp + parch + 1"},
        {"step": "clip", "columns": ["fare"], "low": 0.05},
        {"step": "bins", "columns": ["age"], "method": "edges", "edges": [20, 40, 60]},
    ]}  # fmt: skip
    recipe = Recipe.from_json(data)
    assert [s.step for s in recipe.steps] == ["formula", "clip", "bins"]
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_a_closing_step_replaces_the_one_before_it():
    recipe = Recipe("y", "binary").with_changes({"step": "scale", "method": "robust"})
    recipe = recipe.with_changes({"step": "scale", "method": "power"})
    assert [s.to_json() for s in recipe.steps] == [{"step": "scale", "columns": "auto", "method": "power"}]
    assert recipe.closing.scale.method == "power"
    assert recipe.with_changes({"step": "missing", "indicator": True}) == recipe  # it is so already


@pytest.mark.parametrize(
    ("steps", "error", "part"),
    [
        ([{"step": "clp"}], BadChoice, "not a step. Did you mean 'clip'"),
        ([{"step": "clip", "lwo": 0.1}], BadChoice, "option of 'clip'"),
        ([{"step": "clip", "low": 0.7}], BadInput, "numbers from 0 to 0.5"),
        ([{"step": "clip", "columns": ["nope"]}], NoSuchColumn, "nope"),
        ([{"step": "clip", "columns": ["colour"]}], BadInput, "'colour' is categorical"),
        ([{"step": "clip", "columns": []}], BadInput, "'auto' or a list of names"),
        ([{"step": "clip", "columns": ["a", "a"]}], BadInput, "named twice"),
        ([{"step": "cross", "columns": ["colour"]}], BadInput, "at least 2 columns"),
        ([{"step": "cross"}], BadInput, "by name"),
        ([{"step": "bins", "method": "edges"}], BadInput, "at least one edge"),
        ([{"step": "formula", "formula": "a +"}], BadInput, "the end stands where"),
        ([{"step": "formula", "formula": "colour + 1"}], BadInput, "which is categorical"),
        ([{"step": "group_stats", "columns": ["a"]}], BadInput, '"by"'),
        ([{"step": "drop", "columns": ["a", "b", "colour", "town", "when", "flag"]}], BadInput, "leave no column"),
        ("clip", BadInput, "a list of objects"),
        (["clip"], BadInput, "A step is an object"),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_is_refused_before_anything_runs(mixed, steps, error, part):
    with pytest.raises(error, match=part):
        mlcore.compare(mixed, "two", models=["logistic"], ignore=others("binary"), recipe={"steps": steps})


def test_later_steps_use_the_columns_of_earlier_ones():
    recipe = {"steps": [
        {"step": "formula", "name": "double", "formula": "2 * b"},
        {"step": "bins", "columns": ["double"], "method": "edges", "edges": [50]},
        {"step": "cross", "columns": ["double", "colour"]},
    ]}  # fmt: skip
    data = frame_here(mixed_frame(), "chain")
    run = compare_here(data, "two", models=["logistic"], ignore=others("binary"), recipe=recipe, **QUICK)
    names = list(run.model("logistic")[:-1].get_feature_names_out())
    assert {"double_up to 50", "double_above 50", "double × colour_up to 50 × red"} <= set(names)


def test_rows_are_dropped_from_training_and_never_from_prediction():
    frame = mixed_frame()
    data = frame_here(frame, "dropped")
    steps = [{"step": "drop_rows", "method": "missing", "columns": ["a", "b"]}]
    run = compare_here(data, "two", models=["logistic"], ignore=others("binary"), recipe={"steps": steps}, **QUICK)
    whole = compare_here(data, "two", models=["logistic"], ignore=others("binary"), **QUICK)
    assert len(run.predictions("logistic")) == len(whole.predictions("logistic")) == run.plan()["train"]
    assert (run.board().row("logistic").rows or 0) < (whole.board().row("logistic").rows or 0)
    assert len(run.model("logistic").predict(frame)) == len(frame)


def test_balanced_weights_are_those_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    from mlcore.runs.context import context

    data = frame_here(mixed_frame().assign(rare=lambda f: np.where(f["a"] > 1.2, "yes", "no")), "balanced")
    steps = [{"step": "resample", "method": "weights"}]
    run = compare_here(
        data, "rare", models=["logistic"], recipe={"steps": steps}, ignore=["a", "when", *others("")], **QUICK
    )
    shared = context(str(run.path))
    fold = shared.plan.folds[0]
    encoder = run.experiment.recipe.encoder(shared.schema, "linear")
    x = encoder.fit_transform(shared.prepared.iloc[fold.train], shared.y[fold.train])
    plain = LogisticRegression(max_iter=1000, class_weight="balanced").fit(x, shared.y[fold.train])
    expected = plain.predict_proba(encoder.transform(shared.prepared.iloc[fold.test]))[:, 1]
    found = run.predictions("logistic")
    found = found[(found["fold"] == 0) & (found["repeat"] == 0)]
    np.testing.assert_allclose(np.sort(found["p_yes"]), np.sort(expected), atol=1e-6)


@pytest.mark.slow
def test_selection_and_target_encoding_find_nothing_in_noise():
    """Inside the fold they cannot leak: 1,000 columns of noise and a category of 500 levels stay at .5."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(2000, 1000)), columns=[f"x{k}" for k in range(1000)])
    frame = frame.assign(level=rng.integers(0, 500, 2000).astype(str), y=rng.integers(0, 2, 2000))
    data = frame_here(frame, "noise")
    data = data.with_schema(data.schema.with_kind("level", "categorical"))
    steps = [{"step": "encode", "columns": ["level"], "method": "target"},
             {"step": "select", "method": "univariate", "keep": 10}]  # fmt: skip
    run = compare_here(data, "y", models=["logistic", "decision_tree"], recipe={"steps": steps}, folds=5, repeats=1)
    for row in run.board().rows:
        assert row.score == pytest.approx(0.5, abs=0.05), row.model


def test_step_options_are_checked():
    with pytest.raises(BadChoice, match="true and false"):
        step_from_json({"step": "clip", "mark": "yes"})
    with pytest.raises(BadInput, match="whole numbers from 2 to 100"):
        step_from_json({"step": "bins", "bins": 2.5})
