"""Before and after: one step of the recipe, or all of them together as a model gets them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.features.preview import Preview, StepPreview, preview_recipe, preview_step
from mlcore.features.recipe import is_closing
from mlcore.models.catalogue import Family
from mlcore.wording import value_text
from ui import cached, shell
from ui.features.cards import SHOWN
from ui.state import session
from ui.widgets import error_box, escape, quiet_row, select, show, view_switch

FAMILIES: dict[str, Family] = {"Linear models, neighbours": "linear", "Trees and boosting": "tree"}
ALL = "All steps together: what a model gets"
MARKED = "background-color: rgba(224, 122, 31, 0.28)"


def before_after() -> None:
    """The step in hand, or all steps."""
    recipe = session().needed_recipe()
    places = {f"{n} · {recipe.steps[i].title}": i for n, i in enumerate(
        (i for i, s in enumerate(recipe.steps) if not is_closing(s)), start=1)}  # fmt: skip
    st.subheader("Before and after")
    if not places:
        _everything()
        return
    labels = [*places, ALL]
    shown = session().choices.get(SHOWN)
    at = next((label for label, place in places.items() if place == shown), ALL)
    chosen = st.selectbox("Of", labels, labels.index(at), key=f"shown-{shown}-{len(labels)}")
    session().choose(SHOWN, places.get(chosen))
    if chosen == ALL:
        _everything()
    else:
        _step(places[chosen])


def _step(place: int) -> None:
    """Distributions, and ten rows with the changed cells marked."""
    data, recipe, protocol = shell.dataset(), session().needed_recipe(), session().protocol

    def make(column: str | None) -> StepPreview:
        made: StepPreview = cached.result(
            "step-preview", data, lambda: preview_step(data, recipe, protocol, place, column),
            recipe, protocol, place, column,
        )  # fmt: skip
        return made

    try:
        result = make(None)
    except HoldoutError as error:
        error_box(error)
        return
    column = result.column
    if len(result.columns) > 1 and result.column in result.columns:
        column = select(f"features.column-{place}", "Column", list(result.columns), result.column)
        result = make(column)
    show(lambda: result, f"step-preview-{place}-{column}")
    left, right = st.columns(2)
    with left:
        st.caption("Before" if result.rows[0] <= result.rows[1] else "Rows that are left out")
        st.dataframe(result.before, key=f"step-before-{place}")
    if result.rows[0] <= result.rows[1]:
        with right:
            st.caption("After; changed cells are marked")
            st.dataframe(_marked(result), key=f"step-after-{place}")


def _marked(result: StepPreview) -> object:
    marks = result.marks().to_numpy()
    style = pd.DataFrame("", index=result.after.index, columns=result.after.columns).mask(marks, MARKED)
    return result.after.style.format(value_text, na_rep="").apply(lambda _: style, axis=None)


def _everything() -> None:
    """Ten training rows, as they are and as a model gets them."""
    data, recipe, protocol = shell.dataset(), session().needed_recipe(), session().protocol
    family = FAMILIES[view_switch("features.family", "Family", list(FAMILIES))]
    try:
        result: Preview = cached.result(
            "preview", data, lambda: preview_recipe(data, recipe, protocol, family), recipe, protocol, family
        )
    except HoldoutError as error:
        error_box(error)
        return
    st.markdown(escape(result.sentence()))
    st.caption("Before: ten training rows")
    st.dataframe(result.before, hide_index=True, key="before")
    st.caption("After: the same rows, as numbers")
    st.dataframe(result.after.round(3), hide_index=True, key="after")
    quiet_row(result, f"features-{family}", chart=False)
