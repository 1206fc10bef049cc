from __future__ import annotations

import pytest
from sklearn import metrics as sk

from mlcore.errors import NotFound
from mlcore.evaluate import holdout
from tests.helpers import compare_here, others


@pytest.mark.slow
def test_each_look_at_the_holdout_is_counted(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["logistic"], folds=3, repeats=1)
    assert run.holdout_looks() == []
    (first_look,) = holdout.open_holdout(run, ["logistic"])
    rows = run.plan()["holdout"]
    frame = mixed.frame().iloc[rows]
    plain = sk.roc_auc_score(frame["two"] == "yes", run.model("logistic").predict_proba(frame)[:, 1])
    assert first_look.value == pytest.approx(plain)
    assert first_look.looks == 1
    (second,) = holdout.open_holdout(run, ["dummy"])
    assert second.looks == 2
    assert "2 times" in second.sentence()
    assert len(run.holdout_looks()) == 2


def test_no_holdout_means_nothing_to_open(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["logistic"], folds=3, repeats=1, holdout=0)
    assert run.plan()["train"] == mixed.rows
    with pytest.raises(NotFound, match="--holdout"):
        holdout.open_holdout(run, ["logistic"])
