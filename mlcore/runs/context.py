"""What all tasks of a run share: data, split and setting, loaded once per process.

The row-by-row steps are applied once to all rows; a step that is fitted is fitted once per fold and family and shared
as memory-mapped arrays.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlcore.data.dataset import Schema
from mlcore.errors import BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.experiment.experiment import Experiment
from mlcore.experiment.memory import rows_in_memory
from mlcore.features.steps.base import Step
from mlcore.models.builders import Setting
from mlcore.models.catalogue import Family
from mlcore.result import Array
from mlcore.runs.folder import RunFolder
from mlcore.runs.paths import RunPaths
from mlcore.validation.metrics import Metric
from mlcore.validation.splitter import Fold, Plan, Target, make_plan
from mlcore.validation.target import load_target

FINAL = "final"  # the key of the fit on all training rows, as folds have keys
TRAIN_SCORE_ROWS = 500  # training rows that are predicted as well, to compare the score on them with the test score


@dataclass(frozen=True)
class Kept:
    """Positions among the training rows of a fold that models are trained on, and how many features are codes."""

    rows: Array
    categories: int


@dataclass(frozen=True, kw_only=True)
class Context:
    """What all tasks of a run share; built once per process, or once and inherited by forks."""

    folder: Path
    experiment: Experiment
    target: Target
    plan: Plan
    raw: pd.DataFrame  # training rows, then rows without a target; each column cast to its kind
    prepared: pd.DataFrame  # the same after the leading steps, which work row by row
    leading: Any  # what made it: a fitted `StepSequence`
    schema: Schema  # of `prepared`
    steps: tuple[Step, ...]  # those that are fitted inside each fold
    y: Array  # (training rows,) codes or values
    setting: Setting
    keys: pd.DataFrame  # group and time of the training rows
    weights: Array | None = None  # (training rows,)

    @property
    def paths(self) -> RunPaths:
        """Where everything lies in the run's folder."""
        return RunPaths(self.folder)

    def fold(self, key: str) -> Fold:
        """A fold by its key."""
        return self._folds[key]

    @cached_property
    def _folds(self) -> dict[str, Fold]:
        return {f.key: f for f in self.plan.folds}

    def train(self, key: str) -> Array:
        """Positions of the training rows of a fold, or of all."""
        return np.arange(len(self.y)) if key == FINAL else self.fold(key).train

    @property
    def unknown(self) -> Array:
        """Positions of the rows without a target."""
        return np.arange(len(self.y), len(self.raw))

    @property
    def metric(self) -> Metric:
        """The metric that ranks."""
        return self.experiment.protocol.metric_for(self.setting.task)

    def weights_of(self, rows: Array) -> Array | None:
        """The weights of some training rows; None where each counts once."""
        return None if self.weights is None else self.weights[rows]

    def family_of(self, candidate: Candidate) -> Family:
        """What the features of a candidate look like: some models take free text in a form of their own."""
        has_text = bool(self.schema.features().named("text"))
        return candidate.row.text if has_text and candidate.row and candidate.row.text else candidate.family

    def kept(self, key: str, family: Family) -> Kept | None:
        """What the steps that are fitted in a fold left of its training rows; None without such steps."""
        path = self.encoded(key, family, "rows")
        if not path.exists():
            return None
        categories, *rows = np.load(path)
        return Kept(np.array(rows, int), int(categories))

    def encoded(self, key: str, family: Family, part: str) -> Path:
        """The file of a shared array: the training, test or unlabelled rows of a fold, encoded for a family."""
        return self.paths.scratch / f"{key}-{family}-{part}.npy"

    def share(self, key: str, family: Family, part: str, features: Any) -> None:
        """Write features for all processes; a sparse matrix stays sparse."""
        from scipy import sparse

        path = self.encoded(key, family, part)
        if sparse.issparse(features):
            sparse.save_npz(path.with_suffix(".npz"), features, compressed=False)
        else:
            np.save(path, features)

    def release(self, key: str, family: Family) -> None:
        """Remove the shared features of a fold and family."""
        for part in ("train", "test", "unlabelled", "rows"):
            path = self.encoded(key, family, part)
            path.unlink(missing_ok=True)
            path.with_suffix(".npz").unlink(missing_ok=True)

    def shared(self, key: str, family: Family, part: str) -> Any:
        """Read shared features: an array mapped into memory, or a sparse matrix."""
        path = self.encoded(key, family, part)
        if path.with_suffix(".npz").exists():
            from scipy import sparse

            return sparse.load_npz(path.with_suffix(".npz"))
        return np.load(path, mmap_mode="r")


@lru_cache(maxsize=1)
def context(folder: str) -> Context:
    """Load a run's data and resolve its folds. Raises BadInput for choices that the data do not allow."""
    from mlcore.features.transformers import Conform

    run = RunFolder(Path(folder))
    experiment, dataset = run.experiment, run.dataset
    recipe, protocol = experiment.recipe, experiment.protocol
    target = load_target(dataset, recipe.target, recipe.task, recipe.positive)
    labels = tuple(map(str, target.classes))
    for candidate in experiment.candidates:
        if candidate.rule is not None:
            candidate.rule.checked(experiment.schema, list(labels) if labels else None)
    target, notes = _limited(target, experiment, _planned_rows(run))
    keys = dataset.frame([n for n in (protocol.group, protocol.time) if n is not None])
    plan = make_plan(protocol, recipe.task, target, keys.iloc[target.rows])
    schema = experiment.schema
    leading = recipe.sequence(recipe.leading(schema), schema)
    extra = target.unknown if any(c.unlabelled for c in experiment.candidates) else target.unknown[:0]
    rows = np.concatenate([plan.train, extra])
    raw = Conform.of(schema).transform(dataset.frame(schema.features().names).iloc[rows]).reset_index(drop=True)
    prepared, _ = leading.fit_rows(raw, np.zeros(len(raw)))  # these steps look at neither other rows nor the target
    setting = Setting(recipe.task, protocol.seed, recipe.category_count(leading.schema_after()))
    return Context(
        folder=Path(folder),
        experiment=experiment,
        target=target,
        plan=replace(plan, notes=(*notes, *plan.notes)),
        raw=raw,
        prepared=prepared,
        leading=leading,
        schema=leading.schema_after(),
        steps=recipe.fitted(schema),
        y=target.y[np.searchsorted(target.rows, plan.train)],
        setting=replace(setting, labels=labels, fast=protocol.fast),
        keys=keys.iloc[plan.train].reset_index(drop=True),
        weights=_weights(run, plan),
    )


def _planned_rows(run: RunFolder) -> int | None:
    """How many rows a run was planned with when it began; None before that."""
    path = run.paths.plan
    rows: int | None = json.loads(path.read_text("utf-8")).get("rows") if path.exists() else None
    return rows


def _limited(target: Target, experiment: Experiment, planned: int | None) -> tuple[Target, tuple[str, ...]]:
    """The target's rows, or as many as fit into memory; a number that was planned once is kept."""
    rows = rows_in_memory(experiment, len(target.rows)) if planned is None else planned
    if rows >= len(target.rows):
        return target, ()
    note = (
        f"The machine's free memory holds about {rows:,} of the {len(target.rows):,} rows, so a random sample of that "
        "size is compared. Free memory, leave out columns or use a larger machine to compare all of them."
    )
    return target.sampled(rows, experiment.protocol.seed), (note,)


def _weights(run: RunFolder, plan: Plan) -> Array | None:
    """The weights of the training rows. Raises BadInput for impossible weights, and for folds without any."""
    of_rows = run.weights()
    if of_rows is None:
        return None
    weights, name = of_rows[plan.train], run.experiment.schema.in_role("weight")[0]
    if not weights.any():
        raise BadInput(f"{name!r} cannot be a weight: all of them are 0. Give the column another role.")
    if not all(weights[rows].any() for fold in plan.folds for rows in (fold.train, fold.test)):
        raise BadInput(
            f"In one fold all rows have the weight 0 ({name}), so nothing can be scored there. Use fewer folds or "
            "another split, or leave out the rows of weight 0."
        )
    return weights


def plan_json(run: Context) -> str:
    """The resolved split as text: rows of the file that are held out, and the notes."""
    return json.dumps(
        {
            "rows": len(run.target.rows),
            "train": len(run.plan.train),
            "holdout": run.plan.holdout.tolist(),
            "ratio": run.plan.ratio,
            "notes": list(run.plan.notes),
            "classes": run.target.classes.tolist(),
            "counts": np.bincount(run.target.y).tolist() if len(run.target.classes) else [],
            "split": split_digest(run.plan),
        }
    )


def split_digest(plan: Plan) -> str:
    """A hash of which rows are held out and how the others are folded; runs of equal splits can be compared."""
    digest = hashlib.blake2b(digest_size=12)
    for part in (plan.train, plan.holdout, *(f.test for f in plan.folds)):
        digest.update(np.asarray(part, "<i8").tobytes() + b"|")
    return digest.hexdigest()
