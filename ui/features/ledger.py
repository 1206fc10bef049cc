"""Did the steps help? The recipe against itself without each step; and what a leak would have cost."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mlcore.api import Aim, plan
from mlcore.api import begin as begin_run
from mlcore.comparison.step_ledger import MODELS, begin_ledger, is_ledger_of, step_ledger_of
from mlcore.errors import HoldoutError
from mlcore.experiment.candidate import Choice
from mlcore.run import Run
from mlcore.runs.process import launch
from mlcore.runs.study import Study, leaking
from ui import shell
from ui.models.model_detail import study
from ui.state import session, workspace
from ui.widgets import error_box, select, show, toggle

EVERY = 0.7  # seconds
RUNS = "features.ledger"  # the name of each step, and the folder of its comparison


def ledger() -> None:
    """Measure each step, watch it, and read the result."""
    recipe = session().needed_recipe()
    if not recipe.active().steps:
        return
    st.subheader("Did it help?")
    runs = _runs()
    if not runs or not is_ledger_of(recipe, runs[0][1]):
        st.markdown(
            "The recipe is compared with itself without each step, on the same folds, with a linear model and boosted "
            "trees."
        )
        if st.button("Measure each step", key="ledger-start"):
            begin()
            st.rerun()
        return
    live = any(r.progress().live for _, r in runs)

    @st.fragment(run_every=EVERY if live else None)
    def progress() -> None:
        states = [r.progress() for _, r in runs]
        if any(p.live for p in states):
            fraction = sum(p.fraction for p in states) / len(states)
            st.progress(min(1.0, fraction), text="Comparing the recipe with itself without each step")
            if st.button("Cancel", key="ledger-cancel"):
                for _, run in runs:
                    run.cancel()
                session().choose(RUNS, [])
                st.rerun()
        elif live:
            st.rerun()
        else:
            show(lambda: step_ledger_of(list(runs)), "ledger")
            _leak(runs[0][1])

    progress()


def _runs() -> list[tuple[str, Run]]:
    names: list[list[str]] = session().choices.get(RUNS, [])
    folders = [(step, workspace().measured(name)) for step, name in names]
    return [(step, Run(folder)) for step, folder in folders if (folder / "experiment.json").exists()]


def begin() -> None:
    """Start the comparisons of the ledger of this recipe."""
    recipe = session().needed_recipe()
    try:
        data, experiment = plan(
            shell.dataset(), Aim(recipe.target, recipe.task, recipe), session().protocol, Choice(preset="quick")
        )
        begun = begin_ledger(experiment, workspace(), lambda other, folder: begin_run(data, other, folder, _start))
    except HoldoutError as error:
        error_box(error)
        return
    session().choose(RUNS, [[step, folder.name] for step, folder in begun])


def _start(folder: Path, _: int | None) -> None:
    """Start one worker with one task process: there are as many workers as steps."""
    launch(folder, 1)


def _leak(run: Run) -> None:
    """For teaching: a step fitted on all rows, in the wrong way, against the right way."""
    if not toggle("features.leak", "Show what a leak would have cost"):
        return
    st.caption(
        "The chosen step is fitted on all rows, test rows included, as happens when a table is edited before it is "
        "split. This score is wrong. It is only shown here."
    )
    places = leaking(run.experiment)
    place = select("features.leaking", "Fit on all rows", list(places), next(iter(places)), text=places.__getitem__)
    models = MODELS[run.experiment.recipe.task]
    titles = {m: run.experiment.candidate(m).label for m in models}
    model = select("features.leaking-model", "Model", models, models[0], text=titles.__getitem__)
    study(run, Study(kind="leak", model=str(model), parameter=str(place)), "Fit it the wrong way")
