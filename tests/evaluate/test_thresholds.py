from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from mlcore.errors import BadChoice, BadInput, NotApplicable
from mlcore.evaluate.out_of_fold import Scored, out_of_fold
from mlcore.evaluate.thresholds import Payoff, ThresholdRule, counts_at, profit, rate, sweep, threshold
from tests.helpers import first_repeat_of


def scored(truth, score, fold=None, weights=None) -> Scored:
    n = len(truth)
    return Scored(
        title="Model", slot=1, positive="yes", truth=np.array(truth, bool), score=np.array(score, float),
        fold=np.arange(n) % 3 if fold is None else np.array(fold), rows=np.arange(n),
        weights=np.ones(n) if weights is None else np.array(weights, float), usual=0.5, is_probability=True,
    )  # fmt: skip


RNG = np.random.default_rng(0)
Y = RNG.random(400) < 0.3
P = np.clip(0.3 + 0.3 * Y + RNG.normal(0, 0.2, 400), 0, 1).round(2)  # with ties


def test_rates_at_a_threshold_are_scikit_learns():
    label = P >= 0.45
    c = counts_at(scored(Y, P), 0.45)
    tn, fp, fn, tp = sk.confusion_matrix(Y, label).ravel()
    assert (c.tn, c.fp, c.fn, c.tp) == (tn, fp, fn, tp)
    assert rate("precision", c) == pytest.approx(sk.precision_score(Y, label))
    assert rate("recall", c) == pytest.approx(sk.recall_score(Y, label))
    assert rate("f1", c) == pytest.approx(sk.f1_score(Y, label))
    assert rate("balanced_accuracy", c) == pytest.approx(sk.balanced_accuracy_score(Y, label))
    assert rate("matthews_corrcoef", c) == pytest.approx(sk.matthews_corrcoef(Y, label))


def test_the_sweep_has_the_points_of_the_roc_curve():
    thresholds, c = sweep(scored(Y, P))
    fpr, tpr, limits = sk.roc_curve(Y, P, drop_intermediate=False)
    np.testing.assert_allclose(c.fp / c.fp[-1], fpr)
    np.testing.assert_allclose(c.tp / c.tp[-1], tpr)
    np.testing.assert_allclose(thresholds[1:], limits[1:])


def test_rules_do_what_they_say():
    one = scored(Y, P)

    def at(text: str):
        return counts_at(one, ThresholdRule.parse(text).choose(one))

    label = [(t <= P) for t in np.unique(P)]
    assert rate("f1", at("best:f1")) == pytest.approx(max(sk.f1_score(Y, p) for p in label))
    recall = at("recall:0.8")
    assert rate("recall", recall) >= 0.8
    assert rate("precision", recall) == max(sk.precision_score(Y, p) for p in label if sk.recall_score(Y, p) >= 0.8)
    precision = at("precision:0.7")
    assert rate("precision", precision) >= 0.7
    assert rate("recall", precision) == max(sk.recall_score(Y, p) for p in label if sk.precision_score(Y, p) >= 0.7)
    distinct = scored(Y, P + np.arange(400) * 1e-6)
    c = counts_at(distinct, ThresholdRule.parse("top:25").choose(distinct))
    assert c.tp + c.fp == 25


@pytest.mark.parametrize("text", ["recall:2", "top:0", "top:2.5", "precision:x", "cost:3", "nan", ""])
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(BadInput):
        ThresholdRule.parse(text)


def test_a_wish_that_cannot_be_and_an_unknown_metric():
    with pytest.raises(BadChoice, match="'f2'"):
        ThresholdRule.parse("best:f2")
    with pytest.raises(NotApplicable, match=r"precision of 90 %; the highest is 50 %"):
        ThresholdRule.parse("precision:0.9").choose(scored([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]))
    with pytest.raises(NotApplicable, match="lack one"):
        threshold(scored([0, 0], [0.1, 0.2]))


def test_a_threshold_is_judged_on_folds_that_did_not_choose_it():
    """In fold 0 scores are shifted: the threshold that the other folds choose calls none of its rows."""
    truth, score, fold = [0, 1] * 30, [0.8, 0.9] * 20 + [0.1, 0.2] * 10, [1] * 20 + [2] * 20 + [0] * 20
    result = threshold(scored(truth, score, fold), ThresholdRule.parse("best:accuracy"))
    assert result.judged.tp == 20  # of folds 1 and 2 only
    assert result.judged.fn == 10
    assert "On folds that did not choose it: recall 67 %" in result.sentence()


def test_precision_follows_the_prevalence():
    """Recall .8 and specificity .9: at 1 % positives, .008 / (.008 + .099) of the calls are right."""
    truth = [1] * 10 + [0] * 10
    score = [0.9] * 8 + [0.1] * 2 + [0.9] + [0.1] * 9
    assert threshold(scored(truth, score)).precision_at(0.01) == pytest.approx(0.008 / (0.008 + 0.099))


def test_costs_by_hand():
    """Found 10 each, a false positive costs 1: the best threshold calls the three rows from .6 on."""
    one = scored([1, 0, 1, 0, 0, 1], [0.9, 0.7, 0.6, 0.3, 0.2, 0.05], [0, 1, 2, 0, 1, 2])
    result = profit(one, Payoff.of([10, -1, 0, 0]))
    assert (result.nothing, result.everything, result.baseline) == (0, 27, 0)
    at = result.curve.set_index(result.curve["threshold"].round(2))["profit"]
    assert at[0.9] == 10
    assert at[0.6] == 19
    assert at[0.05] == 27
    assert result.threshold == pytest.approx(0.05)
    assert "calling every row" in result.sentence()


def test_costs_may_be_earnings_or_costs_but_not_both():
    assert Payoff.of([0, 1, 5, 0]) == Payoff(tp=0, fp=-1, fn=-5, tn=0)
    assert Payoff.of([100, -10, 0, 0]) == Payoff(tp=100, fp=-10, fn=0, tn=0)
    for wrong in ([1, 2, 3], [0, 0, 0, 0], [5, 5, 0, 0], [np.nan, 0, 0, 0]):
        with pytest.raises(BadInput):
            Payoff.of(wrong)


def test_weights_count_as_rows():
    few = scored([1, 0, 1], [0.9, 0.6, 0.4], [0, 1, 2], [2, 1, 3])
    many = scored([1, 1, 0, 1, 1, 1], [0.9, 0.9, 0.6, 0.4, 0.4, 0.4])
    for t in (0.3, 0.5, 0.7):
        assert vars(counts_at(few, t)) == vars(counts_at(many, t))


def test_the_evaluation_of_a_run_at_a_threshold(runs):
    part = first_repeat_of(runs["binary"], "logistic")
    found = runs["binary"].evaluate("logistic", threshold="0.3", costs=[10, -1, 0, 0], by=["colour"]).to_json()
    label = np.where(part["p_yes"] >= 0.3, "yes", "no")
    assert found["confusion"]["counts"] == sk.confusion_matrix(part["truth"], label).tolist()
    assert found["threshold"] == 0.3
    assert set(found["thresholds"][0]) == {"threshold", "precision", "recall", "specificity", "f1", "positives"}
    assert set(found["costs"]) == {"threshold", "profit", "low", "high", "nothing", "everything", "baseline"}
    assert {s["level"] for s in found["slices"]} == {"red", "green", "blue", "missing"}
    with pytest.raises(BadInput, match="two classes"):
        runs["multiclass"].evaluate("logistic", threshold=0.4)
    with pytest.raises(NotApplicable, match="without scores"):
        out_of_fold(runs["multiclass"], "sgd").scored("1")


def test_a_single_fold_judges_nothing():
    """With one fold no other rows can choose the threshold."""
    one = scored([0, 1, 0, 1], [0.1, 0.9, 0.6, 0.4], [0, 0, 0, 0])
    result = threshold(one, ThresholdRule.parse("best:f1"))
    assert result.judged is None
    assert "On folds that did not choose it" not in result.sentence()
    with pytest.raises(NotApplicable, match="one fold"):
        profit(one, Payoff.of([10, -1, 0, 0]))


def test_no_fold_is_left_out_where_the_others_have_one_class():
    """The rows of all folds are judged: where the others cannot choose, at the usual threshold, or none is called."""
    one = scored([0, 1, 0, 0, 0, 0], [0.1, 0.9, 0.2, 0.3, 0.6, 0.4], [0, 0, 1, 1, 2, 2])
    result = threshold(one, ThresholdRule.parse("best:f1"))
    assert result.judged is not None
    assert sum(vars(result.judged).values()) == 6
