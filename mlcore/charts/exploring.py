"""Pictures of what `explore` counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mlcore.charts import draw
from mlcore.charts.style import (
    PALETTE,
    faded,
    group_colour,
    laid_out,
    levels_axis,
    model_colour,
    no_grid,
    plain,
    scale,
    short,
)
from mlcore.errors import NotApplicable
from mlcore.explore import Boxes, Correlations, Counts, Histogram, Missing, Scatter
from mlcore.result import Array


def _moments(seconds: Array) -> Array:
    return pd.to_datetime(seconds, unit="s").to_numpy()


@draw.register
def _histogram(result: Histogram) -> go.Figure:
    figure = go.Figure()
    for place, group in enumerate(result.groups):
        colour = group_colour(group, place) if result.by else model_colour(1)
        label = plain(group) if result.by else ""
        if result.levels:
            x = list(range(len(result.levels)))
            figure.add_bar(
                x=x,
                y=result.counts[place],
                name=label,
                marker_color=colour,
                customdata=[plain(v) for v in result.levels],
                hovertemplate="%{customdata}<br>%{y:,} rows<extra>" + label + "</extra>",
            )
            continue
        middles, widths = (result.edges[:-1] + result.edges[1:]) / 2, np.diff(result.edges)
        if result.dates:
            middles, widths = _moments(middles), widths * 1000
        low, high = ([_edge(e, result.dates) for e in part] for part in (result.edges[:-1], result.edges[1:]))
        figure.add_bar(
            x=middles,
            y=result.counts[place],
            width=widths,
            name=label,
            marker_color=colour,
            customdata=list(zip(low, high, strict=True)),
            hovertemplate="%{customdata[0]} to %{customdata[1]}<br>%{y:,} rows<extra>" + label + "</extra>",
        )
    figure.update_layout(barmode="stack", showlegend=bool(result.by))
    laid_out(figure, result.column, "rows")
    if result.levels:
        levels_axis(figure, "x", list(result.levels))
    else:
        figure.update_layout(bargap=0.02)
    return figure


def _edge(value: float, date: bool) -> str:
    return str(pd.Timestamp(value, unit="s").date()) if date else f"{value:.4g}"


@draw.register
def _scatter(result: Scatter) -> go.Figure:
    figure = go.Figure()
    groups = sorted(result.points["group"].unique(), key=lambda g: (g == "missing", g == "other", g))
    opacity = 0.75 if len(result.points) < 800 else 0.4
    for place, group in enumerate(groups):
        part = result.points[result.points["group"] == group]
        x, y = (
            _moments(part[a].to_numpy()) if date else part[a].to_numpy(np.float32)
            for a, date in zip(("x", "y"), result.dates, strict=True)
        )
        label = plain(group) if result.by else ""
        figure.add_scatter(
            x=x,
            y=y,
            mode="markers",
            name=label,
            marker={"color": group_colour(group, place) if result.by else PALETTE[0], "size": 6, "opacity": opacity},
            hovertemplate=f"{short(result.x)} %{{x}}<br>{short(result.y)} %{{y}}<extra>{label}</extra>",
        )
    figure.update_layout(showlegend=bool(result.by))
    return laid_out(figure, result.x, result.y)


@draw.register
def _boxes(result: Boxes) -> go.Figure:
    rows = result.rows.dropna(subset=["median"])
    if result.dates:
        five = ["low", "q1", "median", "q3", "high"]
        rows = rows.assign(**{name: _moments(rows[name].to_numpy(float)) for name in five})
    places = list(range(len(rows)))
    values = {
        "q1": rows["q1"],
        "median": rows["median"],
        "q3": rows["q3"],
        "lowerfence": rows["low"],
        "upperfence": rows["high"],
    }
    at = {"y": places, "orientation": "h"} if result.horizontal else {"x": places}
    figure = go.Figure(
        go.Box(
            **values,
            **at,
            marker_color=PALETTE[0],
            fillcolor=faded(PALETTE[0], 0.25),
            line_width=1.5,
            showlegend=False,
            hoverinfo="skip",
        )
    )
    other = {"x": rows["median"], "y": places} if result.horizontal else {"x": places, "y": rows["median"]}
    figure.add_scatter(
        **other,
        mode="markers",
        marker={"color": PALETTE[0], "size": 8},
        showlegend=False,
        customdata=[[plain(v), n] for v, n in zip(rows["level"], rows["n"], strict=True)],
        hovertemplate="%{customdata[0]}, %{customdata[1]:,} rows<br>median "
        + ("%{x}" if result.horizontal else "%{y}")
        + "<extra></extra>",
    )
    names = (result.value, result.level) if result.horizontal else (result.level, result.value)
    laid_out(figure, *names)
    levels_axis(figure, "y" if result.horizontal else "x", list(rows["level"]))
    return figure


@draw.register
def _counts(result: Counts) -> go.Figure:
    totals = result.counts.sum(axis=0, keepdims=True)
    shares = np.divide(result.counts, totals, out=np.zeros(result.counts.shape), where=totals > 0)
    small = result.counts.size <= 150
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            text=result.counts,
            texttemplate="%{text:,}" if small else None,
            colorscale=scale(shares),
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{text:,} rows, %{z:.1%} of the column<extra></extra>",
        )
    )
    laid_out(figure, result.x, result.y)
    levels_axis(figure, "x", list(result.x_levels))
    levels_axis(figure, "y", list(result.y_levels))
    no_grid(figure)
    return figure


@draw.register
def _correlations(result: Correlations) -> go.Figure:
    few = len(result.names) <= 14
    figure = go.Figure(
        go.Heatmap(
            z=result.values,
            zmin=-1,
            zmax=1,
            xgap=1,
            ygap=1,
            texttemplate="%{z:.2f}" if few else None,
            customdata=[[f"{plain(a)} and {plain(b)}" for b in result.names] for a in result.names],
            colorscale=[[0, PALETTE[1]], [0.5, "#F3F4F6"], [1, PALETTE[0]]],
            hovertemplate="%{customdata}<br>%{z:.3f}<extra></extra>",
            colorbar={"thickness": 10, "len": 0.8},
        )
    )
    laid_out(figure, height=max(400, 26 * len(result.names) + 120))
    levels_axis(figure, "x", list(result.names))
    levels_axis(figure, "y", list(result.names))
    no_grid(figure)
    figure.update_yaxes(autorange="reversed")
    return figure


@draw.register
def _missing(result: Missing) -> go.Figure:
    if not result.columns:
        raise NotApplicable("No cell is missing, so there is nothing to draw.")
    shown = list(zip(result.columns, result.missing, strict=True))[:40]
    places = list(range(len(shown)))
    figure = go.Figure(
        go.Bar(
            x=[m / result.rows for _, m in shown],
            y=places,
            orientation="h",
            marker_color=PALETTE[0],
            customdata=[[plain(c), m] for c, m in shown],
            text=[f"{m / result.rows:.1%}" for _, m in shown],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{customdata[0]}: %{customdata[1]:,} missing, %{x:.1%}<extra></extra>",
        )
    )
    laid_out(figure, "share of rows", "", max(220, 34 * len(shown) + 90))
    levels_axis(figure, "y", [c for c, _ in shown])
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickformat=".0%", range=[0, 1.08])
    return figure
