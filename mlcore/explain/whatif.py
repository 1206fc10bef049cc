"""What if: a row with other values, the smallest changes that turn its prediction, and the rows most like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.cast import CASTS
from mlcore.data.dataset import Column
from mlcore.errors import BadInput, NotApplicable
from mlcore.explain.answers import Answers, training_rows
from mlcore.result import Array, Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.wording import number, percent, several

MOST_VALUES = 15  # of a column that are tried
MOST_CHANGES = 3
BEAM = 6  # sets of changes that are carried on
HALVINGS = 8
MOST_FOUND = 3


def value_words(value: float, output: str, target: str, label: str | None) -> str:
    """An output in words: `63 % for Survived = 1`, or `price 12.5`."""
    if output == "probability":
        return f"{percent(value)} for {target} = {label}"
    return f"{target if output == 'value' else 'decision score'} {number(value)}"


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
        before, after = (value_words(v, self.output, self.target, self.label) for v in (self.before, self.after))
        if not self.changes:
            return f"Row {self.row:,}: {before}."
        what = several([f"{c.column} {c.after} instead of {c.before}" for c in self.changes], 6)
        warnings = "".join(f" {c.warning}" for c in self.changes if c.warning)
        return f"Row {self.row:,} with {what}: {after} instead of {before}.{warnings}"

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "before": self.before, "after": self.after, "label": self.label, "output": self.output,
            "changes": [vars(c) for c in self.changes],
        }  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A model of a run, a row, and the training rows around it, in the columns that the model takes."""

    run: RunFolder
    model: str
    row: int
    frame: pd.DataFrame  # (1, p), as in the file
    training: pd.DataFrame  # (n, p)
    rows: Array  # (n,) positions of the training rows in the file
    answers: Answers
    index: int  # of the output that is explained

    @classmethod
    def of(cls, run: RunFolder, model: str, row: int, label: str | None = None) -> Subject:
        """Read the rows and the model. Raises BadInput for a row that does not exist, BadChoice."""
        dataset = run.dataset
        if not 0 <= row < dataset.rows:
            raise BadInput(f"Row {row} does not exist: the file has rows 0 to {dataset.rows - 1}.")
        frame, rows = dataset.frame(run.experiment.schema.features().names), training_rows(run, model)
        answers = Answers(run.model(model))
        one = frame.iloc[[row]].reset_index(drop=True)
        index = answers.index_of(answers.ask(one)[0], label or run.experiment.recipe.positive)
        return cls(run, model, row, one, frame.iloc[rows].reset_index(drop=True), rows, answers, index)

    @property
    def title(self) -> str:
        """The model's title."""
        return self.run.experiment.candidate(self.model).label

    @property
    def target(self) -> str:
        """The target's name."""
        return self.run.experiment.recipe.target

    def column(self, name: str) -> Column:
        """A feature by its name. Raises NoSuchColumn."""
        return self.run.experiment.schema.features()[name]

    def ask(self, frame: pd.DataFrame) -> Array:
        """(n,) of the output that is explained."""
        return np.asarray(self.answers.ask(frame)[:, self.index])

    def typed(self, name: str, text: Any) -> Any:
        """A value of a column from a text, as the file stores it; empty is missing. Raises BadInput."""
        column = self.column(name)
        if text is None or str(text).strip() == "":
            return None
        cast = CASTS[column.kind](pd.Series([str(text)], dtype=object), column.parse).iloc[0]
        if pd.isna(cast):
            kinds = {"numeric": "a number", "boolean": "yes or no", "datetime": "a date"}
            raise BadInput(f"{text!r} cannot be a value of {name!r}; give {kinds.get(column.kind, 'a text')}.")
        own = self.training[name]
        if column.kind == "datetime" and own.dtype.kind == "M":
            return pd.Timestamp(cast)
        if own.dtype.kind in "iuf":
            return float(cast)
        return bool(cast) if own.dtype.kind == "b" else str(text)

    def with_values(self, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """The row once for each set of values, with these values."""
        out = pd.concat([self.frame] * len(rows), ignore_index=True)
        for name in {n for values in rows for n in values}:
            own = self.frame[name].iloc[0]
            made = [values.get(name, own) for values in rows]
            kind = self.training[name].dtype
            numeric = kind.kind in "iufb"
            out[name] = pd.Series(made, dtype=float if numeric else object)
            if kind.kind == "M":
                out[name] = pd.to_datetime(out[name])
        return out


def what_if(subject: Subject, changes: Mapping[str, Any]) -> WhatIf:
    """The prediction of a row with some values changed. Raises NoSuchColumn, BadInput."""
    values = {name: subject.typed(name, text) for name, text in changes.items()}
    before, after = subject.ask(subject.with_values([{}, values]))
    changed = tuple(
        Change(column=n, before=_shown(subject.frame[n].iloc[0]), after=_shown(v), warning=_warning(subject, n, v))
        for n, v in values.items()
    )
    return WhatIf(
        title=subject.title, row=subject.row, target=subject.target, output=subject.answers.output,
        label=subject.answers.label_of(subject.index), before=float(before), after=float(after), changes=changed,
    )  # fmt: skip


def _shown(value: Any) -> str:
    if value is None or pd.isna(value):
        return "missing"
    if isinstance(value, float | np.floating):
        return number(float(value), 6)
    return str(value.date()) if isinstance(value, pd.Timestamp) and value == value.normalize() else str(value)


def _warning(subject: Subject, name: str, value: Any) -> str:
    known = subject.training[name].dropna()
    if value is None or pd.isna(value):
        return "" if subject.training[name].isna().any() else f"{name} is missing in no training row."
    if known.dtype.kind in "iufM" and len(known):
        if not known.min() <= value <= known.max():
            ends = f"{_shown(known.min())} to {_shown(known.max())}"
            return f"{name} {_shown(value)} lies outside the training rows ({ends}), so the model extrapolates."
        return ""
    return "" if str(value) in set(known.astype(str)) else f"No training row has {name} {value}."


# counterfactuals ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Counterfactuals(Result):
    """Small changes that turn a prediction: each a set of changes and the prediction after it, the smallest first."""

    title: str
    row: int
    target: str
    output: str
    label: str | None
    before: float
    wanted: str
    ways: tuple[tuple[tuple[Change, ...], float], ...]

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
        rows = [{"changes": _listed(c), "prediction": p} for c, p in self.ways]
        return pd.DataFrame(rows, columns=["changes", "prediction"])

    def sentence(self) -> str:
        """The smallest change, or that there is none."""
        before = value_words(self.before, self.output, self.target, self.label)
        if not self.ways:
            return (
                f"Row {self.row:,}, {before}: no change of up to {MOST_CHANGES} columns within the training rows "
                f"{self.wanted}."
            )
        changes, after = self.ways[0]
        then = value_words(after, self.output, self.target, self.label)
        return f"Row {self.row:,}, {before}: with {_listed(changes)} it is {then}."

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data."""
        return [{"changes": [vars(c) for c in changes], "prediction": after} for changes, after in self.ways]


def _listed(changes: Sequence[Change]) -> str:
    return " and ".join(f"{c.column} {c.after} instead of {c.before}" for c in changes)


def counterfactuals(subject: Subject, *, fixed: Sequence[str] = (), wanted: float | None = None) -> Counterfactuals:
    """The smallest changes that flip a class, or take a number beyond a wanted value (its average by default).

    Sets of up to three changes are searched for by a beam; numbers are then moved as close to the row as they can be.
    """
    before = float(subject.ask(subject.frame)[0])
    limit = wanted if wanted is not None else _limit(subject)
    upwards = before < limit
    tried = {n: _values(subject, n) for n in subject.frame.columns if n not in fixed}

    def turns(outputs: Array) -> Array:
        return outputs >= limit if upwards else outputs < limit

    beam: list[dict[str, Any]] = [{}]
    hits: list[tuple[dict[str, Any], float]] = []
    for _ in range(MOST_CHANGES):
        offered = [{**s, n: v} for s in beam for n, values in tried.items() if n not in s for v in values]
        if not offered:
            break
        outputs = subject.ask(subject.with_values(offered))
        hits = [(s, _distance(subject, s)) for s, hit in zip(offered, turns(outputs), strict=True) if hit]
        if hits:
            break
        order = np.argsort(-outputs if upwards else outputs, kind="stable")
        beam = [offered[i] for i in order[:BEAM]]
    sets: list[dict[str, Any]] = []
    for values, _ in sorted(hits, key=lambda h: h[1]):
        if all(set(values) != set(other) for other in sets):
            sets.append(values)
        if len(sets) == MOST_FOUND:
            break
    nearer = [_nearer(subject, s, turns) for s in sets]
    after = subject.ask(subject.with_values(nearer)) if nearer else np.array([])
    ways = [
        tuple(Change(column=n, before=_shown(subject.frame[n].iloc[0]), after=_shown(v)) for n, v in s.items())
        for s in nearer
    ]
    return Counterfactuals(
        title=subject.title, row=subject.row, target=subject.target, output=subject.answers.output,
        label=subject.answers.label_of(subject.index), before=before,
        wanted=f"takes it {'to' if upwards else 'below'} "
        f"{percent(limit) if subject.answers.output == 'probability' else number(limit)}",
        ways=tuple(zip(ways, map(float, after), strict=True)),
    )  # fmt: skip


def _limit(subject: Subject) -> float:
    """Where a prediction turns: half of the probability, a decision score of 0, the average of a number."""
    if subject.answers.output == "probability":
        return 0.5
    if subject.answers.output == "decision score":
        return 0.0
    sample = subject.training.sample(min(500, len(subject.training)), random_state=0)
    return float(subject.ask(sample).mean())


def _values(subject: Subject, name: str) -> list[Any]:
    """Values of training rows that are tried, without the row's own."""
    known, own = subject.training[name].dropna(), subject.frame[name].iloc[0]
    kind = subject.column(name).kind
    if known.empty or kind == "text":
        return []
    if kind in ("numeric", "datetime") and known.nunique() > MOST_VALUES:
        values = list(known.quantile(np.linspace(0.02, 0.98, MOST_VALUES), interpolation="nearest").unique())
    else:
        values = list(known.value_counts().index[:MOST_VALUES])
    return [v for v in values if pd.isna(own) or v != own]


def _distance(subject: Subject, values: Mapping[str, Any]) -> float:
    """The number of changes, and how far numbers move in interquartile ranges."""
    far = 0.0
    for name, value in values.items():
        known, own = subject.training[name].dropna(), subject.frame[name].iloc[0]
        if known.dtype.kind in "iuf" and not pd.isna(own):
            spread = float(known.quantile(0.75) - known.quantile(0.25)) or float(known.std()) or 1.0
            far += min(abs(float(value) - float(own)) / spread, 5.0)
        else:
            far += 1.0
    return 10.0 * len(values) + far


def _nearer(subject: Subject, values: dict[str, Any], turns: Any) -> dict[str, Any]:
    """The same changes with numbers moved back towards the row, as far as the prediction stays turned."""
    for name in list(values):
        known, own = subject.training[name].dropna(), subject.frame[name].iloc[0]
        if known.dtype.kind not in "iuf" or pd.isna(own) or subject.column(name).kind != "numeric":
            continue
        whole = bool((known == known.round()).all())
        near, far = float(own), float(values[name])
        for _ in range(HALVINGS):
            middle = (near + far) / 2
            middle = round(middle) if whole else middle
            if middle in (near, far):
                break
            if turns(subject.ask(subject.with_values([{**values, name: middle}])))[0]:
                far = middle
            else:
                near = middle
        values = {**values, name: _short(subject, {**values, name: far}, name, turns)}
    return values


def _short(subject: Subject, values: dict[str, Any], name: str, turns: Any) -> float:
    """The number with as few digits as still turn the prediction."""
    for digits in (1, 2, 3, 4):
        short = float(f"{values[name]:.{digits}g}")
        if turns(subject.ask(subject.with_values([{**values, name: short}])))[0]:
            return short
    return float(values[name])


# neighbours -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Neighbours(Result):
    """The training rows most like a row, by Gower's distance, with their outcomes and out-of-fold predictions."""

    row: int
    target: str
    rows: pd.DataFrame

    help: ClassVar[Help] = Help(
        "Training rows with the most similar values: numbers count by how far they are apart within their range, "
        "categories by whether they are equal (Gower, 1971).",
        "Look at their outcomes: a prediction that no similar row supports deserves doubt.",
        "All columns count alike, whether the model uses them or not.",
        "If the nearest rows are far away, the model extrapolates.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per neighbour, the nearest first."""
        return self.rows

    def sentence(self) -> str:
        """Their outcomes."""
        truth = self.rows["truth"]
        if truth.dtype.kind == "f" and truth.nunique() > 2:
            return (
                f"The {len(self.rows)} training rows most like row {self.row:,} have a {self.target} of "
                f"{number(float(truth.mean()))} on average, from {number(float(truth.min()))} to "
                f"{number(float(truth.max()))}."
            )
        most, count = truth.astype(str).value_counts().index[0], int(truth.astype(str).value_counts().iloc[0])
        return f"Of the {len(self.rows)} training rows most like row {self.row:,}, {count} have {self.target} = {most}."

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data: row, distance, truth, prediction."""
        names = ["row", "distance", "truth", "prediction"]
        return [{n: r[n] if isinstance(r[n], str) else float(r[n]) if n != "row" else int(r[n]) for n in names}
                for r in self.rows[names].to_dict("records")]  # fmt: skip


def neighbours(subject: Subject, count: int = 5) -> Neighbours:
    """The rows most like a row. Raises BadInput for a count below 1, NotApplicable without predictions."""
    if count < 1:
        raise BadInput(f"{count} neighbours cannot be; give 1 or more.")
    if subject.model not in subject.run.predicted():
        raise NotApplicable(f"{subject.title} has no out-of-fold predictions, so its neighbours have none to show.")
    distance = np.zeros(len(subject.rows))
    for name in subject.frame.columns:
        column, own = subject.training[name], subject.frame[name].iloc[0]
        if column.dtype.kind in "iufM" and not pd.isna(own):
            dates = column.dtype.kind == "M"
            values = (column - own) / pd.Timedelta(days=1) if dates else column.astype(float) - float(own)
            reach = float(values.max() - values.min()) or 1.0
            distance += (values.abs() / reach).fillna(1.0).to_numpy(float)
        else:
            same = column.isna() if pd.isna(own) else column.astype(object) == own
            distance += 1.0 - same.fillna(False).to_numpy(float)
    distance[subject.rows == subject.row] = np.inf
    order = np.argsort(distance, kind="stable")[:count]
    order = order[np.isfinite(distance[order])]
    predictions = subject.run.predictions(subject.model)
    first = predictions[predictions["repeat"] == 0].set_index("row").loc[subject.rows[order]]
    table = pd.DataFrame(
        {"row": subject.rows[order], "distance": distance[order] / subject.frame.shape[1],
         "truth": first["truth"].to_numpy(), "prediction": first["prediction"].to_numpy()}
    )  # fmt: skip
    values = subject.training.iloc[order].reset_index(drop=True)
    clear = values.loc[:, [c for c in values if c not in table.columns]]
    return Neighbours(row=subject.row, target=subject.target, rows=pd.concat([table, clear], axis=1))
