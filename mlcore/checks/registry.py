"""All checks of a dataset, run before the first fit.

To add a check, write its function in the file of its family, and its row right after it.
"""

from __future__ import annotations

from dataclasses import replace

from mlcore.checks import columns, leakage, missing, rows, target
from mlcore.checks.base import Check, CheckContext
from mlcore.data.column_stats import ColumnStats, column_stats
from mlcore.data.dataset import Dataset
from mlcore.result import Alert, by_severity
from mlcore.validation.metrics import Task

CHECKS: tuple[Check, ...] = (*leakage.CHECKS, *rows.CHECKS, *target.CHECKS, *columns.CHECKS, *missing.CHECKS)


def find(
    dataset: Dataset, name: str | None = None, task: Task | None = None, stats: dict[str, ColumnStats] | None = None
) -> list[Alert]:
    """Run all checks, with the target `name` if there is one; the most severe first."""
    context = CheckContext(dataset, name, task, stats if stats is not None else column_stats(dataset))
    alerts = [replace(alert, help=check.help) for check in CHECKS for alert in check.find(context)]
    return by_severity(alerts)
