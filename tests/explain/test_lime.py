from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mlcore.errors import BadChoice, BadInput
from mlcore.explain.lime import MISSING, UNSEEN, Coder, Lime, Options, fit_local
from mlcore.wording import number
from tests.helpers import TARGETS


class Additive:
    """A model whose effects are known: 3 if colour is red, 2 if x > 0, nothing else."""

    def predict(self, frame):
        return 3.0 * (frame["colour"] == "red").to_numpy() + 2.0 * (frame["x"] > 0).to_numpy(float)


class Watching:
    """A model that keeps what it was asked."""

    def predict(self, frame):
        self.seen = frame
        return np.zeros(len(frame))


def known_frame(rows=1000):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": np.concatenate([-rng.random(rows // 2) - 0.01, rng.random(rows - rows // 2) + 0.01]),
            "colour": rng.choice(["red", "blue"], rows),
            "noise": rng.normal(size=rows),
        }
    )


def test_a_known_model_is_recovered():
    frame = known_frame()
    lime = Lime(frame, Additive(), Options(samples=3000, bins=2))
    row = frame[(frame["x"] > 0) & (frame["colour"] == "red")].head(1)
    local, _ = lime.explain(row, None)
    weights = dict(zip(lime.coders, local.weights, strict=True))
    assert weights["colour"] == pytest.approx(3.0, abs=0.05)
    assert weights["x"] == pytest.approx(2.0, abs=0.05)
    assert weights["noise"] == pytest.approx(0.0, abs=0.05)
    assert local.r2 > 0.99
    assert local.prediction == 5.0
    assert local.local_prediction == pytest.approx(5.0, abs=0.05)


def test_only_real_training_values_reach_the_model():
    """The fault of the stock explainer: `year`, half of it 2010, reached the model as 0."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "year": rng.choice([2010, 2011, 2015, 2020], 500, p=[0.5, 0.3, 0.15, 0.05]),
            "rating": rng.integers(1, 6, 500),
            "gaps": pd.Series(rng.normal(size=500)).mask(rng.random(500) < 0.3),
            "level": rng.choice(["a", "b", None], 500),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, 500), unit="D"),
            "flag": rng.random(500) < 0.5,
            "same": 7,
            "whole": pd.array(rng.integers(0, 9, 500), dtype="Int64"),
        }
    )
    model = Watching()
    Lime(frame, model, Options(samples=400)).explain(frame.head(1), None)
    Lime(frame, model, Options(samples=400)).ask(frame)
    lime = Lime(frame, model, Options(samples=400, locality=0.0))
    asked = []
    model.predict = lambda f: asked.append(f) or np.arange(len(f), dtype=float)
    lime.explain(frame.head(1), None)
    seen = asked[0]
    assert dict(seen.dtypes) == dict(frame.dtypes)
    for name in frame.columns:
        assert set(seen[name].dropna()) <= set(frame[name].dropna()), name
    assert seen["gaps"].isna().mean() == pytest.approx(0.3, abs=0.08)


def test_coders_bin_by_real_values_and_name_conditions():
    coder = Coder(pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, np.nan]), Options())
    assert coder.names == ["≤ 3", "3 to 5", "5 to 7", "> 7", MISSING, UNSEEN]
    assert coder.encode(pd.Series([3.0, 3.5, 7.0, 99, np.nan])).tolist() == [0, 1, 2, 3, 4]
    assert coder.condition("x", 0) == "x ≤ 3"
    assert coder.condition("x", 4) == "x is missing"
    few = Coder(pd.Series([1, 2, 3, 3]), Options())
    assert few.condition("class", 1) == "class = 2"
    levels = Coder(pd.Series(["a", "a", "b", "c", None]), Options(most_levels=2))
    assert levels.names[:3] == ["a", "b", "(other)"]
    assert levels.encode(pd.Series(["c", "a", None, "new"])).tolist() == [2, 0, 3, 2]
    plain = Coder(pd.Series(["a", "b"]), Options())
    assert plain.names[plain.encode(pd.Series(["new"]))[0]] == UNSEEN


def test_sandwich_errors_are_the_spread_over_samples():
    """Standard errors agree with how weights really vary from one set of samples to another."""

    def once(seed):
        rng = np.random.default_rng(seed)
        same = (rng.random((600, 4)) < 0.5).astype(float)
        answers = 0.5 * same[:, 0] - 0.2 * same[:, 1] + rng.normal(0, 0.3, 600)
        return fit_local(same, answers, rng)

    found = [once(s) for s in range(80)]
    spread = np.std([f["weights"] for f in found], axis=0)
    stated = np.mean([f["errors"] for f in found], axis=0)
    np.testing.assert_allclose(stated, spread, rtol=0.25)
    covered = [abs(f["weights"][0] - 0.5) < 1.96 * f["errors"][0] for f in found]
    assert np.mean(covered) > 0.85


@pytest.mark.parametrize("task", list(TARGETS))
def test_explanations_of_a_run(runs, task):
    run = runs[task]
    for model in ("xgboost", "sgd", "random_forest"):
        found = run.explain(model, row=3)
        said = json.loads(json.dumps(found.to_json()))
        assert {
            "model",
            "row",
            "target",
            "prediction",
            "local_prediction",
            "r2",
            "abstained",
            "reason",
            "weights",
        } <= set(said)
        sizes = [abs(w["weight"]) for w in said["weights"]]
        assert sizes == sorted(sizes, reverse=True)
        assert all(w["low"] <= w["weight"] <= w["high"] for w in said["weights"])
        assert not {"id", "same"} & {w["column"] for w in said["weights"]}
        assert found.sentence()
        assert found.prediction_words().endswith(".")
        assert len(found.figure().to_json()) < 200_000


def test_the_prediction_is_that_of_the_model_on_the_raw_row(runs, mixed):
    run = runs["binary"]
    row = mixed.frame().iloc[[11]]
    assert run.explain("xgboost", row=11).prediction == pytest.approx(run.model("xgboost").predict_proba(row)[0, 1])
    assert run.explain("sgd", row=11).output == "decision score"
    assert run.explain("sgd", row=11).prediction == pytest.approx(run.model("sgd").decision_function(row)[0])


def test_the_out_of_fold_prediction_of_the_row(runs):
    for task, model in (("binary", "xgboost"), ("multiclass", "sgd"), ("regression", "ridge")):
        part = runs[task].predictions(model).query("repeat == 0")
        row, said = int(part["row"].iloc[0]), part["prediction"].iloc[0]
        found = runs[task].explain(model, row=row)
        assert found.out_of_fold is not None
        assert found.out_of_fold.startswith(str(said) if task != "regression" else number(said))
    locked = runs["binary"].plan()["holdout"][0]
    assert runs["binary"].explain("xgboost", row=locked).out_of_fold is None


def test_equal_seeds_give_equal_explanations(runs):
    run = runs["binary"]
    first, again, other = (run.explain("xgboost", row=5, seed=s) for s in (0, 0, 1))
    assert first == again
    assert first.weights != other.weights


def test_the_baseline_abstains(runs):
    for task in TARGETS:
        found = runs[task].explain("dummy", row=0)
        assert found.abstained
        assert "same prediction" in found.reason
        assert "No trustworthy explanation" in found.sentence()


def test_choices_that_cannot_be(runs):
    run = runs["multiclass"]
    with pytest.raises(BadInput, match="rows 0 to 239"):
        run.explain("xgboost", row=240)
    with pytest.raises(BadChoice, match="class"):
        run.explain("xgboost", row=0, label="9")
    with pytest.raises(BadInput, match="classic LIME"):
        run.explain("xgboost", row=0, locality=1.5)
    with pytest.raises(BadInput, match="100,000"):
        run.explain("xgboost", row=0, samples=3)
    assert run.explain("xgboost", row=0, label="2").label == "2"
