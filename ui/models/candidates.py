"""Parts of the Models page: the models, their parameters, the user's rule, the searches, and the Compare button."""

from __future__ import annotations

import streamlit as st

from mlcore.data.dataset import Dataset
from mlcore.errors import HoldoutError
from mlcore.experiment.candidate import Candidate, Choice
from mlcore.experiment.experiment import Experiment
from mlcore.models.catalogue import BASELINE, PRESETS, RULE, Model, of_preset
from mlcore.models.catalogue import for_task as models_for_task
from mlcore.run import Run
from mlcore.runs.runtime_estimate import seconds
from mlcore.wording import several
from ui import cached, shell
from ui.models import run_panel
from ui.models.parameters import model_dialog
from ui.state import session
from ui.widgets import error_box, escape, key_of, select

OWN = "custom"
COST = {"quick": "green", "medium": "blue", "slow": "orange"}


def _chosen() -> list[str]:
    current = session()
    available = [m.name for m in models_for_task(current.needed_recipe().task)]
    names = current.models if current.models is not None else of_preset("standard", current.needed_recipe().task)
    return [n for n in available if n in names and n != BASELINE]


def candidates(names: list[str]) -> list[Candidate]:
    """The candidates with their parameters, rule and searches. Raises BadInput."""
    current = session()
    choice = Choice(
        models=names, parameters={m: p for m, p in current.parameters.items() if m in names},
        rule=current.rule if RULE in names else None,
        tune=(tuned := [n for n in current.tuned if n in names]), search=current.search if tuned else None,
    )  # fmt: skip
    return choice.candidates(current.needed_recipe().task)


def chooser() -> None:
    """Presets, the catalogue as cards, and the Compare button."""
    current, recipe, data = session(), session().needed_recipe(), shell.dataset()
    st.subheader("Which models")
    rows = [r for r in models_for_task(recipe.task) if not r.unlabelled or _has_unlabelled(data)]
    models = _chosen()
    presets: dict[str, list[str]] = {p: [n for n in of_preset(p, recipe.task) if n != BASELINE] for p in PRESETS}
    preset = next((p for p, names in presets.items() if names == models), OWN)
    choice = st.segmented_control(
        "Preset", [*PRESETS, OWN], default=preset, required=True, format_func=str.capitalize,
        key=f"preset-{key_of(recipe.task, preset, *models)}", label_visibility="collapsed",
    )  # fmt: skip
    if choice not in (preset, OWN):
        current.set_models(tuple(presets[choice]))
        st.rerun()
    _button(models)
    with st.container(key="candidates", gap=None):
        new_models = [r.name for r in rows if _card(r, r.name in models)]
    if new_models != models:
        current.set_models(tuple(new_models))
        st.rerun()


def _has_unlabelled(data: Dataset) -> bool:
    recipe = session().needed_recipe()
    return recipe.task != "regression" and data.schema[recipe.target].missing > 0


def _card(row: Model, is_selected: bool) -> bool:
    """One model: a checkbox, its cost, and a button for its parameters. Returns whether it is checked."""
    current, task = session(), session().needed_recipe().task
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if row.role == "baseline":
            st.checkbox(row.title, True, disabled=True, key="model-dummy", help=row.note.idea)
            return False
        title = "Your rule" if row.role == "rule" and current.rule else row.title
        checkbox = st.checkbox(title, is_selected, help=row.note.idea, key=f"model-{task}-{row.name}-{is_selected}")
        st.space("stretch")
        if current.parameters.get(row.name):
            st.badge("changed", color="violet")
        if row.name in current.tuned:
            st.badge("search", color="blue")
        st.badge(row.cost_class, color=COST[row.cost_class])  # type: ignore[arg-type]
        details = st.button(
            "", icon=":material/tune:", type="tertiary", key=f"about-{row.name}",
            help=f"About {row.title}, and its parameters",
        )  # fmt: skip
    if details:
        st.dialog(row.title, width="medium", on_dismiss="rerun")(model_dialog)(row)
    return checkbox


# the button -----------------------------------------------------------------------------------------------------------


def _button(models: list[str]) -> None:
    run = cached.run()
    live = run is not None and run.progress().live
    label = f"Compare {len(models) + 1} models" if models else "Choose a model"
    clicked = st.button(label, type="primary", disabled=not models or live, width="stretch", key="compare")
    if run is not None and live:
        run_panel.progress_and_cancel(run)
    elif models:
        st.caption(_time_estimate(models, run))
    if clicked:
        try:
            run_panel.start(shell.dataset(), _experiment(models), run)
        except HoldoutError as error:
            error_box(error)
            return
        st.rerun()


def _experiment(models: list[str]) -> Experiment:
    current = session()
    return Experiment.plan(shell.dataset(), current.needed_recipe(), current.protocol, candidates(models))


def _time_estimate(models: list[str], run: Run | None) -> str:
    """The estimated time in words; empty if it cannot be estimated."""
    try:
        experiment = _experiment(models)
        last = run if run is not None and run.progress().state == "finished" else None
        estimate = seconds(experiment, last)
    except HoldoutError:
        return ""
    text = f"{max(1, round(estimate))} s" if estimate < 90 else f"{round(estimate / 60)} min"
    return f"About {text} on this machine."


def empty_state() -> None:
    """What will appear here."""
    with st.container(border=True):
        st.markdown(
            "The leaderboard fills while the models run: each with its score and interval. Models that do not "
            "differ significantly from the best are shaded; a star marks the simplest of them."
        )
    target = session().needed_recipe().target
    runs = {r.id: r for r in run_panel.runs_of_this_data() if r.experiment.recipe.target == target}
    if runs:
        run_id = str(select("models.earlier", "Earlier comparisons of these data", list(runs),
                          text=lambda i: run_panel.one_line(runs[i])))  # fmt: skip
        if st.button("Show", key="show-earlier"):
            session().set_run(runs[run_id].path.name)
            st.rerun()


def stale_note(run: Run) -> None:
    """List the choices that have changed since the run was started."""
    experiment, current = run.experiment, session()
    if current.recipe is None or run.progress().live:
        return
    if experiment.recipe.target != current.recipe.target:
        st.caption(f"This comparison predicts {escape(experiment.recipe.target)}. Compare again for the new target.")
        return
    try:
        models = [c.model for c in experiment.candidates if c.row is not None and not c.is_baseline]
        new_experiment = Experiment.plan(shell.dataset(), current.recipe, current.protocol, candidates(models))
    except HoldoutError:
        return
    changes = new_experiment.changed_since(experiment)
    if changes:
        st.caption(f"Changed since this comparison: {several(changes)}. Compare again to see the effect.")
