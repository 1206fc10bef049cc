"""The leaderboard as dots and whiskers, with the band of models that cannot be told from the best."""

from __future__ import annotations

import plotly.graph_objects as go

from mlcore.charts import draw
from mlcore.charts.style import GREY, UP, faded, laid_out, levels_axis, model_colour, plain
from mlcore.compare.leaderboard import Leaderboard


@draw.register
def _leaderboard(result: Leaderboard) -> go.Figure:
    ranked = result.ranked()
    figure = go.Figure()
    for place, row in enumerate(ranked):
        if row.group == 1:
            figure.add_hrect(y0=place - 0.5, y1=place + 0.5, fillcolor=faded(UP, 0.09), line_width=0, layer="below")
        colour = model_colour(result.order.index(row.model))
        low, high = row.ci if row.ci else (row.score, row.score)
        figure.add_scatter(
            x=[low, high],
            y=[place, place],
            mode="lines",
            line={"color": colour, "width": 2.5},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=list(row.folds),
            y=[place] * len(row.folds),
            mode="markers",
            showlegend=False,
            marker={"color": colour, "size": 4, "opacity": 0.35, "symbol": "line-ns-open"},
            hovertemplate="one fold: %{x:.4g}<extra></extra>",
        )
        figure.add_scatter(
            x=[row.score],
            y=[place],
            mode="markers",
            showlegend=False,
            marker={"color": colour, "size": 11, "symbol": "star" if row.star else "circle"},
            hovertemplate=f"{plain(row.title)}<br>%{{x:.4g}} ({low:.4g} to {high:.4g})<extra></extra>",
        )
    dummy = next((r for r in ranked if r.model == "dummy"), None)
    if dummy is not None:
        figure.add_vline(x=dummy.score, line={"color": GREY, "width": 1, "dash": "dot"})
    better = "higher is better" if result.metric.higher_is_better else "lower is better"
    laid_out(figure, f"{result.metric.title}, {better}", "", max(170, 36 * len(ranked) + 90))
    levels_axis(figure, "y", [("★ " if r.star else "") + r.title for r in ranked])
    figure.update_yaxes(range=[len(ranked) - 0.5, -0.5], showgrid=False)
    return figure
