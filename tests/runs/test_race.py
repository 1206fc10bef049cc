from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.runs import context
from mlcore.runs.predictions import read_predictions
from mlcore.runs.race import eliminated
from tests.helpers import compare_here, frame_here


@pytest.mark.slow
def test_a_race_stops_who_is_behind_and_keeps_the_top_group():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 4))
    frame = pd.DataFrame(x, columns=list("abcd")).assign(
        y=np.where(x @ [1, 1, 1, 0] + 0.5 * rng.normal(size=1500) > 0, 1, 0)
    )
    data = frame_here(frame, "race")
    options = {"models": ["logistic", "lda", "rule", "decision_tree"], "folds": 5, "repeats": 2}
    whole, raced = compare_here(data, "y", **options), compare_here(data, "y", race=True, **options)
    stopped = {r.model: r.reason for r in raced.board().rows if r.status == "stopped"}
    assert "after 2 of 10 folds" in stopped["decision_tree"]
    assert raced.board().row("decision_tree").score is None
    groups = [{r.model for r in run.board().rows if r.group == 1} for run in (whole, raced)]
    assert groups[0] == groups[1]
    again = compare_here(data, "y", race=True, **options)
    assert [(e["model"], e.get("reason")) for e in again.events() if e["event"] == "candidate"] == [
        (e["model"], e.get("reason")) for e in raced.events() if e["event"] == "candidate"]  # fmt: skip


def test_the_race_by_hand(runs, monkeypatch):
    """A gap of 30 spreads is out after four folds of six, one of a spread is not."""
    shared = context.context(str(runs["binary"].path))
    monkeypatch.setattr("mlcore.runs.race.read_fold", lambda run, name, key: read_predictions(run, name)[key])
    base = np.array([0.80, 0.82, 0.81, 0.79])
    told = {"logistic": base.tolist(), "lda": (base - np.array([0.011, 0.009, 0.012, 0.008])).tolist(),
            "knn": (base - np.array([0.3, 0.31, 0.3, 0.29])).tolist(), "svm": [0.9, None, 0.9, 0.9]}  # fmt: skip
    assert [name for name, _ in eliminated(shared, shared.plan.folds[:4], told)] == ["knn"]
