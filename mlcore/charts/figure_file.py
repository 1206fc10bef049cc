"""Any chart for print: PNG, SVG or PDF, drawn by matplotlib in a quiet seaborn style.

The plotly figure of the result is translated mark by mark, so that print and screen cannot differ and a new chart of
traces in `TRACES` needs no code here. No pyplot, so no global state: figures of two users never mix.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from mlcore.charts.style import PALE
from mlcore.errors import BadChoice, NotApplicable
from mlcore.result import Result
from mlcore.wording import shortened

FORMATS = ("png", "svg", "pdf")
WIDTH, HEIGHT = 6.4, 4.0  # inches: the width of a text column
RGBA = re.compile(r"rgba?\(([^)]+)\)")
DASHES = {"dash": "--", "dot": ":", "dashdot": "-."}
MARKS = {"circle": "o", "diamond": "D", "x": "x", "star": "*", "line-ns": "|", "line-ew": "_", "square": "s"}


def figure_file(result: Result, kind: str, caption: bool = True) -> bytes:
    """A chart as the bytes of a file; `caption` writes its sentence under it. Raises BadChoice, NotApplicable."""
    if kind not in FORMATS:
        raise BadChoice.of("print format", kind, FORMATS)
    import seaborn as sns
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    chart = result.figure()
    style = {**sns.axes_style("ticks"), **sns.plotting_context("paper"), "svg.fonttype": "none", "pdf.fonttype": 42}
    style |= {"svg.hashsalt": "holdout", "text.usetex": False, "text.parse_math": False}
    with rc_context(style):
        height = (chart.layout.height or 400) / 400
        figure = Figure(figsize=(WIDTH, HEIGHT * max(0.6, min(height, 2.5))), layout="constrained")
        FigureCanvasAgg(figure)
        if chart.data and chart.data[0].type == "parcoords":
            _parallel_coordinates(figure.add_subplot(111), chart.data[0])
        else:
            _draw_all(figure, chart)
        for axes in figure.axes:
            sns.despine(ax=axes)
        if caption:
            figure.supxlabel(_wrapped(result.sentence()), fontsize=8, color="#5A626E", ha="left", x=0.02)
        out = io.BytesIO()
        options: dict[str, dict[str, Any]] = {
            "png": {"dpi": 200},
            "svg": {"metadata": {"Date": None}},
            "pdf": {"metadata": {"CreationDate": None}},
        }
        figure.savefig(out, format=kind, **options[kind])
    return out.getvalue()


def _wrapped(text: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(shortened(text, 400), 110))


def _draw_all(figure: Any, chart: Any) -> None:
    """Each pair of plotly axes becomes one matplotlib axes, placed by its domain."""
    pairs = list(dict.fromkeys((t.xaxis or "x", t.yaxis or "y") for t in chart.data))
    columns = sorted({_domain(chart, x)[0] for x, _ in pairs})
    rows = sorted({_domain(chart, y)[1] for _, y in pairs}, reverse=True)
    grid = figure.add_gridspec(max(len(rows), 1), max(len(columns), 1)) if pairs else None
    for x, y in pairs or [("x", "y")]:
        position = (rows.index(_domain(chart, y)[1]), columns.index(_domain(chart, x)[0])) if pairs else (0, 0)
        axes = figure.add_subplot(grid[position] if grid is not None else 111)
        traces = [t for t in chart.data if (t.xaxis or "x", t.yaxis or "y") == (x, y)]
        _draw_axes(axes, chart, traces, (x, y))


def _parallel_coordinates(axes: Any, trace: Any) -> None:
    """A line for each row across the dimensions, each scaled to its own range; darker is better."""
    from matplotlib import colormaps

    heights = []
    for position, dimension in enumerate(trace.dimensions):
        values, ticks = (
            np.asarray(dimension.values, float),
            np.asarray(() if dimension.tickvals is None else dimension.tickvals, float),
        )
        low, high = np.min([*values, *ticks]), np.max([*values, *ticks])
        span = (high - low) or 1.0
        heights.append((values - low) / span)
        labels = zip(ticks, dimension.ticktext, strict=True) if len(ticks) else ((v, f"{v:.3g}") for v in (low, high))
        for at, label in labels:
            axes.text(position, (at - low) / span, f" {_text(shortened(label, 18))}", fontsize=7, va="center")
        axes.axvline(position, color="#C9CED6", linewidth=0.8, zorder=0)
    colours = np.asarray(trace.line.color, float)
    fractions = (colours - colours.min()) / ((colours.max() - colours.min()) or 1.0)
    if trace.line.colorscale[0][1] != PALE:  # the dark end stands for the best value
        fractions = 1 - fractions
    for row, fraction in zip(np.stack(heights, axis=1), fractions, strict=True):
        axes.plot(range(len(heights)), row, color=colormaps["Blues"](0.25 + 0.7 * fraction), linewidth=0.9)
    axes.set_xticks(range(len(heights)), [_text(shortened(d.label, 22)) for d in trace.dimensions], fontsize=8)
    axes.set_yticks([])


def _domain(chart: Any, axis: str) -> tuple[float, float]:
    domain = _axis(chart, axis).domain
    return (round(float(domain[0]), 3), round(float(domain[1]), 3)) if domain else (0.0, 1.0)


def _axis(chart: Any, axis: str) -> Any:
    return chart.layout[f"{axis[0]}axis{axis[1:]}"]


FIRST_DAY, LAST_DAY = -719_162.0, 2_932_896.0  # 0001-01-01 and 9999-12-31, in days since 1970


def _draw_axes(axes: Any, chart: Any, traces: list[Any], names: tuple[str, str]) -> None:
    import matplotlib.dates as md

    stack: dict[bool, dict[float, float]] = {True: {}, False: {}}
    timed: list[str] = []
    for trace in traces:
        if trace.visible is False or trace.visible == "legendonly":
            continue
        if trace.type not in TRACES:
            raise NotApplicable(
                f"A trace of the type {trace.type!r} has no form for print; those that have are {', '.join(TRACES)}."
            )
        TRACES[trace.type](axes, trace, chart, stack)
    for axis, values in ((axes.xaxis, [t.x for t in traces]), (axes.yaxis, [t.y for t in traces])):
        if any(v is not None and _has_timestamps(v) for v in values):
            locator = md.AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
            axis.set_major_locator(locator)
            axis.set_major_formatter(md.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
            timed.append("x" if axis is axes.xaxis else "y")
    _decorate(axes, chart, names)
    for direction in timed:  # the margin around the first and the last date may lie outside the calendar
        low, high = getattr(axes, f"get_{direction}lim")()
        getattr(axes, f"set_{direction}lim")(max(low, FIRST_DAY), min(high, LAST_DAY))
    handles, labels = axes.get_legend_handles_labels()
    if chart.layout.showlegend is not False and len(set(labels)) > 1:
        shown = dict(zip(labels, handles, strict=True))
        axes.legend(shown.values(), shown.keys(), frameon=False, fontsize=8, loc="best", ncols=1 + len(shown) // 6)


def _decorate(axes: Any, chart: Any, names: tuple[str, str]) -> None:
    """Titles, ranges, ticks, annotations, and reference lines that are drawn as shapes."""
    for direction, name in zip("xy", names, strict=True):
        layout = _axis(chart, name)
        title = _text(layout.title.text or "")
        (axes.set_xlabel if direction == "x" else axes.set_ylabel)(title, fontsize=9)
        _ticks(axes, direction, layout)
        _range(axes, direction, layout)
    for note in chart.layout.annotations or ():
        if note.text and note.xref in (None, "x") and note.yref in (None, "y") and not note.showarrow:
            axes.text(_number(note.x), _number(note.y), _text(note.text), fontsize=7, ha="center", va="center")
    for shape in chart.layout.shapes or ():
        _reference(axes, shape)


def _ticks(axes: Any, direction: str, layout: Any) -> None:
    axis = axes.xaxis if direction == "x" else axes.yaxis
    if layout.tickvals is not None and layout.ticktext is not None:
        axis.set_ticks([float(v) for v in layout.tickvals], [_text(shortened(t, 22)) for t in layout.ticktext])
        if direction == "x" and sum(len(str(t)) for t in layout.ticktext) > 60:
            axes.tick_params(axis="x", rotation=45)
    elif layout.showticklabels is False:
        axis.set_ticks([])
    elif layout.tickformat and "%" in layout.tickformat and "%Y" not in layout.tickformat:
        from matplotlib.ticker import PercentFormatter

        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _range(axes: Any, direction: str, layout: Any) -> None:
    if layout.type == "log":
        (axes.set_xscale if direction == "x" else axes.set_yscale)("log")
    if layout.range is not None:
        low, high = (_number(v) for v in layout.range)
        if layout.type == "log":
            low, high = 10**low, 10**high
        (axes.set_xlim if direction == "x" else axes.set_ylim)(low, high)
    elif layout.autorange == "reversed":
        (axes.xaxis if direction == "x" else axes.yaxis).set_inverted(True)


def _reference(axes: Any, shape: Any) -> None:
    """A reference line or band."""
    colour, alpha = _colour(shape.line.color or shape.fillcolor or "#7A7F87")
    if shape.type == "line" and shape.xref == "paper":
        axes.axhline(_number(shape.y0), color=colour, linewidth=1, linestyle=DASHES.get(shape.line.dash or "", "-"))
    elif shape.type == "line" and shape.yref is not None and "domain" in str(shape.yref):
        axes.axvline(_number(shape.x0), color=colour, linewidth=1, linestyle=DASHES.get(shape.line.dash or "", "-"))
    elif shape.type == "line":
        ends = [[_number(shape.x0), _number(shape.x1)], [_number(shape.y0), _number(shape.y1)]]
        axes.plot(*ends, color=colour, linewidth=1, linestyle=DASHES.get(shape.line.dash or "", "-"))
    elif shape.type == "rect" and shape.fillcolor:
        fill, alpha = _colour(shape.fillcolor)
        if "domain" in str(shape.yref) or shape.yref == "paper":
            axes.axvspan(_number(shape.x0), _number(shape.x1), color=fill, alpha=alpha, linewidth=0)
        else:
            axes.axhspan(_number(shape.y0), _number(shape.y1), color=fill, alpha=alpha, linewidth=0)


# marks ----------------------------------------------------------------------------------------------------------------


def _bar(axes: Any, trace: Any, chart: Any, stack: dict[bool, dict[float, float]]) -> None:
    horizontal = trace.orientation == "h"
    positions, sizes = _values(trace.y if horizontal else trace.x), _values(trace.x if horizontal else trace.y)
    widths: Any = _values(trace.width) if trace.width is not None else None
    timestamps = _has_timestamps(trace.y if horizontal else trace.x)
    if widths is not None and timestamps:
        widths = widths / 86_400_000  # plotly counts milliseconds, matplotlib counts days
    width = 1 - (chart.layout.bargap or 0.1)
    widths = np.full(len(positions), width) if widths is None else np.broadcast_to(widths, positions.shape) * 0.98
    base = np.zeros(len(positions))
    if chart.layout.barmode in ("stack", "relative"):
        totals = stack[horizontal]
        base = np.array([totals.get(float(p), 0.0) for p in positions])
        totals.update({float(p): float(b + s) for p, b, s in zip(positions, base, sizes, strict=True)})
    elif chart.layout.barmode == "group":
        bars = [t for t in chart.data if t.type == "bar"]
        widths = widths / max(len(bars), 1)
        positions = positions + widths * (bars.index(trace) - (len(bars) - 1) / 2)
    if trace.base is not None:
        base = base + np.broadcast_to(_values(trace.base), positions.shape)
    fill: Any = (
        [_colour(c)[0] for c in trace.marker.color] if _is_list(trace.marker.color) else _opaque(trace.marker.color)
    )
    alpha = trace.opacity if trace.opacity is not None else 1.0
    draw = axes.barh if horizontal else axes.bar
    error = trace.error_x if horizontal else trace.error_y
    draw(positions, sizes, widths, base, color=fill, alpha=alpha, linewidth=0, label=_text(trace.name or ""))
    _whiskers(
        axes, error, (sizes + base, positions) if horizontal else (positions, sizes + base), "x" if horizontal else "y"
    )
    if trace.text is not None and horizontal:
        for position, size, text in zip(positions, sizes + base, np.atleast_1d(trace.text), strict=False):
            axes.annotate(_text(text), (size, position), (3, 0), textcoords="offset points", va="center", fontsize=7)


def _whiskers(axes: Any, error: Any, xy: tuple[Any, Any], direction: str) -> None:
    if error is None or error.array is None:
        return
    high = _values(error.array)
    low = _values(error.arrayminus) if error.arrayminus is not None else high
    colour = _opaque(error.color) if error.color else "#5A626E"
    axes.errorbar(*xy, **{f"{direction}err": [np.abs(low), np.abs(high)]}, fmt="none", ecolor=colour, elinewidth=1.2)


def _points(axes: Any, trace: Any, chart: Any, stack: Any) -> None:
    x, y = _values(trace.x), _values(trace.y)
    mode, label = trace.mode or "lines", _text(trace.name or "")
    line = _opaque(trace.line.color) if trace.line.color else _opaque(trace.marker.color)
    alpha = _colour(trace.line.color)[1] if isinstance(trace.line.color, str) else 1.0
    if trace.fill in ("toself", "tozeroy", "tonexty") and trace.fillcolor:
        fill, faint = _colour(trace.fillcolor)
        if trace.fill == "toself":
            axes.fill(x, y, color=fill, alpha=faint, linewidth=0)
        else:
            axes.fill_between(x, y, color=fill, alpha=faint, linewidth=0)
    if "lines" in mode and (trace.line.width is None or trace.line.width > 0):
        steps = {"hv": "steps-post", "vh": "steps-pre"}.get(trace.line.shape or "", "default")
        axes.plot(
            x, y, color=line, alpha=alpha, linewidth=0.7 * (trace.line.width or 2), drawstyle=steps,
            linestyle=DASHES.get(trace.line.dash or "", "-"), label=label if trace.showlegend is not False else "",
        )  # fmt: skip
    if "markers" in mode:
        sizes = _values(trace.marker.size) if _is_list(trace.marker.size) else trace.marker.size or 6
        colours: Any = trace.marker.color
        many = _is_list(colours)
        shown = (
            [_colour(c)[0] for c in colours]
            if many and isinstance(colours[0], str)
            else colours
            if many
            else _opaque(colours)
        )
        symbol = trace.marker.symbol if isinstance(trace.marker.symbol, str) else "circle"
        hollow = symbol.endswith("-open") and not symbol.startswith("line")
        axes.scatter(
            x, y, s=np.square(np.asarray(sizes, float)) * 0.6, marker=MARKS.get(symbol.removesuffix("-open"), "o"),
            label=label if trace.showlegend is not False and "lines" not in mode else "",
            alpha=trace.marker.opacity if isinstance(trace.marker.opacity, int | float) else 1.0,
            **({"facecolors": "none", "edgecolors": shown} if hollow else {"c": shown, "linewidths": 0}),
        )  # fmt: skip
    for direction, error in (("x", trace.error_x), ("y", trace.error_y)):
        _whiskers(axes, error, (x, y), direction)
    if "text" in mode and trace.text is not None:
        for a, b, text in zip(x, y, np.atleast_1d(trace.text), strict=False):
            axes.annotate(_text(text), (a, b), (4, 4), textcoords="offset points", fontsize=7)


def _heat(axes: Any, trace: Any, chart: Any, stack: Any) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    z = np.array(trace.z, dtype=float)
    x = _values(trace.x) if trace.x is not None else np.arange(z.shape[1])
    y = _values(trace.y) if trace.y is not None else np.arange(z.shape[0])
    scale = [(float(fraction), _colour(colour)[0]) for fraction, colour in trace.colorscale]
    shades = LinearSegmentedColormap.from_list("of the figure", scale).with_extremes(bad="none")
    mesh = axes.pcolormesh(
        _edges(x), _edges(y), np.ma.masked_invalid(z), cmap=shades, vmin=trace.zmin, vmax=trace.zmax, linewidth=0
    )
    mesh.set_rasterized(z.size > 2000)
    if trace.showscale is not False:
        axes.figure.colorbar(mesh, ax=axes, shrink=0.7, pad=0.02).outline.set_visible(False)
    if trace.texttemplate and z.size <= 400:
        low, high = np.nanmin(z), np.nanmax(z)
        for i, row in enumerate(z):
            for j, value in enumerate(row):
                text = _value_text(trace, i, j, value)
                dark = abs(value - (0 if trace.zmin == -1 else low)) > 0.6 * max(high - low, 1e-12) / (
                    1 + (trace.zmin == -1)
                )
                axes.text(x[j], y[i], text, ha="center", va="center", fontsize=7, color="white" if dark else "#1B2430")


def _value_text(trace: Any, i: int, j: int, value: float) -> str:
    if not np.isfinite(value):
        return ""
    if "%{text" in trace.texttemplate and trace.text is not None:
        text = np.asarray(trace.text)[i][j]
        return f"{text:,}" if isinstance(text, int | float | np.integer | np.floating) else _text(text)
    spec = re.search(r"%\{z:([^}]+)\}", trace.texttemplate)
    return format(value, spec[1]) if spec else f"{value:.3g}"


def _box(axes: Any, trace: Any, chart: Any, stack: Any) -> None:
    horizontal = trace.orientation == "h"
    positions = _values(trace.y if horizontal else trace.x)
    values = [_values(v) for v in (trace.lowerfence, trace.q1, trace.median, trace.q3, trace.upperfence)]
    stats = [
        {"whislo": low, "q1": q1, "med": median, "q3": q3, "whishi": high, "fliers": []}
        for low, q1, median, q3, high in zip(*values, strict=True)
    ]
    colour = _opaque(trace.marker.color)
    line = {"color": colour, "linewidth": 1.2}
    axes.bxp(
        stats, positions=positions, widths=trace.width or 0.5, orientation="horizontal" if horizontal else "vertical",
        showfliers=False, boxprops=line, whiskerprops=line, capprops=line, medianprops=line, manage_ticks=False,
    )  # fmt: skip


TRACES: dict[str, Callable[[Any, Any, Any, Any], None]] = {
    "bar": _bar,
    "scatter": _points,
    "scattergl": _points,
    "heatmap": _heat,
    "box": _box,
}


# values ---------------------------------------------------------------------------------------------------------------


def _has_timestamps(values: Any) -> bool:
    array = np.asarray(values)
    if array.dtype.kind == "U" and array.size > 0:
        try:
            array.astype("datetime64[us]")
        except ValueError:
            raise NotApplicable(
                f"Texts such as {array.flat[0]!r} cannot be positions in print; put them on with category_axis."
            ) from None
        return True
    return array.dtype.kind == "M"


def _values(values: Any) -> Any:
    """Numbers for matplotlib; timestamps as days."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = np.array([np.nan if v is None else v for v in array])
    if array.dtype.kind in "MU":
        return array.astype("datetime64[us]").astype("int64") / 86_400e6  # days since 1970, as in matplotlib
    return array.astype(float)


def _number(value: Any) -> float:
    return float(_values([value])[0])


def _edges(centres: Any) -> Any:
    """Edges of the rectangles of a heat map, from their centres."""
    if len(centres) < 2:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    half = np.diff(centres) / 2
    return np.concatenate([[centres[0] - half[0]], centres[:-1] + half, [centres[-1] + half[-1]]])


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def _opaque(colour: Any) -> str:
    return _colour(colour)[0] if isinstance(colour, str) else "#2F5FD0"


def _colour(colour: Any) -> tuple[str, float]:
    """A colour for matplotlib, and its opacity."""
    if not isinstance(colour, str):
        return "#2F5FD0", 1.0
    match = RGBA.fullmatch(colour.strip())
    if match is None:
        return colour, 1.0
    red, green, blue, *alpha = (float(v) for v in match[1].split(","))
    return f"#{int(red):02X}{int(green):02X}{int(blue):02X}", alpha[0] if alpha else 1.0


def _text(text: object) -> str:
    """Plotly's HTML tags as plain text."""
    return html.unescape(re.sub(r"</?(?:b|i|br|sup|sub|span)[^<>]*>", " ", str(text))).strip()
