"""Checks of a resolved split, before any fit: groups, time and near duplicates across folds, constant columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from mlcore.checks.base import Check
from mlcore.data.dataset import Dataset
from mlcore.features.recipe import Recipe
from mlcore.result import Alert, Array, Fix, Help
from mlcore.validation.metrics import Task
from mlcore.validation.protocol import Protocol
from mlcore.validation.splitter import Plan
from mlcore.validation.target import resolve_split, target_notes
from mlcore.wording import several, share

NEAR = 0.02  # standard deviations; numbers in one bin of this width count as nearly the same
FEW_TWINS = 0.01  # fraction of rows with a near twin that is worth an alert
ENOUGH_VALUES = 50  # distinct values of a numeric column that make a chance twin unlikely
MOST_ROWS = 200_000
MOST_COLUMNS = 300


@dataclass(frozen=True)
class Split:
    """The input of these checks: training rows, cast to their kinds, and their folds."""

    plan: Plan
    protocol: Protocol
    task: Task
    rows: pd.DataFrame


@dataclass(frozen=True)
class Review:
    """The checks of a split, before any model is fitted."""

    alerts: tuple[Alert, ...]
    notes: tuple[str, ...]  # on rows left out, small classes, a reduced number of folds


def review(dataset: Dataset, recipe: Recipe, protocol: Protocol) -> Review:
    """Resolve the split of a dataset and check it. Raises BadInput if the data cannot be split this way."""
    resolved = resolve_split(dataset, recipe, protocol)
    plan = resolved.plan
    rows = pd.DataFrame(index=range(len(plan.train)))
    if len(plan.train) <= MOST_ROWS:
        from mlcore.features.transformers import Conform

        rows = Conform.of(dataset.schema).transform(dataset.frame(dataset.schema.features().names).iloc[plan.train])
    split = Split(plan, resolved.protocol, recipe.task, rows.reset_index(drop=True))
    notes = (*target_notes(dataset.rows, resolved.target, recipe.target), *plan.notes)
    return Review(tuple(find(split)), notes)


def find(split: Split) -> list[Alert]:
    """Run all checks of a split."""
    return [replace(alert, help=check.help) for check in CHECKS for alert in check.find(split)]


def _near_twins(split: Split) -> Iterator[Alert]:
    """Rows that are nearly the same as a row on the other side, too many to be chance."""
    if len(split.rows) > MOST_ROWS or split.rows.shape[1] > MOST_COLUMNS:
        return
    binned = split.rows.apply(_rounded)
    if _independent(binned, split.rows) < 3:  # two numbers alone often agree by chance
        return
    hashes = pd.util.hash_pandas_object(binned.astype(str), index=False).to_numpy()
    exact = pd.util.hash_pandas_object(split.rows.astype(str), index=False).to_numpy()
    fold = split.plan.folds[0]
    near = np.isin(hashes[fold.test], hashes[fold.train])
    only_near = near & ~np.isin(exact[fold.test], exact[fold.train])
    if only_near.mean() > FEW_TWINS:
        yield Alert(
            "near_duplicates", "high", None,
            f"{share(int(only_near.sum()), len(fold.test))} rows of the first fold are nearly the same as a training "
            "row. If they come from one entity, the score measures memory: split by that entity.",
        )  # fmt: skip


def _rounded(column: pd.Series) -> pd.Series:
    """Numbers rounded to bins, whose width is in standard deviations; other columns as they are."""
    if column.dtype.kind != "f":
        return column
    deviation = float(column.std())
    return (column / (deviation * NEAR)).round() if deviation > 0 else column


def _independent(binned: pd.DataFrame, rows: pd.DataFrame) -> int:
    """The number of finely measured numeric columns that are not correlated with one another."""
    fine = [c for c in binned if rows[c].dtype.kind == "f" and binned[c].nunique() >= ENOUGH_VALUES]
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
    """An alert for a column by which rows should be split, but are not."""

    kind: Literal["group", "time"]
    says: str
    harm: str
    until: str

    def find(self, split: Split) -> Iterator[Alert]:
        """Raise the alert if the column is set and the folds ignore it."""
        name, kind = getattr(split.protocol, self.kind), split.protocol.kind(split.task)
        if name is not None and kind != self.kind:
            text = (
                f"{name} {self.says}, but folds are split {_split_words(kind)}: {self.harm}. "
                f"Split by {self.kind} {self.until}."
            )
            fix = Fix(f"Split by {self.kind}", "split", name, self.kind)
            yield Alert(f"{self.kind}_straddles", "high", name, text, fix)


_GROUPS = _Straddle(
    "group", "defines which rows belong together", "a group has rows on both sides, and the score is for known groups",
    "if the model will be used on new groups",
)  # fmt: skip
_TIMES = _Straddle(
    "time", "orders the rows in time", "models are trained on later rows and tested on earlier ones",
    "if you will predict the future",
)  # fmt: skip


def _split_words(kind: str) -> str:
    return {"stratified": "at random (stratified)", "random": "at random", "group": "by group", "time": "by time",
            "leave_one_out": "one row at a time", "validation": "at random"}[kind]  # fmt: skip


def _constant_inside(split: Split) -> Iterator[Alert]:
    """Columns with only one value in the training rows of some fold, but not in all rows."""
    constant = []
    folds = split.plan.folds[:20]
    for name in split.rows.columns[:1000]:
        codes, values = pd.factorize(split.rows[name])
        if len(values) > 1 and any(_one_value(codes[f.train]) for f in folds):
            constant.append(str(name))
    if constant:
        yield Alert(
            "constant_in_fold", "medium", constant[0] if len(constant) == 1 else None,
            f"{several(constant)}: only one value in the training rows of a fold, so a model cannot learn from it "
            "there.",
        )  # fmt: skip


def _one_value(codes: Array) -> bool:
    known = codes[codes >= 0]
    return len(known) == 0 or bool((known == known[0]).all())


CHECKS: tuple[Check, ...] = (
    Check(
        codes=("group_straddles",),
        help=Help(
            "A column defines which rows belong together (a customer, a patient), but the folds ignore it.",
            "A model is tested on groups that it was trained on.",
            "If you will only ever predict for known groups, this is what you want.",
            "Split by group.",
        ),
        find=_GROUPS.find,
    ),
    Check(
        codes=("time_straddles",),
        help=Help(
            "A column orders the rows in time, but the folds ignore it.",
            "Models are trained on the future of their test rows.",
            "If the world does not change with time, a random split is fine.",
            "Split by time: the past predicts the future.",
        ),
        find=_TIMES.find,
    ),
    Check(
        codes=("near_duplicates",),
        help=Help(
            "Rows that differ by under a fiftieth of a standard deviation in every number and not at all elsewhere.",
            "Each has a near twin on the other side of the first fold; by chance there would be very few.",
            "Coarse measurements of different things can look the same.",
            "Find out which rows belong together, set the role of that column to group, and split by it.",
        ),
        find=_near_twins,
    ),
    Check(
        codes=("constant_in_fold",),
        help=Help(
            "A column that varies, but not in the training rows of some fold.",
            "Typical of columns that change with time or with the group.",
            "It does no harm, but models of that fold cannot use the column.",
            "Leave it out, or choose fewer and larger folds.",
        ),
        find=_constant_inside,
    ),
)
