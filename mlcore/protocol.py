"""How models are judged: the locked holdout, the folds, the seed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from mlcore.dataset import Schema
from mlcore.errors import BadChoice, BadInput
from mlcore.metrics import Metric, Task, for_task, metric
from mlcore.result import Array

SplitKind = Literal["auto", "random", "stratified", "group", "time", "leave_one_out", "validation"]
SPLITS: tuple[SplitKind, ...] = get_args(SplitKind)
Kind = Literal["random", "stratified", "group", "time", "leave_one_out", "validation"]
SINGLE = ("validation", "leave_one_out")  # each row is tested on once at most, or in a fold of its own
FEWEST_ROWS = 8
MOST_LEFT_OUT = 1000  # rows of a comparison that leaves out one at a time
# Metrics that have a value on a single row, which is all that leave-one-out tests on at a time.
ALONE: dict[Task, str] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "mae"}


@dataclass(frozen=True)
class Protocol:
    """A person's choices; `auto` and None are settled by `resolved`."""

    holdout: float = 0.2
    folds: int = 5
    repeats: int | None = None
    split: SplitKind = "auto"
    group: str | None = None
    time: str | None = None
    metric: str = "auto"
    seed: int = 0
    time_limit: float = 600.0  # seconds that one candidate may take, all its folds together
    validation: float = 0.1  # share of all rows that the one validation split tests on
    race: bool = False  # stop candidates that cannot come first any more
    fast: bool = False  # use scikit-learn-intelex for what it can speed up; its numbers differ in the last digits

    def checked(self) -> Protocol:
        """Raise BadChoice or BadInput for a value that is not allowed."""
        if self.split not in SPLITS:
            raise BadChoice.of("kind of split", self.split, SPLITS)
        if not 0 <= self.holdout <= 0.9:
            raise BadInput(f"The holdout must be a share from 0 to 0.9 of the rows; {self.holdout:g} was given.")
        if not 2 <= self.folds <= 1000:
            raise BadInput(f"There must be 2 to 1,000 folds; {self.folds} was given.")
        if self.repeats is not None and not 1 <= self.repeats <= 100:
            raise BadInput(f"There must be 1 to 100 repeats; {self.repeats} was given.")
        if not 0 <= self.seed < 2**32:
            raise BadInput(f"The seed must be from 0 to 4,294,967,295; {self.seed} was given.")
        if not 0.01 <= self.validation <= 0.5:
            raise BadInput(f"The validation rows must be a share from 0.01 to 0.5; {self.validation:g} was given.")
        if self.split == "validation" and self.validation + self.holdout > 0.9:
            raise BadInput(
                f"Holdout ({self.holdout:g}) and validation ({self.validation:g}) leave too few rows to learn from."
            )
        if self.time_limit <= 0:
            raise BadInput(f"The time limit must be more than 0 seconds; {self.time_limit:g} was given.")
        return self

    def metric_for(self, task: Task) -> Metric:
        """The metric that ranks. Raises BadChoice."""
        if self.split != "leave_one_out":
            return metric(self.metric, task)
        found = metric(ALONE[task] if self.metric == "auto" else self.metric, task)
        if not found.by_row:
            able = [m.name for m in for_task(task) if m.by_row]
            raise BadChoice.of("metric of leave-one-out, which tests on one row at a time,", found.name, able)
        return found

    def kind(self, task: Task) -> Kind:
        """The kind of split that `auto` stands for: by group or time where a column has that role."""
        if self.split != "auto":
            return self.split
        if self.group is not None:
            return "group"
        if self.time is not None:
            return "time"
        return "random" if task == "regression" else "stratified"

    def with_roles(self, schema: Schema) -> Protocol:
        """Take the group and time columns from the roles where they are not named. Raises NoSuchColumn."""
        group = self.group or next(iter(schema.in_role("group")), None)
        time = self.time or next(iter(schema.in_role("time")), None)
        for name in (group, time):
            if name is not None:
                schema[name]
        if self.split == "group" and group is None:
            raise BadInput("A split by group needs the column that says which rows belong together. Choose one.")
        if time is not None and self.kind("binary") == "time" and schema[time].dtype in ("text", "boolean"):
            raise BadInput(f"{time!r} holds {schema[time].dtype}, which has no order in time. Choose dates or numbers.")
        if self.split == "time" and time is None:
            raise BadInput("A split by time needs the column that says when a row was. Choose one.")
        return replace(self, group=group, time=time)

    def shape(self, task: Task, rows: int) -> tuple[int, int]:
        """How many folds and repeats there will be, about, for so many rows with a known target."""
        kind, trained = self.kind(task), rows - round(self.holdout * rows)
        if kind in SINGLE:
            return (trained if kind == "leave_one_out" else 1), 1
        return self.folds, 1 if kind == "time" else self.repeats or repeats_for(trained)

    def words(self, task: Task, rows: int) -> str:
        """Say it in one line."""
        kind = self.kind(task)
        folds, repeats = self.shape(task, rows)
        sealed = f"holdout {100 * self.holdout:g} % sealed" if self.holdout else "no holdout"
        if kind == "leave_one_out":
            return f"leave one out, {folds:,} times · {sealed}"
        if kind == "validation":
            left = 1 - self.holdout - self.validation
            return f"{100 * left:g} % train, {100 * self.validation:g} % validation, once · {sealed}"
        titles = {
            "random": "random",
            "stratified": "stratified",
            "group": f"by {self.group}",
            "time": f"in order of {self.time}",
        }
        times = "" if repeats == 1 else f" × {repeats}"
        return f"{folds} folds{times}, {titles[kind]} · {sealed}"


@dataclass(frozen=True)
class Fold:
    """One split of the training rows; positions count within the training rows."""

    repeat: int
    fold: int
    train: Array
    test: Array

    @property
    def key(self) -> str:
        """A short name, unique in a plan."""
        return f"{self.repeat}-{self.fold}"


@dataclass(frozen=True)
class Plan:
    """The protocol settled for one dataset: which rows are locked, which are folded how."""

    train: Array  # rows of the file that may be looked at
    holdout: Array  # rows of the file that are locked
    folds: tuple[Fold, ...]
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """Mean of n_test / n_train over the folds, for the corrected test."""
        return float(np.mean([len(f.test) / len(f.train) for f in self.folds]))


@dataclass(frozen=True)
class Target:
    """The rows whose target is known, and their target."""

    rows: Array  # positions in the file
    y: Array  # codes (classification) or values
    classes: Array  # the target's own labels, sorted; empty for regression
    unknown: Array = field(default_factory=lambda: np.empty(0, int))  # positions of rows whose target is missing

    def labels(self) -> Array:
        """The target in its own labels or values."""
        return self.classes[self.y] if len(self.classes) else self.y

    def at(self, picked: Array) -> Target:
        """Some of its rows."""
        return Target(self.rows[picked], self.y[picked], self.classes, self.unknown)

    def sampled(self, rows: int, seed: int) -> Target:
        """A draw of so many rows, each class by its share."""
        return self.at(drawn(self.y, rows, seed, stratified=bool(len(self.classes))))


def drawn(y: Array, rows: int, seed: int, *, stratified: bool) -> Array:
    """Positions of a seeded draw of `rows` of (n,) codes or values, in order; of each class at least one row."""
    rng = np.random.default_rng(seed)
    if not stratified:
        return np.sort(rng.permutation(len(y))[:rows])
    share = rows / len(y)
    parts = [np.flatnonzero(y == value) for value in np.unique(y)]
    kept = [rng.permutation(p)[: max(1, round(share * len(p)))] for p in parts]
    return np.sort(np.concatenate(kept))


def repeats_for(rows: int) -> int:
    """Repeats that follow size: a second one lifts the chance of seeing a real effect at 300 rows from .60 to .97."""
    return 3 if rows < 500 else 2 if rows <= 5000 else 1


def make_plan(protocol: Protocol, task: Task, target: Target, keys: pd.DataFrame) -> Plan:
    """Settle the holdout and the folds.

    `keys` holds the group and time columns for the rows of `target`. Raises BadInput when there are too few rows.
    """
    protocol = protocol.checked()
    n = len(target.rows)
    if n < FEWEST_ROWS:
        raise BadInput(f"{n} rows have a known target; at least {FEWEST_ROWS} are needed to compare models.")
    kind = protocol.kind(task)
    notes: list[str] = []
    if kind == "time":
        target, keys = _with_known_time(target, keys, str(protocol.time), notes)
    splitter = _Splitter(kind, task, target.y, keys.reset_index(drop=True), protocol)
    train, held = splitter.holdout(notes)
    splits = splitter.folds(train, notes)
    return Plan(target.rows[train], target.rows[held], tuple(splits), tuple(notes))


def _with_known_time(target: Target, keys: pd.DataFrame, name: str, notes: list[str]) -> tuple[Target, pd.DataFrame]:
    """Leave out rows whose time is missing. Raises BadInput for a column that has no order in time."""
    from pandas.api import types as pt

    if not (pt.is_datetime64_any_dtype(keys[name]) or pt.is_numeric_dtype(keys[name])):
        raise BadInput(f"{name!r} holds text, which has no order in time. Choose a column of dates or numbers.")
    known = keys[name].notna().to_numpy()
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows have no {name} and are left out, as they have no place in time.")
    if known.sum() < FEWEST_ROWS:
        raise BadInput(f"{int(known.sum())} rows have a known {name}; at least {FEWEST_ROWS} are needed.")
    return target.at(np.flatnonzero(known)), keys[known]


@dataclass(frozen=True)
class _Splitter:
    kind: str
    task: Task
    y: Array
    keys: pd.DataFrame
    protocol: Protocol

    def holdout(self, notes: list[str]) -> tuple[Array, Array]:
        everything = np.arange(len(self.y))
        share = self.protocol.holdout
        if share * len(self.y) < 1:
            if share:
                notes.append(f"No holdout is kept: {share:.0%} of {len(self.y)} rows is less than one.")
            return everything, everything[:0]
        if self.kind == "time":
            return self._hold_last(share, notes)
        if self.kind == "group":
            return self._hold_groups(share, notes)
        held = self._hold_rows(share)
        return np.setdiff1d(everything, held), held

    def _hold_last(self, share: float, notes: list[str]) -> tuple[Array, Array]:
        """Lock the latest rows; those of one moment stay on one side, whichever brings the share nearer."""
        order = self._by_time(np.arange(len(self.y)))
        moments, n = self.keys[self.protocol.time].to_numpy()[order], len(order)
        wanted = n - max(1, round(share * n))
        borders = [int(np.searchsorted(moments, moments[wanted], side)) for side in ("left", "right")]
        possible = [b for b in borders if 0 < b < n]
        if not possible:
            raise BadInput(_too_coarse(self.protocol.time))
        cut = min(possible, key=lambda b: abs(b - wanted))
        if abs((n - cut) / n - share) > 0.05:
            notes.append(f"Many rows share a value of {self.protocol.time} and stay on one side, so the holdout is "
                         f"{(n - cut) / n:.0%} of the rows.")  # fmt: skip
        return np.sort(order[:cut]), np.sort(order[cut:])

    def _hold_rows(self, share: float) -> Array:
        return self._share_of(np.arange(len(self.y)), share, self.protocol.seed)

    def _share_of(self, among: Array, share: float, seed: int) -> Array:
        """A random share; of each class by its share where there are classes, and never the only row of a class."""
        rng = np.random.default_rng(seed)
        stratified = self.kind == "stratified" or (self.kind in SINGLE and self.task != "regression")
        strata = self.y[among] if stratified else np.zeros(len(among), int)
        quota, held = 0.0, []
        for value in np.unique(strata):
            rows = rng.permutation(among[strata == value])
            quota += share * len(rows)  # what rounding leaves over is carried to the next class
            take = min(round(quota), math.ceil(share * len(rows)), len(rows) - 1)
            quota = min(quota - take, 1.0)
            held.append(rows[:take])
        return np.sort(np.concatenate(held))

    def _hold_groups(self, share: float, notes: list[str]) -> tuple[Array, Array]:
        rng = np.random.default_rng(self.protocol.seed)
        codes = self._groups()
        sizes = np.bincount(codes)
        if len(sizes) < 3:
            raise BadInput(f"{self.protocol.group!r} has {len(sizes)} groups; a split by group needs at least 3.")
        wanted, taken = share * len(codes), 0
        chosen: list[int] = []
        for group in rng.permutation(len(sizes)):  # a group is locked only if that brings the share nearer
            if abs(taken + sizes[group] - wanted) < abs(taken - wanted) and len(chosen) < len(sizes) - 2:
                chosen.append(int(group))
                taken += sizes[group]
        held = np.isin(codes, chosen)
        if abs(taken / len(codes) - share) > 0.05:
            notes.append(f"Groups are of very different size, so the holdout is {taken / len(codes):.0%} of the rows.")
        return np.flatnonzero(~held), np.flatnonzero(held)

    def _groups(self) -> Array:
        column = self.keys[self.protocol.group]
        codes, _ = pd.factorize(column)
        alone = codes < 0  # a row of unknown group is a group of its own
        codes[alone] = codes.max() + 1 + np.arange(alone.sum())
        return np.asarray(codes)

    def _by_time(self, rows: Array) -> Array:
        moment = self.keys[self.protocol.time].iloc[rows]
        return np.asarray(rows[np.argsort(moment.to_numpy(), kind="stable")])

    def folds(self, train: Array, notes: list[str]) -> Iterator[Fold]:
        n = len(train)
        if self.kind == "leave_one_out":
            if n > MOST_LEFT_OUT:
                raise BadInput(f"Leaving out one row at a time is for {MOST_LEFT_OUT:,} rows at most; there are {n:,}.")
            places = np.arange(n)
            return iter([Fold(0, i, np.delete(places, i), places[i : i + 1]) for i in range(n)])
        if self.kind == "validation":
            share = self.protocol.validation / (1 - self.protocol.holdout)
            test = np.searchsorted(train, self._share_of(train, share, self.protocol.seed + 1))
            if not len(test):
                raise BadInput(f"{share:.0%} of {n} rows is less than one; take folds instead of one validation split.")
            notes.append("One split into training and validation rows tells little: scores come with the interval of "
                         "a bootstrap, and models cannot be told apart.")  # fmt: skip
            return iter([Fold(0, 0, np.delete(np.arange(n), test), test)])
        count = self._count(train, notes)
        repeats = 1 if self.kind == "time" else self.protocol.repeats or repeats_for(n)
        made = []
        for repeat in range(repeats):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # small classes are said in the notes
                for fold, (fit, test) in enumerate(self._cut(train, count, repeat)):
                    made.append(Fold(repeat, fold, np.asarray(fit), np.asarray(test)))
        if not made:
            raise BadInput(_too_coarse(self.protocol.time))
        if self.kind == "time" and len(made) < count:
            notes.append(f"{count} folds were asked for; {len(made)} are made, as {self.protocol.time} has too few "
                         "different values among the rows that are not locked.")  # fmt: skip
        return iter(made)

    def _count(self, train: Array, notes: list[str]) -> int:
        wanted, most, why = self.protocol.folds, len(train) // 2, f"there are {len(train)} rows"
        if self.kind == "group":
            most = len(np.unique(self._groups()[train]))
            why = f"{self.protocol.group} has {most} groups among them"
        if self.kind == "stratified":
            counts = np.bincount(self.y[train])
            counts = counts[counts > 0]
            most = min(most, int(counts.max()))
            small = int((counts < min(wanted, most)).sum())
            if small:
                notes.append(
                    f"{small} of {len(counts)} classes have fewer rows than there are folds, so some folds "
                    "test on none of theirs."
                )
        if wanted > most:
            notes.append(f"{wanted} folds were asked for; {max(2, most)} are made, as {why}.")
        return max(2, min(wanted, most))

    def _cut(self, train: Array, count: int, repeat: int) -> Iterator[Any]:
        from sklearn.model_selection import (
            GroupKFold,
            KFold,
            StratifiedGroupKFold,
            StratifiedKFold,
            TimeSeriesSplit,
        )

        seed, y = (self.protocol.seed + repeat) % 2**32, self.y[train]
        if self.kind == "time":
            if len(train) <= count:
                return iter([])
            order = np.searchsorted(train, self._by_time(train))
            moments = self.keys[self.protocol.time].to_numpy()[train]
            cuts = ((order[a], order[b]) for a, b in TimeSeriesSplit(count).split(order))
            kept = ((a[moments[a] < moments[b].min()], b) for a, b in cuts)
            return ((a, b) for a, b in kept if len(a))
        if self.kind == "group":
            groups = self._groups()[train]
            if self.task == "regression":
                return iter(GroupKFold(count, shuffle=True, random_state=seed).split(y, y, groups))
            return iter(StratifiedGroupKFold(count, shuffle=True, random_state=seed).split(y, y, groups))
        if self.kind == "stratified":
            return iter(StratifiedKFold(count, shuffle=True, random_state=seed).split(y, y))
        return iter(KFold(count, shuffle=True, random_state=seed).split(y))


def _too_coarse(name: str | None) -> str:
    return (
        f"{name!r} has too few different values: rows of one value stay on one side, and nothing is left to learn from "
        "before the rows to test on. Take a finer time, or another split."
    )


def inner_folds(protocol: Protocol, task: Task, y: Array, keys: pd.DataFrame, count: int) -> list[tuple[Array, Array]]:
    """Folds inside the training rows of a fold, cut as the outer ones are: (train, test) positions among them.

    `keys` holds the group and time columns of these rows. A single split has stratified inner folds.
    """
    kind = protocol.kind(task)
    if kind in SINGLE:
        kind = "random" if task == "regression" else "stratified"
    splitter = _Splitter(kind, task, y, keys.reset_index(drop=True), replace(protocol, folds=count, repeats=1))
    found = [(f.train, f.test) for f in splitter.folds(np.arange(len(y)), [])]
    return [(a, b) for a, b in found if task == "regression" or len(np.unique(y[a])) > 1]
