"""Parts of the Models page: the protocol in one line, the split wizard, and the checks before a run."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mlcore.checks import split
from mlcore.errors import HoldoutError
from mlcore.experiment.split_advice import SplitAnswers, column_candidates, recommended
from mlcore.experiment.split_preview import SplitPreview, split_preview
from mlcore.result import MISLEADING, Alert
from mlcore.validation.metrics import DEFAULTS, for_task
from mlcore.validation.protocol import Protocol, SplitKind, repeats_for
from ui import cached, shell
from ui.data.columns import alert_line, profiled
from ui.state import session
from ui.widgets import error_box, escape, show

SPLITS: dict[SplitKind, str] = {
    "auto": "automatic",
    "stratified": "stratified: same class proportions in each fold",
    "random": "random",
    "group": "by group: each group on one side only",
    "time": "by time: the past predicts the future",
    "validation": "once: training, validation and holdout rows",
    "leave_one_out": "leave one out: one fold per row",
}
NONE = "— none —"
MOST_CHECKS = 4


def line() -> None:
    """The protocol in one line, and the buttons to change it."""
    current, recipe, data = session(), session().needed_recipe(), shell.dataset()
    st.subheader("How they are compared")
    try:
        resolved = current.protocol.with_roles(data.schema)
        title = resolved.metric_for(recipe.task).title
        suffix = " · race" if resolved.races(data.rows) else ""
        st.markdown(f"{escape(resolved.words(recipe.task, data.rows))} · **{escape(title)}**{suffix}")
    except HoldoutError as error:
        error_box(error)
    with st.container(horizontal=True, gap="small"):
        popover = st.popover("Change", icon=":material/tune:", key="protocol-change", on_change="rerun")
        wizard = st.button("Help me choose", icon=":material/assistant:", key="wizard")
        folds = st.popover("The folds", icon=":material/splitscreen:", key="fold-picture", on_change="rerun")
    if popover.open:
        with popover:
            _form(data.rows)
    if wizard:
        st.dialog("How will the model be used?", width="medium")(_wizard)()
    if folds.open:
        with folds:
            show(lambda: _folds(current.protocol), "folds")


def _folds(protocol: Protocol) -> SplitPreview:
    data, recipe = shell.dataset(), session().needed_recipe()
    folds: SplitPreview = cached.result("folds", data, lambda: split_preview(data, recipe, protocol), recipe, protocol)
    return folds


def _use(protocol: Protocol) -> bool:
    """Set the protocol, or show why it is not valid."""
    current = session()
    try:
        protocol.checked().with_roles(current.needed_schema())
        current.set_protocol(protocol)
    except HoldoutError as error:
        error_box(error)
        return False
    return True


def _form(rows: int) -> None:
    """The protocol as a form."""
    with st.form("protocol", border=False):
        protocol = _speed(_sizes(_metric_and_split(session().protocol), rows))
        messages = st.container()  # above the button, where it is visible
        if st.form_submit_button("Use this", type="primary"):
            with messages:
                is_valid = _use(protocol)
            if is_valid:
                st.toast("Models will be compared this way.")
                st.rerun()


def _metric_and_split(now: Protocol) -> Protocol:
    """The metric and the split."""
    task, columns = session().needed_recipe().task, [NONE, *shell.dataset().schema.names]
    metrics = ["auto", *(m.name for m in for_task(task))]
    titles = {m.name: f"{m.title}: {m.note}" for m in for_task(task)}
    titles["auto"] = f"default of the task ({titles[DEFAULTS[task]].split(':')[0]})"
    metric = st.selectbox("Rank by", metrics, _index(metrics, now.metric), format_func=titles.__getitem__)
    kind: SplitKind = st.selectbox("Split", list(SPLITS), list(SPLITS).index(now.split), format_func=SPLITS.__getitem__)
    group = st.selectbox("Group column", columns, _index(columns, now.group))
    time = st.selectbox("Time column", columns, _index(columns, now.time))
    return replace(now, metric=metric, split=kind, group=None if group == NONE else group,
                   time=None if time == NONE else time)  # fmt: skip


def _sizes(now: Protocol, rows: int) -> Protocol:
    """The numbers of folds and repeats, and the rows that are set aside."""
    default = repeats_for(rows)
    folds = st.slider("Folds", 2, 20, min(now.folds, 20))
    repeats = st.slider("Repeats", 1, 10, now.repeats or default,
                        help="More repeats give narrower intervals and take longer")  # fmt: skip
    holdout = st.slider("Holdout, % of the rows", 0, 50, round(100 * now.holdout), 5,
                        help="Set aside before anything is chosen; opened on purpose at the end")  # fmt: skip
    validation = st.slider("Validation, % of the rows", 5, 30, round(100 * now.validation), 5,
                           help="Only if rows are split once")  # fmt: skip
    override = repeats if repeats != default or now.repeats is not None else None
    return replace(now, folds=folds, repeats=override, holdout=holdout / 100, validation=validation / 100)


def _speed(now: Protocol) -> Protocol:
    """Race and speed, the seed, and the time limit of a model."""
    races = {"automatic (from 30,000 rows)": None, "on": True, "off": False}
    chosen = st.selectbox("Race", list(races), list(races.values()).index(now.race),
                          help="Stop models that can no longer be in the top group; the others run on all "
                          "folds")  # fmt: skip
    fast = st.toggle("Use scikit-learn-intelex", now.fast, help="Faster forests and kernel machines if it is "
                     "installed; their scores change slightly")  # fmt: skip
    seed = st.number_input("Seed", 0, 2**31 - 1, now.seed)
    limit = st.number_input("Time limit for each model, seconds", 1, 86_400, int(now.time_limit))
    return replace(now, race=races[chosen], fast=fast, seed=int(seed), time_limit=float(limit))


def _index(options: list[str], value: str | None) -> int:
    return options.index(value) if value in options else 0


def _wizard() -> None:
    """Questions about the rows, the split that follows from the answers, and its chart."""
    data, now = shell.dataset(), session().protocol
    groups, times = column_candidates(data)
    entity = next((a for a in profiled(data).alerts if a.code == "groups" and a.column in groups), None)
    likely = now.group or (entity.column if entity is not None else None)
    group = st.selectbox(
        "Do several rows belong to one group, such as a customer or a patient?",
        [NONE, *groups],
        _index([NONE, *groups], likely),
        format_func=lambda n: "no, rows are independent" if n == NONE else f"yes, given by {n}",
        key="wizard-entity",
    )
    if entity is not None and group == entity.column:
        st.caption(escape(entity.text))
    is_known = group != NONE and st.toggle(
        "Predictions will only be about groups that are already in these data", key="wizard-known"
    )
    time = st.selectbox(
        "Do the rows have a date or time?",
        [NONE, *times],
        _index([NONE, *times], now.time),
        format_func=lambda n: "no, or it does not matter" if n == NONE else f"yes, {n}",
        key="wizard-moment",
    )
    is_future = time != NONE and st.toggle(
        "The model will predict rows that are later than all of these", now.split == "time", key="wizard-future"
    )
    answers = SplitAnswers(None if group == NONE else group, None if time == NONE else time, is_future, is_known)
    protocol, reason = recommended(now, answers, session().needed_recipe().task)
    st.markdown(escape(reason))
    show(lambda: _folds(protocol), "wizard-folds")
    if st.button("Use this split", type="primary", key="wizard-use") and _use(protocol):
        st.rerun()


def checks() -> None:
    """Problems of the data and the split that bias the scores, each with a button for its fix."""
    data, recipe, protocol = shell.dataset(), session().needed_recipe(), session().protocol
    try:
        protocol.checked().with_roles(data.schema)
    except HoldoutError:  # already shown above
        return
    try:
        review: split.Review = cached.result(
            "leaks", data, lambda: split.review(data, recipe, protocol), recipe, protocol
        )  # fmt: skip
    except HoldoutError as error:
        error_box(error)
        return
    warnings = [a for a in profiled(data).alerts if a.code in MISLEADING]
    alerts: list[Alert] = [a for a in (*review.alerts, *warnings) if a.fix is None or not session().is_resolved(a.fix)]
    for note in review.notes:
        st.caption(escape(note))
    if not alerts:
        st.caption(":material/check_circle: No problem found that would bias the scores.")
        return
    for position, alert in enumerate(alerts[:MOST_CHECKS]):
        alert_line(alert, position + 1000)
    if len(alerts) > MOST_CHECKS:
        with st.expander(f"{len(alerts) - MOST_CHECKS} more"):
            for position, alert in enumerate(alerts[MOST_CHECKS:], start=MOST_CHECKS):
                alert_line(alert, position + 1000)
