"""Checks of a settled split: what lies on both sides of it that should not. They look at rows before any fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mlcore.alerts import Alert, Check, Fix
from mlcore.dataset import Dataset
from mlcore.features.recipe import Recipe
from mlcore.metrics import Task
from mlcore.protocol import Plan, Protocol
from mlcore.result import Array, Help, several, share
from mlcore.target import settle, target_notes

NEAR = 0.02  # spreads; numbers in one cell of this width are taken for nearly the same
FEW_TWINS = 0.01  # share of rows with a near twin that is worth a word
ENOUGH_VALUES = 50  # different values of a number that make a chance twin unlikely
MOST_ROWS = 200_000
MOST_COLUMNS = 300


@dataclass(frozen=True)
class Split:
    """What these checks look at: training rows as cast to their kinds, and how they are folded."""

    plan: Plan
    protocol: Protocol
    task: Task
    rows: pd.DataFrame


# Alerts of the data that make scores lie, and are therefore shown again where models are compared.
BEFORE_A_FIT = ("giveaway", "derived", "groups", "time_order", "duplicates")


@dataclass(frozen=True)
class Review:
    """What there is to say of a split before anything is fitted on it."""

    alerts: tuple[Alert, ...]
    notes: tuple[str, ...]  # of rows that are left out, small classes, folds that had to be fewer


def review(dataset: Dataset, recipe: Recipe, protocol: Protocol) -> Review:
    """Settle the split of a dataset and check it. Raises BadInput for what cannot be cut so."""
    settled = settle(dataset, recipe.target, recipe.task, protocol)
    plan = settled.plan
    rows = pd.DataFrame(index=range(len(plan.train)))
    if len(plan.train) <= MOST_ROWS:
        columns = recipe.transformers(dataset.schema)[0][1]
        rows = columns.transform(dataset.frame(dataset.schema.features().names).iloc[plan.train])
    split = Split(plan, settled.protocol, recipe.task, rows.reset_index(drop=True))
    notes = (*target_notes(dataset.rows, settled.target, recipe.target), *plan.notes)
    return Review(tuple(find(split)), notes)


def find(split: Split) -> list[Alert]:
    """Run all checks of a split."""
    return [alert for check in CHECKS for alert in check.find(split)]


def _near_twins(split: Split) -> Iterator[Alert]:
    """Rows that are almost the same as a row on the other side, too many to be chance."""
    if len(split.rows) > MOST_ROWS or split.rows.shape[1] > MOST_COLUMNS:
        return
    cells = split.rows.apply(_coarse)
    if _independent(cells, split.rows) < 3:  # two numbers alone are often alike by chance
        return
    hashes = pd.util.hash_pandas_object(cells.astype(str), index=False).to_numpy()
    exact = pd.util.hash_pandas_object(split.rows.astype(str), index=False).to_numpy()
    fold = split.plan.folds[0]
    with_twin = np.isin(hashes[fold.test], hashes[fold.train])
    only_near = with_twin & ~np.isin(exact[fold.test], exact[fold.train])
    if only_near.mean() > FEW_TWINS:
        yield Alert(
            "near_duplicates", "high", None,
            f"{share(int(only_near.sum()), len(fold.test))} rows of the first fold are nearly the same as a row that "
            "is learned from. If they come from one entity, the score is of memory: split by that entity.",
        )  # fmt: skip


def _coarse(column: pd.Series) -> pd.Series:
    """Numbers to cells of a width of their spread; others as they are."""
    if column.dtype.kind != "f":
        return column
    spread = float(column.std())
    return (column / (spread * NEAR)).round() if spread > 0 else column


def _independent(cells: pd.DataFrame, rows: pd.DataFrame) -> int:
    """How many finely measured numbers there are that do not follow one another."""
    fine = [c for c in cells if rows[c].dtype.kind == "f" and cells[c].nunique() >= ENOUGH_VALUES]
    if len(fine) < 3:
        return len(fine)
    related = rows[fine].head(2000).corr().abs().to_numpy()
    kept: list[int] = []
    for i in range(len(fine)):
        if all(not related[i, j] > 0.8 for j in kept):
            kept.append(i)
    return len(kept)


@dataclass(frozen=True)
class _Straddle:
    """What a split by this kind would keep on one side, and what is said when another one does not."""

    kind: Literal["group", "time"]
    says: str
    harm: str
    until: str

    def find(self, split: Split) -> Iterator[Alert]:
        """The column is known, and the folds ignore it."""
        name, kind = getattr(split.protocol, self.kind), split.protocol.kind(split.task)
        if name is not None and kind != self.kind:
            text = (
                f"{name} {self.says}, but folds are cut {_cut(kind)}: {self.harm}. Split by {self.kind} {self.until}."
            )
            fix = Fix(f"Split by {self.kind}", "split", name, self.kind)
            yield Alert(f"{self.kind}_straddles", "high", name, text, fix)


_GROUPS = _Straddle(
    "group", "says which rows belong together", "rows of one group are on both sides, and the score is of known groups",
    "if new groups will come",
)  # fmt: skip
_TIMES = _Straddle(
    "time", "orders the rows in time", "models learn from later rows and are tested on earlier ones",
    "if you will predict the future",
)  # fmt: skip


def _cut(kind: str) -> str:
    return {"stratified": "at random (stratified)", "random": "at random", "group": "by group", "time": "by time",
            "leave_one_out": "one row at a time", "validation": "at random"}[kind]  # fmt: skip


def _constant_inside(split: Split) -> Iterator[Alert]:
    """Columns that hold one value in the training rows of some fold, though not in all rows."""
    found = []
    folds = split.plan.folds[:20]
    for name in split.rows.columns[:1000]:
        codes, values = pd.factorize(split.rows[name])
        if len(values) > 1 and any(_one_value(codes[f.train]) for f in folds):
            found.append(str(name))
    if found:
        yield Alert(
            "constant_in_fold", "medium", found[0] if len(found) == 1 else None,
            f"{several(found)}: one value only in the training rows of a fold, so nothing can be learned from it "
            "there.",
        )  # fmt: skip


def _one_value(codes: Array) -> bool:
    known = codes[codes >= 0]
    return len(known) == 0 or bool((known == known[0]).all())


CHECKS: tuple[Check, ...] = (
    Check(
        ("group_straddles",),
        Help(
            "A column says which rows belong together (a customer, a patient), and the folds ignore it.",
            "Each group with rows on both sides is known before it is tested on.",
            "If you will only ever predict for groups that are known, this is what you want.",
            "Split by group.",
        ),
        _GROUPS.find,
    ),
    Check(
        ("time_straddles",),
        Help(
            "A column orders the rows in time, and the folds ignore it.",
            "Models learn from the future of the rows that they are tested on.",
            "If the world does not change with time, a random split is fine.",
            "Split by time: the past predicts the future.",
        ),
        _TIMES.find,
    ),
    Check(
        ("near_duplicates",),
        Help(
            "Rows that differ by less than a fiftieth of a spread in every number and not at all elsewhere.",
            "Each has a twin on the other side of the first fold; by chance there would be hardly any.",
            "Coarse measurements of truly different things can look the same.",
            "Find out which rows belong together, give that column the role group, and split by it.",
        ),
        _near_twins,
    ),
    Check(
        ("constant_in_fold",),
        Help(
            "A column that varies, but not within the rows that a fold learns from.",
            "It happens to columns that change with time or with the group.",
            "It costs nothing but its own knowledge.",
            "Leave it out, or choose fewer and larger folds.",
        ),
        _constant_inside,
    ),
)
