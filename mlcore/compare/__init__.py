"""Comparing models: from choices to a run.

compare(data, target="churned", models=["logistic", "xgboost"], seed=0)
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mlcore import models as catalogue
from mlcore.compare.experiment import Candidate, Experiment
from mlcore.compare.run import Run, launch, write_run
from mlcore.dataset import Dataset
from mlcore.errors import BadChoice, BadInput
from mlcore.features.recipe import Recipe
from mlcore.metrics import Task
from mlcore.protocol import Protocol, SplitKind
from mlcore.target import task_of
from mlcore.workspace import Workspace

__all__ = ["Candidate", "Experiment", "Options", "Run", "compare", "plan_experiment"]


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

    @classmethod
    def of(cls, given: dict[str, Any]) -> Options:
        """Take keywords. Raises BadChoice for an option that does not exist."""
        known = [f.name for f in fields(cls)]
        for name in given:
            if name not in known:
                raise BadChoice.of("option of compare", name, known)
        return cls(**given)

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
        )

    def candidates(self, task: Task) -> list[Candidate]:
        """The models asked for, or those of the preset that can do the task."""
        if self.models is not None:
            return [m if isinstance(m, Candidate) else Candidate.named(m, task) for m in self.models]
        if self.preset not in catalogue.PRESETS:
            raise BadChoice.of("preset", self.preset, catalogue.PRESETS)
        able = [m.name for m in catalogue.for_task(task)]
        return [Candidate.named(n, task) for n in catalogue.PRESETS[self.preset] if n in able]


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


def begin(data: Dataset, experiment: Experiment, folder: Path, start: Callable[[Run], Run]) -> Run:
    """Check the data, write the run's folder and start its process."""
    from mlcore.alerts import find

    found = [
        a.to_json() for a in find(data.with_schema(experiment.schema), experiment.recipe.target, experiment.recipe.task)
    ]
    return start(write_run(folder, experiment, data, found))


def _modules(experiment: Experiment) -> tuple[str, ...]:
    """Modules that define the parts of a person's own estimators, beyond the libraries that are known."""
    from mlcore.compare.storage import TRUSTED

    found = set()
    for estimator in (c.estimator for c in experiment.candidates if c.estimator is not None):
        for part in (estimator, *estimator.get_params(deep=True).values()):
            name = type(part).__module__
            if hasattr(part, "get_params") and not name.startswith(TRUSTED):
                found.add(name)
    return tuple(sorted(found))


def compare(
    data: Dataset,
    target: str,
    *,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    workspace: Workspace | None = None,
    **options: Any,
) -> Run:
    """Compare models and return the finished run.

    `options` are those of the command line (see Options): models, preset, metric, folds, repeats, split, group, time,
    holdout, recipe, ignore, time_limit, jobs, seed, run. `on_event` is called with each event while it runs.
    Raises BadInput for choices that cannot be, RunFailed when the run ended without a leaderboard.
    """
    chosen = Options.of(options)
    if chosen.jobs is not None and not 1 <= chosen.jobs <= 1024:
        raise BadInput(f"There must be 1 to 1,024 jobs; {chosen.jobs} was given.")
    if chosen.open_holdout and not chosen.holdout:
        raise BadInput("A holdout of 0 keeps no rows, so there is nothing to open. Leave out one of the two options.")
    data, experiment = plan_experiment(data, target, chosen)
    folder = Path(chosen.run) if chosen.run is not None else (workspace or Workspace()).new_run(data.name)
    if folder.exists() and (not folder.is_dir() or (chosen.run is not None and any(folder.iterdir()))):
        raise BadInput(f"{folder} is there already and is not empty. Give a folder that does not exist yet.")
    run = begin(data, experiment, folder, lambda r: launch(r, chosen.jobs, _modules(experiment)))
    try:
        run.wait(on_event)
    except KeyboardInterrupt:
        run.cancel()
        raise
    if chosen.open_holdout:
        from mlcore.evaluate import open_holdout

        open_holdout(run, [run.best()])
    return run


class _Callable(types.ModuleType):
    """`mlcore.compare` is this package and, as the design has it, also the function of the same name."""

    def __call__(self, data: Dataset, target: str, **options: Any) -> Run:
        return compare(data, target, **options)


sys.modules[__name__].__class__ = _Callable
