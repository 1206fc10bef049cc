"""Parts of the Evaluate page: the views of a task, each for one or more models."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.evaluate import classes, holdout, quantities, scores
from mlcore.evaluate.out_of_fold import classes_of
from mlcore.run import Run
from mlcore.wording import number
from ui import cached
from ui.models import run_panel
from ui.models.candidates import stale_note
from ui.widgets import error_box, escape, multiselect, quiet_row, select, select_model, show, tabs

View = Callable[[Run, list[str]], None]


def views() -> None:
    """Choose models, choose a view, draw it."""
    run = cached.run()
    assert run is not None
    if run.progress().live:
        st.caption("The comparison is still running; models appear here as they finish.")
    stale_note(run)
    done = run.predicted()
    if not done:
        run_panel.ended(run.progress())
        st.markdown("No model has predictions yet.")
        return
    ranked = [r.model for r in run.board().rows if r.model in done]
    titles = {c.model: c.label for c in run.experiment.candidates}
    defaults = [m for m in ranked if not run.experiment.candidate(m).is_baseline][:3] or ranked[:1]
    models = multiselect("evaluate.models", "Models", ranked, defaults, text=titles.__getitem__)
    if not models:
        st.caption("Choose at least one model.")
        return
    task_views = REGRESSION if run.experiment.recipe.task == "regression" else CLASSIFICATION
    tabs("evaluate.view", task_views, run, models)


def _scores(run: Run, models: list[str]) -> None:
    table = scores.scores(run, models)
    st.dataframe(table.frame().set_index("Model").T, key="scores", height="content")
    st.markdown(escape(table.sentence()))
    quiet_row(table, "scores")


def _side_by_side(run: Run, models: list[str], key: str, make: Callable[[Run, str], object]) -> None:
    """One chart per model, two in a row."""
    for start in range(0, len(models), 2):
        for column, model in zip(st.columns(2, gap="large"), models[start : start + 2], strict=False):
            with column:
                st.markdown(f"**{escape(run.experiment.candidate(model).label)}**")
                show(lambda m=model: cached.of_run(key, run, lambda: make(run, m), m), f"{key}-{model}")  # type: ignore[misc]


def _confusion(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "confusion", classes.confusion)


def _curve(run: Run, models: list[str], kind: str) -> None:
    labels = classes_of(run)
    positive = select("evaluate.class", "Positive class", labels, labels[-1]) if len(labels) > 2 else labels[-1]
    make = classes.roc if kind == "roc" else classes.precision_recall
    show(lambda: cached.of_run(kind, run, lambda: make(run, models, positive), tuple(models), positive), kind)


def _roc(run: Run, models: list[str]) -> None:
    _curve(run, models, "roc")


def _precision_recall(run: Run, models: list[str]) -> None:
    _curve(run, models, "precision_recall")


def _predicted(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "predicted", quantities.predicted)


def _residuals(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "residuals", quantities.residuals)


def _title(run: Run, model: str) -> str:
    return run.experiment.candidate(model).label


def _holdout(run: Run, models: list[str]) -> None:
    looks = run.holdout_looks()
    rows = len(run.plan()["holdout"])
    if not rows:
        st.markdown("This comparison kept no holdout, so there are no untouched rows to check a winner on.")
        return
    st.markdown(
        f"{number(rows)} rows were set aside before anything was chosen. Open them once, at the end, for the model "
        "that you mean to use: every look is counted, and choosing a model after a look uses them up."
    )
    model = select_model("evaluate.holdout", run, "Model to check")
    label = f"Open the holdout again (look {looks[-1]['looks'] + 1})" if looks else "Open the holdout"
    if st.button(label, key="open-holdout"):
        try:
            holdout.open_holdout(run, [model])
        except HoldoutError as error:
            error_box(error)
            return
        st.rerun()
    for entry in looks:
        st.markdown(
            escape(
                f"Look {entry['looks']}, {entry['when'].replace('T', ' ')}: {_title(run, entry['model'])} "
                f"{entry['metric']} {number(entry['value'])}"
                + (f" ({number(entry['ci'][0])} to {number(entry['ci'][1])})" if entry["ci"] else "")
            )
        )


CLASSIFICATION: dict[str, View] = {
    "Scores": _scores,
    "Confusion": _confusion,
    "ROC": _roc,
    "Precision–recall": _precision_recall,
    "Holdout": _holdout,
}
REGRESSION: dict[str, View] = {
    "Scores": _scores,
    "Predicted and actual": _predicted,
    "Residuals": _residuals,
    "Holdout": _holdout,
}
