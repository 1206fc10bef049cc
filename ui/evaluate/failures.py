"""Where a model fails: slices, errors, labels in doubt, groups; and two models row by row."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.evaluate.agreement import agreement
from mlcore.evaluate.out_of_fold import OutOfFold, out_of_fold
from mlcore.evaluate.rows import errors, label_doubts
from mlcore.evaluate.slices import fairness, slices, worst_slices
from mlcore.evaluate.thresholds import ThresholdRule
from mlcore.run import Run
from ui import cached
from ui.evaluate.threshold_bar import positive_of, rule, threshold_bar
from ui.state import PARAMETER, session
from ui.widgets import error_box, escape, select, show

WORST = "the worst ones, searched for"
HEIGHT = 420


def one_model(run: Run, models: list[str], name: str) -> OutOfFold:
    """The model of a view that shows one at a time: the first of those that are chosen, or another."""
    titles = {m: run.experiment.candidate(m).label for m in models}
    model = select(name, "Model", models, models[0], text=titles.__getitem__) if len(models) > 1 else models[0]
    return out_of_fold(run, str(model))


def slices_view(run: Run, models: list[str]) -> None:
    """The score on parts of the rows, by a column or two, or the worst parts."""
    left, middle, right = st.columns(3)
    names = [c.name for c in run.experiment.schema if c.role != "target"]
    with left:
        known = one_model(run, models, "evaluate.slices-model")
    with middle:
        by = select("evaluate.by", "Parts", [WORST, *names], WORST)
    with right:
        second = select("evaluate.by-second", "And", ["—", *names], "—") if by != WORST else "—"
    metric = run.experiment.protocol.metric_for(known.task)
    columns = [] if by == WORST else [by] if second in ("—", by) else [by, second]

    def make() -> object:
        if not columns:
            return worst_slices(known, metric, run.columns(known.rows))
        return slices(known, metric, run.columns(known.rows, columns))

    show(lambda: cached.of_run("slices", run, make, known.model, metric.name, *columns),
         f"slices-{known.model}-{by}-{second}")  # fmt: skip


def rows_table(frame: pd.DataFrame, key: str, model: str) -> None:
    """A table of rows of the file; the one that is clicked can be explained."""
    event = st.dataframe(frame, hide_index=True, key=key, height=HEIGHT, on_select="rerun", selection_mode="single-row")
    chosen = event["selection"]["rows"]
    if not chosen:
        st.caption("Click the box at the left of a row to explain it.")
        return
    row = int(frame["row"].iloc[chosen[0]])
    if st.button(f"Explain row {row:,}", key=f"{key}-explain", icon=":material/arrow_forward:", icon_position="right"):
        session().choose("explain.own", row)
        session().choose("explain.model", model)
        st.switch_page("pages/explain.py", query_params={PARAMETER: session().token})


def errors_view(run: Run, models: list[str]) -> None:
    """The rows that are predicted worst."""
    known = one_model(run, models, "evaluate.errors-model")
    result = cached.of_run("errors", run, lambda: errors(known, run.columns(known.rows)), known.model)
    rows_table(result.frame(), f"errors-{known.model}", known.model)
    show(lambda: result, "errors-row", chart=False)


def doubts_view(run: Run, models: list[str]) -> None:
    """The rows whose label is contradicted."""
    known = one_model(run, models, "evaluate.doubts-model")
    try:
        result = cached.of_run("doubts", run, lambda: label_doubts(known), known.model)
    except HoldoutError as error:
        error_box(error)
        return
    rows = result.frame()
    if len(rows):
        columns = run.columns(rows["row"].to_numpy()[:200])
        table = pd.concat([rows.head(200).reset_index(drop=True), columns.reset_index(drop=True)], axis=1)
        rows_table(table.loc[:, ~table.columns.duplicated()], f"doubts-{known.model}", known.model)
    show(lambda: result, "doubts-row", chart=False)


def fairness_view(run: Run, models: list[str]) -> None:
    """The rates of the groups of one column."""
    threshold_bar(run, models)
    left, right = st.columns(2)
    with left:
        known = one_model(run, models, "evaluate.fairness-model")
    names = [c.name for c in run.experiment.schema if c.role != "target"]
    with right:
        column = str(select("evaluate.sensitive", "Groups by", names, _likely_groups(run)))

    def make() -> object:
        scored = known.scored(positive_of(run))
        limit = (rule() or ThresholdRule(kind="at", value=scored.usual)).choose(scored)
        return fairness(scored, run.columns(known.rows, [column])[column], limit)

    show(make, f"fairness-{known.model}-{column}")  # type: ignore[arg-type]


def _likely_groups(run: Run) -> str | None:
    """The first column with a few groups."""
    few = (c.name for c in run.experiment.schema if c.role != "target" and 2 <= c.distinct <= 12)
    return next(few, None)


def agreement_view(run: Run, models: list[str]) -> None:
    """Two models row by row."""
    if len(models) < 2:
        st.caption("Choose two models above to compare them row by row.")
        return
    titles = {m: run.experiment.candidate(m).label for m in models}
    left, right = st.columns(2)
    with left:
        first = str(select("evaluate.first", "First model", models, models[0], text=titles.__getitem__))
    others = [m for m in models if m != first]
    with right:
        second = str(select("evaluate.second", "Second model", others, others[0], text=titles.__getitem__))
    try:
        result = cached.of_run(
            "agreement", run, lambda: agreement(out_of_fold(run, first), out_of_fold(run, second)), first, second
        )
    except HoldoutError as error:
        error_box(error)
        return
    st.markdown(escape(result.sentence()))
    st.caption("The rows in which they differ")
    rows_table(result.frame().head(200), f"agreement-{first}-{second}", first)
    show(lambda: result, "agreement-row", chart=False, words=False)
