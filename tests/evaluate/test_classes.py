from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from mlcore.errors import BadChoice, NotApplicable
from mlcore.evaluate import classes
from tests.helpers import first_repeat_of


def test_confusion_equals_scikit_learn(runs):
    for task in ("binary", "multiclass"):
        part = first_repeat_of(runs[task], "logistic")
        found = classes.confusion(runs[task], "logistic")
        assert found.counts.tolist() == sk.confusion_matrix(part["truth"], part["prediction"]).tolist()
        assert found.counts.sum() == runs[task].plan()["train"]
        assert str(int(np.trace(found.counts))) in found.sentence()


def test_roc_and_precision_recall_equal_scikit_learn(runs):
    part = first_repeat_of(runs["binary"], "xgboost")
    truth, score = part["truth"] == "yes", part["p_yes"]
    roc = classes.roc(runs["binary"], ["xgboost", "logistic"])
    x, y, _ = sk.roc_curve(truth, score)
    np.testing.assert_allclose(roc.curves[0].x, x)
    np.testing.assert_allclose(roc.curves[0].y, y)
    assert roc.curves[0].area == pytest.approx(sk.roc_auc_score(truth, score))
    assert [c.model for c in roc.curves] == ["xgboost", "logistic"]
    found = classes.precision_recall(runs["binary"], ["xgboost"])
    assert found.curves[0].area == pytest.approx(sk.average_precision_score(truth, score))
    assert found.prevalence == pytest.approx(truth.mean())


def test_models_without_probabilities_rank_by_decision(runs):
    part = first_repeat_of(runs["binary"], "sgd")
    found = classes.roc(runs["binary"], ["sgd"])
    assert found.curves[0].area == pytest.approx(sk.roc_auc_score(part["truth"] == "yes", part["decision"]))
    other = classes.roc(runs["binary"], ["sgd"], "no")
    assert other.curves[0].area == pytest.approx(found.curves[0].area)
    with pytest.raises(NotApplicable, match="no scores"):
        classes.roc(runs["multiclass"], ["sgd"])


def test_one_class_against_the_rest(runs):
    part = first_repeat_of(runs["multiclass"], "random_forest")
    found = classes.roc(runs["multiclass"], ["random_forest"], "1")
    assert found.curves[0].area == pytest.approx(sk.roc_auc_score(part["truth"] == 1, part["p_1"]))
    with pytest.raises(BadChoice, match="class"):
        classes.roc(runs["multiclass"], ["random_forest"], "9")
