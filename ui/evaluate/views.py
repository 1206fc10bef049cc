"""The views of a task, each for one or more models; only the chosen one is computed and drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from mlcore.errors import HoldoutError, NotApplicable
from mlcore.evaluate import classes, gain, quantities, scores, thresholds
from mlcore.evaluate.calibration import calibration
from mlcore.evaluate.out_of_fold import Scored, classes_of, out_of_fold
from mlcore.evaluate.thresholds import ThresholdRule
from mlcore.run import Run
from mlcore.wording import number, percent
from ui import cached
from ui.evaluate.failures import (
    agreement_view,
    doubts_view,
    errors_view,
    fairness_view,
    one_model,
    rows_table,
    slices_view,
)  # fmt: skip
from ui.evaluate.holdout_view import holdout_view
from ui.evaluate.threshold_bar import payoff, positive_of, rule, threshold_bar
from ui.models import run_panel
from ui.models.candidates import stale_note
from ui.widgets import error_box, escape, multiselect, quiet_row, select, show, tabs

View = Callable[[Run, list[str]], None]
MOST_ROWS = 500  # of a cell that are listed
BEST = "background-color: rgba(47, 95, 208, 0.18); font-weight: 600"


def views() -> None:
    """Choose models and a threshold, choose a view, draw it."""
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
    models = multiselect("evaluate.models", "Models", ranked, _first(run, ranked), text=titles.__getitem__)
    if not models:
        st.caption("Choose at least one model.")
        return
    tabs("evaluate.view", views_of(run), run, models)


def _first(run: Run, ranked: list[str]) -> list[str]:
    """The starred model and the baseline."""
    star = [r.model for r in run.board().rows if r.star and r.model in ranked]
    baseline = [m for m in ranked if run.experiment.candidate(m).is_baseline]
    return list(dict.fromkeys([*(star or ranked[:1]), *baseline]))


def views_of(run: Run) -> dict[str, View]:
    """The views of a run's task."""
    return {"binary": TWO_CLASSES, "multiclass": CLASSIFICATION, "regression": REGRESSION}[run.experiment.recipe.task]


def _scores(run: Run, models: list[str]) -> None:
    table = scores.scores(run, models)
    best = table.best()
    frame = table.frame().set_index("Model").T
    frame.insert(0, "What it is", [next(r.metric.note for r in table.rows if r.name == n) for n in frame.index])
    style = frame.style.apply(
        lambda row: [BEST if best.get(str(row.name)) == c and len(models) > 1 else "" for c in frame.columns], axis=1
    )
    st.dataframe(style, key="scores", height="content")
    st.markdown(escape(table.sentence()))
    quiet_row(table, "scores", chart=False)


def _side_by_side(run: Run, models: list[str], key: str, make: Callable[[Run, str], object]) -> None:
    """One chart per model, two in a row."""
    for start in range(0, len(models), 2):
        for column, model in zip(st.columns(2, gap="large"), models[start : start + 2], strict=False):
            with column:
                st.markdown(f"**{escape(run.experiment.candidate(model).label)}**")
                show(lambda m=model: cached.of_run(key, run, lambda: make(run, m), m), f"{key}-{model}")  # type: ignore[misc]


def _learned(run: Run, models: list[str]) -> list[str]:
    """The models but the baseline, whose scores are all but equal; the baseline if nothing else is chosen."""
    return [m for m in models if not run.experiment.candidate(m).is_baseline] or models


def _scored(run: Run, models: list[str]) -> list[Scored]:
    """The models with scores for the positive class. Raises NotApplicable without any."""
    known, reason = [], "No model is chosen."
    for model in models:
        try:
            known.append(out_of_fold(run, model).scored(positive_of(run)))
        except NotApplicable as error:
            reason = str(error)
    if not known:
        raise NotApplicable(reason)
    return known


def _threshold(run: Run, models: list[str]) -> None:
    threshold_bar(run, models)
    try:
        known = _scored(run, _learned(run, models))
    except HoldoutError as error:
        error_box(error)
        return
    for scored in known[:2]:
        with st.container(border=len(known) > 1):
            show(lambda s=scored: thresholds.threshold(s, rule()), f"threshold-{scored.title}")  # type: ignore[misc]
            _at_prevalence(scored)


def _at_prevalence(scored: Scored) -> None:
    """What the precision becomes where the class is rarer or more common."""
    with st.expander("If the class were rarer or more common", key=f"prevalence-{scored.title}"):
        try:
            result = thresholds.threshold(scored, rule())
        except HoldoutError as error:
            error_box(error)
            return
        share = st.slider("Percentage of the class among new rows", 0.1, 99.9, round(100 * result.prevalence, 1), 0.1,
                          key=f"prevalence-slider-{scored.title}")  # fmt: skip
        precision = result.precision_at(share / 100)
        calls = percent(precision) if precision is not None else "none"
        here = percent(result.prevalence)
        st.markdown(f"Recall stays. Of its calls {calls} would be right; here the class is {here} of the rows.")


def _costs(run: Run, models: list[str]) -> None:
    money = payoff()
    if money is None:
        return
    try:
        known = _scored(run, _learned(run, models))
    except HoldoutError as error:
        error_box(error)
        return
    for scored in known[:2]:
        show(lambda s=scored: thresholds.profit(s, money), f"profit-{scored.title}")  # type: ignore[misc]


def _confusion(run: Run, models: list[str]) -> None:
    threshold_bar(run, models)
    _side_by_side(run, models, f"confusion-{rule()}", _confusion_of)
    _rows_of_a_cell(run, models)


def _rows_of_a_cell(run: Run, models: list[str]) -> None:
    """The rows behind one cell of the confusion matrix of a model, the most common confusion first."""
    st.markdown("**The rows of one cell**")
    left, right = st.columns(2)
    with left:
        known = one_model(run, models, "evaluate.cell-model")
    matrix = _confusion_of(run, known.model)
    cells = sorted(
        ((i, j) for i in range(len(matrix.labels)) for j in range(len(matrix.labels)) if matrix.counts[i, j]),
        key=lambda c: (c[0] == c[1], -matrix.counts[c]),
    )
    names = {f"{matrix.labels[i]} predicted as {matrix.labels[j]} ({matrix.counts[i, j]:,})": (i, j) for i, j in cells}
    with right:
        name = str(select(f"evaluate.cell-{known.model}", "Cell", list(names)))
    rows = classes.rows_of(known, names[name], positive_of(run), _limit(run, known.model))
    table = run.columns(rows[:MOST_ROWS])
    table.insert(0, "row", rows[:MOST_ROWS], allow_duplicates=True)
    rows_table(table.loc[:, ~table.columns.duplicated()], f"cell-{known.model}-{name}", known.model)


def _limit(run: Run, model: str) -> float | None:
    """The threshold of a model of two classes; None where it has none."""
    chosen = rule() if run.experiment.recipe.task == "binary" else None
    try:
        return chosen.choose(out_of_fold(run, model).scored(positive_of(run))) if chosen else None
    except NotApplicable:
        return None


def _confusion_of(run: Run, model: str) -> classes.Confusion:
    return classes.confusion(run, model, _limit(run, model))


def _curve(run: Run, models: list[str], kind: str) -> None:
    threshold_bar(run, models)
    labels = classes_of(run)
    positive = select("evaluate.class", "Positive class", labels, labels[-1]) if len(labels) > 2 else positive_of(run)
    make = classes.roc if kind == "roc" else classes.precision_recall
    chosen: ThresholdRule | None = rule() if len(labels) == 2 else None
    show(
        lambda: cached.of_run(kind, run, lambda: make(run, models, positive, chosen), tuple(models), positive, chosen),
        kind,
    )


def _roc(run: Run, models: list[str]) -> None:
    _curve(run, models, "roc")


def _precision_recall(run: Run, models: list[str]) -> None:
    _curve(run, models, "precision_recall")


def _calibration(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "calibration", lambda r, m: calibration(out_of_fold(r, m).scored(positive_of(r))))


def _gain(run: Run, models: list[str]) -> None:
    show(lambda: gain.gain(_scored(run, models)), "gain")
    _side_by_side(run, models, "distributions",
                  lambda r, m: gain.score_distributions(out_of_fold(r, m).scored(positive_of(r))))  # fmt: skip


def _refusing(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "abstention", lambda r, m: gain.abstention_of(out_of_fold(r, m)))


def _predicted(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "predicted", quantities.predicted)


def _residuals(run: Run, models: list[str]) -> None:
    _side_by_side(run, models, "residuals", quantities.residuals)
    names = ["the prediction", *(c.name for c in run.experiment.schema if c.role != "target")]
    over = str(select("evaluate.over", "Errors over", names))

    def make(r: Run, m: str) -> object:
        values = None if over == names[0] else r.columns(out_of_fold(r, m).rows, [over])[over]
        return quantities.residuals_over(r, m, values)

    _side_by_side(run, models, f"residuals-{over}", make)


def _intervals(run: Run, models: list[str]) -> None:
    for model in models:
        result = cached.of_run("intervals", run, partial(quantities.prediction_intervals, run, model), model)
        st.markdown(escape(result.sentence()))
        table = result.frame().rename(columns={"level": "of all rows", "half-width": "within ±"})
        table["within ±"] = table["within ±"].map(number)
        for name in ("of all rows", "coverage"):
            table[name] = table[name].map(lambda v: percent(v, 1, 1))
        st.dataframe(table, hide_index=True, key=f"intervals-{model}", height="content")


SHARED: dict[str, View] = {
    "Where it fails": slices_view,
    "Errors": errors_view,
    "Two models": agreement_view,
    "Holdout": holdout_view,
}
CLASSIFICATION: dict[str, View] = {
    "Confusion": _confusion,
    "Scores": _scores,
    "ROC": _roc,
    "Precision–recall": _precision_recall,
    "Refusing": _refusing,
    "Labels in doubt": doubts_view,
    **SHARED,
}
TWO_CLASSES: dict[str, View] = {
    "Threshold": _threshold,
    "Scores": _scores,
    "Confusion": _confusion,
    "ROC": _roc,
    "Precision–recall": _precision_recall,
    "Costs": _costs,
    "Calibration": _calibration,
    "Gain": _gain,
    "Refusing": _refusing,
    "Groups": fairness_view,
    "Labels in doubt": doubts_view,
    **SHARED,
}
REGRESSION: dict[str, View] = {
    "Predicted and actual": _predicted,
    "Scores": _scores,
    "Residuals": _residuals,
    "Intervals": _intervals,
    **SHARED,
}
