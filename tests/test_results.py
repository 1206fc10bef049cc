"""Every kind of result has a help card, a table, a sentence and a figure that prints, or says that it has none."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pandas as pd
import pytest

import mlcore
from mlcore import explore
from mlcore.comparison.run_comparison import compare_runs
from mlcore.comparison.split_stress import split_stress_of
from mlcore.comparison.step_ledger import step_ledger_of
from mlcore.errors import NotApplicable
from mlcore.evaluate import classes, quantities, scores
from mlcore.evaluate.agreement import agreement
from mlcore.evaluate.calibration import calibration
from mlcore.evaluate.gain import abstention_of, gain, score_distributions
from mlcore.evaluate.holdout import open_holdout
from mlcore.evaluate.out_of_fold import out_of_fold
from mlcore.evaluate.rows import errors, label_doubts
from mlcore.evaluate.slices import fairness, slices
from mlcore.evaluate.thresholds import Payoff, profit, threshold
from mlcore.experiment.search import Search
from mlcore.experiment.split_preview import split_preview
from mlcore.explain.dependence import dependence
from mlcore.explain.neighbours import neighbours
from mlcore.explain.subject import Subject
from mlcore.explain.whatif import counterfactuals, what_if
from mlcore.explore import PairPlotOptions, PlotOptions
from mlcore.features.preview import preview_recipe, preview_step
from mlcore.features.steps import step_from_json
from mlcore.result import Result
from mlcore.runs.study import Study
from tests.helpers import compare_here, others, study_here

for module in pkgutil.walk_packages(mlcore.__path__, "mlcore."):
    importlib.import_module(module.name)


def subclasses(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


KINDS = sorted(subclasses(Result), key=lambda k: k.__name__)
SIGNATURES = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def of_columns(data: mlcore.Dataset) -> Iterator[Result]:
    yield explore.one(data, "a", PlotOptions("two"))
    yield explore.one(data, "a", PlotOptions(shape="ecdf"))
    yield explore.one(data, "when", PlotOptions(shape="timeline"))
    yield explore.one(data, "note", PlotOptions(shape="words"))
    shapes = {"points": ("a", "b"), "density": ("a", "b"), "box": ("colour", "a"), "counts": ("colour", "two"),
              "course": ("when", "a")}  # fmt: skip
    for shape, (x, y) in shapes.items():
        yield explore.relation(data, x, y, how=PairPlotOptions(shape=shape))
    yield explore.correlations(data, "association")
    yield explore.with_target(data, "two")
    yield explore.pairs(data, ["a", "b"], "colour")
    yield explore.parallel(data, ["a", "b", "colour"], "colour")
    yield from (make(data) for make in (explore.missing, explore.missingness_map, explore.patterns))
    yield mlcore.profile(data, "two")


@pytest.fixture(scope="module")
def made(mixed, runs) -> dict[str, list[Result]]:
    """Results of every kind, by the name of their class."""
    notes = ["late and wet", "on time", "late, but dry and sunny", "the parcel was never sent"]
    frame = mixed.frame().assign(note=[f"{notes[i % 4]} {i}" for i in range(mixed.rows)])
    data = mlcore.read(frame, name="with notes")
    binary, regression = runs["binary"], runs["regression"]
    tuned = compare_here(mixed, "two", models=["knn", "logistic"], tune=["knn"], ignore=others("binary"), folds=3,
                         repeats=1, search=Search(method="random", trials=8))  # fmt: skip
    recipe, protocol = binary.experiment.recipe, binary.experiment.protocol
    report = tuned.search_report("knn")
    known = out_of_fold(binary, "logistic")
    columns, scored = binary.columns(known.rows), known.scored()
    metric, row = protocol.metric_for("binary"), Subject.of(binary, "logistic", 3)
    results = [
        *of_columns(data),
        what_if(row, {"a": "1.5"}), counterfactuals(row), neighbours(row, 3), dependence(row, "a"),
        study_here(binary, Study(kind="importance", model="logistic")), binary.predict(mixed, "logistic"),
        threshold(scored), profit(scored, Payoff.of([10, -1, 0, 0])), calibration(scored),
        slices(known, metric, columns[["colour"]]), fairness(scored, columns["flag"], 0.5),
        errors(known, columns), label_doubts(known), agreement(known, out_of_fold(binary, "knn")),
        gain([scored]), score_distributions(scored), abstention_of(known),
        quantities.prediction_intervals(regression, "ridge"), quantities.residuals_over(regression, "ridge"),
        binary.verdict(), binary.board(), binary.board().fold_scores("logistic"), regression.board(),
        split_stress_of([("random", binary), ("group", binary)]),
        compare_runs(tuned, tuned), step_ledger_of([("", tuned), ("1 Clip outliers", tuned)]),
        study_here(binary, Study(kind="leak", model="logistic", parameter="end")),
        preview_step(mixed, recipe.with_step(step_from_json({"step": "clip"})), protocol, 0),
        study_here(regression, Study(kind="learning", model="ridge")),
        study_here(regression, Study(kind="validation", model="ridge", parameter="alpha")),
        report, report.importance(), report.parallel_coordinates(),
        binary.evaluate("logistic"), regression.evaluate("ridge"), scores.scores(binary, ["logistic", "knn"]),
        classes.confusion(binary, "logistic"), classes.roc(binary, ["logistic"]),
        classes.precision_recall(binary, ["logistic"]),
        quantities.predicted(regression, "ridge"), quantities.residuals(regression, "ridge"),
        binary.explain("logistic", row=3), split_preview(mixed, recipe, protocol),
        preview_recipe(mixed, recipe, protocol, "linear"), *open_holdout(tuned, ["logistic"]),
    ]  # fmt: skip
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(type(result).__name__, []).append(result)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_every_kind_of_result_says_and_shows_itself(kind, made):
    assert kind.__name__ in made, f"Add a {kind.__name__} to the fixture `made`."
    for result in made[kind.__name__]:
        assert all((result.help.what, result.help.read, result.help.misleads, result.help.do))
        assert result.sentence().endswith((".", "!", "?"))
        assert isinstance(result.frame(), pd.DataFrame)
        assert len(result.frame())
        if kind.picture:
            assert len(result.figure().data)
        else:
            with pytest.raises(NotApplicable, match=r"no figure.*frame\(\)"):
                result.figure()


@pytest.mark.slow
@pytest.mark.parametrize("file", ["svg", "png", "pdf"])
@pytest.mark.parametrize("kind", [k for k in KINDS if k.picture], ids=lambda k: k.__name__)
def test_every_figure_prints(kind, file, made):
    assert made[kind.__name__][0].file(file).startswith(SIGNATURES[file])


@pytest.mark.parametrize("kind", [k for k in KINDS if len(k.__dataclass_fields__) > 5], ids=lambda k: k.__name__)
def test_wide_results_are_made_with_keywords(kind):
    assert all(f.kw_only for f in kind.__dataclass_fields__.values())
