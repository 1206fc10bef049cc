"""Data: open a file or a sample; types, roles, target; alerts."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from ui import cached, shell
from ui.data import columns, open


def page() -> None:
    open.open_given_file()
    data = cached.dataset()
    if data is None:
        st.title("Data")
        open.other_ways()
        return
    columns.header(data)
    with st.expander("Open other data", icon=":material/folder_open:"):
        open.other_ways()
    left, right = st.columns([2, 3], gap="large")
    with left:
        columns.target_picker(data)
    with right:
        columns.alert_list(data)
    columns.editor(data)
    columns.preview(data)
    columns.report(data)
    shell.next_link("pages/explore.py", "Next: explore the data")


shell.run_page("data", page)
