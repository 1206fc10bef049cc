"""Candidates beyond the plain rows: rules, the blend, knobs and searches, weights, rows without a target."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest import compare_here, frame_here, mixed_frame, others
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.preprocessing import StandardScaler

from mlcore.compare import Candidate, Search
from mlcore.compare.blend import greedy
from mlcore.compare.tune import best_of, read_trace, trace_file
from mlcore.errors import BadChoice, BadInput
from mlcore.filters import Filter
from mlcore.learners import (
    BoostedClassifier,
    NaiveBayes,
    RuleClassifier,
    RuleRegressor,
    WithUnlabelled,
    balanced_weights,
)
from mlcore.models import MODELS, Knob, Setting, for_task, model, of_preset
from mlcore.rules import Rule, best_question

# knobs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", MODELS, ids=lambda r: r.name)
def test_every_knob_has_help_a_default_that_is_allowed_and_a_range_within_it(row):
    for task in row.tasks:
        assert row.checked(task, row.defaults(task)) == {}
        for knob in row.knobs_of(task):
            assert knob.help
            assert knob.allowed()
            for value in knob.grid(5):
                assert knob.checked(value, row.title) == value
            assert not knob.choices or knob.default in knob.choices
        assert row.needs
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
    for knob in (k for row in MODELS for k in row.knobs if k.search):
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
    setting = Setting("binary").seeing(y)
    built = model("xgboost").build(setting, {**model("xgboost").defaults("binary"), "early_stopping": "yes"}).fit(x, y)
    assert isinstance(built, BoostedClassifier)
    assert built.estimator_.best_iteration < 400  # noise does not need 500 trees
    assert len(built.estimator_.evals_result()["validation_0"]["logloss"]) < 500


def test_presets_and_unlabelled_models():
    for task in ("binary", "multiclass", "regression"):
        quick, standard, thorough = (set(of_preset(p, task)) for p in ("quick", "standard", "thorough"))
        assert quick < standard < thorough == {r.name for r in for_task(task)} - {"self_training", "label_spreading"}
    with pytest.raises(BadChoice, match="preset"):
        of_preset("all", "binary")


# rules ----------------------------------------------------------------------------------------------------------------

NESTED = {
    "when": [["sex", "is", "female"]],
    "then": "yes",
    "else": {"when": [["age", "to", 9], ["age", "known"]], "then": "yes", "else": "no"},
}
PEOPLE = pd.DataFrame(
    {
        "sex": np.array(["female", "male", "male", np.nan, "male"], dtype=object),
        "age": [30.0, 5.0, 40.0, 8.0, np.nan],
        "when": pd.to_datetime(["2020-01-01", "2021-06-01", "2022-01-01", None, "2023-01-01"]).astype("datetime64[us]"),
        "flag": [1.0, 0.0, np.nan, 1.0, 0.0],
    }
)


def test_a_nested_rule_by_hand():
    rule = Rule.from_json(NESTED)
    assert rule.answer(PEOPLE).tolist() == ["yes", "yes", "no", "yes", "no"]
    assert Rule.from_json(rule.to_json()) == rule
    assert rule.words() == "if sex is female then yes, else (if age is at most 9 and age is known then yes, else no)"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("sex", "is_not", "male"), [1, 0, 0, 1, 0]),  # a missing cell is not male
        (("sex", "contains", "FEM"), [1, 0, 0, 0, 0]),
        (("sex", "starts", "m"), [0, 1, 1, 0, 1]),
        (("sex", "missing"), [0, 0, 0, 1, 0]),
        (("age", "from", 8.0), [1, 0, 1, 1, 0]),
        (("age", "between", 5.0, 30.0), [1, 1, 0, 1, 0]),
        (("age", "is", "8"), [0, 0, 0, 1, 0]),
        (("flag", "is", "true"), [1, 0, 0, 1, 0]),
        (("when", "to", "2021-06-01 00:00:00"), [1, 1, 0, 0, 0]),
    ],
)
def test_each_comparison_by_hand(condition, expected):
    rule = Rule((Filter(condition[0], condition[1], tuple(condition[2:])),), 1, 0)
    assert rule.answer(PEOPLE).astype(int).tolist() == expected


def test_any_of_several_conditions():
    data = {"when": [["age", "to", 9], ["flag", "is", "true"]], "then": 1, "else": 0, "any": True}
    assert Rule.from_json(data).answer(PEOPLE).tolist() == [1, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"when": [], "then": 1, "else": 0}, "at least one condition"),
        ({"then": 1, "else": 0}, "A rule is"),
        ([1, 2], "A rule is"),
        ({"when": [["colour", "is", "red"]], "then": "maybe", "else": "no"}, "'maybe'"),
        ({"when": [["nope", "is", "red"]], "then": "yes", "else": "no"}, "nope"),
        ({"when": [["colour", "from", "red"]], "then": "yes", "else": "no"}, "comparison of colour"),
        ({"when": [["id", "is", "r1"]], "then": "yes", "else": "no"}, "no feature"),
    ],
)
def test_rules_that_cannot_be_are_refused(mixed, data, part):
    with pytest.raises(BadInput, match=part):
        compare_here(mixed, target="two", rule=data, models=["logistic"], folds=3, repeats=1)


def test_a_rule_is_scored_on_the_folds_as_it_stands(mixed):
    rule = {"when": [["a", "from", 0], ["colour", "is", "red"]], "then": "yes", "else": "no", "any": True}
    run = compare_here(mixed, target="two", rule=rule, ignore=others("binary"), models=["logistic"], folds=3, repeats=1)
    told = run.predictions("rule")
    frame = mixed.frame().iloc[told["row"]]
    expected = np.where((frame["a"] >= 0) | (frame["colour"] == "red"), "yes", "no")
    assert (told["prediction"].to_numpy() == expected).all()
    row = run.board().row("rule")
    assert row.metrics["accuracy"] == pytest.approx(np.mean([g["truth"].eq(g["prediction"]).mean()
                                                             for _, g in told.groupby("fold")]))  # fmt: skip
    assert row.metrics["log_loss"] is None  # a rule gives no probabilities
    assert run.experiment.candidate("rule").title == "Your rule"
    assert (run.model("rule").predict(mixed.frame()) ==
            np.where((mixed.frame()["a"] >= 0) | (mixed.frame()["colour"] == "red"), "yes", "no")).all()  # fmt: skip
    assert "if a is at least 0 or colour is red" in row.words


def test_a_rule_for_a_quantity(mixed):
    rule = {"when": [["b", "from", 25]], "then": 14.5, "else": 11}
    run = compare_here(
        mixed, target="amount", rule=rule, ignore=others("regression"), models=["ridge"], folds=3, repeats=1
    )
    told = run.predictions("rule")
    expected = np.where(mixed.frame()["b"].iloc[told["row"]] >= 25, 14.5, 11.0)
    np.testing.assert_array_equal(told["prediction"], expected)


def test_the_best_single_question_by_hand():
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6, 7, 8], "c": np.array(list("aabbccdd"), dtype=object)})
    question, where = best_question(frame, np.array([0, 0, 0, 1, 1, 1, 1, 1]), 2)
    assert (question.column, question.operator, question.values) == ("x", "to", (3.0,))
    assert where.tolist() == [True] * 3 + [False] * 5
    question, _ = best_question(frame, np.array([0.0, 0, 0, 0, 9, 9, 0, 0]), 0)
    assert (question.column, question.operator, question.values) == ("c", "is", ("c",))
    assert best_question(frame[["c"]].assign(c="a"), np.array([0, 1] * 4), 2) is None


def test_the_question_gives_shares_of_its_sides():
    frame = pd.DataFrame({"x": np.arange(8.0)})
    learned = RuleClassifier().fit(frame, np.array(list("nnnyyyyn")))
    assert learned.words() == "if x is at most 2 then n, else y"
    np.testing.assert_allclose(learned.predict_proba(frame)[[0, 7]], [[1, 0], [0.2, 0.8]])
    mean = RuleRegressor().fit(frame, np.array([1.0, 1, 1, 5, 5, 5, 5, 6]))
    np.testing.assert_allclose(mean.predict(frame)[[0, 7]], [1.0, 5.2])


@pytest.mark.parametrize("labels", [(0.2, 0.7), (2.5, 7.5), (3, 8), (False, True), ("a", "bb")])
def test_a_rule_answers_in_labels_of_any_type(labels):
    frame = mixed_frame(90)[["a", "b"]].fillna(0.0)
    frame["y"] = np.where(frame["b"] > 20, labels[1], labels[0])
    rule = {"when": [["b", "from", 20.5]], "then": labels[1], "else": labels[0]}
    run = compare_here(frame_here(frame, f"rule {labels}"), "y", rule=rule, models=["logistic"], folds=3, repeats=1)
    assert run.board().row("rule").metrics["accuracy"] == 1.0
    assert run.model("rule").predict(frame).tolist() == frame["y"].tolist()


def test_whole_numbers_and_lists_among_levels():
    column = pd.DataFrame({"c": np.array(["3", "4", "x"], dtype=object)})
    for values in ((3.0,), (["3", "y"],)):
        assert Rule.from_json({"when": [["c", "is", *values]], "then": 1, "else": 0}).answer(column).tolist() == [
            1,
            0,
            0,
        ]


# the blend ------------------------------------------------------------------------------------------------------------


def test_greedy_selection_by_hand():
    # errors of −1, +1 and 0.4: equal parts of the first two make none; the third is best alone, so it is taken first
    truth = np.zeros(50)
    predictions = np.array([truth - 1, truth + 1, truth + 0.4])
    weights = greedy(predictions, truth, steps=7)
    mean = weights @ predictions
    assert abs(mean).max() < 0.1
    assert weights.sum() == pytest.approx(1)
    assert greedy(np.array([[0.9, 0.9], [0.5, 0.5]]), None).tolist() == [1.0, 0.0]  # the surer of the right class


@given(st.integers(1, 6), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_a_blend_is_never_worse_than_its_best_member_on_the_rows_that_chose_it(count, seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=40)
    predictions = truth + rng.normal(size=(count, 40))
    weights = greedy(predictions, truth)
    alone = ((predictions - truth) ** 2).mean(axis=1).min()
    assert ((weights @ predictions - truth) ** 2).mean() <= alone + 1e-12


def test_a_fold_of_the_blend_is_chosen_by_the_other_folds(runs):
    """The weights of a fold, computed again here from the stored predictions of the other folds alone."""
    run = runs["binary"]
    names = [c.model for c in run.experiment.candidates if c.model not in ("dummy", "rule", "blend")]
    told = {n: run.predictions(n) for n in names}
    told = {n: t for n, t in told.items() if "p_yes" in t}
    blend = run.predictions("blend")
    fold = blend[(blend["repeat"] == 1) & (blend["fold"] == 2)]
    first = next(iter(told.values()))
    rest = first[(first["repeat"] == 1) & (first["fold"] != 2)].index
    true = np.array([np.where(t.loc[rest, "truth"] == "yes", t.loc[rest, "p_yes"], t.loc[rest, "p_no"])
                     for t in told.values()])  # fmt: skip
    weights = greedy(true, None)
    mixed = sum(w * t.loc[fold.index, "p_yes"] for w, t in zip(weights, told.values(), strict=True))
    np.testing.assert_allclose(fold["p_yes"], mixed, atol=1e-12)
    assert not np.allclose(weights, greedy(true[:, : len(rest) // 2], None))  # other rows would have chosen otherwise
    loss = -np.log(np.clip(weights @ true, 1e-15, 1)).mean()
    both = first.loc[rest, "truth"] == "yes"
    assert loss == pytest.approx(log_loss(both, weights @ np.where(both, true, 1 - true)))


def test_the_final_blend_is_the_weighted_mean_of_the_final_models(runs, mixed):
    run = runs["regression"]
    weights = json.loads((run.path / "blend.json").read_text())
    assert sum(weights.values()) == pytest.approx(1, abs=1e-5)
    frame = mixed.frame().head(20)
    mean = sum(w * run.model(n).predict(frame) for n, w in weights.items())
    np.testing.assert_allclose(run.model("blend").predict(frame), mean)


def test_a_blend_of_one_is_refused(mixed):
    with pytest.raises(BadInput, match="at least two models"):
        compare_here(mixed, target="two", models=["logistic", "blend"])
    with pytest.raises(BadInput, match="not 'rule' or 'blend'"):
        Candidate.of("blend", MultinomialNB())


# learners -------------------------------------------------------------------------------------------------------------


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


def test_balanced_weights_by_hand():
    # 4 rows, 2 classes: 4 / (2 · 3) and 4 / (2 · 1)
    np.testing.assert_allclose(balanced_weights(np.array([0, 0, 0, 1])), [2 / 3, 2 / 3, 2 / 3, 2])
    np.testing.assert_allclose(balanced_weights(np.array([0, 1]), np.array([3.0, 1.0])), [3, 1])


@pytest.mark.parametrize("name", ["linear_svm", "svm", "nu_svm", "logistic", "xgboost", "random_forest"])
def test_balanced_classes_find_more_of_the_rare_one(name):
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.12).astype(int)
    x = rng.normal(size=(600, 3)) + y[:, None] * 0.9
    found = {}
    for weight in ("none", "balanced"):
        setting = Setting("binary").seeing(y[:400])
        built = model(name).build(setting, {**model(name).defaults("binary"), "class_weight": weight})
        found[weight] = int(built.fit(x[:400], y[:400]).predict(x[400:]).sum())
    assert found["balanced"] > found["none"] or name == "random_forest"  # its leaves are pure, whatever they weigh


def test_unlabelled_rows_move_the_line():
    from sklearn.semi_supervised import SelfTrainingClassifier

    rng = np.random.default_rng(1)
    cloud = np.concatenate([rng.normal(-2, 0.5, 200), rng.normal(2, 0.5, 200)])[:, None]
    few, labels = np.array([[-3.5], [1.2]]), np.array(["a", "b"])
    alone = WithUnlabelled(SelfTrainingClassifier(LogisticRegression())).fit(few, labels)
    helped = WithUnlabelled(SelfTrainingClassifier(LogisticRegression(), threshold=0.75)).fit(few, labels, cloud)
    truth = np.repeat(["a", "b"], 200)
    assert (helped.predict(cloud) == truth).mean() >= (alone.predict(cloud) == truth).mean()
    assert helped.classes_.tolist() == ["a", "b"]


@pytest.mark.parametrize("target", ["two", "three"])
def test_rows_without_a_target_serve_as_unlabelled_ones(target):
    frame = mixed_frame(150).drop(columns=others("binary" if target == "two" else "multiclass"))
    frame[target] = frame[target].astype(object)
    frame.loc[frame.index[::3], target] = None
    data = frame_here(frame, f"half {target}")
    run = compare_here(data, target, models=["logistic", "self_training", "label_spreading"], folds=3, repeats=1)
    rows = {r.model: r for r in run.board().rows}
    assert {rows[m].status for m in ("self_training", "label_spreading")} == {"ok"}
    assert any("50 rows without a target serve as unlabelled" in n for n in run.notes())
    assert len(run.predictions("self_training")) == run.plan()["train"]
    whole = compare_here(
        frame_here(mixed_frame(90), "whole"), "two", models=["self_training", "logistic"], folds=3, repeats=1
    )
    assert "no row without a target" in whole.board().row("self_training").reason


def test_sample_weights_are_those_of_scikit_learn(mixed):
    from mlcore.compare.tasks import context

    frame = mixed_frame(200).drop(columns=others("binary")).assign(w=np.random.default_rng(0).uniform(0, 3, 200))
    data = frame_here(frame, "weighed")
    data = data.with_schema(data.schema.change("w", role="weight"))
    run = compare_here(data, "two", models=["logistic", "knn", "xgboost"], folds=3, repeats=1)
    assert any("Rows weigh by w" in n and "Nearest neighbours cannot" in n for n in run.notes())
    shared = context(str(run.path))
    fold = shared.plan.folds[0]
    encoder = run.experiment.recipe.encoder(run.experiment.schema, "linear")
    x = encoder.fit_transform(shared.prepared.iloc[fold.train], shared.y[fold.train])
    weights = frame["w"].to_numpy()[shared.plan.train][fold.train]
    plain = LogisticRegression(max_iter=1000).fit(x, shared.y[fold.train], sample_weight=weights)
    told = run.predictions("logistic")
    told = told[told["fold"] == 0]
    np.testing.assert_allclose(
        told["p_yes"], plain.predict_proba(encoder.transform(shared.prepared.iloc[fold.test]))[:, 1]
    )


@pytest.mark.parametrize(("weights", "part"), [("text", "holds text"), ([0.0], "all of them are 0"),
                                              ([-1.0, 2.0], "are negative")])  # fmt: skip
def test_weights_that_are_none_are_refused(weights, part):
    cells = ["a"] * 60 if weights == "text" else np.resize(weights, 60)
    frame = pd.DataFrame({"x": np.arange(60.0), "w": cells, "y": [0, 1] * 30})
    data = frame_here(frame, f"weights {part}")
    with pytest.raises(BadInput, match=part):
        compare_here(data.with_schema(data.schema.change("w", role="weight")), "y", models=["logistic"])


# searches -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["tpe", "random", "sobol", "grid", "gp"])
def test_searches_are_nested_repeatable_and_start_from_the_defaults(mixed, method):
    options = {"ignore": others("binary"), "models": ["knn", "logistic"], "folds": 3, "repeats": 1, "tune": ["knn"],
               "search": Search(method, trials=4)}  # fmt: skip
    run, again = (compare_here(mixed, "two", **options) for _ in range(2))
    assert run.board().row("knn").folds == again.board().row("knn").folds
    found = run.tuning("knn")
    assert found.trials[0].state == "defaults"
    assert len(found.trials) <= 5
    best = best_of(list(found.trials), found.metric)
    assert best.value == max(t.value for t in found.trials if t.value is not None)
    built = run.model("knn")[-1]
    assert built.n_neighbors == min(best.parameters.get("n_neighbors", 15), run.plan()["train"])
    assert found.optimism() is not None
    for key in ("0-0", "0-1", "0-2", "final"):
        assert read_trace(trace_file(run.path, "knn", key))
    assert "outside the search" in found.sentence()


def test_a_search_goes_on_where_it_broke_off(mixed, tmp_path):
    from mlcore.compare import tune
    from mlcore.metrics import metric

    candidate = Candidate.named("knn", "binary").tuned(Search("tpe", trials=12), "binary")
    folds = [(np.arange(10), np.arange(10, 20)), (np.arange(10, 20), np.arange(10))]

    def judge(parameters, train, test):
        k = parameters.get("n_neighbors", 15)
        return 1 - (np.log(k) - np.log(30)) ** 2 - (parameters.get("weights") == "distance") * 0.1, 1.0

    whole = tune.search(tmp_path / "a.jsonl", candidate, metric("roc_auc", "binary"), ("binary", 5), folds, judge)
    lines = (tmp_path / "a.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "b.jsonl").write_text("".join(lines[:6]) + '{"number": 6, "par')  # killed while it wrote
    assert len(read_trace(tmp_path / "b.jsonl")) == 6
    resumed = tune.search(tmp_path / "b.jsonl", candidate, metric("roc_auc", "binary"), ("binary", 5), folds, judge)
    assert whole["n_neighbors"] == pytest.approx(30, abs=12)
    assert len(read_trace(tmp_path / "b.jsonl")) == 13
    assert resumed == whole


def test_what_was_set_by_hand_is_not_searched():
    candidate = Candidate.named("decision_tree", "binary", max_depth=2)
    free = {k.name for k in candidate.tuned(Search(), "binary").space("binary")}
    assert "max_depth" not in free
    assert free == {k.name for k in Candidate.named("decision_tree", "binary").tuned(Search(), "binary")
                    .space("binary")} - {"max_depth"}  # fmt: skip
    named = candidate.tuned(Search(knobs=("max_depth",)), "binary")
    assert [k.name for k in named.space("binary")] == ["max_depth"]


def test_an_edge_is_said(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["knn"], folds=3, repeats=1, tune="all",
                       search=Search("grid", trials=6))  # fmt: skip
    found = run.tuning("knn")
    if found.best.get("n_neighbors") in (1, 100):
        assert "edge" in found.sentence()
    edge = type(found)(**{**vars(found), "best": {"n_neighbors": 100}})
    assert "upper edge of 1 to 100" in " ".join(edge.edges())


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"tune": ["naive_bayes"], "models": ["logistic"]}, "in this comparison"),
        ({"tune": ["logistic"], "models": ["logistic"], "search": Search("magic")}, "way to search"),
        ({"tune": ["logistic"], "models": ["logistic"], "search": Search(trials=0)}, "1 to 10,000 trials"),
        ({"tune": ["logistic"], "models": ["logistic"], "search": Search(knobs=("depth",))}, "can be searched"),
        ({"tune": ["rule"], "models": ["rule", "logistic"]}, "no parameters to search"),
        ({"parameters": {"svm": {"C": 2}}, "models": ["logistic"]}, "in this comparison"),
        ({"tune": ["rule"], "models": ["logistic"]}, "in this comparison"),
        ({"search": Search(), "models": ["logistic"]}, "no model is to be searched"),
        ({"tune": "all", "search": Search(knobs=("C",)), "models": ["logistic"]}, "not of all"),
        ({"split": "leave_one_out", "metric": "roc_auc", "models": ["logistic"]}, "one row at a time"),
    ],
)
def test_searches_that_cannot_be_are_refused(mixed, options, part):
    with pytest.raises(BadInput, match=part):
        compare_here(mixed, "two", **options)


def test_a_knob_without_a_range_is_its_default():
    assert Knob("x", 3, "help", 1, 5).grid(4) == [3]
