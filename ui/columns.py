"""The Data page's parts: what was read, the target, the alerts, the table of columns."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore import sources
from mlcore.alerts import Alert, Fix
from mlcore.dataset import KINDS, ROLES, Dataset
from mlcore.errors import HoldoutError
from mlcore.explore import head, histogram
from mlcore.profile import Profile, profile
from mlcore.result import number, shortened
from mlcore.target import suggested, task_words
from ui import cached, rereading
from ui.state import session, workspace
from ui.widgets import escape, help_card, key_of, trouble

MOST_ALERTS = 6
MOST_NOTES = 8
MARKS = {"high": ":red[●]", "medium": ":orange[●]", "low": ":gray[●]"}
NO_TARGET = "— nothing yet —"


def profiled(data: Dataset) -> Profile:
    """The profile of the whole dataset, with the alerts of its target; Data and Explore share it."""
    recipe = session().recipe
    target, task = (recipe.target, recipe.task) if recipe else (None, None)
    found: Profile = cached.result("profile", data, lambda: profile(data, target, task), target, task)
    return found


def header(data: Dataset) -> None:
    """Name, size, and how the bytes were understood."""
    st.title(escape(data.name, 80))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{number(data.rows)} rows × {number(len(data.schema))} columns. {escape(data.reading.words())}.",
            width="content",
        )
        rereading.change(data)
    for note in data.reading.notes[:MOST_NOTES]:
        st.caption(escape(note))


def report(data: Dataset) -> None:
    """The profile as one file to take away."""
    st.download_button(
        "Download this as a report (HTML)",
        data=lambda: _report(data),
        file_name="profile.html",
        mime="text/html",
        type="tertiary",
        icon=":material/download:",
        key="profile-report",
        on_click="ignore",
    )


def _report(data: Dataset) -> bytes:
    from mlcore.export.profile_report import profile_html

    return profile_html(profiled(data)).encode("utf-8")


def target_picker(data: Dataset) -> None:
    """What to predict, and the task in words."""
    st.subheader("What do you want to predict?")
    current = session()
    names = [NO_TARGET, *data.schema.names]
    chosen = current.target if current.target in names else NO_TARGET
    refused = st.session_state.get("target-refused", (0, None))
    picked = st.selectbox(
        "Target",
        names,
        index=names.index(chosen),
        key=f"target-{key_of(data.fingerprint, chosen, refused[0])}",
        label_visibility="collapsed",
    )
    if picked != chosen:
        try:
            current.aim(None if picked == NO_TARGET else picked)
        except HoldoutError as error:  # the box goes back to what holds, and says why
            st.session_state["target-refused"] = (st.session_state.get("target-refused", (0,))[0] + 1, error)
        st.rerun()
    if refused[1] is not None:
        trouble(refused[1])
        st.session_state["target-refused"] = (refused[0], None)
    if current.recipe is None:
        st.caption(
            "Choose the column that you would like to know before it is known. Without a target you can still explore."
        )
        likely = suggested(data.schema)
        if likely is not None and st.button(escape(f"Predict {shortened(likely, 40)}"), key="suggested-target"):
            _attempt(lambda: current.aim(likely))
        return
    column = data.schema[current.recipe.target]
    st.markdown(escape(task_words(column, current.recipe.task)))
    _other_task(column.dtype in ("integer", "float"), column.distinct)
    if current.recipe.task != "regression":
        found = cached.result("histogram", data, lambda: histogram(data, column.name), column.name)
        st.caption(escape(found.sentence()))


def _other_task(numbers: bool, distinct: int) -> None:
    """Numbers may be classes or amounts; a person may say so."""
    current = session()
    if not numbers or current.recipe is None or distinct < 3 or distinct > 200:
        return
    options = ["regression", "multiclass"]
    words = {"regression": "a quantity", "multiclass": "classes"}
    picked = st.segmented_control(
        "The numbers are",
        options,
        default=current.recipe.task,
        required=True,
        format_func=words.__getitem__,
        key=f"task-{key_of(current.recipe.target)}",
    )
    if picked != current.recipe.task:
        target = current.recipe.target
        _attempt(lambda: current.aim(target, picked or "auto"))


def _attempt(change: Any) -> None:
    """Make a change and draw again; or say why it cannot be made, keeping what was."""
    try:
        change()
    except HoldoutError as error:
        trouble(error)
        return
    st.rerun()


def alert_list(data: Dataset) -> None:
    """What to look at, the gravest first, each with the click that mends it."""
    found = profiled(data)
    count = len(found.alerts)
    st.subheader(
        "Nothing stands out" if not count else "One thing to look at" if count == 1 else f"{count} things to look at"
    )
    st.caption(escape(found.sentence()))
    for i, alert in enumerate(found.alerts[:MOST_ALERTS]):
        alert_line(alert, i)
    if count > MOST_ALERTS:
        with st.expander(f"{count - MOST_ALERTS} more"):
            for i, alert in enumerate(found.alerts[MOST_ALERTS:60], start=MOST_ALERTS):
                alert_line(alert, i)


def alert_line(alert: Alert, place: int) -> None:
    """One alert, the click that mends it, and its card."""
    with st.container(horizontal=True, vertical_alignment="top", wrap=False):
        st.markdown(f"{MARKS[alert.severity]} {escape(alert.text)}", width="stretch")
        fix, key = alert.fix, key_of(alert.code, alert.column, place)
        if fix is not None and session().mended(fix):
            st.badge("done", icon=":material/check:", color="green")
        elif fix is not None and st.button(fix.title, key=f"fix-{key}", type="secondary"):
            _attempt(lambda: _mend(fix))
        with st.popover("", icon=":material/help:", type="tertiary", help="What this is, and what to do"):
            help_card(alert.help, ALERT_CARD)


ALERT_CARD = ("What it is", "How it is found", "Why it matters", "What to do")


def _mend(fix: Fix) -> None:
    """Carry out a fix; rows kept once make another dataset, which keeps the target."""
    current = session()
    if fix.action != "rows":
        current.mend(fix)
        return
    data = cached.dataset()
    if data is not None:
        rereading.swap(sources.without_repeats(data, workspace()))


def editor(data: Dataset) -> None:
    """All columns; kind and role can be corrected in place."""
    st.subheader("Columns")
    found = profiled(data)
    frame = found.frame()
    frame["reason"] = [c.reason for c in data.schema]
    shape = key_of(data.fingerprint, *((c.kind, c.role) for c in data.schema))
    st.data_editor(
        frame,
        key=f"columns-{shape}",
        hide_index=True,
        height="content" if len(frame) <= 14 else 520,
        disabled=["name", "missing", "distinct", "typical", "distribution", "reason"],
        on_change=_edited,
        args=(f"columns-{shape}", [c.name for c in data.schema]),
        column_order=["name", "kind", "role", "missing", "distinct", "typical", "distribution", "reason"],
        column_config={
            "name": st.column_config.TextColumn("Column", width="medium", pinned=True),
            "kind": st.column_config.SelectboxColumn(
                "Kind", options=list(KINDS), required=True, help="What the cells are; correct it where it is wrong"
            ),
            "role": st.column_config.SelectboxColumn(
                "Role",
                options=list(ROLES),
                required=True,
                help="What the column is for; ignored columns are seen by no model",
            ),
            "missing": st.column_config.NumberColumn("Missing", format="localized"),
            "distinct": st.column_config.NumberColumn("Distinct", format="localized"),
            "typical": st.column_config.TextColumn(
                "Typical", width="medium", help="Median and middle half, or the most common levels"
            ),
            "distribution": st.column_config.BarChartColumn("Distribution", width="small", y_min=0),
            "reason": st.column_config.TextColumn("Why this kind", width="medium"),
        },
    )
    problem = st.session_state.pop("column-problem", None)
    if problem is not None:
        trouble(problem)


def _edited(key: str, names: list[str]) -> None:
    """Carry the edits of the table into the session, before the page is drawn again."""
    current = session()
    for row, changes in st.session_state[key]["edited_rows"].items():
        name = names[int(row)]
        try:
            if changes.get("kind"):
                current.set_kind(name, changes["kind"])
            if changes.get("role"):
                current.set_role(name, changes["role"])
        except HoldoutError as error:
            st.session_state["column-problem"] = error


def preview(data: Dataset) -> None:
    """The first rows."""
    st.subheader("Rows")
    frame = cached.result("head", data, lambda: head(data))
    st.dataframe(frame, height=300, key=f"rows-{data.fingerprint}")
    if data.rows > len(frame) or len(data.schema) > frame.shape[1]:
        wide = (
            f" and {frame.shape[1]} of {number(len(data.schema))} columns" if len(data.schema) > frame.shape[1] else ""
        )
        st.caption(f"The first {len(frame)} of {number(data.rows)} rows{wide}.")
