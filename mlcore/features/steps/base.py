"""The base of all steps: a frozen dataclass of options that learns from training rows and makes columns.

A step is one class in one file. Its fields are its options; `option` gives each a label and what is allowed, from which
the screen draws a form and `Recipe.from_json` checks a value. `learn` sees training rows only and returns plain data
and fitted scikit-learn estimators; `make` turns the chosen columns of any rows into new ones with what was learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from mlcore.data.cast import as_categories
from mlcore.data.dataset import Column, Kind, Schema
from mlcore.errors import BadChoice, BadInput
from mlcore.result import Array, Help
from mlcore.validation.metrics import Task
from mlcore.wording import several

Works = Literal["row by row", "fitted in the fold", "uses the target, inside the fold", "changes training rows only"]
Columns = tuple[str, ...] | Literal["auto"]
Learned = dict[str, Any]
Made = dict[str, Any]  # (n,) values by the name of a new column
SHARED = ("columns", "off")  # what every step has beside its options
READY = "ready"  # the dtype of a number that a step has already scaled: the encoder leaves its scale alone
NUMBERS: tuple[Kind, ...] = ("numeric", "boolean")
CATEGORIES: tuple[Kind, ...] = ("categorical", "identifier", "constant")


@dataclass(frozen=True, kw_only=True)
class Option:
    """How an option of a step is shown, and which values it takes.

    `choices` maps each allowed value to its words; `several` of them may be chosen together. Without choices the option
    is a number from `low` to `high`, a yes or no, or a text, as its default is.
    """

    label: str
    choices: Mapping[str, str] | None = None
    several: bool = False
    low: float = 0
    high: float = 0

    def checked(self, value: Any, default: Any) -> Any:
        """Return the value in its type. Raises BadChoice or BadInput."""
        if self.choices is not None:
            values = value if self.several and isinstance(value, list | tuple) else [value]
            for one in values:
                if one not in self.choices:
                    raise BadChoice.of(f"value of {self.label!r}", one, self.choices)
            return tuple(c for c in self.choices if c in values) if self.several else value
        if isinstance(default, bool):
            if not isinstance(value, bool):
                raise BadChoice(f"{value!r} is not a value of {self.label!r}. Allowed are true and false.")
            return value
        if isinstance(default, tuple):
            return self._list(value)
        if isinstance(default, str):
            if not isinstance(value, str):
                raise BadInput(f"{self.label}: {value!r} was given; a text is needed.")
            return value
        return self._number(value, whole=isinstance(default, int))

    def _list(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(v, str | int | float) for v in value):
            raise BadInput(f"{self.label}: {value!r} was given; a list of numbers or texts is needed.")
        return tuple(value)

    def _number(self, value: Any, whole: bool) -> Any:
        kind = "whole numbers" if whole else "numbers"
        wrong = isinstance(value, bool) or not isinstance(value, int if whole else int | float)
        if wrong or not self.low <= value <= self.high:
            raise BadInput(
                f"{self.label}: {value!r} was given; allowed are {kind} from {self.low:g} to {self.high:,g}."
            )
        return value


def option(default: Any, label: str, **shown: Any) -> Any:
    """A field of a step, with its label and what `Option` says of it."""
    return field(default=default, metadata={"option": Option(label=label, **shown)})


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a step may learn from: training rows of a fold."""

    frame: pd.DataFrame  # (n, chosen columns)
    schema: Schema  # of all columns at this place of the recipe
    y: Array  # (n,) codes or values
    task: Task
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """The base of all steps."""

    step: ClassVar[str]
    title: ClassVar[str]
    works: ClassVar[Works] = "fitted in the fold"
    kinds: ClassVar[tuple[Kind, ...]] = NUMBERS  # the columns that `auto` stands for, and that may be named
    fewest: ClassVar[int] = 1  # columns that it needs
    has_auto: ClassVar[bool] = True  # whether it has columns by default; otherwise a person names them
    help: ClassVar[Help]

    columns: Columns = "auto"
    off: bool = False  # kept in the recipe, and not carried out

    # options ------------------------------------------------------------------------------------------------------

    @classmethod
    def options(cls) -> dict[str, Option]:
        """The options of the step by name, in the order of the form; the columns are not among them."""
        return {f.name: f.metadata["option"] for f in fields(cls) if "option" in f.metadata}

    def change(self, **values: Any) -> Any:
        """The step with some options changed. Raises BadInput for an unknown option or a value that is not allowed."""
        options = self.options()
        for name in values:
            if name not in options and name not in SHARED:
                raise BadChoice.of(f"option of {self.step!r}", name, [*SHARED, *options])
        checked = {n: options[n].checked(v, _default(type(self), n)) for n, v in values.items() if n not in SHARED}
        if "columns" in values:
            checked["columns"] = _columns(self.step, values["columns"])
        if "off" in values:
            checked["off"] = Option(label="off").checked(values["off"], False)
        return replace(self, **checked)

    def to_json(self) -> dict[str, Any]:
        """Plain data: the name, the columns, the options that are not the defaults, and whether it is switched off."""
        options = {n: getattr(self, n) for n in self.options()}
        changed = {n: v for n, v in options.items() if v != _default(type(self), n)}
        plain = {n: list(v) if isinstance(v, tuple) else v for n, v in changed.items()}
        columns: Any = self.columns if isinstance(self.columns, str) else list(self.columns)
        return {"step": self.step, "columns": columns, **plain, **({"off": True} if self.off else {})}

    # columns ------------------------------------------------------------------------------------------------------

    def takes(self, column: Column) -> bool:
        """Whether the step is for a column; `auto` stands for all of these."""
        return column.kind in self.kinds

    def nameable(self, schema: Schema) -> list[str]:
        """The columns that a person may name; `auto` can stand for fewer of them."""
        named = replace(self, columns=tuple(schema.names))
        return [c.name for c in schema if named.takes(c)]

    def refused(self, schema: Schema) -> str:
        """Which columns of a schema it is not for, and why, in words; empty where it is for all."""
        able = set(self.nameable(schema))
        kinds: dict[str, list[str]] = {}
        for column in schema:
            if column.name not in able:
                kinds.setdefault(column.kind, []).append(column.name)
        listed = "; ".join(f"{several(names, 3)} ({kind})" for kind, names in kinds.items())
        return f"It takes columns that are {several(list(self.kinds), 9)}. Not for: {listed}." if listed else ""

    def chosen(self, schema: Schema) -> list[str]:
        """The columns it works on. Raises NoSuchColumn, and BadInput for columns that it is not for."""
        if isinstance(self.columns, str):
            if not self.has_auto:
                raise BadInput(f"{self.title} needs its columns by name, at least {self.fewest} of them.")
            return [c.name for c in schema if self.takes(c)]
        for name in self.columns:
            if not self.takes(schema[name]):
                raise BadInput(
                    f"{self.title}: {name!r} is {schema[name].kind}; the step takes columns that are "
                    f"{several(list(self.kinds), 9)}."
                )
        if len(self.columns) < self.fewest:
            raise BadInput(f"{self.title} needs at least {self.fewest} columns; {len(self.columns)} were named.")
        return list(self.columns)

    # the work -----------------------------------------------------------------------------------------------------

    @property
    def replaces(self) -> bool:
        """Whether the chosen columns are replaced by what it makes; otherwise they stay."""
        return True

    def learn(self, training: Training) -> Learned:
        """What it learns from training rows: plain data, arrays and scikit-learn estimators."""
        return {}

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The new columns of any rows: floats are numbers, booleans indicators, objects categories."""
        return {}

    def make_training(self, training: Training, learned: Learned) -> Made:
        """The new columns of the training rows; they differ where a step is cross-fitted."""
        return self.make(training.frame, learned)

    def kept_rows(self, training: Training) -> Array | None:
        """Positions of the training rows that models are trained on, with repeats; None for all."""
        return None

    @property
    def is_ready(self) -> bool:
        """Whether its numbers have the scale that they are meant to have."""
        return False

    def words(self, columns: list[str]) -> str:
        """What the step does to these columns, in one sentence."""
        raise NotImplementedError


def _default(kind: type[Step], name: str) -> Any:
    return next(f.default for f in fields(kind) if f.name == name)


def _columns(step: str, value: Any) -> Columns:
    if value == "auto":
        return "auto"
    if not isinstance(value, list | tuple) or not value or not all(isinstance(v, str) for v in value):
        raise BadInput(f"The columns of step {step!r} are 'auto' or a list of names; {value!r} was given.")
    if len(set(value)) < len(value):
        raise BadInput(f"A column of step {step!r} is named twice: {several(list(value))}.")
    return tuple(value)


def numbers(frame: pd.DataFrame) -> Array:
    """(n, p) floats of numeric columns."""
    return frame.to_numpy(dtype=float, na_value=np.nan)


def texts(column: pd.Series) -> pd.Series:
    """A column as text, with None where it is missing; whole numbers have no point, so 3.0 is the category 3."""
    return as_categories(column).where(column.notna(), None)
