"""An experiment: dataset, recipe, protocol and candidates. Frozen, JSON both ways; equal ones give equal numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mlcore import models
from mlcore.compare.search import Search
from mlcore.dataset import Dataset, Schema, schema_from_json
from mlcore.errors import BadChoice, BadInput
from mlcore.features.recipe import Recipe
from mlcore.metrics import Task
from mlcore.models import Family, Setting
from mlcore.protocol import Protocol
from mlcore.rules import Rule
from mlcore.target import task_of

OWN_FAMILIES: tuple[Family, ...] = ("linear", "plain", "tree", "raw")


@dataclass(frozen=True)
class Candidate:
    """A catalogue row with parameters, a rule that a person wrote, a search over parameters, or an own estimator."""

    model: str
    parameters: tuple[tuple[str, Any], ...] = ()
    title: str = ""
    digest: str = ""  # of a person's own estimator, so that experiments with different ones differ
    estimator: Any = field(default=None, compare=False, repr=False)
    rule: Rule | None = None
    search: Search | None = None  # its best parameters are looked for inside each training fold
    takes: Family = "linear"  # what the columns of a person's own estimator look like

    @classmethod
    def named(cls, name: str, task: Task, **parameters: Any) -> Candidate:
        """Take a row of the catalogue. Raises BadChoice for an unknown model, BadInput for a bad parameter."""
        row = models.model(name, task)
        return cls(name, tuple(sorted(row.checked(task, parameters).items())), row.title)

    @classmethod
    def ruled(cls, rule: Rule | dict[str, Any]) -> Candidate:
        """Take a person's own rule, as `Rule` or as its plain data. Raises BadInput."""
        return cls("rule", (), "Your rule", rule=rule if isinstance(rule, Rule) else Rule.from_json(rule))

    def tuned(self, search: Search, task: Task) -> Candidate:
        """Have its parameters looked for. Raises BadInput when there is nothing to look for."""
        found = replace(self, search=search.checked())
        if not found.space(task):
            raise BadInput(f"{self.title or self.model} has no parameters to search.")
        return found

    def space(self, task: Task) -> tuple[models.Knob, ...]:
        """The parameters that are looked for: those that were set by hand stay, unless the search names them."""
        if self.row is None or self.rule is not None or self.search is None:
            return ()
        held = set(dict(self.parameters)) - set(self.search.knobs)
        return tuple(k for k in self.search.space(self.row, task) if k.name not in held)

    @classmethod
    def of(cls, name: str, estimator: Any, family: Family = "linear") -> Candidate:
        """Make any scikit-learn-compatible estimator a candidate. Its class must be importable.

        It may bear the name of a model of the catalogue and then stands in its place; `dummy` always is the baseline.
        `family` says what its columns shall look like (see `models.FAMILIES`): "tree" suits boosters and forests that
        take missing cells, "raw" a Pipeline of one's own. Raises BadInput, BadChoice.
        """
        import skops.io

        if not name or not all(ch.isalnum() or ch in "_-" for ch in name) or name in ("rule", "blend"):
            raise BadInput(f"{name!r} cannot name a model: letters, digits, _ and - only, and not 'rule' or 'blend'.")
        if family not in OWN_FAMILIES:
            raise BadChoice.of("family of columns", family, OWN_FAMILIES)
        if type(estimator).__module__ == "__main__":
            raise BadInput(
                f"{type(estimator).__name__} is defined in the script that runs. Put it into a module of "
                "its own, so that the process that fits it can import it."
            )
        dumped = json.dumps(_parameters_text(estimator), sort_keys=True)
        digest = hashlib.blake2b(dumped.encode(), digest_size=8).hexdigest()
        skops.io.dumps(estimator)  # fails here, in the caller's process, rather than in the run
        return cls(name, (), name, digest, estimator, takes=family)

    @property
    def row(self) -> models.Model | None:
        """Its row of the catalogue; None for a person's own estimator."""
        return None if self.digest else models.model(self.model)

    @property
    def family(self) -> Family:
        """What its columns need to look like."""
        return self.takes if self.row is None else self.row.family

    @property
    def cost(self) -> float:
        """About how long a fit takes, for the order of work."""
        once = 2.0 if self.row is None else self.row.cost
        return once * (1 if self.search is None else self.search.fits)

    @property
    def most_rows(self) -> int | None:
        """How many rows it learns from at most."""
        return None if self.row is None else self.row.most_rows

    @property
    def unlabelled(self) -> bool:
        """Whether it also learns from rows whose target is missing."""
        return self.row is not None and self.row.unlabelled

    def settled(self, task: Task) -> dict[str, Any]:
        """All its parameters, the defaults of its row where nothing else was chosen; none for an own estimator."""
        return {} if self.row is None else {**self.row.defaults(task), **dict(self.parameters)}

    def build(self, setting: Setting, folder: Path) -> Any:
        """Make a fresh, unfitted estimator. `folder` is the run's, where a person's own estimators lie."""
        if self.row is not None:
            made = self.row.build(setting, self.settled(setting.task))
            if self.rule is not None:
                made.set_params(rule=(self.rule.coded(setting.labels) if setting.labels else self.rule).to_json())
            return made
        from sklearn.base import clone

        from mlcore.compare.storage import load
        from mlcore.labelled import Labelled

        own = clone(load(folder / "estimators" / f"{self.model}.skops"))
        return own if setting.task == "regression" else Labelled(own)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "model": self.model,
            "title": self.title,
            "parameters": dict(self.parameters),
            "digest": self.digest,
            "rule": self.rule.to_json() if self.rule else None,
            "search": asdict(self.search) if self.search else None,
            "takes": self.takes,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Candidate:
        """Rebuild from plain data; an own estimator is found in the run's folder when it is built."""
        rule, search = data.get("rule"), data.get("search")
        return cls(
            data["model"],
            tuple(sorted(data["parameters"].items())),
            data["title"],
            data["digest"],
            rule=Rule.from_json(rule) if rule else None,
            search=Search.from_json(search) if search else None,
            takes=data.get("takes", "linear"),
        )


def _fitting(candidate: Candidate, schema: Schema, task: Task) -> Candidate:
    """The candidate with what it says of columns checked, and whether it can do the task. Raises BadInput."""
    if candidate.estimator is not None and task != "regression":
        from sklearn.base import is_regressor

        if is_regressor(candidate.estimator):
            raise BadInput(f"{candidate.model!r} predicts a quantity, but the target has classes. Give a classifier.")
    if candidate.rule is None:
        return candidate
    answers = None if task == "regression" else [str(a) for a in candidate.rule.answers()]  # classes are not read yet
    return replace(candidate, rule=candidate.rule.checked(schema, answers))


def _parameters_text(estimator: Any) -> dict[str, str]:
    return {
        "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        **{k: repr(v) for k, v in estimator.get_params(deep=True).items()},
    }


@dataclass(frozen=True)
class Source:
    """Which data: enough to find it again and to notice when it is another."""

    name: str
    rows: int
    fingerprint: str


@dataclass(frozen=True)
class Experiment:
    """Everything that decides the numbers of a run."""

    source: Source
    schema: Schema
    recipe: Recipe
    protocol: Protocol
    candidates: tuple[Candidate, ...]

    @classmethod
    def plan(cls, dataset: Dataset, recipe: Recipe, protocol: Protocol, candidates: Iterable[Candidate]) -> Experiment:
        """Settle what is left open; the baseline is always a candidate. Raises BadInput."""
        schema = dataset.schema.with_target(recipe.target)
        protocol = protocol.checked().with_roles(schema)
        if recipe.target in (protocol.group, protocol.time):
            raise BadInput(f"{recipe.target!r} is the target; it cannot also be the group or the time.")
        if protocol.group is not None:  # met in one fold only, so no model can learn from it; a time may inform one
            schema = schema.change(protocol.group, role="group")
        for name in schema.in_role("weight"):
            if schema[name].dtype not in ("integer", "float"):
                raise BadInput(f"{name!r} holds {schema[name].dtype}; weights are numbers of 0 or more.")
        protocol = replace(protocol, metric=protocol.metric_for(recipe.task).name)
        task_of(schema[recipe.target], recipe.task)
        recipe.prepared(schema)
        candidates = tuple(candidates)
        chosen = {c.model: c for c in candidates}
        if len(chosen) < len(candidates):
            names = [c.model for c in candidates]
            raise BadInput(f"{max(names, key=names.count)!r} is among the models more than once; each can run once.")
        chosen.pop("dummy", None)  # whatever was given: the baseline cannot be removed, nor be another
        chosen = {"dummy": Candidate.named("dummy", recipe.task), **chosen}
        if len(chosen) < 2:
            raise BadInput("Choose at least one model beside the baseline.")
        if "blend" in chosen and len(chosen.keys() - {"dummy", "rule", "blend"}) < 2:
            raise BadInput("A blend is made of at least two models; choose two beside the baseline, or leave it out.")
        chosen = {name: _fitting(c, schema, recipe.task) for name, c in chosen.items()}
        return cls(
            Source(dataset.name, dataset.rows, dataset.fingerprint), schema, recipe, protocol, tuple(chosen.values())
        )

    def with_candidate(self, candidate: Candidate) -> Experiment:
        """The experiment with one candidate replaced by another of the same name."""
        return replace(self, candidates=tuple(candidate if c.model == candidate.model else c for c in self.candidates))

    def changed_since(self, before: Experiment) -> list[str]:
        """Which parts are otherwise than in an experiment on the same target, for models that are in both."""
        columns, were = ([(c.name, c.kind, c.role) for c in e.schema] for e in (self, before))
        parts = {"columns": columns == were, "recipe": self.recipe == before.recipe,
                 "protocol": self.protocol == before.protocol}  # fmt: skip
        earlier = {c.model: c for c in before.candidates}
        turned = [c.title or c.model for c in self.candidates if earlier.get(c.model, c) != c]
        return [part for part, same in parts.items() if not same] + [f"settings of {t}" for t in turned]

    def candidate(self, name: str) -> Candidate:
        """Find a candidate. Raises BadChoice."""
        for found in self.candidates:
            if found.model == name:
                return found
        raise BadChoice.of("model of this run", name, [c.model for c in self.candidates])

    @property
    def digest(self) -> str:
        """A hash of everything; equal experiments give equal numbers."""
        return hashlib.blake2b(json.dumps(self.to_json(), sort_keys=True).encode(), digest_size=12).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "source": asdict(self.source),
            "schema": asdict(self.schema),
            "recipe": self.recipe.to_json(),
            "protocol": asdict(self.protocol),
            "candidates": [c.to_json() for c in self.candidates],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Experiment:
        """Rebuild from plain data."""
        return cls(
            Source(**data["source"]),
            schema_from_json(data["schema"]),
            Recipe.from_json(data["recipe"]),
            Protocol(**data["protocol"]),
            tuple(Candidate.from_json(c) for c in data["candidates"]),
        )
