"""What a search of hyperparameters found: its trials, which of them mattered, the best, and how optimistic it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.comparison.leaderboard import board_of
from mlcore.errors import NotApplicable, NotFound
from mlcore.experiment.search import Search
from mlcore.models.parameters import Parameter
from mlcore.result import Help, Result
from mlcore.runs.events import first
from mlcore.runs.folder import RunFolder
from mlcore.runs.trials import (
    Trial,
    add_to_study,
    best_trial,
    distribution,
    has_gaussian_process,
    new_study,
    read_trials,
)
from mlcore.validation.metrics import Metric
from mlcore.wording import number, several, value_text

EDGE = 0.02  # fraction of a hyperparameter's range that counts as its edge


@dataclass(frozen=True, kw_only=True)
class SearchReport(Result):
    """The search on all training rows, and the searches inside the folds that its unbiased score comes from."""

    model: str
    title: str
    metric: Metric
    search: Search
    parameters: tuple[Parameter, ...]
    trials: tuple[Trial, ...]  # of the search on all training rows, or of the first fold until there is one
    best: dict[str, Any]
    inside: float | None  # mean over folds of the best score inside the search
    outside: float | None  # mean over folds of the score outside it

    help: ClassVar[Help] = Help(
        "Settings are tried on inner folds of the training rows; each dot is one setting, the line is the best so far. "
        "The model's own settings are always tried first.",
        "A line that flattens early means that more trials would bring little.",
        "The best score inside a search is optimistic, because it was chosen. The leaderboard shows the score outside: "
        "each fold runs its search within its training rows.",
        "If the best value is at an edge, widen the range. If nothing beats the first dot, keep the defaults.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per trial."""
        return pd.DataFrame(
            [
                {
                    "trial": t.number,
                    "state": t.state,
                    self.metric.name: t.value,
                    "on training rows": float(np.mean(t.train_scores)) if t.train_scores else None,
                    "seconds": t.seconds,
                    **t.parameters,
                }
                for t in self.trials
            ]
        )

    def edges(self) -> list[str]:
        """Best values at the edge of what was searched, in words."""
        texts = []
        for parameter in self.parameters:
            value = self.best.get(parameter.name)
            if parameter.search is None or parameter.choices or value is None:
                continue
            low, high = parameter.search
            place = (value - low) / (high - low)
            if parameter.log:
                place = float(np.log(value / low) / np.log(high / low))
            if place < EDGE or place > 1 - EDGE:
                end = "lower" if place < EDGE else "upper"
                span = f"{number(low)} to {number(high)}"
                texts.append(f"{parameter.name} = {number(value)} is at the {end} edge of {span}")
        return texts

    def optimism(self) -> float | None:
        """How much better the search looks from inside than from outside; positive is optimistic."""
        if self.inside is None or self.outside is None:
            return None
        return (self.inside - self.outside) * self.metric.sign

    def sentence(self) -> str:
        """The best setting, how much better it is, and how optimistic the search is."""
        sentences = [self._best_words()]
        optimism = self.optimism()
        if optimism is not None:
            sentences.append(
                f"Inside the search, the folds averaged {number(self.inside)}; on rows outside it the model scores "
                f"{number(self.outside)}, {'worse' if optimism > 0 else 'better'} by {number(abs(optimism), 2)}."
            )
        if self.search.method == "gp" and not has_gaussian_process():
            sentences.append("The Gaussian process needs torch, which is not installed; TPE was used.")
        return " ".join([*sentences, *(f"{e}; better values may lie beyond." for e in self.edges())])

    def _best_words(self) -> str:
        done = sum(t.state in ("complete", "pruned", "failed") for t in self.trials)
        pruned = sum(t.state == "pruned" for t in self.trials)
        default = self.trials[0].value if self.trials else None
        best = best_trial(list(self.trials), self.metric)
        if best.value is None:
            text = f"{self.title}: none of {done} settings could be scored, so its settings stay as they were"
        elif not best.parameters:
            text = f"{self.title}: none of {done} settings is better than its own"
        else:
            listed = several([f"{k} = {value_text(v)}" for k, v in best.parameters.items()], 9)
            text = f"{self.title}: the best of {done} settings is {listed}"
            if default is not None:
                text += f" ({self.metric.title} {number(best.value)}; {number(default)} with its own settings)"
        return text + (f"; {pruned} of them were ended early." if pruned else ".")

    def importance(self) -> ParameterImportance:
        """Which hyperparameters mattered. Raises NotApplicable for too few trials."""
        import optuna

        study = new_study(self.metric)
        space = {p.name: distribution(p) for p in self.parameters}
        for trial in self.trials:
            add_to_study(study, trial, space)
        values = [t.value for t in study.trials if t.value is not None]
        if len(values) < 5 or len(set(values)) < 2:
            raise NotApplicable(
                "Hyperparameter importance needs at least 5 complete trials with different scores; there are "
                f"{len(values)}."
            )
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        importances = optuna.importance.get_param_importances(study, evaluator=evaluator)
        return ParameterImportance(
            title=self.title, fractions=tuple((k, float(v)) for k, v in importances.items()), n=len(values)
        )

    def parallel_coordinates(self) -> ParallelCoordinates:
        """All complete trials as lines through their values."""
        return ParallelCoordinates(report=self)


@dataclass(frozen=True, kw_only=True)
class ParameterImportance(Result):
    """How much of the variance of the scores each hyperparameter accounts for."""

    title: str
    fractions: tuple[tuple[str, float], ...]
    n: int

    help: ClassVar[Help] = Help(
        "The fraction of the variance of the trials' scores that a hyperparameter accounts for on its own (functional "
        "ANOVA, Hutter, Hoos and Leyton-Brown, 2014).",
        "A hyperparameter near 0 can be left at its default; look at the largest one.",
        "Few trials; a search that concentrates near the best value sees little of the rest.",
        "Draw the validation curve of the most important hyperparameter.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per hyperparameter."""
        return pd.DataFrame(self.fractions, columns=["parameter", "fraction"])

    def sentence(self) -> str:
        """The most important hyperparameter."""
        name, fraction = self.fractions[0]
        return f"{self.title}: {name} accounts for {round(100 * fraction)} % of the variance over {self.n} trials."


@dataclass(frozen=True, kw_only=True)
class ParallelCoordinates(Result):
    """The trials of a search as lines through the values of its hyperparameters, coloured by score."""

    report: SearchReport

    help: ClassVar[Help] = Help(
        "Each line is a setting: it crosses each axis at its value. The darker it is, the better its score.",
        "Where dark lines run together, that value matters.",
        "A search concentrates where it did well, so dark lines gather there anyway.",
        "Where dark lines reach an edge, widen the range.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per complete trial."""
        frame = self.report.frame()
        return frame[frame["state"] == "complete"].reset_index(drop=True)

    def sentence(self) -> str:
        """The number of settings."""
        return f"{len(self.frame())} settings of {self.report.title} that were scored on all inner folds."


@dataclass(frozen=True)
class SearchProgress:
    """How far the searches of one candidate are."""

    model: str
    title: str
    done: int  # settings tried, over all folds
    total: int


def searches_under_way(run: RunFolder) -> list[SearchProgress]:
    """How far the searches of a run are."""
    started = first(run.events(), "started")
    if started is None:
        return []
    progress = []
    for candidate in run.experiment.candidates:
        if candidate.search is not None:
            done = sum(len(read_trials(p)) for p in _trial_files(run, candidate.model).values())
            total = (started["folds"] + 1) * (candidate.search.trials + 1)
            progress.append(SearchProgress(candidate.model, candidate.title, done, total))
    return progress


def _trial_files(run: RunFolder, model: str) -> dict[str, Any]:
    """The files of a candidate's trials, by the key of a fold or `final`."""
    return {p.stem: p for p in sorted(run.paths.searches(model).glob("*.jsonl"))}


def search_report(run: RunFolder, model: str) -> SearchReport:
    """The search of a candidate. Raises BadChoice, and NotFound when it was not searched."""
    candidate = run.experiment.candidate(model)
    if candidate.search is None or candidate.row is None:
        raise NotFound(f"{candidate.label} was not searched in this run. Compare again with --tune {model}.")
    task = run.experiment.recipe.task
    metric = run.experiment.protocol.metric_for(task)
    files = _trial_files(run, model)
    by_key = {key: read for key, path in files.items() if (read := read_trials(path))}
    if not by_key:
        raise NotFound(f"The search of {candidate.title} has not started yet.")
    trials = by_key.get("final") or by_key[min(by_key)]
    by_fold = [read for key, read in by_key.items() if key != "final"]
    inside = [best_trial(t, metric).value for t in by_fold if t]
    row = next((r for r in board_of(run).rows if r.model == model), None)
    outside = row.score if row is not None else None
    known = bool(inside) and None not in inside and outside is not None
    return SearchReport(
        model=model,
        title=candidate.title,
        metric=metric,
        search=candidate.search,
        parameters=candidate.space(task),
        trials=tuple(trials),
        best=best_trial(trials, metric).parameters if trials else {},
        inside=float(np.mean([v for v in inside if v is not None])) if known else None,
        outside=outside if known else None,
    )
