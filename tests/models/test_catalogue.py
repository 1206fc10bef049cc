from __future__ import annotations

import numpy as np
import pytest

from mlcore.models.catalogue import MODELS, for_task, simplicity
from tests.helpers import TARGETS

CASES = [(task, row.name) for task in TARGETS for row in for_task(task) if row.preset is not None]


def test_the_models_of_the_contract_from_the_simplest_on():
    contract = [
        "dummy", "rule", "linear", "ridge", "lasso", "elastic_net", "logistic", "sgd", "naive_bayes", "lda",
        "linear_svm", "decision_tree", "knn", "random_forest", "extra_trees", "hist_gradient_boosting", "xgboost",
        "svm", "nu_svm", "mlp", "self_training", "label_spreading", "blend",
    ]  # fmt: skip
    assert [m.name for m in MODELS if m.name in contract] == contract
    assert all(all(vars(m.note).values()) for m in MODELS)
    assert simplicity("dummy") == 0
    assert simplicity("logistic") < simplicity("xgboost") < simplicity("mine") == len(MODELS)


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
