"""What will hurt a model: checks that look at a dataset before the first fit, each with its card and its fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.casts import as_days, as_levels, as_numbers
from mlcore.dataset import Column, Dataset
from mlcore.explore import query
from mlcore.ingest.convert import AS_TEXT, How, choose
from mlcore.ingest.frames import quoted
from mlcore.metrics import Task
from mlcore.protocol import Target
from mlcore.result import Array, Help, number, several, share
from mlcore.scan import Figures

MOST_CHECKED = 1000  # columns; of wider tables the rest is not checked, and it is said
MOST_PAIRED = 300  # columns of numbers whose pairs are compared
LEAK_ROWS = 10_000
# One column alone: ROC AUC beyond which others call it a leak as well; balanced accuracy; R².
LEAK: dict[Task, float] = {"binary": 0.95, "multiclass": 0.97, "regression": 0.95}
REDUNDANT = 0.95  # |r| from which two columns tell much the same
FEW_ROWS = 10  # of a level, below which it is rare
NEARLY_ALL = 0.99
MISFITS = 0.2  # share of cells that may be no number in a column of numbers
STRAY = 0.005  # share of outliers worth a word
SKEWED = 3.0

Severity = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Fix:
    """One click that mends an alert: a role, a kind, an option of a step, a metric, rows kept once, or the split."""

    title: str
    action: Literal["role", "kind", "step", "metric", "rows", "split"]
    column: str | None
    value: Any  # the role, the kind, {step: {option: value}}, the metric, the kind of split


@dataclass(frozen=True)
class Alert:
    """Something to look at before the first fit."""

    code: str
    severity: Severity
    column: str | None
    text: str
    fix: Fix | None = None

    @property
    def help(self) -> Help:
        """The card of its check: what it is, how it is found, why it matters, what to do."""
        from mlcore import leaks

        return next(c.help for c in (*CHECKS, *leaks.CHECKS) if self.code in c.codes)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Check:
    """A row of the registry: the codes it may raise, its card, and how it looks."""

    codes: tuple[str, ...]
    help: Help
    find: Callable[[Any], Iterator[Alert]]  # given what was seen: of a dataset, or of a settled split


@dataclass(frozen=True)
class Seen:
    """What the checks look at."""

    dataset: Dataset
    target: str | None
    task: Task | None
    figures: dict[str, Figures]

    @cached_property
    def columns(self) -> list[Column]:
        """All columns but the target that are checked."""
        return [c for c in self.dataset.schema if c.name != self.target][:MOST_CHECKED]

    @cached_property
    def features(self) -> list[Column]:
        """The checked columns that models may see."""
        return [c for c in self.columns if c.role == "feature"]

    @cached_property
    def sample(self) -> pd.DataFrame:
        """Some rows, drawn at random and in order: all rows of a table that is small."""
        names = [c.name for c in self.columns] + ([self.target] if self.target is not None else [])
        return self.dataset.sample(names, LEAK_ROWS)

    @cached_property
    def labels(self) -> Target | None:
        """The target in the sample; None without one, or where it cannot be predicted."""
        from mlcore.errors import BadTarget
        from mlcore.target import target_of

        if self.target is None or self.task is None:
            return None
        try:
            return target_of(self.sample[self.target], self.target, self.task)
        except BadTarget:
            return None

    def ask(self, sql: str) -> list[Any]:
        """Query all rows."""
        return query(self.dataset, sql)


def find(
    dataset: Dataset, target: str | None = None, task: Task | None = None, figures: dict[str, Figures] | None = None
) -> list[Alert]:
    """Run all checks; the gravest first, and among equals in the order of the registry."""
    from mlcore.profile import figures_of

    seen = Seen(dataset, target, task, figures if figures is not None else figures_of(dataset))
    found = [alert for check in CHECKS for alert in check.find(seen)]
    rank = {"high": 0, "medium": 1, "low": 2}
    return sorted(found, key=lambda a: rank[a.severity])


def _ignore(column: Column) -> Fix | None:
    return None if column.role == "ignore" else Fix("Leave it out", "role", column.name, "ignore")


# the target given away ------------------------------------------------------------------------------------------------


def _giveaways(seen: Seen) -> Iterator[Alert]:
    """A column that alone predicts the target nearly perfectly, judged on rows it was not counted on."""
    target = seen.labels
    if target is None or seen.task is None or len(target.rows) < 40:
        return
    frame = seen.sample.iloc[target.rows]
    for column in seen.features:
        score, title = single_column_score(frame[column.name], target.y, seen.task)
        if score >= LEAK[seen.task]:
            yield Alert(
                "giveaway",
                "high",
                column.name,
                f"{column.name} alone predicts {seen.target} nearly perfectly ({title} {number(score)}). Is it known "
                "before the outcome? If not, it gives the answer away.",
                _ignore(column),
            )


def single_column_score(column: pd.Series, y: Array, task: Task) -> tuple[float, str]:
    """How well one column alone predicts: its bins or levels get the mean target of the other half of the rows.

    Returns ROC AUC (two classes), balanced accuracy (more) or R² (a quantity).
    """
    codes = _codes(column)
    half = np.random.default_rng(0).permutation(len(y)) % 2 == 0
    if task == "regression":
        guess = _means_of_other_half(codes, y.astype(float), half)
        spread = float(((y - y.mean()) ** 2).sum())
        return (1 - float(((y - guess) ** 2).sum()) / spread if spread else 0.0), "R²"
    each = np.column_stack([_means_of_other_half(codes, (y == k).astype(float), half) for k in np.unique(y)])
    if task == "binary":
        return _auc(y == y.max(), each[:, 1]), "AUC"
    hit = np.unique(y)[each.argmax(axis=1)] == y
    return float(np.mean([hit[y == k].mean() for k in np.unique(y)])), "balanced accuracy"


def _codes(column: pd.Series, bins: int = 50) -> Array:
    numbers = pt.is_numeric_dtype(column) and not pt.is_bool_dtype(column)
    numbers = numbers or pt.is_datetime64_any_dtype(column)
    if not numbers:
        return np.asarray(pd.factorize(as_levels(column))[0])
    values = as_numbers(column).to_numpy()
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(len(values), int)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.where(np.isnan(values), -1, np.searchsorted(edges, values, side="left"))


def _means_of_other_half(codes: Array, y: Array, half: Array) -> Array:
    guess = np.full(len(y), y.mean())
    codes = codes + 1
    size = int(codes.max()) + 1
    for here in (half, ~half):
        total = np.bincount(codes[~here], y[~here], size)
        count = np.bincount(codes[~here], minlength=size)
        mean = y[~here].mean()
        guess[here] = ((total + mean) / (count + 1))[codes[here]]
    return guess


def _auc(positive: Array, ranking: Array) -> float:
    ranks = pd.Series(ranking).rank().to_numpy()
    n, m = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m)) if n and m else 0.5


SAME = 0.99995  # |r|, or AUC, from which a target is what two columns make together
ARITHMETIC: tuple[tuple[str, Callable[[Array, Array], Array]], ...] = (
    ("+", lambda a, b: a + b),
    ("−", lambda a, b: a - b),
    ("×", lambda a, b: a * b),
    ("÷", lambda a, b: np.divide(a, b, out=np.full(len(a), np.nan), where=b != 0)),
)
MOST_COMBINED = 24  # numeric columns whose pairs are tried


def _arithmetic(seen: Seen) -> Iterator[Alert]:
    """A target that is the sum, difference, product or ratio of two columns, or says which of them is larger."""
    target = seen.labels
    if target is None or seen.task == "multiclass" or len(target.rows) < 30:
        return
    numbers = [c for c in seen.features if c.kind == "numeric" and c.distinct > 10][:MOST_COMBINED]
    rows, y = target.rows[:2000], target.y[:2000].astype(float)
    cells = {c.name: as_numbers(seen.sample[c.name], c.parse).to_numpy()[rows] for c in numbers}
    alone = {name: _follows(values, y, seen.task) for name, values in cells.items()}
    names = [n for n in cells if alone[n] < SAME]
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            for sign, make in ARITHMETIC if seen.task == "regression" else ARITHMETIC[1:2]:
                if _follows(make(cells[first], cells[second]), y, seen.task) >= SAME:
                    what = f"{first} {sign} {second}"
                    yield Alert(
                        "derived", "high", first,
                        f"{seen.target} is told by {what} alone, so it may have been computed from them. If both are "
                        "known beforehand, no model is needed; if not, leave them out.",
                        Fix(f"Leave out {first}", "role", first, "ignore"),
                    )  # fmt: skip
                    return


def _follows(values: Array, y: Array, task: Task | None) -> float:
    """|r| of a quantity, or the AUC of two classes, where both are known; 0 where that is too little."""
    known = np.isfinite(values)
    if known.sum() < max(30, 0.5 * len(y)) or np.ptp(values[known]) == 0 or np.ptp(y[known]) == 0:
        return 0.0
    if task == "regression":
        return float(abs(np.corrcoef(values[known], y[known])[0, 1]))
    area = _auc(y[known] == 1, values[known])
    return max(area, 1 - area)


# rows that belong together --------------------------------------------------------------------------------------------


def _repeated_entities(seen: Seen) -> Iterator[Alert]:
    """A column named like an identifier whose values repeat: rows of one entity belong on one side of a split."""
    from mlcore.ingest.kinds import ID_NAME

    for c in seen.columns:
        known = seen.dataset.rows - c.missing
        if (
            c.kind not in ("identifier", "constant")
            and c.role in ("feature", "ignore")
            and ID_NAME.search(c.name)
            and c.dtype in ("integer", "text")
            and 10 <= c.distinct <= 0.7 * known
        ):
            yield Alert(
                "groups",
                "high",
                c.name,
                f"{c.name}: {c.distinct:,} values for {known:,} rows, so rows repeat an entity. A random split puts "
                "the same one on both sides and flatters the score.",
                Fix("Split by it", "role", c.name, "group"),
            )


def _time_order(seen: Seen) -> Iterator[Alert]:
    """Dates along which the rows are ordered, or the target drifts: the future must not teach the past."""
    if seen.dataset.schema.in_role("time") or seen.target is None:
        return
    for c in seen.features:
        if c.kind != "datetime" or c.dtype != "datetime" or c.distinct < 20:
            continue
        days = as_days(seen.sample[c.name]).to_numpy()
        known = np.flatnonzero(~np.isnan(days))
        ordered = len(known) >= 20 and float((np.diff(days[known]) >= 0).mean()) > 0.98
        drift = _drift(seen, days)
        if ordered or abs(drift) > 0.3:
            why = "the rows come in its order" if ordered else f"{seen.target} drifts along it (rank r {number(drift)})"
            yield Alert(
                "time_order",
                "medium",
                c.name,
                f"{c.name}: {why}. A random split lets a model learn from the future what it will not know then.",
                Fix("Split by it", "role", c.name, "time"),
            )


def _drift(seen: Seen, days: Array) -> float:
    """Rank correlation of the target with time; 0 for more than two classes."""
    target = seen.labels
    if target is None or seen.task == "multiclass":
        return 0.0
    both = pd.DataFrame({"day": days[target.rows], "y": target.y.astype(float)}).dropna().rank()
    r = both["day"].corr(both["y"])  # of ranks, which is Spearman's; pandas' own would import scipy.stats for it
    return float(r) if np.isfinite(r) else 0.0


def _duplicate_rows(seen: Seen) -> Iterator[Alert]:
    """Rows that repeat another, identifiers aside."""
    schema, rows = seen.dataset.schema, seen.dataset.rows
    kept = [c for c in schema if c.kind != "identifier" and c.distinct > 0]
    if len(schema) > 200 or not any(c.kind == "numeric" and c.distinct > 20 for c in kept):
        return
    # A few varied columns tell most rows apart; only where they do not are all of them looked at.
    few = sorted(kept, key=lambda c: -c.distinct)[:2]
    if len(few) < len(kept) and _repeats(seen, few) <= STRAY * rows:
        return
    repeated = _repeats(seen, kept)
    if repeated > STRAY * rows:
        yield Alert(
            "duplicates",
            "medium",
            None,
            f"{share(repeated, rows)} rows repeat another row (identifiers aside). "
            "Where both copies are split apart, the score flatters.",
            Fix("Keep one of each", "rows", None, "unique"),
        )


def _repeats(seen: Seen, columns: list[Column]) -> int:
    """How many rows repeat an earlier one in some columns, by hashes of 64 bits."""
    listed = ", ".join(quoted(c.name) for c in columns)
    found = seen.ask(f"SELECT count(*) - count(DISTINCT hash({listed})) FROM data")
    return int(found[0][0])


# columns that tell nothing, or the same twice -------------------------------------------------------------------------


def _identifiers(seen: Seen) -> Iterator[Alert]:
    for c in seen.columns:
        if c.kind == "identifier" and c.role in ("feature", "ignore"):
            fix = _ignore(c)
            done = " It is left out." if fix is None else " A model would learn rows by heart."
            severity: Severity = "low" if fix is None else "high"
            yield Alert("identifier", severity, c.name, f"{c.name} looks like an identifier: {c.reason}.{done}", fix)


def _constants(seen: Seen) -> Iterator[Alert]:
    rows = seen.dataset.rows
    for c in seen.columns:
        if c.kind == "constant":
            yield Alert("constant", "low", c.name, f"{c.name} tells nothing: {c.reason}.", _ignore(c))
            continue
        figures = seen.figures.get(c.name)
        if figures is None or c.role != "feature" or rows < 100:
            continue
        most = figures.top[0][1] if figures.top else figures.zeros
        if figures.known and most >= NEARLY_ALL * figures.known and c.distinct > 1:
            value = figures.top[0][0] if figures.top else "0"
            told = f"{c.name} is nearly constant: {share(most, figures.known)} known cells are {value}."
            yield Alert("near_constant", "low", c.name, told, _ignore(c))


def _duplicate_columns(seen: Seen) -> Iterator[Alert]:
    """Columns that hold the same in every row."""
    groups: dict[Any, list[Column]] = {}
    for c in seen.features:
        f = seen.figures.get(c.name)
        if f is not None and c.distinct > 1:
            shape = (c.dtype, c.missing, None if c.estimated else c.distinct, f.low, f.high, f.quartiles, f.top)
            groups.setdefault(shape, []).append(c)
    for first, *others in groups.values():
        for other in others[:20]:
            a, b = quoted(first.name), quoted(other.name)
            if (
                seen.sample[first.name].equals(seen.sample[other.name].rename(first.name))
                and not seen.ask(f"SELECT count(*) FROM data WHERE {a} IS DISTINCT FROM {b}")[0][0]
            ):
                told = f"{other.name} holds the same as {first.name} in every row."
                yield Alert("duplicate_column", "medium", other.name, told, _ignore(other))


def _redundant(seen: Seen) -> Iterator[Alert]:
    """Pairs of columns of numbers that lie on a line."""
    numbers = [c for c in seen.features if c.kind == "numeric" and c.dtype in ("integer", "float") and c.distinct > 10]
    numbers = numbers[:MOST_PAIRED]
    if len(numbers) < 2 or len(seen.sample) < 10:
        return
    values = np.column_stack([as_numbers(seen.sample[c.name]).to_numpy() for c in numbers])
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
                "redundant",
                "low",
                second.name,
                f"{second.name} and {first.name} tell much the same (r {number(exact)}).",
                _ignore(second),
            )


# cells ----------------------------------------------------------------------------------------------------------------


def _mixed(seen: Seen) -> Iterator[Alert]:
    """Texts of which most are numbers, or most are dates."""
    for c in seen.columns:
        if c.dtype != "text" or c.kind in ("constant", "boolean", "numeric", "datetime") or c.distinct < 5:
            continue
        values = [str(v) for v in seen.sample[c.name].dropna().unique()[:500]]
        for code, what, kind, parses in (
            ("mixed_types", "numbers", "numeric", ("BIGINT", "DOUBLE")),
            ("text_dates", "dates", "datetime", ("TIMESTAMP",)),
        ):
            reads = {v: choose([v], How()) for v in values}
            fitting = [v for v, how in reads.items() if how.native in parses or how.gives in parses]
            if not 0.5 * len(values) <= len(fitting) < len(values):
                continue
            how = choose(fitting, How())
            if how == AS_TEXT or not (how.native in parses or how.gives in parses):
                continue
            fits = how.fits(quoted(c.name))
            bad, example = seen.ask(
                f"SELECT count(*), min({quoted(c.name)}) FROM data "
                f"WHERE {quoted(c.name)} IS NOT NULL AND NOT coalesce({fits}, false)"
            )[0]
            known = seen.dataset.rows - c.missing
            if not 0 < bad <= MISFITS * known:
                continue
            yield Alert(
                code,
                "medium",
                c.name,
                f"{c.name} holds {what}, but {share(bad, known)} known cells are none, such as {str(example)[:40]!r}. "
                "So it was read as text.",
                Fix(f"Read it as {what}, the others missing", "kind", c.name, [kind, how.parse]),
            )
            break


def _infinities(seen: Seen) -> Iterator[Alert]:
    for c in seen.columns:
        figures = seen.figures.get(c.name)
        if figures is not None and figures.infinite:
            told = f"{c.name}: {share(figures.infinite, seen.dataset.rows)} cells are infinite; they count as missing."
            yield Alert("infinite", "medium", c.name, told)


def _missing(seen: Seen) -> Iterator[Alert]:
    for c in seen.columns:
        if c.missing and c.distinct:
            much = c.missing > 0.5 * seen.dataset.rows
            yield Alert(
                "missing",
                "medium" if much else "low",
                c.name,
                f"{c.name}: {share(c.missing, seen.dataset.rows)} cells are missing."
                + (" More than half: check whether that is meant." if much else ""),
                _ignore(c) if much and c.role == "feature" else None,
            )


def _missing_tells(seen: Seen) -> Iterator[Alert]:
    """Gaps that go with the target: being missing is information."""
    target = seen.labels
    if target is None or seen.task is None or len(target.rows) < 100:
        return
    frame = seen.sample.iloc[target.rows]
    for c in seen.features:
        gap = frame[c.name].isna().to_numpy()
        if not 30 <= gap.sum() <= len(gap) - 30:
            continue
        if seen.task == "regression":
            inside, outside = target.y[gap], target.y[~gap]
            z = (inside.mean() - outside.mean()) / np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
            told = f"{seen.target} is {number(inside.mean())} there on average and {number(outside.mean())} elsewhere"
        else:
            most = int(np.bincount(target.y).argmax()) if seen.task == "multiclass" else int(target.y.max())
            p, q = float((target.y[gap] == most).mean()), float((target.y[~gap] == most).mean())
            whole = float((target.y == most).mean())
            z = (p - q) / np.sqrt(max(whole * (1 - whole), 1e-12) * (1 / gap.sum() + 1 / (~gap).sum()))
            told = f"{100 * p:.0f} % are {target.classes[most]} there and {100 * q:.0f} % elsewhere"
        if abs(z) > 5:  # far beyond chance, even over a thousand columns
            yield Alert(
                "missing_tells",
                "low",
                c.name,
                f"Where {c.name} is missing tells something: {told}.",
                Fix("Mark where it is missing", "step", c.name, {"fill": {"mark": True}}),
            )


def _missing_together(seen: Seen) -> Iterator[Alert]:
    """Columns whose gaps are the same rows."""
    gaps = [c for c in seen.columns if c.missing >= 10 and c.missing < seen.dataset.rows][:MOST_PAIRED]
    groups: dict[bytes, list[str]] = {}
    for c in gaps:
        groups.setdefault(np.packbits(seen.sample[c.name].isna().to_numpy()).tobytes(), []).append(c.name)
    for names in groups.values():
        missing = [seen.dataset.schema[n].missing for n in names]
        if len(names) > 1 and len(set(missing)) == 1:
            told = f"{several(names)} are missing in the same rows, {share(missing[0], seen.dataset.rows)}: one cause."
            yield Alert("missing_together", "low", names[0], told)


def _many_levels(seen: Seen) -> Iterator[Alert]:
    for c in seen.features:
        if c.kind == "categorical" and c.distinct > 50:
            each = (seen.dataset.rows - c.missing) / c.distinct
            yield Alert(
                "many_levels",
                "medium" if each < 3 else "low",
                c.name,
                f"{c.name} has {c.distinct:,} levels, {number(each)} rows each. They are coded by the mean of the "
                "target, inside the fold." + (" Hardly any level repeats; is it of use?" if each < 3 else ""),
                _ignore(c) if each < 3 else None,
            )


def _rare_levels(seen: Seen) -> Iterator[Alert]:
    for c in seen.features:
        figures = seen.figures.get(c.name)
        if c.kind == "categorical" and 3 <= c.distinct <= 50 and figures is not None and figures.alone:
            if seen.dataset.rows - c.missing < 10 * FEW_ROWS:
                continue
            plural = "levels have" if figures.alone > 1 else "level has"
            yield Alert(
                "rare_levels",
                "low",
                c.name,
                f"{c.name}: {figures.alone} of {c.distinct} {plural} fewer than {FEW_ROWS} rows; a fold may not hold "
                "them at all.",
                Fix("Join rare levels", "step", c.name, {"encode": {"rarest": FEW_ROWS}}) if seen.target else None,
            )


def _outliers(seen: Seen) -> Iterator[Alert]:
    for c in seen.features:
        figures = seen.figures.get(c.name)
        if c.kind != "numeric" or figures is None or c.distinct <= 20 or abs(figures.skew or 0) > SKEWED:
            continue
        if figures.outliers > max(STRAY * figures.known, 2):
            yield Alert(
                "outliers",
                "low",
                c.name,
                f"{c.name}: {share(figures.outliers, figures.known)} known cells lie more than three quartile ranges "
                "from the middle half.",
                Fix("Scale by quartiles", "step", c.name, {"scale": {"method": "robust"}}) if seen.target else None,
            )


def _skewed(seen: Seen) -> Iterator[Alert]:
    for c in seen.features:
        figures = seen.figures.get(c.name)
        if c.kind == "numeric" and figures is not None and c.distinct > 20 and abs(figures.skew or 0) > SKEWED:
            yield Alert(
                "skew",
                "low",
                c.name,
                f"{c.name} is skewed ({number(figures.skew)}; 0 is even): a few large values outweigh the rest in "
                "linear models. Trees do not mind.",
                Fix("Even it out", "step", c.name, {"scale": {"method": "power"}}) if seen.target else None,
            )


# the target -----------------------------------------------------------------------------------------------------------


def _target(seen: Seen) -> Iterator[Alert]:
    if seen.target is None:
        return
    column = seen.dataset.schema[seen.target]
    if column.distinct < 2:
        told = f"{seen.target} has {'one value only' if column.distinct else 'no known value'}: nothing to predict."
        yield Alert("target_constant", "high", seen.target, told)
    if column.missing and column.distinct:
        told = f"{share(column.missing, seen.dataset.rows)} rows have no {seen.target}; they are left out."
        yield Alert("target_missing", "medium", seen.target, told)
    figures = seen.figures.get(seen.target)
    if seen.task == "regression" and figures is not None and figures.zeros:
        told = (
            f"{seen.target} is 0 in {share(figures.zeros, figures.known)} rows, where a percentage error is undefined. "
            "RMSE and MAE are not affected."
        )
        yield Alert("target_zeros", "low", seen.target, told)


def _classes(seen: Seen) -> Iterator[Alert]:
    if seen.target is None or seen.task in (None, "regression"):
        return
    c = quoted(seen.target)
    counts = [n for (n,) in seen.ask(f"SELECT count(*) FROM data WHERE {c} IS NOT NULL GROUP BY {c} ORDER BY 1")]
    if counts and counts[0] < 0.1 * sum(counts) and seen.task == "binary":
        yield Alert(
            "imbalance",
            "medium",
            seen.target,
            f"The rarer class is {share(counts[0], sum(counts))} of the rows. "
            "Accuracy will look good whatever the model does; read precision and recall.",
            Fix("Rank by average precision", "metric", seen.target, "average_precision"),
        )
    few = sum(n < 5 for n in counts)
    if few:
        yield Alert(
            "rare_class",
            "medium",
            seen.target,
            f"{few} of {len(counts)} classes have fewer than 5 rows: too few to learn and to test.",
        )


def _width(seen: Seen) -> Iterator[Alert]:
    columns = len(seen.dataset.schema)
    if columns > MOST_CHECKED:
        told = f"Of {columns:,} columns, only the first {MOST_CHECKED:,} were checked; the rest may hide something."
        yield Alert("wide", "low", None, told)


CHECKS: tuple[Check, ...] = (
    Check(
        ("derived",),
        Help(
            "A target that two columns make together by arithmetic.",
            "Sum, difference, product and ratio of each pair of numbers are held against the target: correlation, or "
            "ROC AUC, of at least 0.99995, where neither column does so alone.",
            "Then every model seems perfect, and has learned a formula that is known already.",
            "If the parts are written after the outcome, leave them out; else use the formula.",
        ),
        _arithmetic,
    ),
    Check(
        ("giveaway",),
        Help(
            "A column from which alone the target can be told nearly perfectly.",
            "Its bins or levels are given the mean target of one half of the rows and judged on the other half: ROC "
            "AUC from 0.95, balanced accuracy from 0.97, or R² from 0.95.",
            "Such a column is often a result of the outcome, not a cause: it will not be known when the model is used, "
            "and the score is a mirage. Some columns are honestly that good.",
            "Ask when the column is written. If only after the outcome, leave it out.",
        ),
        _giveaways,
    ),
    Check(
        ("groups",),
        Help(
            "A column that names an entity (a person, a shop) of which there are several rows.",
            "By its name and by values that repeat.",
            "Rows of one entity resemble each other. Split at random, a model is tested on entities that it knows.",
            "Split by it, unless the model will only ever meet entities that it has seen.",
        ),
        _repeated_entities,
    ),
    Check(
        ("time_order",),
        Help(
            "Dates along which the rows are ordered, or along which the target drifts.",
            "Rows in the order of the dates, or a rank correlation of target and date beyond 0.3.",
            "A random split trains on the future of its test rows; in use there is no future to learn from.",
            "Split by time, so that each fold is tested on what comes after.",
        ),
        _time_order,
    ),
    Check(
        ("identifier",),
        Help(
            "A column that numbers or names the rows.",
            "As many different values as rows, and a name or a sequence that says so.",
            "A flexible model can learn rows by heart from it, and importances are inflated.",
            "Leave it out. If it carries a date or a place in its letters, make a column of that.",
        ),
        _identifiers,
    ),
    Check(
        ("target_constant", "target_missing", "target_zeros"),
        Help(
            "The target is missing in some rows, has one value only, or is zero where a percentage is asked for.",
            "By counting its cells.",
            "Rows without an outcome can neither teach nor test; a percentage of zero is undefined.",
            "Find out why outcomes are missing: if not by chance, the score speaks for the others only.",
        ),
        _target,
    ),
    Check(
        ("imbalance", "rare_class"),
        Help(
            "One class is rare.",
            "Fewer than one row in ten, or fewer than five rows.",
            "Always guessing the common class is then nearly always right, and useless.",
            "Judge by average precision, or precision and recall at a threshold that fits the costs.",
        ),
        _classes,
    ),
    Check(
        ("duplicates",),
        Help(
            "Rows that are the same as another row.",
            "All columns but identifiers are compared; more than one row in two hundred.",
            "When one copy is in a training fold and the other in the test, the model has seen the answer.",
            "Keep one of each, unless the repetition is real (the same purchase twice).",
        ),
        _duplicate_rows,
    ),
    Check(
        ("duplicate_column",),
        Help(
            "Two columns with the same cells.",
            "Equal in every row.",
            "Importance is shared between them at random, and linear models become unstable.",
            "Leave one out.",
        ),
        _duplicate_columns,
    ),
    Check(
        ("mixed_types", "text_dates"),
        Help(
            "A column of texts most of which are numbers, or dates.",
            "At least eight in ten known cells can be read so, but not all.",
            "As text, every number is a level of its own, and order is lost.",
            "Look at the cells that do not fit. If they mean missing, read the column as numbers or dates.",
        ),
        _mixed,
    ),
    Check(
        ("infinite",),
        Help(
            "Cells that hold infinity.",
            "By counting.",
            "Most models cannot take them; they usually come from a division by zero.",
            "They count as missing here. Mend them where they arise.",
        ),
        _infinities,
    ),
    Check(
        ("missing",),
        Help(
            "Cells that are empty or say that they are missing.",
            "By counting; the Data page says which texts were taken as missing.",
            "What is filled in is a guess. If cells are missing for a reason, the reason is information.",
            "Ask why. The recipe fills gaps inside each fold and can mark where they were.",
        ),
        _missing,
    ),
    Check(
        ("missing_tells",),
        Help(
            "Gaps that go together with the target.",
            "The target where the column is missing against elsewhere; five standard errors apart or more.",
            "Then being missing is itself a clue, or a leak, if it is only filled in after the outcome.",
            "Find out when the cell is written. If before the outcome, keep the mark of where it is missing.",
        ),
        _missing_tells,
    ),
    Check(
        ("missing_together",),
        Help(
            "Columns that are missing in exactly the same rows.",
            "The pattern of gaps is compared.",
            "They have one cause, such as a form that was not filled in; as many marks of it say one thing.",
            "Keep one mark. Ask what these rows have in common.",
        ),
        _missing_together,
    ),
    Check(
        ("many_levels",),
        Help(
            "A category of more than 50 levels.",
            "By counting.",
            "A column a level would be too many; with few rows each, a level tells more of chance than of itself.",
            "They are coded by the mean of the target, inside the fold. Group them if there is a natural way.",
        ),
        _many_levels,
    ),
    Check(
        ("rare_levels",),
        Help(
            "Levels of a category with very few rows.",
            f"Fewer than {FEW_ROWS} rows.",
            "Some folds do not hold them, and what is learned of them is chance.",
            "Join them into one.",
        ),
        _rare_levels,
    ),
    Check(
        ("outliers",),
        Help(
            "Numbers far from all others.",
            "More than three quartile ranges from the middle half (Tukey's far out), in more than one cell in two "
            "hundred.",
            "They pull means, scales and linear models. They may be errors, or the most interesting rows.",
            "Look at them. Scaling by quartiles makes them weigh less in models that are scaled.",
        ),
        _outliers,
    ),
    Check(
        ("skew",),
        Help(
            "Numbers with a long tail on one side.",
            f"A skewness beyond {SKEWED:.0f}, the third standardised moment.",
            "A few large values dominate linear models and distances.",
            "Even it out by a power transform (Yeo and Johnson, 2000), learned inside the fold. Trees need none.",
        ),
        _skewed,
    ),
    Check(
        ("redundant",),
        Help(
            "Two columns of numbers that lie on a line.",
            "A Pearson correlation of 0.95 or more either way.",
            "Importance is shared between them at random, and coefficients of linear models lose their meaning.",
            "Keep the one that is known earlier or measured better.",
        ),
        _redundant,
    ),
    Check(
        ("constant", "near_constant"),
        Help(
            "A column with one value, or nearly so.",
            "At least 99 of 100 known cells are the same.",
            "It cannot help, and one odd row may be learned by heart from it.",
            "Leave it out, unless the rare value is what you are after.",
        ),
        _constants,
    ),
    Check(
        ("wide",),
        Help(
            "A table of very many columns.",
            "By counting.",
            "With more columns than rows, something fits by chance alone.",
            "Leave out what cannot matter before comparing models.",
        ),
        _width,
    ),
)
