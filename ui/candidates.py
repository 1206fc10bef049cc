"""The Models page's parts: how models are judged, which ones, and the button."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from mlcore.compare.experiment import Candidate, Experiment
from mlcore.compare.run import Run
from mlcore.errors import HoldoutError
from mlcore.features.recipe import Recipe
from mlcore.metrics import DEFAULTS, for_task, metric
from mlcore.models import PRESETS
from mlcore.models import for_task as models_for_task
from mlcore.protocol import SplitKind, repeats_for
from mlcore.result import several
from ui import cached, jobs, shell
from ui.state import session
from ui.widgets import escape, pick, trouble

SPLITS: dict[SplitKind, str] = {
    "auto": "by what the data are",
    "stratified": "stratified: each fold the same classes",
    "random": "random",
    "group": "by group: an entity on one side only",
    "time": "by time: the past predicts the future",
}


def _recipe() -> Recipe:
    found = session().recipe
    if found is None:
        raise AssertionError("the shell lets a page through only with a target")
    return found


def protocol() -> None:
    """The protocol in one line, and a place to change it."""
    current, recipe, data = session(), _recipe(), shell.dataset()
    st.subheader("How they are judged")
    try:
        settled = current.protocol.with_roles(data.schema)
        title = metric(settled.metric, recipe.task).title
        st.markdown(f"{escape(settled.words(recipe.task, data.rows))} · **{escape(title)}**")
    except HoldoutError as error:
        trouble(error)
    with st.popover("Change", icon=":material/tune:"):
        _protocol_form(data.rows)


def _protocol_form(rows: int) -> None:
    current, recipe, schema = session(), _recipe(), shell.dataset().schema
    now = current.protocol
    metrics = [m.name for m in for_task(recipe.task)]
    with st.form("protocol", border=False):
        names = {m.name: f"{m.title}: {m.note}" for m in for_task(recipe.task)}
        chosen = now.metric if now.metric in metrics else DEFAULTS[recipe.task]
        judged = st.selectbox("Rank by", metrics, metrics.index(chosen), format_func=names.__getitem__)
        split: SplitKind = st.selectbox(
            "Folds are cut", list(SPLITS), list(SPLITS).index(now.split), format_func=SPLITS.__getitem__
        )
        columns = ["— none —", *schema.names]
        group = st.selectbox("Group column", columns, columns.index(now.group) if now.group in columns else 0)
        time = st.selectbox("Time column", columns, columns.index(now.time) if now.time in columns else 0)
        folds = st.slider("Folds", 2, 20, now.folds)
        repeats = st.slider(
            "Repeats",
            1,
            10,
            now.repeats or repeats_for(rows),
            help="More repeats give narrower intervals and take longer",
        )
        held = st.slider(
            "Holdout, % of the rows",
            0,
            50,
            round(100 * now.holdout),
            5,
            help="Locked away before anything is chosen; opened on purpose at the end",
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, now.seed)
        limit = st.number_input("Time limit for each model, seconds", 1, 86_400, int(now.time_limit))
        if st.form_submit_button("Use this", type="primary"):
            kept = repeats if repeats != repeats_for(rows) or now.repeats is not None else None
            wanted = replace(
                now,
                metric=judged,
                split=split,
                folds=folds,
                repeats=kept,
                holdout=held / 100,
                seed=int(seed),
                time_limit=float(limit),
                group=None if group == columns[0] else group,
                time=None if time == columns[0] else time,
            )
            try:
                wanted.checked().with_roles(schema)
                current.set_protocol(wanted)
            except HoldoutError as error:
                trouble(error)
                return
            st.rerun()


def chooser() -> None:
    """The catalogue as switches, and the button that says what it does."""
    current, recipe = session(), _recipe()
    rows = models_for_task(recipe.task)
    chosen = set(current.models if current.models is not None else PRESETS["standard"])
    st.subheader("Which models")
    picked = []
    for row in rows:
        if row.name == "dummy":
            st.checkbox(row.title, True, disabled=True, help=f"{row.note} It is always there.", key="model-dummy")
        elif st.checkbox(row.title, row.name in chosen, help=row.note, key=f"model-{recipe.task}-{row.name}"):
            picked.append(row.name)
    if current.models is None or tuple(picked) != current.models:
        current.set_models(tuple(picked))
    run = cached.run()
    live = run is not None and run.progress().live
    label = f"Compare {len(picked) + 1} models" if picked else "Choose a model"
    if st.button(label, type="primary", disabled=not picked or live, width="stretch", key="compare"):
        _compare(tuple(picked))


def _compare(picked: tuple[str, ...]) -> None:
    current, recipe, data = session(), _recipe(), shell.dataset()
    try:
        experiment = Experiment.plan(data, recipe, current.protocol, [Candidate.named(n, recipe.task) for n in picked])
        jobs.start(data, experiment)
    except HoldoutError as error:
        trouble(error)
        return
    st.rerun()


def nothing_yet() -> None:
    """What will be here."""
    with st.container(border=True):
        st.markdown(
            "The leaderboard will fill here while the models run: each with its score and interval, the ones that "
            "cannot be told apart in one band, and the simplest of them marked with a star."
        )


def outdated(run: Run) -> None:
    """Say what was chosen otherwise since the run was started."""
    made, current = run.experiment, session()
    if current.recipe is None or run.progress().live:
        return
    if made.recipe.target != current.recipe.target:
        st.caption(f"This comparison predicts {escape(made.recipe.target)}. Compare again for the target chosen now.")
        return
    try:
        now = Experiment.plan(shell.dataset(), current.recipe, current.protocol, made.candidates)
    except HoldoutError:
        return
    differ = [
        word
        for word, same in (
            (
                "columns",
                [(c.name, c.kind, c.role) for c in now.schema] == [(c.name, c.kind, c.role) for c in made.schema],
            ),
            ("recipe", now.recipe == made.recipe),
            ("protocol", now.protocol == made.protocol),
        )
        if not same
    ]
    if differ:
        st.caption(f"Changed since this comparison: {several(differ)}. Compare again to see what that does.")


def pick_model(name: str, run: Run, label: str = "Model") -> str:
    """A model of a run, by its title, the best first."""
    ranked = [r.model for r in run.board().rows if r.model in run.predicted()]
    titles = {c.model: c.title or c.model for c in run.experiment.candidates}
    return str(pick(name, label, ranked, next((m for m in ranked if m != "dummy"), None), text=titles.__getitem__))
