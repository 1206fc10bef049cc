from __future__ import annotations

import numpy as np
import pytest

from mlcore.errors import BadInput
from mlcore.validation.protocol import Protocol
from tests.helpers import plan_of


def test_auto_follows_roles_and_size():
    assert Protocol().kind("regression") == "random"
    assert Protocol().kind("multiclass") == "stratified"
    assert Protocol(group="g").kind("binary") == "group"
    assert Protocol(time="t").kind("binary") == "time"
    assert {f.repeat for f in plan_of(np.arange(300) % 2).folds} == {0, 1, 2}
    assert {f.repeat for f in plan_of(np.arange(2000) % 2).folds} == {0, 1}


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"holdout": 0.95}, "0 to 0.9"),
        ({"folds": 1}, "2 to 1,000"),
        ({"repeats": 0}, "1 to 100"),
        ({"time_limit": 0}, "more than 0"),
    ],
)
def test_bad_values_name_what_is_allowed(options, part):
    with pytest.raises(BadInput, match=part):
        Protocol(**options).checked()


@pytest.mark.parametrize(
    ("options", "part"),
    [({"validation": 0.6}, "0.01 to 0.5"), ({"validation": 0.5, "holdout": 0.5}, "too few training rows")],
)
def test_shares_that_cannot_be(options, part):
    with pytest.raises(BadInput, match=part):
        Protocol(split="validation", **options).checked()
