"""Confusion matrices, ROC and precision-recall curves, predicted against actual values, residuals."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from mlcore.charts.style import GREY, category_axis, faded, model_colour, no_grid, plain, scale, short, styled
from mlcore.errors import NotApplicable
from mlcore.evaluate.calibration import Calibration
from mlcore.evaluate.classes import Confusion, Curves
from mlcore.evaluate.gain import Abstention, Gain, ScoreDistributions
from mlcore.evaluate.quantities import PredictedVsActual, Residuals, ResidualsOver
from mlcore.evaluate.slices import Fairness, Slices
from mlcore.evaluate.thresholds import RATES, SHOWN, Profit, Threshold
from mlcore.result import draw

MOST_BANDS = 2  # curves with the band of their folds; more would hide each other


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
    figure.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain")
    figure.update_xaxes(constrain="domain")
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
    for curve in result.curves[:MOST_BANDS]:
        if curve.band is not None:
            x, low, high = curve.band
            for y, fill in ((low, None), (high, "tonexty")):
                figure.add_scatter(
                    x=x, y=y, mode="lines", line={"width": 0, "color": model_colour(curve.slot)}, fill=fill,
                    fillcolor=faded(model_colour(curve.slot), 0.12), hoverinfo="skip", showlegend=False,
                )  # fmt: skip
    for curve in result.curves:
        figure.add_scatter(
            x=curve.x.astype(np.float32),
            y=curve.y.astype(np.float32),
            mode="lines",
            name=f"{plain(curve.title)} {curve.area:.3f}",
            line={"color": model_colour(curve.slot), "width": 2.2, "shape": "linear" if roc else "vh"},
            hovertemplate=f"{names[0]} %{{x:.1%}}<br>{names[1]} %{{y:.1%}}<extra>{plain(curve.title)}</extra>",
        )
        if curve.point is not None:
            figure.add_scatter(
                x=[curve.point[0]], y=[curve.point[1]], mode="markers", showlegend=False,
                marker={"color": model_colour(curve.slot), "size": 11, "symbol": "diamond"},
                hovertemplate=f"at the threshold<br>{names[0]} %{{x:.1%}}<br>{names[1]} %{{y:.1%}}<extra></extra>",
            )  # fmt: skip
    styled(figure, *names, 440)
    figure.update_xaxes(range=[-0.01, 1.01], tickformat=".0%", constrain="domain")
    figure.update_yaxes(range=[-0.01, 1.03], tickformat=".0%", scaleanchor="x", constrain="domain")
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


@draw.register
def _threshold(result: Threshold) -> go.Figure:
    figure = go.Figure()
    for place, name in enumerate(SHOWN):
        figure.add_scatter(
            x=result.curve["threshold"], y=result.curve[name], mode="lines", name=RATES[name][0],
            line={"color": model_colour(place + 1), "width": 2.2},
            hovertemplate=f"threshold %{{x:.3g}}<br>{RATES[name][0]} %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=result.threshold, line={"color": GREY, "width": 1.5, "dash": "dot"})
    styled(figure, f"threshold for “{plain(result.positive)}”", "", 360)
    figure.update_yaxes(range=[-0.02, 1.03], tickformat=".0%")
    return figure


@draw.register
def _profit(result: Profit) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=result.curve["threshold"], y=result.curve["profit"], mode="lines", showlegend=False,
        line={"color": model_colour(result.slot), "width": 2.2}, customdata=result.curve["positives"],
        hovertemplate="threshold %{x:.3g}<br>%{y:,.0f} with %{customdata:,.0f} calls<extra></extra>",
    )  # fmt: skip
    ends = [float(result.curve["threshold"].min()), float(result.curve["threshold"].max())]
    for name, value in (("calling no row", result.nothing), ("calling every row", result.everything)):
        dash = "dot" if value == result.nothing else "dash"
        figure.add_scatter(x=ends, y=[value, value], mode="lines", name=name, hoverinfo="skip",
                           line={"color": GREY, "width": 1.2, "dash": dash})  # fmt: skip
    figure.add_scatter(
        x=[result.threshold], y=[result.profit], mode="markers", name="judged on other folds",
        marker={"color": model_colour(result.slot), "size": 10},
        hovertemplate="judged on other folds: %{y:,.0f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(x=[result.threshold] * 2, y=list(result.ci), mode="lines", hoverinfo="skip", showlegend=False,
                       line={"color": model_colour(result.slot), "width": 2})  # fmt: skip
    return styled(figure, f"threshold for “{plain(result.positive)}”", "profit", 360)


@draw.register
def _calibration(result: Calibration) -> go.Figure:
    bins, colour = result.bins, model_colour(result.slot)
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "width": 1, "dash": "dot"},
                       hoverinfo="skip", showlegend=False)  # fmt: skip
    for side, fill in (("expected_low", None), ("expected_high", "tonexty")):
        figure.add_scatter(
            x=bins["predicted"], y=bins[side], mode="lines", line={"width": 0, "color": GREY}, fill=fill,
            fillcolor=faded(GREY, 0.18), hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for x, low, high in bins[["predicted", "low", "high"]].to_numpy():
        figure.add_scatter(x=[x, x], y=[low, high], mode="lines", line={"color": colour, "width": 2}, hoverinfo="skip",
                           showlegend=False)  # fmt: skip
    figure.add_scatter(
        x=bins["predicted"], y=bins["observed"], mode="markers", marker={"color": colour, "size": 9},
        customdata=bins["n"], showlegend=False,
        hovertemplate="predicted %{x:.1%}<br>happened %{y:.1%} of %{customdata:,.0f} rows<extra></extra>",
    )  # fmt: skip
    styled(figure, f"predicted probability of “{plain(result.positive)}”", "observed", 420)
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%")
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%")
    return figure


@draw.register
def _slices(result: Slices) -> go.Figure:
    rows = [s for s in result.slices if s.value is not None]
    if not rows:
        raise NotApplicable("No slice has a score, so there is nothing to draw.")
    figure = go.Figure()
    figure.add_vline(x=result.whole, line={"color": GREY, "width": 1.2, "dash": "dot"})
    for place, one in enumerate(rows):
        if one.ci is not None:
            figure.add_scatter(x=list(one.ci), y=[place, place], mode="lines", hoverinfo="skip", showlegend=False,
                               line={"color": model_colour(1), "width": 2})  # fmt: skip
    figure.add_scatter(
        x=[s.value for s in rows], y=list(range(len(rows))), mode="markers", showlegend=False,
        marker={"color": model_colour(1), "size": 9}, customdata=[s.n for s in rows],
        hovertemplate="%{x:.4g} on %{customdata:,} rows<extra></extra>",
    )  # fmt: skip
    styled(figure, result.metric.title, "", 120 + 30 * len(rows))
    shared = len({s.column for s in rows}) == 1
    category_axis(figure, "y", [s.level if shared else f"{s.column}: {s.level}" for s in rows], 40)
    figure.update_yaxes(range=[len(rows) - 0.5, -0.5])
    return figure


@draw.register
def _fairness(result: Fairness) -> go.Figure:
    figure, groups = go.Figure(), result.groups
    for place, (name, title) in enumerate(
        (("selected", "predicted as the class"), ("recall", "recall"), ("false_positive_rate", "false positive rate"))
    ):
        figure.add_bar(
            x=list(range(len(groups))), y=groups[name], name=title, marker_color=model_colour(place + 1),
            customdata=groups["n"], hovertemplate=f"{title} %{{y:.1%}} of %{{customdata:,.0f}} rows<extra></extra>",
        )  # fmt: skip
    styled(figure, result.column, "", 360)
    figure.update_layout(barmode="group")
    category_axis(figure, "x", [str(g) for g in groups["group"]])
    figure.update_yaxes(range=[0, 1], tickformat=".0%")
    return figure


@draw.register
def _gain(result: Gain) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "width": 1, "dash": "dot"},
                       hoverinfo="skip", showlegend=False)  # fmt: skip
    figure.add_scatter(x=[0, result.prevalence, 1], y=[0, 1, 1], mode="lines", line={"color": GREY, "width": 1},
                       hoverinfo="skip", showlegend=False)  # fmt: skip
    for title, slot, x, y in result.curves:
        figure.add_scatter(
            x=x, y=y, mode="lines", name=plain(title), line={"color": model_colour(slot), "width": 2.2},
            hovertemplate="the highest %{x:.0%} of the rows hold %{y:.1%}<extra>" + plain(title) + "</extra>",
        )  # fmt: skip
    styled(figure, "fraction of rows, highest score first", f"fraction of “{short(result.positive)}” found", 420)
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(tickformat=".0%")
    figure.update_layout(showlegend=True)
    return figure


@draw.register
def _score_distributions(result: ScoreDistributions) -> go.Figure:
    figure = go.Figure()
    centres = (result.edges[:-1] + result.edges[1:]) / 2
    for name, heights, slot in ((f"not {result.positive}", result.outside, 1), (result.positive, result.inside, 2)):
        figure.add_bar(
            x=centres, y=heights, width=np.diff(result.edges), name=plain(name), marker_color=model_colour(slot),
            opacity=0.6, hovertemplate="score %{x:.3g}<br>%{y:.1%} of its rows<extra></extra>",
        )  # fmt: skip
    styled(figure, "score", "fraction of its rows", 320)
    figure.update_layout(barmode="overlay", bargap=0.02)
    figure.update_yaxes(tickformat=".0%")
    return figure


@draw.register
def _abstention(result: Abstention) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(
        x=result.answered, y=result.error, mode="lines", showlegend=False,
        line={"color": model_colour(1), "width": 2.2},
        hovertemplate="%{x:.0%} answered<br>%{y:.1%} of them wrong<extra></extra>",
    )  # fmt: skip
    styled(figure, "fraction of rows answered, most certain first", "error", 320)
    figure.update_xaxes(tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(tickformat=".1%", rangemode="tozero")
    return figure


@draw.register
def _residuals_over(result: ResidualsOver) -> go.Figure:
    figure, bins, colour = go.Figure(), result.bins, model_colour(result.slot)
    for place, (low, high) in enumerate(bins[["low", "high"]].to_numpy()):
        figure.add_scatter(x=[place, place], y=[low, high], mode="lines", hoverinfo="skip", showlegend=False,
                           line={"color": faded(colour, 0.5), "width": 3})  # fmt: skip
    figure.add_scatter(
        x=list(range(len(bins))), y=bins["mean"], mode="markers", showlegend=False, customdata=bins["n"],
        marker={"color": colour, "size": 9},
        hovertemplate="mean error %{y:,.4g} on %{customdata:,} rows<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    styled(figure, result.over, f"predicted minus true {short(result.target)}", 360)
    category_axis(figure, "x", [str(v) for v in bins["at"]])
    return figure
