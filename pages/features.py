"""Features: the recipe in words, its options, and sample rows before and after it."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import shell
from ui.features.before_after import before_after
from ui.features.cards import recipe_steps
from ui.features.ledger import ledger


def page() -> None:
    st.title("Features")
    st.markdown(
        "Models need numbers without missing values. These steps make them from your columns. Steps that have to be "
        "fitted are fitted inside each fold, on its training rows only, so that no test row can leak in."
    )
    left, right = st.columns([1, 1], gap="large")
    with left:
        recipe_steps()
    with right:
        before_after()
        ledger()
    shell.next_link("pages/models.py", "Next: compare models")


shell.run_page("features", page)
