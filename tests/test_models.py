"""The catalogue's contract: every model, on every task, on unkind data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest import FEW, TARGETS, compare_here, frame_here, mixed_frame, others
from sklearn.model_selection import cross_validate

import mlcore
from mlcore import Candidate, evaluate
from mlcore.compare import storage
from mlcore.compare.experiment import Experiment
from mlcore.compare.tasks import context
from mlcore.errors import BadChoice, BadInput, CannotRead
from mlcore.features.recipe import Recipe
from mlcore.features.steps import STEPS, DateParts, EncodeCategories, FillMissing, Scale
from mlcore.labelled import Labelled
from mlcore.metrics import METRICS
from mlcore.models import MODELS, PRESETS, for_task, simplicity
from mlcore.target import load_target, task_of

HALF = ("self_training", "label_spreading")  # they want rows without a target
CASES = [(task, row.name) for task in TARGETS for row in for_task(task) if row.name not in HALF]


def test_the_catalogue_of_this_slice():
    assert [m.name for m in MODELS] == [
        "dummy", "rule", "linear", "ridge", "lasso", "elastic_net", "logistic", "sgd", "naive_bayes", "lda",
        "linear_svm", "decision_tree", "knn", "random_forest", "extra_trees", "hist_gradient_boosting", "xgboost",
        "svm", "nu_svm", "mlp", "self_training", "label_spreading", "blend",
    ]  # fmt: skip
    assert all(all(vars(m.note).values()) for m in MODELS)
    assert all(set(names) <= {m.name for m in MODELS} for names in PRESETS.values())
    assert simplicity("dummy") < simplicity("logistic") < simplicity("xgboost") < simplicity("mine")


@pytest.mark.parametrize(("task", "name"), CASES)
def test_every_model_gets_through_and_answers_in_labels(runs, mixed, task, name):
    run = runs[task]
    row = next(r for r in run.board().rows if r.model == name)
    assert (row.status, row.reason) == ("ok", "")
    assert len(row.folds) == 6
    fitted = run.model(name)
    answers = fitted.predict(mixed.frame().head(7))
    if task == "regression":
        assert np.isfinite(answers).all()
    else:
        labels = {"binary": {"yes", "no"}, "multiclass": {0, 1, 2}}[task]
        assert set(fitted.classes_.tolist()) == labels
        assert set(answers.tolist()) <= labels


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("task", list(TARGETS))
def test_shared_preprocessing_equals_whole_pipelines_in_cross_validate(runs, task):
    """The engine's fold scores are those of scikit-learn's cross_validate over the full Pipelines, to 1e-9."""
    run = runs[task]
    shared = context(str(run.path))
    frame = run.dataset.frame().iloc[shared.plan.train]
    splits = [(f.train, f.test) for f in shared.plan.folds[:3]]
    scoring = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "neg_root_mean_squared_error"}[
        task
    ]
    for candidate in (c for c in run.experiment.candidates if c.model != "blend"):
        estimator = candidate.build(shared.setting.seeing(shared.y[splits[0][0]]), run.path)
        whole = run.experiment.recipe.pipeline(run.experiment.schema, candidate.family, estimator)
        found = cross_validate(whole, frame, shared.y, cv=splits, scoring=scoring, error_score="raise")["test_score"]
        ours = run.board().row(candidate.model).folds[:3]
        np.testing.assert_allclose(np.abs(found), ours, rtol=0, atol=1e-9, err_msg=candidate.model)


@pytest.mark.parametrize("task", list(TARGETS))
def test_the_stored_model_is_the_whole_pipeline_fitted_plainly(runs, mixed, task):
    run = runs[task]
    shared = context(str(run.path))
    frame = mixed.frame()
    for name in ("random_forest", "xgboost", "ridge" if task == "regression" else "logistic"):
        candidate = run.experiment.candidate(name)
        plain = run.experiment.recipe.pipeline(
            run.experiment.schema, candidate.family, candidate.build(shared.setting.seeing(shared.y), run.path)
        )
        labels = shared.target.labels()[np.searchsorted(shared.target.rows, shared.plan.train)]
        plain.fit(frame.iloc[shared.plan.train], labels)
        assert np.array_equal(plain.predict(frame), run.model(name).predict(frame))


def tiny(task: str, rows: int, **changes: object) -> pd.DataFrame:
    return mixed_frame(rows, seed=9).drop(columns=others(task)).assign(**changes)


@pytest.mark.parametrize("task", list(TARGETS))
def test_thirty_rows_and_a_constant_column(task):
    data = frame_here(tiny(task, 30, empty=np.nan, seven=7.0), "thirty")
    run = compare_here(data, target=TARGETS[task], preset="thorough", folds=2, repeats=1, seed=0,
                       parameters=FEW)  # fmt: skip
    assert {r.model: r.reason for r in run.board().rows if r.status != "ok"} == {}
    assert set(run.fitted()) == {r.model for r in run.board().rows}


def test_boolean_target_infinities_and_hostile_names():
    frame = tiny("binary", 120).rename(columns={"a": "a[1]<b", "colour": '{"k": 1}, x'})
    frame["b"] = frame["b"].replace(7.0, np.inf)
    frame["two"] = frame["two"] == "yes"
    data = frame_here(frame, "hostile")
    run = compare_here(data, target="two", models=["logistic", "xgboost", "hist_gradient_boosting"], folds=3)
    assert {r.status for r in run.board().rows} == {"ok"}
    assert run.model("xgboost").predict(frame.head(3)).dtype == bool
    assert any(a["code"] == "infinite" for a in run.alerts())


def test_a_class_of_one_row_and_a_target_with_gaps():
    frame = tiny("binary", 150)
    frame.loc[0, "two"] = "rare"
    frame.loc[[3, 4, 5], "two"] = None
    run = compare_here(frame_here(frame, "rare"), target="two", models=["logistic", "xgboost"], folds=3)
    assert run.experiment.recipe.task == "multiclass"
    assert {r.status for r in run.board().rows} == {"ok"}
    assert any("3 of 150" in n for n in run.notes())
    assert any("rare" in n for n in run.notes())
    assert set(run.model("xgboost").classes_) == {"no", "rare", "yes"}


def test_a_thousand_levels_are_used(mixed):
    rng = np.random.default_rng(0)
    towns = rng.integers(0, 1000, 3000)
    y = (rng.random(1000)[towns] + 0.3 * rng.random(3000)) > 0.65
    frame = pd.DataFrame({"town": [f"town {t}" for t in towns], "noise": rng.normal(size=3000), "y": y})
    run = compare_here(frame_here(frame, "towns"), target="y", models=["logistic", "xgboost"], folds=3)
    assert run.board().rows[0].score > 0.7


def test_own_estimators_are_candidates():
    from sklearn.ensemble import GradientBoostingClassifier

    data = frame_here(tiny("binary", 90), "own")
    own = Candidate.of("mine", GradientBoostingClassifier(n_estimators=10, random_state=0))
    run = compare_here(data, target="two", models=[own, "logistic"], folds=3, repeats=1)
    assert {r.model: r.status for r in run.board().rows} == {"mine": "ok", "logistic": "ok", "dummy": "ok"}
    assert set(run.model("mine").classes_) == {"no", "yes"}
    theirs = [
        Candidate.of("random_forest", GradientBoostingClassifier(n_estimators=5)),
        Candidate.of("dummy", own.estimator),
    ]
    run = compare_here(data, target="two", models=theirs, folds=3, repeats=1)
    assert [c.digest != "" for c in run.experiment.candidates] == [False, True]  # the baseline stays what it is
    with pytest.raises(BadInput, match="cannot name"):
        Candidate.of("my model", GradientBoostingClassifier())
    with pytest.raises(BadChoice, match="Did you mean 'tree'"):
        Candidate.of("mine", GradientBoostingClassifier(), family="trees")


def test_a_regressor_is_no_candidate_for_classes(mixed):
    from sklearn.linear_model import Ridge

    with pytest.raises(BadInput, match="'mine' predicts a quantity"):
        compare_here(mixed, "two", models=[Candidate.of("mine", Ridge())])


def test_a_written_rule_for_a_quantity_predicts_when_it_is_loaded(mixed):
    rule = {"when": [["b", "from", 25]], "then": 12, "else": 9.5}
    run = compare_here(mixed, "amount", ignore=others("regression"), models=["ridge"], rule=rule, folds=3, repeats=1)
    frame = mixed.frame()
    np.testing.assert_array_equal(run.model("rule").predict(frame), np.where(frame["b"] >= 25, 12.0, 9.5))


def test_large_whole_labels_stay_apart_beside_missing_ones(tmp_path):
    """Beyond 2^53 two neighbours are one as floats."""
    low = 2**53
    rows = [f"{i * 0.37},{'' if i % 20 == 0 else low + i % 2}" for i in range(120)]
    (tmp_path / "ids.csv").write_text("\n".join(["a,y", *rows]))
    data = mlcore.read(tmp_path / "ids.csv")
    assert load_target(data, "y", "binary").classes.tolist() == [low, low + 1]


def test_probabilities_in_some_folds_only_are_not_compared(mixed):
    """With one row of a class in training a linear machine cannot be calibrated; in the other fold it is."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc")).assign(y=["p"] * 3 + ["v"] * 197)
    run = compare_here(frame_here(frame, "rare"), "y", models=["linear_svm"], folds=2, repeats=1, holdout=0)
    assert not run.predictions("linear_svm").isna().any().any()
    assert len(run.evaluate("linear_svm").frame())


def test_own_estimators_see_the_columns_that_they_ask_for(mixed):
    """A Pipeline of one's own is scored as scikit-learn scores it; a forest sees codes, missing cells left."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    whole = make_pipeline(make_column_transformer((SimpleImputer(), ["a", "b"])), LogisticRegression())
    forest = ExtraTreesClassifier(5, random_state=0)
    models = [Candidate.of("mine", whole, family="raw"), Candidate.of("forest", forest, family="tree")]
    run = compare_here(mixed, "two", models=models, ignore=others("binary"), folds=3, repeats=1, race=True)
    assert Experiment.from_json(run.experiment.to_json()) == run.experiment
    shared = context(str(run.path))
    frame, y = mixed.frame().iloc[shared.plan.train], shared.y
    splits = [(f.train, f.test) for f in shared.plan.folds]
    found = cross_validate(whole, frame, y, cv=splits, scoring="roc_auc")["test_score"]
    np.testing.assert_allclose(run.board().row("mine").folds, found, atol=1e-12)
    assert run.model("forest")[-1].estimator_.n_features_in_ == len(shared.schema)
    assert set(run.model("mine").predict(mixed.frame().head(5))) <= {"no", "yes"}


@pytest.mark.parametrize("function", [pd.read_pickle, mlcore.read, np.save])
def test_functions_in_a_model_file_are_refused(tmp_path, function):
    """A run folder may come from anybody: a function that is called while predicting could do anything."""
    from sklearn.preprocessing import FunctionTransformer

    storage.dump(FunctionTransformer(function), tmp_path / "m.skops")
    with pytest.raises(CannotRead, match="not trusted"):
        storage.load(tmp_path / "m.skops")


def test_own_classifiers_without_probabilities_and_twice_the_same():
    from sklearn.linear_model import RidgeClassifier

    data = frame_here(tiny("binary", 90), "ridge")
    own = Candidate.of("ridge_classifier", RidgeClassifier())
    run = compare_here(data, target="two", models=[own], folds=3, repeats=1)
    row = next(r for r in run.board().rows if r.model == "ridge_classifier")
    assert row.status == "ok"
    assert row.metrics["log_loss"] is None
    assert not hasattr(run.model("ridge_classifier"), "predict_proba")
    with pytest.raises(BadInput, match="more than once"):
        compare_here(data, target="two", models=["knn", "knn"])


@pytest.mark.parametrize("labels", [(0.5, 1.0), (2**53, 2**53 + 1), ("0", "1"), (False, True)])
def test_labels_keep_their_type_and_the_holdout_is_scored(labels):
    frame = tiny("binary", 120)
    frame["two"] = np.where(frame["two"] == "yes", labels[1], labels[0])
    data = frame_here(frame, f"labels {labels}")
    run = compare_here(data, "two", models=["logistic", "xgboost"], folds=3, repeats=1)
    for name in ("logistic", "xgboost"):
        assert run.model(name).classes_.tolist() == list(labels)
        (look,) = evaluate.open_holdout(run, [name])
        held = frame.iloc[run.plan()["holdout"]]
        right = run.model(name).predict(held) == held["two"]
        assert look.metrics["accuracy"] == pytest.approx(right.mean())


def test_a_class_met_only_in_the_holdout_is_scored_rightly():
    rng = np.random.default_rng(0)
    y = np.where(rng.random(150) < 0.5, "b", "c")
    y[-6:] = "a"
    frame = pd.DataFrame(
        {"x": (y == "c") + rng.normal(0, 0.2, 150), "t": range(150), "n": rng.normal(size=150), "y": y}
    )
    data = frame_here(frame, "late")
    run = compare_here(data, "y", models=["logistic"], folds=3, split="time", time="t", metric="accuracy")
    (look,) = evaluate.open_holdout(run, ["logistic"])
    held = frame.iloc[run.plan()["holdout"]]
    assert look.value == pytest.approx((run.model("logistic").predict(held) == held["y"]).mean())


def test_a_model_reads_a_raw_frame_as_the_file_was_read(tmp_path):
    rng = np.random.default_rng(3)
    day, euro = rng.integers(1, 28, 200), rng.uniform(100, 9000, 200).round(2)
    rows = [f"{d:02d}/{d % 12 + 1:02d}/2024;{e:,.2f} €".replace(",", "_").replace(".", ",").replace("_", ".")
            for d, e in zip(day, euro, strict=True)]  # fmt: skip
    path = tmp_path / "euro.csv"
    path.write_text("when;amount;y\n" + "\n".join(f"{r};{int(e > 4000)}" for r, e in zip(rows, euro, strict=True)))
    data = mlcore.read(path)
    run = compare_here(data, "y", models=["decision_tree"], folds=3, repeats=1)
    model_ = run.model("decision_tree")
    plain = pd.read_csv(path, sep=";")
    assert plain["amount"].dtype != float
    assert (model_.predict(plain) == model_.predict(data.frame())).all()
    np.testing.assert_allclose(model_[:-1].transform(plain), model_[:-1].transform(data.frame()))


def test_derived_names_and_one_hot_names_do_not_collide():
    frame = tiny("binary", 80).assign(**{"when year": 1.5, "colour_red": np.arange(80.0)})
    data = frame_here(frame, "names")
    run = compare_here(data, "two", models=["logistic"], folds=3, repeats=1)
    assert run.board().ranked()
    schema = data.schema.with_target("two")
    seen = Recipe("two", "binary").preview(schema, data.frame(), load_target(data, "two", "binary").y)
    assert len(set(seen.columns)) == seen.shape[1]


def test_labelled_speaks_labels_and_survives_one_class():
    from sklearn.linear_model import LogisticRegression

    x = np.arange(6.0)[:, None]
    found = Labelled(LogisticRegression()).fit(x, np.array(["b", "a", "b", "a", "b", "b"]))
    assert found.classes_.tolist() == ["a", "b"]
    assert set(found.predict(x)) <= {"a", "b"}
    alone = Labelled(LogisticRegression()).fit(x, np.array(["b"] * 6))
    assert alone.predict(x).tolist() == ["b"] * 6
    assert alone.predict_proba(x).tolist() == [[1.0]] * 6


def test_experiments_survive_json_and_hash_what_decides_numbers(runs):
    experiment = runs["binary"].experiment
    again = Experiment.from_json(json.loads(json.dumps(experiment.to_json())))
    assert again == experiment
    assert again.digest == experiment.digest
    assert runs["regression"].experiment.digest != experiment.digest


def test_recipes_change_what_models_see(mixed):
    schema = mixed.schema.with_target("two").ignoring(others("binary"))
    frame, target = mixed.frame(), load_target(mixed, "two", "binary")
    recipe = Recipe("two", "binary")
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert [type(s) for s in recipe.steps()] == list(STEPS)
    seen = recipe.preview(schema, frame, target.y)
    assert {"colour_red", "when days", "town", "flag"} <= set(seen.columns)
    assert not seen.isna().any().any()
    assert seen["a"].mean() == pytest.approx(0, abs=1e-9)  # scaled
    trees = recipe.preview(schema, frame, target.y, "tree")
    assert trees["a"].isna().sum() == frame["a"].isna().sum()  # left missing
    plain = recipe.change(Scale("none")).change(FillMissing("zero", mark=False)).change(EncodeCategories("ordinal"))
    found = plain.preview(schema, frame, target.y)
    assert (found.loc[frame["a"].isna(), "a"] == 0).all()
    np.testing.assert_allclose(found["a"][frame["a"].notna()], frame["a"].dropna())
    assert set(found["colour"]) == {-1.0, 0.0, 1.0, 2.0}  # a missing level has a code of its own
    year = recipe.change(DateParts(("year",))).preview(schema, frame, target.y, "tree")
    assert set(year["when year"].dropna()) == {2024.0, 2025.0}
    with pytest.raises(BadChoice, match="part of a recipe"):
        Recipe.from_json({"target": "two", "task": "binary", "smote": {}})


def test_nothing_is_fitted_on_test_rows(runs):
    """Shuffling the columns of the rows that a fold tests on changes nothing that was learned."""
    run = runs["binary"]
    shared = context(str(run.path))
    fold = shared.plan.folds[0]
    for family in ("linear", "tree"):
        encoder = run.experiment.recipe.encoder(run.experiment.schema, family)
        first = encoder.fit_transform(shared.prepared.iloc[fold.train], shared.y[fold.train])
        spoilt = shared.prepared.copy()
        spoilt.iloc[fold.test] = spoilt.iloc[fold.test].sample(frac=1, random_state=0).to_numpy()
        again = run.experiment.recipe.encoder(run.experiment.schema, family)
        second = again.fit_transform(spoilt.iloc[fold.train], shared.y[fold.train])
        assert np.array_equal(first, second, equal_nan=True)


def test_tasks_of_targets(mixed):
    schema = mixed.schema
    assert [task_of(schema[n]) for n in ("two", "three", "amount")] == ["binary", "multiclass", "regression"]
    assert task_of(schema["three"], "regression") == "regression"
    for column, wanted, part in (
        ("same", "auto", "at least two"),
        ("when", "auto", "dates"),
        ("two", "regression", "not numbers"),
        ("three", "binary", "exactly two"),
        ("id", "auto", "too many"),
    ):
        with pytest.raises(BadInput, match=part):
            task_of(schema[column], wanted)


def test_metrics_of_a_run_are_there_for_all_models(runs):
    for task, run in runs.items():
        wanted = {m.name for m in METRICS if task in m.tasks}
        for row in run.board().rows:
            assert set(row.metrics) == wanted, (task, row.model)
