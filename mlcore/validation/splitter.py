"""The holdout and the folds: a protocol resolved for one dataset."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.errors import BadInput
from mlcore.result import Array
from mlcore.validation.metrics import Task
from mlcore.validation.protocol import SINGLE, Protocol, repeats_for

FEWEST_ROWS = 8
MOST_LEFT_OUT = 1000  # rows of a comparison that leaves out one at a time


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
    """The protocol resolved for one dataset: the holdout and the folds."""

    train: Array  # rows of the file outside the holdout
    holdout: Array  # rows of the file in the holdout
    folds: tuple[Fold, ...]
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """Mean of n_test / n_train over the folds, for the corrected test."""
        return float(np.mean([len(f.test) / len(f.train) for f in self.folds]))


@dataclass(frozen=True)
class Target:
    """The rows with a known target, and their target."""

    rows: Array  # positions in the file
    y: Array  # codes (classification) or values
    classes: Array  # the labels of the target, sorted, of two the positive one last; empty for regression
    unknown: Array = field(default_factory=lambda: np.empty(0, int))  # positions of rows whose target is missing

    def labels(self) -> Array:
        """The target as labels or values."""
        return self.classes[self.y] if len(self.classes) else self.y

    def at(self, picked: Array) -> Target:
        """A subset of its rows."""
        return Target(self.rows[picked], self.y[picked], self.classes, self.unknown)

    def sampled(self, rows: int, seed: int) -> Target:
        """A random sample of `rows` rows, stratified by class."""
        return self.at(sample_rows(self.y, rows, seed, stratified=bool(len(self.classes))))


def codes_of(labels: Any, classes: Array) -> Array:
    """The codes (n,) of labels: their positions in `classes`."""
    order = np.argsort(classes)
    return np.asarray(order[np.searchsorted(classes[order], labels)])


def sample_rows(y: Array, rows: int, seed: int, *, stratified: bool) -> Array:
    """Positions of a seeded sample of `rows` of (n,) codes or values, in order; at least one row of each class."""
    rng = np.random.default_rng(seed)
    if not stratified:
        return np.sort(rng.permutation(len(y))[:rows])
    fraction = rows / len(y)
    parts = [np.flatnonzero(y == value) for value in np.unique(y)]
    kept = [rng.permutation(p)[: max(1, round(fraction * len(p)))] for p in parts]
    return np.sort(np.concatenate(kept))


def make_plan(protocol: Protocol, task: Task, target: Target, keys: pd.DataFrame) -> Plan:
    """Resolve the holdout and the folds.

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
    train, holdout = splitter.holdout(notes)
    splits = splitter.folds(train, notes)
    return Plan(target.rows[train], target.rows[holdout], tuple(splits), tuple(notes))


def _with_known_time(target: Target, keys: pd.DataFrame, name: str, notes: list[str]) -> tuple[Target, pd.DataFrame]:
    """Leave out rows whose time is missing. Raises BadInput for a column without an order in time."""
    if not (pt.is_datetime64_any_dtype(keys[name]) or pt.is_numeric_dtype(keys[name])):
        raise BadInput(f"{name!r} holds text, which has no order in time. Choose a column of dates or numbers.")
    known = keys[name].notna().to_numpy()
    if not known.all():
        notes.append(f"{int((~known).sum()):,} rows have no {name} and are left out; they have no order in time.")
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
        rows = np.arange(len(self.y))
        fraction = self.protocol.holdout
        if fraction * len(self.y) < 1:
            if fraction:
                notes.append(f"No holdout is kept: {fraction:.0%} of {len(self.y)} rows is less than one.")
            return rows, rows[:0]
        if self.kind == "time":
            return self._hold_last(fraction, notes)
        if self.kind == "group":
            return self._hold_groups(fraction, notes)
        holdout = self._hold_rows(fraction)
        return np.delete(rows, holdout), holdout

    def _hold_last(self, fraction: float, notes: list[str]) -> tuple[Array, Array]:
        """Hold out the latest rows; rows of one timestamp stay together, on the side that fits the fraction better."""
        order = self._by_time(np.arange(len(self.y)))
        times, n = self.keys[self.protocol.time].to_numpy()[order], len(order)
        ideal = n - max(1, round(fraction * n))
        boundaries = [int(np.searchsorted(times, times[ideal], side)) for side in ("left", "right")]
        possible = [b for b in boundaries if 0 < b < n]
        if not possible:
            raise BadInput(_too_coarse(self.protocol.time))
        boundary = min(possible, key=lambda b: abs(b - ideal))
        if abs((n - boundary) / n - fraction) > 0.05:
            notes.append(f"Many rows share a value of {self.protocol.time} and stay together, so the holdout is "
                         f"{(n - boundary) / n:.0%} of the rows.")  # fmt: skip
        return np.sort(order[:boundary]), np.sort(order[boundary:])

    def _hold_rows(self, fraction: float) -> Array:
        return self._sample(np.arange(len(self.y)), fraction, self.protocol.seed)

    def _sample(self, positions: Array, fraction: float, seed: int) -> Array:
        """A random fraction, by class if the split is stratified; never the only row of a class."""
        rng = np.random.default_rng(seed)
        stratified = self.kind == "stratified" or (self.kind in SINGLE and self.task != "regression")
        strata = self.y[positions] if stratified else np.zeros(len(positions), int)
        quota, sampled = 0.0, []
        for value in np.unique(strata):
            rows = rng.permutation(positions[strata == value])
            quota += fraction * len(rows)  # the remainder of rounding is carried to the next class
            size = min(round(quota), math.ceil(fraction * len(rows)), len(rows) - 1)
            quota = min(quota - size, 1.0)
            sampled.append(rows[:size])
        return np.sort(np.concatenate(sampled))

    def _hold_groups(self, fraction: float, notes: list[str]) -> tuple[Array, Array]:
        rng = np.random.default_rng(self.protocol.seed)
        codes = self._groups()
        sizes = np.bincount(codes)
        if len(sizes) < 3:
            raise BadInput(f"{self.protocol.group!r} has {len(sizes)} groups; a split by group needs at least 3.")
        goal, total = fraction * len(codes), 0
        groups: list[int] = []
        for group in rng.permutation(len(sizes)):  # a group is held out only if that fits the fraction better
            if abs(total + sizes[group] - goal) < abs(total - goal) and len(groups) < len(sizes) - 2:
                groups.append(int(group))
                total += sizes[group]
        inside = np.isin(codes, groups)
        if abs(total / len(codes) - fraction) > 0.05:
            notes.append(f"Group sizes differ a lot, so the holdout is {total / len(codes):.0%} of the rows.")
        return np.flatnonzero(~inside), np.flatnonzero(inside)

    def _groups(self) -> Array:
        column = self.keys[self.protocol.group]
        codes, _ = pd.factorize(column)
        unknown = codes < 0  # a row whose group is missing forms its own group
        codes[unknown] = codes.max() + 1 + np.arange(unknown.sum())
        return np.asarray(codes)

    def _by_time(self, rows: Array) -> Array:
        times = self.keys[self.protocol.time].iloc[rows]
        return np.asarray(rows[np.argsort(times.to_numpy(), kind="stable")])

    def folds(self, train: Array, notes: list[str]) -> Iterator[Fold]:
        n = len(train)
        if self.kind == "leave_one_out":
            if n > MOST_LEFT_OUT:
                raise BadInput(f"Leaving out one row at a time is limited to {MOST_LEFT_OUT:,} rows; there are {n:,}.")
            positions = np.arange(n)
            return iter([Fold(0, i, np.delete(positions, i), positions[i : i + 1]) for i in range(n)])
        if self.kind == "validation":
            fraction = self.protocol.validation / (1 - self.protocol.holdout)
            test = np.searchsorted(train, self._sample(train, fraction, self.protocol.seed + 1))
            if not len(test):
                raise BadInput(f"{fraction:.0%} of {n} rows is less than one; use folds instead of a single split.")
            notes.append("One split into training and validation rows is weak evidence: intervals come from a "
                         "bootstrap, and models cannot be tested for significant differences.")  # fmt: skip
            return iter([Fold(0, 0, np.delete(np.arange(n), test), test)])
        count = self._count(train, notes)
        repeats = 1 if self.kind == "time" else self.protocol.repeats or repeats_for(n)
        folds = []
        for repeat in range(repeats):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # the notes mention small classes
                for fold, (inner, test) in enumerate(self._splits(train, count, repeat)):
                    folds.append(Fold(repeat, fold, np.asarray(inner), np.asarray(test)))
        if not folds:
            raise BadInput(_too_coarse(self.protocol.time))
        if self.kind == "time" and len(folds) < count:
            notes.append(f"{count} folds were asked for; {len(folds)} are made, as {self.protocol.time} has too few "
                         "different values outside the holdout.")  # fmt: skip
        return iter(folds)

    def _count(self, train: Array, notes: list[str]) -> int:
        requested, limit, reason = self.protocol.folds, len(train) // 2, f"there are {len(train)} rows"
        if self.kind == "group":
            limit = len(np.unique(self._groups()[train]))
            reason = f"{self.protocol.group} has {limit} groups among them"
        if self.kind == "stratified":
            counts = np.bincount(self.y[train])
            counts = counts[counts > 0]
            limit = min(limit, int(counts.max()))
            if len(counts) == 2 and counts.min() < limit:  # every fold tests some rows of each of two classes
                limit, reason = max(2, int(counts.min())), f"the rarer class has {int(counts.min())} rows among them"
            small = int((counts < min(requested, limit)).sum())
            if small:
                notes.append(
                    f"{small} of {len(counts)} classes have fewer rows than there are folds, so some folds "
                    "have none of them in their test rows."
                )
        if requested > limit:
            notes.append(f"{requested} folds were asked for; {max(2, limit)} are made, as {reason}.")
        return max(2, min(requested, limit))

    def _splits(self, train: Array, count: int, repeat: int) -> Iterator[Any]:
        from sklearn.model_selection import (
            GroupKFold,
            KFold,
            StratifiedGroupKFold,
            StratifiedKFold,
            TimeSeriesSplit,
        )

        # A sequence of both, so that the repeats of one seed are not those of the next (O'Neill, 2014).
        seed = int(np.random.SeedSequence([self.protocol.seed, repeat]).generate_state(1)[0])
        y = self.y[train]
        if self.kind == "time":
            if len(train) <= count:
                return iter([])
            order = np.searchsorted(train, self._by_time(train))
            times = self.keys[self.protocol.time].to_numpy()[train]
            splits = ((order[a], order[b]) for a, b in TimeSeriesSplit(count).split(order))
            kept = ((a[times[a] < times[b].min()], b) for a, b in splits)
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
        f"{name!r} has too few different values: rows with the same value stay together, so no training rows are left "
        "before the test rows. Choose a finer time column or another split."
    )


def inner_folds(protocol: Protocol, task: Task, y: Array, keys: pd.DataFrame, count: int) -> list[tuple[Array, Array]]:
    """Folds inside the training rows of a fold, split like the outer ones: (train, test) positions among them.

    `keys` holds the group and time columns of these rows. A single split has stratified inner folds.
    """
    kind = protocol.kind(task)
    if kind in SINGLE:
        kind = "random" if task == "regression" else "stratified"
    splitter = _Splitter(kind, task, y, keys.reset_index(drop=True), replace(protocol, folds=count, repeats=1))
    folds = [(f.train, f.test) for f in splitter.folds(np.arange(len(y)), [])]
    return [(a, b) for a, b in folds if task == "regression" or len(np.unique(y[a])) > 1]
