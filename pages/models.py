"""Models: protocol, candidates, run, live leaderboard."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import cached, candidates, closer, jobs, protocol, shell


def page() -> None:
    jobs.standby().warm()
    st.title("Models")
    left, right = st.columns([2, 3], gap="large")
    with left:
        protocol.line()
        protocol.checks()
        candidates.chooser()
    with right:
        st.subheader("Leaderboard")
        run = cached.run()
        if run is None:
            candidates.nothing_yet()
        else:
            candidates.outdated(run)
            jobs.live_board(run)
            if not run.progress().live:
                closer.panel(run)
                closer.stress(run)
                closer.beside(run)
            shell.next_link("pages/evaluate.py", "Next: evaluate")


shell.run_page("models", page)
