from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mlcore.errors import BadInput
from mlcore.models.builders import Setting
from mlcore.models.catalogue import model
from mlcore.models.weights import balanced_weights
from mlcore.models.wrappers import (
    SemiSupervised,
)
from tests.helpers import compare_here, frame_here, mixed_frame, others


def test_balanced_weights_by_hand():
    # 4 rows, 2 classes: 4 / (2 · 3) and 4 / (2 · 1)
    np.testing.assert_allclose(balanced_weights(np.array([0, 0, 0, 1])), [2 / 3, 2 / 3, 2 / 3, 2])
    np.testing.assert_allclose(balanced_weights(np.array([0, 1]), np.array([3.0, 1.0])), [3, 1])


@pytest.mark.parametrize("name", ["linear_svm", "svm", "nu_svm", "logistic", "xgboost"])  # a forest's leaves are pure
def test_balanced_classes_find_more_of_the_rare_one(name):
    rng = np.random.default_rng(0)
    y = (rng.random(600) < 0.12).astype(int)
    x = rng.normal(size=(600, 3)) + y[:, None] * 0.9
    found = {}
    for weight in ("none", "balanced"):
        setting = Setting("binary").for_fit(y[:400])
        built = model(name).build(setting, {**model(name).defaults("binary"), "class_weight": weight})
        found[weight] = int(built.fit(x[:400], y[:400]).predict(x[400:]).sum())
    assert found["balanced"] > found["none"]


def test_unlabelled_rows_move_the_line():
    from sklearn.semi_supervised import SelfTrainingClassifier

    rng = np.random.default_rng(1)
    cloud = np.concatenate([rng.normal(-2, 0.5, 200), rng.normal(2, 0.5, 200)])[:, None]
    few, labels = np.array([[-3.5], [1.2]]), np.array(["a", "b"])
    alone = LogisticRegression().fit(few, labels)
    helped = SemiSupervised(SelfTrainingClassifier(LogisticRegression(), threshold=0.75)).fit(few, labels, cloud)
    truth = np.repeat(["a", "b"], 200)
    assert (helped.predict(cloud) == truth).mean() >= (alone.predict(cloud) == truth).mean()
    assert helped.classes_.tolist() == ["a", "b"]


@pytest.mark.parametrize("target", ["two", "three"])
def test_rows_without_a_target_serve_as_unlabelled_ones(target):
    frame = mixed_frame(150).drop(columns=others("binary" if target == "two" else "multiclass"))
    frame[target] = frame[target].astype(object)
    frame.loc[frame.index[::3], target] = None
    data = frame_here(frame, f"half {target}")
    run = compare_here(data, target, models=["logistic", "self_training", "label_spreading"], folds=3, repeats=1)
    rows = {r.model: r for r in run.board().rows}
    assert {rows[m].status for m in ("self_training", "label_spreading")} == {"ok"}
    assert any("50 rows without a target are used as unlabelled" in n for n in run.notes())
    assert len(run.predictions("self_training")) == run.plan()["train"]
    whole = compare_here(
        frame_here(mixed_frame(90), "whole"), "two", models=["self_training", "logistic"], folds=3, repeats=1
    )
    assert "no unlabelled row" in whole.board().row("self_training").reason


def test_sample_weights_are_those_of_scikit_learn(mixed):
    from mlcore.runs.context import context

    frame = mixed_frame(200).drop(columns=others("binary")).assign(w=np.random.default_rng(0).uniform(0, 3, 200))
    data = frame_here(frame, "weighed")
    data = data.with_schema(data.schema.change("w", role="weight"))
    run = compare_here(data, "two", models=["logistic", "knn", "xgboost"], folds=3, repeats=1)
    assert any("Rows are weighted by w" in n and "Nearest neighbours cannot use weights" in n for n in run.notes())
    shared = context(str(run.path))
    fold = shared.plan.folds[0]
    encoder = run.experiment.recipe.encoder(shared.schema, "linear")
    x = encoder.fit_transform(shared.prepared.iloc[fold.train], shared.y[fold.train])
    weights = frame["w"].to_numpy()[shared.plan.train][fold.train]
    plain = LogisticRegression(max_iter=1000).fit(x, shared.y[fold.train], sample_weight=weights)
    told = run.predictions("logistic")
    told = told[told["fold"] == 0]
    np.testing.assert_allclose(
        told["p_yes"], plain.predict_proba(encoder.transform(shared.prepared.iloc[fold.test]))[:, 1]
    )


@pytest.mark.parametrize(("weights", "part"), [("text", "holds text"), ([0.0], "all of them are 0"),
                                              ([-1.0, 2.0], "are negative")])  # fmt: skip
def test_weights_that_are_none_are_refused(weights, part):
    cells = ["a"] * 60 if weights == "text" else np.resize(weights, 60)
    frame = pd.DataFrame({"x": np.arange(60.0), "w": cells, "y": [0, 1] * 30})
    data = frame_here(frame, f"weights {part}")
    with pytest.raises(BadInput, match=part):
        compare_here(data.with_schema(data.schema.change("w", role="weight")), "y", models=["logistic"])
