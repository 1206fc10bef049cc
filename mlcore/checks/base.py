"""Shared by all checks: the row of a check, and the data it examines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from mlcore.data.column_stats import ColumnStats
from mlcore.data.dataset import Column, Dataset
from mlcore.errors import BadTarget
from mlcore.explore.view import query
from mlcore.result import Alert, Fix, Help
from mlcore.validation.metrics import Task
from mlcore.validation.splitter import Target
from mlcore.validation.target import target_of
from mlcore.wording import percent, several

MOST_CHECKED = 1000  # columns; the rest of a wider table is not checked, and an alert reports it
MOST_PAIRED = 300  # numeric columns whose pairs are compared
LEAK_ROWS = 10_000
# Thresholds for one column alone: ROC AUC (other tools use the same); balanced accuracy; R².
LEAK: dict[Task, float] = {"binary": 0.95, "multiclass": 0.97, "regression": 0.95}
FEW_ROWS = 10  # of a category, below which it is rare
NEARLY_ALL = 0.99
STRAY = 0.005  # fraction of outliers, or of repeated rows, worth an alert


@dataclass(frozen=True, kw_only=True)
class Check:
    """A row of the registry: the codes it may raise, its help card and its function."""

    codes: tuple[str, ...]
    help: Help
    # One sentence for several columns with the same finding, by code; without one, each column is a row.
    together: Mapping[str, Callable[[Sequence[Alert]], str]] = field(default_factory=dict)
    find: Callable[[Any], Iterator[Alert]]  # takes the context of a dataset, or a resolved split


@dataclass(frozen=True)
class CheckContext:
    """The data that the checks examine."""

    dataset: Dataset
    target: str | None
    task: Task | None
    stats: dict[str, ColumnStats]
    training: Dataset | None = None  # without the holdout, for what looks at the target; by default all rows

    @cached_property
    def columns(self) -> list[Column]:
        """All checked columns, without the target."""
        return [c for c in self.dataset.schema if c.name != self.target][:MOST_CHECKED]

    @cached_property
    def features(self) -> list[Column]:
        """The checked columns that are features."""
        return [c for c in self.columns if c.role == "feature"]

    @cached_property
    def sample(self) -> pd.DataFrame:
        """A random sample of the rows that may be looked at, in file order; all of them in a small table."""
        names = [c.name for c in self.columns] + ([self.target] if self.target is not None else [])
        return (self.training or self.dataset).sample(names, LEAK_ROWS)

    @cached_property
    def labels(self) -> Target | None:
        """The target in the sample; None without a target, or if it cannot be predicted."""
        if self.target is None or self.task is None:
            return None
        try:
            return target_of(self.sample[self.target], self.target, self.task)
        except BadTarget:
            return None

    def scope(self, kind: str) -> str:
        """What a step changes: every feature of a kind, in words."""
        count = sum(c.kind == kind for c in self.features)
        return f"the one {kind} column" if count == 1 else f"all {count} {kind} columns"

    def ask(self, sql: str) -> list[Any]:
        """Query all rows."""
        return query(self.dataset, sql)


def one_row_each(check: Check, alerts: Sequence[Alert]) -> Iterator[Alert]:
    """The alerts of a check with one row for each finding, however many columns share it."""
    groups: dict[tuple[str, str], list[Alert]] = {}
    for alert in alerts:
        alone = alert.code not in check.together or alert.column is None
        groups.setdefault((alert.code, alert.severity if not alone else f"{len(groups)}"), []).append(alert)
    for (code, _), group in groups.items():
        if len(group) == 1:
            yield replace(group[0], help=check.help)
            continue
        fixes = [a.fix for a in group if a.fix is not None]
        yield Alert(
            code,
            group[0].severity,
            None,
            check.together[code](group),
            _one_fix(fixes) if len(fixes) == len(group) else None,
            check.help,
            max((a.size or 0.0 for a in group), default=None),
            tuple(group),
        )


def _one_fix(fixes: list[Fix]) -> Fix:
    """One click for several columns: the same for all, or that of each."""
    first = fixes[0]
    if all((f.action, f.value) == (first.action, first.value) for f in fixes) and first.action in ("step", "metric"):
        return first
    title = EACH.get(first.action, "{} all").format(first.title.split(" it")[0])
    return Fix(f"{title} ({len(fixes)} columns)", "each", None, tuple(fixes))


EACH = {
    "missing": "Take all as missing",
    "kind": "Read all as such, the rest as missing",
}  # the title for several columns


def names_of(alerts: Sequence[Alert], most: int = 4) -> str:
    """The columns of some alerts, for a sentence."""
    return several([str(a.column) for a in alerts], most)


def range_of(alerts: Sequence[Alert]) -> str:
    """The sizes of some alerts, as percentages."""
    sizes = sorted(a.size or 0.0 for a in alerts)
    low, high = percent(sizes[0]), percent(sizes[-1])
    return high if low == high else f"{low.removesuffix(' %')} to {high}"


def leave_out(column: Column) -> Fix | None:
    return None if column.role == "ignore" else Fix("Leave it out", "role", column.name, "ignore")
