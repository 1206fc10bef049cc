"""The steps of the recipe as an ordered list of cards; adding, changing, moving, switching off, saving and loading."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from mlcore.errors import BadInput, HoldoutError
from mlcore.features.preview import mismatches, preview_recipe, without_mismatches
from mlcore.features.recipe import Recipe, is_closing
from mlcore.features.steps import STEPS, step_from_json
from mlcore.features.steps.base import Option, Step
from mlcore.wording import several
from ui import shell
from ui.features.suggested import suggested
from ui.state import session
from ui.widgets import error_box, escape

COLOURS = {
    "row by row": "green",
    "fitted in the fold": "blue",
    "uses the target, inside the fold": "violet",
    "changes training rows only": "orange",
}
SHOWN = "features.shown"  # the place of the step whose before and after is shown


def recipe_steps() -> None:
    """The whole left side: what is left out, undo, suggestions, the cards, a further step, files."""
    left_out()
    undo_line()
    suggested()
    cards()
    add()
    files()


def left_out() -> None:
    """The columns that no model uses."""
    schema = shell.dataset().schema
    ignored = schema.in_role("ignore")
    used = len(schema.features())
    st.markdown(
        f"**{used}** of {len(schema)} columns are features."
        + (f" Left out: {escape(several(ignored, 8))}." if ignored else "")
    )


def undo_line() -> None:
    """Undo and redo of the last changes."""
    undone, redone = session().undone, session().redone
    if not undone and not redone:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Undo", key="undo-step", type="tertiary", icon=":material/undo:", disabled=not undone):
            session().undo()
            st.rerun()
        if st.button("Redo", key="redo-step", type="tertiary", icon=":material/redo:", disabled=not redone):
            session().redo()
            st.rerun()
        if undone:
            st.caption(escape(f"Last change: {undone[-1]['title']}"), width="content")


def cards() -> None:
    """Each step in order, then what is done at the end for each model family."""
    recipe, schema = session().needed_recipe(), shell.dataset().schema
    acting = [i for i, s in enumerate(recipe.steps) if not is_closing(s)]
    if not acting:
        st.caption("No steps yet. Models work without any: what stands below is done for each of them.")
    for number, place in enumerate(acting, start=1):
        step = recipe.steps[place]
        with st.container(border=True):
            _head(f"{number} · {step.title}" + (" (off)" if step.off else ""), step)
            st.markdown(escape(words_of(step)))
            _actions(acting, number, step)
    closing = recipe.closing
    with st.container(border=True):
        st.markdown("**At the end, for each model family**")
        for line in recipe.closing_words(schema):
            st.markdown(escape(line))
        with st.expander("Change", key="change-closing"):
            for step in (closing.missing, closing.encode, closing.scale):
                st.markdown(f"**{step.title}**")
                _form(step, f"closing-{step.step}",
                      lambda changed: put(session().needed_recipe().with_step(changed), f"{changed.title} changed"),
                      columns=False)  # fmt: skip


def words_of(step: Step) -> str:
    """What a step does, in a sentence."""
    names = list(step.columns) if not isinstance(step.columns, str) else ["all columns that it is for"]
    return step.words(names)


def _head(title: str, step: Step) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{escape(title)}**")
        st.badge(step.works, color="gray" if step.off else COLOURS[step.works])  # type: ignore[arg-type]


def _actions(acting: list[int], number: int, step: Step) -> None:
    """Show what a step does, change it, move it, switch it off, remove it; `acting` are the places of the cards."""
    steps, place = list(session().needed_recipe().steps), acting[number - 1]
    with st.container(horizontal=True, gap="small"):
        if st.button("Show", key=f"show-{place}", help=f"Before and after step {number}"):
            session().choose(SHOWN, place)
            st.rerun()
        with st.popover("Change", key=f"change-{place}"):
            _form(step, f"step-{place}", partial(_put, place))
        if st.button("Switch on" if step.off else "Switch off", key=f"off-{place}"):
            _put(place, replace(step, off=not step.off), "switched on" if step.off else "switched off")
        for way, other in (("up", number - 2), ("down", number)):
            possible = 0 <= other < len(acting)
            if st.button("", key=f"{way}-{place}", icon=f":material/arrow_{way}ward:",
                         help=f"Move step {number} {way}", disabled=not possible):  # fmt: skip
                steps[acting[other]], steps[place] = steps[place], steps[acting[other]]
                put(session().needed_recipe().with_steps(steps), f"{step.title} moved {way}")
        if st.button("", key=f"remove-{place}", icon=":material/delete:", help=f"Remove step {number}"):
            rest = [s for i, s in enumerate(steps) if i != place]
            put(session().needed_recipe().with_steps(rest), f"{step.title} removed")


def _put(place: int, step: Step, what: str = "changed") -> None:
    steps = list(session().needed_recipe().steps)
    steps[place] = step
    session().choose(SHOWN, place)
    put(session().needed_recipe().with_steps(steps), f"{step.title} {what}")


def put(recipe: Recipe, title: str) -> None:
    """Use a changed recipe, if it is another one, and draw the page again."""
    if recipe != session().recipe:
        session().set_recipe(recipe, title)
    st.rerun()


# forms ----------------------------------------------------------------------------------------------------------------


def _form(step: Step, key: str, use: Callable[[Any], None], columns: bool = True, label: str = "Use") -> None:
    """The columns and options of a step as inputs, and the button that uses them."""
    with st.form(key, border=False):
        values: dict[str, Any] = {}
        if columns:
            schema = shell.dataset().schema.features()
            able = step.nameable(schema)
            made = [c for c in step.columns if c not in able] if not isinstance(step.columns, str) else []
            named = [] if isinstance(step.columns, str) else list(step.columns)
            placeholder = "all that it is for" if step.has_auto else f"choose {step.fewest} or more"
            chosen = st.multiselect("Columns", [*able, *made], named, placeholder=placeholder, key=f"{key}-columns",
                                    accept_new_options=True)  # fmt: skip
            values["columns"] = chosen or "auto"
            if refused := step.refused(schema):
                st.caption(escape(refused))
        for name, option in step.options().items():
            values[name] = _input(option, getattr(step, name), f"{key}-{name}")
        if st.form_submit_button(label, key=f"{key}-use"):
            try:
                use(step.change(**values))
            except HoldoutError as error:
                error_box(error)


def _input(option: Option, value: Any, key: str) -> Any:
    """The input of one option, by what it takes."""
    if option.choices is None and isinstance(value, bool):
        return st.toggle(option.label, value, key=key)
    if option.choices is None and isinstance(value, tuple):
        text = st.text_input(option.label, ", ".join(map(str, value)), key=key, placeholder="20, 40, 60")
        return [part.strip() for part in text.split(",") if part.strip()]
    if option.choices is None and isinstance(value, str):
        return st.text_input(option.label, value, key=key)
    if option.choices is None:
        kind = type(value)
        low, high = (None, None) if option.high >= 1e15 else (kind(option.low), kind(option.high))
        return kind(st.number_input(option.label, low, high, value, key=key))
    choices, words = list(option.choices), option.choices.__getitem__
    if option.several:
        return (
            st.pills(option.label, choices, selection_mode="multi", default=list(value), format_func=words, key=key)
            or value
        )
    return st.selectbox(option.label, choices, choices.index(value), format_func=words, key=key)


def add() -> None:
    """Choose a step, say how it works, and add it."""
    with st.container(border=True):
        st.markdown("**Add a step**")
        name = st.selectbox("Step", list(STEPS), 1, format_func=lambda n: STEPS[n].title, key="add-step")
        step = STEPS[name]()
        st.badge(step.works, color=COLOURS[step.works])  # type: ignore[arg-type]
        st.caption(escape(step.help.what))
        _form(step, f"add-{name}", _add, label="Add")


def _add(step: Step) -> None:
    recipe = checked(session().needed_recipe().with_step(step))
    session().choose(SHOWN, len(recipe.steps) - 1)
    put(recipe, f"{step.title} added")


def checked(recipe: Recipe) -> Recipe:
    """The recipe, if the data allow it. Raises BadInput."""
    preview_recipe(shell.dataset(), recipe, session().protocol, "linear")
    return recipe


# files ----------------------------------------------------------------------------------------------------------------


def files() -> None:
    """Save the recipe, or load one; what does not match the data is listed, and can be left out."""
    recipe = session().needed_recipe()
    with st.expander("Save or load the recipe"):
        st.download_button("Save as JSON", json.dumps(recipe.to_json(), indent=1), "recipe.json", key="save-recipe")
        text = st.text_area("Paste a recipe", key="paste-recipe", placeholder='{"steps": [{"step": "clip"}]}')
        if not text:
            return
        try:
            loaded = recipe.with_steps(_steps_of(text))
            wrong = mismatches(shell.dataset(), loaded, session().protocol)
        except HoldoutError as error:
            error_box(error)
            return
        for one in wrong:
            st.markdown(escape(one.sentence()))
        fitting = without_mismatches(loaded, wrong)
        label = "Use this recipe" if not wrong else f"Use the other {len(fitting.steps)} steps"
        if st.button(label, key="load-recipe", disabled=not fitting.steps):
            put(fitting, "Recipe loaded")


def _steps_of(text: str) -> list[Step]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadInput(f"This is not JSON: {error}. Paste what 'Save as JSON' wrote.") from None
    steps = data.get("steps") if isinstance(data, dict) else data
    if not isinstance(steps, list):
        raise BadInput('A recipe has a list of steps: {"steps": [{"step": "clip"}]}.')
    return [step_from_json(s) for s in steps]
