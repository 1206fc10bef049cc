from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.api import begin
from mlcore.data.workspace import Workspace
from mlcore.errors import BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.models import catalogue
from mlcore.run import Run
from mlcore.runs import warm_start
from mlcore.runs.create import carry_over
from tests.helpers import QUICK, compare_here, fold_scores_of, never, others, planned, run_here


@pytest.mark.slow
def test_equal_candidates_are_taken_over_and_others_are_not(mixed):
    options = {"ignore": others("binary"), **QUICK}
    first = compare_here(mixed, "two", models=["logistic", "knn", "blend"], **options)
    near = Candidate.named("knn", "binary", n_neighbors=5)
    data, experiment = planned(mixed, "two", **{**options, "models": ["logistic", near, "decision_tree", "blend"]})
    run = begin(data, experiment, Workspace().new_run("more"), run_here, first).wait()
    fresh = begin(data, experiment, Workspace().new_run("fresh"), run_here).wait()
    carried = {e["model"] for e in run.events() if e.get("carried") and e["event"] == "candidate"}
    assert carried == {"dummy", "logistic"}
    assert fold_scores_of(run) == fold_scores_of(fresh)
    frame = mixed.frame()
    np.testing.assert_allclose(run.model("blend").predict_proba(frame), fresh.model("blend").predict_proba(frame))
    data, changed = planned(mixed, "two", **{**options, "seed": 1, "models": ["logistic"]})
    assert carry_over(first, begin(data, changed, Workspace().new_run("seed"), never)) == []


def grow_here(run: Run, name: str, more: int) -> Run:
    grown = run.prepare_more_trees(name, more, Workspace().new_run("grown"))
    run_here(grown.path)
    return grown.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "task"),
    [("random_forest", "binary"), ("extra_trees", "regression"), ("xgboost", "binary"), ("xgboost", "regression"),
     ("hist_gradient_boosting", "binary")],
)  # fmt: skip
def test_more_trees_go_on_and_equal_a_fresh_fit(mixed, name, task, monkeypatch):
    monkeypatch.setattr(warm_start, "WORTH_KEEPING", 0.0)
    target = {"binary": "two", "regression": "amount"}[task]
    options = {"ignore": others(task), **QUICK}
    trees = catalogue.model(name).trees.parameter
    few, many = (Candidate.named(name, task, **{trees: n}) for n in (15, 35))
    first = compare_here(mixed, target, models=[few], **options)
    grown = grow_here(first, name, 20)
    fresh = compare_here(mixed, target, models=[many], **options)
    assert dict(grown.experiment.candidate(name).parameters)[trees] == 35
    np.testing.assert_allclose(fold_scores_of(grown)[name], fold_scores_of(fresh)[name], atol=1e-12)
    frame = mixed.frame()
    np.testing.assert_allclose(grown.model(name).predict(frame) == fresh.model(name).predict(frame), True)
    if name in ("random_forest", "extra_trees"):
        assert len(grown.model(name)[-1].estimators_) == 35


@pytest.mark.slow
def test_a_changed_search_starts_anew(mixed):
    from mlcore.experiment.search import Search

    options = {"ignore": others("binary"), "models": ["knn", "logistic"], "tune": ["knn"], **QUICK}
    first = compare_here(mixed, "two", search=Search(method="random", trials=3), **options)
    before = first.search_report("knn").frame()
    data, experiment = planned(mixed, "two", **{**options, "search": Search(method="sobol", trials=4)})
    run = begin(data, experiment, Workspace().new_run("search"), run_here, first).wait()
    fresh = begin(data, experiment, Workspace().new_run("search"), run_here).wait()
    assert fold_scores_of(run) == fold_scores_of(fresh)
    assert len(run.search_report("knn").trials) == 5
    pd.testing.assert_frame_equal(first.search_report("knn").frame(), before)


@pytest.mark.slow
def test_growth_in_a_race_and_into_a_full_folder(mixed):
    few = Candidate.named("random_forest", "binary", n_estimators=10)
    run = compare_here(mixed, "two", ignore=others("binary"), models=[few, "logistic", "lda"], folds=6, repeats=1,
                       race=True)  # fmt: skip
    assert grow_here(run, "random_forest", 5).board().ranked()
    with pytest.raises(BadInput, match="not empty"):
        run.prepare_more_trees("random_forest", 5, run.path)


def test_what_cannot_grow_says_so(runs):
    from dataclasses import replace

    from mlcore.runs.warm_start import with_more_trees

    experiment = runs["binary"].experiment
    fast = replace(experiment, protocol=replace(experiment.protocol, fast=True))
    with pytest.raises(BadInput, match="cannot be warm-started"):  # joining would count its first trees twice
        with_more_trees(fast, "random_forest", 10)
    with pytest.raises(BadInput, match="no trees"):
        runs["binary"].prepare_more_trees("logistic", 10, Workspace().new_run("x"))
    with pytest.raises(BadInput, match="1 to 100,000"):
        runs["binary"].prepare_more_trees("xgboost", 0, Workspace().new_run("x"))
