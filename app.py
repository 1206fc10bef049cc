"""Home: what Holdout does, a sample or a file to start with, and recent runs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [] if str(Path(__file__).parent) in sys.path else [str(Path(__file__).parent)]

import streamlit as st

from ui import shell
from ui.data import open


def page() -> None:
    open.open_given_file()
    st.title("Explore data, compare models, trust the winner")
    st.markdown(
        "Bring a table. Holdout shows what is in it, compares models on the same folds, and says plainly whether the "
        "winner is really better, whether the target leaks, and whether an explanation can be trusted."
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Start with a sample")
        open.sample_cards(ours=True)
        st.subheader("Or open your own file")
        open.uploader("home")
    with right:
        st.subheader("What you will get")
        open.picture()
    open.recent_runs()


shell.run_page(shell.HOME, page)
