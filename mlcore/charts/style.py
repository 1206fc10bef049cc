"""Colours, text and layout of all charts. Text from data is escaped here, because plotly reads it as HTML."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from mlcore.wording import shortened

PALETTE = (
    "#2F5FD0", "#E07A1F", "#12876F", "#B4457E", "#6F4AC2", "#A87900", "#3A9BC9", "#8A5A44", "#5B7F2B", "#4F6D8F",
    "#1B9AAA", "#9C6ADE", "#C08A5B", "#D2789B", "#34495E", "#7FA650", "#5A8FD6", "#A35D2D", "#2E8B8B", "#8C7A3F",
)  # fmt: skip
GREY = "#7A7F87"  # always the baseline, and anything that is not a finding: references, no-skill lines
UP, DOWN = PALETTE[0], PALETTE[1]
HEIGHT = 400
LONGEST = 30


def model_colour(slot: int) -> str:
    """A model's colour by its position in the experiment; the baseline is first, and grey."""
    return GREY if slot == 0 else PALETTE[(slot - 1) % len(PALETTE)]


def group_colour(group: str, place: int) -> str:
    """A category's colour by its position; other and missing are grey."""
    return GREY if group in ("other", "missing") else PALETTE[place % len(PALETTE)]


def plain(text: object) -> str:
    """Escape text: plotly would read <b> or <a href> as HTML."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(text: object, longest: int = LONGEST) -> str:
    """Escaped text, shortened in the middle when it is long."""
    return plain(shortened(text, longest))


def faded(colour: str, opacity: float) -> str:
    """A colour with an opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def styled(figure: go.Figure, x: str = "", y: str = "", height: int = HEIGHT) -> go.Figure:
    """Set the axis titles and the calm layout of all charts."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 16, "t": 16, "b": 10},
        hovermode="closest",
        bargap=0.06,
        legend={
            "orientation": "h",
            "yanchor": "bottom",
            "y": 1.0,
            "xanchor": "left",
            "x": 0,
            "title": {"text": ""},
            "traceorder": "normal",
        },
        font={"size": 13},
    )
    figure.update_xaxes(title={"text": short(x, 60), "standoff": 8}, automargin=True, zeroline=False)
    figure.update_yaxes(title={"text": short(y, 40), "standoff": 18}, automargin=True, zeroline=False)
    return figure


def category_axis(figure: go.Figure, axis: str, labels: list[str], longest: int = 24) -> None:
    """Put text labels on an axis whose positions are 0, 1, 2 …, so that equal shortened labels stay apart."""
    update = figure.update_xaxes if axis == "x" else figure.update_yaxes
    update(tickmode="array", tickvals=list(range(len(labels))), ticktext=[short(v, longest) for v in labels])


PALE = "#EEF2FC"


def scale() -> list[list[Any]]:
    """A colour scale from nearly white to blue, opaque, so that text on it is readable on any background."""
    return [[0.0, PALE], [1.0, PALETTE[0]]]


def no_grid(figure: go.Figure) -> None:
    """Hide the grid lines, which a heat map does not need."""
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(showgrid=False)
