from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.errors import NotApplicable
from mlcore.evaluate.agreement import agreement, mid_p
from mlcore.evaluate.gain import abstention, abstention_of, gain
from mlcore.evaluate.out_of_fold import OutOfFold, out_of_fold
from mlcore.evaluate.quantities import conformal, prediction_intervals, residuals_over
from mlcore.evaluate.rows import errors, label_doubts
from mlcore.validation.predictions import Predictions
from tests.evaluate.test_thresholds import scored
from tests.helpers import first_repeat_of


def of_classes(truth: np.ndarray, p: np.ndarray) -> OutOfFold:
    return OutOfFold(
        model="m", title="Model", slot=1, task="multiclass", target="y", rows=np.arange(len(truth)) + 100,
        fold=np.arange(len(truth)) % 4, classes=("a", "b", "c"),
        predictions=Predictions(truth, p.argmax(axis=1), 3, p),
    )  # fmt: skip


def test_labels_that_were_swapped_are_doubted_first():
    """Three clear classes; ten labels are changed on purpose."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 300)
    p = np.full((300, 3), 0.05)
    p[np.arange(300), true] = 0.9
    p += rng.random((300, 3)) * 0.02
    p /= p.sum(axis=1, keepdims=True)
    given, swapped = true.copy(), np.arange(0, 300, 30)
    given[swapped] = (true[swapped] + 1) % 3
    found = label_doubts(of_classes(given, p))
    assert set(found.rows["row"][:10]) == set(swapped + 100)
    assert len(found.rows) == 10
    first = found.to_json()[0]
    assert first["suggested"] == "abc"[true[first["row"] - 100]]
    assert first["given"] == "abc"[given[first["row"] - 100]]


def test_no_doubt_where_a_model_knows_nothing():
    flat = np.tile([0.4, 0.3, 0.3], (30, 1))
    assert label_doubts(of_classes(np.array([0, 1, 2] * 10), flat)).rows["given"].eq("a").sum() == 0
    assert "contradicts" in label_doubts(of_classes(np.array([0, 1, 2] * 10), flat)).sentence()


def test_the_worst_rows_stand_first_and_say_why(runs):
    known = out_of_fold(runs["binary"], "logistic")
    part = first_repeat_of(runs["binary"], "logistic")
    found = errors(known, runs["binary"].columns(known.rows))
    wrong = part[part["truth"] != part["prediction"]]
    assert (found.wrong, len(found.rows)) == (len(wrong), min(200, len(wrong)))
    of_truth = np.where(wrong["truth"] == "yes", wrong["p_yes"], wrong["p_no"])
    assert found.rows["row"].iloc[0] == wrong["row"].iloc[int(of_truth.argmin())]
    columns = pd.DataFrame({"amount": [*np.tile([1.0, 2.0, 3.0], 100)[:299], 1000.0]})
    far = errors(of_classes(np.array([0] * 299 + [1]), np.tile([0.9, 0.05, 0.05], (300, 1))), columns)
    assert far.rows["stands out"].iloc[0] == "amount 1,000"


def test_two_models_by_mcnemar():
    """Right in 30 rows both, in 2 only the first, in 12 only the second: the exact mid-p of 2 among 14."""
    from scipy.stats import binom

    truth = np.zeros(50, int)
    p1, p2 = np.tile([0.9, 0.05, 0.05], (50, 1)), np.tile([0.9, 0.05, 0.05], (50, 1))
    p1[32:44], p2[30:32] = [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]
    p1[44:], p2[44:] = [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]
    found = agreement(of_classes(truth, p1), of_classes(truth, p2))
    assert found.counts == (30, 2, 12, 6)
    assert found.p == pytest.approx(2 * binom.cdf(2, 14, 0.5) - binom.pmf(2, 14, 0.5))
    assert len(found.rows) == 14
    assert mid_p(0, 0) == 1


def test_gain_of_a_perfect_and_of_a_random_order():
    """Ten of 100: the first tenth holds all of them, and the lift is 10."""
    perfect = gain([scored([1] * 10 + [0] * 90, np.linspace(1, 0, 100))])
    table = perfect.frame().set_index("rows")
    assert table.loc[0.1, "found"] == pytest.approx(1)
    assert table.loc[0.1, "lift"] == pytest.approx(10)
    same = gain([scored([1] * 10 + [0] * 90, [0.5] * 100)])
    np.testing.assert_allclose(same.frame()["found"], same.frame()["rows"])


def test_error_falls_when_the_least_certain_rows_are_left_out(runs):
    found = abstention("M", np.array([0.9, 0.8, 0.7, 0.6]), np.array([False, False, True, True]))
    assert found.frame().set_index("answered")["error"].to_dict() == {0.25: 0, 0.5: 0, 0.75: 1 / 3, 1.0: 0.5}
    known = abstention_of(out_of_fold(runs["multiclass"], "logistic"))
    part = first_repeat_of(runs["multiclass"], "logistic")
    assert known.error[-1] == pytest.approx((part["truth"] != part["prediction"]).mean())
    with pytest.raises(NotApplicable, match="no probabilities"):
        abstention_of(out_of_fold(runs["multiclass"], "sgd"))


def test_conformal_intervals_cover_what_they_say(runs):
    """100 errors: the 91st smallest is the half-width at 90 %; over 300 samples new rows are covered in 90 %."""
    assert conformal(np.arange(1.0, 101.0), 0.9) == 91
    covered = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        half = conformal(np.abs(rng.normal(size=60)), 0.9)
        covered.append((np.abs(rng.normal(size=200)) <= half).mean())
    assert np.mean(covered) == pytest.approx(0.9, abs=0.01)
    found = prediction_intervals(runs["regression"], "ridge")
    assert 0.8 < found.coverage < 0.98
    part = first_repeat_of(runs["regression"], "ridge")
    error = np.sort(np.abs(part["prediction"] - part["truth"]))
    assert found.half == error[int(np.ceil((len(error) + 1) * 0.9)) - 1]


def test_residuals_over_a_column(runs):
    part = first_repeat_of(runs["regression"], "ridge")
    known = out_of_fold(runs["regression"], "ridge")
    flag = runs["regression"].columns(known.rows, ["flag"])["flag"]
    found = residuals_over(runs["regression"], "ridge", flag).frame().set_index("at")
    error = (part["prediction"] - part["truth"]).to_numpy()
    assert found.loc["1", "mean"] == pytest.approx(error[flag == 1].mean())
    assert found["n"].sum() == len(part)
