"""How a protocol cuts the rows of a dataset, as a picture and a table: what each fold learns from and is tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.dataset import Column, Dataset
from mlcore.features.recipe import Recipe
from mlcore.metrics import Task
from mlcore.protocol import Fold, Kind, Protocol, SplitKind
from mlcore.result import Array, Help, Result, number
from mlcore.target import settle

SHOWN = 12  # folds; of leave-one-out only the first are drawn


@dataclass(frozen=True)
class Part:
    """One fold, or the locked rows: how many rows, of which classes, groups and times."""

    name: str
    train: int
    test: int
    classes: tuple[int, ...]  # test rows by class
    groups: tuple[int, int, int] | None = None  # groups in train, in test, in both
    times: tuple[Any, Any, Any, Any] | None = None  # first and last of train, first and last of test


@dataclass(frozen=True)
class Folds(Result):
    """The split that a protocol makes of a dataset."""

    kind: Kind
    task: Task
    labels: tuple[str, ...]
    parts: tuple[Part, ...]  # folds of the first repeat, then the locked rows
    repeats: int
    notes: tuple[str, ...]
    columns: tuple[str | None, str | None]  # group and time

    help: ClassVar[Help] = Help(
        "The rows are cut into folds. Each fold is tested on by models that learned from the others; the locked rows "
        "are touched by none until you open them.",
        "Each bar is a fold's test rows, divided by class. By time, lines show when the rows lie that are learned from "
        "and tested on.",
        "Rows of one customer or patient on both sides, or later rows that teach earlier ones, make every score too "
        "good.",
        "Choose the split that is like the use: new entities, or the future.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a fold, with counts per class and group."""
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
        """What is special about this split."""
        folds = [p for p in self.parts if p.name != LOCKED]
        tests = sorted({p.test for p in folds})
        sizes = number(tests[0]) if len(tests) == 1 else f"{number(tests[0])} to {number(tests[-1])}"
        said = [f"Each fold is tested on {sizes} rows."]
        shared = sum(p.groups[2] for p in folds if p.groups is not None)
        if self.columns[0] is not None:
            both = "no" if not shared else number(max(p.groups[2] for p in folds if p.groups is not None))
            said.append(f"{both.capitalize()} value of {self.columns[0]} is on both sides of a fold.")
        if self.kind == "time":
            said.append(f"Every test row is later in {self.columns[1]} than all rows it is predicted from.")
        if self.labels:
            least = min((min(p.classes), i) for i, p in enumerate(folds))
            said.append(f"The rarest class has {number(least[0])} test rows in the fold with fewest of it.")
        return " ".join(said)


LOCKED = "locked"


def folds_of(dataset: Dataset, recipe: Recipe, protocol: Protocol) -> Folds:
    """Settle the split of a dataset and describe it. Raises BadInput for what cannot be cut so."""
    settled = settle(dataset, recipe.target, recipe.task, protocol)
    plan, target, keys, protocol, task = settled.plan, settled.target, settled.keys, settled.protocol, recipe.task
    places = {
        part: np.searchsorted(target.rows, rows) for part, rows in (("train", plan.train), ("held", plan.holdout))
    }
    counts = len(target.classes)
    look = _Look(target.y, keys, (protocol.group, protocol.time), counts)
    first = [f for f in plan.folds if f.repeat == 0]
    parts = [_fold(look, f, places["train"]) for f in first[:SHOWN]]
    if len(plan.holdout):
        parts.append(look.part(LOCKED, places["train"], places["held"]))
    labels = tuple(map(str, target.classes))
    repeats = max(f.repeat for f in plan.folds) + 1
    columns = (protocol.group if protocol.group in keys else None, protocol.time if protocol.time in keys else None)
    return Folds(protocol.kind(task), task, labels, tuple(parts), repeats, plan.notes, columns)


def _fold(look: _Look, fold: Fold, train: Array) -> Part:
    return look.part(f"fold {fold.fold + 1}", train[fold.train], train[fold.test])


@dataclass(frozen=True)
class _Look:
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


# which split is like the use ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answers:
    """What a person says of the rows: whether they repeat an entity, have a time, and what will be predicted."""

    entity: str | None = None  # the column that says which rows belong together
    moment: str | None = None  # the column that orders them in time
    future: bool = False  # whether rows later than all of these will be predicted
    known: bool = False  # whether predictions will be about entities that are known already


def advised(protocol: Protocol, answers: Answers, task: Task) -> tuple[Protocol, str]:
    """The protocol that is like the use, and why."""
    named = replace(protocol, group=answers.entity, time=answers.moment)
    if answers.moment is not None and answers.future:
        why = f"You will predict the future, so models learn from earlier {answers.moment} and are tested on later."
        if answers.entity is not None:
            why += f" Rows of one {answers.entity} may be on both sides, as they will be in use."
        return replace(named, split="time"), why
    if answers.entity is not None and not answers.known:
        why = (
            f"New values of {answers.entity} will come, so all rows of one are on one side; {answers.entity} itself "
            "is no feature: it could tell nothing of new ones."
        )
        return replace(named, split="group"), why
    why = "Rows stand for themselves, so they are cut at random"
    why += "." if task == "regression" else ", with the same share of each class in every fold."
    plain: SplitKind = "random" if task == "regression" else "stratified"
    return replace(named, split=plain if answers.entity or answers.moment else "auto"), why


MANY_GROUPS = 10  # different values that a column of customers, patients or shops has at least


def candidates_for(dataset: Dataset) -> tuple[list[str], list[str]]:
    """Columns that may say which rows belong together, and columns that may order them in time; likely ones first."""
    groups = [c for c in dataset.schema if 2 <= c.distinct < dataset.rows and (c.role == "group" or _may_group(c))]
    likely = sorted(groups, key=lambda c: (c.role != "group", not _entity(c.name), -c.distinct))
    times = [c for c in dataset.schema if c.dtype in ("datetime", "integer", "float") and c.distinct >= 10]
    dates = sorted(times, key=lambda c: (c.role != "time", c.kind != "datetime"))
    return [c.name for c in likely if c.role != "target"], [c.name for c in dates if c.role != "target"]


def _may_group(column: Column) -> bool:
    """Whether a column may name the things that rows belong to: by its name, or by how many different values it has."""
    able = column.kind != "datetime" and column.dtype != "float"
    return able and (_entity(column.name) or column.distinct >= MANY_GROUPS)


def _entity(name: str) -> bool:
    from mlcore.ingest.kinds import ID_NAME

    return bool(ID_NAME.search(name))
