"""The Models page below the leaderboard: details of one model, the stress test of the split, another run compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from mlcore.api import begin
from mlcore.comparison.curves import result
from mlcore.comparison.leaderboard import Leaderboard
from mlcore.comparison.run_comparison import compare_runs, why_not
from mlcore.comparison.split_stress import TITLES, other_splits, same_under_other_splits, split_stress_of
from mlcore.errors import HoldoutError
from mlcore.run import Run
from mlcore.runs.study import Study, request, state_of, stop, tunable
from mlcore.wording import number, plus_minus, several
from ui.models import run_panel
from ui.state import session, workspace
from ui.widgets import error_box, escape, select, show, tabs

MORE_TREES = 100
EVERY = 1.0


def panel(run: Run) -> None:
    """One model of a finished run, and what can be asked about it."""
    board = run_panel.ranked_by(run)
    names = run_panel.detail_names(board)
    if not names:
        return
    titles = {r.model: r.title for r in board.rows}
    st.subheader("Model details")
    model = str(select("models.detail", "Model", names, names[0], text=titles.__getitem__))
    row = board.row(model)
    st.markdown(_summary(board, model))
    if row.description:
        st.markdown(escape(row.description))
    candidate = run.experiment.candidate(model)
    views: dict[str, Callable[[], None]] = {}
    if board.folds > 1:
        views["Fold scores"] = lambda: show(lambda: board.fold_scores(model), f"folds-{run.id}-{model}")
    if not candidate.is_blend:
        learning = Study(kind="learning", model=model)
        views["Learning curve"] = lambda: study(run, learning, "Fit on growing fractions of the rows")
    if tunable(run, model):
        views["Validation curve"] = partial(validation, run, model)
    if candidate.search is not None:
        views["Search"] = partial(search, run, model)
    if not views:
        return
    tabs("models.detail.view", views)
    _more_trees(run, model)


def _summary(board: Leaderboard, model: str) -> str:
    """What the leaderboard knows of a model, in a line."""
    row = board.row(model)
    parts = [f"**{escape(row.title)}**: {escape(board.metric.title)} {plus_minus(row.score, row.ci)}"]
    if row.skill is not None and row.skill_ci is not None:
        ends = (100 * row.skill_ci[0], min(100.0, 100 * row.skill_ci[1]))
        parts.append(f"skill {round(100 * row.skill)} % ({round(ends[0])} to {round(ends[1])})")
    if row.first is not None:
        parts.append(f"first in {round(100 * row.first)} % of resamples")
    best = board.ranked()[0]
    if row.equal is not None and row.model != best.model:
        parts.append(
            f"compared with {escape(best.title)}: as good with probability {row.equal:.2f}, worse {row.worse:.2f}, "
            f"better {row.better:.2f}"
        )
    if row.fit:
        parts.append(escape(row.fit))
    if row.deferred:
        parts.append("not fitted on all training rows yet: that is done when it is first explained, tested or exported")
    if row.rows:
        parts.append(f"trained on {number(row.rows)} rows{' in each fold' if board.folds > 1 else ''}")
    return " · ".join(parts)


def validation(run: Run, model: str) -> None:
    """The validation curve of one hyperparameter."""
    parameters = tunable(run, model)
    name = str(
        select(f"models.parameter.{model}", "Parameter", list(parameters), text=lambda n: parameters[n].title)
    )  # fmt: skip
    study(run, Study(kind="validation", model=model, parameter=name), f"Fit with different values of {name}")


def study(run: Run, asked: Study, label: str) -> None:
    """A study: the button that starts it, its progress, its result."""
    now = state_of(run, asked)
    if now.state in ("absent", "failed", "interrupted"):
        if now.state == "failed":
            st.warning(escape(f"It failed. {now.reason}"))
        if st.button("Resume" if now.state == "interrupted" else label, key=f"study-{asked.name}"):
            try:
                request(run, asked)
                run_panel.standby().launch(run.path, part=asked.part)
            except HoldoutError as error:
                error_box(error)
                return
            st.rerun()
        return
    live = now.state == "running"

    @st.fragment(run_every=EVERY if live else None)
    def progress() -> None:
        latest = state_of(run, asked)
        if latest.state == "running":
            left = run_panel.time_left(latest.left)
            st.progress(
                latest.fraction, text=f"{round(100 * latest.fraction)} % of the fits{', ' + left if left else ''}"
            )
            if st.button("Cancel", key=f"stop-{asked.name}"):
                stop(run, asked)
                st.rerun()
            if latest.fraction > 0:
                show(lambda: result(run, asked), f"study-{run.id}-{asked.name}", words=False)  # not final yet
        elif live:
            st.rerun()
        else:
            show(lambda: result(run, asked), f"study-{run.id}-{asked.name}")

    progress()


def search(run: Run, model: str) -> None:
    """The trials of a search, hyperparameter importance, and all settings as lines."""
    key = f"{run.id}-{model}"
    show(lambda: run.search_report(model), f"search-{key}")
    with st.expander("Which parameter mattered, and all settings", on_change="rerun", key=f"search-more-{key}") as more:
        if more.open:
            show(lambda: run.search_report(model).importance(), f"importance-{key}")
            show(lambda: run.search_report(model).parallel_coordinates(), f"lines-{key}")


def _more_trees(run: Run, model: str) -> None:
    """Warm-start a model that has trees."""
    candidate = run.experiment.candidate(model)
    if not candidate.grows or model not in {*run.fitted(), *run.deferred()}:
        return
    pressed = st.button(
        f"Add {MORE_TREES} more trees",
        key=f"grow-{model}",
        icon=":material/forest:",
        help="A warm start from the fitted trees; all other models stay as they are",
    )
    if not pressed:
        return
    try:
        grown = run.prepare_more_trees(model, MORE_TREES, workspace().new_run(run.experiment.source.name))
        run_panel.standby().launch(grown.path)
    except HoldoutError as error:
        error_box(error)
        return
    kept = session().parameters.get(model, {})
    trees = dict(grown.experiment.candidate(model).parameters)[candidate.trees_parameter]
    session().set_parameters(model, {**kept, candidate.trees_parameter: trees})
    session().set_run(grown.path.name)
    st.rerun()


def stress(run: Run) -> None:
    """The same models under other splits."""
    label = "Stress-test the split: what would the score be for new groups, or in the future?"
    with st.expander(label, key="stress", on_change="rerun") as box:
        if not box.open:
            return
        names: list[list[str]] = session().choices.get("models.stress", [])
        folders = [(kind, workspace().root / "runs" / name) for kind, name in names]
        runs = [(kind, Run(folder)) for kind, folder in folders if (folder / "experiment.json").exists()]
        if not runs or not same_under_other_splits(run.experiment, list(runs)):
            _begin_stress(run)
            return
        live = any(r.progress().live for _, r in runs)

        @st.fragment(run_every=EVERY if live else None)
        def progress() -> None:
            states = [r.progress() for _, r in runs]
            if any(p.live for p in states):
                st.progress(min(1.0, sum(p.fraction for p in states) / len(states)), text="Comparing under each split")
            elif live:
                st.rerun()
            else:
                show(lambda: split_stress_of(list(runs)), "stress-result")

        progress()
        if not live and st.button("Run it again", key="stress-again", type="tertiary"):
            session().choose("models.stress", [])
            st.rerun()


def _begin_stress(run: Run) -> None:
    try:
        splits = other_splits(run.experiment)
    except HoldoutError as error:
        st.markdown(f"{escape(error)} *Help me choose*, above, suggests one; then compare again.")
        return
    kinds = " and ".join(TITLES[k] for k, _ in splits)
    st.markdown(f"The same models are compared with rows split {kinds}; the drop is the surprise to expect.")
    if st.button("Stress-test the split", key="stress-start"):
        start = run_panel.standby().launch
        try:
            begun = [
                (kind, begin(run.dataset, other, workspace().new_run(other.source.name), start))
                for kind, other in splits
            ]
        except HoldoutError as error:
            error_box(error)
            return
        session().choose("models.stress", [[kind, begun_run.path.name] for kind, begun_run in begun])
        st.rerun()


def other_run(run: Run) -> None:
    """Another run of the same rows, compared model by model."""
    with st.expander("Compare with another run", key="other-run", on_change="rerun") as box:
        if not box.open:
            return
        others = [r for r in run_panel.runs_of_this_data() if r.path != run.path][:50]
        if not others:
            st.markdown(
                "There is no other comparison of this data yet. Change one thing, compare again, and look here."
            )
            return
        ids = {r.id: r for r in others}
        chosen = str(select("models.other", "Run", list(ids), text=lambda i: _label(ids[i], run)))
        show(lambda: compare_runs(ids[chosen], run), f"other-{run.id}-{chosen}")


def _label(other: Run, run: Run) -> str:
    line = run_panel.one_line(other)
    if why_not(other, run):
        return f"{line} (cannot be compared)"
    changed = several(run.experiment.changed_since(other.experiment))
    return line + (f"; changed since: {changed}" if changed else "")
