"""Steps that the data suggest: each with its reason, added one by one or all at once."""

from __future__ import annotations

import streamlit as st

from mlcore.api import profile
from mlcore.explore.profile import Profile
from mlcore.features.suggestions import Suggestion, suggestions, with_suggestions
from ui import cached, shell
from ui.features import ledger
from ui.state import session
from ui.widgets import escape


def _profiled() -> Profile:
    """The profile of the training rows, with the alerts of the target."""
    data, recipe, protocol = cached.training() or shell.dataset(), session().needed_recipe(), session().protocol
    known: Profile = cached.result(
        "training-profile", data, lambda: profile(data, recipe.target, recipe.task, protocol=protocol),
        recipe.target, recipe.task, protocol,
    )  # fmt: skip
    return known


def suggested() -> None:
    """At most five steps, each with what it does and why; they can be measured as soon as they are added."""
    offered = suggestions(_profiled(), session().needed_recipe())
    if not offered:
        return
    with st.expander(f"Suggested: {len(offered)}", expanded=not session().needed_recipe().steps, key="suggested"):
        for place, one in enumerate(offered):
            st.markdown(f"**{escape(one.words())}**  \n{escape(one.reason)}")
            if st.button("Add", key=f"suggested-{place}"):
                _use((one,))
        if len(offered) > 1 and st.button("Add all, and measure each", key="suggested-all", type="primary"):
            _use(offered)
            ledger.begin()
            st.rerun()


def _use(chosen: tuple[Suggestion, ...]) -> None:
    title = chosen[0].step.title if len(chosen) == 1 else f"{len(chosen)} suggested steps"
    session().set_recipe(with_suggestions(session().needed_recipe(), chosen), f"{title} added")
    if len(chosen) == 1:
        st.rerun()
