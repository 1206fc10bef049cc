from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from mlcore.errors import NotApplicable
from mlcore.evaluate.calibration import calibration, wilson
from mlcore.evaluate.out_of_fold import out_of_fold
from tests.evaluate.test_thresholds import scored
from tests.helpers import first_repeat_of

RNG = np.random.default_rng(5)
P = RNG.random(3000)


def test_wilson_as_in_agresti_and_coull():
    """9 of 10: .596 to .982 (Agresti and Coull, 1998, and many tables)."""
    assert wilson(9, 10) == pytest.approx((0.596, 0.982), abs=5e-4)


def test_perfect_probabilities_are_calibrated_and_squared_ones_are_not():
    good = calibration(scored(RNG.random(3000) < P, P))
    assert good.is_calibrated()
    assert good.ece < 0.03
    bad = calibration(scored(RNG.random(3000) < P, P**2))
    assert not bad.is_calibrated()
    assert bad.ece == pytest.approx(np.mean(P - P**2), abs=0.02)  # 1/6: all are too low
    assert "too low" in bad.sentence()
    extreme = calibration(scored(RNG.random(3000) < P, np.where(P > 0.5, 1 - (1 - P) ** 2, P**2)))
    assert "too extreme" in extreme.sentence()


def test_bins_hold_equally_many_rows_and_scores_are_scikit_learns(runs):
    part = first_repeat_of(runs["binary"], "xgboost")
    found = calibration(out_of_fold(runs["binary"], "xgboost").scored())
    truth = part["truth"] == "yes"
    assert found.brier == pytest.approx(sk.brier_score_loss(truth, part["p_yes"]))
    assert found.log_loss == pytest.approx(sk.log_loss(truth, part["p_yes"]))
    assert found.bins["n"].sum() == len(part)
    assert found.bins["n"].max() <= len(part) / 10 + 1
    assert np.average(found.bins["observed"], weights=found.bins["n"]) == pytest.approx(truth.mean())


def test_a_constant_prediction_is_one_bin():
    one = calibration(scored([0, 1, 0, 1], [0.5] * 4))
    assert (len(one.bins), one.ece) == (1, 0)


def test_chance_is_exceeded_in_five_of_a_hundred_samples():
    """Of 200 samples of perfect probabilities, the error exceeds its 95 % quantile in 2 to 9 %."""
    beyond = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p = rng.random(200)
        beyond += not calibration(scored(rng.random(200) < p, p)).is_calibrated()
    assert 4 <= beyond <= 18


def test_decision_scores_have_no_calibration(runs):
    with pytest.raises(NotApplicable, match="no probabilities"):
        calibration(out_of_fold(runs["binary"], "sgd").scored())
