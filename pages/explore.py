"""Explore: histograms, scatter plots, summaries, correlations, missing values."""

import sys
from pathlib import Path

sys.path[:0] = [p for p in (str(Path(__file__).parents[1]),) if p not in sys.path]

import streamlit as st

from mlcore import explore
from mlcore.profile import profile
from ui import cached, shell
from ui.widgets import pick, show, slide, switch

NONE = "— nothing —"
VIEWS = ["Summary", "One column", "Two columns", "Correlations", "Missing"]


def summary() -> None:
    data = shell.dataset()
    show(lambda: cached.result("summary", data, lambda: profile(data)), "summary", chart=False)
    frame = cached.result("summary", data, lambda: profile(data)).frame()
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) < 16 else 560,
        key="summary-table",
        column_config={
            "missing": st.column_config.NumberColumn(format="localized"),
            "distinct": st.column_config.NumberColumn(format="localized"),
            "typical": st.column_config.TextColumn(width="large"),
            "distribution": st.column_config.BarChartColumn(y_min=0),
        },
    )


def one() -> None:
    data = shell.dataset()
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        column = pick("explore.column", "Column", data.schema.names, explore.default_pair(data)[0])
        by = pick("explore.by", "Split by", [NONE, *explore.splits(data)], explore.default_split(data) or NONE)
        bins = slide("explore.bins", "Bins", 5, 100, 30, 5)
    split = None if by == NONE else by
    with picture:
        show(
            lambda: cached.result(
                "histogram", data, lambda: explore.histogram(data, column, split, bins), column, split, bins
            ),
            "histogram",
        )


def two() -> None:
    data = shell.dataset()
    picture, controls = st.columns([3, 1], gap="large")
    first, second = explore.default_pair(data)
    with controls:
        x = pick("explore.x", "Across", data.schema.names, first)
        y = pick("explore.y", "Up", data.schema.names, second)
        by = pick("explore.colour", "Colour by", [NONE, *explore.splits(data)], explore.default_split(data) or NONE)
    colour = None if by == NONE else by
    with picture:
        show(
            lambda: cached.result("relation", data, lambda: explore.relation(data, x, y, colour), x, y, colour),
            "relation",
        )


def correlations() -> None:
    data = shell.dataset()
    method = switch("explore.method", "Kind of correlation", ["Pearson", "Spearman"]).lower()
    show(
        lambda: cached.result("correlations", data, lambda: explore.correlations(data, method), method), "correlations"
    )


def missing() -> None:
    data = shell.dataset()
    show(lambda: cached.result("missing", data, lambda: explore.missing(data)), "missing")


def page() -> None:
    st.title("Explore")
    view = switch("explore.view", "View", VIEWS)
    dict(zip(VIEWS, (summary, one, two, correlations, missing), strict=True))[view]()
    shell.next_link("pages/features.py", "Next: features")


shell.run_page("explore", page)
