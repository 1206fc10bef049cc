"""Steps of a recipe: what one does to a column, and what each brings."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mlcore.charts.style import GREY, category_axis, model_colour, plain, short, styled
from mlcore.comparison.leak_cost import LeakCost
from mlcore.comparison.step_ledger import StepLedger
from mlcore.errors import NotApplicable
from mlcore.features.preview import StepPreview
from mlcore.result import draw

BAR = 34  # pixels of a step and model


@draw.register
def _step_preview(result: StepPreview) -> go.Figure:
    titles = [f"{side}: {short(plain(d.title), 30)}" for side, d in
              zip(("before", "after"), result.distributions, strict=True)]  # fmt: skip
    figure = make_subplots(cols=2, subplot_titles=titles, horizontal_spacing=0.12)
    for place, part in enumerate(result.distributions, start=1):
        unit = "%{y:,} rows" if part.unit == "rows" else "mean %{y:.3g}"
        figure.add_bar(
            x=list(range(len(part.labels))),
            y=list(part.heights),
            customdata=[plain(v) for v in part.labels],
            hovertemplate="%{customdata}<br>" + unit + "<extra></extra>",
            marker_color=[GREY if v == "missing" else model_colour(place) for v in part.labels],
            showlegend=False,
            row=1,
            col=place,
        )
    styled(figure, "", "", height=280)
    figure.update_layout(margin={"t": 34})
    for place, part in enumerate(result.distributions, start=1):
        every = max(1, -(-len(part.labels) // 8))
        figure.update_xaxes(
            tickmode="array", tickvals=list(range(0, len(part.labels), every)),
            ticktext=[short(v, 14) for v in part.labels[::every]], row=1, col=place,
        )  # fmt: skip
        if place == 1 or part.unit != result.distributions[0].unit:
            figure.update_yaxes(title=part.unit, row=1, col=place)
    return figure


@draw.register
def _step_ledger(result: StepLedger) -> go.Figure:
    rows = result.frame()
    if rows.empty:
        raise NotApplicable("No step could be measured, so there is nothing to draw.")
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    models = list(dict.fromkeys(rows["model"]))
    steps = list(dict.fromkeys(rows["step"]))
    for slot, model in enumerate(models):
        part = rows[rows["model"] == model]
        places = [steps.index(s) + (slot - (len(models) - 1) / 2) * 0.3 for s in part["step"]]
        colour = model_colour(slot + 1)
        for place, low, high in zip(places, part["low"], part["high"], strict=True):
            figure.add_scatter(x=[low, high], y=[place, place], mode="lines", line={"color": colour, "width": 2},
                               hoverinfo="skip", showlegend=False)  # fmt: skip
        sure = part["verdict"] != "no measurable difference"
        figure.add_scatter(
            x=part["better by"],
            y=places,
            mode="markers",
            name=plain(part["title"].iloc[0]),
            marker={"color": colour, "size": 10, "symbol": ["circle" if s else "circle-open" for s in sure]},
            customdata=part[["low", "high", "verdict"]],
            hovertemplate="%{x:.3g} (%{customdata[0]:.3g} to %{customdata[1]:.3g}), %{customdata[2]}<extra></extra>",
        )
    styled(figure, f"{result.metric.title}: better by, with the step", "", height=90 + BAR * 2 * len(steps))
    category_axis(figure, "y", steps, 34)
    figure.update_yaxes(autorange="reversed")
    return figure


@draw.register
def _leak_cost(result: LeakCost) -> go.Figure:
    figure = go.Figure()
    for honest, leaky in zip(result.honest, result.leaky, strict=True):
        figure.add_scatter(x=[honest, leaky], y=[0, 1], mode="lines", line={"color": GREY, "width": 1},
                           hoverinfo="skip", showlegend=False)  # fmt: skip
    for place, scores in enumerate((result.honest, result.leaky)):
        figure.add_scatter(
            x=list(scores),
            y=[place] * len(scores),
            mode="markers",
            marker={"color": model_colour(place), "size": 9},
            hovertemplate="one fold: %{x:.4g}<extra></extra>",
            showlegend=False,
        )
    styled(figure, result.metric.title, "", height=200)
    category_axis(figure, "y", [str(c) for c in result.frame().columns[1:]])
    figure.update_yaxes(range=[1.5, -0.5])
    return figure
