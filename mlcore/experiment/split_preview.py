"""How a protocol splits the rows of a dataset, as a plot and a table: the training and test rows of each fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Dataset
from mlcore.features.recipe import Recipe
from mlcore.result import Array, Help, Result
from mlcore.validation.metrics import Task
from mlcore.validation.protocol import Kind, Protocol
from mlcore.validation.splitter import Fold
from mlcore.validation.target import resolve_split
from mlcore.wording import number

SHOWN = 12  # maximum number of folds drawn; leave-one-out has more


@dataclass(frozen=True)
class Part:
    """One fold, or the holdout: its numbers of rows, classes, groups and times."""

    name: str
    train: int
    test: int
    classes: tuple[int, ...]  # test rows by class
    groups: tuple[int, int, int] | None = None  # groups in train, in test, in both
    times: tuple[Any, Any, Any, Any] | None = None  # first and last of train, first and last of test


@dataclass(frozen=True, kw_only=True)
class SplitPreview(Result):
    """The split that a protocol makes of a dataset."""

    kind: Kind
    task: Task
    labels: tuple[str, ...]
    parts: tuple[Part, ...]  # folds of the first repeat, then the holdout
    repeats: int
    notes: tuple[str, ...]
    columns: tuple[str | None, str | None]  # group and time

    help: ClassVar[Help] = Help(
        "The rows are split into folds. Each fold tests models that were trained on the others; no model uses the "
        "holdout until you open it.",
        "Each bar shows the test rows of a fold, by class. In a split by time, lines show the periods of training and "
        "test rows.",
        "Rows of one customer or patient on both sides, or later rows used to predict earlier ones, make every score "
        "too good.",
        "Choose the split that matches the use: new entities, or the future.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per fold, with counts per class and group."""
        rows = []
        for part in self.parts:
            row: dict[str, Any] = {"part": part.name, "train": part.train, "test": part.test}
            row |= {f"test {label}": n for label, n in zip(self.labels, part.classes, strict=False)}
            if part.groups is not None:
                row |= dict(zip(("groups in train", "groups in test", "groups in both"), part.groups, strict=True))
            if part.times is not None:
                row |= dict(zip(("train from", "train to", "test from", "test to"), part.times, strict=True))
            rows.append(row)
        return pd.DataFrame(rows)

    def sentence(self) -> str:
        """The number of test rows, shared groups, the order in time and the rarest class."""
        folds = [p for p in self.parts if p.name != LOCKED]
        tests = sorted({p.test for p in folds})
        sizes = number(tests[0]) if len(tests) == 1 else f"{number(tests[0])} to {number(tests[-1])}"
        sentences = [f"Each fold has {sizes} test rows."]
        shared = sum(p.groups[2] for p in folds if p.groups is not None)
        if self.columns[0] is not None:
            count = "no" if not shared else number(max(p.groups[2] for p in folds if p.groups is not None))
            sentences.append(f"{count.capitalize()} value of {self.columns[0]} is on both sides of a fold.")
        if self.kind == "time":
            sentences.append(f"Every test row is later in {self.columns[1]} than all training rows of its fold.")
        if self.labels:
            fewest = min((min(p.classes), i) for i, p in enumerate(folds))
            sentences.append(f"The rarest class has {number(fewest[0])} test rows in the fold that has the fewest.")
        return " ".join(sentences)


LOCKED = "holdout"


def split_preview(dataset: Dataset, recipe: Recipe, protocol: Protocol) -> SplitPreview:
    """Resolve the split of a dataset and describe it. Raises BadInput for a split that is not possible."""
    split = resolve_split(dataset, recipe, protocol)
    plan, target, keys, protocol, task = split.plan, split.target, split.keys, split.protocol, recipe.task
    positions = {
        part: np.searchsorted(target.rows, rows) for part, rows in (("train", plan.train), ("held", plan.holdout))
    }
    classes = len(target.classes)
    counter = _PartCounter(target.y, keys, (protocol.group, protocol.time), classes)
    folds = [f for f in plan.folds if f.repeat == 0]
    parts = [_fold(counter, f, positions["train"]) for f in folds[:SHOWN]]
    if len(plan.holdout):
        parts.append(counter.part(LOCKED, positions["train"], positions["held"]))
    labels = tuple(map(str, target.classes))
    repeats = max(f.repeat for f in plan.folds) + 1
    columns = (protocol.group if protocol.group in keys else None, protocol.time if protocol.time in keys else None)
    return SplitPreview(
        kind=protocol.kind(task),
        task=task,
        labels=labels,
        parts=tuple(parts),
        repeats=repeats,
        notes=plan.notes,
        columns=columns,
    )


def _fold(counter: _PartCounter, fold: Fold, train: Array) -> Part:
    return counter.part(f"fold {fold.fold + 1}", train[fold.train], train[fold.test])


@dataclass(frozen=True)
class _PartCounter:
    y: Array
    keys: pd.DataFrame
    names: tuple[str | None, str | None]
    classes: int

    def part(self, name: str, train: Array, test: Array) -> Part:
        counts = tuple(np.bincount(self.y[test], minlength=self.classes).tolist()) if self.classes else ()
        return Part(name, len(train), len(test), counts, self._groups(train, test), self._times(train, test))

    def _groups(self, train: Array, test: Array) -> tuple[int, int, int] | None:
        if self.names[0] is None:
            return None
        column = self.keys[self.names[0]]
        a, b = (set(column.iloc[rows].dropna()) for rows in (train, test))
        return len(a), len(b), len(a & b)

    def _times(self, train: Array, test: Array) -> tuple[Any, Any, Any, Any] | None:
        if self.names[1] is None or self.keys[self.names[1]].dtype.kind not in "Mif":
            return None
        column = self.keys[self.names[1]]
        ends = [(column.iloc[rows].min(), column.iloc[rows].max()) for rows in (train, test)]
        return (*ends[0], *ends[1])
