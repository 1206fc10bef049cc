"""Rows that depend on each other: order in time, duplicates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mlcore.checks.base import STRAY, Check, CheckContext
from mlcore.data.cast import as_days
from mlcore.data.dataset import Column
from mlcore.data.sql import quoted
from mlcore.result import Alert, Array, Fix, Help
from mlcore.wording import number, share


def _time_order(context: CheckContext) -> Iterator[Alert]:
    """Dates along which the rows are ordered, or the target drifts: models must not be trained on the future."""
    if context.dataset.schema.in_role("time") or context.target is None:
        return
    for c in context.features:
        if c.kind != "datetime" or c.dtype != "datetime" or c.distinct < 20:
            continue
        days = as_days(context.sample[c.name]).to_numpy()
        known = np.flatnonzero(~np.isnan(days))
        ordered = len(known) >= 20 and float((np.diff(days[known]) >= 0).mean()) > 0.98
        drift = _drift(context, days)
        if ordered or abs(drift) > 0.3:
            reason = (
                "the rows are in its order" if ordered else f"{context.target} drifts along it (rank r {number(drift)})"
            )
            yield Alert(
                "time_order",
                "medium",
                c.name,
                f"{c.name}: {reason}. A random split trains a model on the future, which is unknown in use.",
                Fix("Split by it", "role", c.name, "time"),
            )


TIME_ORDER = Check(
    codes=("time_order",),
    help=Help(
        "Dates along which the rows are ordered, or along which the target drifts.",
        "Rows in the order of the dates, or a rank correlation of target and date beyond ±0.3.",
        "A random split trains on the future of its test rows; in use, the future is unknown.",
        "Split by time, so that each fold is tested on what comes after.",
    ),
    find=_time_order,
)


def _drift(context: CheckContext, days: Array) -> float:
    """Rank correlation of the target with time; 0 for more than two classes."""
    target = context.labels
    if target is None or context.task == "multiclass":
        return 0.0
    ranks = pd.DataFrame({"day": days[target.rows], "y": target.y.astype(float)}).dropna().rank()
    r = ranks["day"].corr(ranks["y"])  # of ranks, so Spearman's; the method of pandas would import scipy.stats
    return float(r) if np.isfinite(r) else 0.0


def _duplicate_rows(context: CheckContext) -> Iterator[Alert]:
    """Rows that repeat another, ignoring identifiers."""
    schema, rows = context.dataset.schema, context.dataset.rows
    columns = [c for c in schema if c.kind != "identifier" and c.distinct > 0]
    if len(schema) > 200 or not any(c.kind == "numeric" and c.distinct > 20 for c in columns):
        return
    # Two varied columns distinguish most rows; all columns are compared only if these two do not.
    varied = sorted(columns, key=lambda c: -c.distinct)[:2]
    if len(varied) < len(columns) and _repeats(context, varied) <= STRAY * rows:
        return
    repeated = _repeats(context, columns)
    if repeated > max(STRAY * rows, 2):
        yield Alert(
            "duplicates",
            "medium",
            None,
            f"{share(repeated, rows)} rows repeat another row (ignoring identifiers). "
            "If a split separates the copies, the score is too good.",
            Fix("Keep one of each", "rows", None, "unique"),
        )


DUPLICATE_ROWS = Check(
    codes=("duplicates",),
    help=Help(
        "Rows that are the same as another row.",
        "By comparing all columns but identifiers; more than one row in two hundred.",
        "If one copy is a training row and the other a test row, the model has seen the answer.",
        "Keep one of each, unless the repetition is real (the same purchase twice).",
    ),
    find=_duplicate_rows,
)


def _repeats(context: CheckContext, columns: list[Column]) -> int:
    """The number of rows that repeat an earlier one in these columns, by 64-bit hashes."""
    names = ", ".join(quoted(c.name) for c in columns)
    answer = context.ask(f"SELECT count(*) - count(DISTINCT hash({names})) FROM data")
    return int(answer[0][0])


CHECKS: tuple[Check, ...] = (
    TIME_ORDER,
    DUPLICATE_ROWS,
)
