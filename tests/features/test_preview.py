from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.errors import BadInput, NoSuchColumn, NotApplicable
from mlcore.features.preview import check_fits, mismatches, preview_step, without_mismatches
from mlcore.features.recipe import Recipe
from mlcore.validation.protocol import Protocol
from tests.helpers import frame_here

PROTOCOL = Protocol(holdout=0)


@pytest.fixture(scope="module")
def data(home):
    """100 rows: `a` is 0 to 99 with two gaps, `g` alternates, `y` is 1 in the second half."""
    frame = pd.DataFrame({"a": np.arange(100.0), "g": ["u", "v"] * 50, "y": [0] * 50 + [1] * 50})
    frame.loc[[3, 60], "a"] = np.nan
    known = frame_here(frame, "plain")
    return known.with_schema(known.schema.with_target("y"))


def recipe_of(*steps: dict) -> Recipe:
    return Recipe.from_json({"target": "y", "task": "binary", "steps": list(steps)})


def test_what_a_clip_changes(data):
    """Of the 98 known values the quantile .9 lies below ten, which become the limit; the rest stay."""
    known = data.frame()["a"].dropna().to_numpy()
    limit = np.quantile(known, 0.9)
    shown = preview_step(data, recipe_of({"step": "clip", "columns": ["a"], "low": 0.0, "high": 0.9}), PROTOCOL, 0)
    assert shown.changed == {"a": int((known > limit).sum())} == {"a": 10}
    assert (shown.new, shown.gone, shown.rows) == ((), (), (100, 100))
    assert shown.before["a"].tolist() == known[known > limit].tolist()  # only rows that the step changes
    assert set(shown.after["a"]) == {limit}
    assert shown.marks().to_numpy().all()
    assert shown.sentence() == "Clip outliers: 10 of 100 values of a change. Fitted on 100 training rows."
    before, after = shown.distributions
    assert (sum(before.heights), sum(after.heights)) == (100, 100)
    assert (before.labels[-1], before.heights[-1]) == ("missing", 2)


def test_a_step_is_shown_after_those_before_it_and_steps_that_are_off_do_nothing(data):
    fill = {"step": "missing", "columns": ["a"], "method": "constant", "value": -1.0}
    double = {"step": "formula", "name": "b", "formula": "a * 2"}
    shown = preview_step(data, recipe_of(fill, double), PROTOCOL, 1)
    assert shown.before.loc[3, "a"] == -1  # filled by the step before
    assert shown.after.loc[1, "b"] == 2
    assert shown.new == ("b",)
    whole = preview_step(data, recipe_of({**fill, "off": True}, double), PROTOCOL, 1, "a")
    assert whole.distributions[0].labels[-1] == "missing"
    assert "missing" not in shown.distributions[0].labels


def test_bins_stand_in_the_order_of_their_numbers(data):
    step = {"step": "bins", "columns": ["a"], "method": "edges", "edges": [10, 95]}
    after = preview_step(data, recipe_of(step), PROTOCOL, 0).distributions[1]
    assert after.labels == ("up to 10", "10 to 95", "above 95", "missing")
    assert sum(after.heights) == 100


def test_rows_that_training_leaves_out_are_shown(data):
    shown = preview_step(data, recipe_of({"step": "drop_rows", "method": "missing"}), PROTOCOL, 0)
    assert shown.rows == (100, 98)
    assert shown.before.index.tolist() == [3, 60]
    assert shown.after.empty
    assert shown.distributions[1].labels == ("0", "1")
    assert shown.distributions[1].heights == (49, 49)
    assert "98 of 100 rows; rows to predict all stay" in shown.sentence()


def test_half_equal_values_have_no_outliers_by_their_range(home):
    """0 in 90 of 100 rows: the interquartile range is 0, which says nothing of how far other values may lie."""
    known = frame_here(pd.DataFrame({"a": [0.0] * 90 + list(range(1, 11)), "y": [0, 1] * 50}), "zeros")
    known = known.with_schema(known.schema.with_target("y"))
    for step in ({"step": "drop_rows", "columns": ["a"]}, {"step": "clip", "columns": ["a"], "method": "iqr"}):
        shown = preview_step(known, recipe_of(step), PROTOCOL, 0)
        assert shown.rows == (100, 100)
        assert not any(shown.changed.values())


def test_a_step_at_the_end_has_no_place_to_be_shown(data):
    with pytest.raises(NotApplicable, match="acts at the end"):
        preview_step(data, recipe_of({"step": "missing"}), PROTOCOL, 0)


def test_each_step_that_a_file_does_not_allow_is_named(data):
    steps = ({"step": "clip", "columns": ["fare"]}, {"step": "formula", "name": "b", "formula": "a + 1"},
             {"step": "clip", "columns": ["b"]}, {"step": "scale", "columns": ["g"], "method": "robust"})  # fmt: skip
    wrong = mismatches(data, recipe_of(*steps), PROTOCOL)
    assert [m.place for m in wrong] == [1, 4]
    assert "no column 'fare'" in wrong[0].sentence()
    assert "'g' is categorical" in wrong[1].sentence()
    assert [s.step for s in without_mismatches(recipe_of(*steps), wrong).steps] == ["formula", "clip"]
    with pytest.raises(BadInput, match=r"2 steps of the recipe do not fit.*Step 1 .*fare.*Step 4 .*g"):
        check_fits(data, recipe_of(*steps), PROTOCOL)
    with pytest.raises(NoSuchColumn, match="fare"):
        check_fits(data, recipe_of(steps[0]), PROTOCOL)
    check_fits(data, recipe_of(*steps[1:3]), PROTOCOL)


def test_a_step_after_one_that_repeats_rows(data):
    over = {"step": "resample", "method": "over"}
    assert preview_step(data, recipe_of(over, {"step": "drop_rows", "method": "missing"}), PROTOCOL, 1).rows[1] > 0
