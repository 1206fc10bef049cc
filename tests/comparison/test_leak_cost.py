from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.api import begin
from mlcore.comparison.step_ledger import without_each_step
from mlcore.data.workspace import Workspace
from mlcore.errors import BadInput
from mlcore.runs.study import END, Study, leaking
from tests.helpers import frame_here, planned, run_here, study_here


@pytest.fixture(scope="module")
def noise(home):
    """A random target, a random category of 150 levels that a step replaces by its target mean, and a number."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"town": [f"t{v}" for v in rng.integers(0, 150, 400)], "b": rng.normal(size=400)})
    frame["y"] = rng.integers(0, 2, 400)
    steps = [{"step": "encode", "columns": ["town"], "method": "target"}, {"step": "clip", "columns": ["b"]}]
    data, experiment = planned(frame_here(frame, "noise"), "y", recipe={"steps": steps}, folds=5, repeats=1)
    return begin(data, without_each_step(experiment)[0][1], Workspace().new_run("noise"), run_here).wait()


def test_a_target_mean_of_all_rows_is_optimistic_about_noise(noise):
    """The target is random, so any AUC far from .5 is a leak; inside the folds there is none."""
    assert list(leaking(noise.experiment)) == ["0", "1", END]
    leak = study_here(noise, Study(kind="leak", model="logistic", parameter="0"))
    honest, leaky = np.mean(leak.honest), np.mean(leak.leaky)
    assert abs(honest - 0.5) < 0.08
    assert leaky > 0.7
    assert leak.optimism().low > 0
    assert "optimism that new rows would not confirm" in leak.sentence()
    # the honest side is the run's own score of the same folds
    np.testing.assert_allclose(leak.honest, next(r.folds for r in noise.board().rows if r.model == "logistic"))


def test_a_clip_of_all_rows_leaks_next_to_nothing(noise):
    leak = study_here(noise, Study(kind="leak", model="logistic", parameter="1"))
    np.testing.assert_allclose(leak.leaky, leak.honest, atol=0.01)
    assert "no measurable difference" in leak.sentence()


def test_a_place_without_a_step_cannot_leak(noise):
    with pytest.raises(BadInput, match="'9' cannot leak"):
        study_here(noise, Study(kind="leak", model="logistic", parameter="9"))
