"""Studies of a finished run: learning curves, and what one parameter does. They refit on its folds, in a process.

A study is a folder below the run: what was asked, and a line for each point. It can be watched while it grows.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from mlcore import stats
from mlcore.compare.run import Run, end_worker, just_ordered, since_resumed, tell_after
from mlcore.compare.tune import best_of, read_trace, trace_file
from mlcore.errors import BadInput, NotFound, RunFailed
from mlcore.metrics import Metric, compute
from mlcore.models import Knob
from mlcore.protocol import drawn
from mlcore.result import Array, Help, Result, number, plus_minus
from mlcore.workspace import write_whole

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)  # of the training rows
MOST_FOLDS = 5
POINTS = 8  # values of a parameter
FEWEST = 20  # training rows worth a point


@dataclass(frozen=True)
class Study:
    """What is asked: how scores grow with rows, or change with one parameter."""

    kind: Literal["learning", "knob"]
    model: str
    knob: str = ""

    @property
    def name(self) -> str:
        """The folder's name."""
        return hashlib.blake2b(json.dumps(asdict(self)).encode(), digest_size=6).hexdigest()

    def checked(self, run: Run) -> Study:
        """Raise BadInput when the run cannot be asked this."""
        candidate = run.experiment.candidate(self.model)
        if run.experiment.protocol.split == "leave_one_out":
            raise BadInput("Leave-one-out tests on one row at a time, too few for a curve. Compare with folds instead.")
        if self.model not in run.predicted() or self.model == "blend":
            raise BadInput(f"{candidate.title or self.model} has no fits of its own in this run to study.")
        if self.kind == "knob":
            turned(run, self.model, self.knob)
        return self


@dataclass(frozen=True)
class Point:
    """One fit: on which fold, of about how many rows or with which value, and its two scores."""

    key: str
    rows: int
    value: Any
    score: float | None
    seen: float | None


def folder_of(run: Run, study: Study) -> Path:
    """Where a study lies."""
    return run.path / "studies" / study.name


def can_be_turned(run: Run, model: str) -> dict[str, Knob]:
    """The knobs of a model of a run that have a range or choices; none for an own estimator or the blend."""
    row = run.experiment.candidate(model).row
    return {k.name: k for k in row.knobs_of(run.experiment.recipe.task) if k.search or k.choices} if row else {}


def turned(run: Run, model: str, knob: str) -> Knob:
    """The knob of a model of a run. Raises BadInput when it has none of that name with a range."""
    able = can_be_turned(run, model)
    if knob not in able:
        raise BadInput(f"{model} has no parameter {knob!r} with a range; it has {', '.join(able) or 'none'}.")
    return able[knob]


def order(run: Run, study: Study) -> Path:
    """Write down what is asked, unless it has been."""
    place = folder_of(run, study.checked(run))
    place.mkdir(parents=True, exist_ok=True)
    write_whole(place / "study.json", json.dumps(asdict(study)))
    return place


def points_of(run: Run, study: Study) -> list[Point]:
    """The points so far."""
    return [
        Point(**{k: e[k] for k in Point.__dataclass_fields__}) for e in _events(run, study) if e["event"] == "point"
    ]


def _events(run: Run, study: Study) -> list[dict[str, Any]]:
    try:
        lines = (folder_of(run, study) / "events.jsonl").read_text("utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def state_of(run: Run, study: Study) -> tuple[str, float, str]:
    """Where a study is: absent, running, finished, failed or interrupted; the share that is done; why it failed."""
    place = folder_of(run, study)
    if not (place / "study.json").exists():
        return "absent", 0.0, ""
    alive = Run(place).alive() or just_ordered(place, "study.json")  # before the events, as its end is told last
    events = _events(run, study)
    last = since_resumed(events)[-1] if events else {"event": ""}
    if last["event"] in ("finished", "failed") and not just_ordered(place, "study.json"):
        return str(last["event"]), 1.0, str(last.get("reason", ""))
    total = next((e["total"] for e in events if e["event"] == "started"), 0)
    done = sum(e["event"] == "point" for e in events)
    return "running" if alive else "interrupted", done / total if total else 0.0, ""


def left_of(run: Run, study: Study) -> float | None:
    """Seconds that a study will still take, about, by what is done; None while that cannot be said."""
    events, share = _events(run, study), state_of(run, study)[1]
    return events[-1]["seconds"] * (1 - share) / share if events and share > 0.1 else None


def stop(run: Run, study: Study) -> None:
    """End a study that is under way; the fits that are done stay, and it can be gone on with."""
    if state_of(run, study)[0] == "running" and end_worker(folder_of(run, study)):
        seconds = max((e["seconds"] for e in _events(run, study)), default=0.0)
        tell_after(folder_of(run, study), "study.json", {"event": "stopped", "seconds": seconds})


# the work -------------------------------------------------------------------------------------------------------------


def tasks_of(folder: str, study: Study) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """All fits of a study; those of one fold follow one another, as they share its columns."""
    from mlcore.compare.tasks import context

    run = context(folder)
    folds = [f for f in run.plan.folds if f.repeat == 0][:MOST_FOLDS]
    if run.experiment.protocol.kind(run.setting.task) == "time":  # early folds have few rows to learn from
        longest = max(len(f.train) for f in folds)
        folds = [f for f in folds if len(f.train) >= longest / 2]
    smallest = min(len(f.train) for f in folds)  # all folds have the same sizes, so that they can be paired
    made: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
    for fold in folds:
        if study.kind == "learning":
            sizes = sorted({max(min(FEWEST, smallest), round(s * smallest)) for s in SHARES})
            made += [(point, (folder, study.model, fold.key, size, {})) for size in sizes]
        else:
            knob = turned(Run(Path(folder)), study.model, study.knob)
            made += [(point, (folder, study.model, fold.key, 0, {knob.name: v})) for v in knob.grid(POINTS)]
    return made


ABOUT = 1.02  # folds differ by a row or two; a size that is nearly a whole fold is the whole fold


@lru_cache(maxsize=1)
def _encoded(folder: str, key: str, family: str, size: int) -> tuple[Any, Any, Array, Any]:
    """What a family sees of so many training rows of a fold, of its test rows, and of those without a target."""
    from mlcore.compare.tasks import context

    run = context(folder)
    fold = run.fold(key)
    train = fold.train
    if size and size * ABOUT < len(train):
        stratified = run.setting.task != "regression"
        train = train[drawn(run.y[train], size, run.setting.seed + fold.fold, stratified=stratified)]
    if family == "none":
        return np.zeros((len(train), 1)), np.zeros((len(fold.test), 1)), train, None
    if family == "raw":
        return run.raw.iloc[train], run.raw.iloc[fold.test], train, None
    encoder = run.experiment.recipe.encoder(run.experiment.schema, family)  # type: ignore[arg-type]
    seen = encoder.fit_transform(run.prepared.iloc[train], run.y[train])
    without = encoder.transform(run.prepared.iloc[run.unknown]) if len(run.unknown) else None
    return seen, encoder.transform(run.prepared.iloc[fold.test]), train, without


def point(folder: str, model: str, key: str, size: int, changes: dict[str, Any]) -> Point:
    """Fit a candidate with some changes on so many training rows of a fold (0: all), and score it on both sides.

    A searched candidate has the parameters that its search found in this fold.
    """
    from mlcore.compare.tasks import SEEN, context, fit_options, predict, with_parameters

    run = context(folder)
    candidate = run.experiment.candidate(model)
    if candidate.search is not None:
        found = best_of(read_trace(trace_file(run.folder, model, key)), run.metric).parameters
        candidate = with_parameters(candidate, found)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given, tested, train, without = _encoded(folder, key, candidate.family, size)
        y = run.y[train]
        most = candidate.most_rows
        if most is not None and len(y) > most:
            rows = drawn(y, most, run.setting.seed, stratified=run.setting.task != "regression")
            given, train, y = given[rows], train[rows], y[rows]
        changed = with_parameters(candidate, changes)
        estimator = changed.build(run.setting.seeing(y), run.folder)
        estimator.fit(given, y, **fit_options(run, changed, estimator, train, without))
        classes, step = len(run.target.classes), max(1, len(y) // SEEN)
        score = compute(run.metric, predict(estimator, tested, run.y[run.fold(key).test], classes))[0]
        seen = compute(run.metric, predict(estimator, given[::step], y[::step], classes))[0]
    return Point(key, size or len(train), next(iter(changes.values()), None), score, seen)


# the results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Level:
    """All folds at one size or value: means, the corrected interval, and the scores of the folds."""

    at: Any
    score: float
    ci: tuple[float, float] | None
    seen: float | None
    folds: tuple[float, ...]


def _levels(points: list[Point], by: str, ratio: float, row: Metric) -> list[Level]:
    found: dict[Any, list[Point]] = {}
    for one in sorted(points, key=lambda p: p.key):
        found.setdefault(getattr(one, by), []).append(one)
    most = max((len(v) for v in found.values()), default=0)
    levels = []
    for at, group in found.items():
        scores = [p.score for p in group if p.score is not None]
        if len(scores) < most:
            continue
        seen = [p.seen for p in group if p.seen is not None]
        mean = stats.interval(np.array(scores, float), ratio)
        levels.append(Level(at, mean.mean, mean.within(row.bounds), float(np.mean(seen)) if seen else None,
                            tuple(scores)))  # fmt: skip
    return levels


@dataclass(frozen=True)
class LearningCurve(Result):
    """How the score of a model grows with the rows that it learns from."""

    model: str
    title: str
    metric: Metric
    levels: tuple[Level, ...]
    ratio: float

    help: ClassVar[Help] = Help(
        "The model is fitted on growing shares of the training rows of each fold, and scored on the same test rows.",
        "Solid: rows that it had not seen, with 95 % intervals. Dashed: rows that it had learned from. Where the two "
        "meet, more rows bring nothing; a wide gap says that it learns noise, which more rows mend.",
        "What lies beyond the last point is a guess from the last two doublings.",
        "If the curve still climbs, get rows. If it is flat and low, get better columns or another model.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a size."""
        return _frame(self.levels, "rows", self.metric)

    def gain(self) -> tuple[float, tuple[float, float], int, int] | None:
        """What a doubling brought lately, its interval, and between which sizes; None for too few points.

        In each fold a line is fitted to the scores over the logarithm of the rows, from a quarter of them on; the
        interval of the mean slope is the corrected one.
        """
        late = [lv for lv in self.levels if lv.at >= max(x.at for x in self.levels) / 4.2]
        if len(late) < 2 or any(len(lv.folds) < 2 for lv in late):
            return None
        x = np.log2([lv.at for lv in late])
        scores = np.array([self.metric.signed(np.array(lv.folds)) for lv in late])  # (sizes, folds)
        slopes = ((x - x.mean())[:, None] * scores).sum(axis=0) / ((x - x.mean()) ** 2).sum()
        found = stats.interval(slopes, self.ratio)
        return found.mean, (found.low, found.high), late[0].at, late[-1].at

    def coming(self) -> float | None:
        """About what the next doubling would bring: gains fade as they did lately, and never grow."""
        at = {lv.at: lv for lv in self.levels}
        last = max(at)
        half, quarter = (min(at, key=lambda s: abs(s - last / part)) for part in (2, 4))
        if not quarter < half < last:
            return None
        sizes = (last, half, quarter)
        whole, middle, first = (float(self.metric.signed(np.array(at[s].folds)).mean()) for s in sizes)
        if whole <= middle or middle <= first:
            return None
        return (whole - middle) * min(1.0, (whole - middle) / (middle - first))

    def sentence(self) -> str:
        """Would more rows help, and about how much."""
        told = self.gain()
        if told is None:
            return f"{self.title}: too few rows for a learning curve."
        gained, ci, few, many = told
        name = self.metric.title
        if ci[0] <= 1e-9 * max(abs(lv.score) for lv in self.levels):
            little = ci[1] < 2 * self.metric.rope(max(abs(lv.score) for lv in self.levels))
            end = "more rows of this kind would hardly help" if little else "whether more rows would help is not sure"
            return (
                f"{self.title}: from {few:,} to {many:,} rows {name} changed by {plus_minus(gained, ci)} with each "
                f"doubling: {end}."
            )
        coming = self.coming()
        hint = f" Twice as many rows would bring about {number(coming, 2)} more." if coming else ""
        return (
            f"{self.title}: from {few:,} to {many:,} rows {name} got better by {plus_minus(gained, ci)} with each "
            f"doubling.{hint}"
        )


@dataclass(frozen=True)
class KnobCurve(Result):
    """What one parameter of a model does, on rows that it learned from and on others."""

    model: str
    title: str
    knob: Knob
    metric: Metric
    levels: tuple[Level, ...]

    help: ClassVar[Help] = Help(
        "The model is fitted with each value on the training rows of each fold, all else kept.",
        "Solid: rows that it had not seen, with 95 % intervals. Dashed: rows that it had learned from. Where both are "
        "low it underfits; where the dashed line is good and the solid one falls off, it learns the noise.",
        "The best value of a curve is chosen by its scores, so that its score flatters a little.",
        "Take the simplest value whose interval reaches the best one.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a value."""
        return _frame(self.levels, self.knob.name, self.metric)

    def sentence(self) -> str:
        """Where it is best, and what lies on either side."""
        if not self.levels:
            return f"{self.title}: no value of {self.knob.name} has a score."
        sign = 1 if self.metric.higher_is_better else -1
        best = max(self.levels, key=lambda lv: sign * lv.score)
        said = f"{self.title} is best at {self.knob.name} = {_value(best.at)}: {self.metric.title} "
        said += plus_minus(best.score, best.ci)
        ends = (self.levels[0].at, self.levels[-1].at)
        if not self.knob.choices and best.at in ends and len(self.levels) > 2:
            said += ". That is the edge of what was tried; better values may lie beyond"
        alike = [lv for lv in self.levels if best.ci and best.ci[0] <= lv.score <= best.ci[1]]
        if len(alike) == len(self.levels):
            said += ", but no value is measurably worse"
        return said + "."


def _value(value: Any) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _frame(levels: tuple[Level, ...], name: str, row: Metric) -> pd.DataFrame:
    return pd.DataFrame([
        {name: lv.at, row.name: lv.score, "low": lv.ci[0] if lv.ci else None, "high": lv.ci[1] if lv.ci else None,
         "on training rows": lv.seen}
        for lv in levels
    ])  # fmt: skip


def result(run: Run, study: Study) -> LearningCurve | KnobCurve:
    """What the points so far say. Raises NotFound when there are none."""
    points = points_of(run, study)
    if not points:
        raise NotFound("This study has no points yet.")
    row = run.experiment.protocol.metric_for(run.experiment.recipe.task)
    candidate = run.experiment.candidate(study.model)
    ratio = float(run.plan()["ratio"])
    if study.kind == "learning":
        levels = sorted(_levels(points, "rows", ratio, row), key=lambda lv: lv.at)
        return LearningCurve(study.model, candidate.title or study.model, row, tuple(levels), ratio)
    knob = turned(run, study.model, study.knob)
    places = {v: i for i, v in enumerate(knob.grid(POINTS))}
    levels = sorted(_levels(points, "value", ratio, row), key=lambda lv: places.get(lv.at, 0))
    return KnobCurve(study.model, candidate.title or study.model, knob, row, tuple(levels))


def study(run: Run, asked: Study, slots: int | None = None) -> LearningCurve | KnobCurve:
    """Carry a study out, wait, and return its result. Raises BadInput, RunFailed."""
    from mlcore.compare.run import launch

    if state_of(run, asked)[0] != "finished":
        order(run, asked)
        launch(run, slots, study=asked.name)
        while (state := state_of(run, asked))[0] == "running":
            time.sleep(0.1)
        if state[0] != "finished":
            raise RunFailed(f"The study was {state[0]}. {state[2]}".strip())
    return result(run, asked)
