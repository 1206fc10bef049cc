from __future__ import annotations

from mlcore.experiment.split_advice import column_candidates
from mlcore.experiment.split_preview import split_preview
from mlcore.features.recipe import Recipe
from mlcore.validation.protocol import Protocol


def test_the_picture_of_the_folds_counts_rows_classes_groups_and_times(mixed):
    recipe = Recipe("two", "binary")
    data = mixed.with_schema(mixed.schema.with_target("two"))
    found = split_preview(data, recipe, Protocol(group="town", folds=3))
    frame = found.frame()
    assert frame["test"].iloc[:3].sum() == frame["train"].iloc[-1]
    assert (frame[["test no", "test yes"]].sum(axis=1) == frame["test"]).all()
    assert (frame["groups in both"] == 0).all()
    assert "No value of town is on both sides" in found.sentence()
    assert found.figure().data
    timed = split_preview(data, recipe, Protocol(split="time", time="when", folds=3))
    folds = timed.frame().iloc[:3]
    assert (folds["train to"] < folds["test from"]).all()
    assert timed.figure().data
    groups, times = column_candidates(data)
    assert "town" in groups
    assert times[0] == "when"
