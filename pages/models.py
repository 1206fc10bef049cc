"""Models: protocol, candidates, run, live leaderboard."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import cached, shell
from ui.models import candidates, model_detail, protocol, run_panel


def page() -> None:
    run_panel.standby().warm()
    st.title("Models")
    run = cached.run()
    if run is None:
        left, right = st.columns([2, 3], gap="large")
        with left:
            protocol.line()
            protocol.checks()
            candidates.chooser()
        with right:
            st.subheader("Leaderboard")
            candidates.empty_state()
        return
    live = run.progress().live
    with st.expander("How they are compared, and which models", icon=":material/tune:", expanded=live):
        left, right = st.columns(2, gap="large")
        with left:
            protocol.line()
            protocol.checks()
        with right:
            candidates.chooser()
    candidates.stale_note(run)
    run_panel.live_leaderboard(run)
    if not live:
        model_detail.panel(run)
        model_detail.stress(run)
        model_detail.other_run(run)
    shell.next_link("pages/evaluate.py", "Next: evaluate")


shell.run_page("models", page)
