"""Charts of the results of `explore`."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from mlcore.charts.style import (
    GREY,
    PALETTE,
    category_axis,
    faded,
    group_colour,
    model_colour,
    no_grid,
    plain,
    scale,
    short,
    styled,
)
from mlcore.data.cast import as_moments
from mlcore.errors import NotApplicable
from mlcore.explore.bivariate import Boxes, Crosstab, Density, Scatter, Trend, TrendOverTime
from mlcore.explore.missingness import Missing, MissingnessMap, MissingPatterns
from mlcore.explore.multivariate import Correlations, Pairs, Parallel, TargetAssociations
from mlcore.explore.univariate import Ecdf, Histogram, Timeline, Words
from mlcore.result import Array, draw
from mlcore.wording import day, number, shortened

MOST_BARS = 40


def _timestamps(seconds: Array) -> Array:
    return as_moments(seconds)


def _axis(values: Array, dates: bool) -> Array:
    """Values for plotly: timestamps, or four-byte floats, which are precise enough to draw."""
    return _timestamps(values) if dates else np.asarray(values, np.float32)


def _edge(value: float, date: bool) -> str:
    return day(value) if date else f"{value:.4g}"


# one column -----------------------------------------------------------------------------------------------------------


@draw.register
def _histogram(result: Histogram) -> go.Figure:
    figure = go.Figure()
    heights = result.heights()
    many = len(result.groups) > 1
    for index, group in enumerate(result.groups):
        colour = group_colour(group, index) if result.by else model_colour(1)
        label = plain(group) if result.by else ""
        unit = "%{y:.1%} of its rows" if result.density else "%{y:,} rows"
        style: dict[str, Any] = {"name": label, "marker_color": colour}
        if result.density and many:
            style["opacity"] = 0.55
        if result.levels:
            figure.add_bar(
                x=list(range(len(result.levels))),
                y=heights[index],
                customdata=[plain(v) for v in result.levels],
                hovertemplate="%{customdata}<br>" + unit + "<extra>" + label + "</extra>",
                **style,
            )
            continue
        edges = np.log10(result.edges) if result.log else result.edges
        centres, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
        if result.dates:
            centres, widths = _timestamps(centres), widths * 1000
        low, high = ([_edge(e, result.dates) for e in part] for part in (result.edges[:-1], result.edges[1:]))
        figure.add_bar(
            x=centres,
            y=heights[index],
            width=widths,
            customdata=list(zip(low, high, strict=True)),
            hovertemplate="%{customdata[0]} to %{customdata[1]}<br>" + unit + "<extra>" + label + "</extra>",
            **style,
        )
    barmode = "group" if result.levels else "overlay"
    figure.update_layout(barmode=barmode if result.density and many else "stack", showlegend=bool(result.by))
    styled(figure, result.column, "percentage of each group's rows" if result.density else "rows")
    if result.density:
        figure.update_yaxes(tickformat=".0%")
    if result.levels:
        category_axis(figure, "x", list(result.levels))
    else:
        figure.update_layout(bargap=0.02)
    if result.log:
        _log_ticks(figure, result.edges)
    figure.update_layout(dragmode="select", selectdirection="h")
    return figure


def _log_ticks(figure: go.Figure, edges: Array) -> None:
    """Round numbers as ticks on a logarithmic axis."""
    low, high = int(np.floor(np.log10(edges[0]))), int(np.ceil(np.log10(edges[-1])))
    steps = (1, 2, 5) if high - low <= 3 else (1,)
    every = max(1, (high - low) // 8)
    ticks = [m * 10.0**p for p in range(low, high + 1, every) for m in steps]
    shown = [m for m in ticks if edges[0] * 0.99 <= m <= edges[-1] * 1.01] or [float(edges[0]), float(edges[-1])]
    figure.update_xaxes(tickmode="array", tickvals=list(np.log10(shown)), ticktext=[number(m) for m in shown])


@draw.register
def _ecdf(result: Ecdf) -> go.Figure:
    figure = go.Figure()
    for index, group in enumerate(result.groups):
        label = plain(group) if result.by else ""
        figure.add_scatter(
            x=_axis(result.at, result.dates),
            y=np.asarray(result.shares[index], np.float32),
            mode="lines",
            line={"shape": "hv", "color": group_colour(group, index) if result.by else PALETTE[0], "width": 2},
            name=label,
            hovertemplate="%{y:.1%} up to %{x}<extra>" + label + "</extra>",
        )
    styled(figure, result.column, "percentage of rows up to this value")
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02])
    return figure.update_layout(showlegend=bool(result.by))


@draw.register
def _word_counts(result: Words) -> go.Figure:
    return _bars(list(result.words), np.array(result.rows) / result.n, result.rows, "percentage of rows")


def _bars(names: list[str], fractions: Array, counts: Any, title: str, *, colours: Any = PALETTE[0]) -> go.Figure:
    """Horizontal bars, one per name, with the percentage at the end."""
    positions = list(range(len(names)))[:MOST_BARS]
    figure = go.Figure(
        go.Bar(
            x=np.asarray(fractions, float)[: len(positions)],
            y=positions,
            orientation="h",
            marker_color=colours,
            customdata=[[plain(n), int(c)] for n, c in zip(names, counts, strict=True)][: len(positions)],
            text=[f"{s:.1%}" for s in fractions[: len(positions)]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{customdata[0]}: %{customdata[1]:,} rows, %{x:.1%}<extra></extra>",
        )
    )
    styled(figure, title, "", max(220, 30 * len(positions) + 90))
    category_axis(figure, "y", names[: len(positions)], 40)
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickformat=".0%", range=[0, min(1.12, max(fractions[: len(positions)]) * 1.15 + 0.02)])
    return figure


@draw.register
def _timeline(result: Timeline) -> go.Figure:
    figure = go.Figure()
    for index, group in enumerate(result.groups):
        label = plain(group) if result.by else ""
        figure.add_scatter(
            x=_timestamps(result.starts),
            y=result.counts[index],
            mode="lines" if len(result.starts) > 2 else "lines+markers",
            name=label,
            line={"color": group_colour(group, index) if result.by else PALETTE[0], "width": 2},
            hovertemplate="%{x|%Y-%m-%d}<br>%{y:,} rows<extra>" + label + "</extra>",
        )
    styled(figure, result.column, f"rows per {result.period}")
    figure.update_yaxes(rangemode="tozero")
    return figure.update_layout(showlegend=bool(result.by), dragmode="select", selectdirection="h")


# two columns ----------------------------------------------------------------------------------------------------------


def _add_trend(figure: go.Figure, trend: Trend | None, x: Array, dates: tuple[bool, bool]) -> None:
    if trend is None or dates[1] or not len(x):
        return
    ends = np.array([np.nanmin(x), np.nanmax(x)], float)
    figure.add_scatter(
        x=_timestamps(ends) if dates[0] else ends,
        y=trend.intercept + trend.slope * ends,
        mode="lines",
        line={"color": GREY, "width": 2, "dash": "dash"},
        name="trend",
        showlegend=False,
        hoverinfo="skip",
    )


@draw.register
def _scatter(result: Scatter) -> go.Figure:
    figure = go.Figure()
    opacity = 0.75 if len(result.points) < 800 else 0.4
    for index, group in enumerate(result.groups):
        part = result.points[result.points["group"] == group]
        x, y = (_axis(part[a].to_numpy(float), date) for a, date in zip(("x", "y"), result.dates, strict=True))
        label = plain(group) if result.by else ""
        figure.add_scatter(
            x=x,
            y=y,
            mode="markers",
            name=label,
            marker={"color": group_colour(group, index) if result.by else PALETTE[0], "size": 6, "opacity": opacity},
            hovertemplate=f"{short(result.x)} %{{x}}<br>{short(result.y)} %{{y}}<extra>{label}</extra>",
        )
    _add_trend(figure, result.trend, result.points["x"].to_numpy(float), result.dates)
    figure.update_layout(showlegend=bool(result.by), dragmode="select")
    return styled(figure, result.x, result.y)


@draw.register
def _density(result: Density) -> go.Figure:
    counts = result.counts
    shown = np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan)
    x, y = ((e[:-1] + e[1:]) / 2 for e in (result.x_edges, result.y_edges))
    figure = go.Figure(
        go.Heatmap(
            x=_axis(x, result.dates[0]),
            y=_axis(y, result.dates[1]),
            z=shown.astype(np.float32),
            customdata=counts.astype(np.int32),
            colorscale=[[0.0, "#D5E0FA"], [0.5, "#5C85DE"], [1.0, "#1B3C8C"]],
            showscale=False,
            hovertemplate="%{x}, %{y}<br>%{customdata:,} rows<extra></extra>",
        )
    )
    _add_trend(figure, result.trend, result.x_edges, result.dates)
    styled(figure, result.x, result.y)
    no_grid(figure)
    return figure.update_layout(dragmode="select")


@draw.register
def _boxes(result: Boxes) -> go.Figure:
    rows = result.rows.dropna(subset=["median"])
    figure = go.Figure()
    if result.outlines is not None and result.edges is not None:
        _violins(figure, result, list(rows.index))
    if result.dates:
        statistics = ["low", "q1", "median", "q3", "high"]
        rows = rows.assign(**{name: _timestamps(rows[name].to_numpy(float)) for name in statistics})
    positions = list(range(len(rows)))
    coordinates = {"y": positions, "orientation": "h"} if result.horizontal else {"x": positions}
    figure.add_trace(
        go.Box(
            q1=rows["q1"],
            median=rows["median"],
            q3=rows["q3"],
            lowerfence=rows["low"],
            upperfence=rows["high"],
            **coordinates,
            marker_color=PALETTE[0],
            fillcolor=faded(PALETTE[0], 0.25),
            line_width=1.5,
            width=0.12 if result.outlines is not None else 0.5,
            showlegend=False,
            hoverinfo="skip",
        )
    )
    medians = {"x": rows["median"], "y": positions} if result.horizontal else {"x": positions, "y": rows["median"]}
    figure.add_scatter(
        **medians,
        mode="markers",
        marker={"color": PALETTE[0], "size": 8},
        showlegend=False,
        customdata=[[plain(v), n] for v, n in zip(rows["level"], rows["n"], strict=True)],
        hovertemplate="%{customdata[0]}, %{customdata[1]:,} rows<br>median "
        + ("%{x}" if result.horizontal else "%{y}")
        + "<extra></extra>",
    )
    category = result.level or ""
    names = (result.value, category) if result.horizontal else (category, result.value)
    styled(figure, *names)
    category_axis(figure, "y" if result.horizontal else "x", list(rows["level"]))
    return figure


def _violins(figure: go.Figure, result: Boxes, indices: list[int]) -> None:
    """Outlines on both sides of each category's position, all on one scale."""
    assert result.outlines is not None
    assert result.edges is not None
    centres = _axis((result.edges[:-1] + result.edges[1:]) / 2, result.dates)
    widest = float(result.outlines.max()) or 1.0
    for position, i in enumerate(indices):
        used = np.flatnonzero(result.outlines[i] > 1e-4 * widest)
        if not len(used):
            continue
        span = slice(used[0], used[-1] + 1)
        half = 0.42 * result.outlines[i][span] / widest
        across = np.concatenate([position - half, (position + half)[::-1]]).astype(np.float32)
        along = np.concatenate([centres[span], centres[span][::-1]])
        coordinates = {"x": along, "y": across} if result.horizontal else {"x": across, "y": along}
        figure.add_scatter(
            **coordinates,
            mode="lines",
            fill="toself",
            fillcolor=faded(PALETTE[0], 0.18),
            line={"color": faded(PALETTE[0], 0.6), "width": 1},
            showlegend=False,
            hoverinfo="skip",
        )


@draw.register
def _crosstab(result: Crosstab) -> go.Figure:
    fractions = result.within()
    small = result.counts.size <= 150
    figure = go.Figure(
        go.Heatmap(
            z=fractions,
            text=result.counts,
            texttemplate=("%{z:.0%}" if result.shares else "%{text:,}") if small else None,
            colorscale=scale(),
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{text:,} rows, %{z:.1%} of the column<extra></extra>",
        )
    )
    styled(figure, result.x, result.y)
    category_axis(figure, "x", list(result.x_levels))
    category_axis(figure, "y", list(result.y_levels))
    no_grid(figure)
    return figure.update_layout(dragmode="select")


@draw.register
def _trend_over_time(result: TrendOverTime) -> go.Figure:
    figure = go.Figure()
    groups = list(dict.fromkeys(result.rows["group"]))
    for index, group in enumerate(groups):
        part = result.rows[result.rows["group"] == group]
        colour = group_colour(group, index) if result.by else PALETTE[0]
        start, label = _timestamps(part["start"].to_numpy(float)), plain(group) if result.by else ""
        if len(groups) <= 3:
            figure.add_scatter(
                x=np.concatenate([start, start[::-1]]),
                y=np.concatenate([part["q3"], part["q1"][::-1]]).astype(np.float32),
                fill="toself",
                fillcolor=faded(colour, 0.15),
                mode="lines",
                line={"width": 0, "color": faded(colour, 0.0)},
                showlegend=False,
                hoverinfo="skip",
            )
        figure.add_scatter(
            x=start,
            y=part["median"].to_numpy(np.float32),
            mode="lines" if len(part) > 2 else "lines+markers",
            line={"color": colour, "width": 2},
            name=label,
            customdata=part["n"],
            hovertemplate="%{x|%Y-%m-%d}<br>median %{y:.4g}, %{customdata:,} rows<extra>" + label + "</extra>",
        )
    styled(figure, f"{result.x}, by {result.period}", f"{result.y}: median and IQR")
    return figure.update_layout(showlegend=bool(result.by), dragmode="select", selectdirection="h")


# many columns ---------------------------------------------------------------------------------------------------------


@draw.register
def _correlations(result: Correlations) -> go.Figure:
    few = len(result.names) <= 14
    figure = go.Figure(
        go.Heatmap(
            z=np.asarray(result.values, np.float32),
            zmin=-1,
            zmax=1,
            xgap=1,
            ygap=1,
            texttemplate="%{z:.2f}" if few else None,
            customdata=[[f"{short(a)} and {short(b)}" for b in result.names] for a in result.names],
            colorscale=[[0, PALETTE[1]], [0.5, "#F3F4F6"], [1, PALETTE[0]]],
            hovertemplate="%{customdata}<br>%{z:.3f}<extra></extra>",
            colorbar={"thickness": 10, "len": 0.8},
        )
    )
    styled(figure, height=max(400, 26 * len(result.names) + 120))
    category_axis(figure, "x", list(result.names))
    category_axis(figure, "y", list(result.names))
    no_grid(figure)
    figure.update_yaxes(autorange="reversed")
    return figure


@draw.register
def _target_associations(result: TargetAssociations) -> go.Figure:
    shown = min(len(result.names), MOST_BARS)
    positions = list(range(shown))
    signed = np.asarray(result.signed[:shown], float)
    figure = go.Figure(
        go.Bar(
            x=np.abs(signed),
            y=positions,
            orientation="h",
            marker_color=[PALETTE[0] if v >= 0 else PALETTE[1] for v in signed],
            text=[f"{v:.2f}".replace("-", "−") for v in signed],
            textposition="outside",
            cliponaxis=False,
            customdata=[plain(n) for n in result.names[:shown]],
            hovertemplate="%{customdata}<br>%{text}<extra></extra>",
        )
    )
    styled(figure, "association (orange: negative)", "", max(220, 30 * shown + 90))
    category_axis(figure, "y", list(result.names[:shown]), 40)
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(range=[0, 1.1])
    return figure


@draw.register
def _pairs(result: Pairs) -> go.Figure:
    from plotly.subplots import make_subplots

    size, names = len(result.names), list(result.names)
    figure = make_subplots(size, size, shared_xaxes=True, horizontal_spacing=0.02, vertical_spacing=0.02)
    row_groups = result.points.iloc[:, -1]
    for index, group in enumerate(result.groups):
        part = result.points[row_groups == group]
        colour = group_colour(group, index) if result.by else PALETTE[0]
        for i, y in enumerate(names):
            for j, x in enumerate(names):
                if j > i:
                    continue
                if i == j:
                    _diagonal(figure, result.points[x].to_numpy(float), part[x].to_numpy(float), colour, i + 1)
                    continue
                figure.add_scatter(
                    x=part[x].to_numpy(np.float32),
                    y=part[y].to_numpy(np.float32),
                    mode="markers",
                    marker={"size": 4, "color": colour, "opacity": 0.6},
                    name=plain(group) if result.by else "",
                    legendgroup=group,
                    showlegend=bool(result.by) and (i, j) == (1, 0),
                    hovertemplate="%{x}, %{y}<extra></extra>",
                    row=i + 1,
                    col=j + 1,
                )
    styled(figure, height=max(420, 170 * size + 60))
    figure.update_xaxes(title_text="")
    figure.update_yaxes(title_text="")
    for k, name in enumerate(names, start=1):
        figure.update_xaxes(title_text=short(name, 20), row=size, col=k)
        if k > 1:
            figure.update_yaxes(title_text=short(name, 20), row=k, col=1)
        figure.update_yaxes(showticklabels=False, row=k, col=k)
    return figure.update_layout(barmode="stack", bargap=0.02)


def _diagonal(figure: go.Figure, values: Array, part: Array, colour: str, position: int) -> None:
    known = values[~np.isnan(values)]
    if not len(known) or known.min() == known.max():
        return
    edges = np.linspace(known.min(), known.max(), 21)
    counts, _ = np.histogram(part[~np.isnan(part)], edges)
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=np.diff(edges),
        marker_color=colour,
        showlegend=False,
        hovertemplate="%{x:.4g}: %{y:,} rows<extra></extra>",
        row=position,
        col=position,
    )


@draw.register
def _parallel_coordinates(result: Parallel) -> go.Figure:
    figure = go.Figure()
    axes = len(result.names)
    row_groups = np.array(result.group)
    for index, group in enumerate(result.groups):
        part = result.places[row_groups == group]
        # One trace per group: a NaN after each line separates the rows.
        x = np.tile(np.append(np.arange(axes, dtype=np.float32), np.nan), len(part))
        y = np.column_stack([part, np.full(len(part), np.nan)]).astype(np.float32).ravel()
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": faded(group_colour(group, index) if result.by else PALETTE[0], 0.35), "width": 1.2},
            name=plain(group) if result.by else "",
            hoverinfo="skip",
        )
    styled(figure, "", "")
    category_axis(figure, "x", list(result.names), 18)
    figure.update_yaxes(showticklabels=False, range=[-0.08, 1.08], showgrid=False)
    for i, (low, high) in enumerate(result.ends):
        figure.add_annotation(x=i, y=-0.05, text=short(low, 14), showarrow=False, font={"size": 11})
        figure.add_annotation(x=i, y=1.05, text=short(high, 14), showarrow=False, font={"size": 11})
    return figure.update_layout(showlegend=bool(result.by))


@draw.register
def _missing(result: Missing) -> go.Figure:
    if not result.columns:
        raise NotApplicable("No value is missing, so there is nothing to draw.")
    fractions = np.array(result.missing) / result.rows
    return _bars(list(result.columns), fractions, result.missing, "percentage of missing values")


@draw.register
def _missingness_map(result: MissingnessMap) -> go.Figure:
    figure = go.Figure(
        go.Heatmap(
            x=[s + 1 for s in result.starts],
            y=list(range(len(result.columns))),
            z=np.asarray(result.shares, np.float32),
            zmin=0,
            zmax=1,
            colorscale=[[0.0, "#EEF2FC"], [1.0, "#1B3C8C"]],
            ygap=2,
            colorbar={"thickness": 10, "len": 0.8, "tickformat": ".0%"},
            hovertemplate="from row %{x:,}<br>%{z:.0%} missing<extra></extra>",
        )
    )
    styled(figure, "row of the file", "", max(240, 26 * len(result.columns) + 110))
    category_axis(figure, "y", list(result.columns))
    figure.update_yaxes(autorange="reversed")
    no_grid(figure)
    return figure


@draw.register
def _missing_patterns(result: MissingPatterns) -> go.Figure:
    names = [
        " + ".join(shortened(c, 18) for c, null in zip(result.columns, row, strict=True) if null) or "nothing missing"
        for row in result.gaps
    ]
    colours = [GREY if not row.any() else PALETTE[0] for row in result.gaps]
    fractions = np.array(result.counts) / max(result.rows, 1)
    return _bars(names, fractions, result.counts, "percentage of rows with exactly these missing", colours=colours)
