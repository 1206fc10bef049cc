"""Parts of the Features page: the steps as an ordered list of cards, adding and changing them, and the preview."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

from mlcore.api import Aim, begin, plan
from mlcore.comparison.step_ledger import is_ledger_of, step_ledger_of, without_each_step
from mlcore.errors import BadInput, HoldoutError
from mlcore.experiment.candidate import Choice
from mlcore.features.preview import Preview, preview_recipe
from mlcore.features.recipe import Recipe, is_closing
from mlcore.features.steps import STEPS, step_from_json
from mlcore.features.steps.base import Option, Step
from mlcore.models.catalogue import Family
from mlcore.run import Run
from mlcore.runs.process import launch
from mlcore.wording import several
from ui import cached, shell
from ui.state import session, workspace
from ui.widgets import error_box, escape, quiet_row, show, view_switch

COLOURS = {
    "row by row": "green",
    "fitted in the fold": "blue",
    "uses the target, inside the fold": "violet",
    "changes training rows only": "orange",
}
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
    """Each step in order, then what is done at the end for each model family."""
    recipe, schema = _recipe(), shell.dataset().schema
    acting = [(i, s) for i, s in enumerate(recipe.steps) if not is_closing(s)]
    for number, (place, step) in enumerate(acting, start=1):
        with st.container(border=True):
            _head(f"{number} · {step.title}", step)
            st.markdown(escape(_words(step)))
            _actions(place)
            with st.expander("Change", key=f"change-{place}"):
                _form(step, f"step-{place}", lambda changed, place=place: _put(place, changed))
    closing = recipe.closing
    with st.container(border=True):
        st.markdown("**At the end, for each model family**")
        for line in recipe.closing_words(schema):
            st.markdown(escape(line))
        with st.expander("Change", key="change-closing"):
            for step in (closing.missing, closing.encode, closing.scale):
                st.markdown(f"**{step.title}**")
                _form(step, f"closing-{step.step}", lambda changed: _set(_recipe().with_step(changed)), columns=False)


def _words(step: Step) -> str:
    names = list(step.columns) if not isinstance(step.columns, str) else ["all columns that it is for"]
    return step.words(names)


def _head(title: str, step: Step) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{escape(title)}**")
        st.badge(step.works, color=COLOURS[step.works])  # type: ignore[arg-type]


def _actions(place: int) -> None:
    """Move a step up or down, or remove it."""
    steps = list(_recipe().steps)
    with st.container(horizontal=True, gap="small"):
        if st.button("Up", key=f"up-{place}", disabled=place == 0):
            steps[place - 1], steps[place] = steps[place], steps[place - 1]
            _set(_recipe().with_steps(steps))
        if st.button("Down", key=f"down-{place}", disabled=place == len(steps) - 1):
            steps[place + 1], steps[place] = steps[place], steps[place + 1]
            _set(_recipe().with_steps(steps))
        if st.button("Remove", key=f"remove-{place}"):
            _set(_recipe().with_steps([s for i, s in enumerate(steps) if i != place]))


def _put(place: int, step: Step) -> None:
    steps = list(_recipe().steps)
    steps[place] = step
    _set(_recipe().with_steps(steps))


def _set(recipe: Recipe) -> None:
    session().set_recipe(recipe)
    st.rerun()


def _form(step: Step, key: str, use: Any, columns: bool = True, label: str = "Use") -> None:
    """The columns and options of a step as inputs, and the button that uses them."""
    with st.form(key, border=False):
        values: dict[str, Any] = {}
        if columns:
            able = step.nameable(shell.dataset().schema.features())
            made = [c for c in step.columns if c not in able] if not isinstance(step.columns, str) else []
            named = [] if isinstance(step.columns, str) else list(step.columns)
            placeholder = "all that it is for" if step.has_auto else f"choose {step.fewest} or more"
            chosen = st.multiselect("Columns", [*able, *made], named, placeholder=placeholder, key=f"{key}-columns",
                                    accept_new_options=True)  # fmt: skip
            values["columns"] = chosen or "auto"
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
        _form(step, f"add-{name}", lambda made: _set(_checked(_recipe().with_step(made))), label="Add")


def _checked(recipe: Recipe) -> Recipe:
    """The recipe, if the data allow it. Raises BadInput."""
    preview_recipe(shell.dataset(), recipe, session().protocol, "linear")
    return recipe


def files() -> None:
    """Save the recipe, load one, or take all steps out."""
    recipe = _recipe()
    with st.expander("Save or load the recipe"):
        st.download_button("Save as JSON", json.dumps(recipe.to_json(), indent=1), "recipe.json", key="save-recipe")
        text = st.text_area("Paste a recipe", key="paste-recipe", placeholder='{"steps": [{"step": "clip"}]}')
        if st.button("Use this recipe", key="load-recipe", disabled=not text):
            try:
                _set(_checked(recipe.with_steps(_steps_of(text))))
            except HoldoutError as error:
                error_box(error)


def _steps_of(text: str) -> list[Step]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadInput(f"This is not JSON: {error}. Paste what 'Save as JSON' wrote.") from None
    steps = data.get("steps") if isinstance(data, dict) else data
    if not isinstance(steps, list):
        raise BadInput('A recipe has a list of steps: {"steps": [{"step": "clip"}]}.')
    return [step_from_json(s) for s in steps]


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


def ledger() -> None:
    """Did the steps help: the recipe against itself without each step."""
    if not _recipe().steps:
        return
    st.subheader("Did it help?")
    names: list[list[str]] = session().choices.get("features.ledger", [])
    folders = [(step, workspace().root / "runs" / name) for step, name in names]
    runs = [(step, Run(folder)) for step, folder in folders if (folder / "experiment.json").exists()]
    if not runs or not is_ledger_of(_recipe(), runs[0][1]):
        _begin_ledger()
        return
    live = any(r.progress().live for _, r in runs)

    @st.fragment(run_every=0.7 if live else None)
    def progress() -> None:
        states = [r.progress() for _, r in runs]
        if any(p.live for p in states):
            fraction = sum(p.fraction for p in states) / len(states)
            st.progress(min(1.0, fraction), text="Comparing the recipe with itself without each step")
        elif live:
            st.rerun()
        else:
            show(lambda: step_ledger_of(list(runs)), "ledger")

    progress()


def _start(folder: Path, _: int | None) -> None:
    """Start one worker with one task process: there are as many workers as steps."""
    launch(folder, 1)


def _begin_ledger() -> None:
    recipe = _recipe()
    st.markdown(
        "The recipe is compared with itself without each step, on the same folds, with a linear model and boosted "
        "trees."
    )
    if not st.button("Measure each step", key="ledger-start"):
        return
    try:
        data, experiment = plan(
            shell.dataset(), Aim(recipe.target, recipe.task, recipe), session().protocol, Choice(preset="quick")
        )
        begun = [
            (step, begin(data, other, workspace().new_run(data.name), _start))
            for step, other in without_each_step(experiment)
        ]
    except HoldoutError as error:
        error_box(error)
        return
    session().choose("features.ledger", [[step, run.path.name] for step, run in begun])
    st.rerun()
