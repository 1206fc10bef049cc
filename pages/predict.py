"""Predict: new rows as a ranked list, and what of them does not match the training rows."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import shell
from ui.predict import new_rows, take_away


def page() -> None:
    st.title("Predict")
    new_rows()
    take_away()


shell.run_page("predict", page)
