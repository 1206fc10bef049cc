"""Searching a candidate's parameters inside the training rows of a fold, through Optuna's ask and tell.

Each trial is a line of a trace on disk, so that it can be watched, and taken up again where it broke off: the sampler
is seeded anew for each trial, so that what comes next depends on the seed and on the trials so far alone.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlcore.compare.experiment import Candidate
from mlcore.compare.search import Search
from mlcore.errors import NotApplicable
from mlcore.metrics import Metric, Task
from mlcore.models import Knob
from mlcore.result import Array
from mlcore.workspace import without_half_a_line

Judge = Callable[[dict[str, Any], Array, Array], tuple[float | None, float | None]]
DEFAULTS = "defaults"  # the state of the trial of a model's own defaults, which is always made first


MOST_POINTS = 100_000  # of a grid
STATES = {"complete": "COMPLETE", "pruned": "PRUNED"}


@dataclass(frozen=True)
class Trial:
    """One setting that was tried: its scores on the inner folds, and on the rows it learned from."""

    number: int
    parameters: dict[str, Any]
    scores: tuple[float, ...]
    seen: tuple[float, ...]
    state: str  # defaults, complete, pruned (ended early), failed
    seconds: float

    @property
    def value(self) -> float | None:
        """The mean score; None unless all inner folds were scored."""
        whole = self.state in (DEFAULTS, "complete") and self.scores
        return float(np.mean(self.scores)) if whole else None


def trace_file(folder: Path, model: str, key: str) -> Path:
    """Where the trials of a search lie."""
    return folder / "search" / model / f"{key}.jsonl"


def read_trace(place: Path) -> list[Trial]:
    """The trials so far; a line that is still being written is left out."""
    try:
        lines = place.read_text("utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    rows = [json.loads(line) for line in lines if line.endswith("\n")]
    return [Trial(**{**r, "scores": tuple(r["scores"]), "seen": tuple(r["seen"])}) for r in rows]


def search(place: Path, candidate: Candidate, metric: Metric, setting: tuple[Task, int],
           folds: list[tuple[Array, Array]], judge: Judge) -> dict[str, Any]:  # fmt: skip
    """Look for the best parameters; return what differs from the candidate's own. Appends each trial to `place`.

    `setting` is the task and the seed, `judge` scores parameters on an inner fold: (test, training) or None where
    the metric is undefined. The model's own parameters are tried first, so that a search never chooses worse ones
    by its own measure.
    """
    import optuna

    assert candidate.search is not None
    assert candidate.row is not None
    if not folds:
        raise NotApplicable("There are too few rows to search parameters inside the training rows.")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    task, seed = setting
    knobs = candidate.space(task)
    told = read_trace(place)
    without_half_a_line(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(direction="maximize" if metric.higher_is_better else "minimize",
                                pruner=optuna.pruners.MedianPruner(n_startup_trials=5))  # fmt: skip
    space = {k.name: _distribution(k) for k in knobs}
    for trial in told:
        _remember(study, trial, space)
    start = time.monotonic() - sum(t.seconds for t in told)
    with place.open("a", encoding="utf-8") as file:
        if not told:
            told.append(_tried(_Alone(), 0, {}, folds, judge, file))
            _remember(study, told[0], space)
        planned = dict(enumerate(_points(candidate.search, knobs, seed), start=1))
        for number in range(len(told), candidate.search.trials + 1):
            late = candidate.search.seconds and time.monotonic() - start > candidate.search.seconds
            if late or (planned and number not in planned):
                break
            if planned:
                study.enqueue_trial(planned[number])
            study.sampler = _sampler(candidate.search, seed + 7919 * number)
            asked = study.ask(space)
            found = _tried(asked, number, dict(asked.params), folds, judge, file)
            told.append(found)
            study.tell(asked, found.value, state=optuna.trial.TrialState[STATES.get(found.state, "FAIL")])
    return best_of(told, metric).parameters


def best_of(trials: list[Trial], metric: Metric) -> Trial:
    """The best trial, the earlier of equals; the defaults when none has a score."""
    scored = [t for t in trials if t.value is not None]
    sign = 1 if metric.higher_is_better else -1
    return max(scored, key=lambda t: (sign * (t.value or 0.0), -t.number)) if scored else trials[0]


class _Alone:
    """A trial that is not pruned."""

    def report(self, value: float, step: int) -> None:
        """Nobody listens."""

    def should_prune(self) -> bool:
        """Never."""
        return False


def _tried(asked: Any, number: int, parameters: dict[str, Any], folds: list[tuple[Array, Array]], judge: Judge,
           file: Any) -> Trial:  # fmt: skip
    """Score one setting, fold by fold, ending early when it falls behind; write it down."""
    start, scores, seen, state = time.monotonic(), [], [], "complete" if number else DEFAULTS
    for step, (train, test) in enumerate(folds):
        try:
            score, known = judge(parameters, train, test)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):  # values that do not go together
            score, known = None, None
        if score is None:
            state = "failed"
            break
        scores.append(score)
        seen.append(known if known is not None else float("nan"))
        asked.report(float(np.mean(scores)), step)
        if step < len(folds) - 1 and asked.should_prune():
            state = "pruned"
            break
    trial = Trial(number, parameters, tuple(scores), tuple(seen), state, round(time.monotonic() - start, 4))
    file.write(json.dumps(trial.__dict__) + "\n")
    file.flush()
    return trial


def _remember(study: Any, trial: Trial, space: dict[str, Any]) -> None:
    """Tell a study of a trial that was made before; one that lies outside the space cannot be told."""
    import optuna

    if set(trial.parameters) == set(space):
        study.add_trial(optuna.trial.create_trial(
            params=trial.parameters, distributions=space, value=trial.value,
            state=optuna.trial.TrialState[STATES.get(trial.state, "FAIL")],
            intermediate_values={i: float(np.mean(trial.scores[: i + 1])) for i in range(len(trial.scores))},
        ))  # fmt: skip


def _distribution(knob: Knob) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if knob.choices:
        return CategoricalDistribution(knob.choices)
    assert knob.search is not None
    low, high = knob.search
    if knob.whole:
        return IntDistribution(int(low), int(high), log=knob.log)
    return FloatDistribution(low, high, log=knob.log)


def _points(spec: Search, knobs: tuple[Knob, ...], seed: int) -> Iterator[dict[str, Any]]:
    """The settings of searches that are planned beforehand; none for those that learn as they go."""
    if spec.method == "grid":
        each = max(2, int(spec.trials ** (1 / len(knobs)) + 1e-9))
        every = list(itertools.islice(itertools.product(*(k.grid(each) for k in knobs)), MOST_POINTS))
        kept = list(range(len(every)))
        if len(every) > spec.trials:  # too many for the budget: a seeded draw from the whole grid
            kept = sorted(np.random.default_rng(seed).permutation(len(every))[: spec.trials].tolist())
        for place in kept:
            yield {k.name: v for k, v in zip(knobs, every[place], strict=True)}
    elif spec.method == "sobol":
        from scipy.stats import qmc

        for point in qmc.Sobol(len(knobs), rng=seed).random(spec.trials):
            yield {k.name: _at(k, float(share)) for k, share in zip(knobs, point, strict=True)}


def _at(knob: Knob, share: float) -> Any:
    """The value of a knob at a share of its range."""
    values = knob.grid(1001)
    return values[min(int(share * len(values)), len(values) - 1)]


def gaussian_process() -> bool:
    """Whether the Gaussian process can be had: it needs torch."""
    import importlib.util

    return importlib.util.find_spec("torch") is not None


def _sampler(spec: Search, seed: int) -> Any:
    import warnings

    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if spec.method == "gp" and gaussian_process():
            return optuna.samplers.GPSampler(seed=seed % 2**32)
        if spec.method in ("tpe", "gp"):
            return optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=6, multivariate=True)
        return optuna.samplers.RandomSampler(seed=seed % 2**32)
