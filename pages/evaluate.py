"""Evaluate: confusion, ROC, precision–recall; RMSE, MAE, MAPE, R²; the holdout."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import shell
from ui.evaluate.views import views


def page() -> None:
    st.title("Evaluate")
    views()
    shell.next_link("pages/explain.py", "Next: explain a prediction")


shell.run_page("evaluate", page)
