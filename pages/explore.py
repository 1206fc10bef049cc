"""Explore: a summary, one column, two, many, and what is missing; the same conditions hold for all."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import exploring, shell
from ui.widgets import switch

VIEWS = {
    "Summary": exploring.table,
    "One column": exploring.one,
    "Two columns": exploring.two,
    "Many": exploring.many,
    "Missing": exploring.gaps,
}


def page() -> None:
    st.title("Explore")
    exploring.from_address()
    rows = exploring.view()
    exploring.bar(rows)
    VIEWS[switch("explore.view", "View", list(VIEWS))](rows)
    shell.next_link("pages/features.py", "Next: features")


shell.run_page("explore", page)
