"""The hyperparameters of models: what each may be, and where a search looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mlcore.errors import BadInput
from mlcore.validation.metrics import Task

CLASSIFY: tuple[Task, ...] = ("binary", "multiclass")
REGRESS: tuple[Task, ...] = ("regression",)
ANY: tuple[Task, ...] = (*CLASSIFY, *REGRESS)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A hyperparameter: a number in a range, a choice, or either with None for "no limit"."""

    name: str  # as the library that is fitted calls it
    label: str  # the field's word for it
    default: Any
    help: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[Any, ...] = ()  # the allowed values, where they are not numbers
    search: tuple[float, float] | None = None  # where a search looks; choices are searched whole
    searched: bool = True  # False where a choice says what is wanted, not what is better
    log: bool = False  # steps multiply instead of add
    none: str = ""  # what None means, where it is allowed
    tasks: tuple[Task, ...] = ANY
    real: bool = False  # numbers that need not be whole, where the default does not show it

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole."""
        return not self.real and isinstance(self.default, int | None)

    @property
    def title(self) -> str:
        """Its name as a form shows it: the field's word, then the library's name in brackets."""
        return self.label if self.label.casefold() == self.name else f"{self.label} ({self.name})"

    def allowed(self) -> str:
        """What it may be, in words."""
        if self.choices:
            words = "one of " + ", ".join(map(str, self.choices))
        else:
            kind = "a whole number" if self.whole else "a number"
            ends = [f"{word} {end:g}" for word, end in (("from", self.low), ("to", self.high)) if math.isfinite(end)]
            words = " ".join([kind, *ends])
        return f"{words}, or none ({self.none})" if self.none else words

    def checked(self, value: Any, model: str) -> Any:
        """Return the value with its type. Raises BadInput with what is allowed."""
        if value is None and self.none:
            return None
        if self.choices:
            if value in self.choices:
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            fits = self.low <= value <= self.high and (not self.whole or float(value).is_integer())
            if fits:
                return int(value) if self.whole else float(value)
        raise BadInput(f"{self.name} of {model} cannot be {value!r}; it is {self.allowed()}.")

    def grid(self, points: int) -> list[Any]:
        """Values spread evenly over the range that is searched."""
        if self.choices:
            return list(self.choices)
        if self.search is None:
            return [self.default]
        low, high = self.search
        fractions = [i / (points - 1) for i in range(points)] if points > 1 else [0.5]
        values = [low * (high / low) ** f if self.log else low + (high - low) * f for f in fractions]
        return list(dict.fromkeys(round(v) for v in values)) if self.whole else [float(f"{v:.4g}") for v in values]
