"""The frame of every page: page config, stepper, sidebar, and a check that its data, target or run exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from mlcore.data.dataset import Dataset
from mlcore.errors import HoldoutError
from mlcore.wording import number
from ui import cached
from ui.models import run_panel
from ui.state import PARAMETER, Session, session
from ui.widgets import error_box, escape

ICON = str(Path(__file__).parent / "assets" / "icon.png")


DARK_LETTERS = """<style>
[data-testid="stPopoverButton"][aria-expanded="true"], [data-testid="stPopoverButton"][aria-expanded="true"] *
{ color: #8FB1FF !important; }
[data-testid="stBaseButton-primary"]:not(:disabled), [data-testid="stBaseButton-primary"]:not(:disabled) *,
[data-testid="stMultiSelectTagsContainer"] [data-tag], [data-testid="stMultiSelectTagsContainer"] [data-tag] *
{ color: #0B1220 !important; }
</style>"""


@dataclass(frozen=True)
class Page:
    """A step of the workflow."""

    name: str
    title: str
    lead: str  # its purpose, in one line
    file: str
    needs: str = ""  # data, target or run


PAGES: tuple[Page, ...] = (
    Page("data", "Data", "Open data, check the columns, choose what to predict.", "pages/data.py"),
    Page("explore", "Explore", "Look at one column, two, or all.", "pages/explore.py", "data"),
    Page("features", "Features", "How columns become inputs for models.", "pages/features.py", "target"),
    Page("models", "Models", "Compare models on the same folds.", "pages/models.py", "target"),
    Page("evaluate", "Evaluate", "What the models get right and wrong.", "pages/evaluate.py", "run"),
    Page(
        "explain",
        "Explain",
        "Why one prediction came out as it did, and whether to believe it.",
        "pages/explain.py",
        "run",
    ),
    Page("predict", "Predict", "New rows as a ranked list, a report, a model card.", "pages/predict.py", "run"),
)
HOME = Page("home", "Holdout", "Explore data, compare models, trust the winner.", "app.py")


@dataclass(frozen=True)
class Standing:
    """Which of data, target and run there are."""

    data: bool
    target: bool
    run: bool

    def missing(self, needs: str) -> str:
        """The first thing that a page still needs; empty if it needs nothing."""
        if needs in ("data", "target", "run") and not self.data:
            return "data"
        if needs in ("target", "run") and not self.target and not self.run:
            return "target"
        if needs == "run" and not self.run:
            return "run"
        return ""


LACKS = {
    "data": (
        "No data are open yet. Open a file or a sample, and this page shows them.",
        "pages/data.py",
        "Open data",
    ),
    "target": (
        "No target is chosen yet. Choose the column to predict first.",
        "pages/data.py",
        "Choose the target",
    ),
    "run": (
        "No comparison has been run yet. Compare some models, and their results appear here.",
        "pages/models.py",
        "Compare models",
    ),
}


def run_page(page: Page | str, body: Callable[[], None]) -> None:
    """Draw a page; an error raised by the core becomes a quiet box."""
    step = page if isinstance(page, Page) else next(p for p in PAGES if p.name == page)
    st.set_page_config(
        page_title="Holdout" if step is HOME else f"{step.title} · Holdout",
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state="auto",
        menu_items={"Get help": None, "Report a bug": None, "About": None},
    )
    if st.context.theme.type == "dark":  # the light blue of links is too light behind white text
        st.html(DARK_LETTERS)
    current = session()
    standing = _standing(current)
    _stepper(step, current, standing)
    _sidebar(current)
    lack = standing.missing(step.needs)
    try:
        if lack:
            _empty(step, lack)
        else:
            body()
    except HoldoutError as error:
        error_box(error)


def _standing(current: Session) -> Standing:
    try:
        data = cached.dataset() is not None
    except HoldoutError:
        data = False
    return Standing(data, current.recipe is not None, cached.run() is not None)


def link(file: str, label: str, **more: object) -> None:
    """A link to a page that carries the session along."""
    st.page_link(file, label=label, query_params={PARAMETER: session().token}, **more)  # type: ignore[arg-type]


def _stepper(page: Page, current: Session, standing: Standing) -> None:
    done = {"data": standing.target, "models": standing.run, "features": standing.run}
    with st.container(horizontal=True, gap="small", key="stepper", vertical_alignment="center"):
        link("app.py", "**Holdout**")
        for step in PAGES:
            lack = standing.missing(step.needs)
            symbol = "●" if step is page else "✓" if done.get(step.name) else "○"
            label = f"{symbol} **{step.title}**" if step is page else f"{symbol} {step.title}"
            link(step.file, label, help=f"Needs {_needs(lack)} first." if lack else step.lead)


def _needs(lack: str) -> str:
    return {"data": "data", "target": "a target", "run": "a comparison"}[lack]


def _empty(page: Page, lack: str) -> None:
    st.title(page.title)
    text, file, label = LACKS[lack]
    with st.container(border=True):
        st.markdown(f"{page.lead}\n\n{text}")
        link(file, label, icon=":material/arrow_forward:")


def _sidebar(current: Session) -> None:
    with st.sidebar:
        try:
            data = cached.dataset()
        except HoldoutError as error:
            error_box(error)
            return
        if data is None:
            st.caption("No data are open.")
            return
        _data_card(data, current)
        run_panel.card()


def _data_card(data: Dataset, current: Session) -> None:
    st.markdown(f"**{escape(data.name, 60)}**  \n{number(data.rows)} rows × {number(len(data.schema))} columns")
    if current.recipe is None:
        st.caption("No target yet")
        return
    tasks = {"binary": "two classes", "multiclass": "several classes", "regression": "a number"}
    st.markdown(f"Predict **{escape(current.recipe.target, 60)}**  \n{tasks[current.recipe.task]}")
    st.caption(_holdout_text(current))


def _holdout_text(current: Session) -> str:
    """The holdout of the run, or the planned one if there is no run."""
    run = cached.run()
    if run is None or not (run.path / "plan.json").exists():
        fraction = current.protocol.holdout
        return f"Holdout: {100 * fraction:g} % of the rows will be set aside" if fraction else "No holdout will be kept"
    rows, looks = len(run.plan()["holdout"]), run.holdout_looks()
    if not rows:
        return "No holdout was kept"
    opened = f"opened {looks[-1]['looks']}×" if looks else "not opened"
    return f"Holdout: {number(rows)} rows, {opened}"


def next_link(file: str, label: str) -> None:
    """The button to the next page, at the bottom of a page."""
    st.space("small")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(label, type="primary", icon=":material/arrow_forward:", icon_position="right", key="next"):
            st.switch_page(file, query_params={PARAMETER: session().token})


def dataset() -> Dataset:
    """The dataset of this session. Pages that need one are drawn only if it is open."""
    data = cached.dataset()
    if data is None:
        raise HoldoutError("No data are open.")
    return data
