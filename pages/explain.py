"""Explain: LIME for one row, and how far it can be trusted."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import explain, shell


def page() -> None:
    st.title("Explain")
    explain.this_row()


shell.run_page("explain", page)
