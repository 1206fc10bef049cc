"""The typed Session behind the one session_state key; its setters reset what a change invalidates.

It is written to disk after each change, under a token in the page's address (`?s=…`), so that a browser refresh or a
saved link restores everything. Widgets edit it; they do not hold state.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import streamlit as st

from mlcore.data.dataset import Dataset, Kind, Role, Schema, schema_from_json
from mlcore.data.filters import Filters, from_text, to_text
from mlcore.data.workspace import LOCAL, Workspace, write_whole
from mlcore.errors import HoldoutError, NotFound
from mlcore.experiment.search import Search
from mlcore.features.recipe import Recipe
from mlcore.ingest import changes, sources
from mlcore.ingest.options import ReadOptions
from mlcore.result import Fix
from mlcore.validation.protocol import Protocol
from mlcore.validation.target import task_of

KEY = "holdout"
MOST_UNDONE = 20
PARAMETER = "s"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Session:
    """The state of one browser tab."""

    token: str
    fingerprint: str | None = None
    schema: Schema | None = None
    recipe: Recipe | None = None
    protocol: Protocol = field(default_factory=Protocol)
    models: tuple[str, ...] | None = None  # chosen candidates; None means the preset
    run: str | None = None  # the folder's name
    choices: dict[str, Any] = field(default_factory=dict)  # values of widgets
    filters: Filters = ()  # the rows that Explore shows
    past_filters: tuple[str, ...] = ()  # as text, for undo
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)  # per model, where not the defaults
    rule: dict[str, Any] | None = None  # the user's rule, as plain data
    tuned: tuple[str, ...] = ()  # models whose parameters are searched
    search: Search = field(default_factory=Search)
    undone: tuple[dict[str, Any], ...] = ()  # the states before the last changes, each with what was changed
    redone: tuple[dict[str, Any], ...] = ()  # the states that were undone, each with what had been changed
    stamp: int = field(default=0, compare=False)  # modification time of its file

    # setters: each drops what is no longer valid ------------------------------------------------------------------

    def open(self, dataset: Dataset, target: str | None = None) -> None:
        """Open a dataset; everything that depended on the last one is reset."""
        self.fingerprint, self.schema = dataset.fingerprint, dataset.schema
        self.recipe, self.models, self.run, self.choices = None, None, None, {}
        self.protocol, self.filters, self.past_filters = Protocol(), (), ()
        self.parameters, self.rule, self.tuned, self.undone, self.redone = {}, None, (), (), ()
        if target is not None:
            self.set_target(target)
        self.save()

    def set_target(self, target: str | None, task: str = "auto") -> None:
        """Choose the target. Raises BadTarget. The recipe's other steps stay; a chosen run stays in its folder."""
        schema = self.needed_schema()
        if target is None:
            self.schema = replace_target(schema)
            self.recipe = self.models = None
            self.save()
            return
        new_schema = changes.with_some_feature(schema.with_target(target))
        resolved = task_of(new_schema[target], task)
        is_same = self.recipe is not None and (self.recipe.target, self.recipe.task) == (target, resolved)
        positive = self.recipe.positive if self.recipe is not None and is_same else None
        self.recipe = (
            replace(self.recipe, target=target, task=resolved, positive=positive)
            if self.recipe
            else Recipe(target, resolved)
        )
        self.schema = new_schema
        if not is_same:
            self.protocol = replace(self.protocol, metric="auto")
            self.models = self.rule = None
            self.parameters, self.tuned = {}, ()
        self.save()

    def set_kind(self, name: str, kind: Kind) -> None:
        """Correct a kind; a finished run stays on the screen, because it records its schema. Raises BadInput."""
        self.replace_data(changes.with_kinds(self.dataset(), {name: kind}, workspace()))
        if self.recipe is not None and self.recipe.target == name:
            self.set_target(name)

    def dataset(self) -> Dataset:
        """The open dataset with the user's corrections. Raises NotFound."""
        if self.fingerprint is None:
            raise NotFound("No data are open. Open a file or a sample on the Data page.")
        return workspace().dataset(self.fingerprint).with_schema(self.needed_schema())

    def replace_data(self, data: Dataset) -> None:
        """Use a changed table from now on: target, recipe, protocol and runs stay, as far as they fit it."""
        self.fingerprint, self.schema = data.fingerprint, data.schema
        self.filters = from_text(to_text(self.filters), data.schema)
        if self.recipe is not None:
            target, task = self.recipe.target, self.recipe.task
            try:
                self.set_target(target, task)
            except HoldoutError:
                self.set_target(None)
        for name in (self.protocol.group, self.protocol.time):
            if name is not None and name not in data.schema:
                self.protocol = Protocol(seed=self.protocol.seed)
        self.save()

    def rename(self, names: Mapping[str, str] | Sequence[str]) -> None:
        """Rename columns; what refers to them follows, but the user's rule and the filters. Raises BadInput."""
        before = self.dataset()
        data = changes.rename(before, names, workspace())
        new = dict(zip(before.schema.names, data.schema.names, strict=True))
        self._remember("Columns renamed")
        if self.recipe is not None:
            self.recipe = replace(self.recipe, target=new[self.recipe.target])
        group, time = (new.get(name) if name else None for name in (self.protocol.group, self.protocol.time))
        self.protocol, self.rule, self.filters = replace(self.protocol, group=group, time=time), None, ()
        self.replace_data(data)

    def set_positive(self, label: str) -> None:
        """Choose the class of two that binary figures are about."""
        if self.recipe is not None and self.recipe.positive != label:
            self.recipe = replace(self.recipe, positive=label)
            self.save()

    def undo(self) -> None:
        """Go back to the state before the last fix or change of a step."""
        if self.undone:
            last, self.undone = self.undone[-1], self.undone[:-1]
            self.redone = (*self.redone, self._state(last["title"]))
            self._restore(last)

    def redo(self) -> None:
        """Make the change again that was undone last."""
        if self.redone:
            last, self.redone = self.redone[-1], self.redone[:-1]
            self.undone = (*self.undone, self._state(last["title"]))
            self._restore(last)

    def _restore(self, last: dict[str, Any]) -> None:
        self.fingerprint, self.schema = last["fingerprint"], schema_from_json(last["schema"])
        self.recipe = Recipe.from_json(last["recipe"]) if last["recipe"] else None
        self.protocol = Protocol(**last["protocol"])
        self.filters = from_text(to_text(self.filters), self.schema)
        self.save()

    def _remember(self, title: str) -> None:
        """Keep the state before a change, so that it can be undone."""
        self.undone = (*self.undone[-MOST_UNDONE + 1 :], self._state(title))
        self.redone = ()

    def _state(self, title: str) -> dict[str, Any]:
        return {
            "title": title,
            "fingerprint": self.fingerprint,
            "schema": asdict(self.needed_schema()),
            "recipe": self.recipe.to_json() if self.recipe else None,
            "protocol": asdict(self.protocol),
        }

    def set_role(self, name: str, role: Role) -> None:
        """Correct a role; `target` makes the column the target."""
        if role == "target":
            self.set_target(name)
            return
        if self.recipe is not None and self.recipe.target == name:
            self.set_target(None)
        schema = self.needed_schema()
        if role in ("group", "time", "weight"):  # one column each
            for other in schema.in_role(role):
                schema = schema.change(other, role="feature")
        self.schema = changes.with_role(schema, name, role)
        self.save()

    def resolve(self, fix: Fix) -> None:
        """Apply the fix of an alert, which can be undone. Raises BadInput."""
        self._remember(fix.title if fix.column is None else f"{fix.title}: {fix.column}")
        try:
            for part in fix.value if fix.action == "each" else (fix,):
                self._apply(part)
        except HoldoutError:
            self.undo()  # nothing is half done
            raise

    def _apply(self, fix: Fix) -> None:
        if fix.action == "role" and fix.column is not None:
            self.set_role(fix.column, fix.value)
        elif fix.action in ("kind", "missing", "rows"):
            self.replace_data(changes.with_fix(self.dataset(), fix, workspace()))
        elif fix.action == "read":
            options = ReadOptions(values=tuple(fix.value["values"]))
            self.replace_data(sources.read_again(self.dataset(), options, workspace()))
        elif fix.action == "step" and self.recipe is not None:
            self.recipe = self.recipe.with_changes(fix.value)
            self.save()
        elif fix.action == "metric":
            self.set_protocol(replace(self.protocol, metric=fix.value))
        elif fix.action == "split":
            column: dict[str, Any] = {fix.value: fix.column}
            self.set_protocol(replace(self.protocol, split=fix.value, **column))

    def is_resolved(self, fix: Fix) -> bool:
        """Whether a fix is already applied."""
        if fix.action == "step" and self.recipe is not None:
            return self.recipe.with_changes(fix.value) == self.recipe
        return fix.action == "metric" and self.protocol.metric == fix.value

    def set_filters(self, filters: Filters) -> None:
        """Set the conditions; the last ones can be restored."""
        if filters != self.filters:
            self.past_filters = (*self.past_filters[-49:], to_text(self.filters))
            self.filters = filters
            self.save()

    def undo_filters(self) -> None:
        """Undo the last change of conditions."""
        if self.past_filters:
            *past, last = self.past_filters
            self.filters, self.past_filters = from_text(last, self.needed_schema()), tuple(past)
            self.save()

    def set_recipe(self, recipe: Recipe, title: str = "Steps changed") -> None:
        """Change the steps of the recipe, which can be undone under a title."""
        self._remember(title)
        self.recipe = recipe
        self.save()

    def set_protocol(self, protocol: Protocol) -> None:
        """Change the protocol. Raises BadInput."""
        self.protocol = protocol.checked()
        self.save()

    def set_models(self, models: tuple[str, ...]) -> None:
        """Choose candidates."""
        self.models = models
        self.save()

    def set_parameters(self, model: str, parameters: dict[str, Any]) -> None:
        """Set the parameters of a model that are not its defaults."""
        self.parameters = {k: v for k, v in {**self.parameters, model: parameters}.items() if v}
        self.save()

    def set_rule(self, rule: dict[str, Any] | None) -> None:
        """Set the user's rule; None means a decision stump fitted to the data."""
        self.rule = rule
        self.save()

    def set_search(self, tuned: tuple[str, ...], search: Search) -> None:
        """Set which models are searched, and how."""
        self.tuned, self.search = tuned, search.checked()
        self.save()

    def set_run(self, run: str | None) -> None:
        """Attach to a run."""
        self.run = run
        self.choices = {k: v for k, v in self.choices.items() if not k.startswith(("evaluate", "explain"))}
        self.save()

    def choose(self, name: str, value: Any) -> None:
        """Remember the value of a widget."""
        if self.choices.get(name) != value or name not in self.choices:
            self.choices[name] = value
            self.save()

    # reading ------------------------------------------------------------------------------------------------------

    def needed_recipe(self) -> Recipe:
        """The recipe. Raises NotFound if no target is chosen."""
        if self.recipe is None:
            raise NotFound("No target is chosen. Choose the column to predict on the Data page.")
        return self.recipe

    def needed_schema(self) -> Schema:
        """The schema. Raises NotFound if no dataset is open."""
        if self.schema is None:
            raise NotFound("No data are open. Open a file or a sample on the Data page.")
        return self.schema

    @property
    def target(self) -> str | None:
        """The target's name."""
        return self.recipe.target if self.recipe else None

    # on disk ------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the session under its token."""
        data = {
            "fingerprint": self.fingerprint,
            "schema": asdict(self.schema) if self.schema else None,
            "recipe": self.recipe.to_json() if self.recipe else None,
            "protocol": asdict(self.protocol),
            "models": self.models,
            "run": self.run,
            "choices": self.choices,
            "filters": to_text(self.filters),
            "past_filters": self.past_filters,
            "parameters": self.parameters,
            "rule": self.rule,
            "tuned": self.tuned,
            "search": asdict(self.search),
            "undone": self.undone,
            "redone": self.redone,
        }
        write_whole(_file(self.token), json.dumps(data, default=str))
        self.stamp = _file(self.token).stat().st_mtime_ns

    @classmethod
    def load(cls, token: str) -> Session | None:
        """Read a session; None if there is none, or it is of another version."""
        try:
            stamp = _file(token).stat().st_mtime_ns
            data = json.loads(_file(token).read_text("utf-8"))
            schema = schema_from_json(data["schema"]) if data["schema"] else None
            return cls(
                token,
                data["fingerprint"],
                schema,
                Recipe.from_json(data["recipe"]) if data["recipe"] else None,
                Protocol(**{f.name: data["protocol"][f.name] for f in fields(Protocol) if f.name in data["protocol"]}),
                tuple(data["models"]) if data["models"] is not None else None,
                data["run"],
                data["choices"],
                from_text(data.get("filters", "[]"), schema) if schema else (),  # older files have none
                tuple(data.get("past_filters", ())),
                data.get("parameters", {}),
                data.get("rule"),
                tuple(data.get("tuned", ())),
                Search.from_json(data["search"]) if "search" in data else Search(),
                tuple(data.get("undone", ())),
                tuple(data.get("redone", ())),
                stamp,
            )
        except (OSError, ValueError, KeyError, TypeError, HoldoutError):
            return None


def _file(token: str) -> Path:
    return workspace().folder("sessions") / f"{token}.json"


def _newer(current: Session) -> Session:
    """The session on disk, if another tab with the same address has changed it."""
    try:
        changed = _file(current.token).stat().st_mtime_ns != current.stamp
    except FileNotFoundError:
        return current
    return (Session.load(current.token) or current) if changed and current.stamp else current


def replace_target(schema: Schema) -> Schema:
    """A schema without a target."""
    for name in schema.in_role("target"):
        schema = schema.change(name, role="feature")
    return schema


def _token() -> str:
    """The token of this tab: from the address, or a new one that cannot be guessed."""
    token = st.query_params.get(PARAMETER, "")
    return token if re.fullmatch(r"[A-Za-z0-9_\-]{16,64}", token) else secrets.token_urlsafe(15)


def session() -> Session:
    """The session of this tab, created or read from disk if necessary."""
    if KEY not in st.session_state:
        token = _token()
        st.session_state["holdout_token"] = token
        st.session_state[KEY] = Session.load(token) or Session(token)
    current: Session = _newer(st.session_state[KEY])
    st.session_state[KEY] = current
    if st.query_params.get(PARAMETER) != current.token:  # Streamlit drops it on a page switch
        st.query_params[PARAMETER] = current.token
    return current


def is_local() -> bool:
    """Whether the server can be reached from this machine only."""
    return (st.get_option("server.address") or "") in LOOPBACK


def owner() -> str:
    """The owner of the workspace: one for a local server, otherwise one per tab."""
    if is_local():
        return LOCAL
    token = st.session_state.get("holdout_token") or _token()
    return f"guest-{token}"


def workspace() -> Workspace:
    """The workspace of the owner."""
    return Workspace(owner())
