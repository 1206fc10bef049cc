from __future__ import annotations

import pytest

from mlcore.errors import BadInput
from mlcore.validation.target import task_of


def test_tasks_of_targets(mixed):
    schema = mixed.schema
    assert [task_of(schema[n]) for n in ("two", "three", "amount")] == ["binary", "multiclass", "regression"]
    assert task_of(schema["three"], "regression") == "regression"
    for column, wanted, part in (
        ("same", "auto", "at least two"),
        ("when", "auto", "dates"),
        ("two", "regression", "not numbers"),
        ("three", "binary", "exactly two"),
        ("id", "auto", "too many"),
    ):
        with pytest.raises(BadInput, match=part):
            task_of(schema[column], wanted)
