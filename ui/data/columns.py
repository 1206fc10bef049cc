"""Parts of the Data page: the file, the target, the alerts, the table of columns."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from mlcore.api import profile
from mlcore.data.dataset import KINDS, ROLES, Dataset
from mlcore.errors import HoldoutError
from mlcore.explore import head, histogram
from mlcore.explore.profile import Profile
from mlcore.export.profile_report import profile_html
from mlcore.features.recipe import Recipe
from mlcore.result import Alert
from mlcore.validation.target import load_target, suggested_target, task_words
from mlcore.wording import number, shortened
from ui import cached
from ui.data import reparse
from ui.state import session
from ui.widgets import error_box, escape, help_card, key_of

MOST_ALERTS = 10
MOST_PARTS = 60  # columns of one finding that are listed
MOST_NOTES = 8
MARKS = {"high": ":red[●]", "medium": ":orange[●]", "low": ":gray[●]"}
NO_TARGET = "— nothing yet —"


def profiled(data: Dataset) -> Profile:
    """The profile of the whole dataset, with the alerts of its target; Data and Explore share it."""
    recipe = session().recipe
    target, task = (recipe.target, recipe.task) if recipe else (None, "auto")
    protocol = session().protocol
    result: Profile = cached.result(
        "profile", data, lambda: profile(data, target, task, protocol=protocol), target, task, protocol
    )
    return result


def header(data: Dataset) -> None:
    """Name, size, and how the file was parsed."""
    st.title(escape(data.name, 80))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{number(data.rows)} rows × {number(len(data.schema))} columns. {escape(data.reading.words())}.",
            width="content",
        )
        reparse.change(data)
    reparse.choose_subset(data)
    for note in data.reading.notes[:MOST_NOTES]:
        st.caption(escape(note))


def report(data: Dataset) -> None:
    """The profile as one file to download."""
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
    return profile_html(profiled(data)).encode("utf-8")


def target_picker(data: Dataset) -> None:
    """The target, and the task in words."""
    st.subheader("What do you want to predict?")
    current = session()
    names = [NO_TARGET, *data.schema.names]
    target = current.target if current.target in names else NO_TARGET
    rejection = st.session_state.get("target-refused", (0, None))
    choice = st.selectbox(
        "Target",
        names,
        index=names.index(target),
        key=f"target-{key_of(data.fingerprint, target, rejection[0])}",
        label_visibility="collapsed",
    )
    if choice != target:
        try:
            current.set_target(None if choice == NO_TARGET else choice)
        except HoldoutError as error:  # the box returns to the valid target and shows why
            st.session_state["target-refused"] = (st.session_state.get("target-refused", (0,))[0] + 1, error)
        st.rerun()
    if rejection[1] is not None:
        error_box(rejection[1])
        st.session_state["target-refused"] = (rejection[0], None)
    if current.recipe is None:
        st.caption("Choose the column that you want to know in advance. Without a target you can still explore.")
        suggestion = suggested_target(data.schema)
        if suggestion is not None and st.button(escape(f"Predict {shortened(suggestion, 40)}"), key="suggested-target"):
            _attempt(lambda: current.set_target(suggestion))
        return
    column = data.schema[current.recipe.target]
    st.markdown(escape(task_words(column, current.recipe.task)))
    _other_task(column.dtype in ("integer", "float"), column.distinct)
    if current.recipe.task == "binary":
        _positive_class(data, current.recipe)
    if current.recipe.task != "regression":
        classes = cached.result("histogram", data, lambda: histogram(data, column.name), column.name)
        st.caption(escape(classes.sentence()))


def _positive_class(data: Dataset, recipe: Recipe) -> None:
    """The class that precision, recall and thresholds are about; the user can choose the other."""
    labels: list[str] = cached.result(
        "classes", data, lambda: [str(c) for c in load_target(data, recipe.target, "binary").classes], recipe.target
    )
    choice = st.segmented_control(
        "The positive class",
        sorted(labels),
        default=recipe.positive or labels[-1],
        required=True,
        key=f"positive-{key_of(data.fingerprint, recipe.target)}",
        help="What precision, recall, F1, average precision and thresholds are about: the event, not its absence.",
    )
    if choice is not None and choice != (recipe.positive or labels[-1]):
        session().set_positive(choice)
        st.rerun()


def _other_task(numbers: bool, distinct: int) -> None:
    """Numbers may be classes or a continuous target; the user can choose."""
    current = session()
    if not numbers or current.recipe is None or distinct < 3 or distinct > 200:
        return
    options = ["regression", "multiclass"]
    labels = {"regression": "continuous", "multiclass": "classes"}
    choice = st.segmented_control(
        "The numbers are",
        options,
        default=current.recipe.task,
        required=True,
        format_func=labels.__getitem__,
        key=f"task-{key_of(current.recipe.target)}",
    )
    if choice != current.recipe.task:
        target = current.recipe.target
        _attempt(lambda: current.set_target(target, choice or "auto"))


def _attempt(change: Any) -> None:
    """Make a change and rerun the page; if it is not valid, show why and keep the old state."""
    try:
        change()
    except HoldoutError as error:
        error_box(error)
        return
    st.rerun()


def alert_list(data: Dataset) -> None:
    """The alerts, most severe first, each with a button for its fix."""
    summary = profiled(data)
    count = len(summary.alerts)
    st.subheader(
        "Nothing stands out" if not count else "One thing to look at" if count == 1 else f"{count} things to look at"
    )
    st.caption(escape(summary.sentence()))
    undo_line()
    for i, alert in enumerate(summary.alerts[:MOST_ALERTS]):
        alert_line(alert, i)
    if count > MOST_ALERTS:
        with st.expander(f"{count - MOST_ALERTS} small things"):
            for i, alert in enumerate(summary.alerts[MOST_ALERTS:60], start=MOST_ALERTS):
                alert_line(alert, i)


def undo_line() -> None:
    """What the last fix did, and the button that takes it back."""
    undone = session().undone
    if not undone:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(escape(f"Done: {undone[-1]['title']}."), width="content")
        if st.button("Undo", key="undo-fix", type="tertiary", icon=":material/undo:"):
            _attempt(lambda: session().undo())


def alert_line(alert: Alert, place: int) -> None:
    """One alert and its help card, and below them the button for its fix, which would squeeze the text next to it."""
    fix, key = alert.fix, key_of(alert.code, alert.column, place)
    done = fix is not None and session().is_resolved(fix)
    with st.container(horizontal=True, vertical_alignment="top", wrap=False):
        st.markdown(f"{MARKS[alert.severity]} {escape(alert.text)}", width="stretch")
        if done:
            st.badge("done", icon=":material/check:", color="green")
        with st.popover("", icon=":material/help:", type="tertiary", help="What this is, and what to do"):
            if alert.help is not None:
                help_card(alert.help, ALERT_CARD)
    if fix is not None and not done and st.button(fix.title, key=f"fix-{key}", type="secondary"):
        _attempt(lambda: session().resolve(fix))
    if alert.parts:
        with st.expander(f"Each of the {len(alert.parts)} columns"):
            for part in alert.parts[:MOST_PARTS]:
                st.caption(escape(part.text))
            if len(alert.parts) > MOST_PARTS:
                st.caption(f"… and {len(alert.parts) - MOST_PARTS} more.")


ALERT_CARD = ("What it is", "How it is detected", "Why it matters", "What to do")


def editor(data: Dataset) -> None:
    """All columns; kind and role can be corrected in place."""
    st.subheader("Columns")
    summary = profiled(data)
    frame = summary.frame()
    frame["reason"] = [c.reason for c in data.schema]
    schema_key = key_of(data.fingerprint, *((c.kind, c.role) for c in data.schema))
    st.data_editor(
        frame,
        key=f"columns-{schema_key}",
        hide_index=True,
        height="content" if len(frame) <= 14 else 520,
        disabled=["missing", "distinct", "typical", "distribution", "reason"],
        on_change=_apply_edits,
        args=(f"columns-{schema_key}", [c.name for c in data.schema]),
        column_order=["name", "kind", "role", "missing", "distinct", "typical", "distribution", "reason"],
        column_config={
            "name": st.column_config.TextColumn("Column", width="medium", pinned=True, required=True),
            "kind": st.column_config.SelectboxColumn(
                "Kind", options=list(KINDS), required=True, help="What the values are; correct it if it is wrong"
            ),
            "role": st.column_config.SelectboxColumn(
                "Role",
                options=list(ROLES),
                required=True,
                help="What the column is used for; no model uses ignored columns",
            ),
            "missing": st.column_config.NumberColumn("Missing", format="localized"),
            "distinct": st.column_config.NumberColumn("Distinct", format="localized"),
            "typical": st.column_config.TextColumn(
                "Typical", width="medium", help="Median and interquartile range, or the most common categories"
            ),
            "distribution": st.column_config.BarChartColumn("Distribution", width="small", y_min=0),
            "reason": st.column_config.TextColumn("Why this kind", width="medium"),
        },
    )
    problem = st.session_state.pop("column-problem", None)
    if problem is not None:
        error_box(problem)
    with st.popover("Paste names", icon=":material/edit:", type="tertiary", help="For a file without a header"):
        text = st.text_area(
            "One name for each column, in order, separated by commas or lines", key=f"names-{schema_key}"
        )
        if st.button("Rename all", key=f"rename-{schema_key}", disabled=not text.strip()):
            _attempt(lambda: session().rename([n.strip() for n in re.split(r"[,;\t\n]", text.strip())]))


def _apply_edits(key: str, names: list[str]) -> None:
    """Apply the edits of the table to the session, before the page is drawn again."""
    current = session()
    for row, edits in st.session_state[key]["edited_rows"].items():
        name = names[int(row)]
        try:
            if edits.get("name"):
                current.rename({name: edits["name"]})
            if edits.get("kind"):
                current.set_kind(name, edits["kind"])
            if edits.get("role"):
                current.set_role(name, edits["role"])
        except HoldoutError as error:
            st.session_state["column-problem"] = error


def preview(data: Dataset) -> None:
    """The first rows."""
    st.subheader("Rows")
    frame = cached.result("head", data, lambda: head(data))
    st.dataframe(frame, height=300, key=f"rows-{data.fingerprint}")
    if data.rows > len(frame) or len(data.schema) > frame.shape[1]:
        columns = (
            f" and {frame.shape[1]} of {number(len(data.schema))} columns" if len(data.schema) > frame.shape[1] else ""
        )
        st.caption(f"The first {len(frame)} of {number(data.rows)} rows{columns}.")
