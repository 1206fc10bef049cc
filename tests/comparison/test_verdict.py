"""What a comparison answers: a model, none, or why there is no answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score

from tests.helpers import compare_here, frame_here


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"x": rng.normal(size=400), "z": rng.normal(size=400)})
    frame["y"] = np.where(frame["x"] + 0.4 * rng.normal(size=400) > 0.6, "yes", "no")
    return frame_here(frame, "clear")


@pytest.fixture(scope="module")
def run(table):
    return compare_here(table, "y", models=["logistic"], folds=4, repeats=1)


def test_it_names_the_model_and_counts_rows_of_a_hundred(run):
    answer = run.verdict()
    kept = run.predictions("logistic")
    recall, precision = (f(kept["truth"], kept["prediction"], pos_label="yes") for f in (recall_score, precision_score))
    assert answer.model == "logistic"
    assert f"finds {round(100 * recall)} of 100 rows with y = yes" in answer.good
    assert f"of 100 rows that it calls yes, {round(100 * precision)} are" in answer.good


def test_it_follows_the_metric_that_ranks(run):
    kept = run.predictions("logistic")
    score = accuracy_score(kept["truth"], kept["prediction"])
    assert f"Accuracy {score:.3f}" in run.verdict("accuracy").sure


def test_one_split_cannot_decide_and_it_says_so(table):
    answer = compare_here(table, "y", models=["logistic"], split="validation").verdict()
    assert answer.model is None
    assert "One split cannot tell which model to use" in answer.use
    assert "Use none" not in answer.sentence()


def test_noise_is_answered_with_none():
    rng = np.random.default_rng(1)
    noise = frame_here(pd.DataFrame({"x": rng.normal(size=200), "y": rng.choice(["a", "b"], 200)}), "noise")
    answer = compare_here(noise, "y", models=["logistic"], folds=4, repeats=1).verdict()
    assert answer.model is None
    assert answer.use.startswith("Use none of these models")
