"""The errors of this package, as one tree.

    HoldoutError
    ├── BadInput            input that cannot be used (the command line exits with 2)
    │   ├── CannotRead      a file
    │   │   └── Ambiguous   a file that holds several tables
    │   ├── NoSuchColumn    a column name
    │   ├── BadTarget       a target that cannot be predicted
    │   ├── BadChoice       an option's value
    │   └── NotFound        a dataset, a run, a model of a run
    ├── NotApplicable       a result that is not defined for this data; the message offers an alternative
    └── RunFailed           a run that ended without a leaderboard (the command line exits with 1)

A message says what was wrong, what was given, what is allowed and what to do; it is shown unchanged.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class HoldoutError(Exception):
    """The root: catching it catches every error that this package raises on purpose.

    >>> try:
    ...     data.frame(["aeg"])
    ... except mlcore.HoldoutError as error:
    ...     print(error)
    There is no column 'aeg'. Did you mean 'age'?
    """


class BadInput(HoldoutError):
    """Input that cannot be used."""


class CannotRead(BadInput):
    """A file that is not in the format it claims, or that cannot be read safely."""


class Ambiguous(CannotRead):
    """A file that holds several tables; `choices` names them, and the message asks for one."""

    def __init__(self, message: str, choices: Sequence[str]) -> None:
        super().__init__(message)
        self.choices = tuple(choices)


class NoSuchColumn(BadInput):
    """A column that the data does not have."""

    @classmethod
    def named(cls, name: str, available: Iterable[str]) -> NoSuchColumn:
        """The error for an unknown name, with similar names or those that exist."""
        return cls(f"There is no column {name!r}. {_suggestion(name, list(available), 'The columns are')}")


class BadTarget(BadInput):
    """A target that cannot be predicted, and why."""


class BadChoice(BadInput):
    """An option whose value is not allowed."""

    @classmethod
    def of(cls, what: str, given: object, allowed: Iterable[object]) -> BadChoice:
        """The error for a value, with similar values or those that are allowed."""
        article = "an" if what[0].lower() in "aeiou" else "a"
        return cls(
            f"{given!r} is not {article} {what}. {_suggestion(str(given), [str(a) for a in allowed], 'Allowed are')}"
        )


class NotFound(BadInput):
    """A dataset, a run or a model that does not exist."""


class NotApplicable(HoldoutError):
    """A result that is not defined for this data."""


class RunFailed(HoldoutError):
    """A run that ended without a leaderboard."""


def _suggestion(value: str, available: list[str], lead: str) -> str:
    matches = difflib.get_close_matches(value, available, n=3, cutoff=0.5)
    if matches:
        return f"Did you mean {' or '.join(repr(n) for n in matches)}?"
    shown = ", ".join(repr(a) for a in available[:12])
    more = f" and {len(available) - 12} more" if len(available) > 12 else ""
    return f"{lead}: {shown}{more}."
