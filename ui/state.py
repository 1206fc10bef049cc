"""The one typed Session behind the one session_state key; its setters own what a change makes void.

It is written to disk after each change under a token that the page's address carries (`?s=…`), so that a refresh of
the browser, or a link kept, finds everything again. Widgets edit it; they do not hold facts.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from mlcore.compare.search import Search
from mlcore.dataset import Dataset, Kind, Role, Schema, schema_from_json
from mlcore.errors import HoldoutError, NotFound
from mlcore.features.recipe import Recipe
from mlcore.features.steps import Step
from mlcore.filters import Filters, from_text, to_text
from mlcore.protocol import Protocol
from mlcore.target import task_of
from mlcore.workspace import LOCAL, Workspace, write_whole

if TYPE_CHECKING:
    from mlcore.alerts import Fix

KEY = "holdout"
PARAMETER = "s"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Session:
    """What one browser tab works on."""

    token: str
    fingerprint: str | None = None
    schema: Schema | None = None
    recipe: Recipe | None = None
    protocol: Protocol = field(default_factory=Protocol)
    models: tuple[str, ...] | None = None  # chosen candidates; None means the preset
    run: str | None = None  # the folder's name
    choices: dict[str, Any] = field(default_factory=dict)  # what widgets were set to
    filters: Filters = ()  # which rows Explore looks at
    past_filters: tuple[str, ...] = ()  # as text, for undoing
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)  # of models, where they are not the defaults
    rule: dict[str, Any] | None = None  # the person's own rule, as plain data
    tuned: tuple[str, ...] = ()  # models whose parameters are searched
    search: Search = field(default_factory=Search)
    stamp: int = field(default=0, compare=False)  # when the file was written that this is

    # setters: each drops what no longer holds ---------------------------------------------------------------------

    def open(self, dataset: Dataset, target: str | None = None) -> None:
        """Take a dataset; everything that hung on the last one goes."""
        self.fingerprint, self.schema = dataset.fingerprint, dataset.schema
        self.recipe, self.models, self.run, self.choices = None, None, None, {}
        self.protocol, self.filters, self.past_filters = Protocol(), (), ()
        self.parameters, self.rule, self.tuned = {}, None, ()
        if target is not None:
            self.aim(target)
        self.save()

    def aim(self, target: str | None, task: str = "auto") -> None:
        """Choose the target. Raises BadTarget. The recipe's other steps stay; a chosen run stays in its folder."""
        schema = self.needed_schema()
        if target is None:
            self.schema = replace_target(schema)
            self.recipe = self.models = None
            self.save()
            return
        aimed = schema.with_target(target)
        settled = task_of(aimed[target], task)
        same = self.recipe is not None and (self.recipe.target, self.recipe.task) == (target, settled)
        self.recipe = replace(self.recipe, target=target, task=settled) if self.recipe else Recipe(target, settled)
        self.schema = aimed
        if not same:
            self.protocol = replace(self.protocol, metric="auto")
            self.models = self.rule = None
            self.parameters, self.tuned = {}, ()
        self.save()

    def set_kind(self, name: str, kind: Kind, parse: str | None = None) -> None:
        """Correct a kind; a finished run stays shown, as it says what it was made of."""
        self.schema = self.needed_schema().with_kind(name, kind, parse)
        self.filters = from_text(to_text(self.filters), self.schema)
        if self.recipe is not None and self.recipe.target == name:
            self.aim(name)
        self.save()

    def set_role(self, name: str, role: Role) -> None:
        """Correct a role; `target` aims at the column."""
        if role == "target":
            self.aim(name)
            return
        if self.recipe is not None and self.recipe.target == name:
            self.aim(None)
        schema = self.needed_schema()
        if role in ("group", "time", "weight"):  # one column each
            for other in schema.in_role(role):
                schema = schema.change(other, role="feature")
        self.schema = schema.change(name, role=role)
        self.save()

    def mend(self, fix: Fix) -> None:
        """Carry out the fix of an alert. Raises BadInput."""
        if fix.action == "role" and fix.column is not None:
            self.set_role(fix.column, fix.value)
        elif fix.action == "kind" and fix.column is not None:
            self.set_kind(fix.column, *fix.value)
        elif fix.action == "step" and self.recipe is not None:
            self.recipe = self.recipe.with_options(fix.value)
            self.save()
        elif fix.action == "metric":
            self.set_protocol(replace(self.protocol, metric=fix.value))
        elif fix.action == "split":
            column: dict[str, Any] = {fix.value: fix.column}
            self.set_protocol(replace(self.protocol, split=fix.value, **column))

    def mended(self, fix: Fix) -> bool:
        """Whether what a fix would do holds already."""
        if fix.action == "step" and self.recipe is not None:
            return self.recipe.with_options(fix.value) == self.recipe
        return fix.action == "metric" and self.protocol.metric == fix.value

    def look_at(self, filters: Filters) -> None:
        """Look at other rows; the last conditions can be had back."""
        if filters != self.filters:
            self.past_filters = (*self.past_filters[-49:], to_text(self.filters))
            self.filters = filters
            self.save()

    def look_back(self) -> None:
        """Undo the last change of conditions."""
        if self.past_filters:
            *past, last = self.past_filters
            self.filters, self.past_filters = from_text(last, self.needed_schema()), tuple(past)
            self.save()

    def set_step(self, step: Step) -> None:
        """Change one step of the recipe."""
        if self.recipe is not None:
            self.recipe = self.recipe.change(step)
            self.save()

    def set_protocol(self, protocol: Protocol) -> None:
        """Change how models are judged. Raises BadInput."""
        self.protocol = protocol.checked()
        self.save()

    def set_models(self, models: tuple[str, ...]) -> None:
        """Choose candidates."""
        self.models = models
        self.save()

    def set_parameters(self, model: str, parameters: dict[str, Any]) -> None:
        """Set what of a model is not its default."""
        self.parameters = {k: v for k, v in {**self.parameters, model: parameters}.items() if v}
        self.save()

    def set_rule(self, rule: dict[str, Any] | None) -> None:
        """Take a person's own rule, or let the data find one question."""
        self.rule = rule
        self.save()

    def set_search(self, tuned: tuple[str, ...], search: Search) -> None:
        """Say which models are searched, and how."""
        self.tuned, self.search = tuned, search.checked()
        self.save()

    def set_run(self, run: str | None) -> None:
        """Attach to a run."""
        self.run = run
        self.choices = {k: v for k, v in self.choices.items() if not k.startswith(("evaluate", "explain"))}
        self.save()

    def choose(self, name: str, value: Any) -> None:
        """Remember what a widget was set to."""
        if self.choices.get(name) != value or name not in self.choices:
            self.choices[name] = value
            self.save()

    # what is there ------------------------------------------------------------------------------------------------

    def needed_recipe(self) -> Recipe:
        """The recipe. Raises NotFound when no target is chosen."""
        if self.recipe is None:
            raise NotFound("No target is chosen. Say on the Data page which column to predict.")
        return self.recipe

    def needed_schema(self) -> Schema:
        """The schema. Raises NotFound when no dataset is open."""
        if self.schema is None:
            raise NotFound("No data are open. Open a file or a sample on the Data page.")
        return self.schema

    @property
    def target(self) -> str | None:
        """The target's name."""
        return self.recipe.target if self.recipe else None

    # on disk ------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write it under its token."""
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
        }
        write_whole(_file(self.token), json.dumps(data, default=str))
        self.stamp = _file(self.token).stat().st_mtime_ns

    @classmethod
    def load(cls, token: str) -> Session | None:
        """Read it back; None when there is none, or it is of another version."""
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
                stamp,
            )
        except (OSError, ValueError, KeyError, TypeError, HoldoutError):
            return None


def _file(token: str) -> Path:
    return workspace().folder("sessions") / f"{token}.json"


def _newer(known: Session) -> Session:
    """Another tab of the same address may have changed the session; both work on one."""
    try:
        changed = _file(known.token).stat().st_mtime_ns != known.stamp
    except FileNotFoundError:
        return known
    return (Session.load(known.token) or known) if changed and known.stamp else known


def replace_target(schema: Schema) -> Schema:
    """A schema without a target."""
    for name in schema.in_role("target"):
        schema = schema.change(name, role="feature")
    return schema


def _token() -> str:
    """The token of this tab: from the address, else a new one that no one can guess."""
    given = st.query_params.get(PARAMETER, "")
    return given if re.fullmatch(r"[A-Za-z0-9_\-]{16,64}", given) else secrets.token_urlsafe(15)


def session() -> Session:
    """The session of this tab, made or read back when need be."""
    if KEY not in st.session_state:
        token = _token()
        st.session_state["holdout_token"] = token
        st.session_state[KEY] = Session.load(token) or Session(token)
    found: Session = _newer(st.session_state[KEY])
    st.session_state[KEY] = found
    if st.query_params.get(PARAMETER) != found.token:  # Streamlit drops it on a page switch
        st.query_params[PARAMETER] = found.token
    return found


def is_local() -> bool:
    """Whether the server is reachable from this machine only."""
    return (st.get_option("server.address") or "") in LOOPBACK


def owner() -> str:
    """Whose workspace: everyone at this machine is one, elsewhere each tab is its own."""
    if is_local():
        return LOCAL
    token = st.session_state.get("holdout_token") or _token()
    return f"guest-{token}"


def workspace() -> Workspace:
    """The workspace of the owner."""
    return Workspace(owner())
