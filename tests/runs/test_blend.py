from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss
from sklearn.naive_bayes import MultinomialNB

from mlcore.errors import BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.runs.blend import greedy
from tests.helpers import compare_here


def test_greedy_selection_by_hand():
    # errors of −1, +1 and 0.4: equal parts of the first two make none; the third is best alone, so it is taken first
    truth = np.zeros(50)
    predictions = np.array([truth - 1, truth + 1, truth + 0.4])
    weights = greedy(predictions, truth, steps=7)
    mean = weights @ predictions
    assert abs(mean).max() < 0.1
    assert weights.sum() == pytest.approx(1)
    assert greedy(np.array([[0.9, 0.9], [0.5, 0.5]]), None).tolist() == [1.0, 0.0]  # the surer of the right class


@given(st.integers(1, 6), st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_a_blend_is_never_worse_than_its_best_member_on_the_rows_that_chose_it(count, seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=40)
    predictions = truth + rng.normal(size=(count, 40))
    weights = greedy(predictions, truth)
    alone = ((predictions - truth) ** 2).mean(axis=1).min()
    assert ((weights @ predictions - truth) ** 2).mean() <= alone + 1e-12


def test_a_fold_of_the_blend_is_chosen_by_the_other_folds(runs):
    """The weights of a fold, computed again here from the stored predictions of the other folds alone."""
    run = runs["binary"]
    names = [c.model for c in run.experiment.candidates if c.model not in ("dummy", "rule", "blend")]
    told = {n: run.predictions(n) for n in names}
    told = {n: t for n, t in told.items() if "p_yes" in t}
    blend = run.predictions("blend")
    fold = blend[(blend["repeat"] == 1) & (blend["fold"] == 2)]
    first = next(iter(told.values()))
    rest = first[(first["repeat"] == 1) & (first["fold"] != 2)].index
    true = np.array([np.where(t.loc[rest, "truth"] == "yes", t.loc[rest, "p_yes"], t.loc[rest, "p_no"])
                     for t in told.values()])  # fmt: skip
    weights = greedy(true, None)
    mixed = sum(w * t.loc[fold.index, "p_yes"] for w, t in zip(weights, told.values(), strict=True))
    np.testing.assert_allclose(fold["p_yes"], mixed, atol=1e-12)
    assert not np.allclose(weights, greedy(true[:, : len(rest) // 2], None))  # other rows would have chosen otherwise
    loss = -np.log(np.clip(weights @ true, 1e-15, 1)).mean()
    both = first.loc[rest, "truth"] == "yes"
    assert loss == pytest.approx(log_loss(both, weights @ np.where(both, true, 1 - true)))


def test_the_final_blend_is_the_weighted_mean_of_the_final_models(runs, mixed):
    run = runs["regression"]
    weights = json.loads((run.path / "blend.json").read_text())
    assert sum(weights.values()) == pytest.approx(1, abs=1e-5)
    frame = mixed.frame().head(20)
    mean = sum(w * run.model(n).predict(frame) for n, w in weights.items())
    np.testing.assert_allclose(run.model("blend").predict(frame), mean)


def test_a_blend_of_one_is_refused(mixed):
    with pytest.raises(BadInput, match="at least two members"):
        compare_here(mixed, target="two", models=["logistic", "blend"])
    with pytest.raises(BadInput, match="not 'rule' or 'blend'"):
        Candidate.of("blend", MultinomialNB())


def test_rows_of_weight_zero_choose_no_weights():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=60)
    predictions = truth + rng.normal(size=(3, 60)) * [[0.5], [0.6], [3.0]]
    counted = np.repeat([1.0, 0.0], 30)
    spoilt = np.where(counted, predictions, predictions[::-1] * 9)
    assert greedy(spoilt, truth, of_rows=counted).tolist() == greedy(predictions[:, :30], truth[:30]).tolist()
