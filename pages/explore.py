"""Explore: a summary, one column, two, many, and missing values; the same filters apply to all."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import explore, shell
from ui.widgets import tabs

VIEWS = {
    "Summary": explore.table,
    "One column": explore.one,
    "Two columns": explore.two,
    "Many": explore.many,
    "Missing": explore.missing,
}


def page() -> None:
    st.title("Explore")
    explore.from_address()
    rows = explore.view()
    explore.held_out(rows)
    explore.bar(rows)
    tabs("explore.view", VIEWS, rows)
    shell.next_link("pages/features.py", "Next: features")


shell.run_page("explore", page)
