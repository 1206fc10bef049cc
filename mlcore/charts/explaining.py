"""The weights of a LIME explanation as bars, with error bars."""

from __future__ import annotations

import plotly.graph_objects as go

from mlcore.charts.style import DOWN, GREY, UP, category_axis, faded, plain, styled
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
