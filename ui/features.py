"""Parts of the Features page: the steps as cards with their options, and the preview."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.features.preview import Preview, preview_recipe
from mlcore.features.recipe import Recipe
from mlcore.features.steps import Option, Step
from mlcore.models.catalogue import Family
from mlcore.wording import several
from ui import cached, shell
from ui.state import session
from ui.widgets import error_box, escape, quiet_row, view_switch

COLOURS = {"row by row": "green", "fitted in the fold": "blue", "uses the target, inside the fold": "violet"}
FAMILIES: dict[str, Family] = {"Linear models, neighbours": "linear", "Trees and boosting": "tree"}


def _recipe() -> Recipe:
    recipe = session().recipe
    assert recipe is not None  # the shell draws this page only if there is a target
    return recipe


def left_out() -> None:
    """The columns that no model uses."""
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
    idle = [step.title for step, input_schema in _recipe().walk(schema) if not step.applies(input_schema)]
    steps = [(step, input_schema) for step, input_schema in _recipe().walk(schema) if step.applies(input_schema)]
    for number, (step, input_schema) in enumerate(steps, start=1):
        with st.container(border=True):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f"**{number} · {step.title}**")
                st.badge(step.works(input_schema), color=COLOURS[step.works(input_schema)])  # type: ignore[arg-type]
            st.markdown(escape(step.words(input_schema)))
            _controls(step)
    if idle:
        st.caption(f"Not needed for these data: {several(idle).lower()}.")


def _controls(step: Step) -> None:
    """The options of a step, as inputs."""
    values = {
        name: _input(option, getattr(step, name), f"step-{step.name}-{name}") for name, option in step.options().items()
    }
    changed = step.change(**values)
    if changed != step:
        session().set_step(changed)
        st.rerun()


def _input(option: Option, value: Any, key: str) -> Any:
    """The input of one option, by what it takes."""
    if option.choices is None and isinstance(value, bool):
        return st.toggle(option.label, value, key=key)
    if option.choices is None:
        return int(st.number_input(option.label, option.low, option.high, value, key=key))
    choices, words = list(option.choices), option.choices.__getitem__
    if option.several:
        return (
            st.pills(option.label, choices, selection_mode="multi", default=list(value), format_func=words, key=key)
            or value
        )
    return st.selectbox(option.label, choices, choices.index(value), format_func=words, key=key)


def preview() -> None:
    """Ten training rows, as they are and as a model gets them."""
    data, recipe, protocol = shell.dataset(), _recipe(), session().protocol
    st.subheader("What a model gets")
    family = FAMILIES[view_switch("features.family", "Family", list(FAMILIES))]

    def make() -> Preview:
        result: Preview = cached.result(
            "preview", data, lambda: preview_recipe(data, recipe, protocol, family), recipe, protocol, family
        )
        return result

    try:
        result = make()
    except HoldoutError as error:
        error_box(error)
        return
    st.markdown(escape(result.sentence()))
    st.caption("Before: ten training rows")
    st.dataframe(result.before, hide_index=True, key="before")
    st.caption("After: the same rows, as numbers")
    st.dataframe(result.after.round(3), hide_index=True, key="after")
    quiet_row(result, f"features-{family}")
