"""The statistics against hand computations and published figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from mlcore.validation import statistics


def test_interval_by_hand():
    # mean 0.8; s² = 0.00025; variance of the mean = s² (1/5 + 1/4) = 0.0001125; t(4, .975) = 2.776445
    found = statistics.interval(np.array([0.78, 0.79, 0.80, 0.81, 0.82]), 0.25)
    assert found.mean == pytest.approx(0.80)
    assert found.half == pytest.approx(2.776445 * np.sqrt(0.0001125), rel=1e-6)


def test_one_fold_has_no_interval():
    found = statistics.interval(np.array([0.7]), 0.25)
    assert found.mean == 0.7
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_corrected_test_is_the_plain_one_with_a_larger_variance():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0.80, 0.02, 10), rng.normal(0.79, 0.02, 10)
    found = statistics.difference(a, b, 0.0)
    plain = scipy_stats.ttest_rel(a, b)
    assert found.p == pytest.approx(plain.pvalue)
    corrected = statistics.difference(a, b, 0.25)
    t = (a - b).mean() / np.sqrt((a - b).var(ddof=1) * (1 / 10 + 0.25))
    assert corrected.p == pytest.approx(2 * scipy_stats.t.sf(abs(t), 9))
    assert corrected.p > found.p


def test_the_three_probabilities_add_up_and_follow_the_rope():
    found = statistics.difference(np.array([0.8, 0.82, 0.81]), np.array([0.79, 0.80, 0.80]), 0.5, rope=0.01)
    assert found.better + found.equal + found.worse == pytest.approx(1)
    none = statistics.difference(np.array([0.8, 0.82, 0.81]), np.array([0.79, 0.80, 0.80]), 0.5, rope=10.0)
    assert none.equal == pytest.approx(1, abs=1e-3)


def test_equal_scores_are_no_difference():
    same = np.array([0.5, 0.6, 0.7])
    found = statistics.difference(same, same, 0.25)
    assert (found.p, found.mean, found.equal) == (1.0, 0.0, 1.0)


def test_holm_example():
    # Holm (1979): p = .01, .04, .03 of three tests become .03, .06, .06
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_and_keeps_order(p):
    adjusted = statistics.holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    assert all(0 <= a <= 1 for a in adjusted)
    order = np.argsort(p, kind="stable")
    assert all(np.diff(np.array(adjusted)[order]) >= -1e-12)


def test_tie_groups():
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.01, 10)
    scores = {
        "best": 0.90 + noise,
        "twin": 0.90 + noise + rng.normal(0, 0.002, 10),
        "low": 0.70 + noise,
        "lower": 0.60 + noise + rng.normal(0, 0.001, 10),
    }
    groups = statistics.tie_groups(scores, 0.25, rope=0.01)
    assert groups == {"best": 1, "twin": 1, "low": 2, "lower": 3}


def test_a_group_holds_only_who_cannot_be_told_from_its_best():
    steady, wild = np.linspace(-0.001, 0.001, 10), np.tile([0.1, -0.1], 5)
    scores = {"best": 0.80 + steady, "steady": 0.77 + steady, "wild": 0.76 + wild}
    # "wild" varies too much to be told from the best; that "steady" stands above it makes "steady" no better
    assert statistics.significantly_worse(scores["best"], [scores["steady"], scores["wild"]], 0.25, 0.01) == [
        True,
        False,
    ]
    # … and a model below one that is out is out as well, so that a group has no holes
    assert statistics.tie_groups(scores, 0.25, 0.01) == {"best": 1, "steady": 2, "wild": 2}


def test_differences_within_the_rope_are_ties_however_sure():
    base = np.linspace(0.70, 0.72, 10)
    assert statistics.tie_groups({"a": base + 0.005, "b": base}, 0.25, rope=0.01) == {"a": 1, "b": 1}
    assert statistics.tie_groups({"a": base + 0.05, "b": base}, 0.25, rope=0.01) == {"a": 1, "b": 2}


def test_the_size_of_the_scores_does_not_matter():
    small = np.array([1.0, 1.1, 0.9, 1.05, 0.95])
    for size in (1e-13, 1.0, 1e9):
        assert statistics.tie_groups({"a": -small * size, "b": -9 * small * size}, 0.25) == {"a": 1, "b": 2}


def test_equal_models_are_rarely_told_apart():
    """Scores of correlated folds under no difference: about 5 % of pairs, where the plain test makes far more."""
    rng = np.random.default_rng(7)
    told = plain = 0
    for _ in range(400):
        # training sets overlap: half of the variance of a difference is shared by all folds
        d = rng.normal(0, 0.01) * np.sqrt(0.2) + rng.normal(0, 0.01, 10) * np.sqrt(0.8)
        told += statistics.difference(d, np.zeros(10), 0.25).p < 0.05
        plain += scipy_stats.ttest_1samp(d, 0).pvalue < 0.05
    assert told / 400 < 0.08
    assert plain > 2 * told


def test_delong_by_counting_pairs_and_by_the_formula():
    # Positives score .9 and .4, negatives .5 and .1: three of four pairs are in order, so the area is 3/4. The
    # placements are (1, .5) of the positives and (.5, 1) of the negatives, each of variance .125.
    areas, covariance = statistics.delong(np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.5, 0.1]))
    assert areas.tolist() == [0.75]
    assert covariance[0, 0] == pytest.approx(0.125 / 2 + 0.125 / 2)


@pytest.mark.slow
def test_delong_areas_are_scikit_learns_with_ties_and_the_variance_is_that_of_resamples():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(3)
    y = rng.random(600) < 0.3
    scores = np.round(y + rng.normal(0, 1, (2, 600)), 1)
    areas, covariance = statistics.delong(y, scores)
    np.testing.assert_allclose(areas, [roc_auc_score(y, s) for s in scores])
    redrawn = []
    for _ in range(600):
        rows = rng.integers(0, 600, 600)
        redrawn.append([roc_auc_score(y[rows], s[rows]) for s in scores])
    np.testing.assert_allclose(covariance, np.cov(np.array(redrawn).T), atol=4e-5)
    low, high = statistics.delong_interval(y, scores[0])
    assert low < areas[0] < high < 1


def test_delong_interval_needs_two_rows_of_each_class():
    assert statistics.delong_interval(np.array([1, 0, 0]), np.array([0.3, 0.2, 0.1])) is None
    assert statistics.delong_interval(np.array([1, 1, 0, 0]), np.array([0.9, 0.8, 0.2, 0.1])) is None  # no spread at 1


def test_draws_have_the_mean_and_the_spread_of_the_corrected_test():
    rng = np.random.default_rng(0)
    scores = rng.normal([0.8, 0.79, 0.7], 0.02, size=(10, 3))
    found = statistics.posterior_draws(scores, 0.25, times=200_000)
    np.testing.assert_allclose(found.mean(axis=0), scores.mean(axis=0), atol=3e-4)
    expected = np.cov(scores.T) * (1 / 10 + 0.25) * 9 / 7  # a t distribution of 9 degrees has variance 9/7
    np.testing.assert_allclose(np.cov(found.T), expected, atol=1.5e-5)
    difference = found[:, 0] - found[:, 1]
    told = statistics.difference(scores[:, 0], scores[:, 1], 0.25)
    assert (difference > 0).mean() == pytest.approx(1 - told.p / 2 if told.mean > 0 else told.p / 2, abs=0.005)


def test_first_shares_add_up_and_equals_share():
    same = np.tile(np.array([[0.8], [0.82], [0.79]]), (1, 2))
    np.testing.assert_allclose(statistics.probability_best(same, 0.25), [0.5, 0.5])
    clear = np.column_stack([same[:, 0], same[:, 0] - 0.3])
    np.testing.assert_allclose(statistics.probability_best(clear, 0.25), [1, 0])


def test_the_luck_of_the_first_is_the_expected_maximum():
    """The best of ten equal models: its mean is 1.54 standard errors too high (the expected maximum of ten normals)."""
    rng = np.random.default_rng(1)
    scores = rng.normal(0.8, 0.015, size=(200, 10))
    scores += 0.8 - scores.mean(axis=0)  # equal means, so that what is left is luck alone
    error = 0.015 * np.sqrt(1 / 200)
    assert statistics.winners_curse(scores, 0.0) == pytest.approx(1.539 * error, rel=0.05)
