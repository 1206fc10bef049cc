"""The weights of a LIME explanation as bars, with error bars."""

from __future__ import annotations

import plotly.graph_objects as go

from mlcore.charts.style import DOWN, GREY, UP, category_axis, faded, model_colour, plain, styled
from mlcore.explain.dependence import Dependence
from mlcore.explain.importance import Importance
from mlcore.explain.lime import Explanation
from mlcore.result import draw

MOST_BARS = 12


@draw.register
def _explanation(result: Explanation) -> go.Figure:
    shown = result.weights[:MOST_BARS]
    positions = list(range(len(shown)))
    colours = [
        faded(UP if w.weight > 0 else DOWN, 0.95 if w.significant and not result.abstained else 0.3) for w in shown
    ]
    figure = go.Figure(
        go.Bar(
            x=[w.weight for w in shown],
            y=positions,
            orientation="h",
            marker_color=colours,
            error_x={
                "type": "data",
                "array": [w.high - w.weight for w in shown],
                "thickness": 1.4,
                "width": 4,
                "color": GREY,
            },
            customdata=[[plain(w.condition), w.low, w.high] for w in shown],
            hovertemplate="%{customdata[0]}<br>%{x:.3g} (%{customdata[1]:.3g} to %{customdata[2]:.3g})<extra></extra>",
        )
    )
    titles = {
        "probability": f"effect on the probability of {result.label}",
        "decision score": "effect on the decision score",
    }
    styled(figure, titles.get(result.output, f"effect on {result.target}"), "", max(240, 32 * len(shown) + 90))
    category_axis(figure, "y", [w.condition for w in shown], longest=38)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    return figure


@draw.register
def _importance(result: Importance) -> go.Figure:
    shown = result.columns[:MOST_IMPORTANT]
    figure = go.Figure(
        go.Bar(
            x=[drop for _, drop, _, _ in shown],
            y=list(range(len(shown))),
            orientation="h",
            marker_color=[faded(UP, 0.9 if low > 0 else 0.3) for _, _, low, _ in shown],
            error_x={
                "type": "data", "array": [high - drop for _, drop, _, high in shown],
                "arrayminus": [drop - low for _, drop, low, _ in shown], "thickness": 1.4, "width": 4, "color": GREY,
            },
            customdata=[[plain(n), low, high] for n, _, low, high in shown],
            hovertemplate="%{customdata[0]}<br>%{x:.3g} (%{customdata[1]:.3g} to %{customdata[2]:.3g})<extra></extra>",
        )
    )  # fmt: skip
    styled(figure, f"how much worse {result.metric.title} is without it", "", max(240, 26 * len(shown) + 90))
    category_axis(figure, "y", [n for n, *_ in shown], longest=38)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    return figure


MOST_IMPORTANT = 25


@draw.register
def _dependence(result: Dependence) -> go.Figure:
    figure = go.Figure()
    for line in result.lines:
        figure.add_scatter(x=result.grid, y=line, mode="lines", line={"color": faded(GREY, 0.35), "width": 1},
                           hoverinfo="skip", showlegend=False)  # fmt: skip
    figure.add_scatter(
        x=result.grid, y=result.average, mode="lines+markers", name="average" if result.kind == "partial" else "effect",
        line={"color": model_colour(1), "width": 3}, customdata=result.rug,
        hovertemplate="%{y:.3g}; %{customdata:,} training rows near here<extra></extra>",
    )  # fmt: skip
    if result.own is not None:
        figure.add_scatter(x=result.grid, y=result.own, mode="lines", name="this row",
                           line={"color": model_colour(2), "width": 2.2})  # fmt: skip
    if result.own_value is not None:
        figure.add_vline(x=result.own_value, line={"color": model_colour(2), "width": 1, "dash": "dot"})
    titles = {"probability": f"probability of {result.label}", "decision score": "decision score"}
    y = titles.get(result.output, f"predicted {result.target}")
    styled(figure, result.column, y if result.kind == "partial" else f"effect on the {y}", 360)
    if result.labels:
        category_axis(figure, "x", list(result.labels))
    figure.update_layout(showlegend=True)
    return figure
