"""Parts of the Explore page: the filters, and the charts of each view."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from mlcore import explore
from mlcore.data.filters import Filter, added, from_text, operators_for, to_text
from mlcore.errors import HoldoutError
from mlcore.explore import PairPlotOptions, PlotOptions, View
from mlcore.explore.bivariate import shapes as shapes_of_two
from mlcore.explore.multivariate import METHODS, MOST_AXES, MOST_PAIRED
from mlcore.explore.profile import Profile, summary
from mlcore.explore.selection import conditions, is_selectable
from mlcore.explore.shapes import Shape
from mlcore.explore.univariate import shapes as shapes_of_one
from mlcore.explore.view import is_continuous
from mlcore.result import Result
from mlcore.wording import number
from ui import cached, filter_form, shell
from ui.data.columns import profiled
from ui.state import session
from ui.widgets import error_box, escape, key_of, multiselect, select, show, slider, tabs, toggle

NONE = "— nothing —"
PARAMETER = "f"
MOST_OPTIONS = 200
FEW_COLUMNS = 10
SEARCHED = 300  # above this number of columns, names are searched first


def view() -> View:
    """The filtered rows, without the holdout once a target is chosen."""
    return View(cached.training() or shell.dataset(), session().filters)


def held_out(rows: View) -> None:
    """How many rows are shown, and that the holdout is not among them."""
    everything = shell.dataset().rows
    if rows.dataset.rows < everything:
        st.caption(
            f"{number(rows.dataset.rows)} of {number(everything)} rows: the other "
            f"{number(everything - rows.dataset.rows)} are the holdout, and are not shown before it is opened."
        )


# conditions -----------------------------------------------------------------------------------------------------------


def from_address() -> None:
    """Read conditions from the address, once; afterwards the address follows the page."""
    current = session()
    address = st.query_params.get(PARAMETER)
    if address is not None and st.session_state.get("address-read") != address:
        current.set_filters(from_text(address, current.needed_schema()))
    text = to_text(current.filters) if current.filters else ""
    st.session_state["address-read"] = text or None
    if text and address != text:
        st.query_params[PARAMETER] = text
    elif not text and address is not None:
        del st.query_params[PARAMETER]


def bar(rows: View) -> None:
    """The conditions as chips, with buttons to add one, to undo, and to remove all."""
    current = session()
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="filters"):
        for i, condition in enumerate(current.filters):
            st.button(
                escape(condition.words(), 80),
                icon=":material/close:",
                icon_position="right",
                key=f"chip-{key_of(i, condition)}",
                help="Remove this condition",
                on_click=current.set_filters,
                args=((*current.filters[:i], *current.filters[i + 1 :]),),
            )
        with st.popover("Filter rows", icon=":material/filter_alt:", type="tertiary"):
            _new_condition(rows)
        if current.past_filters:
            st.button("Undo", icon=":material/undo:", type="tertiary", key="look-back", on_click=current.undo_filters)
        if current.filters:
            st.button("Show all rows", type="tertiary", key="look-at-all", on_click=current.set_filters, args=((),))
            st.caption(f"{number(rows.rows)} of {number(rows.dataset.rows)} rows")
    problem = st.session_state.pop("filter-problem", None)
    if problem is not None:
        error_box(problem)


def _new_condition(rows: View) -> None:
    """Column, comparison, value."""
    name = column_pick("filter.column", "Column", rows, rows.schema.names, explore.default_pair(rows)[0])
    column = rows.schema[name]
    operators = {o.name: o.words for o in operators_for(column)}
    operator = select("filter.operator", "Condition", list(operators), text=operators.__getitem__)
    values = filter_form.values(rows.dataset, column, operator, "filter")
    st.button(
        "Add condition",
        type="primary",
        key="add-condition",
        disabled=values is None,
        on_click=_add,
        args=((Filter(name, operator, tuple(values or ())),),),
    )


def _add(new: tuple[Filter, ...]) -> None:
    current = session()
    try:
        current.set_filters(added(current.filters, new, current.needed_schema()))
    except HoldoutError as error:
        st.session_state["filter-problem"] = error


def selected_range(result: Result, selection: dict[str, Any]) -> None:
    """Turn a selection on a chart into conditions for all charts."""
    if is_selectable(result) and (new := conditions(result, selection)):
        _add(new)


def _draw(name: str, rows: View, make: Callable[[View], Any], *parameters: Any) -> None:
    """A chart of these rows, with selection."""
    key = f"{name}-{key_of(rows.dataset.fingerprint, to_text(rows.filters), *parameters)}"
    show(lambda: cached.look(name, rows, lambda: make(rows), *parameters), key, on_mark=selected_range)


def column_pick(name: str, label: str, rows: View, names: list[str], default: str | None = None) -> str:
    """A select box of columns; with very many, a search box narrows them."""
    if len(names) > SEARCHED:
        saved = session().choices.get(name, default or names[0])
        query = st.text_input(f"Search {len(names):,} columns", key=f"search-{name}").casefold()
        matches = [n for n in names if query in n.casefold()][:MOST_OPTIONS]
        names = list(dict.fromkeys([*matches, *([saved] if saved in rows.schema else [])])) or names[:1]
    return str(select(name, label, names, default))


# views ----------------------------------------------------------------------------------------------------------------


def table(rows: View) -> None:
    """One row per column; a click opens the column."""
    profile = _summary(rows)
    st.markdown(escape(profile.sentence()))
    frame = profile.frame()
    query = ""
    if len(frame) > FEW_COLUMNS:
        query = st.text_input(
            "Search columns", key="summary-search", placeholder="part of a name, or a kind", width=320
        ).casefold()
    if query:
        matches = frame["name"].str.casefold().str.contains(query, regex=False) | (frame["kind"] == query)
        frame = frame[matches]
    estimates = {c.name for c in profile.columns if c.estimated}
    frame["distinct"] = [
        f"≈ {d:,}" if n in estimates else f"{d:,}" for n, d in zip(frame["name"], frame["distinct"], strict=True)
    ]
    event = st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) < 16 else 560,
        key=f"summary-{key_of(rows.dataset.fingerprint, to_text(rows.filters), query)}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "name": st.column_config.TextColumn("column", pinned=True),
            "missing": st.column_config.NumberColumn(format="localized"),
            "distinct": st.column_config.TextColumn(alignment="right"),
            "typical": st.column_config.TextColumn(width="medium"),
            "spread": st.column_config.TextColumn("range, or most common values", width="medium"),
            "distribution": st.column_config.BarChartColumn(y_min=0),
        },
    )
    positions = event["selection"]["rows"]
    if positions and positions[0] < len(frame):
        name = str(frame["name"].iloc[positions[0]])
        st.subheader(escape(name, 80))
        options = PlotOptions(explore.default_split(rows) if name != explore.default_split(rows) else None)
        _draw("one", rows, lambda rows: explore.one(rows, name, options), name, options)
    else:
        st.caption("Select a row to see the whole column.")


def _summary(rows: View) -> Profile:
    whole = shell.dataset()
    if not rows.filters and rows.dataset.rows == whole.rows:
        return profiled(whole)
    profile: Profile = cached.look("table", rows, lambda: summary(rows))
    return profile


def _shape(name: str, shapes: list[Shape]) -> str:
    """The kind of chart; remembered per set of options, so that another kind of column starts with its best."""
    titles = {s.name: s.title for s in shapes}
    return str(select(f"{name}.{'-'.join(titles)}", "Chart", list(titles), text=titles.__getitem__))


def one(rows: View) -> None:
    """One column."""
    chart, controls = st.columns([3, 1], gap="large")
    with controls:
        name = column_pick("explore.column", "Column", rows, rows.schema.names, explore.default_pair(rows)[0])
        column = rows.schema[name]
        shape = _shape("explore.shape", shapes_of_one(column))
        by = select("explore.by", "Split by", [NONE, *explore.splits(rows)], explore.default_split(rows) or NONE)
        numbers = is_continuous(column) and shape == "histogram"
        bins = slider("explore.bins", "Bins", 5, 100, 30, 5) if shape in ("histogram", "lengths") else 30
        log = toggle("explore.log", "Log scale (bins of equal ratio)") if numbers else False
        density = (
            toggle("explore.density", "Proportions per group") if shape in ("histogram", "bars", "lengths") else False
        )
    options = PlotOptions(None if by in (NONE, name) else by, bins, log, density, shape)
    with chart:
        _draw("one", rows, lambda rows: explore.one(rows, name, options), name, options)


def two(rows: View) -> None:
    """Two columns."""
    chart, controls = st.columns([3, 1], gap="large")
    first, second = explore.default_pair(rows)
    with controls:
        x = column_pick("explore.x", "X axis", rows, rows.schema.names, first)
        y = column_pick("explore.y", "Y axis", rows, rows.schema.names, second)
        shape = _shape("explore.pairing", shapes_of_two(rows, x, y))
        by, proportions = NONE, False
        if shape in ("points", "course"):
            by = select(
                "explore.colour", "Colour by", [NONE, *explore.splits(rows)], explore.default_split(rows) or NONE
            )
        if shape == "counts":
            proportions = toggle("explore.shares", "Proportions within each column")
    options = PairPlotOptions(None if by == NONE else by, shape, proportions)
    with chart:
        _draw("two", rows, lambda rows: explore.relation(rows, x, y, how=options), x, y, options)


def _matrix(rows: View) -> None:
    labels = {"association": "All columns", "pearson": "Numeric, Pearson", "spearman": "Numeric, Spearman"}
    method = select("explore.method", "Association", list(METHODS), text=labels.__getitem__, width=260)
    _draw("matrix", rows, lambda rows: explore.correlations(rows, method), method)


def _with_target(rows: View) -> None:
    target = session().target
    _draw("ranked", rows, lambda rows: explore.with_target(rows, target), target)


def _pick_columns(rows: View, name: str, most: int, numbers: bool) -> tuple[list[str], str | None]:
    options = [
        c.name for c in rows.schema if c.distinct > 1 and (is_continuous(c) or (not numbers and c.distinct <= 50))
    ]
    options = options[: SEARCHED * 2]
    left, right = st.columns([3, 1])
    with left:
        default = [n for n in explore.default_many(rows, min(most, 4)) if n in options]
        names = multiselect(name, "Columns", options, default, max_selections=most)
    with right:
        by = select("explore.colour", "Colour by", [NONE, *explore.splits(rows)], explore.default_split(rows) or NONE)
    return names, None if by == NONE else by


def _pairs(rows: View) -> None:
    names, by = _pick_columns(rows, "explore.pairs", MOST_PAIRED, numbers=True)
    _draw("pairs", rows, lambda rows: explore.pairs(rows, names, by), *names, by)


def _parallel(rows: View) -> None:
    names, by = _pick_columns(rows, "explore.lines", MOST_AXES, numbers=False)
    _draw("parallel", rows, lambda rows: explore.parallel(rows, names, by), *names, by)


MANY = {
    "Associations": _matrix,
    "With the target": _with_target,
    "Pairs": _pairs,
    "Parallel coordinates": _parallel,
}


def many(rows: View) -> None:
    """Many columns."""
    tabs("explore.many", MANY, rows)


MISSING = {
    "By column": partial(_draw, "missing", make=explore.missing),
    "Along the rows": partial(_draw, "missing-map", make=explore.missingness_map),
    "In combination": partial(_draw, "patterns", make=explore.patterns),
}


def missing(rows: View) -> None:
    """Missing values."""
    tabs("explore.missing", MISSING, rows)
