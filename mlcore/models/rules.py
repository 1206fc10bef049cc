"""A rule written by hand: if conditions hold then one answer, else another; each side can be a rule again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlcore.data.cast import BOOLEANS
from mlcore.data.dataset import Schema
from mlcore.data.filters import Filter
from mlcore.errors import BadInput
from mlcore.result import Array
from mlcore.wording import EPOCH, number, several, shortened

DEEPEST = 8
Answer = str | float


@dataclass(frozen=True)
class Rule:
    """If all (or any) of the conditions hold, `then`; if not, `otherwise`. Classes are given as text.

    Each side is an answer or another rule. `from_json` reads the form that `mlcore.compare(rule=...)` takes too, and
    raises BadInput for a form that is not a rule.

    >>> rule = Rule.from_json({"when": [["age", "from", 60]], "then": "yes", "else": "no"})
    >>> rule.words()
    'if age is at least 60 then yes, else no'
    """

    when: tuple[Filter, ...]
    then: Rule | Answer
    otherwise: Rule | Answer
    any: bool = False

    def words(self) -> str:
        """The rule in one line."""
        joined = (" or " if self.any else " and ").join(f.words() for f in self.when)
        return f"if {joined} then {_side_words(self.then)}, else {_side_words(self.otherwise)}"

    def answers(self) -> Iterator[Answer]:
        """All its answers."""
        for side in (self.then, self.otherwise):
            if isinstance(side, Rule):
                yield from side.answers()
            else:
                yield side

    def conditions(self) -> Iterator[Filter]:
        """All conditions, at any depth."""
        yield from self.when
        for side in (self.then, self.otherwise):
            if isinstance(side, Rule):
                yield from side.conditions()

    def checked(self, schema: Schema, classes: list[str] | None) -> Rule:
        """Return it with values of the right type. Raises BadInput when it does not fit the data.

        `classes` are the texts of the target's classes, None for a continuous target.
        """
        for condition in self.conditions():
            if schema[condition.column].name not in schema.features():
                raise BadInput(f"The rule uses {condition.column!r}, which is not a feature. Set its role to feature.")
        for answer in self.answers():
            if classes is None and not isinstance(answer, int | float):
                raise BadInput(f"The rule answers {answer!r}; the target is continuous, so answers must be numbers.")
            if classes is not None and str(answer) not in classes:
                raise BadInput(f"The rule answers {str(answer)!r}; the target's classes are {several(classes, 12)}.")
        return self._typed(schema)

    def _typed(self, schema: Schema) -> Rule:
        sides = [s._typed(schema) if isinstance(s, Rule) else s for s in (self.then, self.otherwise)]
        return Rule(tuple(f.checked(schema) for f in self.when), sides[0], sides[1], self.any)

    def coded(self, labels: tuple[str, ...]) -> Rule:
        """The rule with positions in `labels` as its answers."""
        sides = [s.coded(labels) if isinstance(s, Rule) else str(labels.index(str(s)))
                 for s in (self.then, self.otherwise)]  # fmt: skip
        return Rule(self.when, sides[0], sides[1], self.any)

    def answer(self, frame: pd.DataFrame) -> Array:
        """Return (n,) answers for rows whose columns are cast to their kinds."""
        answers = np.empty(len(frame), dtype=object)
        masks = [holds(f, frame[f.column]) for f in self.when]
        matches = np.any(masks, axis=0) if self.any else np.all(masks, axis=0)
        for side, rows in ((self.then, matches), (self.otherwise, ~matches)):
            if rows.any():
                answers[rows] = side.answer(frame[rows]) if isinstance(side, Rule) else side
        return answers

    def to_json(self) -> dict[str, Any]:
        """Plain data: {"when": [[column, operator, value …] …], "then": …, "else": …}."""
        return {
            "when": [[f.column, f.operator, *f.values] for f in self.when],
            "then": self.then.to_json() if isinstance(self.then, Rule) else self.then,
            "else": self.otherwise.to_json() if isinstance(self.otherwise, Rule) else self.otherwise,
            **({"any": True} if self.any else {}),
        }

    @classmethod
    def from_json(cls, data: Any, depth: int = 0) -> Rule:
        """Rebuild from plain data. Raises BadInput."""
        shape = 'A rule is {"when": [[column, comparison, value], …], "then": answer or rule, "else": answer or rule}'
        if depth > DEEPEST:
            raise BadInput(f"A rule may be nested at most {DEEPEST} deep; this one is deeper.")
        if not isinstance(data, dict) or not {"when", "then", "else"} <= set(data):
            raise BadInput(f"{shape}.")
        rows = data["when"]
        plain = isinstance(rows, list) and rows and all(isinstance(r, list) and len(r) >= 2 for r in rows)
        if not plain:
            raise BadInput(f'{shape}; "when" is a list of at least one condition.')
        when = tuple(Filter(str(r[0]), str(r[1]), tuple(_flat(r[2:]))) for r in rows)
        sides = [cls.from_json(s, depth + 1) if isinstance(s, dict) else s for s in (data["then"], data["else"])]
        return cls(when, sides[0], sides[1], bool(data.get("any", False)))


def _flat(values: list[Any]) -> Iterator[Any]:
    """Flatten values: those of lists one by one."""
    for value in values:
        yield from _flat(value) if isinstance(value, list) else (value,)


def _side_words(side: Rule | Answer) -> str:
    if isinstance(side, Rule):
        return f"({side.words()})"
    return number(side) if isinstance(side, int | float) and not isinstance(side, bool) else shortened(side, 30)


def holds(condition: Filter, column: pd.Series) -> Array:
    """Whether a condition holds for each value of a column that is cast to its kind; never for missing values."""
    missing = column.isna().to_numpy()
    name, values = condition.operator, condition.values
    if name in ("missing", "known"):
        return np.asarray(missing if name == "missing" else ~missing)
    if name in ("from", "to", "between"):
        return np.asarray(_between(column, name, values) & ~missing)
    if name in ("contains", "starts"):
        text = column.where(~missing, "").astype(str).str.lower()
        compare = getattr(text.str, {"contains": "contains", "starts": "startswith"}[name])
        pattern = str(values[0]).lower()
        return np.asarray(compare(pattern, regex=False) if name == "contains" else compare(pattern)) & ~missing
    matches = _among(column, values)
    return np.asarray(~matches if name == "is_not" else matches & ~missing)


def _between(column: pd.Series, name: str, values: tuple[Any, ...]) -> Array:
    data: Array = column.to_numpy()
    if data.dtype.kind == "M":
        ends: list[Any] = [np.datetime64(str(v).replace(" ", "T")) for v in values]
    else:
        data, ends = data.astype(float), [float(v) for v in values]
    low, high = (ends[0], ends[-1])
    above = data >= low if name != "to" else np.ones(len(data), bool)
    below = data <= high if name != "from" else np.ones(len(data), bool)
    return np.asarray(above & below)


def _among(column: pd.Series, values: tuple[Any, ...]) -> Array:
    data = column.to_numpy()
    if data.dtype.kind == "f":
        numbers = [BOOLEANS.get(str(v).strip().lower(), _number(v)) for v in values]
        return np.isin(data, [n for n in numbers if n is not None])
    return np.asarray(column.isin([str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values]))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


# the best decision stump ----------------------------------------------------------------------------------------------


MOST_ASKED = 20_000  # rows on which the condition is chosen; it is then evaluated for all rows


def best_question(
    frame: pd.DataFrame, y: Array, classes: int, weights: Array | None = None
) -> tuple[Filter, Array] | None:
    """The condition of the best decision stump, and where it holds.

    `y` are (n,) codes below `classes`, or values when `classes` is 0; `weights` (n,) are those of the rows, 1 if not
    given. The stump minimises the weighted Gini impurity or squared error. Numbers are split at up to 31 quantiles,
    categories one against the rest. None when nothing splits the rows.
    """
    step = max(1, -(-len(frame) // MOST_ASKED))
    sample, labels = (frame, y) if step == 1 else (frame.iloc[::step], y[::step])
    of_rows = np.ones(len(labels)) if weights is None else np.asarray(weights, float)[::step]
    targets = np.eye(classes)[labels.astype(int)] if classes else np.asarray(labels, float)[:, None]
    least = 1e-9 * float((targets**2 * of_rows[:, None]).sum())
    best: tuple[float, Filter] | None = None
    for name in sample.columns:
        for gain, condition in _best_of_column(str(name), sample[name], targets, of_rows):
            if gain > least and (best is None or gain > best[0] * (1 + 1e-12)):
                best = (gain, condition)
    return None if best is None else (best[1], holds(best[1], frame[best[1].column]))


def _best_of_column(name: str, column: pd.Series, targets: Array, of_rows: Array) -> Iterator[tuple[float, Filter]]:
    """The best conditions of a column with their gains: whether it is missing, and one on its values."""
    targets = targets * of_rows[:, None]
    missing = column.isna().to_numpy()
    if missing.all():
        return
    total, n = targets.sum(axis=0), float(of_rows.sum())
    if missing.any():
        gain = _gains(targets[missing].sum(axis=0)[None], np.array([of_rows[missing].sum()]), total, n)
        yield float(gain[0]), Filter(name, "missing")
    known, known_targets, known_weights = column[~missing], targets[~missing], of_rows[~missing]
    if known.dtype.kind in "fM":
        values = known.to_numpy().astype("int64" if known.dtype.kind == "M" else float)
        quantiles = np.linspace(0, 1, CUTS + 2)[1:-1]
        thresholds = np.unique(np.quantile(values, quantiles, method="inverted_cdf"))
        bins = np.searchsorted(thresholds, values)  # 0 … len(thresholds); a value at a threshold is below it
        sums = np.stack([np.bincount(bins, weights=t, minlength=len(thresholds) + 1) for t in known_targets.T], axis=1)
        counts = np.bincount(bins, weights=known_weights, minlength=len(thresholds) + 1)
        gains = _gains(sums.cumsum(axis=0)[:-1], counts.cumsum()[:-1], total, n)
        best = int(gains.argmax())
        yield float(gains[best]), Filter(name, "to", (_threshold_text(thresholds[best], known.dtype.kind),))
        return
    codes, categories = pd.factorize(known, sort=True)
    counts = np.bincount(codes, weights=known_weights)
    sums = np.stack([np.bincount(codes, weights=t) for t in known_targets.T], axis=1)
    gains = _gains(sums, counts, total, n)
    gains[np.argsort(-counts, kind="stable")[MOST_LEVELS:]] = 0.0  # rare categories are not tried
    best = int(gains.argmax())
    yield float(gains[best]), Filter(name, "is", (str(categories[best]),))


CUTS, MOST_LEVELS = 31, 30


def _threshold_text(threshold: Any, kind: str) -> str | float:
    """A threshold as a condition stores it; numbers are rounded up, so that the rows below stay below."""
    if kind == "M":
        return (EPOCH + dt.timedelta(microseconds=int(threshold))).isoformat(" ")
    short = float(f"{threshold:.6g}")
    return short if short >= threshold else float(threshold)


def _gains(sums: Array, counts: Array, total: Array, n: float) -> Array:
    """By how much splits reduce the sum of squares; one-hot columns give the Gini impurity.

    `sums` are (splits, columns) of the weighted targets where each condition holds, `counts` (splits,) the weights of
    these rows and `n` that of all.
    """
    rest = n - counts
    valid = (counts > 1e-12 * n) & (rest > 1e-12 * n)
    inside = (sums**2).sum(axis=1) / np.where(valid, counts, 1.0)
    outside = ((total - sums) ** 2).sum(axis=1) / np.where(valid, rest, 1.0)
    return np.asarray(np.where(valid, inside + outside - (total**2).sum() / n, 0.0))
