"""The units of work, as functions that any process can run: prepare a fold, fit a candidate on it, fit it for good.

The row-by-row steps are applied once to all rows; what is fitted is fitted once per fold and family and shared as
memory-mapped arrays. A test holds this to the fold scores of the whole Pipelines in scikit-learn's cross_validate.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlcore.compare import grow, storage, tune
from mlcore.compare.experiment import Candidate, Experiment
from mlcore.compare.memory import rows_that_fit
from mlcore.dataset import Schema
from mlcore.errors import BadInput, NotApplicable
from mlcore.labelled import Labelled
from mlcore.metrics import Metric, Scored, compute, for_task, interval_of
from mlcore.models import Family, Setting
from mlcore.protocol import Fold, Plan, Target, drawn, inner_folds, make_plan
from mlcore.result import Array
from mlcore.target import load_target

FINAL = "final"  # the key of the fit on all training rows, beside the keys of the folds
SEEN = 500  # training rows that are predicted as well, to see how much better they are known


@dataclass(frozen=True)
class Context:
    """What all tasks of a run share; made once per process, or once and inherited by forks."""

    folder: Path
    experiment: Experiment
    target: Target
    plan: Plan
    raw: pd.DataFrame  # training rows, then rows without a target; each column cast to its kind
    prepared: pd.DataFrame  # the same after the row-by-row steps
    schema: Schema  # of `prepared`
    y: Array  # (training rows,) codes or values
    setting: Setting
    keys: pd.DataFrame  # group and time of the training rows
    weights: Array | None = None  # (training rows,)

    def fold(self, key: str) -> Fold:
        """Find a fold by its key."""
        return self._folds[key]

    @cached_property
    def _folds(self) -> dict[str, Fold]:
        return {f.key: f for f in self.plan.folds}

    def train(self, key: str) -> Array:
        """Positions of the rows to learn from: of a fold, or all."""
        return np.arange(len(self.y)) if key == FINAL else self.fold(key).train

    @property
    def unknown(self) -> Array:
        """Positions of the rows without a target."""
        return np.arange(len(self.y), len(self.raw))

    @property
    def metric(self) -> Metric:
        """What ranks."""
        return self.experiment.protocol.metric_for(self.setting.task)

    def place(self, key: str, family: Family, part: str) -> Path:
        """Where a shared array lies."""
        return self.folder / "scratch" / f"{key}-{family}-{part}.npy"

    def told(self, model: str, key: str) -> Path:
        """Where a candidate's predictions of a fold lie until all its folds are done."""
        return self.folder / "folds" / model / f"{key}.npz"


@lru_cache(maxsize=1)
def context(folder: str) -> Context:
    """Load a run's data and settle its folds. Raises BadInput for choices that the data do not allow."""
    from sklearn.pipeline import Pipeline

    from mlcore.compare.run import Run

    run = Run(Path(folder))
    experiment, dataset = run.experiment, run.dataset
    recipe, protocol = experiment.recipe, experiment.protocol
    target = load_target(dataset, recipe.target, recipe.task)
    labels = tuple(map(str, target.classes))
    for candidate in experiment.candidates:
        if candidate.rule is not None:
            candidate.rule.checked(experiment.schema, list(labels) if labels else None)
    target, notes = _that_fits(target, experiment, _settled_rows(run))
    keys = dataset.frame([n for n in (protocol.group, protocol.time) if n is not None])
    plan = make_plan(protocol, recipe.task, target, keys.iloc[target.rows])
    plan = replace(plan, notes=(*notes, *plan.notes))
    transformers, schema = recipe.transformers(experiment.schema), recipe.prepared(experiment.schema)
    extra = target.unknown if any(c.unlabelled for c in experiment.candidates) else target.unknown[:0]
    rows = np.concatenate([plan.train, extra])
    raw = transformers[0][1].transform(dataset.frame(experiment.schema.features().names).iloc[rows])
    raw = raw.reset_index(drop=True)
    prepared = Pipeline(transformers[1:]).fit_transform(raw) if transformers[1:] else raw
    y = target.y[np.searchsorted(target.rows, plan.train)]
    return Context(
        Path(folder), experiment, target, plan, raw, prepared, schema, y,
        replace(recipe.setting(experiment.schema, protocol.seed), labels=labels, fast=protocol.fast),
        keys.iloc[plan.train].reset_index(drop=True), _weights(dataset, experiment, plan.train),
    )  # fmt: skip


def _settled_rows(run: Any) -> int | None:
    """How many rows a run was settled on when it began; None before that."""
    place = run.path / "plan.json"
    return json.loads(place.read_text("utf-8")).get("rows") if place.exists() else None


def _that_fits(target: Target, experiment: Experiment, settled: int | None) -> tuple[Target, tuple[str, ...]]:
    """The target's rows, or as many as the memory can hold; what was settled once is kept, whatever is free now."""
    fitting = rows_that_fit(experiment, len(target.rows)) if settled is None else settled
    if fitting >= len(target.rows):
        return target, ()
    note = (
        f"The machine's free memory holds about {fitting:,} of the {len(target.rows):,} rows; a random sample of that "
        "size is compared. Free memory, leave out columns or take a larger machine to compare all."
    )
    return target.sampled(fitting, experiment.protocol.seed), (note,)


def _weights(dataset: Any, experiment: Experiment, rows: Array) -> Array | None:
    """Sample weights from the column of that role; a missing one counts nothing. Raises BadInput for what is none."""
    names = experiment.schema.in_role("weight")
    if not names:
        return None
    values = np.nan_to_num(dataset.frame([names[0]])[names[0]].to_numpy(dtype=float, na_value=0.0)[rows], posinf=-1.0)
    bad = int((values < 0).sum())
    if bad or not values.sum():
        why = f"{bad:,} of them are negative or infinite" if bad else "all of them are 0"
        raise BadInput(f"{names[0]!r} cannot weigh rows: {why}. Weights are 0 or more. Give the column another role.")
    return np.asarray(values)


def prepare(folder: str, key: str, family: Family) -> float:
    """Fit a family's encoder on the training rows of a fold (or on all of them) and write what it makes."""
    run = context(folder)
    start = time.perf_counter()
    encoder = run.experiment.recipe.encoder(run.experiment.schema, family)
    train = run.train(key)
    parts = {"unlabelled": run.unknown} if len(run.unknown) else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.save(run.place(key, family, "train"), encoder.fit_transform(run.prepared.iloc[train], run.y[train]))
        if key == FINAL:
            storage.dump(encoder, run.place(key, family, "encoder").with_suffix(".skops"))
        else:
            parts["test"] = run.fold(key).test
        for part, rows in parts.items():
            np.save(run.place(key, family, part), encoder.transform(run.prepared.iloc[rows]))
    return time.perf_counter() - start


@dataclass(frozen=True)
class FoldResult:
    """What one candidate did on one fold; its predictions lie on disk."""

    model: str
    key: str
    seconds: float
    predict_seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    seen: float | None = None  # the chosen metric on training rows
    ci: tuple[float, float] | None = None  # of the chosen metric, where there is one fold only
    rows: int = 0  # that it learned from


def fit(folder: str, model: str, key: str) -> FoldResult:
    """Fit a candidate on a fold, predict its test rows, and compute all metrics once."""
    run = context(folder)
    candidate, fold = run.experiment.candidate(model), run.fold(key)
    start = time.perf_counter()
    y = run.y[fold.train]
    if run.setting.task != "regression" and model != "dummy" and len(np.unique(y)) < 2:
        raise NotApplicable(
            f"In fold {fold.fold + 1} all training rows are {run.target.classes[y[0]]!r}: the other "
            "class has too few rows to be learned and tested."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence and missing classes: the scores tell
        estimator, rows = learn(run, candidate, key, y)
        seconds = time.perf_counter() - start
        truth = run.y[fold.test]
        scored = predict(estimator, features(run, candidate, key, "test"), truth, len(run.target.classes))
        scored = grow.joined(run.folder, candidate, key, scored)
        predicting = time.perf_counter() - start - seconds
        some = rows[:: max(1, len(rows) // SEEN)]
        known = predict(
            estimator, picked(features(run, candidate, key, "train"), some), y[some], len(run.target.classes)
        )
    grow.keep(run.folder, candidate, key, estimator, seconds)
    write_fold(run.told(model, key), scored)
    values, undefined = measured(run.setting.task, scored)
    ci = interval_of(run.metric, scored) if len(run.plan.folds) == 1 else None
    seen, _ = compute(run.metric, known)
    if grow.is_joined(run.folder, candidate):  # only the further trees said something of these rows
        seen = None
    return FoldResult(model, key, seconds, predicting, values, undefined, seen, ci, len(rows))


def measured(task: Any, scored: Scored) -> tuple[dict[str, float], dict[str, str]]:
    """All metrics of a task, and the reasons of those that are undefined."""
    values, undefined = {}, {}
    for row in for_task(task):
        value, why = compute(row, scored)
        if value is None:
            undefined[row.name] = why
        else:
            values[row.name] = value
    return values, undefined


def learn(run: Context, candidate: Candidate, key: str, y: Array) -> tuple[Any, Array]:
    """Fit a candidate on the training rows of a fold or on all; return it with the positions it learned from.

    `y` are the codes, values or labels of these rows. Rows beyond what a model can take are drawn at random.
    """
    train = run.train(key)
    codes, given = run.y[train], features(run, candidate, key, "train")
    rows = np.arange(len(train))
    if candidate.most_rows is not None and len(train) > candidate.most_rows:
        stratified = run.setting.task != "regression"
        rows = drawn(codes, candidate.most_rows, run.setting.seed, stratified=stratified)
    seen = given if len(rows) == len(train) else picked(given, rows)
    without = np.load(run.place(key, candidate.family, "unlabelled"), mmap_mode="r") if _extra(run, candidate) else None
    if candidate.search is not None:
        candidate = _settled(run, candidate, key, (seen, without), rows)
    setting = run.setting.seeing(codes[rows])
    if key == FINAL:  # of the fast library only forests can be stored
        setting = replace(setting, labels=(), fast=setting.fast and candidate.model in grow.FORESTS)
    estimator = candidate.build(setting, run.folder)
    fractions = key == FINAL and len(run.target.classes) > 0 and run.target.classes.dtype.kind == "f"
    if fractions and not isinstance(estimator, Labelled) and candidate.family != "raw":
        estimator = Labelled(estimator)  # scikit-learn takes fractions for a quantity, even as labels
    options = fit_options(run, candidate, estimator, train[rows], without)
    return grow.fitted(run.folder, candidate, key, estimator, (seen, y[rows]), options), rows


def fit_options(run: Context, candidate: Candidate, estimator: Any, rows: Array, without: Any) -> dict[str, Any]:
    """What a fit on some rows is given beside features and target: weights, and rows without a target."""
    options: dict[str, Any] = {}
    if run.weights is not None and takes_weights(estimator):
        options["sample_weight"] = run.weights[rows]
    if candidate.unlabelled:
        if without is None:
            raise NotApplicable(
                "There is no row without a target, so there is nothing it could learn beside the others."
            )
        most = max(1, (candidate.most_rows or len(without) + len(rows)) - len(rows))
        options["unlabelled"] = np.asarray(without[:: max(1, -(-len(without) // most))])
    return options


def _extra(run: Context, candidate: Candidate) -> bool:
    """Whether a candidate is given rows without a target."""
    return candidate.unlabelled and len(run.unknown) > 0


def takes_weights(estimator: Any) -> bool:
    """Whether an estimator, or the one it wraps, takes sample weights."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.utils.validation import has_fit_parameter

    inner = estimator
    while isinstance(inner, TransformedTargetRegressor) or type(inner) is Labelled:
        inner = inner.regressor if isinstance(inner, TransformedTargetRegressor) else inner.estimator
    return bool(has_fit_parameter(inner, "sample_weight"))


def _settled(run: Context, candidate: Candidate, key: str, seen: tuple[Any, Any], rows: Array) -> Candidate:
    """A searched candidate with the best parameters found inside these training rows.

    `seen` are the features of these rows, and of those without a target.
    """
    assert candidate.search is not None
    given, without = seen
    places = run.train(key)[rows]
    y, protocol = run.y[places], run.experiment.protocol
    folds = inner_folds(protocol, run.setting.task, y, run.keys.iloc[places], candidate.search.folds)

    def judge(parameters: dict[str, Any], train: Array, test: Array) -> tuple[float | None, float | None]:
        """Scores of one setting on the test and on the training rows of an inner fold."""
        tried = with_parameters(candidate, parameters)
        estimator = tried.build(run.setting.seeing(y[train]), run.folder)
        estimator.fit(given[train], y[train], **fit_options(run, tried, estimator, places[train], without))
        classes, some = len(run.target.classes), train[:: max(1, len(train) // SEEN)]
        return (
            compute(run.metric, predict(estimator, given[test], y[test], classes))[0],
            compute(run.metric, predict(estimator, given[some], y[some], classes))[0],
        )

    found = tune.search(tune.trace_file(run.folder, candidate.model, key), candidate, run.metric,
                        (run.setting.task, run.setting.seed), folds, judge)  # fmt: skip
    return with_parameters(candidate, found)


def with_parameters(candidate: Candidate, found: dict[str, Any]) -> Candidate:
    """A candidate with some parameters settled, and nothing left to search."""
    return replace(candidate, parameters=tuple(sorted({**dict(candidate.parameters), **found}.items())), search=None)


def predict(estimator: Any, given: Any, truth: Array, classes: int) -> Scored:
    """Predict rows; probabilities are aligned with all classes of the target, absent ones getting 0."""
    prediction = np.asarray(estimator.predict(given))
    if not classes:
        return Scored(truth, prediction.astype(float).ravel())
    known = np.asarray(estimator.classes_).astype(int)
    if hasattr(estimator, "predict_proba"):
        shares = np.zeros((len(truth), classes))
        shares[:, known] = estimator.predict_proba(given)
        return Scored(truth, prediction.astype(int), classes, shares)
    ranks = classes == 2 and len(known) == 2 and hasattr(estimator, "decision_function")
    decision = np.asarray(estimator.decision_function(given)) if ranks else None
    return Scored(truth, prediction.astype(int), classes, None, decision)


def features(run: Context, candidate: Candidate, key: str, part: str) -> Any:
    """What a candidate sees of the training or test rows of a fold."""
    rows = run.train(key) if part == "train" else run.fold(key).test
    if candidate.family == "none":
        return np.zeros((len(rows), 1))
    if candidate.family == "raw":
        return run.raw.iloc[rows]
    return np.load(run.place(key, candidate.family, part), mmap_mode="r")


def picked(given: Any, rows: Array) -> Any:
    """Some rows of features, which are an array or, for models that see raw columns, a frame."""
    return given.iloc[rows] if isinstance(given, pd.DataFrame) else given[rows]


def finish(folder: str, model: str) -> dict[str, Any]:
    """Fit a candidate on all training rows and store the whole Pipeline, which answers in the target's own labels."""
    from sklearn.pipeline import Pipeline

    from mlcore.features.transformers import Conform

    run = context(folder)
    start = time.perf_counter()
    candidate = run.experiment.candidate(model)
    labels = run.target.classes[run.y] if len(run.target.classes) else run.y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator, rows = learn(run, candidate, FINAL, labels)
    if candidate.family in ("none", "raw"):
        steps: list[tuple[str, Any]] = [("columns", Conform.of(run.experiment.schema))]
    else:
        encoder = storage.load(run.place(FINAL, candidate.family, "encoder").with_suffix(".skops"))
        steps = [*run.experiment.recipe.transformers(run.experiment.schema), ("encode", encoder)]
    storage.dump(Pipeline([*steps, ("model", estimator)]), model_file(run.folder, model))
    told = estimator.words() if hasattr(estimator, "words") else ""
    return {
        "fit_seconds": round(time.perf_counter() - start, 4),
        "bytes": model_file(run.folder, model).stat().st_size,
        "rows": len(rows),
        "words": told,
    }


def model_file(folder: Path, model: str) -> Path:
    """Where a fitted Pipeline lies."""
    return folder / "models" / f"{model}.skops"


# predictions on disk --------------------------------------------------------------------------------------------------


def write_fold(place: Path, scored: Scored) -> None:
    """Write predictions, whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Any] = {
        "prediction": scored.prediction,
        "probabilities": scored.probabilities,
        "decision": scored.decision,
    }
    with place.with_suffix(".part").open("wb") as file:
        np.savez(file, **{name: value for name, value in parts.items() if value is not None})
    place.with_suffix(".part").replace(place)


def read_fold(run: Context, model: str, key: str) -> Scored:
    """A candidate's predictions of a fold, with their truth."""
    if not run.told(model, key).exists():  # taken over from another run
        return read_predictions(run, model)[key]
    truth = run.y[run.fold(key).test]
    with np.load(run.told(model, key)) as found:
        return Scored(truth, found["prediction"], len(run.target.classes), found.get("probabilities"),
                      found.get("decision"))  # fmt: skip


def read_predictions(run: Context, model: str) -> dict[str, Scored]:
    """The stored out-of-fold predictions of a model, by fold."""
    frame = pd.read_parquet(run.folder / "predictions.parquet" / f"{model}.parquet")
    found, classes = {}, run.target.classes
    for (repeat, fold), part in frame.groupby(["repeat", "fold"], sort=False):
        key = f"{repeat}-{fold}"
        shares = part[[c for c in part.columns if c.startswith("p_")]].to_numpy()
        said = part["prediction"].to_numpy()
        found[key] = Scored(
            run.y[run.fold(key).test],
            np.searchsorted(classes, said) if len(classes) else said,
            len(classes),
            shares if shares.shape[1] else None,
        )
    return found


def out_of_fold(run: Context, told: dict[str, Scored]) -> pd.DataFrame:
    """The out-of-fold predictions of one candidate by fold: a row for each tested row and repeat."""
    parts = []
    classes = run.target.classes
    for fold in run.plan.folds:
        scored = told[fold.key]
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
    return pd.concat(parts, ignore_index=True, join="inner")  # what one fold lacks would not compare across folds


def plan_json(run: Context) -> str:
    """The settled split as text: rows of the file that are locked, and the notes."""
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
    """A hash of which rows are locked and how the others are folded; equal splits can be compared."""
    made = hashlib.blake2b(digest_size=12)
    for part in (plan.train, plan.holdout, *(f.test for f in plan.folds)):
        made.update(np.asarray(part, "<i8").tobytes() + b"|")
    return made.hexdigest()
