"""A run and what can be done with it: rank, evaluate, explain, study, continue, cancel and resume."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mlcore.comparison import curves, search_report
from mlcore.comparison.curves import LearningCurve, ValidationCurve
from mlcore.comparison.leaderboard import Leaderboard, board_of
from mlcore.comparison.search_report import SearchReport
from mlcore.comparison.verdict import Verdict, verdict
from mlcore.data.dataset import Dataset
from mlcore.errors import BadInput, RunFailed
from mlcore.evaluate.evaluation import EvaluateOptions, Evaluation, evaluate
from mlcore.explain.dependence import Dependence, Kind, dependence
from mlcore.explain.importance import Importance
from mlcore.explain.lime import Explanation, explain
from mlcore.explain.neighbours import Neighbours, neighbours
from mlcore.explain.subject import Subject
from mlcore.explain.whatif import Counterfactuals, WhatIf, counterfactuals, what_if
from mlcore.export.artifacts import export
from mlcore.export.scoring import Scored, score
from mlcore.ingest.reader import read
from mlcore.runs import warm_start
from mlcore.runs.create import carry_over, link, write_run
from mlcore.runs.events import append_later, since_resumed
from mlcore.runs.folder import ENDS, UNFINISHED, RunFolder, is_compared
from mlcore.runs.process import Start, end_worker, launch
from mlcore.runs.study import Study


class Run(RunFolder):
    """A comparison of models: a folder with everything in it, and what can be done with it.

    `compare` makes one and `open_run` opens one again; `path` is its folder, `experiment` what was asked, `dataset` the
    rows. Everything is read from disk when it is asked for, so a run can be used while its models are still fitted.

    >>> run = mlcore.compare(data, target="churned", models=["logistic"], folds=2)
    >>> run.best()
    'logistic'
    >>> run.predictions("logistic").columns[:5].tolist()
    ['row', 'repeat', 'fold', 'truth', 'prediction']
    """

    def board(self, by: str | None = None) -> Leaderboard:
        """The leaderboard as a result; `by` names another metric to rank by. Raises BadChoice."""
        return board_of(self, by)

    def leaderboard(self, by: str | None = None) -> pd.DataFrame:
        """The leaderboard as a frame, one row per model, best first. Raises BadChoice."""
        return self.board(by).frame()

    def verdict(self, by: str | None = None) -> Verdict:
        """Which model to use, how good it is in plain words, how sure that is, and what speaks against believing it.

        `by` names another metric to rank by, as for `leaderboard`. Raises BadChoice.
        """
        return verdict(self, by)

    def best(self) -> str:
        """The name of the model with the best score, the baseline aside. Raises RunFailed when none has a score."""
        ranked = self.board().ranked()
        if not ranked:
            raise RunFailed("No model of this run has a score.")
        return next((r.model for r in ranked if not r.is_baseline), ranked[0].model)

    def evaluate(
        self,
        model: str | None = None,
        *,
        threshold: str | float | None = None,
        costs: Sequence[float] | None = None,
        by: Sequence[str] = (),
    ) -> Evaluation:
        """Evaluate a model (the best by default) from its out-of-fold predictions.

        Parameters
        ----------
        threshold
            Of two classes: a number, best:METRIC, recall:R, precision:P or top:N. 0.5 by default.
        costs
            Of two classes: what a true positive, false positive, false negative and true negative earn, or cost.
        by
            One or two columns to slice the rows by; the worst slices are searched for without them.

        Raises
        ------
        BadChoice, BadInput, NotApplicable, NotFound, NoSuchColumn
            For an unknown model, an impossible threshold or costs, a column that is not there.
        """
        return evaluate(self, model or self.best(), EvaluateOptions(threshold=threshold, costs=costs, by=by))

    def explain(
        self,
        model: str | None = None,
        row: int = 0,
        *,
        label: str | None = None,
        samples: int = 1000,
        locality: float = 0.8,
        seed: int = 0,
    ) -> Explanation:
        """Explain the prediction of a model (the best by default) for one row with LIME.

        `row` is a position in the file, from 0; `label` the class to explain (by default the predicted one, of two
        classes the positive one); `samples` 50 to 100,000 perturbed rows; `locality` from 0 (classic LIME) to 0.95.
        Raises BadInput, BadChoice, NotFound.
        """
        return explain(self, model or self.best(), row, label=label, samples=samples, locality=locality, seed=seed)

    # studies ------------------------------------------------------------------------------------------------------

    def what_if(self, model: str | None = None, row: int = 0, *, changes: Mapping[str, Any]) -> WhatIf:
        """The prediction of a row with other values in some columns. Raises BadInput, NoSuchColumn."""
        return what_if(Subject.of(self, model or self.best(), row), changes)

    def counterfactuals(
        self, model: str | None = None, row: int = 0, *, fixed: Sequence[str] = (), wanted: float | None = None
    ) -> Counterfactuals:
        """The smallest changes of a row that turn its prediction; `fixed` columns stay. Raises BadInput."""
        return counterfactuals(Subject.of(self, model or self.best(), row), fixed=fixed, wanted=wanted)

    def neighbours(self, model: str | None = None, row: int = 0, *, count: int = 5) -> Neighbours:
        """The training rows most like a row, with their outcomes. Raises BadInput."""
        return neighbours(Subject.of(self, model or self.best(), row), count)

    def predict(
        self, data: Dataset | pd.DataFrame, model: str | None = None, *, out: str | Path | None = None
    ) -> Scored:
        """Predict new rows with a model (the best by default), and say what does not match the training rows.

        `out` is a .csv or .parquet file for all predictions. Raises BadInput, NotFound.
        """
        rows = read(data, name="new rows") if isinstance(data, pd.DataFrame) else data
        return score(self, model or self.best(), rows, None if out is None else Path(out))

    def export(self, kind: str, out: str | Path, model: str | None = None) -> list[Path]:
        """Write a `model`, a `card` or a `report` of a model (the best by default); return the files.

        Raises BadInput for another kind, NotApplicable for the model of a blend.
        """
        return export(self, kind, model or self.best(), Path(out))

    def importance(self, model: str | None = None) -> Importance:
        """Permutation importance of the columns, on test rows of the folds; refits the model on each fold.

        Raises BadInput for a model without fits, such as the blend; RunFailed.
        """
        needed = curves.importance_of(self, Study(kind="importance", model=model or self.best()))
        assert isinstance(needed, Importance)
        return needed

    def dependence(self, column: str, model: str | None = None, row: int = 0, *, kind: Kind = "partial") -> Dependence:
        """How the model's answer depends on a column. Raises NoSuchColumn, NotApplicable."""
        return dependence(Subject.of(self, model or self.best(), row), column, kind)

    def learning_curve(self, model: str | None = None) -> LearningCurve:
        """How the score of a model (the best by default) grows with rows; refits it on fractions of them."""
        return curves.learning_curve(self, Study(kind="learning", model=model or self.best()))

    def validation_curve(self, model: str, parameter: str) -> ValidationCurve:
        """How the score of a model changes with one hyperparameter, on training and on test rows. Raises BadInput."""
        return curves.validation_curve(self, Study(kind="validation", model=model, parameter=parameter))

    def search_report(self, model: str) -> SearchReport:
        """The search over a candidate's hyperparameters, once it is done. Raises NotFound when there was none."""
        self.ensure_fitted(model)  # the last search, on all training rows, may still be under way
        return search_report.search_report(self, model)

    # warm start ---------------------------------------------------------------------------------------------------

    def with_more_trees(self, model: str, more: int, folder: str | Path, jobs: int | None = None) -> Run:
        """A new run in which a model gets `more` trees and all others are taken over. Raises BadInput."""
        run = self.prepare_more_trees(model, more, Path(folder))
        launch(run.path, jobs)
        return run.wait()

    def prepare_more_trees(self, model: str, more: int, folder: Path) -> Run:
        """Write the folder of the run that `with_more_trees` starts. Raises BadInput for a model without trees."""
        experiment, trees = warm_start.with_more_trees(self.experiment, model, more)
        for candidate in self.experiment.candidates:  # the others are taken over with the models that are fitted
            self.wait_fitted(candidate.model)
        self.ensure_fitted(model)
        if model not in self.fitted():
            raise BadInput(f"{model} cannot be warm-started: {self.why_missing(model)}")
        write_run(folder, experiment, self.dataset)
        run = Run(folder)
        link(self.paths.alerts, run.paths.alerts)
        for path in self.paths.estimators.glob("*"):
            link(path, run.paths.estimators / path.name)
        carry_over(self, run)
        warm_start.note_start(run.path, model, warm_start.Start(self.path, trees))
        return run

    # its worker ---------------------------------------------------------------------------------------------------

    def wait(
        self, on_event: Callable[[dict[str, Any]], None] | None = None, every: float = 0.05, *, board: bool = False
    ) -> Run:
        """Wait until the run has ended, or with `board` until its leaderboard is complete; looks `every` seconds.

        Calls `on_event` with each event. Raises RunFailed or BadInput when the run ended before that.
        """
        handled = 0
        while True:
            progress, events = self.progress(), self.events()
            for event in events[handled:]:
                if on_event is not None:
                    on_event(event)
            handled = len(events)
            if board and is_compared(events):
                return self
            if not progress.live:
                break
            time.sleep(every)
        if progress.bad_input:
            raise BadInput(progress.reason)
        if progress.state != "finished":
            raise RunFailed(progress.reason or f"The run was {progress.state}. {self._last_log_line()}".strip())
        return self

    def _last_log_line(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            lines = self.paths.log.read_text("utf-8", "replace").strip().splitlines()
            return lines[-1][:300] if lines else ""
        return ""

    def cancel(self, grace: float = 1.0) -> None:
        """End the run: ask its worker, and kill its process group after `grace` seconds. Finished work stays."""
        if not self.progress().live or not end_worker(self.path, grace):
            return
        if not any(e["event"] in ENDS for e in since_resumed(self.events())):  # it had no time to log it
            event = {"event": "cancelled", "seconds": self.progress().seconds}
            append_later(self.path, self.paths.experiment.name, event)

    def resume(self, jobs: int | None = None, start: Start = launch) -> Run:
        """Resume a run that was cancelled or interrupted; finished work stays. Raises BadInput for another state."""
        state = self.progress().state
        if state not in UNFINISHED:
            raise BadInput(f"This run is {state}; only a cancelled or interrupted run can be resumed.")
        start(self.path, jobs)
        return self
