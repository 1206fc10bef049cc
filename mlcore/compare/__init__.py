"""Comparing models: from choices to a run.

compare(data, target="churned", models=["logistic", "xgboost"], seed=0)
"""

from __future__ import annotations

import atexit
import contextlib
import json
import sys
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mlcore import models as catalogue
from mlcore.compare.beside import Stress
from mlcore.compare.experiment import Candidate, Experiment
from mlcore.compare.run import Run, Standby, carry_over, launch, write_run
from mlcore.compare.search import Search
from mlcore.dataset import Dataset
from mlcore.errors import BadChoice, BadInput, HoldoutError
from mlcore.features.recipe import Recipe
from mlcore.metrics import Task
from mlcore.protocol import Protocol, SplitKind
from mlcore.rules import Rule
from mlcore.target import task_of
from mlcore.workspace import Workspace, write_whole

__all__ = ["Candidate", "Experiment", "Options", "Rule", "Run", "Search", "compare", "plan_experiment", "stress",
           "warm"]  # fmt: skip


@dataclass(frozen=True)
class Options:
    """The options of `holdout compare`, with the same names and meanings."""

    task: str = "auto"
    models: Sequence[str | Candidate] | None = None
    preset: str = "standard"
    metric: str = "auto"
    folds: int = 5
    repeats: int | None = None
    split: SplitKind = "auto"
    group: str | None = None
    time: str | None = None
    holdout: float = 0.2
    recipe: Recipe | dict[str, Any] | None = None
    ignore: Sequence[str] = ()
    time_limit: float = 600.0
    jobs: int | None = None
    seed: int = 0
    run: str | Path | None = None
    open_holdout: bool = False
    race: bool = False
    fast: bool = False
    validation: float = 0.1
    rule: Rule | dict[str, Any] | None = None
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)  # by model
    tune: Sequence[str] | str = ()  # models whose parameters are searched, or "all"
    search: Search | None = None  # how; the default is 20 trials of the Bayesian search

    @classmethod
    def of(cls, given: dict[str, Any]) -> Options:
        """Take keywords. Raises BadChoice for an option that does not exist."""
        known = [f.name for f in fields(cls)]
        for name in given:
            if name not in known:
                raise BadChoice.of("option of compare", name, known)
        found = cls(**given)
        names = (found.tune,) if isinstance(found.tune, str) and found.tune not in ("", "all") else found.tune
        return replace(found, tune=names)

    def protocol(self) -> Protocol:
        """The part that says how models are judged."""
        return Protocol(
            self.holdout,
            self.folds,
            self.repeats,
            self.split,
            self.group,
            self.time,
            self.metric,
            self.seed,
            self.time_limit,
            self.validation,
            self.race,
            self.fast,
        )

    def candidates(self, task: Task) -> list[Candidate]:
        """The models asked for, or those of the preset that can do the task."""
        preset = catalogue.of_preset(self.preset, task)
        wanted: Sequence[str | Candidate] = preset if self.models is None else self.models
        self._check_names([m for m in wanted if isinstance(m, str) and not (m == "rule" and self.rule is not None)])
        found = [m if isinstance(m, Candidate) else Candidate.named(m, task, **self.parameters.get(m, {}))
                 for m in wanted]  # fmt: skip
        if self.rule is not None:
            found = [Candidate.ruled(self.rule), *(c for c in found if c.model != "rule")]
        return [self._tuned(c, task) for c in found] if self.tune else found

    def _check_names(self, names: list[str]) -> None:
        """Raise BadInput for what is said of models that are not among the `names`, or of nobody."""
        for name in (*self.parameters, *(self.tune if self.tune != "all" else ())):
            if name not in names:
                raise BadChoice.of("model of the catalogue in this comparison", name, sorted(names))
        if self.search is not None and not self.tune:
            raise BadInput("A search is described, but no model is to be searched. Name some with tune, or say all.")
        if self.search is not None and self.tune == "all" and self.search.knobs:
            raise BadInput("Parameters can be named for the search of one model, not of all.")

    def _tuned(self, candidate: Candidate, task: Task) -> Candidate:
        """The candidate with a search, if it is among those to be tuned."""
        search = self.search or Search()
        if self.tune == "all":
            found = replace(candidate, search=replace(search.checked(), knobs=()))
            return found if found.space(task) else candidate
        return candidate.tuned(search, task) if candidate.model in self.tune else candidate


def plan_experiment(data: Dataset, target: str, options: Options) -> tuple[Dataset, Experiment]:
    """Settle all choices; return the dataset with its roles and the experiment. Raises BadInput."""
    schema = data.schema.with_target(target).ignoring(options.ignore)
    data = data.with_schema(schema)
    recipe = options.recipe
    if isinstance(recipe, dict):
        task = task_of(schema[target], recipe.get("task", options.task))
        recipe = Recipe.from_json({**recipe, "target": target, "task": task})
    elif recipe is None:
        recipe = Recipe(target, task_of(schema[target], options.task))
    elif recipe.target != target:
        raise BadInput(f"The recipe predicts {recipe.target!r}, but the target given is {target!r}.")
    return data, Experiment.plan(data, recipe, options.protocol(), options.candidates(recipe.task))


def fast_is_possible() -> bool:
    """Whether scikit-learn-intelex is installed."""
    import importlib.util

    return importlib.util.find_spec("sklearnex") is not None


def check_fast(experiment: Experiment) -> None:
    """Raise BadInput when the faster library is asked for and is not there."""
    if experiment.protocol.fast and not fast_is_possible():
        raise BadInput(
            "The fast option needs scikit-learn-intelex, which is not installed. Run `pip install 'holdout[fast]'`, or "
            "compare without it."
        )


def begin(
    data: Dataset, experiment: Experiment, folder: Path, start: Callable[[Run], Run], like: Run | None = None
) -> Run:
    """Write the run's folder, start its process, and check the data; what is equal in `like` is not done again."""
    check_fast(experiment)
    from mlcore.alerts import find

    run = write_run(folder, experiment, data)
    if like is not None:
        carry_over(like, run)
    run = start(run)  # the data are checked while its process starts
    found = find(data.with_schema(experiment.schema), experiment.recipe.target, experiment.recipe.task)
    write_whole(run.path / "alerts.json", json.dumps([a.to_json() for a in found]))
    return run


def compare(
    data: Dataset,
    target: str,
    *,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    workspace: Workspace | None = None,
    **options: Any,
) -> Run:
    """Compare models and return the run once its leaderboard is whole.

    The models are then fitted on all training rows in the background: `run.model(name)` waits for the one asked for,
    `run.wait()` for all, and Python does not end before they are done.
    `options` are those of the command line (see Options): models, preset, metric, folds, repeats, split, group, time,
    holdout, recipe, ignore, time_limit, jobs, seed, run. `on_event` is called with each event until then.
    Raises BadInput for choices that cannot be, RunFailed when the run ended without a leaderboard.
    """
    chosen = Options.of(options)
    if chosen.jobs is not None and not 1 <= chosen.jobs <= 1024:
        raise BadInput(f"There must be 1 to 1,024 jobs; {chosen.jobs} was given.")
    if chosen.open_holdout and not chosen.holdout:
        raise BadInput("A holdout of 0 keeps no rows, so there is nothing to open. Leave out one of the two options.")
    data, experiment = plan_experiment(data, target, chosen)
    folder = Path(chosen.run) if chosen.run is not None else (workspace or Workspace()).new_run(data.name)
    run = begin(data, experiment, folder, lambda r: _standby.launch(r, chosen.jobs))
    try:
        run.wait(on_event, board=True)
    except KeyboardInterrupt:
        run.cancel()
        raise
    _unfinished.append(run)
    if chosen.open_holdout:
        from mlcore.evaluate import open_holdout

        open_holdout(run, [run.best()])
    return run


_standby = Standby()


def warm() -> None:
    """Start the process of the next comparison, which imports what it needs while the data are being read."""
    _standby.warm()


_unfinished: list[Run] = []  # runs whose models may still be being fitted
PATIENCE = 2.0  # seconds that a program waits at its end without a word


@atexit.register
def _let_finish() -> None:
    """Wait for the models of the runs of this process: a machine that ends with it would end them as well."""
    patient = time.monotonic() + PATIENCE
    for run in _unfinished:
        with contextlib.suppress(HoldoutError, OSError, KeyboardInterrupt):
            while run.progress().live:
                if time.monotonic() > patient:
                    print(f"Still fitting the models of {run.path.name}; Ctrl+C leaves it to itself.", file=sys.stderr)
                    patient = float("inf")
                time.sleep(0.05)


def leave(run: Run) -> None:
    """Do not wait for a run's models when Python ends."""
    _unfinished[:] = [r for r in _unfinished if r != run]


def stress(data: Dataset, target: str, *, workspace: Workspace | None = None, **options: Any) -> Stress:
    """Compare the same models under a random split and under splits by group and by time, as columns allow.

    `options` are those of `compare`; `group` and `time` name the columns. Raises BadInput when there is no other split.
    """
    from mlcore.compare.beside import other_splits, stress_of

    for name in ("run", "split", "tune", "open_holdout"):
        if name in options:
            raise BadInput(f"A stress test sets {name!r} itself; leave it out.")
    chosen = Options.of(options)
    data, experiment = plan_experiment(data, target, chosen)
    runs = []
    for kind, other in other_splits(experiment):
        folder = (workspace or Workspace()).new_run(data.name)
        runs.append((kind, begin(data, other, folder, lambda r: launch(r, chosen.jobs)).wait()))
    return stress_of(list(runs))


class _Callable(types.ModuleType):
    """`mlcore.compare` is this package and, as the design has it, also the function of the same name."""

    def __call__(self, data: Dataset, target: str, **options: Any) -> Run:
        return compare(data, target, **options)


sys.modules[__name__].__class__ = _Callable
