from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlcore.api import begin
from mlcore.comparison.run_comparison import compare_runs
from mlcore.comparison.step_ledger import is_ledger_of, step_ledger_of, without_each_step
from mlcore.data.workspace import Workspace
from mlcore.errors import BadInput
from tests.helpers import frame_here, planned, run_here

STEPS = [
    {"step": "combine", "columns": ["a", "b"], "method": "product"},
    {"step": "formula", "name": "useless", "formula": "c * 0 + 1"},
]


@pytest.mark.slow
def test_the_ledger_knows_the_step_that_helps():
    """y is the sign of a · b: a linear model needs the product, and a constant brings nothing."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(500, 3)), columns=list("abc"))
    frame["y"] = (frame["a"] * frame["b"] + 0.3 * rng.normal(size=500) > 0).astype(int)
    data, experiment = planned(frame_here(frame, "product"), "y", recipe={"steps": STEPS}, folds=5, repeats=1)
    runs = [(n, begin(data, e, Workspace().new_run("x"), run_here).wait()) for n, e in without_each_step(experiment)]
    recipe = replace(experiment.recipe, positive=None)  # as on a page, where the class is not named
    assert is_ledger_of(recipe, runs[0][1])
    assert not is_ledger_of(recipe.with_steps(recipe.steps[:1]), runs[0][1])
    ledger = step_ledger_of(runs)
    table = ledger.frame().set_index(["step", "model"])
    assert [n for n, _ in runs] == ["", "1 Combine numbers (a and b)", "2 Own formula"]
    assert table.loc[("1 Combine numbers (a and b)", "logistic"), "verdict"] == "helps"
    assert table.loc[("1 Combine numbers (a and b)", "logistic"), "better by"] > 0.3
    assert table.loc[("2 Own formula", "logistic"), "verdict"] == "no measurable difference"
    direct = {c.model: c.difference.mean for c in compare_runs(runs[1][1], runs[0][1]).changes}
    assert table.loc[("1 Combine numbers (a and b)", "logistic"), "better by"] == direct["logistic"]
    assert "1 Combine numbers (a and b) helps Logistic regression" in ledger.sentence()


def test_a_recipe_without_steps_has_no_ledger(mixed):
    with pytest.raises(BadInput, match="no steps"):
        without_each_step(planned(mixed, "two", models=["logistic"])[1])
