"""A rule that a person writes: if conditions hold then an answer, else another; each side may be a rule again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlcore.casts import TRUTHS
from mlcore.dataset import Schema
from mlcore.errors import BadInput
from mlcore.filters import Filter
from mlcore.result import Array, number, several, shortened

DEEPEST = 8
Answer = str | float


@dataclass(frozen=True)
class Rule:
    """If all (or any) of the conditions hold, `then`; if not, `otherwise`. Classes are answered by their text."""

    when: tuple[Filter, ...]
    then: Rule | Answer
    otherwise: Rule | Answer
    any: bool = False

    def words(self) -> str:
        """Say it in one line."""
        joined = (" or " if self.any else " and ").join(f.words() for f in self.when)
        return f"if {joined} then {_said(self.then)}, else {_said(self.otherwise)}"

    def answers(self) -> Iterator[Answer]:
        """All answers that it can give."""
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

        `classes` are the texts of the target's classes, None for a quantity.
        """
        for condition in self.conditions():
            if schema[condition.column].name not in schema.features():
                raise BadInput(f"The rule asks for {condition.column!r}, which is no feature here. Give it that role.")
        for answer in self.answers():
            if classes is None and not isinstance(answer, int | float):
                raise BadInput(f"The rule answers {answer!r}; this target is a quantity, so answers are numbers.")
            if classes is not None and str(answer) not in classes:
                raise BadInput(f"The rule answers {str(answer)!r}; the target's classes are {several(classes, 12)}.")
        return self._typed(schema)

    def _typed(self, schema: Schema) -> Rule:
        sides = [s._typed(schema) if isinstance(s, Rule) else s for s in (self.then, self.otherwise)]
        return Rule(tuple(f.checked(schema) for f in self.when), sides[0], sides[1], self.any)

    def coded(self, labels: tuple[str, ...]) -> Rule:
        """The rule answering with places in `labels` instead."""
        sides = [s.coded(labels) if isinstance(s, Rule) else str(labels.index(str(s)))
                 for s in (self.then, self.otherwise)]  # fmt: skip
        return Rule(self.when, sides[0], sides[1], self.any)

    def answer(self, frame: pd.DataFrame) -> Array:
        """Return (n,) answers for rows whose columns are cast to their kinds."""
        found = np.empty(len(frame), dtype=object)
        holding = [holds(f, frame[f.column]) for f in self.when]
        true = np.any(holding, axis=0) if self.any else np.all(holding, axis=0)
        for side, rows in ((self.then, true), (self.otherwise, ~true)):
            if rows.any():
                found[rows] = side.answer(frame[rows]) if isinstance(side, Rule) else side
        return found

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
            raise BadInput(f"A rule may be nested {DEEPEST} deep; this one goes deeper.")
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
    """Values, those of lists one by one."""
    for value in values:
        yield from _flat(value) if isinstance(value, list) else (value,)


def _said(side: Rule | Answer) -> str:
    if isinstance(side, Rule):
        return f"({side.words()})"
    return number(side) if isinstance(side, int | float) and not isinstance(side, bool) else shortened(side, 30)


def holds(condition: Filter, column: pd.Series) -> Array:
    """Whether a condition holds for each cell of a column that is cast to its kind; for missing cells it does not."""
    missing = column.isna().to_numpy()
    name, values = condition.operator, condition.values
    if name in ("missing", "known"):
        return np.asarray(missing if name == "missing" else ~missing)
    if name in ("from", "to", "between"):
        return np.asarray(_between(column, name, values) & ~missing)
    if name in ("contains", "starts"):
        text = column.where(~missing, "").astype(str).str.lower()
        found = getattr(text.str, {"contains": "contains", "starts": "startswith"}[name])
        wanted = str(values[0]).lower()
        return np.asarray(found(wanted, regex=False) if name == "contains" else found(wanted)) & ~missing
    same = _among(column, values)
    return np.asarray(~same if name == "is_not" else same & ~missing)


def _between(column: pd.Series, name: str, values: tuple[Any, ...]) -> Array:
    cells: Array = column.to_numpy()
    if cells.dtype.kind == "M":
        ends: list[Any] = [np.datetime64(str(v).replace(" ", "T")) for v in values]
    else:
        cells, ends = cells.astype(float), [float(v) for v in values]
    low, high = (ends[0], ends[-1])
    above = cells >= low if name != "to" else np.ones(len(cells), bool)
    below = cells <= high if name != "from" else np.ones(len(cells), bool)
    return np.asarray(above & below)


def _among(column: pd.Series, values: tuple[Any, ...]) -> Array:
    cells = column.to_numpy()
    if cells.dtype.kind == "f":
        numbers = [TRUTHS.get(str(v).strip().lower(), _number(v)) for v in values]
        return np.isin(cells, [n for n in numbers if n is not None])
    return np.asarray(column.isin([str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values]))


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


# the single question that divides best --------------------------------------------------------------------------------


MOST_ASKED = 20_000  # rows on which the question is chosen; where it holds is then looked up for all


def best_question(frame: pd.DataFrame, y: Array, classes: int) -> tuple[Filter, Array] | None:
    """The condition that leaves the least spread of the target on its two sides, and where it holds.

    `y` are (n,) codes below `classes`, or values when `classes` is 0. Spread is the Gini impurity or the squared
    error. Numbers are cut at up to 31 quantiles, levels are asked for one at a time. None when nothing divides.
    """
    step = max(1, -(-len(frame) // MOST_ASKED))
    some, told = (frame, y) if step == 1 else (frame.iloc[::step], y[::step])
    targets = np.eye(classes)[told.astype(int)] if classes else np.asarray(told, float)[:, None]
    least = 1e-9 * float((targets**2).sum())
    best: tuple[float, Filter] | None = None
    for name in some.columns:
        for gain, question in _best_of_column(str(name), some[name], targets):
            if gain > least and (best is None or gain > best[0] * (1 + 1e-12)):
                best = (gain, question)
    return None if best is None else (best[1], holds(best[1], frame[best[1].column]))


def _best_of_column(name: str, column: pd.Series, targets: Array) -> Iterator[tuple[float, Filter]]:
    """The best questions of a column with their gains: whether it is missing, and one about its values."""
    missing = column.isna().to_numpy()
    if missing.all():
        return
    total, n = targets.sum(axis=0), len(targets)
    if missing.any():
        yield float(_gains(targets[missing].sum(axis=0)[None], np.array([missing.sum()]), total, n)[0]), Filter(
            name, "missing")  # fmt: skip
    known, seen = column[~missing], targets[~missing]
    if known.dtype.kind in "fM":
        values = known.to_numpy().astype("int64" if known.dtype.kind == "M" else float)
        shares = np.linspace(0, 1, CUTS + 2)[1:-1]
        cuts = np.unique(np.quantile(values, shares, method="inverted_cdf"))
        below = np.searchsorted(cuts, values)  # 0 … cuts; a value at a cut counts as below it
        sums = np.stack([np.bincount(below, weights=t, minlength=len(cuts) + 1) for t in seen.T], axis=1)
        counts = np.bincount(below, minlength=len(cuts) + 1)
        gains = _gains(sums.cumsum(axis=0)[:-1], counts.cumsum()[:-1], total, n)
        place = int(gains.argmax())
        yield float(gains[place]), Filter(name, "to", (_cut_text(cuts[place], known.dtype.kind),))
        return
    codes, levels = pd.factorize(known, sort=True)
    counts = np.bincount(codes)
    sums = np.stack([np.bincount(codes, weights=t) for t in seen.T], axis=1)
    gains = _gains(sums, counts, total, n)
    gains[np.argsort(-counts, kind="stable")[MOST_LEVELS:]] = 0.0  # rare levels are not asked for
    place = int(gains.argmax())
    yield float(gains[place]), Filter(name, "is", (str(levels[place]),))


CUTS, MOST_LEVELS = 31, 30


def _cut_text(cut: Any, kind: str) -> str | float:
    """A cut as a condition holds it; numbers are rounded up, so that the rows below stay below."""
    if kind == "M":
        return pd.Timestamp(np.datetime64(int(cut), "us")).isoformat(" ")
    short = float(f"{cut:.6g}")
    return short if short >= cut else float(cut)


def _gains(sums: Array, counts: Array, total: Array, n: int) -> Array:
    """How much squared spread divisions take away; one-hot columns give the Gini impurity.

    `sums` are (divisions, columns) of the targets where each holds, `counts` (divisions,) rows.
    """
    rest = n - counts
    whole = (counts > 0) & (rest > 0)
    inside = (sums**2).sum(axis=1) / np.maximum(counts, 1)
    outside = ((total - sums) ** 2).sum(axis=1) / np.maximum(rest, 1)
    return np.asarray(np.where(whole, inside + outside - (total**2).sum() / n, 0.0))
