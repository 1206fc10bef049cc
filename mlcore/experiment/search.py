"""A search over a candidate's hyperparameters: which, how, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from mlcore.data.former_names import with_current_names
from mlcore.errors import BadChoice, BadInput
from mlcore.models.catalogue import Model
from mlcore.models.parameters import Parameter
from mlcore.validation.metrics import Task

Method = Literal["tpe", "random", "sobol", "grid", "gp"]
METHODS: dict[Method, str] = {
    "tpe": "Bayesian: tries near what did well (tree-structured Parzen estimator)",
    "gp": "Bayesian: a Gaussian process; needs torch, otherwise the one above is used",
    "random": "random",
    "sobol": "evenly spread (Sobol points)",
    "grid": "grid: every combination of a few values each",
}
assert set(METHODS) == set(get_args(Method))


@dataclass(frozen=True, kw_only=True)
class Search:
    """How the best hyperparameters are searched for, inside the training rows of each fold.

    `method` is one of METHODS, `trials` 1 to 10,000 settings, `seconds` a limit for each search (0: none; there is one
    search per fold and one on all training rows), `folds` 2 to 20 inner folds. `parameters` names the hyperparameters
    to search; empty means all that have a range.

    >>> Search(method="random", trials=10).fits
    23
    """

    method: Method = "tpe"
    trials: int = 20
    seconds: float = 0.0
    folds: int = 3
    parameters: tuple[str, ...] = ()

    def checked(self) -> Search:
        """Return it. Raises BadChoice or BadInput for a value that is not allowed."""
        if self.method not in METHODS:
            raise BadChoice.of("search method", self.method, METHODS)
        if not 1 <= self.trials <= 10_000:
            raise BadInput(f"A search makes 1 to 10,000 trials; {self.trials} was given.")
        if self.seconds < 0:
            raise BadInput(f"The seconds of a search cannot be less than 0; {self.seconds:g} was given.")
        if not 2 <= self.folds <= 20:
            raise BadInput(f"A search has 2 to 20 inner folds; {self.folds} was given.")
        return self

    def space(self, row: Model, task: Task) -> tuple[Parameter, ...]:
        """The hyperparameters that are searched. Raises BadChoice for one that the model lacks or that has no range."""
        able = {p.name: p for p in row.parameters_for(task) if p.search or (p.choices and p.searched)}
        for name in self.parameters:
            if name not in able:
                raise BadChoice.of(f"parameter of {row.title} that can be searched", name, able)
        return tuple(able[n] for n in self.parameters) if self.parameters else tuple(able.values())

    @property
    def fits(self) -> int:
        """About how many fits one search makes: bad trials are ended early."""
        return round(self.trials * (1 + (self.folds - 1) * 0.6)) + 1

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Search:
        """Rebuild from plain data."""
        current = with_current_names("search", data)
        return cls(**{**current, "parameters": tuple(current["parameters"])})
