"""Searching a candidate's hyperparameters inside the training rows of a fold, through Optuna's ask and tell.

Each trial is a line of a file, so that a search can be watched, and resumed where it was interrupted: the sampler is
seeded anew for each trial, so that the next trial depends on the seed and on the trials so far alone.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from mlcore.data.former_names import with_current_names
from mlcore.data.workspace import drop_partial_line, read_json_lines
from mlcore.errors import NotApplicable
from mlcore.experiment.candidate import Candidate
from mlcore.experiment.search import Search
from mlcore.models.parameters import Parameter
from mlcore.result import Array
from mlcore.validation.metrics import Metric, Task

# Scores parameters on an inner fold, given (train, test) positions: on its test rows and on its training rows, or None
# where the metric is undefined.
Score = Callable[[dict[str, Any], Array, Array], tuple[float | None, float | None]]
DEFAULTS = "defaults"  # the state of the trial of a model's own defaults, which always comes first
MOST_POINTS = 100_000  # of a grid
STATES = {"complete": "COMPLETE", "pruned": "PRUNED"}


@dataclass(frozen=True)
class Trial:
    """One setting that was tried: its scores on the inner folds, and on their training rows."""

    number: int
    parameters: dict[str, Any]
    scores: tuple[float, ...]
    train_scores: tuple[float, ...]
    state: str  # defaults, complete, pruned (ended early), failed
    seconds: float

    @property
    def value(self) -> float | None:
        """The mean score; None unless all inner folds were scored."""
        whole = self.state in (DEFAULTS, "complete") and self.scores
        return float(np.mean(self.scores)) if whole else None


@dataclass(frozen=True)
class Problem:
    """What is searched: a candidate with its search, the metric to optimise, the task and the seed."""

    candidate: Candidate
    metric: Metric
    task: Task
    seed: int


def read_trials(path: Path) -> list[Trial]:
    """The trials so far."""
    rows = [with_current_names("trial", row) for row in read_json_lines(path)]
    return [Trial(**{**r, "scores": tuple(r["scores"]), "train_scores": tuple(r["train_scores"])}) for r in rows]


def search(path: Path, problem: Problem, folds: list[tuple[Array, Array]], score: Score) -> dict[str, Any]:
    """Find the best parameters; return those that differ from the candidate's own. Appends each trial to `path`.

    The model's own parameters are tried first, so that a search never chooses worse ones by its own measure.
    Raises NotApplicable where there are too few rows for inner folds.
    """
    import optuna

    candidate, spec = problem.candidate, problem.candidate.search
    assert spec is not None
    if not folds:
        raise NotApplicable("There are too few rows to search parameters inside the training rows.")
    parameters = candidate.space(problem.task)
    trials = read_trials(path)
    drop_partial_line(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    study = new_study(problem.metric)
    space = {p.name: distribution(p) for p in parameters}
    for trial in trials:
        add_to_study(study, trial, space)
    start = time.monotonic() - sum(t.seconds for t in trials)
    with path.open("a", encoding="utf-8") as file:
        attempt = _Attempt(folds, score, file)
        if not trials:
            trials.append(attempt.run(_NeverPruned(), 0, {}))
            add_to_study(study, trials[0], space)
        planned = dict(enumerate(_points(spec, parameters, problem.seed), start=1))
        for number in range(len(trials), spec.trials + 1):
            late = spec.seconds and time.monotonic() - start > spec.seconds
            if late or (planned and number not in planned):
                break
            if planned:
                study.enqueue_trial(planned[number])
            study.sampler = _sampler(spec, problem.seed + 7919 * number)
            asked = study.ask(space)
            trial = attempt.run(asked, number, dict(asked.params))
            trials.append(trial)
            study.tell(asked, trial.value, state=optuna.trial.TrialState[STATES.get(trial.state, "FAIL")])
    return best_trial(trials, problem.metric).parameters


def new_study(metric: Metric) -> Any:
    """An empty Optuna study that optimises a metric and prints nothing."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        direction="maximize" if metric.higher_is_better else "minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
    )


def best_trial(trials: list[Trial], metric: Metric) -> Trial:
    """The best trial, the earlier of equals; the defaults when none has a score."""
    scored = [t for t in trials if t.value is not None]
    return max(scored, key=lambda t: (metric.sign * (t.value or 0.0), -t.number)) if scored else trials[0]


class _NeverPruned:
    """A trial that is not ended early."""

    def report(self, value: float, step: int) -> None:
        """Ignore the value."""

    def should_prune(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True)
class _Attempt:
    """Scores one setting on all inner folds and writes it down."""

    folds: list[tuple[Array, Array]]
    score: Score
    file: TextIO

    def run(self, asked: Any, number: int, parameters: dict[str, Any]) -> Trial:
        """Score one setting, fold by fold, ending early when it falls behind."""
        start, state = time.monotonic(), "complete" if number else DEFAULTS
        scores: list[float] = []
        train_scores: list[float] = []
        for step, (train, test) in enumerate(self.folds):
            try:
                score, train_score = self.score(parameters, train, test)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError):  # values that do not go together
                score, train_score = None, None
            if score is None:
                state = "failed"
                break
            scores.append(score)
            train_scores.append(train_score if train_score is not None else float("nan"))
            asked.report(float(np.mean(scores)), step)
            if step < len(self.folds) - 1 and asked.should_prune():
                state = "pruned"
                break
        seconds = round(time.monotonic() - start, 4)
        trial = Trial(number, parameters, tuple(scores), tuple(train_scores), state, seconds)
        self.file.write(json.dumps(asdict(trial)) + "\n")
        self.file.flush()
        return trial


def add_to_study(study: Any, trial: Trial, space: dict[str, Any]) -> None:
    """Add an earlier trial to an Optuna study; one of other parameters is left out."""
    import optuna

    if set(trial.parameters) == set(space):
        means = {i: float(np.mean(trial.scores[: i + 1])) for i in range(len(trial.scores))}
        study.add_trial(
            optuna.trial.create_trial(
                params=trial.parameters,
                distributions=space,
                value=trial.value,
                state=optuna.trial.TrialState[STATES.get(trial.state, "FAIL")],
                intermediate_values=means,
            )
        )


def distribution(parameter: Parameter) -> Any:
    """The Optuna distribution of a hyperparameter."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.choices:
        return CategoricalDistribution(parameter.choices)
    assert parameter.search is not None
    low, high = parameter.search
    if parameter.whole:
        return IntDistribution(int(low), int(high), log=parameter.log)
    return FloatDistribution(low, high, log=parameter.log)


def _points(spec: Search, parameters: tuple[Parameter, ...], seed: int) -> Iterator[dict[str, Any]]:
    """The settings of searches that are planned beforehand; none for those that learn as they go."""
    if spec.method == "grid":
        each = max(2, int(spec.trials ** (1 / len(parameters)) + 1e-9))
        grid = list(itertools.islice(itertools.product(*(p.grid(each) for p in parameters)), MOST_POINTS))
        kept = list(range(len(grid)))
        if len(grid) > spec.trials:  # too many for the budget: a seeded sample of the whole grid
            kept = sorted(np.random.default_rng(seed).permutation(len(grid))[: spec.trials].tolist())
        for i in kept:
            yield {p.name: v for p, v in zip(parameters, grid[i], strict=True)}
    elif spec.method == "sobol":
        from scipy.stats import qmc

        for point in qmc.Sobol(len(parameters), rng=seed).random(spec.trials):
            yield {p.name: _value_at(p, float(u)) for p, u in zip(parameters, point, strict=True)}


def _value_at(parameter: Parameter, fraction: float) -> Any:
    """The value of a hyperparameter at a fraction of its range."""
    values = parameter.grid(1001)
    return values[min(int(fraction * len(values)), len(values) - 1)]


def has_gaussian_process() -> bool:
    """Whether Optuna's Gaussian process sampler can be used: it needs torch."""
    return importlib.util.find_spec("torch") is not None


def _sampler(spec: Search, seed: int) -> Any:
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if spec.method == "gp" and has_gaussian_process():
            return optuna.samplers.GPSampler(seed=seed % 2**32)
        if spec.method in ("tpe", "gp"):
            return optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=6, multivariate=True)
        return optuna.samplers.RandomSampler(seed=seed % 2**32)
