"""The units of work, as functions that any process can run: prepare a fold, fit a candidate on it, fit it for good.

The row-by-row steps are applied once to all rows; what is fitted is fitted once per fold and family and shared as
memory-mapped arrays. A test holds this to the fold scores of the whole Pipelines in scikit-learn's cross_validate.
"""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlcore.compare import storage
from mlcore.compare.experiment import Candidate, Experiment
from mlcore.dataset import Schema
from mlcore.errors import NotApplicable
from mlcore.labelled import Labelled
from mlcore.metrics import Scored, compute, for_task
from mlcore.models import Family, Setting
from mlcore.protocol import Fold, Plan, Target, make_plan
from mlcore.result import Array
from mlcore.target import load_target

FINAL = "final"  # the key of the fit on all training rows, beside the keys of the folds


@dataclass(frozen=True)
class Context:
    """What all tasks of a run share; made once per process, or once and inherited by forks."""

    folder: Path
    experiment: Experiment
    target: Target
    plan: Plan
    prepared: pd.DataFrame  # training rows after the row-by-row steps
    schema: Schema  # of `prepared`
    y: Array  # (training rows,) codes or values
    setting: Setting

    def fold(self, key: str) -> Fold:
        """Find a fold by its key."""
        return next(f for f in self.plan.folds if f.key == key)

    def place(self, key: str, family: Family, part: str) -> Path:
        """Where a shared array lies."""
        return self.folder / "scratch" / f"{key}-{family}-{part}.npy"


@lru_cache(maxsize=1)
def context(folder: str) -> Context:
    """Load a run's data and settle its folds."""
    from sklearn.pipeline import Pipeline

    from mlcore.compare.run import Run

    run = Run(Path(folder))
    experiment, dataset = run.experiment, run.dataset
    recipe, protocol = experiment.recipe, experiment.protocol
    target = load_target(dataset, recipe.target, recipe.task)
    keys = [n for n in (protocol.group, protocol.time) if n is not None]
    plan = make_plan(protocol, recipe.task, target, dataset.frame(keys).iloc[target.rows])
    transformers, schema = recipe.prepared(experiment.schema)
    frame = dataset.frame(experiment.schema.features().names).iloc[plan.train]
    prepared = Pipeline(transformers).fit_transform(frame).reset_index(drop=True)
    y = target.y[np.searchsorted(target.rows, plan.train)]
    return Context(
        Path(folder), experiment, target, plan, prepared, schema, y, recipe.setting(experiment.schema, protocol.seed)
    )


def prepare(folder: str, key: str, family: Family) -> float:
    """Fit a family's encoder on the training rows of a fold (or on all of them) and write what it makes."""
    run = context(folder)
    start = time.perf_counter()
    encoder = run.experiment.recipe.encoder(run.experiment.schema, family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if key == FINAL:
            np.save(run.place(key, family, "train"), encoder.fit_transform(run.prepared, run.y))
            storage.dump(encoder, run.place(key, family, "encoder").with_suffix(".skops"))
        else:
            fold = run.fold(key)
            np.save(
                run.place(key, family, "train"), encoder.fit_transform(run.prepared.iloc[fold.train], run.y[fold.train])
            )
            np.save(run.place(key, family, "test"), encoder.transform(run.prepared.iloc[fold.test]))
    return time.perf_counter() - start


@dataclass(frozen=True)
class FoldResult:
    """What one candidate did on one fold."""

    model: str
    key: str
    scored: Scored
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)


def fit(folder: str, model: str, key: str) -> FoldResult:
    """Fit a candidate on a fold, predict its test rows, and compute all metrics once."""
    run = context(folder)
    candidate, fold = run.experiment.candidate(model), run.fold(key)
    start = time.perf_counter()
    train, test = (
        _features(run, key, candidate, part, n) for part, n in (("train", len(fold.train)), ("test", len(fold.test)))
    )
    y = run.y[fold.train]
    if run.setting.task != "regression" and model != "dummy" and len(np.unique(y)) < 2:
        raise NotApplicable(
            f"In fold {fold.fold + 1} all training rows are {run.target.classes[y[0]]!r}: the other "
            "class has too few rows to be learned and tested."
        )
    estimator = candidate.build(run.setting, run.folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence and missing classes: the scores tell
        estimator.fit(train, y)
        scored = predict(estimator, test, run.y[fold.test], len(run.target.classes))
    seconds = time.perf_counter() - start
    values, undefined = {}, {}
    for row in for_task(run.setting.task):
        value, why = compute(row, scored)
        if value is None:
            undefined[row.name] = why
        else:
            values[row.name] = value
    return FoldResult(model, key, scored, seconds, values, undefined)


def predict(estimator: Any, features: Any, truth: Array, classes: int) -> Scored:
    """Predict rows; probabilities are aligned with all classes of the target, absent ones getting 0."""
    prediction = np.asarray(estimator.predict(features))
    if not classes:
        return Scored(truth, prediction.astype(float).ravel())
    known = np.asarray(estimator.classes_).astype(int)
    if hasattr(estimator, "predict_proba"):
        shares = np.zeros((len(truth), classes))
        shares[:, known] = estimator.predict_proba(features)
        return Scored(truth, prediction.astype(int), classes, shares)
    ranks = classes == 2 and len(known) == 2 and hasattr(estimator, "decision_function")
    decision = np.asarray(estimator.decision_function(features)) if ranks else None
    return Scored(truth, prediction.astype(int), classes, None, decision)


def _features(run: Context, key: str, candidate: Candidate, part: str, rows: int) -> Any:
    if candidate.family == "none":
        return np.zeros((rows, 1))
    return np.load(run.place(key, candidate.family, part), mmap_mode="r")


def finish(folder: str, model: str) -> float:
    """Fit a candidate on all training rows and store the whole Pipeline, which answers in the target's own labels."""
    from sklearn.pipeline import Pipeline

    from mlcore.features.transformers import Conform

    run = context(folder)
    start = time.perf_counter()
    candidate = run.experiment.candidate(model)
    estimator = candidate.build(run.setting, run.folder)
    if len(run.target.classes) and run.target.classes.dtype.kind == "f" and not isinstance(estimator, Labelled):
        estimator = Labelled(estimator)  # scikit-learn takes fractions for a quantity, even as labels
    labels = run.target.classes[run.y] if len(run.target.classes) else run.y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(_features(run, FINAL, candidate, "train", len(run.y)), labels)
    if candidate.family == "none":
        steps: list[tuple[str, Any]] = [("columns", Conform.of(run.experiment.schema))]
    else:
        encoder = storage.load(run.place(FINAL, candidate.family, "encoder").with_suffix(".skops"))
        steps = [*run.experiment.recipe.prepared(run.experiment.schema)[0], ("encode", encoder)]
    storage.dump(Pipeline([*steps, ("model", estimator)]), run.folder / "models" / f"{model}.skops")
    return time.perf_counter() - start


def out_of_fold(run: Context, results: list[FoldResult]) -> pd.DataFrame:
    """The out-of-fold predictions of one candidate: a row for each tested row and repeat."""
    parts = []
    classes = run.target.classes
    for result in sorted(results, key=lambda r: tuple(map(int, r.key.split("-")))):
        fold, scored = run.fold(result.key), result.scored
        part: dict[str, Any] = {"row": run.plan.train[fold.test], "repeat": fold.repeat, "fold": fold.fold}
        if len(classes):
            part |= {"truth": classes[scored.truth], "prediction": classes[scored.prediction]}
        else:
            part |= {"truth": scored.truth, "prediction": scored.prediction}
        if scored.probabilities is not None:
            part |= {f"p_{c}": scored.probabilities[:, i] for i, c in enumerate(classes)}
        if scored.decision is not None:
            part["decision"] = scored.decision
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def plan_json(run: Context) -> str:
    """The settled split as text: rows of the file that are locked, and the notes."""
    return json.dumps(
        {
            "train": len(run.plan.train),
            "holdout": run.plan.holdout.tolist(),
            "ratio": run.plan.ratio,
            "notes": list(run.plan.notes),
            "classes": run.target.classes.tolist(),
            "counts": np.bincount(run.target.y).tolist() if len(run.target.classes) else [],
        }
    )
