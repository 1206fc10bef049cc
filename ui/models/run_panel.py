"""The live panel of a running comparison: progress, partial results, cancel; it reconnects after a refresh."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from mlcore.api import begin
from mlcore.comparison.leaderboard import Leaderboard
from mlcore.comparison.search_report import searches_under_way
from mlcore.data.dataset import Dataset
from mlcore.errors import HoldoutError
from mlcore.experiment.experiment import Experiment
from mlcore.result import Fix
from mlcore.run import Run
from mlcore.runs.folder import Progress
from mlcore.runs.process import Standby
from mlcore.validation.metrics import for_task
from mlcore.wording import number, plus_minus, several
from ui import cached
from ui.state import session, workspace
from ui.widgets import error_box, escape, quiet_row, select, set_select, show

EVERY = 0.7
MOST_CAUTIONS = 4
MOST_RUNS = 200  # searched for those of the same data


@st.cache_resource(show_spinner=False, on_release=lambda standby: standby.close())
def standby() -> Standby:
    """The one warm worker of this server."""
    return Standby()


def start(data: Dataset, experiment: Experiment, last: Run | None = None) -> None:
    """Start a run and attach this session to it; unchanged results of the last one are reused."""
    folder = workspace().new_run(data.name)
    run = begin(data, experiment, folder, standby().launch, last)
    session().set_run(run.path.name)


def time_left(seconds: float | None) -> str:
    """The estimated remaining time in words."""
    if seconds is None:
        return ""
    return f"about {max(1, round(seconds))} s left" if seconds < 90 else f"about {round(seconds / 60)} min left"


def bar(progress: Progress) -> None:
    """One line of progress."""
    left = time_left(progress.left)
    text = f"{progress.phase}: {progress.done} of {progress.total} fits{', ' + left if left else ''}"
    st.progress(min(progress.fraction, 1.0), text=text if progress.total else f"{progress.phase} …")


def ended(progress: Progress) -> None:
    """Say how a run ended if it did not finish."""
    messages = {
        "cancelled": "The comparison was cancelled. The results until then are below.",
        "interrupted": f"The comparison was interrupted. {progress.reason or 'Its process ended without a message.'} "
        "The results until then are below; resume it to complete it.",
        "failed": f"The comparison failed. {progress.reason}",
    }
    if progress.state in messages:
        st.warning(escape(messages[progress.state]))


def card() -> None:
    """In the sidebar: the run of this session, while it is running."""
    run = cached.run()
    if run is None:
        return

    live = run.progress().live

    @st.fragment(run_every=1.5 if live else None)
    def panel() -> None:
        progress = run.progress()
        if progress.live:
            with st.container(border=True):
                st.caption("Comparison under way")
                bar(progress)
        elif live:
            st.rerun()

    panel()


def live_leaderboard(run: Run) -> None:
    """The leaderboard, live until the run has ended."""
    progress = run.progress()
    if not progress.live:
        ended(progress)
        if progress.can_resume and st.button("Resume", key="resume", icon=":material/resume:"):
            _resume(run)
        leaderboard_view(by_metric(run), run)
        return

    @st.fragment(run_every=EVERY)
    def panel() -> None:
        if not run.progress().live:
            st.toast("The comparison has ended.")
            st.rerun()
        searches(run)
        leaderboard_view(run.board(), run)

    panel()


def progress_and_cancel(run: Run) -> None:
    """Progress and Cancel, in place of the Compare button."""

    @st.fragment(run_every=EVERY)
    def panel() -> None:
        progress = run.progress()
        if progress.live:
            bar(progress)
            if st.button("Cancel", key="cancel", width="stretch"):
                with st.spinner("Cancelling"):
                    run.cancel()
                st.rerun()

    panel()


def runs_of_this_data() -> list[Run]:
    """Recent comparisons of the data that are open, latest first."""
    latest = workspace().run_folders()[:MOST_RUNS]
    return [r for r in map(Run, latest) if r.is_readable() and r.experiment.source.fingerprint == session().fingerprint]


def one_line(run: Run) -> str:
    """A run in one line, for a select box."""
    experiment = run.experiment
    protocol_text = experiment.protocol.words(experiment.recipe.task, experiment.source.rows)
    return f"{run.name}: {experiment.recipe.target}, {len(experiment.candidates)} models, {protocol_text}"


def _resume(run: Run) -> None:
    try:
        run.resume(start=standby().launch)
    except HoldoutError as error:
        st.warning(escape(error))
        return
    st.rerun()


def searches(run: Run) -> None:
    """The progress of the searches of a running comparison, and their trials so far."""
    under_way = searches_under_way(run)
    if not under_way:
        return
    with st.expander("Searches under way", key="searches"):
        for search in under_way:
            text = f"{escape(search.title)}: {search.done} of {search.total} settings, over all folds"
            st.progress(min(1.0, search.done / search.total), text=text)
            if search.done > 2:
                show(partial(run.search_report, search.model), f"live-{run.id}-{search.model}")


def by_metric(run: Run) -> Leaderboard:
    """The leaderboard, ranked by the metric of the protocol or another one, without a refit."""
    board, task = run.board(), run.experiment.recipe.task
    if not board.ranked():
        return board
    titles = {m.name: m.title for m in for_task(task)}
    with st.container(horizontal=True, horizontal_alignment="right"):
        select(_metric_key(run), "Ranked by", list(titles), board.metric.name, width=260,
             text=lambda n: f"ranked by {titles[n]}", label_visibility="collapsed")  # fmt: skip
    return ranked_by(run)


def ranked_by(run: Run) -> Leaderboard:
    """The leaderboard by the last chosen metric."""
    return run.board(session().choices.get(_metric_key(run)))


def _metric_key(run: Run) -> str:
    return f"models.by.{run.experiment.recipe.task}.{run.experiment.protocol.metric}"


def detail_names(board: Leaderboard) -> list[str]:
    """Models that have details, best first."""
    return [r.model for r in board.rows if r.folds]


def _show_details(table: str, run: Run, models: list[str]) -> None:
    """Show the details of the model in the selected row of the leaderboard."""
    rows = st.session_state[table]["selection"]["rows"]
    names = detail_names(ranked_by(run))
    if rows and models[rows[0]] in names:
        set_select("models.detail", names, models[rows[0]])


def leaderboard_view(board: Leaderboard, run: Run) -> None:
    """The leaderboard: findings, chart and table."""
    ranked = board.ranked()
    if board.is_complete() and len(ranked) > 1:
        verdict_card(board, run)
    else:
        for line in board.findings():
            st.markdown(escape(line))
        cautions(run)
    if len(ranked) > 1:
        st.plotly_chart(
            board.figure(),
            key="board-chart",
            theme="streamlit",
            width="stretch",
            config={"displaylogo": False, "displayModeBar": False},
            alt=board.sentence()[:300],
        )
    table = f"board-table-{board.metric.name}"
    st.dataframe(
        _table(board),
        hide_index=True,
        key=table,
        on_select="ignore" if run.progress().live else lambda: _show_details(table, run, [r.model for r in board.rows]),
        selection_mode="single-row",
        height="content",
        placeholder="",
        column_config={
            "Model": st.column_config.TextColumn(pinned=True),
            "Skill": st.column_config.ProgressColumn(
                "Skill",
                min_value=0,
                max_value=100,
                format="%d %%",
                help="The percentage of the way from the baseline to a perfect score",
            ),
            "Fit": st.column_config.NumberColumn(format="%.2f s", help="Seconds of training, all folds together"),
            "Predict": st.column_config.NumberColumn(format="%.2f s", help="Seconds of predicting, all folds together"),
            "Size": st.column_config.NumberColumn(format="bytes", help="Size of the stored model"),
            "First": st.column_config.NumberColumn(
                format="%d %%", help="Percentage of resamples of the fold scores in which it comes first"
            ),
            "Training": st.column_config.TextColumn(
                help="Score on training rows; far better than the score means that the model overfits"
            ),
            "Group": st.column_config.NumberColumn(help="Group 1 does not differ significantly from the best"),
        },
    )
    if ranked:
        quiet_row(board, f"leaderboard-{run.id}")
    for reason in dict.fromkeys(r.reason for r in board.rows if r.reason):
        names = several([r.title for r in board.rows if r.reason == reason], 9)
        st.caption(f"**{escape(names)}**: {escape(reason)}")
    for note in run.notes():
        st.caption(escape(note))


def _resolve(fix: Fix) -> None:
    """Apply a fix; the comparison on the screen is then one from before it, and says so."""
    try:
        session().resolve(fix)
    except HoldoutError as error:
        error_box(error)
        return
    st.rerun()


def verdict_card(board: Leaderboard, run: Run) -> None:
    """The answer in plain words, what speaks against it, and the numbers behind it."""
    answer = run.verdict(board.metric.name)
    with st.container(border=True, key="verdict"):
        st.markdown(f"**{escape(answer.use)}**")
        for part in (answer.good, answer.sure):
            if part:
                st.markdown(escape(part))
        cautions(run)
        for text in (*answer.cautions[MOST_CAUTIONS:], *answer.further):
            st.markdown(f":orange[:material/warning:] {escape(text)}")
        if answer.next:
            st.markdown(escape(answer.next))
        with st.expander("In numbers"):
            for line in board.findings():
                st.markdown(escape(line))


def cautions(run: Run) -> None:
    """What speaks against believing the scores, until a person says that it is known."""
    for place, caution in enumerate(run.cautions()[:MOST_CAUTIONS]):
        with st.container(horizontal=True, vertical_alignment="top", key=f"caution-{place}"):
            st.markdown(f":orange[:material/warning:] {escape(caution['text'])}", width="stretch")
            fix = Fix.from_json(caution["fix"]) if caution["fix"] else None
            fits = fix is not None and fix.column in (None, *session().needed_schema().names)
            offered = fix is not None and fits and not session().is_resolved(fix)
            if fix is not None and offered and st.button(fix.title, key=f"caution-fix-{place}"):
                _resolve(fix)
            known = st.button("It is known", key=f"known-{place}", type="tertiary",
                              help="Say that this is known and right: it stays in the run, but no longer "
                                   "here")  # fmt: skip
            if known:
                run.accept(caution["code"])
                st.rerun()


def _table(board: Leaderboard) -> object:
    statuses = {
        "ok": "",
        "running": "running …",
        "waiting": "waiting",
        "failed": "failed",
        "timeout": "timed out",
        "stopped": "not finished",
    }
    return pd.DataFrame(
        [
            {
                "Model": ("★ " if r.star else "") + r.title,
                "Group": r.group,
                board.metric.title: plus_minus(r.score, r.ci)
                if r.score is not None
                else statuses[r.status] or "undefined",
                "Skill": None if r.skill is None else max(0, round(100 * r.skill)),
                "First": None if r.first is None else round(100 * r.first),
                "Training": None if r.train_score is None else number(r.train_score),
                "Fit": r.fit_seconds,
                "Predict": r.predict_seconds,
                "Size": r.bytes,
            }
            for r in board.rows
        ]
    )
