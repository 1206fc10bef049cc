"""What a search of parameters found: its trials, which parameter mattered, what it chose, and how much it flatters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.compare.search import Search
from mlcore.compare.tune import Trial, best_of, gaussian_process, read_trace
from mlcore.errors import NotApplicable, NotFound
from mlcore.metrics import Metric
from mlcore.models import Knob
from mlcore.result import Help, Result, number, several

if TYPE_CHECKING:
    from mlcore.compare.run import Run

EDGE = 0.02  # share of a knob's range that is its edge


@dataclass(frozen=True)
class Tuning(Result):
    """The search on all training rows, and the searches inside the folds that its honest score comes from."""

    model: str
    title: str
    metric: Metric
    search: Search
    knobs: tuple[Knob, ...]
    trials: tuple[Trial, ...]  # of the search that settled the final model, or of the first fold until there is one
    best: dict[str, Any]
    inside: float | None  # mean over folds of the best score inside the search
    outside: float | None  # mean over folds of the score outside it

    help: ClassVar[Help] = Help(
        "Parameters are tried on inner folds of the training rows; each dot is one setting, the line the best so far. "
        "The model's own settings are always tried first.",
        "A line that flattens early says that more trials would bring little.",
        "The best score inside a search flatters, as it was chosen. The leaderboard shows the score on rows outside: "
        "each fold searches anew within its training rows.",
        "If the best value lies at an edge, widen the range. If nothing beats the first dot, keep the defaults.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a trial."""
        return pd.DataFrame([
            {"trial": t.number, "state": t.state, self.metric.name: t.value,
             "on training rows": float(np.mean(t.seen)) if t.seen else None, "seconds": t.seconds, **t.parameters}
            for t in self.trials
        ])  # fmt: skip

    def edges(self) -> list[str]:
        """Where the best values lie at the edge of what was searched, in words."""
        said = []
        for knob in self.knobs:
            value = self.best.get(knob.name)
            if knob.search is None or knob.choices or value is None:
                continue
            low, high = knob.search
            place = np.log(value / low) / np.log(high / low) if knob.log else (value - low) / (high - low)
            if place < EDGE or place > 1 - EDGE:
                end = "lower" if place < EDGE else "upper"
                said.append(f"{knob.name} = {number(value)} is at the {end} edge of {number(low)} to {number(high)}")
        return said

    def optimism(self) -> float | None:
        """How much better the search looks from inside than from outside; positive flatters."""
        if self.inside is None or self.outside is None:
            return None
        return (self.inside - self.outside) * (1 if self.metric.higher_is_better else -1)

    def sentence(self) -> str:
        """What was chosen, what it brought, and how much the search flatters."""
        done = sum(t.state in ("complete", "pruned", "failed") for t in self.trials)
        ended = sum(t.state == "pruned" for t in self.trials)
        first = self.trials[0].value if self.trials else None
        best = best_of(list(self.trials), self.metric)
        if best.value is None:
            chosen = f"{self.title}: none of {done} settings could be scored on rows inside, so it stays as it was set"
        elif not best.parameters:
            chosen = f"{self.title}: of {done} settings none beat those that it had"
        else:
            listed = several([f"{k} = {_said(v)}" for k, v in best.parameters.items()], 9)
            chosen = f"{self.title}: the best of {done} settings is {listed}"
            if first is not None and best.value is not None:
                chosen += f" ({self.metric.title} {number(best.value)} inside it, {number(first)} as it was set)"
        said = [chosen + (f"; of these, {ended} ended early." if ended else ".")]
        flatters = self.optimism()
        if flatters is not None:
            said.append(f"Inside, the searches of the folds saw {number(self.inside)}; on rows outside the search it "
                        f"scores {number(self.outside)}, {'worse' if flatters > 0 else 'better'} by "
                        f"{number(abs(flatters), 2)}.")  # fmt: skip
        if self.search.method == "gp" and not gaussian_process():
            said.append("The Gaussian process needs torch, which is not installed; TPE was used.")
        return " ".join([*said, *(f"{e}; better values may lie beyond." for e in self.edges())])

    def importance(self) -> Importance:
        """Which parameters mattered. Raises NotApplicable for too few trials."""
        import optuna

        from mlcore.compare.tune import _distribution, _remember

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(direction="maximize" if self.metric.higher_is_better else "minimize")
        space = {k.name: _distribution(k) for k in self.knobs}
        for trial in self.trials:
            _remember(study, trial, space)
        values = [t.value for t in study.trials if t.value is not None]
        if len(values) < 5 or len(set(values)) < 2:
            raise NotApplicable(
                f"Which parameter matters needs at least 5 complete trials of different score; there are {len(values)}."
            )
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        return Importance(self.title, tuple((k, float(v)) for k, v in found.items()), len(values))

    def lines(self) -> TrialLines:
        """All complete trials as lines through their values."""
        return TrialLines(self)


def _said(value: Any) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Importance(Result):
    """How much of the spread of scores each parameter accounts for."""

    title: str
    shares: tuple[tuple[str, float], ...]
    n: int

    help: ClassVar[Help] = Help(
        "Share of the spread of the trials' scores that a parameter accounts for by itself (functional ANOVA, Hutter, "
        "Hoos and Leyton-Brown, 2014).",
        "A parameter near 0 can be left alone; the largest is worth a closer look.",
        "Few trials; a search that looks mostly near the best sees little of the rest.",
        "Draw the curve of the most important parameter.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a parameter."""
        return pd.DataFrame(self.shares, columns=["parameter", "share"])

    def sentence(self) -> str:
        """Name the first."""
        name, part = self.shares[0]
        return f"{self.title}: {name} accounts for {round(100 * part)} % of the spread over {self.n} trials."


@dataclass(frozen=True)
class TrialLines(Result):
    """The trials of a search as lines through the values of its parameters, coloured by score."""

    tuning: Tuning

    help: ClassVar[Help] = Help(
        "Each line is a setting: it crosses each axis at its value, and is the darker the better it scored.",
        "Where dark lines run together, that value matters.",
        "A search looks mostly where it did well, so that dark lines gather there anyway.",
        "Where dark lines reach an edge, widen the range.",
    )

    def frame(self) -> pd.DataFrame:
        """The complete trials."""
        frame = self.tuning.frame()
        return frame[frame["state"] == "complete"].reset_index(drop=True)

    def sentence(self) -> str:
        """Say how many there are."""
        return f"{len(self.frame())} settings of {self.tuning.title} that were scored on all inner folds."


def searching(run: Run) -> list[tuple[str, str, int, int]]:
    """How far the searches of a run are: model, title, settings tried, and how many there will be over all folds."""
    started = next((e for e in run.events() if e["event"] == "started"), None)
    found = []
    for candidate in run.experiment.candidates:
        if candidate.search is not None and started is not None:
            places = (run.path / "search" / candidate.model).glob("*.jsonl")
            done = sum(len(read_trace(p)) for p in places)
            found.append(
                (candidate.model, candidate.title, done, (started["folds"] + 1) * (candidate.search.trials + 1))
            )
    return found


def tuning(run: Run, model: str) -> Tuning:
    """Read the search of a candidate. Raises BadChoice, NotFound when it was not searched."""
    candidate = run.experiment.candidate(model)
    if candidate.search is None or candidate.row is None:
        raise NotFound(f"{candidate.title or model} was not searched in this run. Compare again with --tune {model}.")
    row, task = run.experiment.protocol.metric_for(run.experiment.recipe.task), run.experiment.recipe.task
    places = {p.stem: p for p in sorted((run.path / "search" / model).glob("*.jsonl"))}
    if not places:
        raise NotFound(f"The search of {candidate.title} has not begun.")
    shown = read_trace(places.get("final") or places[min(places)])
    told = {key: read_trace(p) for key, p in places.items() if key != "final"}
    inside = [best_of(t, row).value for t in told.values() if t]
    board = next((r for r in run.board().rows if r.model == model), None)
    knobs = candidate.space(task)
    best = best_of(shown, row).parameters if shown else {}
    whole = bool(inside) and None not in inside and board is not None and board.score is not None
    mean = float(np.mean([v for v in inside if v is not None])) if whole else None
    return Tuning(model, candidate.title, row, candidate.search, knobs, tuple(shown), best, mean,
                  board.score if board is not None and whole else None)  # fmt: skip
