"""Where a model fails: its score on parts of the rows, the worst parts, and groups that should be treated alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.bins import as_values, edge_words, grouped
from mlcore.data.cast import as_categories
from mlcore.errors import BadInput, NotApplicable
from mlcore.evaluate.out_of_fold import OutOfFold, Scored
from mlcore.evaluate.thresholds import Counts, counts_at, rate
from mlcore.result import Array, Help, Result
from mlcore.validation import influence as of_rows
from mlcore.validation.metrics import Metric, compute, influence_of
from mlcore.validation.predictions import some
from mlcore.validation.statistics import wilson
from mlcore.wording import number, percent, plus_minus

MOST_LEVELS = 12  # categories of a column; the others share one slice
QUANTILES = 4
FEWEST = 10  # rows of a slice with a score
SUPPORT = 0.05  # of the rows, at least, in a slice that is searched for
DEPTH = 2


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One part of the rows: the column, the level in words, and the score on it with its 95 % interval."""

    column: str
    level: str
    n: int
    value: float | None
    ci: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class Slices(Result):
    """The score of a model on parts of the rows, against all of them."""

    title: str
    metric: Metric
    whole: float
    slices: tuple[Slice, ...]
    searched: bool = False  # whether they were searched for; then they are judged on rows that did not choose them
    tried: int = 0

    help: ClassVar[Help] = Help(
        "The metric on each part of the rows, with its 95 % interval. The dotted line is the score on all rows.",
        "A part whose interval lies wholly on the wrong side of the line is measurably worse.",
        "Of twenty parts one is measurably worse by chance. ROC AUC inside a part says nothing of differences between "
        "parts.",
        "Look at the rows of the worst part: are they labelled right, too few, or in need of another column?",
    )

    def frame(self) -> pd.DataFrame:
        """One row per slice."""
        return pd.DataFrame(
            [
                {
                    "column": s.column, "level": s.level, "n": s.n, "value": s.value,
                    "low": s.ci[0] if s.ci else None, "high": s.ci[1] if s.ci else None,
                }
                for s in self.slices
            ],
            columns=["column", "level", "n", "value", "low", "high"],
        )  # fmt: skip

    def _worse(self, one: Slice) -> bool:
        if one.ci is None:
            return False
        return one.ci[1] < self.whole if self.metric.higher_is_better else one.ci[0] > self.whole

    def sentence(self) -> str:
        """The parts that are measurably worse than the whole."""
        if not self.slices:
            return f"{self.title}: no part of the rows stands out as worse; {self.tried} were tried."
        bad = [s for s in self.slices if self._worse(s)]
        how = (
            f"{self.tried} parts were tried on half of the folds, and these are judged on the other half."
            if self.searched
            else f"{len(self.slices)} parts were looked at; about one in twenty is worse by chance."
        )
        if not bad:
            return f"{self.title}: no part is measurably worse than the whole ({number(self.whole)}). {how}"
        worst = bad[0]
        return (
            f"{self.title} is worse where {worst.column} is {worst.level}: {self.metric.title} "
            f"{plus_minus(worst.value, worst.ci)} on {worst.n:,} rows, {number(self.whole)} on all. {how}"
        )

    def to_json(self) -> list[dict[str, Any]]:
        """The contract of `holdout evaluate --json`."""
        return [
            {"column": s.column, "level": s.level, "n": s.n, "value": s.value,
             "low": s.ci[0] if s.ci else None, "high": s.ci[1] if s.ci else None}
            for s in self.slices
        ]  # fmt: skip


def slices(model: OutOfFold, metric: Metric, columns: pd.DataFrame) -> Slices:
    """The score by the levels of a column, or by the combinations of those of two; `columns` are (n, 1 or 2)."""
    parts = [levels(columns[c]) for c in columns]
    label = parts[0] if len(parts) == 1 else parts[0] + " · " + parts[1]
    name = " · ".join(map(str, columns))
    counts = label.value_counts()
    rows = [
        _slice(model, metric, name, level, (label == level).to_numpy())
        for level in counts.index[: (MOST_LEVELS + 2) ** len(parts)]  # with all others and missing
    ]
    whole, _ = compute(metric, model.predictions)
    if whole is None:
        raise NotApplicable(f"{metric.title} is undefined on these rows, so it has no slices.")
    known = sorted(rows, key=lambda s: (s.value is None, metric.sign * (s.value or 0.0)))
    return Slices(title=model.title, metric=metric, whole=whole, slices=tuple(known))


def levels(column: pd.Series) -> pd.Series:
    """A column as the slices that it gives: its categories, the quarters of its numbers, or missing."""
    return grouped(column, QUANTILES, MOST_LEVELS).series()


def _slice(model: OutOfFold, metric: Metric, column: str, level: str, mask: Array) -> Slice:
    part = some(model.predictions, np.flatnonzero(mask))
    value, _ = compute(metric, part) if mask.sum() >= FEWEST else (None, "")
    ci = None
    if value is not None and (moved := influence_of(metric, part)) is not None:
        half = 1.959964 * float(np.sqrt(moved.var(ddof=1) / len(moved)))
        ci = max(metric.bounds[0], value - half), min(metric.bounds[1], value + half)
    return Slice(column=column, level=str(level), n=int(mask.sum()), value=value, ci=ci)


# worst parts, searched for ------------------------------------------------------------------------------------------


def losses(model: OutOfFold) -> Array:
    """How badly each row (n,) is predicted: the log loss, the error of a label, or the absolute error of a number."""
    p = model.predictions
    if model.task == "regression":
        return of_rows.error(p)
    return of_rows.log_loss(p) if p.probabilities is not None else 1.0 - of_rows.accuracy(p)


def worst_slices(model: OutOfFold, metric: Metric, columns: pd.DataFrame) -> Slices:
    """Parts of the rows with high losses, by a shallow tree that half of the folds grow and the other half judges."""
    from sklearn.tree import DecisionTreeRegressor

    loss = losses(model)
    folds = np.unique(model.fold)
    inside = np.isin(model.fold, folds[::2])
    if len(folds) < 2:
        inside = np.arange(model.n) % 2 == 0
    half = max(1, int(inside.sum() / 2))
    support = max(FEWEST * 2, int(SUPPORT * inside.sum()))
    whole, _ = compute(metric, some(model.predictions, np.flatnonzero(~inside)))
    offered: list[tuple[float, str, str, Array]] = []
    tried = 0
    for name in columns:
        codes = _codes(columns[name])
        tree = DecisionTreeRegressor(max_leaf_nodes=DEPTH + 2, min_samples_leaf=min(support, half))
        leaf = tree.fit(codes[inside], loss[inside]).apply(codes)
        for part in np.unique(leaf[inside]):
            mask = leaf == part
            tried += 1
            gain = float(loss[inside & mask].mean() - loss[inside].mean())
            if gain > 0 and mask.sum() < 0.7 * model.n:
                words = _range_words(columns[name][mask])
                offered.append((gain * np.sqrt((inside & mask).sum()), str(name), words, mask))
    if whole is None:
        raise NotApplicable(f"{metric.title} is undefined on half of the folds, so no part can be judged.")
    best = sorted(offered, key=lambda o: -o[0])[:8]
    judged = [_slice(model, metric, name, words, mask & ~inside) for _, name, words, mask in best]
    known = [s for s in judged if s.value is not None and metric.sign * (whole - s.value) > 0]
    ranked = sorted(known, key=lambda s: metric.sign * (s.value or 0.0))
    return Slices(title=model.title, metric=metric, whole=whole, slices=tuple(ranked), searched=True, tried=tried)


def _codes(column: pd.Series) -> Array:
    """Columns for a tree: the value and whether it is missing; a date as a number, a category by its frequency."""
    if column.dtype.kind not in "fibM":
        text = levels(column)
        order = {level: i for i, level in enumerate(text.value_counts().index)}
        return text.map(order).to_numpy(float).reshape(-1, 1)
    values = as_values(column)
    return np.column_stack([np.nan_to_num(values), np.isnan(values)])


def _range_words(values: pd.Series) -> str:
    """The values of a part in words."""
    known = values.dropna()
    if known.empty:
        return "missing"
    if known.dtype.kind in "fiM" and known.nunique() > 2:
        ends = as_values(known)
        return " to ".join(edge_words(known, [float(ends.min()), float(ends.max())]))
    names = [str(v) for v in as_categories(known).value_counts().index]
    return " or ".join(names[:3]) + (f" or {len(names) - 3} others" if len(names) > 3 else "")


# groups that should be treated alike ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fairness(Result):
    """Rates of each group of a sensitive column at one threshold, and the gap between the highest and the lowest.

    `groups` has a row for each group: n, `selected` (predicted positive), `recall`, `false_positive_rate`, `precision`,
    and the 95 % interval of `selected`.
    """

    title: str
    column: str
    positive: str
    threshold: float
    groups: pd.DataFrame

    help: ClassVar[Help] = Help(
        "How often each group is predicted as the class, how many of its true cases are found, and how many of its "
        "others are called by mistake, at one threshold.",
        "Equal selection is demographic parity, equal recall is equal opportunity. The ratio of the lowest to the "
        "highest selection rate below 0.8 is a common warning sign.",
        "If groups differ in how often the class occurs, not all of these can be equal at once. Small groups have wide "
        "intervals.",
        "Decide which of them must be equal before you look, and then move the threshold or the data.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per group."""
        return self.groups

    def gaps(self) -> dict[str, tuple[float, float]]:
        """For each rate the difference of the highest and the lowest group, and their ratio."""
        out = {}
        for name in ("selected", "recall", "false_positive_rate", "precision"):
            low, high = float(self.groups[name].min()), float(self.groups[name].max())
            out[name] = (high - low, low / high if high else 1.0)
        return out

    def sentence(self) -> str:
        """The groups that are selected most and least."""
        if len(self.groups) < 2:
            return f"{self.column} has one group, so there is nothing to compare."
        ordered = self.groups.sort_values("selected").to_dict("records")
        most, least = ordered[-1], ordered[0]
        ratio = self.gaps()["selected"][1]
        return (
            f"{self.title}: “{self.positive}” is predicted for {percent(most['selected'])} of {most['group']} and "
            f"{percent(least['selected'])} of {least['group']} (ratio {number(ratio, 2)}); it finds "
            f"{_share(most['recall'])} and {_share(least['recall'])} of their true cases."
        )


def _share(value: float) -> str:
    return "none to find" if np.isnan(value) else percent(value)


def fairness(scored: Scored, column: pd.Series, threshold: float) -> Fairness:
    """The rates of each group of a column at a threshold. Raises NotApplicable for fewer than two groups."""
    label = levels(column)
    rows = []
    for group in sorted(label.unique(), key=_natural):
        mask = (label == group).to_numpy()
        if mask.sum() < FEWEST:
            continue
        c: Counts = counts_at(scored.where(mask), threshold)
        n = c.tp + c.fp + c.fn + c.tn
        low, high = wilson(c.tp + c.fp, n)
        rows.append(
            {
                "group": group, "n": n, "positives": c.tp + c.fn, "selected": (c.tp + c.fp) / n, "low": low,
                "high": high, "recall": float(rate("recall", c)) if c.tp + c.fn else np.nan,
                "precision": float(rate("precision", c)) if c.tp + c.fp else np.nan,
                "false_positive_rate": 1 - float(rate("specificity", c)) if c.tn + c.fp else np.nan,
            }
        )  # fmt: skip
    if len(rows) < 2:
        raise NotApplicable(f"{column.name} has fewer than two groups of {FEWEST} rows.")
    return Fairness(title=scored.title, column=str(column.name), positive=scored.positive, threshold=threshold,
                    groups=pd.DataFrame(rows))  # fmt: skip


def _natural(label: str) -> tuple[float, str]:
    """The order of labels: numbers by their value, the others after them."""
    try:
        return float(label.split(" ", maxsplit=1)[0].replace(",", "")), label
    except ValueError:
        return float("inf"), label


def slice_columns(names: Sequence[str]) -> list[str]:
    """Columns to slice by: one or two. Raises BadInput for more."""
    if len(names) > 2:
        raise BadInput(f"Slices are by one or two columns; {len(names)} were named.")
    return list(names)
