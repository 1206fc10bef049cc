from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_validate

from mlcore.evaluate import holdout
from mlcore.runs.context import context
from mlcore.validation.metrics import METRICS
from tests.helpers import FEW, TARGETS, compare_here, frame_here, tiny_frame


@pytest.mark.slow
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
        estimator = candidate.build(shared.setting.for_fit(shared.y[splits[0][0]]), run.path)
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
            run.experiment.schema, candidate.family, candidate.build(shared.setting.for_fit(shared.y), run.path)
        )
        labels = shared.target.labels()[np.searchsorted(shared.target.rows, shared.plan.train)]
        plain.fit(frame.iloc[shared.plan.train], labels)
        assert np.array_equal(plain.predict(frame), run.model(name).predict(frame))


@pytest.mark.slow
@pytest.mark.parametrize("task", list(TARGETS))
def test_thirty_rows_and_a_constant_column(task):
    data = frame_here(tiny_frame(task, 30, empty=np.nan, seven=7.0), "thirty")
    run = compare_here(data, target=TARGETS[task], preset="thorough", folds=2, repeats=1, seed=0,
                       parameters=FEW)  # fmt: skip
    assert {r.model: r.reason for r in run.board().rows if r.status != "ok"} == {}
    assert set(run.fitted()) == {r.model for r in run.board().rows}


def test_boolean_target_infinities_and_hostile_names():
    frame = tiny_frame("binary", 120).rename(columns={"a": "a[1]<b", "colour": '{"k": 1}, x'})
    frame["b"] = frame["b"].replace(7.0, np.inf)
    frame["two"] = frame["two"] == "yes"
    data = frame_here(frame, "hostile")
    run = compare_here(data, target="two", models=["logistic", "xgboost", "hist_gradient_boosting"], folds=3)
    assert {r.status for r in run.board().rows} == {"ok"}
    assert run.model("xgboost").predict(frame.head(3)).dtype == bool
    assert any(a["code"] == "infinite" for a in run.alerts())


def test_a_class_of_one_row_and_a_target_with_gaps():
    frame = tiny_frame("binary", 150)
    frame.loc[0, "two"] = "rare"
    frame.loc[[3, 4, 5], "two"] = None
    run = compare_here(frame_here(frame, "rare"), target="two", models=["logistic", "xgboost"], folds=3)
    assert run.experiment.recipe.task == "multiclass"
    assert {r.status for r in run.board().rows} == {"ok"}
    assert any("3 of 150" in n for n in run.notes())
    assert any("rare" in n for n in run.notes())
    assert set(run.model("xgboost").classes_) == {"no", "rare", "yes"}


@pytest.mark.slow
def test_a_thousand_levels_are_used(mixed):
    rng = np.random.default_rng(0)
    towns = rng.integers(0, 1000, 3000)
    y = (rng.random(1000)[towns] + 0.3 * rng.random(3000)) > 0.65
    frame = pd.DataFrame({"town": [f"town {t}" for t in towns], "noise": rng.normal(size=3000), "y": y})
    run = compare_here(frame_here(frame, "towns"), target="y", models=["logistic", "xgboost"], folds=3)
    assert run.board().rows[0].score > 0.7


def test_probabilities_in_some_folds_only_are_not_compared(mixed):
    """With one row of a class in training a linear machine cannot be calibrated; in the other fold it is."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("abc")).assign(y=["p"] * 3 + ["v"] * 97 + ["w"] * 100)
    run = compare_here(frame_here(frame, "rare"), "y", models=["linear_svm"], folds=2, repeats=1, holdout=0)
    assert not run.predictions("linear_svm").isna().any().any()
    assert len(run.evaluate("linear_svm").frame())


@pytest.mark.parametrize("labels", [(0.5, 1.0), (2**53, 2**53 + 1), ("0", "1"), (False, True)])
def test_labels_keep_their_type_and_the_holdout_is_scored(labels):
    frame = tiny_frame("binary", 120)
    frame["two"] = np.where(frame["two"] == "yes", labels[1], labels[0])
    data = frame_here(frame, f"labels {labels}")
    run = compare_here(data, "two", models=["logistic", "xgboost"], folds=3, repeats=1)
    for name in ("logistic", "xgboost"):
        assert run.model(name).classes_.tolist() == list(labels)
        (look,) = holdout.open_holdout(run, [name])
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
    (look,) = holdout.open_holdout(run, ["logistic"])
    held = frame.iloc[run.plan()["holdout"]]
    assert look.value == pytest.approx((run.model("logistic").predict(held) == held["y"]).mean())


def test_nothing_is_fitted_on_test_rows(runs):
    """Shuffling the columns of the rows that a fold tests on changes nothing that was learned."""
    run = runs["binary"]
    shared = context(str(run.path))
    fold = shared.plan.folds[0]
    for family in ("linear", "tree"):
        encoder = run.experiment.recipe.encoder(shared.schema, family)
        first = encoder.fit_transform(shared.prepared.iloc[fold.train], shared.y[fold.train])
        spoilt = shared.prepared.copy()
        spoilt.iloc[fold.test] = spoilt.iloc[fold.test].sample(frac=1, random_state=0).to_numpy()
        again = run.experiment.recipe.encoder(shared.schema, family)
        second = again.fit_transform(spoilt.iloc[fold.train], shared.y[fold.train])
        assert np.array_equal(first, second, equal_nan=True)


def test_metrics_of_a_run_are_there_for_all_models(runs):
    for task, run in runs.items():
        wanted = {m.name for m in METRICS if task in m.tasks}
        for row in run.board().rows:
            assert set(row.metrics) == wanted, (task, row.model)


def test_rows_that_are_repeated_stay_on_one_side_of_the_inner_folds(runs):
    """Oversampled rows in a search: a copy of a tested row in training would give its answer away."""
    from mlcore.runs.context import context
    from mlcore.runs.fit import _inner_folds

    run = context(str(runs["binary"].path))
    positions = np.concatenate([np.arange(60), np.repeat(np.arange(20), 3)])
    for train, test in _inner_folds(run, positions, 3):
        assert not set(positions[train]) & set(positions[test])
        assert len(set(positions[test])) == len(test)
        assert set(positions[train]) | set(positions[test]) == set(range(60))
