"""Any chart for paper: PNG, SVG or PDF, drawn by matplotlib in a quiet style of seaborn's.

What is drawn is the plotly figure of the result itself, translated mark by mark, so that paper and screen cannot differ
and a new chart needs nothing here. No pyplot, so no global state: figures of two people never meet.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from mlcore.errors import BadChoice
from mlcore.result import Result, shortened

FORMATS = ("png", "svg", "pdf")
WIDTH, HEIGHT = 6.4, 4.0  # inches: the width of a text column
PIXELS = 96  # of an inch, as the screen counts
RGBA = re.compile(r"rgba?\(([^)]+)\)")
DASHES = {"dash": "--", "dot": ":", "dashdot": "-."}
MARKS = {"circle": "o", "diamond": "D", "x": "x", "star": "*", "line-ns": "|", "line-ew": "_", "square": "s"}


def printed(result: Result, kind: str, caption: bool = True) -> bytes:
    """A chart as the bytes of a file; `caption` writes its sentence under it. Raises BadChoice, NotApplicable."""
    if kind not in FORMATS:
        raise BadChoice.of("format for paper", kind, FORMATS)
    import seaborn as sns
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = result.figure()
    style = {**sns.axes_style("ticks"), **sns.plotting_context("paper"), "svg.fonttype": "none", "pdf.fonttype": 42}
    style |= {"svg.hashsalt": "holdout", "text.usetex": False, "text.parse_math": False}
    with rc_context(style):
        tall = (drawn.layout.height or 400) / 400
        figure = Figure(figsize=(WIDTH, HEIGHT * max(0.6, min(tall, 2.5))), layout="constrained")
        FigureCanvasAgg(figure)
        _draw_all(figure, drawn)
        for axes in figure.axes:
            sns.despine(ax=axes)
        if caption:
            figure.supxlabel(_wrapped(result.sentence()), fontsize=8, color="#5A626E", ha="left", x=0.02)
        out = io.BytesIO()
        plain: dict[str, dict[str, Any]] = {
            "png": {"dpi": 200},
            "svg": {"metadata": {"Date": None}},
            "pdf": {"metadata": {"CreationDate": None}},
        }
        figure.savefig(out, format=kind, **plain[kind])
    return out.getvalue()


def _wrapped(text: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(shortened(text, 400), 110))


def _draw_all(figure: Any, drawn: Any) -> None:
    """Each pair of plotly axes is an axes here, in the place that its domain says."""
    spaces = list(dict.fromkeys((t.xaxis or "x", t.yaxis or "y") for t in drawn.data))
    columns = sorted({_domain(drawn, x)[0] for x, _ in spaces})
    rows = sorted({_domain(drawn, y)[1] for _, y in spaces}, reverse=True)
    grid = figure.add_gridspec(max(len(rows), 1), max(len(columns), 1)) if spaces else None
    for x, y in spaces or [("x", "y")]:
        at = (rows.index(_domain(drawn, y)[1]), columns.index(_domain(drawn, x)[0])) if spaces else (0, 0)
        axes = figure.add_subplot(grid[at] if grid is not None else 111)
        traces = [t for t in drawn.data if (t.xaxis or "x", t.yaxis or "y") == (x, y)]
        _draw_axes(axes, drawn, traces, (x, y))


def _domain(drawn: Any, axis: str) -> tuple[float, float]:
    found = _axis(drawn, axis).domain
    return (round(float(found[0]), 3), round(float(found[1]), 3)) if found else (0.0, 1.0)


def _axis(drawn: Any, axis: str) -> Any:
    return drawn.layout[f"{axis[0]}axis{axis[1:]}"]


def _draw_axes(axes: Any, drawn: Any, traces: list[Any], names: tuple[str, str]) -> None:
    import matplotlib.dates as md

    stack: dict[bool, dict[float, float]] = {True: {}, False: {}}
    for trace in traces:
        if trace.visible is False or trace.visible == "legendonly":
            continue
        draw = TRACES.get(trace.type)
        if draw is not None:
            draw(axes, trace, drawn, stack)
    for axis, values in ((axes.xaxis, [t.x for t in traces]), (axes.yaxis, [t.y for t in traces])):
        if any(v is not None and _is_moments(v) for v in values):
            locator = md.AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
            axis.set_major_locator(locator)
            axis.set_major_formatter(md.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    _dress(axes, drawn, names)
    handles, labels = axes.get_legend_handles_labels()
    if drawn.layout.showlegend is not False and len(set(labels)) > 1:
        shown = dict(zip(labels, handles, strict=True))
        axes.legend(shown.values(), shown.keys(), frameon=False, fontsize=8, loc="best", ncols=1 + len(shown) // 6)


def _dress(axes: Any, drawn: Any, names: tuple[str, str]) -> None:
    """Titles, ranges, ticks, notes, and references that are drawn as shapes."""
    for which, name in zip("xy", names, strict=True):
        plotly = _axis(drawn, name)
        title = _text(plotly.title.text or "")
        (axes.set_xlabel if which == "x" else axes.set_ylabel)(title, fontsize=9)
        _ticks(axes, which, plotly)
        _range(axes, which, plotly)
    for note in drawn.layout.annotations or ():
        if note.text and note.xref in (None, "x") and note.yref in (None, "y") and not note.showarrow:
            axes.text(_number(note.x), _number(note.y), _text(note.text), fontsize=7, ha="center", va="center")
    for shape in drawn.layout.shapes or ():
        _reference(axes, shape)


def _ticks(axes: Any, which: str, plotly: Any) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    if plotly.tickvals is not None and plotly.ticktext is not None:
        axis.set_ticks([float(v) for v in plotly.tickvals], [_text(shortened(t, 22)) for t in plotly.ticktext])
        if which == "x" and sum(len(str(t)) for t in plotly.ticktext) > 60:
            axes.tick_params(axis="x", rotation=45)
    elif plotly.showticklabels is False:
        axis.set_ticks([])
    elif plotly.tickformat and "%" in plotly.tickformat and "%Y" not in plotly.tickformat:
        from matplotlib.ticker import PercentFormatter

        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _range(axes: Any, which: str, plotly: Any) -> None:
    if plotly.type == "log":
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    if plotly.range is not None:
        low, high = (_number(v) for v in plotly.range)
        if plotly.type == "log":
            low, high = 10**low, 10**high
        (axes.set_xlim if which == "x" else axes.set_ylim)(low, high)
    elif plotly.autorange == "reversed":
        (axes.xaxis if which == "x" else axes.yaxis).set_inverted(True)


def _reference(axes: Any, shape: Any) -> None:
    """A line or band of reference."""
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


def _bar(axes: Any, trace: Any, drawn: Any, stack: dict[bool, dict[float, float]]) -> None:
    across = trace.orientation == "h"
    places, sizes = _values(trace.y if across else trace.x), _values(trace.x if across else trace.y)
    widths: Any = _values(trace.width) if trace.width is not None else None
    moments = _is_moments(trace.y if across else trace.x)
    if widths is not None and moments:
        widths = widths / 86_400_000  # plotly counts milliseconds, matplotlib days
    gap = 1 - (drawn.layout.bargap or 0.1)
    widths = np.full(len(places), gap) if widths is None else np.broadcast_to(widths, places.shape) * 0.98
    base = np.zeros(len(places))
    if drawn.layout.barmode in ("stack", "relative"):
        below = stack[across]
        base = np.array([below.get(float(p), 0.0) for p in places])
        below.update({float(p): float(b + s) for p, b, s in zip(places, base, sizes, strict=True)})
    elif drawn.layout.barmode == "group":
        bars = [t for t in drawn.data if t.type == "bar"]
        widths = widths / max(len(bars), 1)
        places = places + widths * (bars.index(trace) - (len(bars) - 1) / 2)
    if trace.base is not None:
        base = base + np.broadcast_to(_values(trace.base), places.shape)
    fill: Any = [_colour(c)[0] for c in trace.marker.color] if _listed(trace.marker.color) else _of(trace.marker.color)
    alpha = trace.opacity if trace.opacity is not None else 1.0
    draw = axes.barh if across else axes.bar
    error = trace.error_x if across else trace.error_y
    draw(places, sizes, widths, base, color=fill, alpha=alpha, linewidth=0, label=_text(trace.name or ""))
    _whiskers(axes, error, (sizes + base, places) if across else (places, sizes + base), "x" if across else "y")
    if trace.text is not None and across:
        for place, size, text in zip(places, sizes + base, np.atleast_1d(trace.text), strict=False):
            axes.annotate(_text(text), (size, place), (3, 0), textcoords="offset points", va="center", fontsize=7)


def _whiskers(axes: Any, error: Any, at: tuple[Any, Any], which: str) -> None:
    if error is None or error.array is None:
        return
    high = _values(error.array)
    low = _values(error.arrayminus) if error.arrayminus is not None else high
    colour = _of(error.color) if error.color else "#5A626E"
    axes.errorbar(*at, **{f"{which}err": [np.abs(low), np.abs(high)]}, fmt="none", ecolor=colour, elinewidth=1.2)


def _points(axes: Any, trace: Any, drawn: Any, stack: Any) -> None:
    x, y = _values(trace.x), _values(trace.y)
    mode, label = trace.mode or "lines", _text(trace.name or "")
    line = _of(trace.line.color) if trace.line.color else _of(trace.marker.color)
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
        sizes = _values(trace.marker.size) if _listed(trace.marker.size) else trace.marker.size or 6
        colours: Any = trace.marker.color
        many = _listed(colours)
        shown = (
            [_colour(c)[0] for c in colours]
            if many and isinstance(colours[0], str)
            else colours
            if many
            else _of(colours)
        )
        symbol = trace.marker.symbol if isinstance(trace.marker.symbol, str) else "circle"
        hollow = symbol.endswith("-open") and not symbol.startswith("line")
        axes.scatter(
            x, y, s=np.square(np.asarray(sizes, float)) * 0.6, marker=MARKS.get(symbol.removesuffix("-open"), "o"),
            label=label if trace.showlegend is not False and "lines" not in mode else "",
            alpha=trace.marker.opacity if isinstance(trace.marker.opacity, int | float) else 1.0,
            **({"facecolors": "none", "edgecolors": shown} if hollow else {"c": shown, "linewidths": 0}),
        )  # fmt: skip
    for which, error in (("x", trace.error_x), ("y", trace.error_y)):
        _whiskers(axes, error, (x, y), which)
    if "text" in mode and trace.text is not None:
        for a, b, text in zip(x, y, np.atleast_1d(trace.text), strict=False):
            axes.annotate(_text(text), (a, b), (4, 4), textcoords="offset points", fontsize=7)


def _heat(axes: Any, trace: Any, drawn: Any, stack: Any) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    z = np.array(trace.z, dtype=float)
    x = _values(trace.x) if trace.x is not None else np.arange(z.shape[1])
    y = _values(trace.y) if trace.y is not None else np.arange(z.shape[0])
    scale = [(float(at), _colour(colour)[0]) for at, colour in trace.colorscale]
    shades = LinearSegmentedColormap.from_list("of the figure", scale).with_extremes(bad="none")
    mesh = axes.pcolormesh(
        _borders(x), _borders(y), np.ma.masked_invalid(z), cmap=shades, vmin=trace.zmin, vmax=trace.zmax, linewidth=0
    )
    mesh.set_rasterized(z.size > 2000)
    if trace.showscale is not False:
        axes.figure.colorbar(mesh, ax=axes, shrink=0.7, pad=0.02).outline.set_visible(False)
    if trace.texttemplate and z.size <= 400:
        low, high = np.nanmin(z), np.nanmax(z)
        for i, row in enumerate(z):
            for j, value in enumerate(row):
                text = _cell_text(trace, i, j, value)
                dark = abs(value - (0 if trace.zmin == -1 else low)) > 0.6 * max(high - low, 1e-12) / (
                    1 + (trace.zmin == -1)
                )
                axes.text(x[j], y[i], text, ha="center", va="center", fontsize=7, color="white" if dark else "#1B2430")


def _cell_text(trace: Any, i: int, j: int, value: float) -> str:
    if not np.isfinite(value):
        return ""
    if "%{text" in trace.texttemplate and trace.text is not None:
        given = np.asarray(trace.text)[i][j]
        return f"{given:,}" if isinstance(given, int | float | np.integer | np.floating) else _text(given)
    wanted = re.search(r"%\{z:([^}]+)\}", trace.texttemplate)
    return format(value, wanted[1]) if wanted else f"{value:.3g}"


def _box(axes: Any, trace: Any, drawn: Any, stack: Any) -> None:
    across = trace.orientation == "h"
    places = _values(trace.y if across else trace.x)
    five = [_values(v) for v in (trace.lowerfence, trace.q1, trace.median, trace.q3, trace.upperfence)]
    stats = [
        {"whislo": low, "q1": q1, "med": middle, "q3": q3, "whishi": high, "fliers": []}
        for low, q1, middle, q3, high in zip(*five, strict=True)
    ]
    colour = _of(trace.marker.color)
    line = {"color": colour, "linewidth": 1.2}
    axes.bxp(
        stats, positions=places, widths=trace.width or 0.5, orientation="horizontal" if across else "vertical",
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


def _is_moments(values: Any) -> bool:
    found = np.asarray(values)
    return found.dtype.kind == "M" or (found.dtype.kind == "U" and found.size > 0)


def _values(values: Any) -> Any:
    """Numbers for matplotlib; moments become its days."""
    found = np.asarray(values)
    if found.dtype.kind == "O":
        found = np.array([np.nan if v is None else v for v in found])
    if found.dtype.kind in "MU":
        return found.astype("datetime64[us]").astype("int64") / 86_400e6  # days since 1970, as matplotlib counts
    return found.astype(float)


def _number(value: Any) -> float:
    return float(_values([value])[0])


def _borders(middles: Any) -> Any:
    """Borders of cells from their middles."""
    if len(middles) < 2:
        return np.array([middles[0] - 0.5, middles[0] + 0.5])
    half = np.diff(middles) / 2
    return np.concatenate([[middles[0] - half[0]], middles[:-1] + half, [middles[-1] + half[-1]]])


def _listed(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def _of(colour: Any) -> str:
    return _colour(colour)[0] if isinstance(colour, str) else "#2F5FD0"


def _colour(colour: Any) -> tuple[str, float]:
    """A colour as matplotlib takes it, and its opacity."""
    if not isinstance(colour, str):
        return "#2F5FD0", 1.0
    found = RGBA.fullmatch(colour.strip())
    if found is None:
        return colour, 1.0
    red, green, blue, *alpha = (float(v) for v in found[1].split(","))
    return f"#{int(red):02X}{int(green):02X}{int(blue):02X}", alpha[0] if alpha else 1.0


def _text(text: object) -> str:
    """Plotly's little HTML as plain text."""
    return html.unescape(re.sub(r"</?(?:b|i|br|sup|sub|span)[^<>]*>", " ", str(text))).strip()
