"""The Models page below the leaderboard: one model looked at closely, the split under stress, another run beside."""

from __future__ import annotations

import streamlit as st

from mlcore.compare import begin
from mlcore.compare.beside import (
    TITLES,
    other_splits,
    same_under_other_splits,
    side_by_side,
    stress_of,
    why_not,
)
from mlcore.compare.leaderboard import Leaderboard
from mlcore.compare.run import Run
from mlcore.compare.studies import Study, can_be_turned, left_of, order, result, state_of, stop
from mlcore.errors import HoldoutError
from mlcore.result import number, plus_minus, several
from ui import jobs
from ui.state import session, workspace
from ui.widgets import escape, pick, show, switch, trouble

FOLDS, LEARNING, KNOB, SEARCH = "Fold scores", "Learning curve", "One parameter", "Search"
MORE_TREES = 100
EVERY = 1.0


def panel(run: Run) -> None:
    """One model of a finished run, and what can be asked of it."""
    board = jobs.ranked_by(run)
    names = jobs.closer_names(board)
    if not names:
        return
    titles = {r.model: r.title for r in board.rows}
    st.subheader("Look closer")
    model = str(pick("models.closer", "Model", names, names[0], text=titles.__getitem__))
    row = board.row(model)
    st.markdown(_words(board, model))
    if row.words:
        st.markdown(escape(row.words))
    candidate = run.experiment.candidate(model)
    knobs = list(can_be_turned(run, model))
    there = (
        (FOLDS, board.folds > 1),
        (LEARNING, model != "blend"),
        (KNOB, bool(knobs)),
        (SEARCH, candidate.search is not None),
    )
    offered = [name for name, is_there in there if is_there]
    if not offered:
        return
    view = switch("models.closer.view", "View", offered)
    if view == FOLDS:
        show(lambda: board.fold_scores(model), f"folds-{run.id}-{model}")
    elif view == LEARNING:
        study(run, Study("learning", model), "Fit it on growing shares of the rows")
    elif view == KNOB:
        knob = str(pick(f"models.knob.{model}", "Parameter", knobs))
        study(run, Study("knob", model, knob), f"Fit it with values of {knob}")
    elif view == SEARCH:
        search(run, model)
    _grow(run, model)


def _words(board: Leaderboard, model: str) -> str:
    """What the leaderboard knows of a model, in a line."""
    row = board.row(model)
    said = [f"**{escape(row.title)}**: {escape(board.metric.title)} {plus_minus(row.score, row.ci)}"]
    if row.skill is not None and row.skill_ci is not None:
        ends = (100 * row.skill_ci[0], min(100.0, 100 * row.skill_ci[1]))
        said.append(f"skill {round(100 * row.skill)} % ({round(ends[0])} to {round(ends[1])})")
    if row.first is not None:
        said.append(f"first in {round(100 * row.first)} % of resamples")
    best = board.ranked()[0]
    if row.equal is not None and row.model != best.model:
        said.append(
            f"beside {escape(best.title)}: as good with probability {row.equal:.2f}, worse {row.worse:.2f}, "
            f"better {row.better:.2f}"
        )
    if row.fit:
        said.append(escape(row.fit))
    if row.rows:
        said.append(f"learns from {number(row.rows)} rows{' in a fold' if board.folds > 1 else ''}")
    return " · ".join(said)


def study(run: Run, asked: Study, label: str) -> None:
    """A study: the button that starts it, its progress, its result."""
    state, _, reason = state_of(run, asked)
    if state in ("absent", "failed", "interrupted"):
        if state == "failed":
            st.warning(escape(f"It could not be done. {reason}"))
        if st.button("Go on with it" if state == "interrupted" else label, key=f"study-{asked.name}"):
            try:
                order(run, asked)
                jobs.standby().launch(run, study=asked.name)
            except HoldoutError as error:
                trouble(error)
                return
            st.rerun()
        return
    live = state == "running"

    @st.fragment(run_every=EVERY if live else None)
    def progress() -> None:
        now, share, _ = state_of(run, asked)
        if now == "running":
            left = jobs.in_words(left_of(run, asked))
            st.progress(share, text=f"{round(100 * share)} % of the fits{', ' + left if left else ''}")
            if st.button("Cancel", key=f"stop-{asked.name}"):
                stop(run, asked)
                st.rerun()
            if share > 0:
                show(lambda: result(run, asked), f"study-{run.id}-{asked.name}", words=False)  # not settled yet
        elif live:
            st.rerun()
        else:
            show(lambda: result(run, asked), f"study-{run.id}-{asked.name}")

    progress()


def search(run: Run, model: str) -> None:
    """The trace of a search, which parameter mattered, and all settings as lines."""
    key = f"{run.id}-{model}"
    show(lambda: run.tuning(model), f"search-{key}")
    with st.expander("Which parameter mattered, and all settings", on_change="rerun", key=f"search-more-{key}") as more:
        if more.open:
            show(lambda: run.tuning(model).importance(), f"importance-{key}")
            show(lambda: run.tuning(model).lines(), f"lines-{key}")


def _grow(run: Run, model: str) -> None:
    """Go on with a model that has trees."""
    row = run.experiment.candidate(model).row
    if row is None or not row.grows or model not in run.fitted():
        return
    if st.button(f"Add {MORE_TREES} more trees", key=f"grow-{model}", icon=":material/forest:",
                 help="Goes on from the trees that are there; all other models stay as they are"):  # fmt: skip
        try:
            grown = run.grow(model, MORE_TREES, workspace().new_run(run.experiment.source.name))
            jobs.standby().launch(grown)
        except HoldoutError as error:
            trouble(error)
            return
        kept = session().parameters.get(model, {})
        trees = dict(grown.experiment.candidate(model).parameters)[row.grows]
        session().set_parameters(model, {**kept, row.grows: trees})
        session().set_run(grown.path.name)
        st.rerun()


def stress(run: Run) -> None:
    """The same models under other splits, side by side."""
    with st.expander("Stress the split: what would the score be for new groups, or in the future?", key="stress",
                     on_change="rerun") as box:  # fmt: skip
        if not box.open:
            return
        names: list[list[str]] = session().choices.get("models.stress", [])
        runs = [(kind, Run(workspace().root / "runs" / name)) for kind, name in names
                if (workspace().root / "runs" / name / "experiment.json").exists()]  # fmt: skip
        if not runs or not same_under_other_splits(run.experiment, runs):
            _begin_stress(run)
            return
        live = any(r.progress().live for _, r in runs)

        @st.fragment(run_every=EVERY if live else None)
        def progress() -> None:
            states = [r.progress() for _, r in runs]
            if any(p.live for p in states):
                st.progress(min(1.0, sum(p.share for p in states) / len(states)), text="Comparing under each split")
            elif live:
                st.rerun()
            else:
                show(lambda: stress_of(runs), "stress-result")

        progress()
        if not live and st.button("Do it again", key="stress-again", type="tertiary"):
            session().choose("models.stress", [])
            st.rerun()


def _begin_stress(run: Run) -> None:
    try:
        splits = other_splits(run.experiment)
    except HoldoutError as error:
        st.markdown(f"{escape(error)} *Help me choose*, above, finds one; then compare again.")
        return
    kinds = " and ".join(TITLES[k] for k, _ in splits)
    st.markdown(f"The same models are compared {kinds}; the drop is the surprise.")
    if st.button("Stress the split", key="stress-start"):
        try:
            begun = [(kind, begin(run.dataset, other, workspace().new_run(other.source.name), jobs.standby().launch))
                     for kind, other in splits]  # fmt: skip
        except HoldoutError as error:
            trouble(error)
            return
        session().choose("models.stress", [[kind, made.path.name] for kind, made in begun])
        st.rerun()


def beside(run: Run) -> None:
    """Another run of the same rows, model by model."""
    with st.expander("Set another comparison beside this one", key="beside", on_change="rerun") as box:
        if not box.open:
            return
        others = [r for r in jobs.of_these_data() if r.path != run.path][:50]
        if not others:
            st.markdown(
                "There is no other comparison of these data yet. Change one thing, compare again, and look here."
            )
            return
        ids = {r.id: r for r in others}
        chosen = str(pick("models.beside", "Comparison", list(ids), text=lambda i: _said(ids[i], run)))
        show(lambda: side_by_side(ids[chosen], run), f"beside-{run.id}-{chosen}")


def _said(other: Run, run: Run) -> str:
    if why_not(other, run):
        return f"{jobs.said(other)} (cannot be compared)"
    changed = several(run.experiment.changed_since(other.experiment))
    return f"{jobs.said(other)}" + (f"; since then other {changed}" if changed else "")
