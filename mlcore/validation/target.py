"""The target: its task, the rows that can be used, and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol as Protocol_

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.data.cast import as_timestamps
from mlcore.data.dataset import Column, Dataset, Schema
from mlcore.errors import BadChoice, BadTarget
from mlcore.result import Array
from mlcore.validation.labels import one_spelling, positive_class
from mlcore.validation.metrics import TASKS, Task
from mlcore.validation.protocol import Protocol
from mlcore.validation.splitter import FEWEST_ROWS, Plan, Target, make_plan
from mlcore.wording import several, share

MOST_CLASSES = 200
FEW_CLASSES = 20  # of a suggested target
FEW_WHOLE_NUMBERS = 10  # a whole-number target with more values than this is taken as continuous


# Names of outcomes, in the main languages; the first are the surest.
OUTCOMES = (
    ("target", "label", "class", "outcome", "response", "y", "ziel", "cible", "objetivo", "clase", "classe", "klasse"),
    ("churn", "churned", "survived", "survival", "default", "defaulted", "returned", "fraud", "is_fraud", "diagnosis",
     "disease", "readmitted", "attrition", "exited", "converted", "conversion", "clicked", "subscribed", "purchased",
     "bought", "approved", "died", "death", "mortality", "cancelled", "canceled", "delayed", "failed", "failure",
     "species", "left", "passed", "spam", "sentiment", "abgewandert", "gekauft", "gekuendigt", "gekündigt",
     "storniert", "diagnose", "ausfall", "betrug", "resilie", "résilié", "désabonné", "achete", "acheté", "comprado",
     "abandono", "fraude", "diagnostic", "diagnóstico"),
    ("price", "charges", "sales", "revenue", "income", "salary", "wage", "cost", "costs", "amount_due", "demand",
     "yield", "quality", "grade", "score", "rating", "result", "status", "risk", "mpg", "medv", "cnt", "strength",
     "preis", "umsatz", "gehalt", "kosten", "ertrag", "note", "ergebnis", "prix", "ventes", "revenu", "salaire",
     "précio", "precio", "ventas", "ingresos", "preço", "preco", "vendas", "prezzo", "vendite", "prijs", "pris"),
)  # fmt: skip


def suggested_target(schema: Schema) -> str | None:
    """The column that a person would predict, by its name, as one word or its last word; None if none is named so."""
    possible = [c for c in schema if c.kind in ("numeric", "categorical", "boolean") and c.classes >= 2]
    possible = [c for c in possible if c.dtype in ("integer", "float") or c.classes <= FEW_CLASSES]
    most = max((c.missing for c in schema), default=0)
    possible = [c for c in possible if not (c.missing and c.missing == most and c.missing > c.distinct * 100)]
    for words in OUTCOMES:
        for exact in (True, False):
            for column in possible:
                if _names_outcome(column.name, words, exact):
                    return column.name
    return None


def _names_outcome(name: str, words: tuple[str, ...], exact: bool) -> bool:
    text = name.strip().casefold()
    parts = re.split(r"[^\w]+|_|(?<=[a-z])(?=[A-Z])", name.strip())
    return text in words if exact else len(parts) > 1 and parts[-1].casefold() in words


def task_of(column: Column, wanted: str = "auto") -> Task:
    """The task of a target column: two values, a few, or a continuous target. Raises BadTarget or BadChoice."""
    if wanted not in ("auto", *TASKS):
        raise BadChoice.of("task", wanted, ("auto", *TASKS))
    if column.classes < 2:
        raise BadTarget(
            f"{column.name!r} cannot be predicted: it has {column.classes or 'no'} known "
            f"value{'' if column.classes == 1 else 's'}. A target needs at least two."
        )
    numbers = column.dtype in ("integer", "float")
    if wanted == "regression" and not numbers:
        raise BadTarget(f"{column.name!r} holds {column.dtype}, not numbers, so it cannot be a regression target.")
    if wanted == "binary" and column.classes != 2:
        raise BadTarget(f"{column.name!r} has {column.classes:,} values; a binary target has exactly two.")
    if wanted != "auto":
        return wanted  # type: ignore[return-value]
    if column.dtype == "datetime":
        raise BadTarget(
            f"{column.name!r} holds dates, which cannot be predicted. Choose a column of numbers or categories."
        )
    if column.classes == 2:
        return "binary"
    if numbers and (column.dtype == "float" or column.classes > FEW_WHOLE_NUMBERS) and column.kind != "categorical":
        return "regression"
    if column.classes > MOST_CLASSES:
        raise BadTarget(
            f"{column.name!r} has {column.classes:,} different values, too many to be classes "
            f"(at most {MOST_CLASSES}). Choose another target."
        )
    return "multiclass"


def other_task(column: Column, task: Task) -> str:
    """What to do where a target of few whole numbers was taken as classes; empty for other targets."""
    if task == "regression" or column.dtype not in ("integer", "float") or column.distinct < 3:
        return ""
    return (
        f"{column.name} has {column.distinct} different whole numbers and was taken as classes; with the task "
        "regression (--task regression) it is an amount."
    )


def task_words(column: Column, task: Task) -> str:
    """The task in words, and the alternative."""
    if task == "regression":
        return f"A continuous target, so this is regression: {column.classes:,} different values."
    title = "Two classes" if task == "binary" else f"{column.classes:,} classes"
    more = ""
    if column.dtype in ("integer", "float") and task == "multiclass":
        more = " If the numbers are amounts, choose regression instead."
    return f"{title}, so this is classification.{more}"


def load_target(dataset: Dataset, name: str, task: Task, positive: str | None = None) -> Target:
    """Read the target; rows with a missing target are left out. Raises BadTarget."""
    return target_of(dataset.column(name), name, task, positive)


class Predicted(Protocol_):
    """What is predicted: a recipe, or anything with these three."""

    @property
    def target(self) -> str:
        """The column."""

    @property
    def task(self) -> Task:
        """The task."""

    @property
    def positive(self) -> str | None:
        """The class of two that binary figures are about, as text; None for the one that `positive_class` chooses."""


@dataclass(frozen=True)
class ResolvedSplit:
    """A protocol resolved for a dataset: the target's rows, their group and time columns, and the plan."""

    protocol: Protocol
    target: Target
    keys: pd.DataFrame  # one row per row of the target
    plan: Plan


def resolve_split(dataset: Dataset, aim: Predicted, protocol: Protocol) -> ResolvedSplit:
    """Resolve how the rows of a dataset are split to predict a column. Raises BadInput when the split is impossible."""
    name, task = aim.target, aim.task
    protocol = protocol.checked().with_roles(dataset.schema)
    target = load_target(dataset, name, task, aim.positive)
    keys = dataset.frame([n for n in (protocol.group, protocol.time) if n is not None]).iloc[target.rows]
    return ResolvedSplit(protocol, target, keys, make_plan(protocol, task, target, keys))


def target_of(column: pd.Series, name: str, task: Task, positive: str | None = None) -> Target:
    """Build the target from its column; rows with a missing target are left out. Raises BadTarget, BadChoice.

    Of two classes the positive one comes last, as `positive` or `positive_class` says; more are sorted.
    """
    values, known = _numbers(column) if task == "regression" else _labels(column)
    rows, unknown = np.flatnonzero(known), np.flatnonzero(~known)
    if task == "regression":
        if len(np.unique(values[known])) < 2:
            raise BadTarget(f"{name!r} has fewer than two known values.")
        return Target(rows, values[known].astype(float), np.array([]), unknown)
    classes, codes = np.unique(values[known], return_inverse=True)
    if not len(classes):
        raise BadTarget(f"{name!r} has no known value, so there is nothing to predict.")
    if len(classes) < 2:
        raise BadTarget(f"{name!r} has only one value ({str(classes[0])!r}), so there is nothing to predict.")
    if len(classes) == 2:
        chosen = positive or positive_class([str(c) for c in classes], np.bincount(codes).tolist())
        if chosen not in (texts := [str(c) for c in classes]):
            raise BadChoice.of("class", chosen, texts)
        if chosen == texts[0]:
            classes, codes = classes[::-1], 1 - codes
    elif positive is not None:
        raise BadChoice(f"A positive class is one of two classes; {name} has {len(classes)}. Leave out the option.")
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
    return one_spelling(column.where(known, "").astype(str).to_numpy(dtype=object)), known


FEWEST_OF_A_CLASS = 4  # rows of the rarer of two classes: fewer cannot be learned from and tested on


def check_learnable(target: Target, name: str, groups: pd.Series | None) -> None:
    """Raise BadTarget where a class has too few rows, or lies within one group, to train and test on.

    `groups` (rows of the target,) are the groups of a split by group.
    """
    if not len(target.classes) or len(target.rows) < FEWEST_ROWS:  # `make_plan` refuses too few rows
        return
    counts = np.bincount(target.y, minlength=len(target.classes))
    labels = [str(c) for c in target.classes]
    rarest = int(counts.argmin())
    if len(counts) == 2 and counts[rarest] < FEWEST_OF_A_CLASS:
        raise BadTarget(
            f"{share(int(counts[rarest]), int(counts.sum()))} rows have {name} = {labels[rarest]}: too few to learn "
            f"from and test on. At least {FEWEST_OF_A_CLASS} are needed, and some dozens for a useful score. "
            "Collect more rows of it, or predict something else."
        )
    if groups is None:
        return
    codes = pd.factorize(groups)[0]
    within = [len(np.unique(codes[target.y == k])) for k in range(len(counts))]
    if len(counts) == 2 and min(within) < 2:
        label, rows = labels[int(np.argmin(within))], target.y == int(np.argmin(within))
        raise BadTarget(
            f"All rows with {name} = {label} have the same {groups.name} ({groups[rows].iloc[0]}), so a split by it "
            "cannot both train and test on them. Split in another way, or bring rows of other groups."
        )


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
