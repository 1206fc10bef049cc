"""Parts of the Predict page: a file of new rows, their predictions, and what a person takes away."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from mlcore.errors import HoldoutError
from mlcore.export.artifacts import card_markdown, report_html
from mlcore.export.scoring import Scored, score
from mlcore.ingest.reader import read
from mlcore.run import Run
from ui import cached
from ui.state import workspace
from ui.widgets import error_box, escape, quiet_row, select_model

SHOWN = 200  # rows of the list on the page
TYPES = ["csv", "tsv", "txt", "xlsx", "xls", "ods", "parquet", "json", "jsonl", "feather", "gz", "zip"]


def _run() -> Run:
    run = cached.run()
    assert run is not None  # the shell draws this page only if there is a comparison
    return run


def _star(run: Run) -> str | None:
    return next((r.model for r in run.board().rows if r.star and not r.is_baseline), None)


def new_rows() -> None:
    """Upload new rows, and list their predictions, the highest first."""
    run = _run()
    left, right = st.columns([1, 2], gap="large")
    with left:
        model = select_model("predict.model", run, first=_star(run))
        upload = st.file_uploader("New rows", type=TYPES, key="predict-file", help="A file with the same columns")
        source, target = run.experiment.source.name, run.experiment.recipe.target
        st.caption(escape(f"It needs the columns of {source}; {target} may be missing."))
    with right:
        if upload is None:
            st.markdown("The predictions of each row will be here, as a list to act on, and what does not match.")
            return
        _predictions(run, model, upload.name, upload.getvalue())


def _predictions(run: Run, model: str, name: str, content: bytes) -> None:
    try:
        with st.spinner("Predicting"):
            result, table = _scored(run, model, name, content)
    except HoldoutError as error:
        error_box(error)
        return
    st.markdown(escape(result.sentence()))
    for one in result.differences:
        st.markdown(f"- {escape(one.sentence())}")
    st.dataframe(result.frame().head(SHOWN), hide_index=True, key="predictions")
    st.download_button("Download all predictions (CSV)", table, f"predictions-{run.id}.csv", "text/csv", key="get-all",
                       type="primary", on_click="ignore")  # fmt: skip
    quiet_row(result, "predicted", chart=False)


def _scored(run: Run, model: str, name: str, content: bytes) -> tuple[Scored, bytes]:
    """The predictions of an upload, and all of them as CSV; kept for this tab."""
    key = f"scored-{run.id}-{model}-{name}-{hash(content)}"
    if (kept := cached.remembered(key)) is None:
        with tempfile.TemporaryDirectory(dir=workspace().folder("spool")) as folder:
            path = Path(folder) / f"rows{Path(name).suffix.lower()}"
            path.write_bytes(content)
            out = Path(folder) / "predictions.csv"
            result = score(run, model, read(path, name=name, workspace=workspace()), out)
            kept = (result, out.read_bytes())
        cached.remember(key, kept)
    known: tuple[Scored, bytes] = kept
    return known


def take_away() -> None:
    """A report, a model card, and the commands that do the same."""
    run = _run()
    st.subheader("Take it away")
    model = select_model("predict.export", run, "Report and card of", first=_star(run))
    with st.container(horizontal=True):
        st.download_button("Report (HTML)", lambda: report_html(run, model), f"report-{run.id}.html", "text/html",
                           key="get-report", on_click="ignore")  # fmt: skip
        st.download_button("Model card (Markdown)", lambda: card_markdown(run, model), f"card-{run.id}.md",
                           "text/markdown", key="get-card", on_click="ignore")  # fmt: skip
    st.caption("The same as commands; the model itself is written by the third.")
    st.code(
        f"holdout predict {run.id} NEW.csv --model {model} --out predictions.csv\n"
        f"holdout export {run.id} --to report --model {model} report.html\n"
        f"holdout export {run.id} --to model --model {model} model/",
        language=None,
        wrap_lines=True,
    )
