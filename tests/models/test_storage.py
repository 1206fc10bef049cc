from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_validate

import mlcore
from mlcore import Candidate
from mlcore.errors import BadChoice, BadInput, CannotRead
from mlcore.experiment.experiment import Experiment
from mlcore.models import storage
from mlcore.runs.context import context
from tests.helpers import compare_here, frame_here, others, tiny_frame


def test_own_estimators_are_candidates():
    from sklearn.ensemble import GradientBoostingClassifier

    data = frame_here(tiny_frame("binary", 90), "own")
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

    with pytest.raises(BadInput, match="'mine' is a regressor"):
        compare_here(mixed, "two", models=[Candidate.of("mine", Ridge())])


def test_a_written_rule_for_a_quantity_predicts_when_it_is_loaded(mixed):
    rule = {"when": [["b", "from", 25]], "then": 12, "else": 9.5}
    run = compare_here(mixed, "amount", ignore=others("regression"), models=["ridge"], rule=rule, folds=3, repeats=1)
    frame = mixed.frame()
    np.testing.assert_array_equal(run.model("rule").predict(frame), np.where(frame["b"] >= 25, 12.0, 9.5))


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

    data = frame_here(tiny_frame("binary", 90), "ridge")
    own = Candidate.of("ridge_classifier", RidgeClassifier())
    run = compare_here(data, target="two", models=[own], folds=3, repeats=1)
    row = next(r for r in run.board().rows if r.model == "ridge_classifier")
    assert row.status == "ok"
    assert row.metrics["log_loss"] is None
    assert not hasattr(run.model("ridge_classifier"), "predict_proba")
    with pytest.raises(BadInput, match="more than once"):
        compare_here(data, target="two", models=["knn", "knn"])
