from __future__ import annotations

import numpy as np
import pytest

from mlcore.errors import BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.experiment.search import Search
from mlcore.models.parameters import Parameter
from mlcore.runs.trials import Problem, best_trial, read_trials
from tests.helpers import compare_here, others


@pytest.mark.slow
@pytest.mark.parametrize("method", ["tpe", "random", "sobol", "grid", "gp"])
def test_searches_are_nested_repeatable_and_start_from_the_defaults(mixed, method):
    options = {"ignore": others("binary"), "models": ["knn", "logistic"], "folds": 3, "repeats": 1, "tune": ["knn"],
               "search": Search(method=method, trials=4)}  # fmt: skip
    run, again = (compare_here(mixed, "two", **options) for _ in range(2))
    assert run.board().row("knn").folds == again.board().row("knn").folds
    found = run.search_report("knn")
    assert found.trials[0].state == "defaults"
    assert len(found.trials) <= 5
    best = best_trial(list(found.trials), found.metric)
    assert best.value == max(t.value for t in found.trials if t.value is not None)
    built = run.model("knn")[-1]
    assert built.n_neighbors == min(best.parameters.get("n_neighbors", 15), run.plan()["train"])
    assert found.optimism() is not None
    for key in ("0-0", "0-1", "0-2", "final"):
        assert read_trials(run.paths.trials("knn", key))
    assert "on rows outside it" in found.sentence()


@pytest.mark.slow
def test_a_search_goes_on_where_it_broke_off(mixed, tmp_path):
    from mlcore.runs import trials
    from mlcore.validation.metrics import metric

    candidate = Candidate.named("knn", "binary").tuned(Search(method="tpe", trials=12), "binary")
    folds = [(np.arange(10), np.arange(10, 20)), (np.arange(10, 20), np.arange(10))]

    def judge(parameters, train, test):
        k = parameters.get("n_neighbors", 15)
        return 1 - (np.log(k) - np.log(30)) ** 2 - (parameters.get("weights") == "distance") * 0.1, 1.0

    problem = Problem(candidate, metric("roc_auc", "binary"), "binary", 5)
    whole = trials.search(tmp_path / "a.jsonl", problem, folds, judge)
    lines = (tmp_path / "a.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "b.jsonl").write_text("".join(lines[:6]) + '{"number": 6, "par')  # killed while it wrote
    assert len(read_trials(tmp_path / "b.jsonl")) == 6
    resumed = trials.search(tmp_path / "b.jsonl", problem, folds, judge)
    assert whole["n_neighbors"] == pytest.approx(30, abs=12)
    assert len(read_trials(tmp_path / "b.jsonl")) == 13
    assert resumed == whole


def test_what_was_set_by_hand_is_not_searched():
    candidate = Candidate.named("decision_tree", "binary", max_depth=2)
    free = {k.name for k in candidate.tuned(Search(), "binary").space("binary")}
    assert "max_depth" not in free
    assert free == {k.name for k in Candidate.named("decision_tree", "binary").tuned(Search(), "binary")
                    .space("binary")} - {"max_depth"}  # fmt: skip
    named = candidate.tuned(Search(parameters=("max_depth",)), "binary")
    assert [k.name for k in named.space("binary")] == ["max_depth"]


def test_an_edge_is_said(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["knn"], folds=3, repeats=1, tune="all",
                       search=Search(method="grid", trials=6))  # fmt: skip
    found = run.search_report("knn")
    if found.best.get("n_neighbors") in (1, 100):
        assert "edge" in found.sentence()
    edge = type(found)(**{**vars(found), "best": {"n_neighbors": 100}})
    assert "upper edge of 1 to 100" in " ".join(edge.edges())


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"tune": ["naive_bayes"], "models": ["logistic"]}, "in this comparison"),
        ({"tune": ["logistic"], "models": ["logistic"], "search": Search(method="magic")}, "search method"),
        ({"tune": ["logistic"], "models": ["logistic"], "search": Search(trials=0)}, "1 to 10,000 trials"),
        ({"tune": ["logistic"], "models": ["logistic"], "search": Search(parameters=("depth",))}, "can be searched"),
        ({"tune": ["rule"], "models": ["rule", "logistic"]}, "no parameters to search"),
        ({"parameters": {"svm": {"C": 2}}, "models": ["logistic"]}, "in this comparison"),
        ({"tune": ["rule"], "models": ["logistic"]}, "in this comparison"),
        ({"search": Search(), "models": ["logistic"]}, "no model is searched"),
        ({"tune": "all", "search": Search(parameters=("C",)), "models": ["logistic"]}, "not for all"),
        ({"split": "leave_one_out", "metric": "roc_auc", "models": ["logistic"]}, "one row at a time"),
    ],
)
def test_searches_that_cannot_be_are_refused(mixed, options, part):
    with pytest.raises(BadInput, match=part):
        compare_here(mixed, "two", **options)


def test_a_hyperparameter_without_a_range_is_its_default():
    assert Parameter(name="x", label="X", default=3, help="help", low=1, high=5).grid(4) == [3]


def test_a_search_that_has_only_just_started_has_a_report(mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["knn", "logistic"], tune=["knn"], folds=3,
                       repeats=1, search=Search(method="random", trials=3))  # fmt: skip
    run.paths.trials("knn", "final").write_text("")  # created, but no trial is done
    assert "settings" in run.search_report("knn").sentence()
