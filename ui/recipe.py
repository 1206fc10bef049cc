"""The Features page's parts: the steps as cards with their choices, and the preview."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_args

import streamlit as st

from mlcore.dataset import Schema
from mlcore.errors import HoldoutError
from mlcore.features.preview import Preview, preview_recipe
from mlcore.features.recipe import Recipe
from mlcore.features.steps import DATE_PARTS, Encode, Fill, Scaling, Step
from mlcore.models import Family
from mlcore.result import several
from ui import cached, shell
from ui.state import session
from ui.widgets import escape, quiet_row, switch, trouble

COLOURS = {"row by row": "green", "fitted in the fold": "blue", "uses the target, inside the fold": "violet"}
# What each option may be, in words; the order is that of the select box.
WORDS: dict[str, dict[Any, str]] = {
    "numbers": {"auto": "as each model needs it", "median": "median", "mean": "mean", "zero": "zero"},
    "method:encode_categories": {
        "auto": "as each model needs it",
        "onehot": "a column a level (one-hot)",
        "ordinal": "a code a level",
        "target": "mean of the target",
    },
    "method:scale": {
        "auto": "as each model needs it",
        "standard": "mean 0, spread 1",
        "robust": "median 0, quartile range 1",
        "minmax": "from 0 to 1",
        "power": "evened out by a power",
        "none": "leave as they are",
    },
}
FAMILIES: dict[str, Family] = {"Linear models, neighbours": "linear", "Trees and boosting": "tree"}
assert set(WORDS["numbers"]) == set(get_args(Fill))
assert set(WORDS["method:encode_categories"]) == set(get_args(Encode))
assert set(WORDS["method:scale"]) == set(get_args(Scaling))


def _recipe() -> Recipe:
    found = session().recipe
    assert found is not None  # the shell lets a page through only with a target
    return found


def left_out() -> None:
    """Which columns no model sees."""
    schema = shell.dataset().schema
    ignored = schema.in_role("ignore")
    used = len(schema.features())
    st.markdown(
        f"**{used}** of {len(schema)} columns are features."
        + (f" Left out: {escape(several(ignored, 8))}." if ignored else "")
    )


def cards() -> None:
    """Each step in order."""
    schema = shell.dataset().schema
    idle = [step.title for step, met in _recipe().walk(schema) if not step.applies(met)]
    steps = [(step, met) for step, met in _recipe().walk(schema) if step.applies(met)]
    for number, (step, met) in enumerate(steps, start=1):
        with st.container(border=True):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f"**{number} · {step.title}**")
                st.badge(step.works(met), color=COLOURS[step.works(met)])  # type: ignore[arg-type]
            st.markdown(escape(step.words(met)))
            _controls(step, met)
    if idle:
        st.caption(f"With nothing to do for these data: {several(idle).lower()}.")


def _controls(step: Step, schema: Schema) -> None:
    """The options of a step: a choice, a switch, or parts."""
    changed = step
    for field in fields(step):
        value = getattr(step, field.name)
        words = WORDS.get(field.name) or WORDS.get(f"{field.name}:{step.name}")
        key = f"step-{step.name}-{field.name}"
        if words is not None:
            options = list(words)
            new: Any = st.selectbox(
                "Method" if field.name == "method" else field.name.capitalize(),
                options,
                options.index(value),
                format_func=words.__getitem__,
                key=key,
            )
        elif isinstance(value, bool):
            new = st.toggle("Add a column that marks where", value, key=key)
        elif field.name == "parts" and schema.named("datetime"):
            new = tuple(st.pills("Parts", DATE_PARTS, selection_mode="multi", default=list(value), key=key)) or value
            new = tuple(p for p in DATE_PARTS if p in new)
        elif field.name == "most_levels":
            new = int(st.number_input("Levels above which the mean of the target is used", 2, 500, value, key=key))
        elif field.name == "rarest":
            new = int(st.number_input("Join levels of fewer rows than", 1, 1000, value, key=key))
        else:
            continue
        changed = replace(changed, **{field.name: new})
    if changed != step:
        session().set_step(changed)
        st.rerun()


def preview() -> None:
    """Ten training rows, as they are and as a model sees them."""
    data, recipe, protocol = shell.dataset(), _recipe(), session().protocol
    st.subheader("What a model sees")
    family = FAMILIES[switch("features.family", "Family", list(FAMILIES))]

    def make() -> Preview:
        found: Preview = cached.result(
            "preview", data, lambda: preview_recipe(data, recipe, protocol, family), recipe, protocol, family
        )
        return found

    try:
        found = make()
    except HoldoutError as error:
        trouble(error)
        return
    st.markdown(escape(found.sentence()))
    st.caption("Before: ten training rows")
    st.dataframe(found.before, hide_index=True, key="before")
    st.caption("After: the same rows, as numbers")
    st.dataframe(found.after.round(3), hide_index=True, key="after")
    quiet_row(found, f"features-{family}")
