"""A dataset at a glance: figures for each column, and alerts about what will hurt a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.casts import as_levels, as_numbers
from mlcore.dataset import Column, Dataset
from mlcore.explore import Ask, asking, level, query, real
from mlcore.ingest.frames import quoted
from mlcore.metrics import Task
from mlcore.result import Array, Help, Result, number, several, share

SPARK_BINS = 12
MOST_PROFILED = 1000  # columns with figures; wider tables keep kinds and counts for the rest
AT_ONCE = 100  # columns of one query
LEAK_ROWS = 20_000
# One column alone: ROC AUC beyond which others call it a leak as well; balanced accuracy; R².
LEAK: dict[Task, float] = {"binary": 0.95, "multiclass": 0.97, "regression": 0.95}


@dataclass(frozen=True)
class ColumnProfile:
    """The figures of one column; None where they have no meaning."""

    name: str
    kind: str
    role: str
    missing: int
    distinct: int
    reason: str
    minimum: str | None = None
    maximum: str | None = None
    mean: float | None = None
    deviation: float | None = None
    quartiles: tuple[float, float, float] | None = None
    top: tuple[tuple[str, int], ...] = ()
    spark: tuple[int, ...] = ()

    def typical(self) -> str:
        """What a cell usually holds."""
        if self.quartiles is not None:
            return f"{number(self.quartiles[1])} ({number(self.quartiles[0])} to {number(self.quartiles[2])})"
        if self.top:
            return ", ".join(value for value, _ in self.top[:3])
        return f"{self.minimum} to {self.maximum}" if self.minimum else ""


@dataclass(frozen=True)
class Fix:
    """One click that mends an alert: it changes a role or a kind."""

    title: str
    action: Literal["role", "kind"]
    column: str
    value: str


@dataclass(frozen=True)
class Alert:
    """Something to look at before the first fit."""

    code: str
    severity: Literal["high", "medium", "low"]
    column: str | None
    text: str
    fix: Fix | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Profile(Result):
    """All columns, and the alerts."""

    dataset: Dataset
    columns: tuple[ColumnProfile, ...]
    alerts: tuple[Alert, ...]

    help: ClassVar[Help] = Help(
        "One line a column: what it holds, how much of it is missing, how many different values, what is typical.",
        "Typical is the median with the range of the middle half, or the most common levels.",
        "A median hides two humps; look at the column on its own.",
        "Correct kinds and roles that are wrong; everything after rests on them.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a column."""
        return pd.DataFrame(
            [
                {
                    "name": c.name,
                    "kind": c.kind,
                    "role": c.role,
                    "missing": c.missing,
                    "distinct": c.distinct,
                    "typical": c.typical(),
                    "distribution": list(c.spark),
                }
                for c in self.columns
            ]
        )

    def sentence(self) -> str:
        """Size and gaps, in words."""
        gaps = [c.name for c in self.columns if c.missing]
        cells = sum(c.missing for c in self.columns)
        return f"{self.dataset.rows:,} rows and {len(self.columns):,} columns; " + (
            f"{share(cells, self.dataset.rows * len(self.columns))} cells are missing, in {several(gaps)}."
            if gaps
            else "no cell is missing."
        )

    def to_json(self) -> dict[str, Any]:
        """The contract of `holdout profile --json`."""
        return {
            "dataset": {
                "name": self.dataset.name,
                "rows": self.dataset.rows,
                "columns": len(self.columns),
                "fingerprint": self.dataset.fingerprint,
            },
            "reading": asdict(self.dataset.reading),
            "columns": [asdict(c) for c in self.columns],
            "alerts": [a.to_json() for a in self.alerts],
        }


def profile(dataset: Dataset, target: str | None = None, task: Task | None = None) -> Profile:
    """Profile a dataset; with a target, the alerts look at it as well."""
    described = list(dataset.schema)[:MOST_PROFILED]
    with asking(dataset) as ask:
        figures = _figures(ask, [c for c in described if c.distinct and c.dtype not in ("text", "boolean")])
        listed = [_profile_column(ask, c, figures.get(c.name)) for c in described]
    listed += [_plain(c) for c in list(dataset.schema)[MOST_PROFILED:]]
    return Profile(dataset, tuple(listed), tuple(alerts(dataset, target, task)))


def _plain(column: Column) -> ColumnProfile:
    return ColumnProfile(column.name, column.kind, column.role, column.missing, column.distinct, column.reason)


def _figures(ask: Ask, columns: list[Column]) -> dict[str, tuple[Any, ...]]:
    """Lowest, highest, mean, deviation and quartiles of columns of numbers, many at a time."""
    found: dict[str, tuple[Any, ...]] = {}
    for start in range(0, len(columns), AT_ONCE):
        part = columns[start : start + AT_ONCE]
        asked = ", ".join(
            f"min({v}), max({v}), avg({v}), stddev_samp({v}), quantile_cont({v}, [0.25, 0.5, 0.75])"
            for v in map(real, part)
        )
        answer = ask(f"SELECT {asked} FROM data")[0]
        found.update({c.name: tuple(answer[5 * i : 5 * i + 5]) for i, c in enumerate(part)})
    return found


def _profile_column(ask: Ask, column: Column, figures: tuple[Any, ...] | None) -> ColumnProfile:
    plain = _plain(column)
    if column.distinct == 0:
        return plain
    if figures is None:
        found = ask(
            f"SELECT {level(column)}, count(*) FROM data WHERE {quoted(column.name)} IS NOT NULL "
            "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12"
        )
        top = tuple((str(v)[:80], int(n)) for v, n in found)
        return replace(plain, top=top[:5], spark=tuple(n for _, n in top) if len(top) > 1 else ())
    low, high, mean, deviation, quartiles = figures
    if low is None:
        return plain
    spark = _spark(ask, real(column), low, high)
    if column.dtype == "datetime":
        first, last = (str(pd.Timestamp(v, unit="s").date()) for v in (low, high))
        return replace(plain, minimum=first, maximum=last, spark=spark)
    return replace(
        plain,
        minimum=number(low),
        maximum=number(high),
        mean=mean,
        deviation=deviation,
        quartiles=tuple(quartiles),
        spark=spark,
    )


def _spark(ask: Ask, value: str, low: float, high: float) -> tuple[int, ...]:
    width = (high - low) / SPARK_BINS
    if high <= low or not np.isfinite(width):
        return ()
    found = dict(
        ask(
            f"SELECT least(floor(({value} - {low!r}) / {width!r}), {SPARK_BINS - 1})::INT, "
            f"count(*) FROM data WHERE {value} IS NOT NULL GROUP BY 1"
        )
    )
    return tuple(int(found.get(i, 0)) for i in range(SPARK_BINS))


# alerts ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Seen:
    """What the checks look at."""

    dataset: Dataset
    target: str | None
    task: Task | None


def alerts(dataset: Dataset, target: str | None = None, task: Task | None = None) -> list[Alert]:
    """Run all checks; the gravest first."""
    seen = _Seen(dataset, target, task)
    found = [alert for check in CHECKS for alert in check(seen)]
    rank = {"high": 0, "medium": 1, "low": 2}
    return sorted(found, key=lambda a: rank[a.severity])


def _ignore(name: str) -> Fix:
    return Fix("Leave it out", "role", name, "ignore")


def _giveaways(seen: _Seen) -> Iterator[Alert]:
    """A column that alone predicts the target nearly perfectly, judged on rows it was not counted on."""
    if seen.target is None or seen.task is None:
        return
    from mlcore.target import load_target

    target = load_target(seen.dataset, seen.target, seen.task)
    pick = np.arange(len(target.rows))
    if len(pick) > LEAK_ROWS:
        pick = np.sort(np.random.default_rng(0).choice(len(pick), LEAK_ROWS, replace=False))
    if len(pick) < 40:
        return
    names = seen.dataset.schema.in_role("feature")[:MOST_PROFILED]
    frame, y = seen.dataset.frame(names).iloc[target.rows[pick]], target.y[pick]
    for name in names:
        score, title = single_column_score(frame[name], y, seen.task)
        if score >= LEAK[seen.task]:
            yield Alert(
                "giveaway",
                "high",
                name,
                f"{name} alone predicts {seen.target} nearly perfectly ({title} {number(score)}). Is it known "
                "before the outcome? If not, it gives the answer away.",
                _ignore(name),
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


def _identifiers(seen: _Seen) -> Iterator[Alert]:
    for c in seen.dataset.schema:
        if c.kind == "identifier" and c.name != seen.target:
            fix = None if c.role == "ignore" else _ignore(c.name)
            done = " It is left out." if fix is None else " A model would learn rows by heart."
            yield Alert(
                "identifier",
                "low" if fix is None else "high",
                c.name,
                f"{c.name} looks like an identifier: {c.reason}.{done}",
                fix,
            )


def _constants(seen: _Seen) -> Iterator[Alert]:
    for c in seen.dataset.schema:
        if c.kind == "constant" and c.name != seen.target:
            yield Alert(
                "constant",
                "low",
                c.name,
                f"{c.name} tells nothing: {c.reason}.",
                None if c.role == "ignore" else _ignore(c.name),
            )


def _missing(seen: _Seen) -> Iterator[Alert]:
    for c in seen.dataset.schema:
        if c.missing and c.distinct and c.name != seen.target:
            much = c.missing > 0.5 * seen.dataset.rows
            yield Alert(
                "missing",
                "medium" if much else "low",
                c.name,
                f"{c.name}: {share(c.missing, seen.dataset.rows)} cells are missing."
                + (" More than half: check whether that is meant." if much else ""),
                _ignore(c.name) if much and c.role == "feature" else None,
            )


def _many_levels(seen: _Seen) -> Iterator[Alert]:
    for c in seen.dataset.schema:
        if c.kind == "categorical" and c.role == "feature" and c.distinct > 50:
            each = (seen.dataset.rows - c.missing) / c.distinct
            yield Alert(
                "many_levels",
                "medium" if each < 3 else "low",
                c.name,
                f"{c.name} has {c.distinct:,} levels, {number(each)} rows each. They are coded by the mean of the "
                "target, inside the fold." + (" Hardly any level repeats; is it of use?" if each < 3 else ""),
                _ignore(c.name) if each < 3 else None,
            )


def _infinities(seen: _Seen) -> Iterator[Alert]:
    floats = [c.name for c in seen.dataset.schema if c.dtype == "float"]
    with asking(seen.dataset) as ask:
        for start in range(0, len(floats), AT_ONCE):
            part = floats[start : start + AT_ONCE]
            counts = ask(f"SELECT {', '.join(f'count_if(isinf({quoted(n)}))' for n in part)} FROM data")[0]
            for name, count in zip(part, counts, strict=True):
                if count:
                    told = f"{name}: {share(count, seen.dataset.rows)} cells are infinite; they are treated as missing."
                    yield Alert("infinite", "medium", name, told)


def _duplicates(seen: _Seen) -> Iterator[Alert]:
    schema, rows = seen.dataset.schema, seen.dataset.rows
    if len(schema) > 200 or rows > 2_000_000:
        return
    kept = [c.name for c in schema if c.kind != "identifier"]
    if not kept:
        return
    listed = ", ".join(quoted(n) for n in kept)
    distinct = query(seen.dataset, f"SELECT count(*) FROM (SELECT DISTINCT {listed} FROM data)")[0][0]
    repeated = rows - distinct
    if repeated > 0.005 * rows and any(c.kind == "numeric" and c.distinct > 20 for c in schema):
        yield Alert(
            "duplicates",
            "medium",
            None,
            f"{share(repeated, rows)} rows repeat another row (identifiers aside). "
            "Where both copies are split apart, the score flatters.",
        )


def _repeated_entities(seen: _Seen) -> Iterator[Alert]:
    """A column named like an identifier whose values repeat: rows of one entity belong on one side of a split."""
    from mlcore.ingest.kinds import ID_NAME

    for c in seen.dataset.schema:
        known = seen.dataset.rows - c.missing
        if (
            c.kind not in ("identifier", "constant")
            and c.role in ("feature", "ignore")
            and c.name != seen.target
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


def _imbalance(seen: _Seen) -> Iterator[Alert]:
    if seen.target is None or seen.task in (None, "regression"):
        return
    found = query(
        seen.dataset,
        f"SELECT count(*) FROM data WHERE {quoted(seen.target)} IS NOT NULL GROUP BY {quoted(seen.target)} ORDER BY 1",
    )
    counts = [n for (n,) in found]
    if counts and counts[0] < 0.1 * sum(counts) and seen.task == "binary":
        yield Alert(
            "imbalance",
            "medium",
            seen.target,
            f"The rarer class is {share(counts[0], sum(counts))} of the rows. "
            "Accuracy will look good whatever the model does; read precision and recall.",
        )
    few = sum(n < 5 for n in counts)
    if few:
        yield Alert(
            "rare_class",
            "medium",
            seen.target,
            f"{few} of {len(counts)} classes have fewer than 5 rows: too few to learn and to test.",
        )


def _target_gaps(seen: _Seen) -> Iterator[Alert]:
    if seen.target is None:
        return
    column = seen.dataset.schema[seen.target]
    if column.missing:
        yield Alert(
            "target_missing",
            "medium",
            seen.target,
            f"{share(column.missing, seen.dataset.rows)} rows have no {seen.target}; they are left out.",
        )


CHECKS: tuple[Callable[[_Seen], Iterator[Alert]], ...] = (
    _giveaways,
    _repeated_entities,
    _identifiers,
    _target_gaps,
    _imbalance,
    _duplicates,
    _infinities,
    _many_levels,
    _missing,
    _constants,
)
