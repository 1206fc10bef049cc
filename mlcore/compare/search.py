"""A search over a candidate's parameters: what is looked through, how, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from mlcore.errors import BadChoice, BadInput
from mlcore.metrics import Task
from mlcore.models import Knob, Model

Method = Literal["tpe", "random", "sobol", "grid", "gp"]
METHODS: dict[Method, str] = {
    "tpe": "Bayesian: tries near what did well (tree-structured Parzen estimator)",
    "gp": "Bayesian: a Gaussian process; needs torch, else it is the one above",
    "random": "at random",
    "sobol": "evenly spread (Sobol points)",
    "grid": "every combination of a few values each",
}
assert set(METHODS) == set(get_args(Method))


@dataclass(frozen=True)
class Search:
    """How the best parameters are looked for, inside the training rows of each fold."""

    method: Method = "tpe"
    trials: int = 20
    seconds: float = 0.0  # for one search (there is one for each fold, and one on all rows); 0 is no limit
    folds: int = 3  # inner folds
    knobs: tuple[str, ...] = ()  # which parameters; none named means all that have a range

    def checked(self) -> Search:
        """Raise BadChoice or BadInput for a value that is not allowed."""
        if self.method not in METHODS:
            raise BadChoice.of("way to search", self.method, METHODS)
        if not 1 <= self.trials <= 10_000:
            raise BadInput(f"A search makes 1 to 10,000 trials; {self.trials} was given.")
        if self.seconds < 0:
            raise BadInput(f"The seconds of a search cannot be less than 0; {self.seconds:g} was given.")
        if not 2 <= self.folds <= 20:
            raise BadInput(f"A search has 2 to 20 inner folds; {self.folds} was given.")
        return self

    def space(self, row: Model, task: Task) -> tuple[Knob, ...]:
        """The knobs that are turned. Raises BadChoice for one that the model does not have or that has no range."""
        able = {k.name: k for k in row.knobs_of(task) if k.search or (k.choices and k.name not in HELD)}
        for name in self.knobs:
            if name not in able:
                raise BadChoice.of(f"parameter of {row.title} that can be searched", name, able)
        return tuple(able[n] for n in self.knobs) if self.knobs else tuple(able.values())

    @property
    def fits(self) -> int:
        """About how many fits one search makes: bad trials are ended early."""
        return round(self.trials * (1 + (self.folds - 1) * 0.6)) + 1

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Search:
        """Rebuild from plain data."""
        return cls(**{**data, "knobs": tuple(data["knobs"])})


HELD = ("class_weight", "early_stopping", "kind")  # choices that say what is wanted, not what is better
