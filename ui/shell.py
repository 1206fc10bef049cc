"""What every page begins with: page config, stepper, sidebar; and what a page needs before it can show anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from mlcore.dataset import Dataset
from mlcore.errors import HoldoutError
from mlcore.evaluate import holdout_looks
from mlcore.result import number
from ui import cached
from ui.state import PARAMETER, Session, session
from ui.widgets import escape, trouble

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
    """A step of the walk."""

    name: str
    title: str
    lead: str  # what it is for, in one line
    file: str
    needs: str = ""  # data, target or run


PAGES: tuple[Page, ...] = (
    Page("data", "Data", "Open data, say what each column is, choose what to predict.", "pages/data.py"),
    Page("explore", "Explore", "Look at one column, two, or all.", "pages/explore.py", "data"),
    Page("features", "Features", "How columns become what models can use.", "pages/features.py", "target"),
    Page("models", "Models", "Compare models on the same folds.", "pages/models.py", "target"),
    Page("evaluate", "Evaluate", "What the models get right and wrong.", "pages/evaluate.py", "run"),
    Page(
        "explain",
        "Explain",
        "Why one prediction came out as it did, and whether to believe it.",
        "pages/explain.py",
        "run",
    ),
)
HOME = Page("home", "Holdout", "Explore data, compare models, trust the winner.", "app.py")


@dataclass(frozen=True)
class Standing:
    """What is there already."""

    data: bool
    target: bool
    run: bool

    def missing(self, needs: str) -> str:
        """What a page still lacks, in words; empty when it has all it needs."""
        if needs in ("data", "target", "run") and not self.data:
            return "data"
        if needs in ("target", "run") and not self.target and not self.run:
            return "target"
        if needs == "run" and not self.run:
            return "run"
        return ""


LACKS = {
    "data": (
        "No data are open yet. Open a file or a sample first; this page then shows them.",
        "pages/data.py",
        "Open data",
    ),
    "target": (
        "No target is chosen yet. Say which column to predict, and this page has something to do.",
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
    """Draw a whole page; what its core calls raise becomes a quiet box."""
    found = page if isinstance(page, Page) else next(p for p in PAGES if p.name == page)
    st.set_page_config(
        page_title="Holdout" if found is HOME else f"{found.title} · Holdout",
        page_icon=ICON,
        layout="wide",
        initial_sidebar_state="auto",
        menu_items={"Get help": None, "Report a bug": None, "About": None},
    )
    if st.context.theme.type == "dark":  # the light blue that links need there is too light under white letters
        st.html(DARK_LETTERS)
    current = session()
    standing = _standing(current)
    _stepper(found, current, standing)
    _sidebar(current)
    lack = standing.missing(found.needs)
    try:
        if lack:
            _empty(found, lack)
        else:
            body()
    except HoldoutError as error:
        trouble(error)


def _standing(current: Session) -> Standing:
    try:
        data = cached.dataset() is not None
    except HoldoutError:
        data = False
    return Standing(data, current.recipe is not None, cached.run() is not None)


def link(file: str, label: str, **more: object) -> None:
    """A link to a page of ours that carries the session along."""
    st.page_link(file, label=label, query_params={PARAMETER: session().token}, **more)  # type: ignore[arg-type]


def _stepper(page: Page, current: Session, standing: Standing) -> None:
    done = {"data": standing.target, "models": standing.run, "features": standing.run}
    with st.container(horizontal=True, gap="small", key="stepper", vertical_alignment="center"):
        link("app.py", "**Holdout**")
        for step in PAGES:
            lack = standing.missing(step.needs)
            mark = "●" if step is page else "✓" if done.get(step.name) else "○"
            label = f"{mark} **{step.title}**" if step is page else f"{mark} {step.title}"
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
            trouble(error)
            return
        if data is None:
            st.caption("No data are open.")
            return
        _data_card(data, current)
        from ui import jobs

        jobs.card()


def _data_card(data: Dataset, current: Session) -> None:
    st.markdown(f"**{escape(data.name, 60)}**  \n{number(data.rows)} rows × {number(len(data.schema))} columns")
    if current.recipe is None:
        st.caption("No target yet")
        return
    tasks = {"binary": "two classes", "multiclass": "several classes", "regression": "a quantity"}
    st.markdown(f"Predict **{escape(current.recipe.target, 60)}**  \n{tasks[current.recipe.task]}")
    st.caption(_seal(current))


def _seal(current: Session) -> str:
    """The holdout of the run; before there is one, what is meant."""
    run = cached.run()
    if run is None or not (run.path / "plan.json").exists():
        held = current.protocol.holdout
        return f"Holdout: {100 * held:g} % of the rows will be sealed" if held else "No holdout will be kept"
    rows, looks = len(run.plan()["holdout"]), holdout_looks(run)
    if not rows:
        return "No holdout was kept"
    opened = f"opened {looks[-1]['looks']}×" if looks else "sealed"
    return f"Holdout: {number(rows)} rows, {opened}"


def next_link(file: str, label: str) -> None:
    """The way on, at the foot of a page."""
    st.space("small")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(label, type="primary", icon=":material/arrow_forward:", icon_position="right", key="next"):
            st.switch_page(file, query_params={PARAMETER: session().token})


def dataset() -> Dataset:
    """The dataset of this session; pages that need it have been let through only with one."""
    found = cached.dataset()
    if found is None:
        raise HoldoutError("No data are open.")
    return found
