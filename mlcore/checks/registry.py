"""All checks of a dataset, run before the first fit.

To add a check, write its function in the file of its family, and its row right after it.
"""

from __future__ import annotations

from mlcore.checks import columns, entities, leakage, missing, placeholders, rows, target
from mlcore.checks.base import Check, CheckContext, one_row_each
from mlcore.data.column_stats import ColumnStats, column_stats
from mlcore.data.dataset import Dataset
from mlcore.result import Alert, by_severity
from mlcore.validation.metrics import Task

CHECKS: tuple[Check, ...] = (
    *leakage.CHECKS,
    *entities.CHECKS,
    *rows.CHECKS,
    *target.CHECKS,
    *placeholders.CHECKS,
    *columns.CHECKS,
    *missing.CHECKS,
)


def find(
    dataset: Dataset,
    name: str | None = None,
    task: Task | None = None,
    stats: dict[str, ColumnStats] | None = None,
    training: Dataset | None = None,
) -> list[Alert]:
    """Run all checks, with the target `name` if there is one; the most severe first.

    What looks at the target looks at `training`, the rows without the holdout.
    """
    context = CheckContext(dataset, name, task, stats if stats is not None else column_stats(dataset), training)
    raised = [(check, list(check.find(context))) for check in CHECKS]
    explained = {name for _, alerts in raised for a in alerts for name in a.explains}
    kept = [(check, [a for a in alerts if not _is_explained(a, explained)]) for check, alerts in raised]
    return by_severity([row for check, alerts in kept for row in one_row_each(check, alerts)])


def _is_explained(alert: Alert, explained: set[str]) -> bool:
    """Whether an entity explains it: leaving out the column would hide that rows belong together, not fix it."""
    return alert.column in explained and alert.code in ("target_leakage", "high_cardinality")
