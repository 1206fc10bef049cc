"""Target leakage: columns that predict the target nearly perfectly, alone or in pairs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.checks.base import LEAK, Check, CheckContext, leave_out, names_of
from mlcore.data.cast import as_categories, as_numbers
from mlcore.result import Alert, Array, Fix, Help
from mlcore.validation.metrics import Task
from mlcore.wording import number, several

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
    together={
        "target_leakage": lambda a: (
            f"{len(a)} columns each predict the target nearly perfectly alone: {names_of(a)}. Are "
            "they known before the outcome? If not, they are target leakage."
        )
    },
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
MOST_COMBINED = 24  # numeric columns whose combinations are tried
MOST_FORMULA_ROWS = 2000


def _arithmetic(context: CheckContext) -> Iterator[Alert]:
    """A target that is a formula of two or three columns, or shows which of two is larger."""
    target = context.labels
    if target is None or context.task == "multiclass" or len(target.rows) < 30:
        return
    numbers = [c for c in context.features if c.kind == "numeric" and c.distinct > 10][:MOST_COMBINED]
    rows, y = target.rows[:MOST_FORMULA_ROWS], target.y[:MOST_FORMULA_ROWS].astype(float)
    columns = {c.name: as_numbers(context.sample[c.name], c.parse).to_numpy()[rows] for c in numbers}
    alone = {name: _follows(values, y, context.task) for name, values in columns.items()}
    columns = {n: v for n, v in columns.items() if alone[n] < SAME}
    fit = _pair_formula(columns, y, context.task)
    if fit is None and context.task == "regression":
        fit = _sum_formula(columns, y) or _product_formula(columns, y)
    if fit is None:
        return
    formula, used = fit
    yield Alert(
        "target_formula", "high", used[0],
        f"{formula} alone predicts {context.target}, which may have been computed from it. If {several(used)} are "
        "known beforehand, no model is needed; if not, leave them out.",
        Fix(f"Leave out {used[0]}", "role", used[0], "ignore"),
    )  # fmt: skip


def _pair_formula(columns: dict[str, Array], y: Array, task: Task | None) -> tuple[str, list[str]] | None:
    """A formula of two columns that follows the target, and its columns."""
    names = list(columns)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            for sign, operation in ARITHMETIC if task == "regression" else ARITHMETIC[1:2]:
                if _follows(operation(columns[first], columns[second]), y, task) >= SAME:
                    return f"{first} {sign} {second}", [first, second]
    return None


def _sum_formula(columns: dict[str, Array], y: Array) -> tuple[str, list[str]] | None:
    """A sum of at most three columns, each with a factor, that is the target."""
    fit = _exact_fit(columns, y)
    if fit is None:
        return None
    terms = [
        (" − " if b < 0 else " + ", "" if abs(abs(b) - 1) < 1e-6 else f"{number(abs(b))} ", n) for n, b in fit.items()
    ]
    text = "".join(sign + factor + name for sign, factor, name in terms)
    return (text[3:] if text.startswith(" + ") else "−" + text[3:]), list(fit)


def _product_formula(columns: dict[str, Array], y: Array) -> tuple[str, list[str]] | None:
    """A product or ratio of at most three positive columns that is the target."""
    if not (y > 0).all():
        return None
    with np.errstate(all="ignore"):
        logs = {n: np.log(v) for n, v in columns.items() if np.nanmin(v) > 0}
    fit = _exact_fit(logs, np.log(y))
    if fit is None or any(abs(abs(b) - 1) > 1e-6 for b in fit.values()):
        return None
    ordered = sorted(fit.items(), key=lambda item: -item[1])
    text = "".join((" × " if b > 0 else " ÷ ") + n for n, b in ordered)
    return (text[3:] if ordered[0][1] > 0 else "1" + text), list(fit)


def _exact_fit(columns: dict[str, Array], y: Array) -> dict[str, float] | None:
    """The factors of at most three columns whose sum is y, by least squares; None if there are none."""
    known = np.isfinite(y)
    for values in columns.values():
        known &= np.isfinite(values)
    if len(columns) < 2 or known.sum() < max(30, 0.5 * len(y), 3 * len(columns)) or np.ptp(y[known]) == 0:
        return None
    names, target = list(columns), y[known] - y[known].mean()
    x = np.column_stack([columns[n][known] for n in names])
    x = x - x.mean(axis=0)
    scale = x.std(axis=0)
    if (scale == 0).any() or (scale == np.inf).any():
        return None
    for _ in range(len(names)):
        factors = np.linalg.lstsq(x / scale, target, rcond=None)[0]
        residual = target - (x / scale) @ factors
        if float(residual.std()) > EXACT * float(target.std()):
            return None
        keep = np.abs(factors) > 1e-3 * np.abs(factors).max()
        if keep.all():
            break
        x, scale, names = x[:, keep], scale[keep], [n for n, k in zip(names, keep, strict=True) if k]
    return dict(zip(names, (factors / scale).tolist(), strict=True)) if 2 <= len(names) <= 3 else None


EXACT = 1e-3  # the standard deviation of what a formula leaves over, as a fraction of that of the target


FORMULA = Check(
    codes=("target_formula",),
    help=Help(
        "A target that is an arithmetic formula of two or three columns.",
        "For a continuous target, the sum, difference, product and ratio of each pair of numbers (correlation of at "
        "least 0.99995), and sums and products of three (an exact fit); for two classes, the difference of each pair "
        "(ROC AUC of at least 0.99995). No column reaches this alone.",
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


# a functional dependency ----------------------------------------------------------------------------------------------

MOST_PARTS = 10  # columns of few values whose combinations are tried
FEWEST_PER_CELL = 4  # mean rows of a combination, below which a dependency may be chance
DETERMINED = 0.995  # fraction of the rows whose combination has one target


def _determined(context: CheckContext) -> Iterator[Alert]:
    """Two or three columns of few values that together fix the target, though none does so alone."""
    target = context.labels
    if target is None or len(target.rows) < 60:
        return
    frame, n = context.sample.iloc[target.rows], len(target.rows)
    y = pd.factorize(target.y)[0]
    if context.task == "regression" and len(np.unique(y)) > n / FEWEST_PER_CELL:
        return
    parts = [c for c in context.features if 2 <= c.distinct <= n / FEWEST_PER_CELL][: 3 * MOST_PARTS]
    codes = {c.name: pd.factorize(as_categories(frame[c.name]))[0] + 1 for c in parts}
    purity = {name: _purity(code, y) for name, code in codes.items()}
    names = sorted(codes, key=lambda m: -purity[m])[:MOST_PARTS]
    names = [m for m in names if purity[m] < DETERMINED]
    chance = float(np.bincount(y).max() / n)
    for size in (2, 3):
        for chosen in itertools.combinations(names, size):
            cells = codes[chosen[0]]
            for m in chosen[1:]:
                cells = np.unique(cells * (int(codes[m].max()) + 1) + codes[m], return_inverse=True)[1]
            if cells.max() + 1 > n / FEWEST_PER_CELL:
                continue
            if _purity(cells, y) >= DETERMINED > chance + 0.01 and max(purity[m] for m in chosen) < DETERMINED:
                yield Alert(
                    "target_determined", "high", chosen[0],
                    f"{several(list(chosen))} together fix {context.target}: rows with equal values of them have the "
                    f"same {context.target}. Is it a rule, or are they recorded after the outcome? If so, leave one "
                    "out.",
                    Fix(f"Leave out {chosen[0]}", "role", chosen[0], "ignore"),
                )  # fmt: skip
                return


def _purity(codes: Array, y: Array) -> float:
    """The fraction of rows in cells of two rows or more whose target is the most common one of their cell."""
    table = np.zeros((int(codes.max()) + 1, int(y.max()) + 1), int)
    np.add.at(table, (codes, y), 1)
    several_rows = table.sum(axis=1) > 1
    rows = int(table[several_rows].sum())
    return float(table[several_rows].max(axis=1).sum()) / rows if rows >= 0.8 * len(y) else 0.0


DETERMINATION = Check(
    codes=("target_determined",),
    help=Help(
        "Two or three columns that together fix the target, though none does so alone.",
        "At least 995 of 1,000 rows have the target of the other rows with the same values, with four rows or more for "
        "each combination.",
        "The target may be defined by them, and a model then only finds the definition.",
        "Find out how the target is recorded. If by a rule from these columns, use the rule, or leave one of them out.",
    ),
    find=_determined,
)


# another measure of the same thing ------------------------------------------------------------------------------------

RELATED = 0.8  # |rank correlation| with the target


def _same_measure(context: CheckContext) -> Iterator[Alert]:
    """Columns that move with the target and share a part of its name: a part of it, or another measure of it."""
    target = context.labels
    if target is None or context.target is None or context.task == "multiclass" or len(target.rows) < 40:
        return
    words = _words(context.target)
    ranks = pd.Series(target.y.astype(float)).rank()
    for c in context.features:
        shared = words & _words(c.name)
        if not shared or c.dtype not in ("integer", "float") or c.distinct < 5:
            continue
        values = pd.Series(as_numbers(context.sample[c.name], c.parse).to_numpy()[target.rows])
        r = float(values.rank().corr(ranks)) if values.notna().sum() >= 40 else 0.0
        if abs(r) >= RELATED:
            yield Alert(
                "same_measure", "high", c.name,
                f"{c.name} moves with {context.target} (rank r {number(r)}) and shares {min(shared)!r} with its name: "
                "is it another measure of the same thing, or a part of it? If so, leave it out.",
                leave_out(c), size=abs(r),
            )  # fmt: skip


def _words(name: str) -> set[str]:
    """The words of a name with three letters or more."""
    return {w.casefold() for w in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+", name) if len(w) >= 3}


SAME_MEASURE = Check(
    codes=("same_measure",),
    help=Help(
        "A column that measures the same thing as the target, such as a quartile next to the median, or a part of a "
        "total.",
        "A rank correlation with the target beyond ±0.8, and a word in common with its name.",
        "It is known only when the target is, and a model with it looks better than any will be in use.",
        "Leave it out, unless it is known when the model is used.",
    ),
    together={
        "same_measure": lambda a: (
            f"{len(a)} columns move with the target and share a part of its name: {names_of(a)}. Are "
            "they other measures of the same thing? If so, leave them out."
        )
    },
    find=_same_measure,
)


CHECKS: tuple[Check, ...] = (FORMULA, GIVEAWAYS, DETERMINATION, SAME_MEASURE)
