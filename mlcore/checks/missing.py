"""Missing values: how many, whether they are informative, and which columns are missing together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlcore.checks.base import MOST_PAIRED, Check, CheckContext, leave_out, names_of, range_of
from mlcore.result import Alert, Fix, Help
from mlcore.wording import number, percent, several, share


def _missing_values(context: CheckContext) -> Iterator[Alert]:
    for c in context.columns:
        if c.missing and c.distinct:
            much = c.missing > 0.5 * context.dataset.rows
            yield Alert(
                "missing",
                "medium" if much else "low",
                c.name,
                f"{c.name}: {share(c.missing, context.dataset.rows)} values are missing."
                + (" More than half: check whether that is intended." if much else ""),
                leave_out(c) if much and c.role == "feature" else None,
                size=c.missing / context.dataset.rows,
            )


MISSING = Check(
    codes=("missing",),
    help=Help(
        "Values that are empty or marked as missing.",
        "By counting; the Data page shows which texts were read as missing.",
        "A filled-in value is a guess. If values are missing for a reason, the reason is information.",
        "Find out why. The recipe fills missing values inside each fold and can add indicators.",
    ),
    together={
        "missing": lambda a: (
            f"{len(a)} columns have {'many' if a[0].severity == 'medium' else 'a few'} missing values, "
            f"{range_of(a)}: {names_of(a)}."
            if (max(x.size or 0 for x in a) <= 0.2 or a[0].severity == "medium")
            else f"{len(a)} columns have missing values, {range_of(a)}: {names_of(a)}."
        )
    },
    find=_missing_values,
)


def _informative(context: CheckContext) -> Iterator[Alert]:
    """Missing values that are related to the target: being missing is information."""
    target = context.labels
    if target is None or context.task is None or len(target.rows) < 100:
        return
    frame = context.sample.iloc[target.rows]
    for c in context.features:
        absent = frame[c.name].isna().to_numpy()
        if not 30 <= absent.sum() <= len(absent) - 30:
            continue
        if context.task == "regression":
            inside, outside = target.y[absent], target.y[~absent]
            z = (inside.mean() - outside.mean()) / np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
            difference = (
                f"on average, {context.target} is {number(inside.mean())} there and {number(outside.mean())} elsewhere"
            )
        else:
            most = int(np.bincount(target.y).argmax()) if context.task == "multiclass" else int(target.y.max())
            p, q = float((target.y[absent] == most).mean()), float((target.y[~absent] == most).mean())
            overall = float((target.y == most).mean())
            z = (p - q) / np.sqrt(max(overall * (1 - overall), 1e-12) * (1 / absent.sum() + 1 / (~absent).sum()))
            difference = f"{percent(p)} are {target.classes[most]} there and {percent(q)} elsewhere"
        if abs(z) > 5:  # far beyond chance, even over a thousand columns
            yield Alert(
                "informative_missingness",
                "low",
                c.name,
                f"Rows where {c.name} is missing differ in the target: {difference}.",
                Fix(
                    "Add indicators (all columns with missing values)",
                    "step",
                    c.name,
                    {"step": "missing", "indicator": True},
                ),
            )


MISSING_TELLS = Check(
    codes=("informative_missingness",),
    help=Help(
        "Missing values that are related to the target.",
        "The target where the column is missing, compared with elsewhere; more than five standard errors apart.",
        "Then missingness itself predicts, or it leaks the target if the column is only filled in after the outcome.",
        "Find out when the value is recorded. If before the outcome, keep the missing indicator.",
    ),
    together={
        "informative_missingness": lambda a: (
            f"Rows where {names_of(a)} are missing differ in the target: being missing is information."
        )
    },
    find=_informative,
)


def _missing_together(context: CheckContext) -> Iterator[Alert]:
    """Columns that are missing in the same rows."""
    incomplete = [c for c in context.columns if c.missing >= 10 and c.missing < context.dataset.rows][:MOST_PAIRED]
    groups: dict[bytes, list[str]] = {}
    for c in incomplete:
        groups.setdefault(np.packbits(context.sample[c.name].isna().to_numpy()).tobytes(), []).append(c.name)
    for names in groups.values():
        counts = [context.dataset.schema[n].missing for n in names]
        if len(names) > 1 and len(set(counts)) == 1:
            message = (
                f"{several(names)} are missing in the same rows, {share(counts[0], context.dataset.rows)}: one cause."
            )
            yield Alert("missing_together", "low", names[0], message)


MISSING_TOGETHER = Check(
    codes=("missing_together",),
    help=Help(
        "Columns that are missing in exactly the same rows.",
        "The rows with missing values are compared.",
        "They have one cause, such as a form that was not filled in; several indicators of it are duplicates.",
        "Keep one indicator. Find out what these rows have in common.",
    ),
    find=_missing_together,
)


CHECKS: tuple[Check, ...] = (
    MISSING,
    MISSING_TELLS,
    MISSING_TOGETHER,
)
