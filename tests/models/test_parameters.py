from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.preprocessing import StandardScaler

from mlcore.errors import BadChoice, BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.models.builders import Setting
from mlcore.models.catalogue import MODELS, for_task, model, of_preset
from mlcore.models.wrappers import (
    BoostedClassifier,
    NaiveBayes,
)


@pytest.mark.parametrize("row", MODELS, ids=lambda r: r.name)
def test_every_parameter_has_help_a_default_that_is_allowed_and_a_range_within_it(row):
    for task in row.tasks:
        assert row.checked(task, row.defaults(task)) == {}
        for knob in row.parameters_for(task):
            assert knob.help
            assert knob.allowed()
            for value in knob.grid(5):
                assert knob.checked(value, row.title) == value
            assert not knob.choices or knob.default in knob.choices
        assert row.features
        assert row.cost_class in ("quick", "medium", "slow")


@pytest.mark.parametrize(
    ("name", "parameters", "part"),
    [
        ("knn", {"n_neighbors": 0}, "a whole number from 1 to 10000"),
        ("knn", {"n_neighbors": 2.5}, "a whole number"),
        ("knn", {"weights": "far"}, "one of uniform, distance"),
        ("decision_tree", {"max_depth": "deep"}, "or none"),
        ("logistic", {"C": -1}, "a number from 1e-09"),
        ("xgboost", {"learning_rate": True}, "a number"),
    ],
)
def test_bad_parameters_are_refused_with_what_is_allowed(name, parameters, part):
    with pytest.raises(BadInput, match=part):
        Candidate.named(name, "binary", **parameters)
    with pytest.raises(BadChoice, match="parameter of"):
        Candidate.named(name, "binary", nonsense=1)


def test_defaults_are_not_part_of_a_candidate():
    assert Candidate.named("knn", "binary", n_neighbors=15) == Candidate.named("knn", "binary")
    assert dict(Candidate.named("knn", "binary", n_neighbors=7.0).parameters) == {"n_neighbors": 7}


@given(st.integers(2, 40))
@settings(max_examples=20, deadline=None)
def test_grids_stay_in_the_range(points):
    for knob in (k for row in MODELS for k in row.parameters if k.search):
        assert all(knob.search[0] - 1e-9 <= v <= knob.search[1] * (1 + 1e-3) for v in knob.grid(points))


def test_knobs_change_what_is_built():
    setting = Setting("binary", seed=3, rows=500, counts=(250, 250))
    built = model("random_forest").build(
        setting, {**model("random_forest").defaults("binary"), "max_features": "third", "class_weight": "balanced"}
    )
    assert (built.max_features, built.class_weight, built.random_state) == (1 / 3, "balanced", 3)
    many = Setting("binary", rows=50_000, counts=(25_000, 25_000))
    assert model("random_forest").build(many, model("random_forest").defaults("binary")).max_samples == 20_000
    assert (
        model("hist_gradient_boosting").build(many, model("hist_gradient_boosting").defaults("binary")).early_stopping
    )
    boosted = model("xgboost").build(many, model("xgboost").defaults("binary"))
    assert boosted.estimator.early_stopping_rounds == 10
    for loss, theirs in (("hinge", "hinge"), ("square", "squared_error"), ("logistic", "log_loss")):
        assert model("sgd").build(setting, {**model("sgd").defaults("binary"), "loss": loss}).loss == theirs


def test_early_stopping_keeps_rows_of_the_training_set_aside():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 4))
    y = (x[:, 0] + rng.normal(size=2000) > 0).astype(int)
    setting = Setting("binary").for_fit(y)
    built = model("xgboost").build(setting, {**model("xgboost").defaults("binary"), "early_stopping": "yes"}).fit(x, y)
    assert isinstance(built, BoostedClassifier)
    assert built.estimator_.best_iteration < 400  # noise does not need 500 trees
    assert len(built.estimator_.evals_result()["validation_0"]["logloss"]) < 500


def test_presets_and_unlabelled_models():
    for task in ("binary", "multiclass", "regression"):
        quick, standard, thorough = (set(of_preset(p, task)) for p in ("quick", "standard", "thorough"))
        assert quick < standard < thorough == {r.name for r in for_task(task) if r.preset is not None}
    with pytest.raises(BadChoice, match="preset"):
        of_preset("all", "binary")


def test_naive_bayes_takes_the_kind_that_columns_ask_for():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    counts = rng.poisson(np.where(y, 4, 1)[:, None], size=(200, 3)).astype(float)
    found = NaiveBayes().fit(counts, y)
    assert found.kind_ == "multinomial"
    np.testing.assert_allclose(found.predict_proba(counts), MultinomialNB().fit(counts, y).predict_proba(counts))
    marks = (counts > 1).astype(float)
    assert NaiveBayes().fit(marks, y).kind_ == "bernoulli"
    measured = counts + rng.normal(size=counts.shape)
    gauss = NaiveBayes().fit(measured, y)
    scaled = StandardScaler().fit(measured)
    plain = GaussianNB(var_smoothing=0.01).fit(scaled.transform(measured), y)
    np.testing.assert_allclose(gauss.predict_proba(measured), plain.predict_proba(scaled.transform(measured)))
