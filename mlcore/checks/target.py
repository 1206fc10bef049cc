"""The target: constant, missing, zero where a percentage error is used, imbalanced; and very wide tables."""

from __future__ import annotations

from collections.abc import Iterator

from mlcore.checks.base import MOST_CHECKED, Check, CheckContext
from mlcore.data.sql import quoted, trimmed
from mlcore.result import Alert, Fix, Help
from mlcore.wording import share

# the target -----------------------------------------------------------------------------------------------------------


def _target(context: CheckContext) -> Iterator[Alert]:
    if context.target is None:
        return
    column = context.dataset.schema[context.target]
    if column.distinct < 2:
        message = f"{context.target} has {'one value' if column.distinct else 'no known value'}: nothing to predict."
        yield Alert("target_constant", "high", context.target, message)
    if column.missing and column.distinct:
        message = f"{share(column.missing, context.dataset.rows)} rows have no {context.target}; they are left out."
        yield Alert("target_missing", "medium", context.target, message)
    stats = context.stats.get(context.target)
    if context.task == "regression" and stats is not None and stats.zeros:
        message = (
            f"{context.target} is 0 in {share(stats.zeros, stats.known)} rows, where a percentage error is undefined. "
            "RMSE and MAE are not affected."
        )
        yield Alert("target_zeros", "low", context.target, message)


TARGET = Check(
    codes=("target_constant", "target_missing", "target_zeros"),
    help=Help(
        "The target is missing in some rows, has only one value, or is zero where a percentage error is used.",
        "By counting its values.",
        "Rows without an outcome cannot be used to train or test; a percentage of zero is undefined.",
        "Find out why outcomes are missing: if not by chance, the score holds only for the other rows.",
    ),
    find=_target,
)


def _classes(context: CheckContext) -> Iterator[Alert]:
    if context.target is None or context.task in (None, "regression"):
        return
    column = context.dataset.schema[context.target]
    c = quoted(context.target)
    label = f"lower(regexp_replace({trimmed(c)}, '\\s+', ' ', 'g'))" if column.folded else c  # spellings of one label
    counts = [n for (n,) in context.ask(f"SELECT count(*) FROM data WHERE {c} IS NOT NULL GROUP BY {label} ORDER BY 1")]
    if counts and counts[0] < 0.1 * sum(counts) and context.task == "binary":
        yield Alert(
            "imbalance",
            "medium",
            context.target,
            f"The rarer class is {share(counts[0], sum(counts))} of the rows. "
            "Accuracy will look good whatever the model does; look at precision and recall.",
            Fix("Rank by average precision", "metric", context.target, "average_precision"),
        )
    few = sum(n < 5 for n in counts)
    if few:
        yield Alert(
            "rare_class",
            "medium",
            context.target,
            f"{few} of {len(counts)} classes have fewer than 5 rows: too few to train and test on.",
        )


CLASSES = Check(
    codes=("imbalance", "rare_class"),
    help=Help(
        "One class is rare.",
        "Fewer than one row in ten, or fewer than five rows.",
        "Always predicting the common class is then nearly always right, and useless.",
        "Judge by average precision, or precision and recall at a threshold that fits the costs.",
    ),
    find=_classes,
)


def _width(context: CheckContext) -> Iterator[Alert]:
    columns = len(context.dataset.schema)
    if columns > MOST_CHECKED:
        message = f"Of {columns:,} columns, only the first {MOST_CHECKED:,} were checked; the rest may have problems."
        yield Alert("wide", "low", None, message)


WIDTH = Check(
    codes=("wide",),
    help=Help(
        "A table with very many columns.",
        "By counting.",
        "With more columns than rows, some columns fit by chance alone.",
        "Leave out columns that cannot matter before you compare models.",
    ),
    find=_width,
)


CHECKS: tuple[Check, ...] = (
    TARGET,
    CLASSES,
    WIDTH,
)
