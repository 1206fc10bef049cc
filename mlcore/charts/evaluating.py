"""Confusion matrices, ROC and precision-recall curves, predicted against actual values, residuals."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from mlcore.charts.style import GREY, category_axis, faded, model_colour, no_grid, plain, scale, short, styled
from mlcore.evaluate.classes import Confusion, Curves
from mlcore.evaluate.quantities import PredictedVsActual, Residuals
from mlcore.result import draw


@draw.register
def _confusion(result: Confusion) -> go.Figure:
    totals = result.counts.sum(axis=1, keepdims=True)
    fractions = np.divide(result.counts, totals, out=np.zeros(result.counts.shape), where=totals > 0)
    few = len(result.labels) <= 12
    text = [
        [f"<b>{n:,}</b><br>{s:.0%}" if few else "" for n, s in zip(*pair, strict=True)]
        for pair in zip(result.counts, fractions, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=fractions,
            text=text,
            texttemplate="%{text}",
            customdata=result.counts,
            colorscale=scale(),
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=3,
            ygap=3,
            hovertemplate="%{customdata:,} rows, %{z:.1%} of the true class<extra></extra>",
        )
    )
    styled(figure, "predicted", "true")
    category_axis(figure, "x", list(result.labels))
    category_axis(figure, "y", list(result.labels))
    no_grid(figure)
    figure.update_yaxes(autorange="reversed")
    return figure


@draw.register
def _curves(result: Curves) -> go.Figure:
    roc = result.kind == "roc"
    figure = go.Figure()
    chance = [0, 1] if roc else [result.prevalence, result.prevalence]
    figure.add_scatter(
        x=[0, 1],
        y=chance,
        mode="lines",
        line={"color": GREY, "width": 1, "dash": "dot"},
        name="chance",
        hoverinfo="skip",
        showlegend=False,
    )
    names = ("false positive rate", "true positive rate") if roc else ("recall", "precision")
    for curve in result.curves:
        figure.add_scatter(
            x=curve.x.astype(np.float32),
            y=curve.y.astype(np.float32),
            mode="lines",
            name=f"{plain(curve.title)} {curve.area:.3f}",
            line={"color": model_colour(curve.slot), "width": 2.2, "shape": "linear" if roc else "vh"},
            hovertemplate=f"{names[0]} %{{x:.1%}}<br>{names[1]} %{{y:.1%}}<extra>{plain(curve.title)}</extra>",
        )
    x, y = ("false positive rate", "true positive rate") if roc else ("recall", "precision")
    styled(figure, x, y, 440)
    figure.update_xaxes(range=[-0.01, 1.01], tickformat=".0%")
    figure.update_yaxes(range=[-0.01, 1.03], tickformat=".0%")
    figure.update_layout(showlegend=True)
    return figure


@draw.register
def _predicted(result: PredictedVsActual) -> go.Figure:
    figure = go.Figure()
    ends = [
        float(min(result.actual.min(), result.prediction.min())),
        float(max(result.actual.max(), result.prediction.max())),
    ]
    figure.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": GREY, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_scatter(
        x=result.actual,
        y=result.prediction,
        mode="markers",
        showlegend=False,
        customdata=result.row,
        marker={"color": model_colour(result.slot), "size": 5, "opacity": 0.45},
        hovertemplate="row %{customdata:,}<br>true %{x:,.4g}<br>predicted %{y:,.4g}<extra></extra>",
    )
    return styled(figure, f"true {result.target}", f"predicted {result.target}")


@draw.register
def _residuals(result: Residuals) -> go.Figure:
    centres = (result.edges[:-1] + result.edges[1:]) / 2
    figure = go.Figure(
        go.Bar(
            x=centres,
            y=result.counts,
            width=np.diff(result.edges),
            marker_color=faded(model_colour(result.slot), 0.8),
            hovertemplate="error about %{x:,.4g}<br>%{y:,} rows<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    styled(figure, f"predicted minus true {short(result.target)}", "rows")
    figure.update_layout(bargap=0.02)
    return figure
