"""The Models page: how models are judged, in one line; the wizard that finds the right split; the checks before."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mlcore import leaks
from mlcore.alerts import Alert
from mlcore.compare.folds import Answers, Folds, advised, candidates_for, folds_of
from mlcore.errors import HoldoutError
from mlcore.metrics import DEFAULTS, for_task
from mlcore.protocol import Protocol, SplitKind, repeats_for
from ui import cached, shell
from ui.columns import alert_line, profiled
from ui.state import session
from ui.widgets import escape, show, trouble

SPLITS: dict[SplitKind, str] = {
    "auto": "by what the data are",
    "stratified": "stratified: each fold the same classes",
    "random": "random",
    "group": "by group: an entity on one side only",
    "time": "by time: the past predicts the future",
    "validation": "once: train, validation and holdout rows",
    "leave_one_out": "leave one out: as many folds as rows",
}
NONE = "— none —"
MOST_CHECKS = 4


def line() -> None:
    """The protocol in one line, and the places to change it."""
    current, recipe, data = session(), session().needed_recipe(), shell.dataset()
    st.subheader("How they are judged")
    try:
        settled = current.protocol.with_roles(data.schema)
        title = settled.metric_for(recipe.task).title
        more = " · race" if settled.race else ""
        st.markdown(f"{escape(settled.words(recipe.task, data.rows))} · **{escape(title)}**{more}")
    except HoldoutError as error:
        trouble(error)
    with st.container(horizontal=True, gap="small"):
        change = st.popover("Change", icon=":material/tune:", key="protocol-change", on_change="rerun")
        wizard = st.button("Help me choose", icon=":material/assistant:", key="wizard")
        picture = st.popover("The folds", icon=":material/splitscreen:", key="fold-picture", on_change="rerun")
    if change.open:
        with change:
            _form(data.rows)
    if wizard:
        st.dialog("What will the model meet in use?", width="medium")(_wizard)()
    if picture.open:
        with picture:
            show(lambda: _folds(current.protocol), "folds")


def _folds(protocol: Protocol) -> Folds:
    data, recipe = shell.dataset(), session().needed_recipe()
    found: Folds = cached.result("folds", data, lambda: folds_of(data, recipe, protocol), recipe, protocol)
    return found


def _use(protocol: Protocol) -> bool:
    """Take a protocol, or say why it cannot be."""
    current = session()
    try:
        protocol.checked().with_roles(current.needed_schema())
        current.set_protocol(protocol)
    except HoldoutError as error:
        trouble(error)
        return False
    return True


def _form(rows: int) -> None:
    """The protocol as a form."""
    with st.form("protocol", border=False):
        wanted = _speed(_sizes(_cut(session().protocol), rows))
        said = st.container()  # above the button, where it is seen
        if st.form_submit_button("Use this", type="primary"):
            with said:
                used = _use(wanted)
            if used:
                st.toast("Models will be judged like this.")
                st.rerun()


def _cut(now: Protocol) -> Protocol:
    """What ranks, and how folds are cut."""
    task, columns = session().needed_recipe().task, [NONE, *shell.dataset().schema.names]
    metrics = ["auto", *(m.name for m in for_task(task))]
    names = {m.name: f"{m.title}: {m.note}" for m in for_task(task)}
    names["auto"] = f"by the task ({names[DEFAULTS[task]].split(':')[0]})"
    judged = st.selectbox("Rank by", metrics, _place(metrics, now.metric), format_func=names.__getitem__)
    split: SplitKind = st.selectbox(
        "Folds are cut", list(SPLITS), list(SPLITS).index(now.split), format_func=SPLITS.__getitem__
    )
    group = st.selectbox("Group column", columns, _place(columns, now.group))
    time = st.selectbox("Time column", columns, _place(columns, now.time))
    return replace(now, metric=judged, split=split, group=None if group == NONE else group,
                   time=None if time == NONE else time)  # fmt: skip


def _sizes(now: Protocol, rows: int) -> Protocol:
    """How many folds, and how many rows are kept aside."""
    plain = repeats_for(rows)
    folds = st.slider("Folds", 2, 20, min(now.folds, 20))
    repeats = st.slider("Repeats", 1, 10, now.repeats or plain,
                        help="More repeats give narrower intervals and take longer")  # fmt: skip
    held = st.slider("Holdout, % of the rows", 0, 50, round(100 * now.holdout), 5,
                     help="Locked away before anything is chosen; opened on purpose at the end")  # fmt: skip
    aside = st.slider("Validation, % of the rows", 5, 30, round(100 * now.validation), 5,
                      help="Only where rows are split once")  # fmt: skip
    kept = repeats if repeats != plain or now.repeats is not None else None
    return replace(now, folds=folds, repeats=kept, holdout=held / 100, validation=aside / 100)


def _speed(now: Protocol) -> Protocol:
    """What makes it faster, what makes it repeat, and when a model is given up."""
    race = st.toggle("Race", now.race,
                     help="Stop models that cannot come first any more; the rest keep all their folds")  # fmt: skip
    fast = st.toggle("Use scikit-learn-intelex", now.fast, help="Forests and kernel machines get faster where it is "
                     "installed; their numbers change a little")  # fmt: skip
    seed = st.number_input("Seed", 0, 2**31 - 1, now.seed)
    limit = st.number_input("Time limit for each model, seconds", 1, 86_400, int(now.time_limit))
    return replace(now, race=race, fast=fast, seed=int(seed), time_limit=float(limit))


def _place(options: list[str], value: str | None) -> int:
    return options.index(value) if value in options else 0


def _wizard() -> None:
    """Three questions, the split that follows from the answers, and its picture."""
    data, now = shell.dataset(), session().protocol
    groups, times = candidates_for(data)
    entity = st.selectbox(
        "Do several rows belong to one thing, such as a customer or a patient?",
        [NONE, *groups],
        _place([NONE, *groups], now.group),
        format_func=lambda n: "no, each row stands for itself" if n == NONE else f"yes, {n} says which",
        key="wizard-entity",
    )
    known = entity != NONE and st.toggle(
        "Predictions will only be about things that are in these data already", key="wizard-known"
    )
    moment = st.selectbox(
        "Is there a time?",
        [NONE, *times],
        _place([NONE, *times], now.time),
        format_func=lambda n: "no, or it does not matter" if n == NONE else f"yes, {n}",
        key="wizard-moment",
    )
    future = moment != NONE and st.toggle(
        "The model will predict rows later than all of these", now.split == "time", key="wizard-future"
    )
    answers = Answers(None if entity == NONE else entity, None if moment == NONE else moment, future, known)
    wanted, why = advised(now, answers, session().needed_recipe().task)
    st.markdown(escape(why))
    show(lambda: _folds(wanted), "wizard-folds")
    if st.button("Cut them like this", type="primary", key="wizard-use") and _use(wanted):
        st.rerun()


def checks() -> None:
    """What would make the scores lie: of the data and of the split, each with the click that mends it."""
    data, recipe, protocol = shell.dataset(), session().needed_recipe(), session().protocol
    try:
        protocol.checked().with_roles(data.schema)
    except HoldoutError:  # said above already
        return
    try:
        review: leaks.Review = cached.result(
            "leaks", data, lambda: leaks.review(data, recipe, protocol), recipe, protocol
        )  # fmt: skip
    except HoldoutError as error:
        trouble(error)
        return
    grave = [a for a in profiled(data).alerts if a.code in leaks.BEFORE_A_FIT]
    found: list[Alert] = [a for a in (*review.alerts, *grave) if a.fix is None or not session().mended(a.fix)]
    for note in review.notes:
        st.caption(escape(note))
    if not found:
        st.caption(":material/check_circle: Nothing was found that would make the scores lie.")
        return
    for place, alert in enumerate(found[:MOST_CHECKS]):
        alert_line(alert, place + 1000)
    if len(found) > MOST_CHECKS:
        with st.expander(f"{len(found) - MOST_CHECKS} more"):
            for place, alert in enumerate(found[MOST_CHECKS:], start=MOST_CHECKS):
                alert_line(alert, place + 1000)
