"""What a person calls from Python: profile a dataset, compare models, stress the split, open a run.

The signature of `compare` is the one definition of its options: the command line takes names, types, defaults and help
from it, and the parts of an experiment take their values.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import sys
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlcore.checks import registry
from mlcore.comparison.split_stress import SplitStressTest, other_splits, split_stress_of
from mlcore.comparison.step_ledger import StepLedger, begin_ledger, step_ledger_of
from mlcore.data.column_stats import column_stats
from mlcore.data.dataset import Column, Dataset
from mlcore.data.workspace import Workspace, write_whole
from mlcore.errors import BadChoice, BadInput, HoldoutError
from mlcore.evaluate.holdout import open_holdout as look_at_holdout
from mlcore.experiment.candidate import Candidate, Choice
from mlcore.experiment.experiment import Experiment
from mlcore.experiment.search import Search
from mlcore.experiment.training import without_holdout
from mlcore.explore.profile import Profile, described
from mlcore.features.preview import check_fits
from mlcore.features.recipe import Recipe
from mlcore.ingest.changes import with_kinds, with_roles, with_some_feature
from mlcore.models.rules import Rule
from mlcore.run import Run
from mlcore.runs.create import carry_over, write_run
from mlcore.runs.process import Standby, Start, launch
from mlcore.validation.metrics import METRICS, Task
from mlcore.validation.protocol import Protocol, SplitKind
from mlcore.validation.target import other_task, task_of
from mlcore.wording import several

OnEvent = Callable[[dict[str, Any]], None]
PATIENCE = 2.0  # seconds that a program waits at its end without a message


def profile(  # noqa: PLR0913 - every option is a keyword that editors know
    data: Dataset,
    target: str | None = None,
    task: str = "auto",
    *,
    roles: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    protocol: Protocol | None = None,
    workspace: Workspace | None = None,
) -> Profile:
    """Profile a dataset: statistics of each column, and alerts about what will mislead a model.

    Parameters
    ----------
    data
        A dataset, from `read`.
    target
        The column to predict. With it, alerts also look at what leaks it.
    task
        auto, binary, multiclass or regression.
    roles, kinds
        As for `compare`.
    protocol
        How rows will be held out: what looks at the target does not look at these. The default protocol if not given.
    workspace
        Where a table with changed kinds is kept; $HOLDOUT_HOME/local by default.

    Returns
    -------
    Profile
        `.frame()` has one row per column, `.alerts` the alerts, the most severe first.

    Raises
    ------
    NoSuchColumn, BadTarget, BadChoice
        For a target that is not there or cannot be predicted.

    Examples
    --------
    >>> profile(mlcore.read("sample_data/tea_leaves.csv"), "kind").rows
    360
    """
    data = changed(data, kinds, roles, workspace)
    stats = column_stats(data)
    resolved = None
    training = None
    if target is not None:
        data = data.with_schema(data.schema.with_target(target))
        resolved = task_of(data.schema[target], task)
        training = without_holdout(data, Recipe(target, resolved), protocol or Protocol())
    alerts = registry.find(data, target, resolved, stats, training)
    return Profile(dataset=data, columns=described(data, stats), alerts=tuple(alerts), rows=data.rows)


def compare(  # noqa: PLR0913 - every option is a keyword that editors know
    data: Dataset,
    target: str,
    *,
    task: str = "auto",
    positive: str | None = None,
    models: Sequence[str | Candidate] | None = None,
    preset: str = Choice.preset,
    metric: str = Protocol.metric,
    folds: int = Protocol.folds,
    repeats: int | None = Protocol.repeats,
    split: SplitKind = Protocol.split,
    group: str | None = None,
    time: str | None = None,
    holdout: float = Protocol.holdout,
    validation: float = Protocol.validation,
    recipe: Recipe | dict[str, Any] | None = None,
    ignore: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
    kinds: Mapping[str, str] | None = None,
    parameters: dict[str, dict[str, Any]] | None = None,
    rule: Rule | dict[str, Any] | None = None,
    tune: Sequence[str] | str = (),
    search: Search | None = None,
    race: bool | None = Protocol.race,
    fast: bool = Protocol.fast,
    time_limit: float = Protocol.time_limit,
    jobs: int | None = None,
    seed: int = Protocol.seed,
    run: str | Path | None = None,
    open_holdout: bool = False,
    on_event: OnEvent | None = None,
    workspace: Workspace | None = None,
) -> Run:
    """Compare models by cross-validation, and return the run once its leaderboard is complete.

    The models of the top group are then fitted on all training rows in the background: `run.wait()` waits for them, and
    Python does not end before they are done. `run.model(name)` waits for the one asked for; a model outside the top
    group is fitted when it is first asked for.

    Parameters
    ----------
    data
        A dataset, from `read`.
    target
        The column to predict.
    task
        auto, binary, multiclass or regression.
    positive
        The class of two that precision, recall, F1, average precision and thresholds are about; by default the one
        that names an event, such as yes, fraud or disease, else the rarer.
    models
        Names of models, or candidates; all of the preset by default.
    preset
        quick, standard or thorough: how many models are compared.
    metric
        The metric that ranks, by scikit-learn's name without neg_; auto is ROC AUC, balanced accuracy or RMSE.
    folds
        Number of folds, 2 to 1,000.
    repeats
        How often the folds are drawn anew, 1 to 100; by default three times below 500 rows, twice up to 5,000.
    split
        auto, random, stratified, group, time, leave_one_out or validation.
    group
        The column that says which rows belong together; they stay on one side of a split.
    time
        The column that orders the rows; later rows are predicted from earlier ones.
    holdout
        Fraction of the rows held out and never used while choosing, 0 to 0.9; 0 keeps no holdout.
    validation
        Fraction of the rows to validate on with split "validation", 0.01 to 0.5.
    recipe
        How columns become features, as a Recipe or as plain data.
    ignore
        Columns to leave out.
    roles
        Roles by column: feature, target, group, time, weight or ignore.
    kinds
        Kinds by column: numeric, categorical, boolean, datetime, text, identifier or constant. Texts that do not fit
        become missing.
    parameters
        Hyperparameters by model, such as {"knn": {"n_neighbors": 5}}.
    rule
        Your own rule, to be compared with the models, as a Rule or as plain data.
    tune
        Models whose hyperparameters are searched, or "all"; those in `parameters` stay as they are.
    search
        How they are searched; 20 trials of the Bayesian search by default.
    race
        Stop models that can no longer be in the top group; by default from 30,000 rows. It needs 200 test rows in a
        fold, and then never stops a model that the whole run would show in the top group, as far as measured.
    fast
        Use scikit-learn-intelex, where it is installed.
    time_limit
        Seconds that one model may take, all its folds together.
    jobs
        Number of processes, 1 to 1,024; all cores by default.
    seed
        Seed of everything random, 0 to 4,294,967,295; equal seeds give equal numbers.
    run
        The folder of the run, which must not exist yet; a new one in the workspace by default.
    open_holdout
        Score the best model on the holdout at the end. The look is counted.
    on_event
        Called with each event of the run, a dict, until the leaderboard is complete.
    workspace
        Where runs are kept; $HOLDOUT_HOME/local by default.

    Returns
    -------
    Run
        `.leaderboard()` is a DataFrame with one row per model, best first.

    Raises
    ------
    BadInput
        For choices that are not possible; the message says what is allowed.
    RunFailed
        When the run ended without a leaderboard.

    Examples
    --------
    >>> data = mlcore.read("sample_data/tea_leaves.csv")
    >>> run = mlcore.compare(data, target="kind", models=["logistic", "decision_tree"], folds=3, repeats=1)
    >>> sorted(run.leaderboard()["model"])
    ['decision_tree', 'dummy', 'logistic']
    """
    if jobs is not None and not 1 <= jobs <= 1024:
        raise BadInput(f"There must be 1 to 1,024 jobs; {jobs} was given.")
    if open_holdout and not holdout:
        raise BadInput("A holdout of 0 keeps no rows, so there is nothing to open. Leave out one of the two options.")
    protocol = Protocol(
        holdout=holdout, folds=folds, repeats=repeats, split=split, group=group, time=time, metric=metric, seed=seed,
        time_limit=time_limit, validation=validation, race=race, fast=fast,
    )  # fmt: skip
    choice = Choice(
        models=models, preset=preset, parameters=parameters or {}, rule=rule, tune=tune, search=search
    )  # fmt: skip
    data = changed(data, kinds, roles, workspace)
    aim = Aim(target, task, recipe, ignore, positive)
    data, experiment = plan(data, aim, protocol, choice)
    folder = Path(run) if run is not None else (workspace or Workspace()).new_run(data.name)
    begun = begin(data, experiment, folder, lambda path, _: _workers.standby.launch(path, jobs))
    _workers.watch(begun, on_event)
    if open_holdout:
        look_at_holdout(begun, [begun.best()])
    return begun


def stress_test(  # noqa: PLR0913 - the same
    data: Dataset,
    target: str,
    *,
    group: str | None = None,
    time: str | None = None,
    task: str = "auto",
    models: Sequence[str | Candidate] | None = None,
    preset: str = Choice.preset,
    metric: str = Protocol.metric,
    ignore: Sequence[str] = (),
    seed: int = Protocol.seed,
    jobs: int | None = None,
    workspace: Workspace | None = None,
) -> SplitStressTest:
    """Compare the same models under a random split and under splits by group and by time, as columns allow.

    Parameters
    ----------
    group, time
        The columns that say which rows belong together, and that order them. At least one is needed, here or as the
        role of a column.
    data, target, task, models, preset, metric, ignore, seed, jobs, workspace
        As for `compare`.

    Returns
    -------
    SplitStressTest
        `.sentence()` says how far the best model falls under each other split.

    Raises
    ------
    BadInput
        Where there is only one possible split.

    Examples
    --------
    >>> data = mlcore.read("sample_data/tea_leaves.csv")
    >>> mlcore.stress_test(data, "kind")
    Traceback (most recent call last):
    mlcore.errors.BadInput: A stress test compares a random split with one by group or by time. Give a column ...
    """
    protocol = Protocol(group=group, time=time, metric=metric, seed=seed)
    aim = Aim(target, task, None, ignore)
    data, experiment = plan(data, aim, protocol, Choice(models=models, preset=preset))
    runs = []
    for kind, other in other_splits(experiment):
        folder = (workspace or Workspace()).new_run(data.name)
        runs.append((kind, begin(data, other, folder, lambda path, _: launch(path, jobs)).wait()))
    return split_stress_of(list(runs))


def step_ledger(  # noqa: PLR0913 - the same
    data: Dataset,
    target: str,
    *,
    recipe: Recipe | dict[str, Any],
    task: str = "auto",
    folds: int = Protocol.folds,
    repeats: int | None = None,
    metric: str = Protocol.metric,
    ignore: Sequence[str] = (),
    seed: int = Protocol.seed,
    jobs: int | None = None,
    workspace: Workspace | None = None,
) -> StepLedger:
    """Measure what each step of a recipe brings: the recipe against itself without the step, on the same folds.

    Parameters
    ----------
    recipe
        The steps, as for `compare`. There is one comparison for each step, and one for all of them.
    data, target, task, folds, repeats, metric, ignore, seed, jobs, workspace
        As for `compare`.

    Returns
    -------
    StepLedger
        `.frame()` has the paired difference of each step for a linear model and for boosted trees, with its 95 %
        interval in units of the metric.

    Raises
    ------
    BadInput
        For a recipe without steps, or with one that the data do not allow.

    Examples
    --------
    >>> data = mlcore.read("sample_data/tea_leaves.csv")
    >>> mlcore.step_ledger(data, "kind", recipe={"steps": []})
    Traceback (most recent call last):
    mlcore.errors.BadInput: The recipe has no steps, so there is nothing to measure. Add a step first.
    """
    protocol = Protocol(folds=folds, repeats=repeats, metric=metric, seed=seed)
    data, experiment = plan(data, Aim(target, task, recipe, ignore), protocol, Choice(preset="quick"))
    runs = begin_ledger(
        experiment,
        workspace or Workspace(),
        lambda other, folder: begin(data, other, folder, lambda path, _: launch(path, jobs)).wait(board=True),
    )
    return step_ledger_of([(name, Run(folder).wait(board=True)) for name, folder in runs])


def training_rows(data: Dataset, target: str, task: str = "auto", protocol: Protocol | None = None) -> Dataset:
    """The rows that a comparison will not hold out: look at the target only in these before you compare.

    The holdout depends on the target, the kind of split, its fraction and the seed, so it is that of `compare` with the
    same options; the default protocol holds out 20 % with seed 0.

    Parameters
    ----------
    data
        A dataset, from `read`.
    target
        The column to predict.
    task
        auto, binary, multiclass or regression.
    protocol
        How rows are split; the default one if not given.

    Returns
    -------
    Dataset
        The same columns, without the rows of the holdout.

    Raises
    ------
    NoSuchColumn, BadTarget, BadChoice
        For a target that is not there or cannot be predicted.

    Examples
    --------
    >>> tea = mlcore.read("sample_data/tea_leaves.csv")
    >>> tea.rows, mlcore.training_rows(tea, "kind").rows
    (360, 288)
    """
    data = data.with_schema(data.schema.with_target(target))
    return without_holdout(data, Recipe(target, task_of(data.schema[target], task)), protocol or Protocol())


def open_run(run: str | Path) -> Run:
    """Open a run by its folder or its short id.

    Raises
    ------
    NotFound
        When there is no such run; `holdout runs` lists them.

    Examples
    --------
    >>> mlcore.open_run("no-such-run")
    Traceback (most recent call last):
    mlcore.errors.NotFound: There is no run 'no-such-run'. `holdout runs` lists them.
    """
    return Run(Workspace().run_folder(run))


def rerun(
    run: Run,
    data: Dataset | None = None,
    *,
    accept_changes: bool = False,
    jobs: int | None = None,
    workspace: Workspace | None = None,
) -> Run:
    """Carry out a comparison again, on its own rows or on another file.

    Parameters
    ----------
    run
        A run, from `open_run` or `compare`.
    data
        Other rows for the same experiment; those of the run by default.
    accept_changes
        Whether other rows may differ from those of the run.
    jobs, workspace
        As for `compare`.

    Returns
    -------
    Run
        A new run. With the same rows and library versions its scores are the same to the last digit.

    Raises
    ------
    BadInput
        For rows that differ from those of the run, unless the changes are accepted; it says what differs.

    Examples
    --------
    >>> mlcore.rerun(mlcore.open_run("no-such-run"))
    Traceback (most recent call last):
    mlcore.errors.NotFound: There is no run 'no-such-run'. `holdout runs` lists them.
    """
    before = run.experiment
    source = run.dataset if data is None else data
    if source.fingerprint != before.source.fingerprint and not accept_changes:
        raise BadInput(
            f"These rows are not those of the run: {_unlike(source, before)}. To compare on them all the same, accept "
            "the changes (--accept-changes)."
        )
    experiment = before
    if source.fingerprint != before.source.fingerprint:
        known = {c.name: c for c in before.schema}
        for column in source.schema:
            if column.name in known and known[column.name].role != "target":
                source = source.with_schema(source.schema.change(column.name, role=known[column.name].role))
        source = source.with_schema(source.schema.with_target(before.recipe.target))
        experiment = Experiment.plan(source, before.recipe, before.protocol, before.candidates)
    else:
        source = source.with_schema(before.schema)
    folder = (workspace or Workspace()).new_run(source.name)
    return begin(source, experiment, folder, lambda path, _: launch(path, jobs)).wait(board=True)


def _unlike(data: Dataset, before: Experiment) -> str:
    """How a table differs from that of an experiment, in words."""
    old, new = set(before.schema.names), set(data.schema.names)
    parts = [f"{data.rows:,} rows instead of {before.source.rows:,}"] if data.rows != before.source.rows else []
    parts += [f"without {several(sorted(old - new), 4)}"] if old - new else []
    parts += [f"with {several(sorted(new - old), 4)} in addition"] if new - old else []
    return ", ".join(parts) or "the same columns and number of rows, but other values"


# the parts that the dashboard uses as well ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Aim:
    """What is predicted from what: the target, the task, the recipe, and columns to leave out."""

    target: str
    task: str = "auto"
    recipe: Recipe | dict[str, Any] | None = None
    ignore: Sequence[str] = ()
    positive: str | None = None

    def resolved(self, data: Dataset, task: str) -> Recipe:
        """The recipe for a dataset. Raises BadInput."""
        column, recipe = data.schema[self.target], self.recipe
        if recipe is None:
            return Recipe(self.target, task_of(column, task), self.positive)
        if isinstance(recipe, dict):
            resolved: Task = task_of(column, recipe.get("task", task))
            positive = self.positive or recipe.get("positive")
            return Recipe.from_json({**recipe, "target": self.target, "task": resolved, "positive": positive})
        if recipe.target != self.target:
            raise BadInput(f"The recipe predicts {recipe.target!r}, but the target given is {self.target!r}.")
        return replace(recipe, positive=self.positive or recipe.positive)


def plan(data: Dataset, aim: Aim, protocol: Protocol, choice: Choice) -> tuple[Dataset, Experiment]:
    """Resolve all choices; return the dataset with its roles, and the experiment. Raises BadInput."""
    data = data.with_schema(data.schema.with_target(aim.target).ignoring(aim.ignore))
    data = data.with_schema(with_some_feature(data.schema))
    column = data.schema[aim.target]
    recipe = aim.resolved(data, _task_meant(column, aim.task, protocol.metric, choice)).active()
    check_fits(data, recipe, protocol)
    try:
        return data, Experiment.plan(data, recipe, protocol, choice.candidates(recipe.task))
    except BadChoice as error:
        if aim.task != "auto" or not (hint := other_task(column, recipe.task)):
            raise
        raise BadChoice(f"{error} {hint}") from None


def _task_meant(column: Column, wanted: str, metric: str, choice: Choice) -> str:
    """The task that was asked for: regression, where `auto` would give classes and the metric or a model needs it."""
    if wanted != "auto" or not other_task(column, "multiclass"):
        return wanted
    tasks = next((m.tasks for m in METRICS if m.name == metric), ())
    return "regression" if tasks == ("regression",) or choice.needs_regression() else wanted


def changed(
    data: Dataset, kinds: Mapping[str, str] | None, roles: Mapping[str, str] | None, workspace: Workspace | None = None
) -> Dataset:
    """A dataset with other kinds and roles. Raises NoSuchColumn, BadChoice, BadInput."""
    return with_roles(with_kinds(data, kinds or {}, workspace), roles or {})


def has_fast_library() -> bool:
    """Whether scikit-learn-intelex is installed."""
    return importlib.util.find_spec("sklearnex") is not None


def begin(data: Dataset, experiment: Experiment, folder: Path, start: Start, like: Run | None = None) -> Run:
    """Write a run's folder, start its worker, and check the data; what is equal in `like` is not computed again.

    Raises BadInput.
    """
    if experiment.protocol.fast and not has_fast_library():
        raise BadInput(
            "The fast option needs scikit-learn-intelex, which is not installed. Run `pip install 'holdout[fast]'`, or "
            "compare without it."
        )
    write_run(folder, experiment, data)
    run = Run(folder)
    if like is not None:
        carry_over(like, run)
    start(folder, None)  # the data are checked while the worker starts
    data, recipe = data.with_schema(experiment.schema), experiment.recipe
    training = without_holdout(data, recipe, experiment.protocol)
    alerts = registry.find(data, recipe.target, recipe.task, training=training)
    write_whole(run.paths.alerts, json.dumps([a.to_json() for a in alerts]))
    return run


@dataclass
class _Workers:
    """The workers of this process: one that stands by warm, and runs whose models are still being fitted."""

    standby: Standby = field(default_factory=Standby)
    unfinished: list[Run] = field(default_factory=list)

    def watch(self, run: Run, on_event: OnEvent | None) -> None:
        """Wait until a run's leaderboard is complete; its models are waited for when Python ends."""
        try:
            run.wait(on_event, board=True)
        except KeyboardInterrupt:
            run.cancel()
            raise
        self.unfinished.append(run)

    def let_finish(self) -> None:
        """Wait for the models of the runs of this process: a machine that ends with it would end them as well."""
        patient = clock.monotonic() + PATIENCE
        for run in self.unfinished:
            with contextlib.suppress(HoldoutError, OSError, KeyboardInterrupt):
                while run.progress().live:
                    if clock.monotonic() > patient:
                        print(f"Still fitting the models of {run.path.name}; Ctrl+C to leave.", file=sys.stderr)
                        patient = float("inf")
                    clock.sleep(0.05)


_workers = _Workers()
atexit.register(_workers.let_finish)


def warm() -> None:
    """Start the worker of the next comparison, so that it imports what it needs while the data are being read.

    It waits until `compare` takes it, or until Python ends.

    >>> mlcore.warm()
    """
    _workers.standby.warm()


def leave(run: Run) -> None:
    """Do not wait for a run's models when Python ends."""
    _workers.unfinished[:] = [r for r in _workers.unfinished if r != run]
