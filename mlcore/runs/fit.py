"""The units of work, as functions that any process can run: encode a fold, fit a candidate on it, fit it for good.

A test holds the shared encoding to the fold scores of whole Pipelines in scikit-learn's cross_validate.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from mlcore.data.dataset import Schema
from mlcore.errors import NotApplicable
from mlcore.experiment.candidate import Candidate
from mlcore.models import storage
from mlcore.models.catalogue import Family
from mlcore.models.weights import balanced_weights
from mlcore.result import Array
from mlcore.runs import trials, warm_start
from mlcore.runs.context import FINAL, TRAIN_SCORE_ROWS, Context, Kept, context
from mlcore.runs.predictions import write_fold
from mlcore.validation.metrics import compute, compute_all, interval_of
from mlcore.validation.predictions import Predictions
from mlcore.validation.splitter import inner_folds, sample_rows


def prepare(folder: str, key: str, families: tuple[Family, ...]) -> float:
    """Fit the steps on the training rows of a fold (or on all of them), then the encoders of some families.

    The arrays that they make are written for all processes; the steps are fitted once for all these families.
    """
    run = context(folder)
    start = time.perf_counter()
    from mlcore.features.transformers import Features

    parts = {"unlabelled": run.unknown} if len(run.unknown) else {}
    if key != FINAL:
        parts["test"] = run.fold(key).test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = fit_steps(run, run.train(key))
        frames = {part: steps.transform(run.prepared.iloc[rows]) for part, rows in parts.items()}
        for family in families:
            encoded = encode(run, family, steps)
            run.share(key, family, "train", encoded.train)
            if encoded.kept is not None:
                np.save(run.encoded(key, family, "rows"), np.array([encoded.kept.categories, *encoded.kept.rows]))
            if key == FINAL:
                features = Features.of([run.leading, *steps.sequences], encoded.encoder)
                storage.dump(features, run.encoded(key, family, "encoder").with_suffix(".skops"))
            for part, frame in frames.items():
                run.share(key, family, part, encoded.encoder.transform(frame))
    return time.perf_counter() - start


@dataclass(frozen=True, kw_only=True)
class Stepped:
    """Training rows after the steps that are fitted, and what makes the same of other rows."""

    frame: pd.DataFrame  # the rows that models are trained on
    y: Array  # their targets
    schema: Schema
    sequences: list[Any]  # the fitted steps, if any
    rows: Array | None  # positions of the rows among the training rows; None: all, in their order

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Other rows after the same steps."""
        for sequence in self.sequences:
            frame = sequence.transform(frame)
        return frame


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """The features of training rows, and what makes those of other rows."""

    train: Any  # (rows that models are trained on, features), an array or a sparse matrix
    steps: Stepped
    encoder: Any
    kept: Kept | None  # None: all rows, in their order

    def of(self, frame: pd.DataFrame) -> Any:
        """The features of other rows after the leading steps."""
        return self.encoder.transform(self.steps.transform(frame))


def fit_steps(run: Context, train: Array) -> Stepped:
    """Fit the steps on some training rows, and on no others."""
    frame, y = run.prepared.iloc[train], run.y[train]
    if not run.steps:
        return Stepped(frame=frame, y=y, schema=run.schema, sequences=[], rows=None)
    sequence = run.experiment.recipe.sequence(run.steps, run.schema, run.setting.seed)
    frame, rows = sequence.fit_rows(frame, y)
    return Stepped(frame=frame, y=y[rows], schema=sequence.schema_after(), sequences=[sequence], rows=rows)


def encode(run: Context, family: Family, steps: Stepped) -> Encoded:
    """Fit the encoder of a family on training rows after the steps."""
    recipe = run.experiment.recipe
    encoder = recipe.encoder(steps.schema, family)
    features = encoder.fit_transform(steps.frame, steps.y)
    if steps.rows is None:
        return Encoded(train=features, steps=steps, encoder=encoder, kept=None)
    rows = steps.rows
    if recipe.resampling == "smote" and recipe.task != "regression":
        features, rows = _with_synthetic(features, steps.y, rows, run.setting.seed)
    return Encoded(train=features, steps=steps, encoder=encoder, kept=Kept(rows, recipe.category_count(steps.schema)))


def _with_synthetic(features: Any, y: Array, rows: Array, seed: int) -> tuple[Array, Array]:
    """Rows with synthetic ones of the rarer classes (SMOTE); each stands at the position of a row of its class.

    Raises NotApplicable where a class has too few rows.
    """
    from imblearn.over_sampling import SMOTE
    from scipy import sparse

    classes, counts = np.unique(y, return_counts=True)
    if counts.min() < 2:
        raise NotApplicable("SMOTE needs at least two training rows of each class in every fold; balance by weights.")
    sampler = SMOTE(k_neighbors=min(5, int(counts.min()) - 1), random_state=seed)
    made, labels = sampler.fit_resample(features if sparse.issparse(features) else np.nan_to_num(features), y)
    first = {c: rows[np.flatnonzero(y == c)[0]] for c in classes}
    extra = np.array([first[c] for c in labels[len(rows) :]], int)
    return made, np.concatenate([rows, extra])


@dataclass(frozen=True, kw_only=True)
class FoldResult:
    """The scores of one candidate on one fold; its predictions are on disk."""

    model: str
    key: str
    seconds: float
    predict_seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    train_score: float | None = None  # the chosen metric on training rows
    ci: tuple[float, float] | None = None  # of the chosen metric, where there is one fold only
    rows: int = 0  # that it was trained on
    converged: bool = True  # False if the fit ended at its limit of iterations


def fit(folder: str, model: str, key: str) -> FoldResult:
    """Fit a candidate on a fold, predict its test rows, and compute all metrics once."""
    run = context(folder)
    candidate, fold, classes = run.experiment.candidate(model), run.fold(key), len(run.target.classes)
    start = time.perf_counter()
    codes = run.y[fold.train]
    if run.setting.task != "regression" and not candidate.is_baseline and len(np.unique(codes)) < 2:
        raise NotApplicable(
            f"In fold {fold.fold + 1} all training rows are {str(run.target.classes[codes[0]])!r}: the other "
            "class has too few rows to be learned and tested."
        )
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")  # missing classes: the scores show them; what did not converge is kept
        learned = learn(run, candidate, key, run.y)
        estimator, converged = learned.estimator, not any(_is_convergence(w) for w in raised)
        seconds = time.perf_counter() - start
        predictions = predict(estimator, features(run, candidate, key, "test"), run.y[fold.test], classes)
        predictions = replace(predictions, weights=run.weights_of(fold.test))
        predictions = warm_start.joined(run.folder, candidate, key, predictions)
        predict_seconds = time.perf_counter() - start - seconds
        every = max(1, len(learned.rows) // TRAIN_SCORE_ROWS)
        shown, X = learned.rows[::every], rows_of(features(run, candidate, key, "train"), learned.places[::every])
        on_train = predict(estimator, X, run.y[shown], classes)
        on_train = replace(on_train, weights=run.weights_of(shown))
    warm_start.keep(run.folder, candidate, key, estimator, seconds)
    write_fold(run.paths.fold(model, key), predictions)
    values, undefined = compute_all(run.setting.task, predictions)
    # Of a forest that was continued, only the further trees have been asked about training rows.
    train_score = None if warm_start.is_joined(run.folder, candidate) else compute(run.metric, on_train)[0]
    return FoldResult(
        model=model,
        key=key,
        seconds=seconds,
        predict_seconds=predict_seconds,
        metrics=values,
        undefined=undefined,
        train_score=train_score,
        ci=interval_of(run.metric, predictions) if len(run.plan.folds) == 1 else None,
        rows=len(learned.rows),
        converged=converged,
    )


def _is_convergence(warning: warnings.WarningMessage) -> bool:
    """Whether a warning says that a fit ended before it converged."""
    return warning.category.__name__ == "ConvergenceWarning" or "did not converge" in str(warning.message)


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A fitted estimator, the places of its rows in the encoded array, and their positions among all training rows."""

    estimator: Any
    places: Array
    rows: Array


def learn(run: Context, candidate: Candidate, key: str, values: Array) -> Learned:
    """Fit a candidate on the training rows of a fold or on all.

    `values` are the codes, values or labels of all training rows. Rows beyond a model's limit are left out at random.
    """
    train, setting = run.train(key), run.setting
    kept = run.kept(key, run.family_of(candidate)) if candidate.needs_encoding else None
    if kept is not None:
        train, setting = train[kept.rows], replace(setting, categories=kept.categories)
    codes, X = run.y[train], features(run, candidate, key, "train")
    places = np.arange(len(train))
    if candidate.most_rows is not None and len(train) > candidate.most_rows:
        stratified = run.setting.task != "regression"
        places = sample_rows(codes, candidate.most_rows, run.setting.seed, stratified=stratified)
        X = rows_of(X, places)
    rows, unlabelled = train[places], None
    if candidate.unlabelled and len(run.unknown):
        unlabelled = run.shared(key, run.family_of(candidate), "unlabelled")
    if candidate.search is not None:
        candidate = _searched(run, candidate, key, _TrainingRows(X, rows, unlabelled, setting.categories))
    setting = setting.for_fit(run.y[rows])
    if key == FINAL:  # of the fast library only some models can be stored
        setting = replace(setting, labels=(), fast=setting.fast and candidate.stores_fast)
    estimator = candidate.build(setting, run.folder)
    if key == FINAL and _has_fractional_labels(run, candidate):
        estimator = candidate.with_encoded_labels(estimator)
    options = fit_options(run, candidate, estimator, rows, unlabelled)
    fitted = warm_start.fit(run.folder, candidate, key, estimator, (X, values[rows]), options)
    return Learned(estimator=fitted, places=places, rows=rows)


def _has_fractional_labels(run: Context, candidate: Candidate) -> bool:
    """Whether classes are fractions, which scikit-learn takes for a continuous target even as labels."""
    classes = run.target.classes
    return len(classes) > 0 and classes.dtype.kind == "f" and candidate.family != "raw"


def fit_options(run: Context, candidate: Candidate, estimator: Any, rows: Array, unlabelled: Any) -> dict[str, Any]:
    """The arguments of a fit other than features and target: weights, and rows without a target."""
    options: dict[str, Any] = {}
    weights = run.weights_of(rows)
    if run.experiment.recipe.resampling == "weights" and run.setting.task != "regression" and not candidate.is_baseline:
        weights = balanced_weights(run.y[rows], weights)
    if weights is not None and takes_weights(estimator):
        options["sample_weight"] = weights
    if candidate.unlabelled:
        if unlabelled is None:
            raise NotApplicable("Every row has a target, so there is no unlabelled row to learn from.")
        most = max(1, (candidate.most_rows or len(unlabelled) + len(rows)) - len(rows))
        options["unlabelled"] = np.asarray(unlabelled[:: max(1, -(-len(unlabelled) // most))])
    return options


def takes_weights(estimator: Any) -> bool:
    """Whether an estimator, or the one it wraps, takes sample weights."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.utils.validation import has_fit_parameter

    from mlcore.models.label_encoding import LabelEncoding

    inner = estimator
    while isinstance(inner, TransformedTargetRegressor) or type(inner) is LabelEncoding:
        inner = inner.regressor if isinstance(inner, TransformedTargetRegressor) else inner.estimator
    return bool(has_fit_parameter(inner, "sample_weight"))


@dataclass(frozen=True)
class _TrainingRows:
    """What a search works on: features of the training rows, their positions, and rows without a target."""

    features: Any
    positions: Array
    unlabelled: Any
    categories: int  # of the features, the first so many are category codes


def _searched(run: Context, candidate: Candidate, key: str, rows: _TrainingRows) -> Candidate:
    """A candidate with the best parameters that its search finds inside these training rows."""
    assert candidate.search is not None
    y, classes = run.y[rows.positions], len(run.target.classes)
    folds = _inner_folds(run, rows.positions, candidate.search.folds)

    def score(parameters: dict[str, Any], train: Array, test: Array) -> tuple[float | None, float | None]:
        """Scores of one setting on the test and on the training rows of an inner fold."""
        trial = with_parameters(candidate, parameters)
        setting = replace(run.setting, categories=rows.categories)
        estimator = trial.build(setting.for_fit(y[train]), run.folder)
        options = fit_options(run, trial, estimator, rows.positions[train], rows.unlabelled)
        estimator.fit(rows.features[train], y[train], **options)
        sample = train[:: max(1, len(train) // TRAIN_SCORE_ROWS)]
        of_test, of_train = (
            replace(
                predict(estimator, rows.features[part], y[part], classes), weights=run.weights_of(rows.positions[part])
            )
            for part in (test, sample)
        )
        return compute(run.metric, of_test)[0], compute(run.metric, of_train)[0]

    best = trials.search(
        run.paths.trials(candidate.model, key),
        trials.Problem(candidate, run.metric, run.setting.task, run.setting.seed),
        folds,
        score,
    )
    return with_parameters(candidate, best)


def _inner_folds(run: Context, positions: Array, count: int) -> list[tuple[Array, Array]]:
    """Inner folds of training rows at these positions; rows that stand there twice stay on one side, tested once."""
    each, first, place = np.unique(positions, return_index=True, return_inverse=True)
    folds = inner_folds(run.experiment.protocol, run.setting.task, run.y[each], run.keys.iloc[each], count)
    if len(each) == len(positions) and np.array_equal(each, positions):
        return folds
    return [(np.flatnonzero(np.isin(place, train)), first[test]) for train, test in folds]


def with_parameters(candidate: Candidate, chosen: dict[str, Any]) -> Candidate:
    """A candidate with some parameters set, and nothing left to search."""
    return replace(candidate, parameters=tuple(sorted({**dict(candidate.parameters), **chosen}.items())), search=None)


def predict(estimator: Any, X: Any, truth: Array, classes: int) -> Predictions:
    """Predict rows; probabilities are aligned with all classes of the target, absent classes get 0."""
    prediction = np.asarray(estimator.predict(X))
    if not classes:
        return Predictions(truth, prediction.astype(float).ravel())
    known = np.asarray(estimator.classes_).astype(int)
    if hasattr(estimator, "predict_proba"):
        probabilities = np.zeros((len(truth), classes))
        probabilities[:, known] = estimator.predict_proba(X)
        return Predictions(truth, prediction.astype(int), classes, probabilities)
    ranks = classes == 2 and len(known) == 2 and hasattr(estimator, "decision_function")
    decision = np.asarray(estimator.decision_function(X)) if ranks else None
    return Predictions(truth, prediction.astype(int), classes, None, decision)


def features(run: Context, candidate: Candidate, key: str, part: str) -> Any:
    """What a candidate sees of the training or test rows of a fold."""
    rows = run.train(key) if part == "train" else run.fold(key).test
    if candidate.family == "none":
        return np.zeros((len(rows), 1))
    if candidate.family == "raw":
        return run.raw.iloc[rows]
    return run.shared(key, run.family_of(candidate), part)


def rows_of(X: Any, rows: Array) -> Any:
    """Some rows of features, which are an array or, for models that see raw columns, a frame."""
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def finish(folder: str, model: str) -> dict[str, Any]:
    """Fit a candidate on all training rows and store the whole Pipeline, which predicts the target's own labels."""
    from sklearn.pipeline import Pipeline

    from mlcore.features.transformers import Conform

    run = context(folder)
    start = time.perf_counter()
    candidate = run.experiment.candidate(model)
    labels = run.target.classes[run.y] if len(run.target.classes) else run.y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learned = learn(run, candidate, FINAL, labels)
    estimator, steps = learned.estimator, [("columns", Conform.of(run.experiment.schema))]
    if candidate.needs_encoding:
        features = storage.load(run.encoded(FINAL, run.family_of(candidate), "encoder").with_suffix(".skops"))
        steps.append(("features", features))
    storage.dump(Pipeline([*steps, ("model", estimator)]), run.paths.model(model))
    return {
        "fit_seconds": round(time.perf_counter() - start, 4),
        "bytes": run.paths.model(model).stat().st_size,
        "rows": len(learned.rows),
        "description": estimator.words() if hasattr(estimator, "words") else "",
    }
