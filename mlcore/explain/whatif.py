"""What if: a row with other values, and the smallest changes that turn its prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.cast import as_numbers
from mlcore.explain.subject import Subject, output_words
from mlcore.result import Array, Help, Result
from mlcore.wording import number, percent, several

MOST_VALUES = 15  # of a column that are tried
MOST_CHANGES = 3
BEAM = 6  # sets of changes that are carried on
HALVINGS = 8
MOST_FOUND = 3


@dataclass(frozen=True, kw_only=True)
class Change:
    """One column of a row with another value, and a warning where training rows have nothing like it."""

    column: str
    before: str
    after: str
    warning: str = ""


@dataclass(frozen=True, kw_only=True)
class WhatIf(Result):
    """The prediction of a row as it is, and with some values changed."""

    title: str
    row: int
    target: str
    output: str
    label: str | None
    before: float
    after: float
    changes: tuple[Change, ...]

    help: ClassVar[Help] = Help(
        "The model's prediction for this row with other values in some columns; all others stay.",
        "Compare the two predictions. A warning marks a value that training rows do not have.",
        "It says what the model answers, not what would happen: columns that go together in the world are changed "
        "alone.",
        "Change one column at a time, within what training rows have.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per change."""
        return pd.DataFrame([vars(c) for c in self.changes], columns=["column", "before", "after", "warning"])

    def sentence(self) -> str:
        """Both predictions and the warnings."""
        before, after = (output_words(v, self.output, self.target, self.label) for v in (self.before, self.after))
        if not self.changes:
            return f"Row {self.row:,}: {before}."
        what = several([f"{c.column} {c.after} instead of {c.before}" for c in self.changes], 6)
        warnings = "".join(f" {c.warning}" for c in self.changes if c.warning)
        compared = f"{after}, as before" if after == before else f"{after} instead of {before}"
        return f"Row {self.row:,} with {what}: {compared}.{warnings}"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "before": self.before, "after": self.after, "label": self.label, "output": self.output,
            "changes": [vars(c) for c in self.changes],
        }  # fmt: skip


def what_if(subject: Subject, changes: Mapping[str, Any]) -> WhatIf:
    """The prediction of a row with some values changed. Raises NoSuchColumn, BadInput."""
    values = {name: subject.value(name, given) for name, given in changes.items()}
    before, after = subject.ask(subject.with_values([{}, values]))
    return WhatIf(
        title=subject.title, row=subject.row, target=subject.target, output=subject.answers.output,
        label=subject.label, before=float(before), after=float(after), changes=_changes(subject, values),
    )  # fmt: skip


def _changes(subject: Subject, values: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(
        Change(column=n, before=subject.words(n, subject.own(n)), after=subject.words(n, v),
               warning=_warning(subject, n, v))
        for n, v in values.items()
        if subject.text(n, v) != subject.text(n, subject.own(n))
    )  # fmt: skip


def _warning(subject: Subject, name: str, value: Any) -> str:
    known = subject.known(name)
    if value is None or pd.isna(value):
        return "" if len(known) < len(subject.training) else f"{name} is missing in no training row."
    if not subject.is_ordered(name):
        return "" if (known == value).any() else f"No training row has {name} {subject.words(name, value)}."
    if known.empty or known.min() <= value <= known.max():
        return ""
    ends = " to ".join(subject.words(name, v) for v in (known.min(), known.max()))
    return f"{name} {subject.words(name, value)} lies outside the training rows ({ends}), so the model extrapolates."


# counterfactuals ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Way:
    """A set of changes, the output after it, and the class that is predicted then."""

    changes: tuple[Change, ...]
    after: float
    predicted: str | None = None

    def words(self) -> str:
        """The changes."""
        return " and ".join(f"{c.column} {c.after} instead of {c.before}" for c in self.changes)


@dataclass(frozen=True, kw_only=True)
class Counterfactuals(Result):
    """Small changes that turn a prediction, the smallest first."""

    title: str
    row: int
    target: str
    output: str
    label: str | None
    before: float
    wanted: str
    ways: tuple[Way, ...]

    help: ClassVar[Help] = Help(
        "The fewest and smallest changes of this row's values after which the model answers otherwise. Only values "
        "within those of training rows are tried.",
        "Each line is one way. Fewer changes come first, then smaller ones.",
        "It turns the model, not the world: changing a value need not change the outcome, and some cannot be changed.",
        "Fix the columns that nobody can change, and ask again.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per set of changes."""
        rows = [{"changes": w.words(), "prediction": w.after, "predicted": w.predicted} for w in self.ways]
        columns = ["changes", "prediction"] if self.output == "value" else ["changes", "prediction", "predicted"]
        return pd.DataFrame(rows, columns=columns)

    def sentence(self) -> str:
        """The smallest change, or that there is none."""
        before = output_words(self.before, self.output, self.target, self.label)
        if not self.ways:
            return (
                f"Row {self.row:,}, {before}: no change of up to {MOST_CHANGES} columns within the training rows "
                f"{self.wanted}."
            )
        way = self.ways[0]
        then = output_words(way.after, self.output, self.target, self.label)
        turned = way.predicted if way.predicted is not None and way.predicted != self.label else None
        return (
            f"Row {self.row:,}, {before}: with {way.words()} it is {then}"
            + (f", and {turned} is predicted." if turned else ".")
        )  # fmt: skip

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data."""
        return [
            {"changes": [vars(c) for c in w.changes], "prediction": w.after, "predicted": w.predicted}
            for w in self.ways
        ]


@dataclass(frozen=True)
class _Goal:
    """What is to be reached: a score of (n, outputs) on the other side of 0 than the row's."""

    score: Callable[[Array], Array]
    words: Callable[[bool], str]  # of whether the score has to rise


def counterfactuals(subject: Subject, *, fixed: Sequence[str] = (), wanted: float | None = None) -> Counterfactuals:
    """The smallest changes after which another class is predicted, or a number lies beyond its average.

    `wanted` names another value that the output has to pass. Sets of up to three changes are searched for by a beam;
    numbers are then moved as close to the row as they can be.
    """
    search = _Search(subject, _goal(subject, wanted))
    ways = [search.nearest(s) for s in search.sets([n for n in subject.frame.columns if n not in fixed])]
    outputs = subject.answers.ask(subject.with_values(ways)) if ways else np.zeros((0, 1))
    classes = [subject.answers.label_of(i) for i in range(outputs.shape[1])]
    return Counterfactuals(
        title=subject.title, row=subject.row, target=subject.target, output=subject.answers.output,
        label=subject.label, before=float(subject.ask(subject.frame)[0]), wanted=search.goal.words(search.rising),
        ways=tuple(
            Way(changes=_changes(subject, values), after=float(o[subject.index]), predicted=classes[int(np.argmax(o))])
            for values, o in zip(ways, outputs, strict=True)
        ),
    )  # fmt: skip


def _goal(subject: Subject, wanted: float | None) -> _Goal:
    """The class against the best of the others, or the output against a value."""
    output, index = subject.answers.output, subject.index
    if wanted is None and output != "value":

        def margin(outputs: Array) -> Array:
            return np.asarray(outputs[:, index] - np.delete(outputs, index, axis=1).max(axis=1))

        return _Goal(margin, lambda rising: f"makes the model predict {subject.label if rising else 'another class'}")
    limit = wanted if wanted is not None else _average(subject)
    words = percent(limit) if output == "probability" else number(limit)
    return _Goal(
        lambda outputs: np.asarray(outputs[:, index] - limit),
        lambda rising: f"takes it {'to' if rising else 'below'} {words}",
    )


def _average(subject: Subject) -> float:
    sample = subject.training.sample(min(500, len(subject.training)), random_state=0)
    return float(subject.ask(sample).mean())


class _Search:
    """Sets of values of a row's columns that take it across a goal."""

    def __init__(self, subject: Subject, goal: _Goal) -> None:
        self.subject, self.goal = subject, goal
        self.rising = bool(goal.score(subject.answers.ask(subject.frame))[0] < 0)

    def scores(self, sets: Sequence[Mapping[str, Any]]) -> Array:
        """(n,) scores of the row with each set of values; 0 or more has turned, where the score is to rise."""
        scores = self.goal.score(self.subject.answers.ask(self.subject.with_values(sets)))
        return scores if self.rising else -scores

    def turned(self, scores: Array) -> Array:
        """Whether each score is on the other side."""
        return scores >= 0 if self.rising else scores > 0

    def sets(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The smallest sets of changes that turn the prediction, no two of the same columns."""
        tried = {n: _values(self.subject, n) for n in names}
        beam: list[dict[str, Any]] = [{}]
        for _ in range(MOST_CHANGES):
            offered = [{**s, n: v} for s in beam for n, values in tried.items() if n not in s for v in values]
            if not offered:
                break
            scores = self.scores(offered)
            if hits := [s for s, hit in zip(offered, self.turned(scores), strict=True) if hit]:
                nearest: dict[frozenset[str], dict[str, Any]] = {}
                for values in sorted(hits, key=lambda s: _distance(self.subject, s)):
                    nearest.setdefault(frozenset(values), values)
                return list(nearest.values())[:MOST_FOUND]
            beam = [offered[i] for i in np.argsort(-scores, kind="stable")[:BEAM]]
        return []

    def nearest(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same changes with numbers moved back towards the row, as far as the prediction stays turned."""
        moved = dict(values)
        for name, value in values.items():
            if self.subject.column(name).kind == "numeric" and not pd.isna(self.subject.own(name)):
                moved[name] = self._nearest(moved, name, float(value))
        return moved

    def _nearest(self, values: Mapping[str, Any], name: str, reached: float) -> float:
        """The value of one column by bisection, with as few digits as possible from there to `reached`."""
        known = self.subject.known(name)
        whole = bool((known == known.round()).all())
        near, far = float(self.subject.own(name)), reached
        for _ in range(HALVINGS):
            middle = float(round((near + far) / 2)) if whole else (near + far) / 2
            if middle in (near, far):
                break
            near, far = (near, middle) if self._turns(values, name, middle) else (middle, far)
        for short in (float(f"{far:.{digits}g}") for digits in range(1, 16)):
            if min(far, reached) <= short <= max(far, reached) and self._turns(values, name, short):
                return short
        return far

    def _turns(self, values: Mapping[str, Any], name: str, value: float) -> bool:
        return bool(self.turned(self.scores([{**values, name: value}]))[0])


def _values(subject: Subject, name: str) -> list[Any]:
    """Values of training rows that are tried, without the row's own."""
    known, own = subject.known(name), subject.own(name)
    if known.empty or subject.column(name).kind == "text":
        return []
    if subject.is_ordered(name) and known.nunique() > MOST_VALUES:
        values = list(known.quantile(np.linspace(0.02, 0.98, MOST_VALUES), interpolation="nearest").unique())
    else:
        values = list(known.value_counts().index[:MOST_VALUES])
    return [v for v in values if pd.isna(own) or v != own]


def _distance(subject: Subject, values: Mapping[str, Any]) -> float:
    """The number of changes, and how far numbers and dates move in interquartile ranges."""
    far = 0.0
    for name, value in values.items():
        if subject.is_ordered(name) and not pd.isna(subject.own(name)):
            known = as_numbers(subject.known(name))
            before, after = as_numbers(subject.series(name, [subject.own(name), value]))
            spread = float(known.quantile(0.75) - known.quantile(0.25)) or float(known.std()) or 1.0
            far += min(abs(after - before) / spread, 5.0)
        else:
            far += 1.0
    return 10.0 * len(values) + far
