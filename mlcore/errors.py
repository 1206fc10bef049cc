"""Everything that can go wrong, as one tree.

    HoldoutError
    ├── BadInput            what a person gave cannot be used (the command line exits with 2)
    │   ├── CannotRead      a file
    │   ├── NoSuchColumn    a column name
    │   ├── BadTarget       a target that cannot be predicted
    │   ├── BadChoice       an option's value
    │   └── NotFound        a dataset, a run, a model of a run
    ├── NotApplicable       a figure that is not defined for this data; carries what is offered instead
    └── RunFailed           a run that ended without a leaderboard (the command line exits with 1)

A message says what was wrong, what was given, what is allowed and what to do; it is shown to people as it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HoldoutError(Exception):
    """The root: catching it catches all that this package raises on purpose."""


class BadInput(HoldoutError):
    """What a person gave cannot be used."""


class CannotRead(BadInput):
    """A file that is not what it says, or that cannot be read safely."""


class NoSuchColumn(BadInput):
    """A column that the data does not have."""

    @classmethod
    def named(cls, name: str, available: Iterable[str]) -> NoSuchColumn:
        """Say which columns there are, nearest names first."""
        return cls(f"There is no column {name!r}. {_nearest(name, list(available), 'The columns are')}")


class BadTarget(BadInput):
    """A target that cannot be predicted, and why."""


class BadChoice(BadInput):
    """An option whose value is not allowed."""

    @classmethod
    def of(cls, what: str, given: object, allowed: Iterable[object]) -> BadChoice:
        """Say what was given and what is allowed."""
        return cls(f"{given!r} is not a {what}. {_nearest(str(given), [str(a) for a in allowed], 'Allowed are')}")


class NotFound(BadInput):
    """A dataset, a run or a model that is not there."""


class NotApplicable(HoldoutError):
    """A figure that is not defined for this data."""


class RunFailed(HoldoutError):
    """A run that ended without a leaderboard."""


def _nearest(given: str, available: list[str], lead: str) -> str:
    near = difflib.get_close_matches(given, available, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(repr(n) for n in near)}?"
    shown = ", ".join(repr(a) for a in available[:12])
    more = f" and {len(available) - 12} more" if len(available) > 12 else ""
    return f"{lead}: {shown}{more}."
