"""The Explain page's parts: which model, which row, the bars, and whether to believe them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore.compare.run import Run
from mlcore.errors import HoldoutError
from mlcore.explain import Pick, picks
from mlcore.explain.lime import Explanation
from mlcore.result import shortened
from ui import cached, jobs
from ui.candidates import outdated, pick_model
from ui.state import session
from ui.widgets import escape, pick, show, slide, trouble


def this_row() -> None:
    """One prediction, explained."""
    run = cached.run()
    assert run is not None
    outdated(run)
    if not run.fitted():
        _not_yet(run)
        return
    controls, picture = st.columns([1, 2], gap="large")
    with controls:
        model = pick_model("explain.model", run)
        row = _row(run, model)
        label = _label(run)
        with st.expander("How it is made"):
            locality = slide(
                "explain.locality",
                "Locality",
                0.0,
                0.9,
                0.5,
                0.1,
                help="The chance that a column keeps this row's value in a made-up row. 0 is classic LIME; higher "
                "looks nearer to this row.",
            )
            samples = int(slide("explain.samples", "Made-up rows", 500, 5000, 1000, 500))
    with picture:
        _picture(run, model, row, {"label": label, "locality": locality, "samples": samples})


def _not_yet(run: Run) -> None:
    """No model is fitted on all rows yet: wait for the first, or say that none will be."""
    live = run.progress().live

    @st.fragment(run_every=0.7 if live else None)
    def wait() -> None:
        if not live:
            st.markdown("No model of this comparison was fitted on all training rows, so none can be explained.")
        elif run.fitted() or not run.progress().live:
            st.rerun()
        else:
            st.markdown("The models are being fitted on all training rows. Explanations begin when the first is done.")
            jobs.bar(run.progress())

    wait()


def _row(run: Run, model: str) -> int:
    """A row by a way of choosing, with steps back and forth."""
    ways: tuple[Pick, ...] = cached.of_run("picks", run, lambda: picks(run, model), model)
    ways = tuple(w for w in ways if w.rows)
    way = pick("explain.way", "Rows", [w.title for w in ways], ways[0].title)
    rows = next(w.rows for w in ways if w.title == way)
    place = min(int(session().choices.get(f"explain.place.{way}", 0)), len(rows) - 1)

    def step(to: int) -> None:
        session().choose(f"explain.place.{way}", to)
        st.session_state["explain-own"] = None  # the arrows walk the list again

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("◀", key="row-back", disabled=place == 0, help="The row before", on_click=step, args=(place - 1,))
        st.markdown(f"row **{rows[place]:,}**  \n{place + 1} of {len(rows)}")
        last = place == len(rows) - 1
        st.button("▶", key="row-on", disabled=last, help="The row after", on_click=step, args=(place + 1,))
    own = st.number_input(
        "Or a row of the file, by its position from 0",
        0,
        run.dataset.rows - 1,
        None,
        key="explain-own",
        placeholder="any row",
    )
    return rows[place] if own is None else int(own)


def _label(run: Run) -> str | None:
    """Of several classes, the one to explain."""
    if run.experiment.recipe.task != "multiclass":
        return None
    auto = "the predicted class"
    classes = [auto, *map(str, run.plan()["classes"])]
    chosen = pick("explain.label", "Explain", classes, auto)
    return None if chosen == auto else str(chosen)


def _picture(run: Run, model: str, row: int, options: dict[str, Any]) -> None:
    try:
        with st.skeleton(height=420):
            found: Explanation = cached.of_run(
                "lime", run, lambda: run.explain(model, row, **options), model, row, tuple(options.items())
            )
    except HoldoutError as error:
        trouble(error)
        return
    st.subheader(escape(found.prediction_words()))
    if found.truth is not None:
        unseen = f" · predicted while unseen: **{escape(found.unseen)}**" if found.unseen else ""
        st.markdown(f"True {escape(shortened(found.target))}: **{escape(found.truth)}**{unseen}")
    with st.container(border=True):
        st.markdown("**Can I trust it?**")
        with st.container(horizontal=True):
            st.badge(f"fit R² {found.r2:.2f}", color="gray")
            st.badge(f"stable {5 * found.stability:.1f} of 5", color="gray")
            st.badge(
                "no: it abstains" if found.abstained else "yes, as far as the fit goes",
                color="orange" if found.abstained else "blue",
            )
        st.markdown(escape(found.fidelity_words()))
    if found.weights:
        if found.abstained:
            st.caption("The bars are drawn faded, for the record only.")
        show(lambda: found, f"explain-{model}-{row}")
    with st.expander("This row"):
        st.dataframe(
            run.dataset.frame(rows=[row]).T.astype(str).rename(columns={0: "value"}),
            key="row-values",
            height="content" if len(run.experiment.schema) < 15 else 400,
        )
