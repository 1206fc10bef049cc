"""The live panel of a running comparison: progress, partial results, cancel; it finds its run again after a refresh."""

from __future__ import annotations

from functools import partial

import streamlit as st

from mlcore.compare import begin
from mlcore.compare.experiment import Experiment
from mlcore.compare.leaderboard import Leaderboard
from mlcore.compare.run import Progress, Run, Standby, all_runs
from mlcore.compare.tuning import searching
from mlcore.dataset import Dataset
from mlcore.errors import HoldoutError
from mlcore.metrics import for_task
from mlcore.result import number, plus_minus, several
from ui import cached
from ui.state import session, workspace
from ui.widgets import escape, pick, quiet_row, repick, show

EVERY = 0.7
MOST_RUNS = 200  # that are looked through for those of the same data


@st.cache_resource(show_spinner=False, on_release=lambda standby: standby.close())
def standby() -> Standby:
    """The one warm worker of this server."""
    return Standby()


def start(data: Dataset, experiment: Experiment, last: Run | None = None) -> None:
    """Start a run and attach this session to it; what is equal in the last one is taken over."""
    folder = workspace().new_run(data.name)
    run = begin(data, experiment, folder, standby().launch, last)
    session().set_run(run.path.name)


def in_words(seconds: float | None) -> str:
    """About how long something still takes."""
    if seconds is None:
        return ""
    return f"about {max(1, round(seconds))} s left" if seconds < 90 else f"about {round(seconds / 60)} min left"


def bar(progress: Progress) -> None:
    """One line of progress."""
    left = in_words(progress.left)
    text = f"{progress.phase}: {progress.done} of {progress.total} fits{', ' + left if left else ''}"
    st.progress(min(progress.share, 1.0), text=text if progress.total else f"{progress.phase} …")


def ended(progress: Progress) -> None:
    """Say how a run ended when it did not finish."""
    words = {
        "cancelled": "The comparison was cancelled. What was done until then is below.",
        "interrupted": f"The comparison broke off. {progress.reason or 'Its process ended without a word.'} What was "
        "done is below; go on with it to complete it.",
        "failed": f"The comparison failed. {progress.reason}",
    }
    if progress.state in words:
        st.warning(escape(words[progress.state]))


def card() -> None:
    """In the sidebar: the run of this session while it is under way."""
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


def live_board(run: Run) -> None:
    """The leaderboard, live while the run is under way."""
    progress = run.progress()
    if not progress.live:
        ended(progress)
        if progress.can_go_on and st.button("Go on with it", key="resume", icon=":material/resume:"):
            _go_on(run)
        board_view(by_metric(run), run)
        return

    @st.fragment(run_every=EVERY)
    def panel() -> None:
        if not run.progress().live:
            st.toast("The comparison has ended.")
            st.rerun()
        searches(run)
        board_view(run.board(), run)

    panel()


def under_way(run: Run) -> None:
    """Progress and Cancel, where the button was that started it."""

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


def of_these_data() -> list[Run]:
    """Comparisons of the rows that are open among the latest, the last first."""
    latest = workspace().run_folders()[:MOST_RUNS]
    return [r for r in all_runs(latest) if r.experiment.source.fingerprint == session().fingerprint]


def said(run: Run) -> str:
    """A run in one line, to choose from."""
    made = run.experiment
    words = made.protocol.words(made.recipe.task, made.source.rows)
    return f"{run.name}: {made.recipe.target}, {len(made.candidates)} models, {words}"


def _go_on(run: Run) -> None:
    try:
        run.resume(start=standby().launch)
    except HoldoutError as error:
        st.warning(escape(error))
        return
    st.rerun()


def searches(run: Run) -> None:
    """How far the searches of a running comparison are, and what they tried so far."""
    found = searching(run)
    if not found:
        return
    with st.expander("Searches under way", key="searches"):
        for model, title, done, total in found:
            st.progress(min(1.0, done / total), text=f"{escape(title)}: {done} of {total} settings, over all folds")
            if done > 2:
                show(partial(run.tuning, model), f"live-{run.id}-{model}")


def by_metric(run: Run) -> Leaderboard:
    """The leaderboard, ranked by the metric that was chosen or by another one, without a refit."""
    board, task = run.board(), run.experiment.recipe.task
    if not board.ranked():
        return board
    titles = {m.name: m.title for m in for_task(task)}
    with st.container(horizontal=True, horizontal_alignment="right"):
        pick(_by(run), "Ranked by", list(titles), board.metric.name, width=260,
             text=lambda n: f"ranked by {titles[n]}", label_visibility="collapsed")  # fmt: skip
    return ranked_by(run)


def ranked_by(run: Run) -> Leaderboard:
    """The leaderboard by the metric that was chosen last."""
    return run.board(session().choices.get(_by(run)))


def _by(run: Run) -> str:
    return f"models.by.{run.experiment.recipe.task}.{run.experiment.protocol.metric}"


def closer_names(board: Leaderboard) -> list[str]:
    """Models that can be looked at closely, best first."""
    return [r.model for r in board.rows if r.folds]


def _clicked(table: str, run: Run, shown: list[str]) -> None:
    """A click on a row of the leaderboard looks closer at that model."""
    rows = st.session_state[table]["selection"]["rows"]
    names = closer_names(ranked_by(run))
    if rows and shown[rows[0]] in names:
        repick("models.closer", names, shown[rows[0]])


def board_view(board: Leaderboard, run: Run) -> None:
    """The leaderboard: what it means, the picture, the table."""
    ranked = board.ranked()
    for line in board.findings():
        (st.warning if line.startswith("Nothing beats") else st.markdown)(escape(line))
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
        on_select="ignore" if run.progress().live else lambda: _clicked(table, run, [r.model for r in board.rows]),
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
                help="The share of the way from the baseline to a perfect score",
            ),
            "Fit": st.column_config.NumberColumn(format="%.2f s", help="Seconds of learning, all folds together"),
            "Predict": st.column_config.NumberColumn(format="%.2f s", help="Seconds of predicting, all folds together"),
            "Size": st.column_config.NumberColumn(format="bytes", help="Of the stored model"),
            "First": st.column_config.NumberColumn(
                format="%d %%", help="Of resamples of the fold scores in which it comes first"
            ),
            "Training": st.column_config.TextColumn(
                help="Its score on rows that it learned from: far better than the score says overfit"
            ),
            "Group": st.column_config.NumberColumn(help="Those of the first group cannot be told apart from the best"),
        },
    )
    if ranked:
        quiet_row(board, f"leaderboard-{run.id}")
    for reason in dict.fromkeys(r.reason for r in board.rows if r.reason):
        whose = several([r.title for r in board.rows if r.reason == reason], 9)
        st.caption(f"**{escape(whose)}**: {escape(reason)}")
    for note in run.notes():
        st.caption(escape(note))


def _table(board: Leaderboard) -> object:
    import pandas as pd

    words = {
        "ok": "",
        "running": "running …",
        "waiting": "waiting",
        "failed": "failed",
        "timeout": "out of time",
        "stopped": "not done",
    }
    return pd.DataFrame(
        [
            {
                "Model": ("★ " if r.star else "") + r.title,
                "Group": r.group,
                board.metric.title: plus_minus(r.score, r.ci)
                if r.score is not None
                else words[r.status] or "undefined",
                "Skill": None if r.skill is None else max(0, round(100 * r.skill)),
                "First": None if r.first is None else round(100 * r.first),
                "Training": None if r.seen is None else number(r.seen),
                "Fit": r.fit_seconds,
                "Predict": r.predict_seconds,
                "Size": r.bytes,
            }
            for r in board.rows
        ]
    )
