"""Parts of the Explain page: the model, the row, the bars, and whether to trust them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.explain.lime import Explanation
from mlcore.explain.picks import Pick, picks
from mlcore.run import Run
from mlcore.wording import shortened
from ui import cached
from ui.explain_views import model_view, what_if_view
from ui.models import run_panel
from ui.models.candidates import stale_note
from ui.state import session
from ui.widgets import error_box, escape, select, select_model, show, slider, tabs


def this_row() -> None:
    """One prediction, explained."""
    run = cached.run()
    assert run is not None
    stale_note(run)
    if not run.fitted():
        _not_yet(run)
        return
    tabs("explain.view", VIEWS, run)


def _this_row(run: Run) -> None:
    """LIME for one row, and what chooses the row."""
    controls, chart = st.columns([1, 2], gap="large")
    with controls:
        model, row = _chosen(run)
        label = _label(run)
        with st.expander("How it is computed"):
            locality = slider(
                "explain.locality",
                "Locality",
                0.0,
                0.9,
                0.8,
                0.1,
                help="The probability that a column keeps this row's value in a perturbed row. 0 is classic LIME; "
                "higher values stay closer to this row.",
            )
            samples = int(slider("explain.samples", "Perturbed rows", 500, 5000, 1000, 500))
    with chart:
        _explanation(run, model, row, {"label": label, "locality": locality, "samples": samples})


def _of_the_row(view: Callable[[Run, str, int], None]) -> Callable[[Run], None]:
    """A view of the chosen model and row."""

    def shown(run: Run) -> None:
        controls, body = st.columns([1, 3], gap="large")
        with controls:
            model, row = _chosen(run)
        with body:
            view(run, model, row)

    return shown


def _chosen(run: Run) -> tuple[str, int]:
    """The model and the row."""
    model = select_model("explain.model", run)
    return model, _row(run, model)


VIEWS = {"This row": _this_row, "What if": _of_the_row(what_if_view), "The model": _of_the_row(model_view)}


def _not_yet(run: Run) -> None:
    """No model is fitted on all training rows yet: wait for the first, or report that none will be."""
    live = run.progress().live

    @st.fragment(run_every=0.7 if live else None)
    def wait() -> None:
        if not live:
            st.markdown("No model of this comparison was fitted on all training rows, so none can be explained.")
        elif run.fitted() or not run.progress().live:
            st.rerun()
        else:
            st.markdown("The models are being fitted on all training rows. Explanations begin when the first is done.")
            run_panel.bar(run.progress())

    wait()


def _row(run: Run, model: str) -> int:
    """Choose a list of rows and a row of it, with buttons for the previous and the next."""
    lists: tuple[Pick, ...] = cached.of_run("picks", run, lambda: picks(run, model), model)
    lists = tuple(p for p in lists if p.rows)
    title = select("explain.way", "Rows", [p.title for p in lists], lists[0].title)
    rows = next(p.rows for p in lists if p.title == title)
    position = min(int(session().choices.get(f"explain.place.{title}", 0)), len(rows) - 1)

    def step(to: int) -> None:
        session().choose(f"explain.place.{title}", to)
        session().choose("explain.own", None)  # the arrows step through the list again
        st.session_state["explain-own"] = None

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("◀", key="row-back", disabled=position == 0, help="Previous row", on_click=step, args=(position - 1,))
        st.markdown(f"row **{rows[position]:,}**  \n{position + 1} of {len(rows)}")
        last = position == len(rows) - 1
        st.button("▶", key="row-on", disabled=last, help="Next row", on_click=step, args=(position + 1,))
    row = st.number_input(
        "Or a row of the file, by its position (from 0)",
        0,
        run.dataset.rows - 1,
        session().choices.get("explain.own"),
        key="explain-own",
        placeholder="any row",
    )
    session().choose("explain.own", row)
    return rows[position] if row is None else int(row)


def _label(run: Run) -> str | None:
    """The class to explain, if there are several."""
    if run.experiment.recipe.task != "multiclass":
        return None
    auto = "the predicted class"
    classes = [auto, *map(str, run.plan()["classes"])]
    label = select("explain.label", "Explain", classes, auto)
    return None if label == auto else str(label)


def _explanation(run: Run, model: str, row: int, options: dict[str, Any]) -> None:
    if model in run.deferred():
        label = run.experiment.candidate(model).label
        st.caption(escape(f"{label} is outside the top group, so it is fitted on all training rows first, once."))
    try:
        with st.skeleton(height=420):
            explanation: Explanation = cached.of_run(
                "lime", run, lambda: run.explain(model, row, **options), model, row, tuple(options.items())
            )
    except HoldoutError as error:
        error_box(error)
        return
    st.subheader(escape(explanation.prediction_words()))
    if explanation.hidden:
        st.caption("The true value is hidden: this row is in the holdout, which was not opened.")
    if explanation.truth is not None:
        out_of_fold = f" · out-of-fold: **{escape(explanation.out_of_fold)}**" if explanation.out_of_fold else ""
        st.markdown(f"True {escape(shortened(explanation.target))}: **{escape(explanation.truth)}**{out_of_fold}")
    with st.container(border=True):
        st.markdown("**Can I trust it?**")
        with st.container(horizontal=True):
            st.badge(f"fit R² {explanation.r2:.2f}", color="gray")
            st.badge(f"stable {5 * explanation.stability:.1f} of 5", color="gray")
            st.badge(
                "no: see below" if explanation.abstained else "yes, as far as the fit goes",
                color="orange" if explanation.abstained else "blue",
            )
        st.markdown(escape(explanation.fidelity_words()))
    if explanation.weights:
        if explanation.abstained:
            st.caption("The bars are drawn faded, for the record only.")
        show(lambda: explanation, f"explain-{model}-{row}")
    with st.expander("This row"):
        st.dataframe(
            run.dataset.frame(rows=[row]).T.astype(str).rename(columns={0: "value"}),
            key="row-values",
            height="content" if len(run.experiment.schema) < 15 else 400,
        )
