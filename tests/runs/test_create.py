from __future__ import annotations

import json

import pandas as pd
import pytest

from mlcore.api import begin
from mlcore.data.workspace import Workspace
from mlcore.errors import BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.experiment.memory import bytes_per_row
from mlcore.runs import context
from mlcore.runs.controller import RunController
from mlcore.runs.events import EventLog
from mlcore.runs.process import launch
from tests.helpers import QUICK, Sleeper, compare_here, fold_scores_of, never, others, planned


class Stopping(RunController):
    """A controller that is stopped after so many folds."""

    left = 4

    def _fold_done(self, result):
        super()._fold_done(result)
        Stopping.left -= 1
        self.stop = Stopping.left <= 0


@pytest.mark.slow
def test_a_cancelled_run_goes_on_and_ends_as_if_it_had_not_been(mixed):
    options = {"ignore": others("binary"), "models": ["logistic", "decision_tree", "random_forest", "blend"], **QUICK}
    whole = compare_here(mixed, "two", **options)
    data, experiment = planned(mixed, "two", **options)

    def stopped(folder, slots):
        with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
            Stopping(folder, EventLog(file)).carry_out(0)
            file.write('{"event": "fold", "mod')  # killed while it wrote

    run = begin(data, experiment, Workspace().new_run("stopped"), stopped)
    assert run.progress().state == "cancelled"
    before = [e for e in run.events() if e["event"] == "fold"]
    assert 0 < len(before) < 12
    run.resume().wait()
    assert fold_scores_of(run) == fold_scores_of(whole)
    pd.testing.assert_frame_equal(run.predictions("blend"), whole.predictions("blend"))
    again = [(e["model"], e["key"]) for e in run.events() if e["event"] == "fold"]
    assert len(again) == len(set(again))  # nothing was done twice
    with pytest.raises(BadInput, match="finished"):
        run.resume()


def test_the_split_stays_when_free_memory_changes(mixed, monkeypatch):
    """A run that goes on must not learn from rows that were locked when it began."""
    _, experiment = planned(mixed, "two", models=["logistic"], ignore=others("binary"))
    each = bytes_per_row(experiment)
    monkeypatch.setattr("mlcore.experiment.memory.FEWEST", 50)
    monkeypatch.setattr("mlcore.experiment.memory.free_memory", lambda: round(120 * each / 0.7))
    run = compare_here(mixed, "two", models=["logistic"], ignore=others("binary"), **QUICK)
    first = context.split_digest(context.context(str(run.path)).plan)
    monkeypatch.setattr("mlcore.experiment.memory.free_memory", lambda: round(180 * each / 0.7))
    context.context.cache_clear()
    assert context.split_digest(context.context(str(run.path)).plan) == first == run.plan()["split"]


def test_an_estimator_of_a_module_that_is_not_imported_is_not_gone_on_with(mixed):
    data, experiment = planned(mixed, "two", models=[Candidate.of("slow", Sleeper(0.0)), "logistic"],
                                                             ignore=others("binary"), **QUICK)  # fmt: skip
    run = begin(data, experiment, Workspace().new_run("own"), never)
    assert json.loads((run.path / "estimators" / "modules.json").read_text()) == ["tests.helpers"]
    (run.path / "estimators" / "modules.json").write_text('["somebody_else"]')
    with pytest.raises(BadInput, match="somebody_else"):
        launch(run.path)
