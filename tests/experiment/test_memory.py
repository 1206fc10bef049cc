from __future__ import annotations

import pytest

from mlcore.errors import BadInput
from mlcore.experiment.memory import bytes_per_row, rows_in_memory
from tests.helpers import QUICK, compare_here, others, planned


def test_rows_that_fit_into_memory(mixed, monkeypatch):
    _, experiment = planned(mixed, "two", models=["logistic"], ignore=others("binary"))
    each = bytes_per_row(experiment)
    assert rows_in_memory(experiment, 5000, free=10**12) == 5000
    assert rows_in_memory(experiment, 5000, free=round(2000 * each / 0.7) + 1000) == 2000
    with pytest.raises(BadInput, match="too little memory"):
        rows_in_memory(experiment, 5000, free=10_000)
    monkeypatch.setattr("mlcore.experiment.memory.FEWEST", 50)
    monkeypatch.setattr("mlcore.experiment.memory.free_memory", lambda: round(120 * each / 0.7))
    run = compare_here(mixed, "two", models=["logistic"], ignore=others("binary"), **QUICK)
    assert any("holds about 120 of the 240 rows" in n for n in run.notes())
    assert run.plan()["train"] + len(run.plan()["holdout"]) == pytest.approx(120, abs=2)
