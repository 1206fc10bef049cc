"""Home: what this is, a sample or a file to begin with, and what was done before."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [] if str(Path(__file__).parent) in sys.path else [str(Path(__file__).parent)]

import streamlit as st

from ui import opening, shell


def page() -> None:
    opening.open_given_file()
    st.title("Explore data, compare models, trust the winner")
    st.markdown(
        "Bring a table. Holdout shows what is in it, compares models on the same folds, and says plainly whether the "
        "winner really won, whether the data leak, and whether an explanation can be trusted."
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Begin with a sample")
        opening.sample_cards(ours=True)
        st.subheader("Or with a file of your own")
        opening.uploader("home")
    with right:
        st.subheader("What you will get")
        opening.picture()
    opening.recent_runs()


shell.run_page(shell.HOME, page)
