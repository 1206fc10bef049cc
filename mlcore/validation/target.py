"""The target: its task, the rows that can be used, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.data.cast import as_timestamps
from mlcore.data.dataset import Column, Dataset, Schema
from mlcore.errors import BadChoice, BadTarget
from mlcore.result import Array
from mlcore.validation.metrics import TASKS, Task
from mlcore.validation.protocol import Protocol
from mlcore.validation.splitter import Plan, Target, make_plan
from mlcore.wording import several, share

MOST_CLASSES = 200
FEW_CLASSES = 20  # of a suggested target
FEW_WHOLE_NUMBERS = 10  # a whole-number target with more values than this is taken as continuous


NAMED = ("target", "label", "class", "outcome", "response", "y", "churn", "churned", "survived", "default", "returned",
         "price", "charges", "sales", "species", "quality", "diagnosis", "status")  # fmt: skip


def suggested_target(schema: Schema) -> str | None:
    """The most likely target: a column with a typical name, else the last one if it can be predicted, or None."""
    candidates = [c for c in schema if c.kind in ("numeric", "categorical", "boolean") and c.distinct >= 2]
    candidates = [c for c in candidates if c.dtype in ("integer", "float") or c.distinct <= FEW_CLASSES]
    for name in NAMED:
        for column in candidates:
            if column.name.strip().casefold() == name:
                return column.name
    last = schema.columns[-1] if len(schema) else None
    return last.name if last in candidates else None


def task_of(column: Column, wanted: str = "auto") -> Task:
    """The task of a target column: two values, a few, or a continuous target. Raises BadTarget or BadChoice."""
    if wanted not in ("auto", *TASKS):
        raise BadChoice.of("task", wanted, ("auto", *TASKS))
    if column.distinct < 2:
        raise BadTarget(
            f"{column.name!r} cannot be predicted: it has {column.distinct or 'no'} known "
            f"value{'' if column.distinct == 1 else 's'}. A target needs at least two."
        )
    numbers = column.dtype in ("integer", "float")
    if wanted == "regression" and not numbers:
        raise BadTarget(f"{column.name!r} holds {column.dtype}, not numbers, so it cannot be a regression target.")
    if wanted == "binary" and column.distinct != 2:
        raise BadTarget(f"{column.name!r} has {column.distinct:,} values; a binary target has exactly two.")
    if wanted != "auto":
        return wanted  # type: ignore[return-value]
    if column.dtype == "datetime":
        raise BadTarget(
            f"{column.name!r} holds dates, which cannot be predicted. Choose a column of numbers or categories."
        )
    if column.distinct == 2:
        return "binary"
    if numbers and (column.dtype == "float" or column.distinct > FEW_WHOLE_NUMBERS) and column.kind != "categorical":
        return "regression"
    if column.distinct > MOST_CLASSES:
        raise BadTarget(
            f"{column.name!r} has {column.distinct:,} different values, too many to be classes "
            f"(at most {MOST_CLASSES}). Choose another target."
        )
    return "multiclass"


def task_words(column: Column, task: Task) -> str:
    """The task in words, and the alternative."""
    if task == "regression":
        return f"A continuous target, so this is regression: {column.distinct:,} different values."
    title = "Two classes" if task == "binary" else f"{column.distinct:,} classes"
    more = ""
    if column.dtype in ("integer", "float") and task == "multiclass":
        more = " If the numbers are amounts, choose regression instead."
    return f"{title}, so this is classification.{more}"


def load_target(dataset: Dataset, name: str, task: Task) -> Target:
    """Read the target; rows with a missing target are left out. Raises BadTarget."""
    return target_of(dataset.column(name), name, task)


@dataclass(frozen=True)
class ResolvedSplit:
    """A protocol resolved for a dataset: the target's rows, their group and time columns, and the plan."""

    protocol: Protocol
    target: Target
    keys: pd.DataFrame  # one row per row of the target
    plan: Plan


def resolve_split(dataset: Dataset, name: str, task: Task, protocol: Protocol) -> ResolvedSplit:
    """Resolve how the rows of a dataset are split to predict a column. Raises BadInput when the split is impossible."""
    protocol = protocol.checked().with_roles(dataset.schema)
    target = load_target(dataset, name, task)
    keys = dataset.frame([n for n in (protocol.group, protocol.time) if n is not None]).iloc[target.rows]
    return ResolvedSplit(protocol, target, keys, make_plan(protocol, task, target, keys))


def target_of(column: pd.Series, name: str, task: Task) -> Target:
    """Build the target from its column; rows with a missing target are left out. Raises BadTarget."""
    values, known = _numbers(column) if task == "regression" else _labels(column)
    rows, unknown = np.flatnonzero(known), np.flatnonzero(~known)
    if task == "regression":
        if len(np.unique(values[known])) < 2:
            raise BadTarget(f"{name!r} has fewer than two known values.")
        return Target(rows, values[known].astype(float), np.array([]), unknown)
    classes, codes = np.unique(values[known], return_inverse=True)
    if len(classes) < 2:
        raise BadTarget(f"{name!r} has only one value ({classes[0]!r}), so there is nothing to predict.")
    return Target(rows, codes, classes, unknown)


def _numbers(column: pd.Series) -> tuple[Array, Array]:
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    return values, np.isfinite(values)


def _labels(column: pd.Series) -> tuple[Array, Array]:
    """Labels of one sortable type: whole floats become integers, dates and mixed types become text."""
    known = column.notna().to_numpy()
    if pt.is_bool_dtype(column) or set(column[known].map(type)) == {bool}:
        return column.where(known, False).to_numpy(dtype=bool), known
    if pt.is_integer_dtype(column) and known.all():
        return column.to_numpy(), known
    if pt.is_integer_dtype(column):  # not through float, which would merge large integers
        return column.where(known, 0).to_numpy(dtype="int64"), known
    if pt.is_numeric_dtype(column):
        values, known = _numbers(column)
        filled = np.where(known, values, 0)
        return (filled.astype("int64") if (filled == np.round(filled)).all() else filled), known
    if pt.is_datetime64_any_dtype(column):
        column = as_timestamps(column).dt.strftime("%Y-%m-%d")
    return column.where(known, "").astype(str).to_numpy(dtype=object), known


def target_notes(rows: int, target: Target, name: str) -> list[str]:
    """Notes about the target's rows; `rows` is the number of rows of the file."""
    missing = rows - len(target.rows)
    notes = []
    if missing:
        notes.append(f"{share(missing, rows)} rows have no {name} and are left out.")
    if len(target.classes):
        counts = np.bincount(target.y)
        singletons = [str(c) for c, n in zip(target.classes, counts, strict=True) if n == 1]
        if singletons:
            notes.append(f"Only one row each: {several(singletons)}. It can be trained on or tested on, never both.")
    return notes
