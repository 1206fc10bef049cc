"""Entities known by their rows: a column whose values repeat, and within which rows are alike, is a group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlcore.checks.base import Check, CheckContext
from mlcore.data.cast import as_numbers
from mlcore.data.dataset import Column
from mlcore.ingest.kinds import ID_NAME
from mlcore.result import Alert, Array, Fix, Help, Severity
from mlcore.wording import percent

FEWEST_GROUPS = 10
ALIKE = 0.9  # fraction of a column's variance between the groups, from which its values are alike within them
SOME, HALF = 0.25, 0.5  # fractions of columns, or of the target's variance
MOST_COLUMNS = 60
MANY_ROWS = 3  # mean rows of a group below which likeness says little


@dataclass(frozen=True)
class _Candidate:
    """A column that may name entities, and how alike the rows of one are."""

    column: Column
    groups: int
    rows: int
    alike: tuple[str, ...]  # columns that hardly vary within a group
    share: float  # of the other columns that do so
    target: float  # fraction of the target's variance between groups, corrected for chance

    @property
    def is_named(self) -> bool:
        """Whether its name says that it identifies something."""
        return bool(ID_NAME.search(self.column.name))

    @property
    def is_entity(self) -> bool:
        """Whether it should be split by."""
        if self.is_named:
            return True
        alike = len(self.alike) >= 2 and self.share >= SOME
        return alike and (self.share >= HALF or self.target >= SOME)


def _entities(context: CheckContext) -> Iterator[Alert]:
    """The column that names the entities best, unless the rows are already grouped."""
    if context.dataset.schema.in_role("group"):
        return
    candidates = [c for c in map(lambda c: _candidate(context, c), _possible(context)) if c is not None and c.is_entity]
    named = [c for c in candidates if c.is_named]
    best = max(candidates, key=lambda c: (c.share + c.target, c.is_named, c.groups), default=None)
    for entity in {c.column.name: c for c in [*([best] if best else []), *named]}.values():
        yield _alert(context, entity)


def _possible(context: CheckContext) -> list[Column]:
    rows = context.dataset.rows
    return [
        c
        for c in context.columns[:MOST_COLUMNS]
        if c.role in ("feature", "ignore")
        and c.kind not in ("constant", "datetime", "boolean")
        and c.dtype in ("integer", "text")
        and not (c.kind == "identifier" and c.distinct == rows)
        and FEWEST_GROUPS <= c.distinct <= (0.7 if ID_NAME.search(c.name) else 1 / MANY_ROWS) * (rows - c.missing)
    ]


def _candidate(context: CheckContext, column: Column) -> _Candidate | None:
    sample = context.sample
    codes = pd.factorize(sample[column.name])[0]
    known = codes >= 0
    if known.sum() < 2 * FEWEST_GROUPS or codes.max() + 1 > 0.7 * known.sum():
        return None
    others = [
        c for c in context.columns[:MOST_COLUMNS] if c.name != column.name and c.distinct > 1 and c.role != "group"
    ]
    others = [c for c in others if not (c.kind == "identifier" and c.distinct == context.dataset.rows)]
    values = {c.name: _values(sample[c.name], c) for c in others}
    values = {n: v for n, v in values.items() if not _is_alias(v, sample[column.name], codes, known)}
    between = {n: between_groups(v[known], codes[known]) for n, v in values.items()}
    alike = tuple(n for n, part in between.items() if part >= ALIKE)
    target = context.labels
    part = 0.0
    if target is not None:
        inside = codes[target.rows]
        part = between_groups(_centred(target.y, context.task == "multiclass")[inside >= 0], inside[inside >= 0])
    return _Candidate(
        column, column.distinct, context.dataset.rows - column.missing, alike, len(alike) / max(len(values), 1), part
    )


def _centred(y: Array, classes: bool) -> Array:
    """A target as numbers; of several classes, whether a row is of the most common one."""
    return (y == np.bincount(y).argmax()).astype(float) if classes else y.astype(float)


def _values(column: pd.Series, of: Column) -> Array:
    if of.dtype in ("text", "boolean"):
        return pd.factorize(column)[0].astype(float)
    return as_numbers(column, of.parse).to_numpy()


def _is_alias(values: Array, column: pd.Series, codes: Array, known: Array) -> bool:
    """Whether another column says the same: one value for one group and one group for one value, or the same order."""
    pairs = pd.DataFrame({"g": codes[known], "v": values[known]}).drop_duplicates()
    if len(pairs) == pairs["g"].nunique() == pairs["v"].nunique(dropna=False):
        return True
    if not pd.api.types.is_numeric_dtype(column):
        return False
    ranks = pd.DataFrame({"g": column.to_numpy("float64", na_value=np.nan)[known], "v": values[known]}).dropna().rank()
    return len(ranks) > 10 and bool(abs(ranks["g"].corr(ranks["v"])) > 0.9)


def between_groups(values: Array, codes: Array) -> float:
    """The fraction of the variance that lies between groups, without what chance would give (ω², Hays 1963).

    >>> between_groups(np.array([1.0, 1, 2, 2, 3, 3]), np.array([0, 0, 1, 1, 2, 2]))
    1.0
    """
    known = np.isfinite(values)
    values, codes = values[known], pd.factorize(codes[known])[0]
    n, k = len(values), int(codes.max(initial=-1)) + 1
    if n - k < FEWEST_GROUPS / 5 or k < 2:
        return 0.0
    sizes = np.bincount(codes)
    means = np.bincount(codes, values) / sizes
    within = float(((values - means[codes]) ** 2).sum())
    total = float(((values - values.mean()) ** 2).sum())
    if total <= 1e-12:
        return 0.0
    mean_within = within / (n - k)
    return max(0.0, (total - within - (k - 1) * mean_within) / (total + mean_within))


def _alert(context: CheckContext, entity: _Candidate) -> Alert:
    why = f"{entity.groups:,} values for {entity.rows:,} rows, so entities repeat"
    if entity.share >= SOME and entity.alike:
        why += (
            f"; within one value, {len(entity.alike)} other column{'s are' if len(entity.alike) > 1 else ' is'} alike"
        )
    if entity.target >= SOME and context.target is not None:
        why += f"; {percent(entity.target)} of the variance of {context.target} lies between the values"
    severity: Severity = "high" if entity.is_named or entity.share >= HALF or entity.target >= HALF else "medium"
    name = entity.column.name
    return Alert(
        "groups",
        severity,
        name,
        f"{name}: {why}. A random split puts the same entity on both sides, and the score is too good.",
        Fix("Split by it", "role", name, "group"),
        size=entity.share,
        explains=(name, *entity.alike),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        codes=("groups",),
        help=Help(
            "A column that names an entity (a customer, a patient, a shop) with several rows.",
            "Its values repeat, and its name ends like an identifier, or the other columns hardly vary within one "
            "value: nine tenths of their variance lie between the values (ω²).",
            "Rows of one entity resemble each other. A random split tests a model on entities that it was trained on.",
            "Split by it, unless the model will only ever predict for entities in the training rows.",
        ),
        find=_entities,
    ),
)
