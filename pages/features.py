"""Features: the recipe in words, its choices, and what a model sees before and after."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import recipe, shell


def page() -> None:
    st.title("Features")
    st.markdown(
        "Models work on complete numbers. These steps make them from your columns. Whatever is learned from rows is "
        "learned inside each fold, from its training rows only, so that no test row can leak in."
    )
    left, right = st.columns([1, 1], gap="large")
    with left:
        recipe.left_out()
        recipe.cards()
    with right:
        recipe.preview()
    shell.next_link("pages/models.py", "Next: compare models")


shell.run_page("features", page)
