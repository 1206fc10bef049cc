"""The Evaluate page's parts: the views of a task, each for one model or several."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mlcore import evaluate
from mlcore.compare.run import Run
from mlcore.errors import HoldoutError
from mlcore.evaluate.classes import classes_of
from mlcore.result import number
from ui import cached, jobs
from ui.candidates import outdated, pick_model
from ui.widgets import escape, pick, quiet_row, several_of, show, switch, trouble

View = Callable[[Run, list[str]], None]


def views() -> None:
    """Choose models, choose a view, draw it."""
    run = cached.run()
    assert run is not None
    if run.progress().live:
        st.caption("The comparison is still under way; models appear here as they are done.")
    outdated(run)
    done = run.predicted()
    if not done:
        jobs.ended(run.progress())
        st.markdown("No model has predictions yet.")
        return
    ranked = [r.model for r in run.board().rows if r.model in done]
    titles = {c.model: c.title or c.model for c in run.experiment.candidates}
    first = [m for m in ranked if m != "dummy"][:3] or ranked[:1]
    models = several_of("evaluate.models", "Models", ranked, first, text=titles.__getitem__)
    if not models:
        st.caption("Choose at least one model.")
        return
    found = QUANTITY if run.experiment.recipe.task == "regression" else CLASSES
    found[switch("evaluate.view", "View", list(found))](run, models)


def _scores(run: Run, models: list[str]) -> None:
    table = evaluate.scores(run, models)
    st.dataframe(table.frame().set_index("Model").T, key="scores", height="content")
    st.markdown(escape(table.sentence()))
    quiet_row(table, "scores")


def _side_by_side(run: Run, models: list[str], key: str, make: Callable[[Run, str], object]) -> None:
    """One picture a model, two in a row."""
    for start in range(0, len(models), 2):
        for column, model in zip(st.columns(2, gap="large"), models[start : start + 2], strict=False):
            with column:
                st.markdown(f"**{escape(run.experiment.candidate(model).title or model)}**")
                show(lambda m=model: cached.of_run(key, run, lambda: make(run, m), m), f"{key}-{model}")  # type: ignore[misc]


def _confusion(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "confusion", evaluate.confusion)


def _curve(run: Run, models: list[str], kind: str) -> None:
    labels = classes_of(run)
    positive = pick("evaluate.class", "Class against the rest", labels, labels[-1]) if len(labels) > 2 else labels[-1]
    make = evaluate.roc if kind == "roc" else evaluate.precision_recall
    show(lambda: cached.of_run(kind, run, lambda: make(run, models, positive), tuple(models), positive), kind)


def _roc(run: Run, models: list[str]) -> None:
    _curve(run, models, "roc")


def _precision_recall(run: Run, models: list[str]) -> None:
    _curve(run, models, "precision_recall")


def _predicted(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "predicted", evaluate.predicted)


def _residuals(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "residuals", evaluate.residuals)


def _titled(run: Run, model: str) -> str:
    return run.experiment.candidate(model).title or model


def _holdout(run: Run, models: list[str]) -> None:
    looks = evaluate.holdout_looks(run)
    rows = len(run.plan()["holdout"])
    if not rows:
        st.markdown("This comparison kept no holdout, so there is no untouched row to check a winner on.")
        return
    st.markdown(
        f"{number(rows)} rows were locked away before anything was chosen. Look once, at the end, at the model that "
        "you mean to use: every look is counted, and choosing after looking spends them."
    )
    model = pick_model("evaluate.holdout", run, "Model to check")
    label = f"Open the holdout again (look {looks[-1]['looks'] + 1})" if looks else "Open the holdout"
    if st.button(label, key="open-holdout"):
        try:
            evaluate.open_holdout(run, [model])
        except HoldoutError as error:
            trouble(error)
            return
        st.rerun()
    for look in looks:
        st.markdown(
            escape(
                f"Look {look['looks']}, {look['when'].replace('T', ' ')}: {_titled(run, look['model'])} "
                f"{look['metric']} {number(look['value'])}"
                + (f" ({number(look['ci'][0])} to {number(look['ci'][1])})" if look["ci"] else "")
            )
        )


CLASSES: dict[str, View] = {
    "Scores": _scores,
    "Confusion": _confusion,
    "ROC": _roc,
    "Precision–recall": _precision_recall,
    "Holdout": _holdout,
}
QUANTITY: dict[str, View] = {
    "Scores": _scores,
    "Predicted and actual": _predicted,
    "Residuals": _residuals,
    "Holdout": _holdout,
}
