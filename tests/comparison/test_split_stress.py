from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.api import begin
from mlcore.comparison.split_stress import other_splits, same_under_other_splits, split_stress_of
from mlcore.data.workspace import Workspace
from mlcore.errors import BadInput
from mlcore.experiment.candidate import Candidate
from tests.helpers import QUICK, frame_here, planned, run_here


def test_a_split_by_group_shows_the_drop():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(60), 8)
    face = rng.normal(size=(60, 3))[who] + 0.01 * rng.normal(size=(480, 3))
    y = rng.integers(0, 2, 60)[who]  # of the person, not of anything that can be learned for others
    frame = pd.DataFrame(face, columns=list("abc")).assign(person=[f"p{w}" for w in who], y=y)
    data = frame_here(frame, "people")
    near = Candidate.named("knn", "binary", n_neighbors=3)
    data, experiment = planned(data, "y", models=[near, "logistic"], group="person", **QUICK)
    runs_ = [(k, begin(data, e, Workspace().new_run("stress"), run_here).wait()) for k, e in other_splits(experiment)]
    assert [k for k, _ in runs_] == ["stratified", "group"]
    found = split_stress_of(runs_)
    scores = {(r.model, k): r.score for k, rows in found.boards for r in rows}
    assert scores["knn", "stratified"] > 0.95
    assert scores["knn", "group"] < 0.8
    assert "expect that with new groups" in found.sentence()
    assert set(found.frame()["split"]) == {"stratified", "group"}
    assert found.figure().data
    assert same_under_other_splits(experiment, runs_)
    assert not same_under_other_splits(planned(data, "y", models=["logistic"], group="person")[1], runs_)
    codes = [a["code"] for a in runs_[0][1].alerts()]
    assert {"group_straddles", "near_duplicates"} <= set(codes)
    assert not {"group_straddles", "near_duplicates"} & {a["code"] for a in runs_[1][1].alerts()}
    with pytest.raises(BadInput, match="role group or time"):
        other_splits(planned(data.with_schema(data.schema.change("person", role="feature")), "y",
                                     models=["knn"])[1])  # fmt: skip
