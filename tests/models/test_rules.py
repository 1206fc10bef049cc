from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.data.filters import Filter
from mlcore.errors import BadInput
from mlcore.models.rules import Rule, best_question
from mlcore.models.wrappers import (
    RuleClassifier,
    RuleRegressor,
)
from tests.helpers import compare_here, frame_here, mixed_frame, others

NESTED = {
    "when": [["sex", "is", "female"]],
    "then": "yes",
    "else": {"when": [["age", "to", 9], ["age", "known"]], "then": "yes", "else": "no"},
}


PEOPLE = pd.DataFrame(
    {
        "sex": np.array(["female", "male", "male", np.nan, "male"], dtype=object),
        "age": [30.0, 5.0, 40.0, 8.0, np.nan],
        "when": pd.to_datetime(["2020-01-01", "2021-06-01", "2022-01-01", None, "2023-01-01"]).astype("datetime64[us]"),
        "flag": [1.0, 0.0, np.nan, 1.0, 0.0],
    }
)


def test_a_nested_rule_by_hand():
    rule = Rule.from_json(NESTED)
    assert rule.answer(PEOPLE).tolist() == ["yes", "yes", "no", "yes", "no"]
    assert Rule.from_json(rule.to_json()) == rule
    assert rule.words() == "if sex is female then yes, else (if age is at most 9 and age is known then yes, else no)"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("sex", "is_not", "male"), [1, 0, 0, 1, 0]),  # a missing cell is not male
        (("sex", "contains", "FEM"), [1, 0, 0, 0, 0]),
        (("sex", "starts", "m"), [0, 1, 1, 0, 1]),
        (("sex", "missing"), [0, 0, 0, 1, 0]),
        (("age", "from", 8.0), [1, 0, 1, 1, 0]),
        (("age", "between", 5.0, 30.0), [1, 1, 0, 1, 0]),
        (("age", "is", "8"), [0, 0, 0, 1, 0]),
        (("flag", "is", "true"), [1, 0, 0, 1, 0]),
        (("when", "to", "2021-06-01 00:00:00"), [1, 1, 0, 0, 0]),
    ],
)
def test_each_comparison_by_hand(condition, expected):
    rule = Rule((Filter(condition[0], condition[1], tuple(condition[2:])),), 1, 0)
    assert rule.answer(PEOPLE).astype(int).tolist() == expected


def test_any_of_several_conditions():
    data = {"when": [["age", "to", 9], ["flag", "is", "true"]], "then": 1, "else": 0, "any": True}
    assert Rule.from_json(data).answer(PEOPLE).tolist() == [1, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"when": [], "then": 1, "else": 0}, "at least one condition"),
        ({"then": 1, "else": 0}, "A rule is"),
        ([1, 2], "A rule is"),
        ({"when": [["colour", "is", "red"]], "then": "maybe", "else": "no"}, "'maybe'"),
        ({"when": [["nope", "is", "red"]], "then": "yes", "else": "no"}, "nope"),
        ({"when": [["colour", "from", "red"]], "then": "yes", "else": "no"}, "comparison of colour"),
        ({"when": [["id", "is", "r1"]], "then": "yes", "else": "no"}, "not a feature"),
    ],
)
def test_rules_that_cannot_be_are_refused(mixed, data, part):
    with pytest.raises(BadInput, match=part):
        compare_here(mixed, target="two", rule=data, models=["logistic"], folds=3, repeats=1)


def test_a_rule_is_scored_on_the_folds_as_it_stands(mixed):
    rule = {"when": [["a", "from", 0], ["colour", "is", "red"]], "then": "yes", "else": "no", "any": True}
    run = compare_here(mixed, target="two", rule=rule, ignore=others("binary"), models=["logistic"], folds=3, repeats=1)
    told = run.predictions("rule")
    frame = mixed.frame().iloc[told["row"]]
    expected = np.where((frame["a"] >= 0) | (frame["colour"] == "red"), "yes", "no")
    assert (told["prediction"].to_numpy() == expected).all()
    row = run.board().row("rule")
    assert row.metrics["accuracy"] == pytest.approx(np.mean([g["truth"].eq(g["prediction"]).mean()
                                                             for _, g in told.groupby("fold")]))  # fmt: skip
    assert row.metrics["log_loss"] is None  # a rule gives no probabilities
    assert run.experiment.candidate("rule").title == "Your rule"
    assert (run.model("rule").predict(mixed.frame()) ==
            np.where((mixed.frame()["a"] >= 0) | (mixed.frame()["colour"] == "red"), "yes", "no")).all()  # fmt: skip
    assert "if a is at least 0 or colour is red" in row.description


def test_a_rule_for_a_quantity(mixed):
    rule = {"when": [["b", "from", 25]], "then": 14.5, "else": 11}
    run = compare_here(
        mixed, target="amount", rule=rule, ignore=others("regression"), models=["ridge"], folds=3, repeats=1
    )
    told = run.predictions("rule")
    expected = np.where(mixed.frame()["b"].iloc[told["row"]] >= 25, 14.5, 11.0)
    np.testing.assert_array_equal(told["prediction"], expected)


def test_the_best_single_question_by_hand():
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6, 7, 8], "c": np.array(list("aabbccdd"), dtype=object)})
    question, where = best_question(frame, np.array([0, 0, 0, 1, 1, 1, 1, 1]), 2)
    assert (question.column, question.operator, question.values) == ("x", "to", (3.0,))
    assert where.tolist() == [True] * 3 + [False] * 5
    question, _ = best_question(frame, np.array([0.0, 0, 0, 0, 9, 9, 0, 0]), 0)
    assert (question.column, question.operator, question.values) == ("c", "is", ("c",))
    assert best_question(frame[["c"]].assign(c="a"), np.array([0, 1] * 4), 2) is None


def test_the_stump_weighs_rows_as_if_they_were_repeated():
    """Rows of weight 0 do not exist, and a row of weight 3 stands for three."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=60).round(1), "b": rng.choice(list("xyz"), 60)})
    y, times = rng.normal(size=60) + (frame["b"] == "x"), rng.integers(0, 4, 60)
    weighted = best_question(frame[["b"]], y.to_numpy(), 0, times)
    repeated = best_question(frame.loc[frame.index.repeat(times), ["b"]], y.repeat(times).to_numpy(), 0)
    assert weighted is not None
    assert repeated is not None
    assert weighted[0] == repeated[0]


def test_the_question_gives_shares_of_its_sides():
    frame = pd.DataFrame({"x": np.arange(8.0)})
    learned = RuleClassifier().fit(frame, np.array(list("nnnyyyyn")))
    assert learned.words() == "if x is at most 2 then n, else y"
    np.testing.assert_allclose(learned.predict_proba(frame)[[0, 7]], [[1, 0], [0.2, 0.8]])
    mean = RuleRegressor().fit(frame, np.array([1.0, 1, 1, 5, 5, 5, 5, 6]))
    np.testing.assert_allclose(mean.predict(frame)[[0, 7]], [1.0, 5.2])


@pytest.mark.parametrize("labels", [(0.2, 0.7), (2.5, 7.5), (3, 8), (False, True), ("a", "bb")])
def test_a_rule_answers_in_labels_of_any_type(labels):
    frame = mixed_frame(90)[["a", "b"]].fillna(0.0)
    frame["y"] = np.where(frame["b"] > 20, labels[1], labels[0])
    rule = {"when": [["b", "from", 20.5]], "then": labels[1], "else": labels[0]}
    run = compare_here(frame_here(frame, f"rule {labels}"), "y", rule=rule, models=["logistic"], folds=3, repeats=1)
    assert run.board().row("rule").metrics["accuracy"] == 1.0
    assert run.model("rule").predict(frame).tolist() == frame["y"].tolist()


def test_whole_numbers_and_lists_among_levels():
    column = pd.DataFrame({"c": np.array(["3", "4", "x"], dtype=object)})
    for values in ((3.0,), (["3", "y"],)):
        assert Rule.from_json({"when": [["c", "is", *values]], "then": 1, "else": 0}).answer(column).tolist() == [
            1,
            0,
            0,
        ]
