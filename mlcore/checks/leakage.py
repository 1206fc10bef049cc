"""Target leakage: columns that predict the target nearly perfectly, alone or in pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.checks.base import LEAK, Check, CheckContext, leave_out
from mlcore.data.cast import as_categories, as_numbers
from mlcore.result import Alert, Array, Fix, Help
from mlcore.validation.metrics import Task
from mlcore.wording import number

# one column alone -----------------------------------------------------------------------------------------------------


def _single_columns(context: CheckContext) -> Iterator[Alert]:
    """Columns that alone predict the target nearly perfectly, scored on rows that their means do not come from."""
    target = context.labels
    if target is None or context.task is None or len(target.rows) < 40:
        return
    frame = context.sample.iloc[target.rows]
    for column in context.features:
        score, title = single_column_score(frame[column.name], target.y, context.task)
        if score >= LEAK[context.task]:
            yield Alert(
                "target_leakage",
                "high",
                column.name,
                f"{column.name} alone predicts {context.target} nearly perfectly ({title} {number(score)}). Is it "
                "known before the outcome? If not, it is target leakage.",
                leave_out(column),
            )


GIVEAWAYS = Check(
    codes=("target_leakage",),
    help=Help(
        "A column that alone predicts the target nearly perfectly.",
        "Its bins or categories get the mean target of one half of the rows and are scored on the other half: ROC "
        "AUC from 0.95, balanced accuracy from 0.97, or R² from 0.95.",
        "The column is often a result of the outcome, not a cause: it will not be known when the model is used, "
        "and the score will not hold. Some columns are honestly that good.",
        "Find out when the column is recorded. If only after the outcome, leave it out.",
    ),
    find=_single_columns,
)


def single_column_score(column: pd.Series, y: Array, task: Task) -> tuple[float, str]:
    """How well one column alone predicts: its bins or categories get the mean target of the other half.

    Returns ROC AUC (two classes), balanced accuracy (more) or R² (a continuous target).
    """
    codes = _codes(column)
    half = np.random.default_rng(0).permutation(len(y)) % 2 == 0
    if task == "regression":
        predictions = _means_of_other_half(codes, y.astype(float), half)
        variation = float(((y - y.mean()) ** 2).sum())
        return (1 - float(((y - predictions) ** 2).sum()) / variation if variation else 0.0), "R²"
    scores = np.column_stack([_means_of_other_half(codes, (y == k).astype(float), half) for k in np.unique(y)])
    if task == "binary":
        return _auc(y == y.max(), scores[:, 1]), "AUC"
    correct = np.unique(y)[scores.argmax(axis=1)] == y
    return float(np.mean([correct[y == k].mean() for k in np.unique(y)])), "balanced accuracy"


def _codes(column: pd.Series, bins: int = 50) -> Array:
    numeric = pt.is_numeric_dtype(column) and not pt.is_bool_dtype(column)
    numeric = numeric or pt.is_datetime64_any_dtype(column)
    if not numeric:
        return np.asarray(pd.factorize(as_categories(column))[0])
    values = as_numbers(column).to_numpy()
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), int)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.where(np.isnan(values), -1, np.searchsorted(edges, values, side="left"))


def _means_of_other_half(codes: Array, y: Array, half: Array) -> Array:
    means = np.full(len(y), y.mean())
    codes = codes + 1
    size = int(codes.max()) + 1
    for mask in (half, ~half):
        total = np.bincount(codes[~mask], y[~mask], size)
        count = np.bincount(codes[~mask], minlength=size)
        mean = y[~mask].mean()
        means[mask] = ((total + mean) / (count + 1))[codes[mask]]
    return means


def _auc(positive: Array, ranking: Array) -> float:
    ranks = pd.Series(ranking).rank().to_numpy()
    n, m = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m)) if n and m else 0.5


SAME = 0.99995  # |r|, or AUC, from which a target counts as a formula of two columns
ARITHMETIC: tuple[tuple[str, Callable[[Array, Array], Array]], ...] = (
    ("+", lambda a, b: a + b),
    ("−", lambda a, b: a - b),
    ("×", lambda a, b: a * b),
    ("÷", lambda a, b: np.divide(a, b, out=np.full(len(a), np.nan), where=b != 0)),
)
MOST_COMBINED = 24  # numeric columns whose pairs are tried


def _arithmetic(context: CheckContext) -> Iterator[Alert]:
    """A target that is the sum, difference, product or ratio of two columns, or shows which is larger."""
    target = context.labels
    if target is None or context.task == "multiclass" or len(target.rows) < 30:
        return
    numbers = [c for c in context.features if c.kind == "numeric" and c.distinct > 10][:MOST_COMBINED]
    rows, y = target.rows[:2000], target.y[:2000].astype(float)
    columns = {c.name: as_numbers(context.sample[c.name], c.parse).to_numpy()[rows] for c in numbers}
    alone = {name: _follows(values, y, context.task) for name, values in columns.items()}
    names = [n for n in columns if alone[n] < SAME]
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            for sign, operation in ARITHMETIC if context.task == "regression" else ARITHMETIC[1:2]:
                if _follows(operation(columns[first], columns[second]), y, context.task) >= SAME:
                    formula = f"{first} {sign} {second}"
                    yield Alert(
                        "target_formula", "high", first,
                        f"{formula} alone predicts {context.target}, which may have been computed from it. If both "
                        "columns are known beforehand, no model is needed; if not, leave them out.",
                        Fix(f"Leave out {first}", "role", first, "ignore"),
                    )  # fmt: skip
                    return


FORMULA = Check(
    codes=("target_formula",),
    help=Help(
        "A target that is an arithmetic formula of two columns.",
        "The sum, difference, product and ratio of each pair of numbers are compared with the target: correlation, or "
        "ROC AUC, of at least 0.99995, where neither column reaches it alone.",
        "Then every model looks perfect, but has only learned a formula that is already known.",
        "If the two columns are recorded after the outcome, leave them out; if not, use the formula.",
    ),
    find=_arithmetic,
)


def _follows(values: Array, y: Array, task: Task | None) -> float:
    """|r| for a continuous target, AUC for two classes, over rows with a known value; 0 if these are too few."""
    known = np.isfinite(values)
    if known.sum() < max(30, 0.5 * len(y)) or np.ptp(values[known]) == 0 or np.ptp(y[known]) == 0:
        return 0.0
    if task == "regression":
        return float(abs(np.corrcoef(values[known], y[known])[0, 1]))
    area = _auc(y[known] == 1, values[known])
    return max(area, 1 - area)


CHECKS: tuple[Check, ...] = (FORMULA, GIVEAWAYS)
