"""The target: which task it makes, which rows can be used, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.casts import as_moments
from mlcore.dataset import Column, Dataset, Schema
from mlcore.errors import BadChoice, BadTarget
from mlcore.metrics import TASKS, Task
from mlcore.protocol import Plan, Protocol, Target, make_plan
from mlcore.result import Array, several, share

MOST_CLASSES = 200
FEW_CLASSES = 20  # of a target that is suggested
FEW_WHOLE_NUMBERS = 10  # a whole-number target with more values than this is taken as a quantity


NAMED = ("target", "label", "class", "outcome", "response", "y", "churn", "churned", "survived", "default", "returned",
         "price", "charges", "sales", "species", "quality", "diagnosis", "status")  # fmt: skip


def suggested(schema: Schema) -> str | None:
    """The column that is most likely meant to be predicted: by its name, else the last one that could be; or None."""
    possible = [c for c in schema if c.kind in ("numeric", "categorical", "boolean") and c.distinct >= 2]
    possible = [c for c in possible if c.dtype in ("integer", "float") or c.distinct <= FEW_CLASSES]
    for name in NAMED:
        for column in possible:
            if column.name.strip().casefold() == name:
                return column.name
    last = schema.columns[-1] if len(schema) else None
    return last.name if last in possible else None


def task_of(column: Column, wanted: str = "auto") -> Task:
    """Settle the task from the target column: two values, a few, or a quantity. Raises BadTarget or BadChoice."""
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
            f"{column.name!r} holds dates; predicting a date is not offered. Choose a column of numbers or categories."
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
    """Say the task in words, and what else it could be."""
    if task == "regression":
        return f"A quantity, so this is regression: {column.distinct:,} different values."
    title = "Two classes" if task == "binary" else f"{column.distinct:,} classes"
    more = ""
    if column.dtype in ("integer", "float") and task == "multiclass":
        more = " If the numbers are amounts, choose regression instead."
    return f"{title}, so this is classification.{more}"


def load_target(dataset: Dataset, name: str, task: Task) -> Target:
    """Read the target; rows where it is missing are left out. Raises BadTarget."""
    return target_of(dataset.column(name), name, task)


@dataclass(frozen=True)
class Settled:
    """A protocol settled for a dataset: the target's rows, their group and time columns, and the plan."""

    protocol: Protocol
    target: Target
    keys: pd.DataFrame  # a row for each of the target's rows
    plan: Plan


def settle(dataset: Dataset, name: str, task: Task, protocol: Protocol) -> Settled:
    """Settle how the rows of a dataset are split to predict a column. Raises BadInput for what cannot be cut so."""
    protocol = protocol.checked().with_roles(dataset.schema)
    target = load_target(dataset, name, task)
    keys = dataset.frame([n for n in (protocol.group, protocol.time) if n is not None]).iloc[target.rows]
    return Settled(protocol, target, keys, make_plan(protocol, task, target, keys))


def target_of(column: pd.Series, name: str, task: Task) -> Target:
    """Settle the target from its cells; rows where it is missing are left out. Raises BadTarget."""
    values, known = _numbers(column) if task == "regression" else _labels(column)
    rows, unknown = np.flatnonzero(known), np.flatnonzero(~known)
    if task == "regression":
        if len(np.unique(values[known])) < 2:
            raise BadTarget(f"{name!r} has fewer than two known values.")
        return Target(rows, values[known].astype(float), np.array([]), unknown)
    classes, codes = np.unique(values[known], return_inverse=True)
    if len(classes) < 2:
        raise BadTarget(f"{name!r} has one value only ({classes[0]!r}), so there is nothing to predict.")
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
    if pt.is_integer_dtype(column):  # not by way of a float, which would merge large ones
        return column.where(known, 0).to_numpy(dtype="int64"), known
    if pt.is_numeric_dtype(column):
        values, known = _numbers(column)
        filled = np.where(known, values, 0)
        return (filled.astype("int64") if (filled == np.round(filled)).all() else filled), known
    if pt.is_datetime64_any_dtype(column):
        column = as_moments(column).dt.strftime("%Y-%m-%d")
    return column.where(known, "").astype(str).to_numpy(dtype=object), known


def target_notes(rows: int, target: Target, name: str) -> list[str]:
    """What has to be said of the target's rows; `rows` counts the file's."""
    left_out = rows - len(target.rows)
    notes = []
    if left_out:
        notes.append(f"{share(left_out, rows)} rows have no {name} and are left out.")
    if len(target.classes):
        counts = np.bincount(target.y)
        alone = [str(c) for c, n in zip(target.classes, counts, strict=True) if n == 1]
        if alone:
            notes.append(f"One row only is {several(alone)}: it can be trained on or tested on, never both.")
    return notes
