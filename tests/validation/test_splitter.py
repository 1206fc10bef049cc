from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcore.errors import BadChoice, BadInput
from mlcore.validation.protocol import Protocol
from mlcore.validation.splitter import Target, inner_folds, make_plan, sample_rows
from tests.helpers import compare_here, others, plan_of


def labelled(n=100, classes=2):
    y = np.arange(n) % classes
    return Target(np.arange(n), y, np.arange(classes))


def test_group_and_time_columns(mixed):
    for split, column in (("group", "town"), ("time", "when")):
        run = compare_here(mixed, target="two", ignore=others("binary"), models=["logistic"], folds=3, split=split,
                             **{split: column})  # fmt: skip
        assert run.experiment.protocol.kind("binary") == split
        assert run.board().ranked()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=8, max_size=120),
    st.sampled_from([0.0, 0.1, 0.2, 0.5]),
    st.integers(2, 7),
    st.sampled_from(["random", "stratified"]),
)
def test_holdout_and_folds_partition_the_rows(y, holdout, folds, split):
    plan = plan_of(y, "multiclass", 3, holdout=holdout, folds=folds, split=split, repeats=2)
    assert sorted([*plan.train, *plan.holdout]) == list(range(len(y)))
    for repeat in (0, 1):
        tested = np.concatenate([f.test for f in plan.folds if f.repeat == repeat])
        assert sorted(tested) == list(range(len(plan.train)))
    for fold in plan.folds:
        assert not set(fold.train) & set(fold.test)


def test_stratified_holdout_keeps_the_shares():
    y = np.array([0] * 80 + [1] * 20)
    plan = plan_of(y)
    assert len(plan.holdout) == 20
    assert (y[plan.holdout] == 1).sum() == 4
    for fold in plan.folds:
        assert 3 <= (y[plan.train[fold.test]] == 1).sum() <= 4


def test_the_only_row_of_a_class_is_never_locked_away():
    y = [0] * 30 + [1] * 30 + [2]
    plan = plan_of(y, "multiclass", 3)
    assert 60 in plan.train
    assert any("fewer rows than there are folds" in n for n in plan.notes)


def test_seeds_repeat_and_differ():
    y = np.arange(100) % 2
    same = plan_of(y, seed=3)
    assert np.array_equal(same.holdout, plan_of(y, seed=3).holdout)
    assert not np.array_equal(same.holdout, plan_of(y, seed=4).holdout)


def test_groups_stay_on_one_side():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 25, 200)
    for task, y in (("binary", rng.integers(0, 2, 200)), ("regression", rng.normal(size=200))):
        plan = plan_of(y, task, 2 if task == "binary" else 0, {"who": group}, split="group", group="who")
        assert not set(group[plan.train]) & set(group[plan.holdout])
        assert 0 < len(plan.holdout) < 100
        for fold in plan.folds:
            assert not set(group[plan.train[fold.train]]) & set(group[plan.train[fold.test]])


def test_one_large_group_does_not_swallow_the_rows():
    group = np.array([0] * 800 + [i // 5 + 1 for i in range(200)])
    for seed in range(10):
        plan = plan_of(np.arange(1000) % 2, keys={"who": group}, split="group", group="who", seed=seed)
        assert 190 <= len(plan.holdout) <= 200


def test_rare_classes_keep_their_rows():
    y = [*range(60), *[60] * 20, *[61] * 100]
    plan = plan_of(y, "multiclass", 62)
    assert sum(np.array(y)[plan.holdout] == 60) <= 5


def test_unknown_times_are_left_out_and_moments_are_not_cut():
    when = pd.Series(np.repeat(pd.date_range("2024-01-01", periods=10), 10))
    when[::9] = pd.NaT
    plan = plan_of(np.arange(100) % 2, keys={"t": when.to_numpy()}, split="time", time="t")
    used = [*plan.train, *plan.holdout]
    assert when[used].notna().all()
    assert len(used) == when.notna().sum()
    assert when[plan.train].max() < when[plan.holdout].min()
    assert any("have no t" in n for n in plan.notes)
    for fold in plan.folds:
        assert when[plan.train[fold.train]].max() < when[plan.train[fold.test]].min()


def test_rows_of_one_moment_go_to_the_side_that_brings_the_share_nearer():
    """Of 400 rows the last 80 shall be locked; a moment of 276 rows lies there: 64 later ones are nearer than 340."""
    years = np.r_[np.full(60, 2022), np.full(276, 2023), np.full(64, 2024)]
    plan = plan_of(np.arange(400) % 2, keys={"t": years}, split="time", time="t", folds=2)
    assert (len(plan.train), len(plan.holdout)) == (336, 64)
    assert plan.notes == ()
    moments = np.r_[np.arange(50), np.full(240, 60), np.arange(61, 171)]
    plan = plan_of(np.arange(400) % 2, keys={"t": moments}, split="time", time="t", holdout=0.5, folds=2)
    assert len(plan.holdout) == 110
    assert any("the holdout is 28%" in n for n in plan.notes)


@pytest.mark.parametrize("moments", [np.zeros(100), np.r_[np.zeros(50), np.ones(50)]])
def test_a_time_without_enough_moments_is_refused(moments):
    with pytest.raises(BadInput, match="'t' has too few different values"):
        plan_of(np.arange(100) % 2, keys={"t": moments}, split="time", time="t")


def test_fewer_folds_than_asked_for_are_said_with_their_reason():
    plan = plan_of(np.arange(400) % 2, keys={"t": np.r_[np.zeros(200), np.ones(120), np.full(80, 2)]}, split="time",
                   time="t")  # fmt: skip
    assert len(plan.folds) < 5
    assert any(f"{len(plan.folds)} are made, as t has too few different values" in n for n in plan.notes)
    plan = plan_of(np.arange(90) % 2, keys={"g": np.arange(90) % 4}, split="group", group="g")
    assert any("as g has 3 groups among them" in n for n in plan.notes)


def test_time_runs_forward():
    when = np.random.default_rng(1).permutation(100)
    plan = plan_of(np.arange(100) % 2, keys={"t": when}, split="time", time="t")
    assert when[plan.train].max() < when[plan.holdout].min()
    for fold in plan.folds:
        assert when[plan.train[fold.train]].max() < when[plan.train[fold.test]].min()
    assert {f.repeat for f in plan.folds} == {0}


def test_fewer_rows_than_folds_makes_fewer_folds_and_says_so():
    plan = plan_of(np.arange(12) % 2, folds=20, holdout=0)
    assert len({f.fold for f in plan.folds}) == 6
    assert any("20 folds were asked for; 6 are made" in n for n in plan.notes)


def test_too_few_rows_and_unknown_splits():
    with pytest.raises(BadInput, match="at least 8"):
        plan_of([0, 1, 0])
    with pytest.raises(BadChoice, match="stratified"):
        Protocol(split="stratifed").checked()  # type: ignore[arg-type]


def test_seventy_ten_twenty():
    plan = make_plan(Protocol(split="validation"), "binary", labelled(), pd.DataFrame(index=range(100)))
    (fold,) = plan.folds
    assert (len(fold.train), len(fold.test), len(plan.holdout)) == (70, 10, 20)
    assert not set(fold.train) & set(fold.test)
    assert np.bincount(plan.train[fold.test] % 2).tolist() == [5, 5]  # each class by its share
    assert any("cannot be tested for significant differences" in n for n in plan.notes)
    assert "70 % train, 10 % validation" in Protocol(split="validation").words("binary", 100)


def test_leave_one_out():
    plan = make_plan(Protocol(split="leave_one_out", holdout=0), "binary", labelled(12), pd.DataFrame(index=range(12)))
    assert [f.test.tolist() for f in plan.folds] == [[i] for i in range(12)]
    assert all(len(f.train) == 11 and f.test[0] not in f.train for f in plan.folds)
    with pytest.raises(BadInput, match="limited to 1,000 rows"):
        make_plan(Protocol(split="leave_one_out"), "binary", labelled(2000), pd.DataFrame(index=range(2000)))
    assert Protocol(split="leave_one_out").metric_for("binary").name == "log_loss"
    assert Protocol(split="leave_one_out").metric_for("regression").name == "mae"


def test_inner_folds_are_cut_as_the_outer_ones():
    keys = pd.DataFrame({"who": np.repeat(np.arange(20), 5), "t": np.arange(100)})
    y = np.arange(100) % 2
    for train, test in inner_folds(Protocol(split="group", group="who"), "binary", y, keys, 3):
        assert not set(keys["who"][train]) & set(keys["who"][test])
    for train, test in inner_folds(Protocol(split="time", time="t"), "binary", y, keys, 3):
        assert train.max() < test.min()
    assert len(inner_folds(Protocol(split="validation"), "binary", y, keys, 4)) == 4


def test_a_draw_keeps_every_class():
    y = np.array([0] * 997 + [1] * 3)
    rows = sample_rows(y, 100, 0, stratified=True)
    assert set(y[rows]) == {0, 1}
    assert abs(len(rows) - 100) <= 1
    assert (np.diff(rows) > 0).all()
