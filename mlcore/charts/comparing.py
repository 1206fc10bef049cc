"""Comparisons: the leaderboard, folds and fold scores, curves, searches, two runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from mlcore.charts.style import (
    DOWN,
    GREY,
    PALE,
    PALETTE,
    UP,
    category_axis,
    faded,
    model_colour,
    plain,
    scale,
    short,
    styled,
)
from mlcore.comparison.curves import LearningCurve, Level, ValidationCurve
from mlcore.comparison.leaderboard import FoldScores, Leaderboard
from mlcore.comparison.run_comparison import RunComparison
from mlcore.comparison.search_report import ParallelCoordinates, ParameterImportance, SearchReport
from mlcore.comparison.split_stress import TITLES, SplitStressTest
from mlcore.errors import NotApplicable
from mlcore.experiment.split_preview import LOCKED, SplitPreview
from mlcore.result import draw


@draw.register
def _leaderboard(result: Leaderboard) -> go.Figure:
    ranked = result.ranked()
    figure = go.Figure()
    for rank, row in enumerate(ranked):
        if row.group == 1:
            figure.add_hrect(y0=rank - 0.5, y1=rank + 0.5, fillcolor=faded(UP, 0.09), line_width=0, layer="below")
        colour = model_colour(result.order.index(row.model))
        low, high = row.ci if row.ci else (row.score, row.score)
        figure.add_scatter(
            x=[low, high],
            y=[rank, rank],
            mode="lines",
            line={"color": colour, "width": 2.5},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=list(row.folds),
            y=[rank] * len(row.folds),
            mode="markers",
            showlegend=False,
            marker={"color": colour, "size": 4, "opacity": 0.35, "symbol": "line-ns-open"},
            hovertemplate="one fold: %{x:.4g}<extra></extra>",
        )
        figure.add_scatter(
            x=[row.score],
            y=[rank],
            mode="markers",
            showlegend=False,
            marker={"color": colour, "size": 11, "symbol": "star" if row.star else "circle"},
            hovertemplate=f"{plain(row.title)}<br>%{{x:.4g}} ({low:.4g} to {high:.4g})<extra></extra>",
        )
    baseline = next((r for r in ranked if r.is_baseline), None)
    if baseline is not None:
        figure.add_vline(x=baseline.score, line={"color": GREY, "width": 1, "dash": "dot"})
    better = "higher is better" if result.metric.higher_is_better else "lower is better"
    styled(figure, f"{result.metric.title}, {better}", "", max(170, 30 * len(ranked) + 90))
    category_axis(figure, "y", [("★ " if r.star else "") + r.title for r in ranked], 30)
    figure.update_yaxes(range=[len(ranked) - 0.5, -0.5], showgrid=False)
    return figure


@draw.register
def _fold_scores(result: FoldScores) -> go.Figure:
    figure = go.Figure()
    for row, slot in zip(result.rows, result.slots, strict=True):
        figure.add_scatter(
            x=list(range(1, len(row.folds) + 1)),
            y=list(row.folds),
            mode="lines+markers",
            name=short(row.title),
            line={"color": model_colour(slot), "width": 1.5},
            hovertemplate=f"{plain(row.title)}, fold %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    styled(figure, "fold", result.metric.title, 300)
    figure.update_xaxes(dtick=1 if len(result.rows[0].folds) <= 20 else None)
    return figure


@draw.register
def _split_preview(result: SplitPreview) -> go.Figure:
    return _time_lines(result) if result.kind == "time" else _class_bars(result)


def _class_bars(result: SplitPreview) -> go.Figure:
    figure = go.Figure()
    names = [p.name for p in result.parts]
    labels = result.labels[:12] or ("rows",)
    for index, label in enumerate(labels):
        counts = [p.classes[index] if result.labels else p.test for p in result.parts]
        figure.add_bar(
            y=list(range(len(names))), x=counts, orientation="h", name=short(label),
            marker={"color": PALETTE[index % len(PALETTE)],
                    "opacity": [0.35 if n == LOCKED else 1.0 for n in names]},
            hovertemplate=f"{plain(label)}: %{{x:,}} test rows<extra></extra>", showlegend=bool(result.labels),
        )  # fmt: skip
    figure.update_layout(barmode="stack")
    styled(figure, "test rows", "", max(180, 26 * len(names) + 90))
    category_axis(figure, "y", names)
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False)
    return figure


def _time_lines(result: SplitPreview) -> go.Figure:
    figure = go.Figure()
    names = [p.name for p in result.parts]
    for subset, colour, ends in (("train", GREY, (0, 1)), ("test", UP, (2, 3))):
        for position, part in enumerate(result.parts):
            if part.times is None:
                continue
            rows = part.train if subset == "train" else part.test
            figure.add_scatter(
                x=[part.times[e] for e in ends], y=[position, position], mode="lines", name=subset, legendgroup=subset,
                showlegend=position == 0, line={"color": colour, "width": 9},
                hovertemplate=f"{subset}: {rows:,} rows, %{{x}}<extra></extra>",
            )  # fmt: skip
    styled(figure, result.columns[1] or "", "", max(180, 26 * len(names) + 90))
    category_axis(figure, "y", names)
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False)
    return figure


def _band(figure: go.Figure, x: list[Any], points: tuple[Level, ...], colour: str) -> None:
    """The solid line of the test rows with its interval, and the dashed line of the training rows."""
    known = [(at, lv) for at, lv in zip(x, points, strict=True) if lv.ci]
    figure.add_scatter(
        x=[at for at, _ in known] + [at for at, _ in known[::-1]],
        y=[lv.ci[1] for _, lv in known if lv.ci] + [lv.ci[0] for _, lv in known[::-1] if lv.ci],
        fill="toself",
        mode="lines", fillcolor=faded(colour, 0.15), line={"width": 0}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=[lv.score for lv in points], mode="lines+markers", name="test rows", line={"color": colour},
        hovertemplate="%{x}: %{y:.4g}<extra>test rows</extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=[lv.train_score for lv in points], mode="lines+markers", name="training rows",
        line={"color": DOWN, "dash": "dash"}, hovertemplate="%{x}: %{y:.4g}<extra>training rows</extra>",
    )  # fmt: skip


@draw.register
def _learning_curve(result: LearningCurve) -> go.Figure:
    figure = go.Figure()
    _band(figure, [lv.at for lv in result.levels], result.levels, UP)
    styled(figure, "training rows", result.metric.title, 340)
    figure.update_xaxes(rangemode="tozero")
    return figure


@draw.register
def _validation_curve(result: ValidationCurve) -> go.Figure:
    figure = go.Figure()
    choices = bool(result.parameter.choices)
    x = [str(lv.at) for lv in result.levels] if choices else [lv.at for lv in result.levels]
    _band(figure, x, result.levels, UP)
    styled(figure, result.parameter.name, result.metric.title, 340)
    if result.parameter.log and not choices:
        figure.update_xaxes(type="log")
    return figure


@draw.register
def _search_report(result: SearchReport) -> go.Figure:
    figure = go.Figure()
    sign = 1 if result.metric.higher_is_better else -1
    best: float | None = None
    line_x, line_y = [], []
    for trial in result.trials:
        if trial.value is not None:
            best = trial.value if best is None else sign * max(sign * best, sign * trial.value)
            line_x.append(trial.number)
            line_y.append(best)
    for state, colour, name in (
        ("complete", UP, "complete"),
        ("pruned", GREY, "ended early"),
        ("defaults", DOWN, "defaults"),
    ):
        shown = [t for t in result.trials if t.state == state and t.scores]
        if shown:
            figure.add_scatter(
                x=[t.number for t in shown], y=[float(np.mean(t.scores)) for t in shown], mode="markers", name=name,
                marker={"color": colour, "size": 7, "symbol": "circle-open" if state == "pruned" else "circle"},
                text=[_settings(t.parameters) for t in shown], hovertemplate="%{text}<br>%{y:.4g}<extra></extra>",
            )  # fmt: skip
    figure.add_scatter(x=line_x, y=line_y, mode="lines", name="best so far", line={"color": UP, "shape": "hv"})
    if result.outside is not None:
        figure.add_hline(y=result.outside, line={"color": GREY, "dash": "dot"}, annotation_text="outside the search")
    return styled(figure, "trial", f"{result.metric.title}, inner folds", 340)


def _settings(parameters: dict[str, Any]) -> str:
    lines = [f"{k} = {v:.4g}" if isinstance(v, float) else f"{k} = {plain(v)}" for k, v in parameters.items()]
    return "<br>".join(lines) or "defaults"


@draw.register
def _parameter_importance(result: ParameterImportance) -> go.Figure:
    figure = go.Figure()
    names = [n for n, _ in result.fractions]
    figure.add_bar(y=list(range(len(names))), x=[100 * s for _, s in result.fractions], orientation="h",
                   marker={"color": UP}, hovertemplate="%{x:.3g} %<extra></extra>")  # fmt: skip
    styled(figure, "percentage of the variance", "", max(160, 30 * len(names) + 80))
    category_axis(figure, "y", names)
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False)
    return figure


@draw.register
def _parallel_coordinates(result: ParallelCoordinates) -> go.Figure:
    frame, parameters = result.frame(), result.report.parameters
    metric = result.report.metric
    if len(frame) < 2:
        raise NotApplicable("Parallel coordinates need two or more settings that were scored on all inner folds.")
    dimensions: list[dict[str, Any]] = []
    for parameter in parameters:
        values = frame[parameter.name]
        if parameter.choices:
            codes = [parameter.choices.index(v) for v in values]
            positions = list(range(len(parameter.choices)))
            dimensions.append({"label": parameter.name, "values": codes, "tickvals": positions,
                               "ticktext": [str(c) for c in parameter.choices]})  # fmt: skip
        elif parameter.log:
            ticks = (
                [float(v) for v in np.geomspace(parameter.search[0], parameter.search[1], 4)]
                if parameter.search
                else []
            )
            dimensions.append({"label": parameter.name, "values": np.log10(values.astype(float)),
                               "tickvals": np.log10(ticks), "ticktext": [f"{t:.2g}" for t in ticks]})  # fmt: skip
        else:
            dimensions.append({"label": parameter.name, "values": values.astype(float)})
    scores = frame[metric.name].astype(float)
    dimensions.append({"label": metric.title, "values": scores})
    colours = scale() if metric.higher_is_better else [[0.0, UP], [1.0, PALE]]
    figure = go.Figure(go.Parcoords(line={"color": scores, "colorscale": colours}, dimensions=dimensions))
    styled(figure, height=340)
    figure.update_layout(margin={"l": 60, "r": 40, "t": 50, "b": 24})
    return figure


@draw.register
def _run_comparison(result: RunComparison) -> go.Figure:
    figure = go.Figure()
    for index, change in enumerate(result.changes):
        gain = change.difference
        figure.add_scatter(x=[gain.low, gain.high], y=[index, index], mode="lines", line={"color": UP, "width": 2.5},
                           hoverinfo="skip", showlegend=False)  # fmt: skip
        figure.add_scatter(
            x=[gain.mean], y=[index], mode="markers", marker={"color": UP, "size": 10}, showlegend=False,
            hovertemplate=f"{plain(change.title)}: %{{x:.4g}} ({gain.low:.4g} to {gain.high:.4g})<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    styled(figure, f"{result.metric.title}: gain from the first run to the second", "",
             max(170, 30 * len(result.changes) + 90))  # fmt: skip
    category_axis(figure, "y", [c.title for c in result.changes], 30)
    figure.update_yaxes(range=[len(result.changes) - 0.5, -0.5], showgrid=False)
    return figure


@draw.register
def _split_stress(result: SplitStressTest) -> go.Figure:
    figure = go.Figure()
    first = [r for r in result.boards[0][1] if r.score is not None]
    positions = {r.model: i for i, r in enumerate(first)}
    for number, (kind, rows) in enumerate(result.boards):
        shown = [r for r in rows if r.score is not None and r.model in positions]
        shift = (number - (len(result.boards) - 1) / 2) * 0.18
        column = f" ({result.columns[kind]})" if kind in result.columns else ""
        scores = [float(r.score or 0) for r in shown]
        ends = [r.ci or (score, score) for r, score in zip(shown, scores, strict=True)]
        figure.add_scatter(
            x=scores, y=[positions[r.model] + shift for r in shown], mode="markers",
            name=short(f"{TITLES[kind]}{column}"),
            marker={"color": PALETTE[number], "size": 9},
            error_x={
                "type": "data",
                "symmetric": False,
                "thickness": 1.5,
                "width": 0,
                "array": [high - score for (_, high), score in zip(ends, scores, strict=True)],
                "arrayminus": [score - low for (low, _), score in zip(ends, scores, strict=True)],
            },
            text=[plain(r.title) for r in shown],
            hovertemplate=f"%{{text}}, {TITLES[kind]}: %{{x:.4g}}<extra></extra>",
        )  # fmt: skip
    styled(figure, result.metric.title, "", max(200, 34 * len(positions) + 100))
    category_axis(figure, "y", [r.title for r in first], 30)
    figure.update_yaxes(range=[len(positions) - 0.5, -0.5], showgrid=False)
    return figure
