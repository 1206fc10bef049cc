"""Studies of a finished run: learning curves, validation curves, and what a leak would have cost.

They refit on its folds, in a worker process.

A study is a folder below the run: what was asked, and one event per fit. It can be watched while it grows.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from mlcore.data.workspace import write_whole
from mlcore.errors import BadInput
from mlcore.experiment.experiment import Experiment
from mlcore.models.catalogue import Family
from mlcore.models.parameters import Parameter
from mlcore.result import Array
from mlcore.runs import lock
from mlcore.runs.context import TRAIN_SCORE_ROWS, Context, context
from mlcore.runs.events import Event, EventReader, append_later, first, since_resumed
from mlcore.runs.fit import encode, fit_options, fit_steps, predict, rows_of, with_parameters
from mlcore.runs.folder import RunFolder
from mlcore.runs.paths import STUDIES
from mlcore.runs.process import end_worker, is_starting
from mlcore.runs.trials import best_trial, read_trials
from mlcore.validation.metrics import compute
from mlcore.validation.splitter import Fold, sample_rows

FRACTIONS = (0.1, 0.25, 0.5, 0.75, 1.0)  # of the training rows
MOST_FOLDS = 5
POINTS = 8  # values of a hyperparameter
FEWEST = 20  # training rows worth a point
WHOLE = 1.02  # folds differ by a row or two; a size that is nearly a whole fold is the whole fold
REQUEST = "study.json"

State = Literal["absent", "running", "finished", "failed", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is asked: how scores grow with rows, how they change with one hyperparameter, what a leak would cost, or how
    much a model needs each column.

    The `parameter` of a leak is the place of a step among those that are fitted inside the folds, or `END`.
    """

    kind: Literal["learning", "validation", "leak", "importance"]
    model: str
    parameter: str = ""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return hashlib.blake2b(json.dumps(asdict(self)).encode(), digest_size=6).hexdigest()

    @property
    def part(self) -> str:
        """Its folder below the run's, by which its worker is started."""
        return f"{STUDIES}/{self.name}"

    def checked(self, run: RunFolder) -> Study:
        """Return it. Raises BadInput when the run cannot answer it."""
        candidate = run.experiment.candidate(self.model)
        if run.experiment.protocol.split == "leave_one_out":
            raise BadInput("Leave-one-out tests on one row at a time, too few for a curve. Compare with folds instead.")
        if self.model not in run.predicted() or candidate.is_blend:
            raise BadInput(f"{candidate.label} has no fits in this run to study.")
        if self.kind == "validation":
            tunable_parameter(run, self.model, self.parameter)
        if self.kind == "leak" and self.parameter not in leaking(run.experiment):
            raise BadInput(f"{self.parameter!r} cannot leak; steps that are fitted can: "
                           f"{', '.join(leaking(run.experiment))}.")  # fmt: skip
        return self


@dataclass(frozen=True)
class Point:
    """One fit: on which fold, with how many rows or which value, and its scores on test and training rows."""

    key: str
    rows: int
    value: Any
    score: float | None
    train_score: float | None


@dataclass(frozen=True, kw_only=True)
class StudyState:
    """How far a study is."""

    state: State
    fraction: float = 0.0  # of the fits that are done
    reason: str = ""  # why it failed
    left: float | None = None  # seconds, estimated


def tunable(run: RunFolder, model: str) -> dict[str, Parameter]:
    """The hyperparameters of a model that have a range or choices; none for an own estimator or the blend."""
    row = run.experiment.candidate(model).row
    task = run.experiment.recipe.task
    return {p.name: p for p in row.parameters_for(task) if p.search or p.choices} if row else {}


def tunable_parameter(run: RunFolder, model: str, name: str) -> Parameter:
    """A hyperparameter of a model with a range. Raises BadInput when there is none of that name."""
    able = tunable(run, model)
    if name not in able:
        raise BadInput(f"{model} has no parameter {name!r} with a range; it has {', '.join(able) or 'none'}.")
    return able[name]


END = "end"  # the encoding at the end, in place of a step
SIDES = ("inside the folds", "on all rows")


def leaking(experiment: Experiment) -> dict[str, str]:
    """What could leak, by its place among the steps that are fitted: their titles, and the encoding at the end."""
    fitted = experiment.recipe.fitted(experiment.schema)
    names = {str(i): s.title for i, s in enumerate(fitted) if s.works != "changes training rows only"}
    return {**names, END: "missing values, encoding and scaling at the end"}


def request(run: RunFolder, study: Study) -> None:
    """Write down what is asked, so that a worker can be started for it. Raises BadInput."""
    folder = run.paths.study(study.checked(run).name)
    if state_of(run, study).state == "finished":  # a newer request would make it look as if it were starting
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / REQUEST, json.dumps(asdict(study)))


def read_request(folder: Path) -> Study:
    """What a study's folder asks."""
    return Study(**json.loads((folder / REQUEST).read_text("utf-8")))


def points_of(run: RunFolder, study: Study) -> list[Point]:
    """The points so far."""
    names = Point.__dataclass_fields__
    return [Point(**{n: e[n] for n in names}) for e in _events(run, study) if e["event"] == "point"]


def _events(run: RunFolder, study: Study) -> Sequence[Event]:
    return EventReader(run.paths.study(study.name)).events()


def state_of(run: RunFolder, study: Study) -> StudyState:
    """How far a study is."""
    folder = run.paths.study(study.name)
    if not (folder / REQUEST).exists():
        return StudyState(state="absent")
    starting = is_starting(folder, REQUEST)
    alive = lock.is_held(folder) or starting  # before the events, because its end is written last
    events = _events(run, study)
    last = since_resumed(events)[-1] if events else {"event": ""}
    if last["event"] in ("finished", "failed") and not starting:
        return StudyState(
            state="finished" if last["event"] == "finished" else "failed",
            fraction=1.0,
            reason=str(last.get("reason", "")),
        )
    started = first(events, "started")
    total = started["total"] if started else 0
    fraction = sum(e["event"] == "point" for e in events) / total if total else 0.0
    left = events[-1]["seconds"] * (1 - fraction) / fraction if events and fraction > 0.1 else None
    return StudyState(state="running" if alive else "interrupted", fraction=fraction, left=left)


def stop(run: RunFolder, study: Study) -> None:
    """End a study; the fits that are done stay, and it can be resumed."""
    folder = run.paths.study(study.name)
    if state_of(run, study).state == "running" and end_worker(folder):
        seconds = max((e["seconds"] for e in _events(run, study)), default=0.0)
        append_later(folder, REQUEST, {"event": "stopped", "seconds": seconds})


# the work -------------------------------------------------------------------------------------------------------------


def tasks_of(folder: str, study: Study) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """All fits of a study, those of one fold in a row, because they share its encoded columns."""
    run = context(folder)
    folds = [f for f in run.plan.folds if f.repeat == 0][:MOST_FOLDS]
    if run.experiment.protocol.kind(run.setting.task) == "time":  # early folds have few rows to learn from
        longest = max(len(f.train) for f in folds)
        folds = [f for f in folds if len(f.train) >= longest / 2]
    smallest = min(len(f.train) for f in folds)  # all folds have the same sizes, so that they can be paired
    tasks: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
    for fold in folds:
        if study.kind == "learning":
            sizes = sorted({max(min(FEWEST, smallest), round(s * smallest)) for s in FRACTIONS})
            tasks += [(point, (folder, study.model, fold.key, size, {})) for size in sizes]
        elif study.kind == "importance":
            names = [None, *run.raw.columns]
            tasks += [(shuffled_point, (folder, study.model, fold.key, name)) for name in names]
        elif study.kind == "leak":
            tasks += [(leak_point, (folder, study.model, fold.key, study.parameter, side)) for side in SIDES]
        else:
            parameter = tunable_parameter(RunFolder(Path(folder)), study.model, study.parameter)
            values = parameter.grid(POINTS)
            tasks += [(point, (folder, study.model, fold.key, 0, {parameter.name: v})) for v in values]
    return tasks


@dataclass(frozen=True)
class _Encoded:
    """The columns that a family sees of a fold, the rows that it is trained on, and those without a target."""

    train: Any
    test: Any
    rows: Array
    unlabelled: Any = None
    categories: int = 0  # of the features, the first so many are category codes


@lru_cache(maxsize=1)
def _encoded(folder: str, key: str, family: str, size: int) -> _Encoded:
    """Encode `size` training rows of a fold (0: all), and its test rows."""
    run = context(folder)
    fold = run.fold(key)
    train = fold.train
    if size and size * WHOLE < len(train):
        stratified = run.setting.task != "regression"
        train = train[sample_rows(run.y[train], size, run.setting.seed + fold.fold, stratified=stratified)]
    if family == "none":
        return _Encoded(np.zeros((len(train), 1)), np.zeros((len(fold.test), 1)), train)
    if family == "raw":
        return _Encoded(run.raw.iloc[train], run.raw.iloc[fold.test], train)
    encoded = encode(run, family, fit_steps(run, train))  # type: ignore[arg-type]
    unlabelled = encoded.of(run.prepared.iloc[run.unknown]) if len(run.unknown) else None
    kept, categories = encoded.kept, run.setting.categories
    rows, categories = (train, categories) if kept is None else (train[kept.rows], kept.categories)
    return _Encoded(encoded.train, encoded.of(run.prepared.iloc[fold.test]), rows, unlabelled, categories)


SHUFFLES = 3  # of each column in each fold


def shuffled_point(folder: str, model: str, key: str, column: str | None) -> Point:
    """Score the test rows of a fold with one column shuffled among them; as they are without a column."""
    run = context(folder)
    fold, classes = run.fold(key), len(run.target.classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        of_features, estimator = _fitted(folder, model, key)
        rows, scores = run.raw.iloc[fold.test], []
        place = -1 if column is None else list(rows.columns).index(column)
        rng = np.random.default_rng([run.setting.seed, fold.fold, place + 1])
        for _ in range(1 if column is None else SHUFFLES):
            order = rng.permutation(len(rows))
            shuffled = rows if column is None else rows.assign(**{column: rows[column].array[order]})
            predictions = predict(estimator, of_features(shuffled), run.y[fold.test], classes)
            scores.append(compute(run.metric, replace(predictions, weights=run.weights_of(fold.test)))[0])
    known = [s for s in scores if s is not None]
    return Point(key, len(fold.train), column, float(np.mean(known)) if known else None, None)


@lru_cache(maxsize=2)
def _fitted(folder: str, model: str, key: str) -> tuple[Callable[[Any], Any], Any]:
    """What makes the features of raw rows, and the estimator that was fitted on the training rows of a fold."""
    run = context(folder)
    candidate, train = run.experiment.candidate(model), run.fold(key).train
    X: Any
    of_features: Callable[[Any], Any]
    rows, categories = train, run.setting.categories
    if candidate.family == "raw":
        X, of_features = run.raw.iloc[train], lambda frame: frame
    elif candidate.family == "none":
        X, of_features = np.zeros((len(train), 1)), lambda frame: np.zeros((len(frame), 1))
    else:
        encoded = encode(run, run.family_of(candidate), fit_steps(run, train))
        X, of_features = encoded.train, lambda frame: encoded.of(run.leading.transform(frame))
        if encoded.kept is not None:
            rows, categories = train[encoded.kept.rows], encoded.kept.categories
    most = candidate.most_rows
    if most is not None and len(rows) > most:
        sample = sample_rows(run.y[rows], most, run.setting.seed, stratified=run.setting.task != "regression")
        X, rows = rows_of(X, sample), rows[sample]
    setting = replace(run.setting, categories=categories)
    estimator = candidate.build(setting.for_fit(run.y[rows]), run.folder)
    unlabelled = of_features(run.raw.iloc[run.unknown]) if candidate.unlabelled and len(run.unknown) else None
    estimator.fit(X, run.y[rows], **fit_options(run, candidate, estimator, rows, unlabelled))
    return of_features, estimator


def leak_point(folder: str, model: str, key: str, place: str, side: str) -> Point:
    """Fit and score a candidate on a fold; on one side a step, or the encoding, has learned from the test rows too."""
    run = context(folder)
    candidate, fold = run.experiment.candidate(model), run.fold(key)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if side == SIDES[0]:
            return replace(point(folder, model, key, 0, {}), value=side)
        train, test = _leaked(run, run.family_of(candidate), fold, place)
        y = run.y[fold.train]
        estimator = candidate.build(replace(run.setting, categories=0).for_fit(y), run.folder)
        estimator.fit(train, y, **fit_options(run, candidate, estimator, fold.train, None))
        score = compute(run.metric, predict(estimator, test, run.y[fold.test], len(run.target.classes)))[0]
    return Point(key, len(y), side, score, None)


def _leaked(run: Context, family: Family, fold: Fold, place: str) -> tuple[Array, Array]:
    """The features of the training and test rows of a fold, where one step has learned from both.

    Steps that change training rows are left out: they would change which rows are scored.
    """
    recipe, seed = run.experiment.recipe, run.setting.seed
    both = np.concatenate([fold.train, fold.test])
    train, test, schema = run.prepared.iloc[fold.train], run.prepared.iloc[fold.test], run.schema
    for i, step in enumerate(run.steps):
        if step.works != "changes training rows only":
            sequence = recipe.sequence([step], schema, seed)
            if str(i) == place:
                train = sequence.fit(pd.concat([train, test]), run.y[both]).transform(train)
            else:
                train = sequence.fit_rows(train, run.y[fold.train])[0]
            test, schema = sequence.transform(test), sequence.schema_after()
    encoder = recipe.encoder(schema, family)
    if place == END:
        encoder.fit(pd.concat([train, test]), run.y[both])
        return encoder.transform(train), encoder.transform(test)
    return encoder.fit_transform(train, run.y[fold.train]), encoder.transform(test)


def point(folder: str, model: str, key: str, size: int, changes: dict[str, Any]) -> Point:
    """Fit a candidate with changed parameters on `size` training rows of a fold (0: all); score train and test rows.

    A searched candidate has the parameters that its search found in this fold.
    """
    run = context(folder)
    candidate = run.experiment.candidate(model)
    if candidate.search is not None:
        trials = read_trials(run.paths.trials(model, key))
        candidate = with_parameters(candidate, best_trial(trials, run.metric).parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoded = _encoded(folder, key, run.family_of(candidate), size)
        features, rows = encoded.train, encoded.rows
        y = run.y[rows]
        most = candidate.most_rows
        if most is not None and len(y) > most:
            sample = sample_rows(y, most, run.setting.seed, stratified=run.setting.task != "regression")
            features, rows, y = features[sample], rows[sample], y[sample]
        changed = with_parameters(candidate, changes)
        setting = replace(run.setting, categories=encoded.categories)
        estimator = changed.build(setting.for_fit(y), run.folder)
        estimator.fit(features, y, **fit_options(run, changed, estimator, rows, encoded.unlabelled))
        classes, step = len(run.target.classes), max(1, len(y) // TRAIN_SCORE_ROWS)
        score = compute(run.metric, predict(estimator, encoded.test, run.y[run.fold(key).test], classes))[0]
        train_score = compute(run.metric, predict(estimator, features[::step], y[::step], classes))[0]
    return Point(key, size or len(encoded.rows), next(iter(changes.values()), None), score, train_score)
