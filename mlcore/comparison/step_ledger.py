"""Whether the steps of a recipe help: the recipe against itself without each step, on the same folds."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.comparison.run_comparison import Change, compare_runs
from mlcore.data.workspace import Workspace
from mlcore.errors import BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.experiment.experiment import Experiment
from mlcore.features.recipe import Recipe
from mlcore.features.steps.base import Step
from mlcore.result import Help, Result
from mlcore.runs.folder import UNFINISHED, RunFolder
from mlcore.validation import statistics
from mlcore.validation.metrics import Metric, Task
from mlcore.wording import number, plus_minus, several

# A quick linear and a quick tree model: a step may help the one and not the other.
MODELS: dict[Task, tuple[str, str]] = {
    "binary": ("logistic", "hist_gradient_boosting"),
    "multiclass": ("logistic", "hist_gradient_boosting"),
    "regression": ("ridge", "hist_gradient_boosting"),
}


def without_each_step(experiment: Experiment) -> list[tuple[str, Experiment]]:
    """The experiment with its recipe, then without each of its steps. Raises BadInput for a recipe without steps."""
    recipe = experiment.recipe
    if not recipe.steps:
        raise BadInput("The recipe has no steps, so there is nothing to measure. Add a step first.")
    models = MODELS[recipe.task]
    candidates = (
        *(c for c in experiment.candidates if c.is_baseline),
        *(Candidate.named(name, recipe.task) for name in models),
    )
    whole = replace(experiment, candidates=candidates, protocol=replace(experiment.protocol, race=False))
    named = [(_name(i, experiment), recipe.with_steps(_without(recipe.steps, i))) for i in range(len(recipe.steps))]
    return [("", whole), *((name, replace(whole, recipe=other)) for name, other in named)]


def begin_ledger(
    experiment: Experiment, workspace: Workspace, start: Callable[[Experiment, Path], object]
) -> list[tuple[str, Path]]:
    """Start the comparisons of a ledger, that of the whole recipe first; one that was made before is not made again.

    `start` begins a comparison in a folder. Raises BadInput.
    """
    begun = []
    for name, other in without_each_step(experiment):
        folder = workspace.measured(other.digest)
        known = (folder / "experiment.json").exists()
        if not known or RunFolder(folder).progress().state in UNFINISHED:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            start(other, folder)
        begun.append((name, folder))
    return begun


def is_ledger_of(recipe: Recipe, whole: RunFolder) -> bool:
    """Whether a ledger's first run has the steps and the target of a recipe; a run names its positive class."""
    known = whole.experiment.recipe
    return (known.target, known.task, known.steps) == (recipe.target, recipe.task, recipe.active().steps)


def _without(steps: Sequence[Step], place: int) -> list[Step]:
    return [s for i, s in enumerate(steps) if i != place]


def _name(place: int, experiment: Experiment) -> str:
    step = experiment.recipe.steps[place]
    columns = "" if isinstance(step.columns, str) else f" ({several(list(step.columns))})"
    return f"{place + 1} {step.title}{columns}"


@dataclass(frozen=True, kw_only=True)
class StepLedger(Result):
    """What each step of a recipe brings to a linear and to a tree model.

    `changes` are the paired differences by step, with the step minus without it; `missing` says of a step why its
    difference could not be measured.

    >>> StepLedger(metric=mlcore.METRICS[0], changes=(), missing=()).sentence()
    'No step could be measured.'
    """

    metric: Metric
    changes: tuple[tuple[str, Change], ...]
    missing: tuple[tuple[str, str], ...]

    help: ClassVar[Help] = Help(
        "The recipe was compared with itself without each step, on the same folds, with a linear model and boosted "
        "trees. Scores are paired fold by fold.",
        "A difference whose interval clears 0 is measurable. Differences are those of the ranking metric, positive is "
        "better with the step.",
        "Many steps, many comparisons: significance is adjusted for their number (Holm). Two steps that do the same "
        "each look useless, because the other one stays.",
        "Take out what brings nothing: a shorter recipe is easier to explain. Then measure again.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per step and model: the scores without and with it, the difference and its interval."""
        rows = [
            {
                "step": step,
                "model": c.model,
                "title": c.title,
                "without": c.before,
                "with": c.after,
                "better by": c.difference.mean,
                "low": c.difference.low,
                "high": c.difference.high,
                "p": c.difference.p,
                "verdict": self._verdict(i),
            }
            for i, (step, c) in enumerate(self.changes)
        ]
        return pd.DataFrame(
            rows, columns=["step", "model", "title", "without", "with", "better by", "low", "high", "p", "verdict"]
        )

    def _significant(self) -> list[bool]:
        p = [1.0 if np.isnan(c.difference.p) else c.difference.p for _, c in self.changes]
        return [adjusted < statistics.ALPHA for adjusted in statistics.holm(p)]

    def _verdict(self, place: int) -> str:
        if not self._significant()[place]:
            return "no measurable difference"
        return "helps" if self.changes[place][1].difference.mean > 0 else "harms"

    def sentence(self) -> str:
        """Which steps help or harm, and by how much."""
        if not self.changes:
            return "No step could be measured."
        known = [(step, c) for (step, c), sure in zip(self.changes, self._significant(), strict=True) if sure]
        if not known:
            return f"No step makes a measurable difference to {self.metric.title}."
        parts = [
            f"{step} {'helps' if c.difference.mean > 0 else 'harms'} {c.title} by "
            f"{plus_minus(abs(c.difference.mean), (c.difference.low, c.difference.high))}"
            if c.difference.mean > 0
            else f"{step} harms {c.title} by {number(abs(c.difference.mean))}"
            for step, c in known
        ]
        steps = len({step for step, _ in self.changes})
        rest = steps - len({step for step, _ in known})
        return f"{'; '.join(parts)} ({self.metric.title}). " + (
            f"The other {rest} of {steps} steps make no measurable difference." if rest else ""
        )


def step_ledger_of(runs: Sequence[tuple[str, RunFolder]]) -> StepLedger:
    """The ledger of finished runs, that of the whole recipe first. Raises NotApplicable where splits differ."""
    (_, whole), *others = runs
    changes: list[tuple[str, Change]] = []
    missing: list[tuple[str, str]] = []
    for step, run in others:
        known = compare_runs(run, whole).changes
        changes += [(step, change) for change in known]
        if len(known) < len(MODELS[whole.experiment.recipe.task]):
            missing.append((step, "a model failed with or without it"))
    metric = whole.experiment.protocol.metric_for(whole.experiment.recipe.task)
    return StepLedger(metric=metric, changes=tuple(changes), missing=tuple(missing))
