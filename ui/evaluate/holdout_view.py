"""The holdout: opened on purpose, and every look is counted."""

from __future__ import annotations

import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.evaluate import holdout
from mlcore.run import Run
from mlcore.validation.metrics import metric
from mlcore.wording import number
from ui import cached
from ui.widgets import error_box, escape, select_model, show


def holdout_view(run: Run, models: list[str]) -> None:
    """What opening costs, the model to check, the confirmation, and all looks so far."""
    looks = run.holdout_looks()
    rows = len(run.plan()["holdout"])
    if not rows:
        st.markdown("This comparison kept no holdout, so there are no untouched rows to check a winner on.")
        return
    st.markdown(
        f"{number(rows)} rows were set aside before anything was chosen. Open them once, at the end, for the model "
        "that you mean to use: every look is counted, and choosing a model after a look uses them up."
    )
    model = select_model("evaluate.holdout", run, "Model to check", first=_star(run))
    times = "once" if len({k["look"] for k in looks}) == 1 else f"{len({k['look'] for k in looks})} times"
    state = f" They have been opened {times}." if looks else ""
    sure = st.checkbox(f"I have chosen my model; show me these rows now.{state}", key=f"sure-{len(looks)}")
    if st.button("Open the holdout again" if looks else "Open the holdout", key="open-holdout", disabled=not sure):
        try:
            opened = holdout.open_holdout(run, [model])
        except HoldoutError as error:
            error_box(error)
            return
        cached.remember(f"look-{run.id}", opened)
        st.rerun()
    for entry in cached.remembered(f"look-{run.id}") or []:
        show(lambda entry=entry: entry, f"look-{entry.model}")  # type: ignore[misc]
    for entry in looks:
        row = metric(entry["metric"], run.experiment.recipe.task)
        interval = f" ({number(entry['ci'][0])} to {number(entry['ci'][1])})" if entry["ci"] else ""
        title = run.experiment.candidate(entry["model"]).label
        st.caption(
            escape(
                f"Look {entry['look']}, {entry['when'].replace('T', ' ')}: {title}, {row.title} "
                f"{number(entry['value'])}{interval}"
            )
        )


def _star(run: Run) -> str | None:
    return next((r.model for r in run.board().rows if r.star and not r.is_baseline), None)
