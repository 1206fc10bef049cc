"""Columns that carry no information or repeat another column; values that models cannot use well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mlcore.checks.base import (
    FEW_ROWS,
    MOST_PAIRED,
    NEARLY_ALL,
    STRAY,
    Check,
    CheckContext,
    leave_out,
    names_of,
    range_of,
)
from mlcore.data.cast import as_numbers
from mlcore.data.dataset import Column
from mlcore.data.sql import quoted
from mlcore.ingest.convert import AS_TEXT, HAS_DIGIT, How, choose
from mlcore.result import Alert, Fix, Help, Severity
from mlcore.wording import number, percent, share

REDUNDANT = 0.95  # |r| from which two columns carry much the same information
MISFITS = 0.2  # maximum fraction of values that do not fit in a column read as numbers or dates
SKEWED = 3.0


# columns without information, or that repeat another ------------------------------------------------------------------


def _identifiers(context: CheckContext) -> Iterator[Alert]:
    for c in context.columns:
        if c.kind == "identifier" and c.role in ("feature", "ignore"):
            fix = leave_out(c)
            effect = " It is left out." if fix is None else " A model would memorise rows."
            severity: Severity = "low" if fix is None else "high"
            yield Alert("identifier", severity, c.name, f"{c.name} looks like an identifier: {c.reason}.{effect}", fix)


IDENTIFIERS = Check(
    codes=("identifier",),
    help=Help(
        "A column that numbers or names the rows.",
        "As many distinct values as rows, and a name or a sequence typical of an identifier.",
        "A flexible model can memorise rows by it, and importances are inflated.",
        "Leave it out. If a date or a place is encoded in it, make a column of that.",
    ),
    together={
        "identifier": lambda a: (
            f"{len(a)} columns look like identifiers: {names_of(a)}."
            + (" They are left out." if a[0].severity == "low" else " A model would memorise rows.")
        )
    },
    find=_identifiers,
)


def _constants(context: CheckContext) -> Iterator[Alert]:
    rows = context.dataset.rows
    for c in context.columns:
        if c.kind == "constant":
            yield Alert("constant", "low", c.name, f"{c.name} carries no information: {c.reason}.", leave_out(c))
            continue
        stats = context.stats.get(c.name)
        if stats is None or c.role != "feature" or rows < 100:
            continue
        most = stats.top[0][1] if stats.top else stats.zeros
        if stats.known and most >= NEARLY_ALL * stats.known and c.distinct > 1:
            value = stats.top[0][0] if stats.top else "0"
            message = f"{c.name} is nearly constant: {share(most, stats.known)} known values are {value}."
            yield Alert("near_constant", "low", c.name, message, leave_out(c), size=most / stats.known)


CONSTANTS = Check(
    codes=("constant", "near_constant"),
    help=Help(
        "A column with one value, or nearly so.",
        "At least 99 of 100 known values are the same.",
        "It cannot help, and a model may memorise one unusual row by it.",
        "Leave it out, unless you are looking for the rare value.",
    ),
    together={
        "constant": lambda a: f"{len(a)} columns carry no information: {names_of(a)}.",
        "near_constant": lambda a: (
            f"{len(a)} columns are nearly constant: {names_of(a)}. At least {range_of(a)} of their "
            "known values are the same."
        ),
    },
    find=_constants,
)


def _duplicate_columns(context: CheckContext) -> Iterator[Alert]:
    """Columns with the same values in every row."""
    groups: dict[Any, list[Column]] = {}
    for c in context.features:
        f = context.stats.get(c.name)
        if f is not None and c.distinct > 1:
            signature = (c.dtype, c.missing, None if c.estimated else c.distinct, f.low, f.high, f.quartiles, f.top)
            groups.setdefault(signature, []).append(c)
    for first, *others in groups.values():
        for other in others[:20]:
            a, b = quoted(first.name), quoted(other.name)
            if (
                context.sample[first.name].equals(context.sample[other.name].rename(first.name))
                and not context.ask(f"SELECT count(*) FROM data WHERE {a} IS DISTINCT FROM {b}")[0][0]
            ):
                message = f"{other.name} has the same values as {first.name} in every row."
                yield Alert("duplicate_column", "medium", other.name, message, leave_out(other))


DUPLICATE_COLUMNS = Check(
    codes=("duplicate_column",),
    help=Help(
        "Two columns with the same values.",
        "Equal in every row.",
        "Importance is divided between them at random, and linear models become unstable.",
        "Leave one out.",
    ),
    together={"duplicate_column": lambda a: f"{len(a)} columns repeat another one in every row: {names_of(a)}."},
    find=_duplicate_columns,
)


def _correlated(context: CheckContext) -> Iterator[Alert]:
    """Pairs of numeric columns that are almost linear functions of each other."""
    numbers = [
        c for c in context.features if c.kind == "numeric" and c.dtype in ("integer", "float") and c.distinct > 10
    ]
    numbers = numbers[:MOST_PAIRED]
    if len(numbers) < 2 or len(context.sample) < 10:
        return
    values = np.column_stack([as_numbers(context.sample[c.name]).to_numpy() for c in numbers])
    with np.errstate(all="ignore"):
        centred = np.where(np.isnan(values), 0.0, values - np.nanmean(values, axis=0))
        scaled = centred / np.sqrt((centred**2).sum(axis=0))
        r = scaled.T @ scaled
    for i, j in zip(*np.nonzero(np.triu(np.abs(r) >= REDUNDANT, 1)), strict=True):
        first, second = numbers[i], numbers[j]
        both = ~np.isnan(values[:, i]) & ~np.isnan(values[:, j])
        if both.sum() < 10:
            continue
        exact = float(np.corrcoef(values[both, i], values[both, j])[0, 1])
        same = np.array_equal(values[both, i], values[both, j]) and first.missing == second.missing
        if abs(exact) >= REDUNDANT and not same:
            yield Alert(
                "correlated_features",
                "low",
                second.name,
                f"{second.name} and {first.name} carry much the same information (r {number(exact)}).",
                leave_out(second),
            )


CORRELATED = Check(
    codes=("correlated_features",),
    help=Help(
        "Two numeric columns that are almost linear functions of each other.",
        "A Pearson correlation of 0.95 or more, positive or negative.",
        "Importance is divided between them at random, and coefficients of linear models lose their meaning.",
        "Keep the one that is known earlier or measured better.",
    ),
    together={
        "correlated_features": lambda a: (
            f"{len(a)} pairs of columns carry much the same information; without "
            f"{names_of(list({x.column: x for x in a}.values()))} little is lost."
        )
    },
    find=_correlated,
)


# values ---------------------------------------------------------------------------------------------------------------


def _mixed(context: CheckContext) -> Iterator[Alert]:
    """Text columns in which most values are numbers, or most are dates."""
    for c in context.columns:
        if c.dtype != "text" or c.kind in ("constant", "boolean", "numeric", "datetime") or c.distinct < 5:
            continue
        values = [str(v) for v in context.sample[c.name].dropna().unique()[:500]]
        for code, noun, kind, parses in (
            ("mixed_types", "numbers", "numeric", ("BIGINT", "DOUBLE")),
            ("text_dates", "dates", "datetime", ("TIMESTAMP",)),
        ):
            readings = {v: choose([v], How()) for v in values}
            fitting = [v for v, how in readings.items() if how.native in parses or how.gives in parses]
            if not 0.5 * len(values) <= len(fitting) < len(values):
                continue
            how = choose(fitting, How())
            if how == AS_TEXT or not (how.native in parses or how.gives in parses):
                continue
            fits = how.fits(quoted(c.name))
            misfits, example = context.ask(
                f"SELECT count(*), min({quoted(c.name)}) FROM data "
                f"WHERE {quoted(c.name)} IS NOT NULL AND NOT coalesce({fits}, false)"
            )[0]
            known = context.dataset.rows - c.missing
            if not 0 < misfits <= MISFITS * known:
                continue
            odd = [v for v in values if v not in fitting]
            harmless = not any(HAS_DIGIT(v) for v in odd)  # a fix must not delete numbers that are written otherwise
            yield Alert(
                code,
                "medium",
                c.name,
                f"{c.name} holds {noun}, but {share(misfits, known)} known values do not fit, such as "
                f"{str(example)[:40]!r}. So it was read as text.",
                Fix(f"Read it as {noun}, the rest as missing", "kind", c.name, [kind, how.parse]) if harmless else None,
                size=misfits / known,
            )
            break


MIXED = Check(
    codes=("mixed_types", "text_dates"),
    help=Help(
        "A text column in which most values are numbers, or dates.",
        "At least eight in ten known values, but not all, can be read as numbers, or dates.",
        "As text, every number is a separate category, and order is lost.",
        "Look at the values that do not fit. If they mean missing, read the column as numbers or dates.",
    ),
    together={
        "mixed_types": lambda a: (
            f"{len(a)} columns hold numbers, but also a few other texts, so they were read as text: {names_of(a)}."
        ),
        "text_dates": lambda a: (
            f"{len(a)} columns hold dates, but also a few other texts, so they were read as text: {names_of(a)}."
        ),
    },
    find=_mixed,
)


def _infinities(context: CheckContext) -> Iterator[Alert]:
    for c in context.columns:
        stats = context.stats.get(c.name)
        if stats is not None and stats.infinite:
            message = (
                f"{c.name}: {share(stats.infinite, context.dataset.rows)} values are infinite; they count as missing."
            )
            yield Alert("infinite", "medium", c.name, message)


INFINITIES = Check(
    codes=("infinite",),
    help=Help(
        "Infinite values.",
        "By counting.",
        "Most models cannot use them; they usually come from a division by zero.",
        "They count as missing here. Fix them at the source.",
    ),
    together={"infinite": lambda a: f"{len(a)} columns hold infinite values, which count as missing: {names_of(a)}."},
    find=_infinities,
)


def _high_cardinality(context: CheckContext) -> Iterator[Alert]:
    for c in context.features:
        if c.kind == "categorical" and c.distinct > 50:
            mean_rows = (context.dataset.rows - c.missing) / c.distinct
            yield Alert(
                "high_cardinality",
                "medium" if mean_rows < 3 else "low",
                c.name,
                f"{c.name} has {c.distinct:,} categories, {number(mean_rows)} rows each. They are encoded by the mean "
                "of the target, inside the fold." + (" Few categories repeat; is it of use?" if mean_rows < 3 else ""),
                leave_out(c) if mean_rows < 3 else None,
            )


MANY_LEVELS = Check(
    codes=("high_cardinality",),
    help=Help(
        "A categorical column with more than 50 categories.",
        "By counting.",
        "One column per category would be too many; with few rows each, a category reflects mostly chance.",
        "They are encoded by the mean of the target, inside the fold. Group them if there is a natural way.",
    ),
    together={
        "high_cardinality": lambda a: (
            f"{len(a)} columns have more than 50 categories: {names_of(a)}. They are encoded by "
            "the mean of the target, inside the fold."
        )
    },
    find=_high_cardinality,
)


def _rare_categories(context: CheckContext) -> Iterator[Alert]:
    for c in context.features:
        stats = context.stats.get(c.name)
        if c.kind == "categorical" and 3 <= c.distinct <= 50 and stats is not None and stats.alone:
            if context.dataset.rows - c.missing < 10 * FEW_ROWS:
                continue
            plural = "categories have" if stats.alone > 1 else "categories has"
            yield Alert(
                "rare_categories",
                "low",
                c.name,
                f"{c.name}: {stats.alone} of {c.distinct} {plural} fewer than {FEW_ROWS} rows; a fold may not "
                "contain them at all.",
                Fix(
                    f"Merge rare categories ({context.scope('categorical')})",
                    "step",
                    c.name,
                    {"step": "encode", "min_rows": FEW_ROWS},
                )
                if context.target
                else None,
            )


RARE_LEVELS = Check(
    codes=("rare_categories",),
    help=Help(
        "Categories with very few rows.",
        f"Fewer than {FEW_ROWS} rows.",
        "Some folds do not contain them, and what a model learns about them is chance.",
        "Merge them into one.",
    ),
    together={
        "rare_categories": lambda a: (
            f"{len(a)} columns have categories with fewer than {FEW_ROWS} rows: {names_of(a)}. A "
            "fold may not contain them at all."
        )
    },
    find=_rare_categories,
)


def _outliers(context: CheckContext) -> Iterator[Alert]:
    for c in context.features:
        stats = context.stats.get(c.name)
        if c.kind != "numeric" or stats is None or c.distinct <= 20 or abs(stats.skew or 0) > SKEWED:
            continue
        if stats.outliers > max(STRAY * stats.known, 2):
            yield Alert(
                "outliers",
                "low",
                c.name,
                f"{c.name}: {share(stats.outliers, stats.known)} known values are more than three interquartile "
                "ranges outside the quartiles.",
                Fix(
                    f"Scale by quartiles ({context.scope('numeric')})",
                    "step",
                    c.name,
                    {"step": "scale", "method": "robust"},
                )
                if context.target
                else None,
                size=stats.outliers / stats.known,
            )


OUTLIERS = Check(
    codes=("outliers",),
    help=Help(
        "Numbers far from all others.",
        "More than three interquartile ranges outside the quartiles (Tukey's far out): over one value in two hundred.",
        "They distort means, scales and linear models. They may be errors, or the most interesting rows.",
        "Look at them. Scaling by quartiles reduces their weight in models with scaled features.",
    ),
    together={
        "outliers": lambda a: (
            f"{len(a)} columns have values more than three interquartile ranges outside the quartiles, "
            f"up to {percent(max(x.size or 0 for x in a))} of them: {names_of(a)}."
        )
    },
    find=_outliers,
)


def _skewed(context: CheckContext) -> Iterator[Alert]:
    for c in context.features:
        stats = context.stats.get(c.name)
        if c.kind == "numeric" and stats is not None and c.distinct > 20 and abs(stats.skew or 0) > SKEWED:
            yield Alert(
                "skew",
                "low",
                c.name,
                f"{c.name} is skewed ({number(stats.skew)}; 0 is symmetric): a few large values outweigh the rest "
                "in linear models. Trees are not affected.",
                Fix(
                    f"Power-transform ({context.scope('numeric')})",
                    "step",
                    c.name,
                    {"step": "scale", "method": "power"},
                )
                if context.target
                else None,
            )


SKEW = Check(
    codes=("skew",),
    help=Help(
        "Numbers with a long tail on one side.",
        f"A skewness (the third standardised moment) beyond ±{SKEWED:.0f}.",
        "A few large values dominate linear models and distances.",
        "Apply a power transform (Yeo and Johnson, 2000), fitted inside the fold. Trees do not need it.",
    ),
    together={
        "skew": lambda a: (
            f"{len(a)} columns are skewed: {names_of(a)}. A few large values outweigh the rest in linear "
            "models. Trees are not affected."
        )
    },
    find=_skewed,
)


CHECKS: tuple[Check, ...] = (
    IDENTIFIERS,
    DUPLICATE_COLUMNS,
    MIXED,
    INFINITIES,
    MANY_LEVELS,
    RARE_LEVELS,
    OUTLIERS,
    SKEW,
    CORRELATED,
    CONSTANTS,
)
