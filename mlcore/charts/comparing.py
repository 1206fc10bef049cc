"""Comparisons: the leaderboard, folds and fold scores, curves, searches, runs beside one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from mlcore.charts import draw
from mlcore.charts.style import (
    DOWN,
    GREY,
    PALETTE,
    UP,
    faded,
    laid_out,
    levels_axis,
    model_colour,
    plain,
    scale,
    short,
)
from mlcore.compare.beside import TITLES, SideBySide, Stress
from mlcore.compare.folds import LOCKED, Folds
from mlcore.compare.leaderboard import FoldScores, Leaderboard
from mlcore.compare.studies import KnobCurve, LearningCurve, Level
from mlcore.compare.tuning import Importance, TrialLines, Tuning
from mlcore.errors import NotApplicable


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
    laid_out(figure, f"{result.metric.title}, {better}", "", max(170, 30 * len(ranked) + 90))
    levels_axis(figure, "y", [("★ " if r.star else "") + r.title for r in ranked], 30)
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
    laid_out(figure, "fold", result.metric.title, 300)
    figure.update_xaxes(dtick=1 if len(result.rows[0].folds) <= 20 else None)
    return figure


@draw.register
def _folds(result: Folds) -> go.Figure:
    return _times(result) if result.kind == "time" else _class_bars(result)


def _class_bars(result: Folds) -> go.Figure:
    figure = go.Figure()
    names = [p.name for p in result.parts]
    labels = result.labels[:12] or ("rows",)
    for place, label in enumerate(labels):
        counts = [p.classes[place] if result.labels else p.test for p in result.parts]
        figure.add_bar(
            y=list(range(len(names))), x=counts, orientation="h", name=short(label),
            marker={"color": PALETTE[place % len(PALETTE)],
                    "opacity": [0.35 if n == LOCKED else 1.0 for n in names]},
            hovertemplate=f"{plain(label)}: %{{x:,}} test rows<extra></extra>", showlegend=bool(result.labels),
        )  # fmt: skip
    figure.update_layout(barmode="stack")
    laid_out(figure, "test rows", "", max(180, 26 * len(names) + 90))
    levels_axis(figure, "y", names)
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False)
    return figure


def _times(result: Folds) -> go.Figure:
    figure = go.Figure()
    names = [p.name for p in result.parts]
    for which, colour, ends in (("train", GREY, (0, 1)), ("test", UP, (2, 3))):
        for place, part in enumerate(result.parts):
            if part.times is None:
                continue
            rows = part.train if which == "train" else part.test
            figure.add_scatter(
                x=[part.times[e] for e in ends], y=[place, place], mode="lines", name=which, legendgroup=which,
                showlegend=place == 0, line={"color": colour, "width": 9},
                hovertemplate=f"{which}: {rows:,} rows, %{{x}}<extra></extra>",
            )  # fmt: skip
    laid_out(figure, result.columns[1] or "", "", max(180, 26 * len(names) + 90))
    levels_axis(figure, "y", names)
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False)
    return figure


def _band(figure: go.Figure, x: list[Any], levels: tuple[Level, ...], colour: str) -> None:
    """The solid line with its interval, and the dashed one of rows that were learned from."""
    known = [(at, lv) for at, lv in zip(x, levels, strict=True) if lv.ci]
    figure.add_scatter(
        x=[at for at, _ in known] + [at for at, _ in known[::-1]],
        y=[lv.ci[1] for _, lv in known if lv.ci] + [lv.ci[0] for _, lv in known[::-1] if lv.ci],
        fill="toself",
        mode="lines", fillcolor=faded(colour, 0.15), line={"width": 0}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=[lv.score for lv in levels], mode="lines+markers", name="rows not seen", line={"color": colour},
        hovertemplate="%{x}: %{y:.4g}<extra>rows not seen</extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=[lv.seen for lv in levels], mode="lines+markers", name="rows learned from",
        line={"color": DOWN, "dash": "dash"}, hovertemplate="%{x}: %{y:.4g}<extra>rows learned from</extra>",
    )  # fmt: skip


@draw.register
def _learning(result: LearningCurve) -> go.Figure:
    figure = go.Figure()
    _band(figure, [lv.at for lv in result.levels], result.levels, UP)
    laid_out(figure, "training rows", result.metric.title, 340)
    figure.update_xaxes(rangemode="tozero")
    return figure


@draw.register
def _knob(result: KnobCurve) -> go.Figure:
    figure = go.Figure()
    choices = bool(result.knob.choices)
    x = [str(lv.at) for lv in result.levels] if choices else [lv.at for lv in result.levels]
    _band(figure, x, result.levels, UP)
    laid_out(figure, result.knob.name, result.metric.title, 340)
    if result.knob.log and not choices:
        figure.update_xaxes(type="log")
    return figure


@draw.register
def _tuning(result: Tuning) -> go.Figure:
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
        ("complete", UP, "whole"),
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
    return laid_out(figure, "trial", f"{result.metric.title}, inner folds", 340)


def _settings(parameters: dict[str, Any]) -> str:
    said = [f"{k} = {v:.4g}" if isinstance(v, float) else f"{k} = {plain(v)}" for k, v in parameters.items()]
    return "<br>".join(said) or "defaults"


@draw.register
def _importance(result: Importance) -> go.Figure:
    figure = go.Figure()
    names = [n for n, _ in result.shares]
    figure.add_bar(y=list(range(len(names))), x=[100 * s for _, s in result.shares], orientation="h",
                   marker={"color": UP}, hovertemplate="%{x:.3g} %<extra></extra>")  # fmt: skip
    laid_out(figure, "share of the spread, %", "", max(160, 30 * len(names) + 80))
    levels_axis(figure, "y", names)
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False)
    return figure


@draw.register
def _trial_lines(result: TrialLines) -> go.Figure:
    frame, knobs = result.frame(), result.tuning.knobs
    metric = result.tuning.metric
    if len(frame) < 2:
        raise NotApplicable("Fewer than two settings were scored on all inner folds.")
    dimensions: list[dict[str, Any]] = []
    for knob in knobs:
        values = frame[knob.name]
        if knob.choices:
            codes = [knob.choices.index(v) for v in values]
            dimensions.append({"label": knob.name, "values": codes, "tickvals": list(range(len(knob.choices))),
                               "ticktext": [str(c) for c in knob.choices]})  # fmt: skip
        elif knob.log:
            ticks = [float(v) for v in np.geomspace(*knob.search, 4)] if knob.search else []
            dimensions.append({"label": knob.name, "values": np.log10(values.astype(float)),
                               "tickvals": np.log10(ticks), "ticktext": [f"{t:.2g}" for t in ticks]})  # fmt: skip
        else:
            dimensions.append({"label": knob.name, "values": values.astype(float)})
    scores = frame[metric.name].astype(float)
    dimensions.append({"label": metric.title, "values": scores})
    colours = scale(scores) if metric.higher_is_better else [[0.0, UP], [1.0, "#EEF2FC"]]
    figure = go.Figure(go.Parcoords(line={"color": scores, "colorscale": colours}, dimensions=dimensions))
    laid_out(figure, height=340)
    figure.update_layout(margin={"l": 60, "r": 40, "t": 50, "b": 24})
    return figure


@draw.register
def _side_by_side(result: SideBySide) -> go.Figure:
    figure = go.Figure()
    for place, change in enumerate(result.changes):
        gap = change.difference
        figure.add_scatter(x=[gap.low, gap.high], y=[place, place], mode="lines", line={"color": UP, "width": 2.5},
                           hoverinfo="skip", showlegend=False)  # fmt: skip
        figure.add_scatter(
            x=[gap.mean], y=[place], mode="markers", marker={"color": UP, "size": 10}, showlegend=False,
            hovertemplate=f"{plain(change.title)}: %{{x:.4g}} ({gap.low:.4g} to {gap.high:.4g})<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    laid_out(figure, f"{result.metric.title}: gain from the first to the second", "",
             max(170, 30 * len(result.changes) + 90))  # fmt: skip
    levels_axis(figure, "y", [c.title for c in result.changes], 30)
    figure.update_yaxes(range=[len(result.changes) - 0.5, -0.5], showgrid=False)
    return figure


@draw.register
def _stress(result: Stress) -> go.Figure:
    figure = go.Figure()
    first = [r for r in result.boards[0][1] if r.score is not None]
    places = {r.model: i for i, r in enumerate(first)}
    for number, (kind, rows) in enumerate(result.boards):
        shown = [r for r in rows if r.score is not None and r.model in places]
        shift = (number - (len(result.boards) - 1) / 2) * 0.18
        column = f" ({result.columns[kind]})" if kind in result.columns else ""
        scores = [float(r.score or 0) for r in shown]
        ends = [r.ci or (score, score) for r, score in zip(shown, scores, strict=True)]
        figure.add_scatter(
            x=scores, y=[places[r.model] + shift for r in shown], mode="markers",
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
    laid_out(figure, result.metric.title, "", max(200, 34 * len(places) + 100))
    levels_axis(figure, "y", [r.title for r in first], 30)
    figure.update_yaxes(range=[len(places) - 0.5, -0.5], showgrid=False)
    return figure
