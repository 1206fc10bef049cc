"""An experiment: dataset, recipe, protocol and candidates. Frozen, JSON both ways; equal ones give equal numbers."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from mlcore.data.dataset import Dataset, Schema, schema_from_json
from mlcore.errors import BadChoice, BadInput
from mlcore.experiment.candidate import Candidate
from mlcore.features.recipe import Recipe
from mlcore.models import catalogue
from mlcore.validation.metrics import Task
from mlcore.validation.protocol import Protocol
from mlcore.validation.target import check_learnable, load_target, task_of


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
        """Resolve what is left open; the baseline is always a candidate. Raises BadInput."""
        schema = dataset.schema.with_target(recipe.target)
        protocol = protocol.checked().with_roles(schema)
        if recipe.target in (protocol.group, protocol.time):
            raise BadInput(f"{recipe.target!r} is the target; it cannot also be the group or the time.")
        if protocol.group is not None:  # each group is in one fold only, so no model can learn from its name
            schema = schema.change(protocol.group, role="group")
        for name in schema.in_role("weight"):
            if schema[name].dtype not in ("integer", "float"):
                raise BadInput(f"{name!r} holds {schema[name].dtype}; weights are numbers of 0 or more.")
        protocol = replace(protocol, metric=protocol.metric_for(recipe.task).name)
        task_of(schema[recipe.target], recipe.task)
        recipe = _with_positive(dataset, recipe, protocol)
        recipe.prepared(schema)
        _check_steps(dataset, recipe, schema)
        chosen = [c.checked(schema, recipe.task) for c in _with_baseline(tuple(candidates), recipe.task)]
        source = Source(dataset.name, dataset.rows, dataset.fingerprint)
        return cls(source, schema, recipe, protocol, tuple(chosen))

    def with_candidate(self, candidate: Candidate) -> Experiment:
        """The experiment with one candidate replaced by another of the same name."""
        return replace(self, candidates=tuple(candidate if c.model == candidate.model else c for c in self.candidates))

    def changed_since(self, before: Experiment) -> list[str]:
        """What differs from an earlier experiment, each change in words, such as "folds: 5 → 3"."""
        earlier = {c.model: c for c in before.candidates}
        settings = [c.label for c in self.candidates if earlier.get(c.model, c) != c]
        return [
            *_data_changes(self.source, before.source),
            *_column_changes(self.schema, before.schema),
            *_step_changes(self.recipe, before.recipe),
            *_field_changes(self.protocol, before.protocol),
            *(f"settings of {label}" for label in settings),
        ]

    def candidate(self, name: str) -> Candidate:
        """A candidate by its name. Raises BadChoice."""
        for candidate in self.candidates:
            if candidate.model == name:
                return candidate
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


def _data_changes(now: Source, before: Source) -> list[str]:
    """Whether another file is read, or the same file in another way."""
    if now.fingerprint == before.fingerprint:
        return []
    if (now.name, now.rows) == (before.name, before.rows):
        return ["how the file is read, or what it holds"]
    return [f"data: {before.name} ({before.rows:,} rows) → {now.name} ({now.rows:,} rows)"]


def _column_changes(now: Schema, before: Schema) -> list[str]:
    """Columns that came, went, or have another kind or role."""
    earlier, current = ({c.name: c for c in schema} for schema in (before, now))
    gone = [f"column {name} removed" for name in earlier if name not in current]
    new = [f"column {name} added" for name in current if name not in earlier]
    changes = [
        f"{name}: {getattr(earlier[name], trait)} → {getattr(column, trait)}"
        for name, column in current.items()
        for trait in ("kind", "role")
        if name in earlier and getattr(earlier[name], trait) != getattr(column, trait)
    ]
    return [*gone, *new, *changes]


def _step_changes(now: Recipe, before: Recipe) -> list[str]:
    """Steps of a recipe that came or went, or stand in another order; and its positive class."""
    old, new = ([json.dumps(s.to_json()) for s in recipe.steps] for recipe in (before, now))
    changes = [f"step {_step_in_words(s)} removed" for s in old if s not in new]
    changes += [f"step {_step_in_words(s)} added" for s in new if s not in old]
    if not changes and old != new:
        changes = ["the order of the steps"]
    if now.positive != before.positive:
        changes.append(f"positive class: {before.positive} → {now.positive}")
    return changes


def _step_in_words(data: str) -> str:
    step = json.loads(data)
    options = {k: v for k, v in step.items() if k != "step" and v != "auto"}
    return " ".join([step["step"], *(f"{k}={v}" for k, v in options.items())])


def _field_changes(now: Protocol, before: Protocol) -> list[str]:
    """The options of a protocol that differ."""
    pairs = {f.name: (getattr(before, f.name), getattr(now, f.name)) for f in fields(now)}
    return [
        f"{name.replace('_', ' ')}: {_in_words(old)} → {_in_words(new)}"
        for name, (old, new) in pairs.items()
        if old != new
    ]


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "automatic" if value is None else str(value)


TRIED = 1000  # training rows on which the steps are tried before a run


def _check_steps(dataset: Dataset, recipe: Recipe, schema: Schema) -> None:
    """Try the steps on a few rows, so that one that cannot be is refused now. Raises BadInput, NoSuchColumn."""
    if not recipe.steps:
        return
    from mlcore.features.transformers import Conform

    target = load_target(dataset, recipe.target, recipe.task, recipe.positive)
    step = max(1, len(target.rows) // TRIED)
    rows, y = target.rows[::step].tolist(), target.y[::step]
    frame = Conform.of(schema).transform(dataset.frame(schema.features().names, rows=rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sequence = recipe.sequence(recipe.acting(schema), schema)
        sequence.fit_rows(frame, y)
    if not sequence.schema_after().columns:
        raise BadInput("The steps leave no column to learn from. Take out the step that drops the last ones.")


def _with_positive(dataset: Dataset, recipe: Recipe, protocol: Protocol) -> Recipe:
    """The recipe with the positive class named, so that a run does not depend on how it is chosen.

    Raises BadChoice, and BadTarget where the classes cannot be learned and tested.
    """
    if recipe.task != "binary":
        if recipe.positive is not None:
            raise BadInput(f"A positive class is one of two; {recipe.target!r} has other values. Leave out the option.")
        return recipe
    target = load_target(dataset, recipe.target, recipe.task, recipe.positive)
    by_group = protocol.kind(recipe.task) == "group" and protocol.group is not None
    groups = dataset.column(protocol.group).iloc[target.rows] if by_group and protocol.group else None
    check_learnable(target, recipe.target, groups)
    return replace(recipe, positive=str(target.classes[-1]))


def _with_baseline(candidates: tuple[Candidate, ...], task: Task) -> list[Candidate]:
    """The candidates with the baseline first. Raises BadInput when they are too few, or one is given twice."""
    by_name = {c.model: c for c in candidates}
    if len(by_name) < len(candidates):
        names = [c.model for c in candidates]
        raise BadInput(f"{max(names, key=names.count)!r} is among the models more than once; each can run once.")
    by_name.pop(catalogue.BASELINE, None)  # whatever was given: the baseline can be neither removed nor replaced
    if not by_name:
        raise BadInput("Choose at least one model besides the baseline.")
    blends = any(c.is_blend for c in by_name.values())
    if blends and sum(c.row is None or c.row.role == "model" for c in by_name.values()) < 2:
        raise BadInput("A blend has at least two members. Choose two models besides the baseline, or leave it out.")
    return [Candidate.named(catalogue.BASELINE, task), *by_name.values()]
