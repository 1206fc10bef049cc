"""The threshold that all views of the page share: a number, the best of a metric, a wish, a capacity, or costs."""

from __future__ import annotations

import streamlit as st

from mlcore.errors import HoldoutError, NotApplicable
from mlcore.evaluate.out_of_fold import out_of_fold
from mlcore.evaluate.thresholds import RATES, Payoff, ThresholdRule
from mlcore.run import Run
from ui.state import session
from ui.widgets import error_box, select

WAYS = {
    "at": "a number",
    "best": "the best of a metric",
    "recall": "the recall that you need",
    "precision": "the precision that you need",
    "top": "how many rows you can act on",
}
NAME = "evaluate.threshold"  # the rule as text; None: the usual threshold of each model


def positive_of(run: Run) -> str | None:
    """The class of two that figures are about."""
    return run.experiment.recipe.positive


def has_threshold(run: Run, models: list[str]) -> bool:
    """Whether there are two classes and a model that gives scores."""
    if run.experiment.recipe.task != "binary":
        return False
    return any(_usual(run, m) is not None for m in models)


def _usual(run: Run, model: str) -> float | None:
    try:
        return out_of_fold(run, model).scored(positive_of(run)).usual
    except NotApplicable:
        return None


def rule() -> ThresholdRule | None:
    """The rule that was chosen; None for the usual threshold."""
    text = session().choices.get(NAME)
    return ThresholdRule.parse(text) if text else None


def threshold_bar(run: Run, models: list[str]) -> None:
    """Choose how the threshold is chosen; nothing where there are not two classes, or no model gives scores."""
    if not has_threshold(run, models):
        return
    usual = next((u for m in models if (u := _usual(run, m)) is not None), 0.5)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = select("evaluate.threshold-by", "Threshold by", list(WAYS), "at", text=WAYS.__getitem__, width=260)
        text = _value(str(way), usual)
    try:
        ThresholdRule.parse(text)
        session().choose(NAME, text)
    except HoldoutError as error:
        error_box(error)


def _value(way: str, usual: float) -> str:
    """The value of a way, as the text of a rule."""
    saved = session().choices.get(f"{NAME}-{way}")
    if way == "best":
        metric = select(f"{NAME}-best", "Metric", list(RATES), "f1", text=lambda m: RATES[m][0], width=220)
        return f"best:{metric}"
    if way == "top":
        count = st.number_input("Rows", 1, 10_000_000, int(saved or 100), key=f"{NAME}-top", width=160)
        session().choose(f"{NAME}-top", int(count))
        return f"top:{int(count)}"
    if way == "at" and usual == 0.5:
        value = st.slider("Threshold", 0.0, 1.0, float(saved or 0.5), 0.01, key=f"{NAME}-at", width=360)
    elif way == "at":
        value = st.number_input("Threshold (decision score)", value=float(saved or 0.0), key=f"{NAME}-at", width=200)
    else:
        value = st.slider(WAYS[way].capitalize(), 0.01, 1.0, float(saved or 0.8), 0.01, key=f"{NAME}-{way}", width=360)
    session().choose(f"{NAME}-{way}", float(value))
    return f"{float(value)}" if way == "at" else f"{way}:{float(value)}"


def payoff() -> Payoff | None:
    """The money of each outcome, as inputs."""
    st.markdown("What does one row of each outcome earn? A cost is negative.")
    names = {"tp": "found (true positive)", "fp": "false positive", "fn": "missed (false negative)",
             "tn": "left alone (true negative)"}  # fmt: skip
    defaults = {"tp": 100.0, "fp": -10.0, "fn": 0.0, "tn": 0.0}
    values = []
    for column, (name, label) in zip(st.columns(4), names.items(), strict=True):
        key = f"evaluate.payoff-{name}"
        with column:
            values.append(
                st.number_input(label.capitalize(), value=float(session().choices.get(key, defaults[name])), key=key)
            )
        session().choose(key, values[-1])
    try:
        return Payoff.of(values)
    except HoldoutError as error:
        error_box(error)
        return None
