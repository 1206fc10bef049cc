from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, root_mean_squared_error

from mlcore.errors import NotApplicable
from mlcore.evaluate.out_of_fold import OutOfFold, out_of_fold
from mlcore.evaluate.slices import fairness, levels, slices, worst_slices
from mlcore.validation.metrics import metric
from mlcore.validation.predictions import Predictions
from tests.evaluate.test_thresholds import scored
from tests.helpers import first_repeat_of

RNG = np.random.default_rng(1)


def of_numbers(error: np.ndarray) -> OutOfFold:
    """A regression model whose errors are known."""
    truth = RNG.normal(size=len(error))
    return OutOfFold(
        model="m", title="Model", slot=1, task="regression", target="y", rows=np.arange(len(error)),
        fold=np.arange(len(error)) % 4, classes=(), predictions=Predictions(truth, truth + error),
    )  # fmt: skip


def test_a_slice_has_the_score_of_its_rows():
    group = np.array(["a", "b"] * 100)
    error = RNG.normal(size=200) * np.where(group == "a", 1, 3)
    found = slices(of_numbers(error), metric("rmse", "regression"), pd.DataFrame({"g": group}))
    assert [s.level for s in found.slices] == ["b", "a"]  # the worst first
    assert found.slices[0].value == pytest.approx(np.sqrt(np.mean(error[group == "b"] ** 2)))
    assert found.slices[0].n == 100
    assert "worse where g is b" in found.sentence()


@pytest.mark.slow
def test_intervals_of_slices_cover_in_about_95_of_100():
    """The accuracy of a coin of .8 on 60 rows, 400 times."""
    inside = 0
    for seed in range(400):
        right = np.random.default_rng(seed).random(120) < 0.8
        model = OutOfFold(
            model="m", title="M", slot=1, task="binary", target="y", rows=np.arange(120), fold=np.arange(120) % 3,
            classes=("0", "1"), predictions=Predictions(np.ones(120, int), right.astype(int), 2),
        )  # fmt: skip
        half = pd.DataFrame({"g": ["u", "v"] * 60})
        low, high = slices(model, metric("accuracy", "binary"), half).slices[0].ci
        inside += low <= 0.8 <= high
    assert 360 <= inside <= 396  # the worse of two halves, so a little less than 95 %


def test_the_worst_part_is_searched_for_on_half_of_the_folds():
    """Errors are large where x is above 2; z is noise."""
    x, z = RNG.uniform(0, 3, 600), RNG.normal(size=600)
    found = worst_slices(of_numbers(RNG.normal(size=600) * np.where(x > 2, 4, 1)), metric("rmse", "regression"),
                         pd.DataFrame({"x": x, "z": z}))  # fmt: skip
    first = found.slices[0]
    assert first.column == "x"
    low, high = map(float, first.level.split(" to "))
    assert low >= 1.85
    assert high == pytest.approx(3, abs=0.05)
    assert first.value > 3
    assert found.searched


@pytest.mark.slow
def test_noise_has_no_worst_part_in_most_samples():
    """Equal errors everywhere: a part is measurably worse in few of 40 samples."""
    bad = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        model = of_numbers(rng.normal(size=300))
        found = worst_slices(model, metric("rmse", "regression"), pd.DataFrame(rng.normal(size=(300, 4))))
        bad += "is worse where" in found.sentence()
    assert bad <= 16


def test_levels_of_each_kind():
    assert levels(pd.Series([1.0, 2.0, np.nan])).tolist() == ["1", "2", "missing"]
    many = levels(pd.Series([f"c{i}" for i in range(20)] + ["c0"] * 5))
    assert (many == "all others").sum() == 8
    quarters = levels(pd.Series(np.arange(100.0)))
    assert quarters.value_counts().tolist() == [25, 25, 25, 25] or quarters.nunique() == 4
    assert levels(pd.Series(pd.date_range("2024-01-01", periods=40))).nunique() == 4


def test_columns_of_a_run_slice_it(runs):
    known = out_of_fold(runs["multiclass"], "logistic")
    part = first_repeat_of(runs["multiclass"], "logistic")
    found = slices(known, metric("accuracy", "multiclass"), runs["multiclass"].columns(known.rows, ["colour"]))
    colour = runs["multiclass"].dataset.frame(["colour"]).loc[part["row"], "colour"].to_numpy()
    for one in found.slices:
        mask = pd.isna(colour) if one.level == "missing" else colour == one.level
        assert one.value == accuracy_score(part["truth"][mask], part["prediction"][mask])
    number = out_of_fold(runs["regression"], "ridge")
    whole = slices(number, metric("rmse", "regression"), runs["regression"].columns(number.rows, ["flag"])).whole
    first = first_repeat_of(runs["regression"], "ridge")
    assert whole == pytest.approx(root_mean_squared_error(first["truth"], first["prediction"]))


def test_rates_of_groups_by_hand():
    truth = [1, 1, 0, 0] * 10 + [1, 0, 0, 0] * 10
    score = [0.9, 0.2, 0.9, 0.1] * 10 + [0.9, 0.1, 0.1, 0.1] * 10
    found = fairness(scored(truth, score), pd.Series(["u"] * 40 + ["v"] * 40, name="g"), 0.5)
    table = found.groups.set_index("group")
    assert table.loc["u", ["selected", "recall", "false_positive_rate", "precision"]].tolist() == [0.5, 0.5, 0.5, 0.5]
    assert table.loc["v", ["selected", "recall", "false_positive_rate", "precision"]].tolist() == [0.25, 1, 0, 1]
    assert found.gaps()["selected"] == (0.25, 0.5)
    with pytest.raises(NotApplicable, match="fewer than two groups"):
        fairness(scored(truth, score), pd.Series(["u"] * 80, name="g"), 0.5)
