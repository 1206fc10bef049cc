"""The Explore page's parts: the conditions, and one picture for each way to look."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore import explore
from mlcore.errors import HoldoutError
from mlcore.explore import Look, Pairing, View
from mlcore.explore.brush import can_be_brushed, conditions
from mlcore.explore.many import METHODS, MOST_AXES, MOST_PAIRED
from mlcore.explore.one import Shape
from mlcore.explore.one import shapes as shapes_of_one
from mlcore.explore.two import shapes as shapes_of_two
from mlcore.explore.view import is_continuous
from mlcore.filters import Filter, added, from_text, operators_for, to_text
from mlcore.profile import Profile, summary
from mlcore.result import Result, number
from ui import cached, condition, shell
from ui.columns import profiled
from ui.state import session
from ui.widgets import escape, key_of, pick, several_of, show, slide, switch, toggle, trouble

NONE = "— nothing —"
PARAMETER = "f"
MOST_OPTIONS = 200
FEW_COLUMNS = 10
SEARCHED = 300  # columns beyond which a list of names is searched first


def view() -> View:
    """The rows that are looked at."""
    return View(shell.dataset(), session().filters)


# conditions -----------------------------------------------------------------------------------------------------------


def from_address() -> None:
    """Conditions that came with the address, once; afterwards the address follows the page."""
    current = session()
    given = st.query_params.get(PARAMETER)
    if given is not None and st.session_state.get("address-read") != given:
        current.look_at(from_text(given, current.needed_schema()))
    text = to_text(current.filters) if current.filters else ""
    st.session_state["address-read"] = text or None
    if text and given != text:
        st.query_params[PARAMETER] = text
    elif not text and given is not None:
        del st.query_params[PARAMETER]


def bar(rows: View) -> None:
    """Chips of the conditions, a way to add one, to undo, to take all away."""
    current = session()
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="filters"):
        for i, condition in enumerate(current.filters):
            st.button(
                escape(condition.words(), 80),
                icon=":material/close:",
                icon_position="right",
                key=f"chip-{key_of(i, condition)}",
                help="Take this condition away",
                on_click=current.look_at,
                args=((*current.filters[:i], *current.filters[i + 1 :]),),
            )
        with st.popover("Filter rows", icon=":material/filter_alt:", type="tertiary"):
            _new_condition(rows)
        if current.past_filters:
            st.button("Undo", icon=":material/undo:", type="tertiary", key="look-back", on_click=current.look_back)
        if current.filters:
            st.button("Show all rows", type="tertiary", key="look-at-all", on_click=current.look_at, args=((),))
            st.caption(f"{number(rows.rows)} of {number(rows.dataset.rows)} rows")
    problem = st.session_state.pop("filter-problem", None)
    if problem is not None:
        trouble(problem)


def _new_condition(rows: View) -> None:
    """Column, comparison, value."""
    name = column_pick("filter.column", "Column", rows, rows.schema.names, explore.default_pair(rows)[0])
    column = rows.schema[name]
    offered = {o.name: o.words for o in operators_for(column)}
    operator = pick("filter.operator", "Condition", list(offered), text=offered.__getitem__)
    values = condition.values(rows.dataset, column, operator, "filter")
    st.button(
        "Add this condition",
        type="primary",
        key="add-condition",
        disabled=values is None,
        on_click=_add,
        args=((Filter(name, operator, tuple(values or ())),),),
    )


def _add(new: tuple[Filter, ...]) -> None:
    current = session()
    try:
        current.look_at(added(current.filters, new, current.needed_schema()))
    except HoldoutError as error:
        st.session_state["filter-problem"] = error


def brushed(result: Result, selection: dict[str, Any]) -> None:
    """What was marked on a picture becomes conditions for all of them."""
    if can_be_brushed(result) and (new := conditions(result, selection)):
        _add(new)


def _draw(name: str, rows: View, make: Any, *parameters: Any) -> None:
    """A picture of these rows that can be marked."""
    key = f"{name}-{key_of(rows.dataset.fingerprint, to_text(rows.filters), *parameters)}"
    show(lambda: cached.look(name, rows, make, *parameters), key, brush=brushed)


def column_pick(name: str, label: str, rows: View, names: list[str], default: str | None = None) -> str:
    """A box of columns; of very many, those that a search finds."""
    if len(names) > SEARCHED:
        saved = session().choices.get(name, default or names[0])
        sought = st.text_input(f"Search {len(names):,} columns", key=f"search-{name}").casefold()
        found = [n for n in names if sought in n.casefold()][:MOST_OPTIONS]
        names = list(dict.fromkeys([*found, *([saved] if saved in rows.schema else [])])) or names[:1]
    return str(pick(name, label, names, default))


# ways to look ---------------------------------------------------------------------------------------------------------


def table(rows: View) -> None:
    """All columns, a line each; a click opens one."""
    found = _summary(rows)
    st.markdown(escape(found.sentence()))
    frame = found.frame()
    sought = ""
    if len(frame) > FEW_COLUMNS:
        sought = st.text_input(
            "Search columns", key="summary-search", placeholder="part of a name, or a kind", width=320
        ).casefold()
    if sought:
        hit = frame["name"].str.casefold().str.contains(sought, regex=False) | (frame["kind"] == sought)
        frame = frame[hit]
    about = {c.name for c in found.columns if c.estimated}
    frame["distinct"] = [
        f"≈ {d:,}" if n in about else f"{d:,}" for n, d in zip(frame["name"], frame["distinct"], strict=True)
    ]
    marked = st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) < 16 else 560,
        key=f"summary-{key_of(rows.dataset.fingerprint, to_text(rows.filters), sought)}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "name": st.column_config.TextColumn("column", pinned=True),
            "missing": st.column_config.NumberColumn(format="localized"),
            "distinct": st.column_config.TextColumn(alignment="right"),
            "typical": st.column_config.TextColumn(width="medium"),
            "spread": st.column_config.TextColumn("range, or the most common", width="medium"),
            "distribution": st.column_config.BarChartColumn(y_min=0),
        },
    )
    chosen = marked["selection"]["rows"]
    if chosen and chosen[0] < len(frame):
        name = str(frame["name"].iloc[chosen[0]])
        st.subheader(escape(name, 80))
        look = Look(explore.default_split(rows) if name != explore.default_split(rows) else None)
        _draw("one", rows, lambda: explore.one(rows, name, look), name, look)
    else:
        st.caption("Mark a line to see the column whole.")


def _summary(rows: View) -> Profile:
    if not rows.filters:
        return profiled(rows.dataset)
    part: Profile = cached.look("table", rows, lambda: summary(rows))
    return part


def _shape(name: str, offered: list[Shape]) -> str:
    """Which picture; remembered for each set that is offered, so that another kind of column begins with its best."""
    titles = {s.name: s.title for s in offered}
    return str(pick(f"{name}.{'-'.join(titles)}", "Picture", list(titles), text=titles.__getitem__))


def one(rows: View) -> None:
    """One column."""
    picture, controls = st.columns([3, 1], gap="large")
    with controls:
        name = column_pick("explore.column", "Column", rows, rows.schema.names, explore.default_pair(rows)[0])
        column = rows.schema[name]
        shape = _shape("explore.shape", shapes_of_one(column))
        by = pick("explore.by", "Split by", [NONE, *explore.splits(rows)], explore.default_split(rows) or NONE)
        numbers = is_continuous(column) and shape == "histogram"
        bins = slide("explore.bins", "Bins", 5, 100, 30, 5) if shape in ("histogram", "lengths") else 30
        log = toggle("explore.log", "Ranges of equal ratio (log scale)") if numbers else False
        density = (
            toggle("explore.density", "Shares of each group") if shape in ("histogram", "bars", "lengths") else False
        )
    look = Look(None if by in (NONE, name) else by, bins, log, density, shape)
    with picture:
        _draw("one", rows, lambda: explore.one(rows, name, look), name, look)


def two(rows: View) -> None:
    """Two columns."""
    picture, controls = st.columns([3, 1], gap="large")
    first, second = explore.default_pair(rows)
    with controls:
        x = column_pick("explore.x", "Across", rows, rows.schema.names, first)
        y = column_pick("explore.y", "Up", rows, rows.schema.names, second)
        shape = _shape("explore.pairing", shapes_of_two(rows, x, y))
        by, shares = NONE, False
        if shape in ("points", "course"):
            by = pick("explore.colour", "Colour by", [NONE, *explore.splits(rows)], explore.default_split(rows) or NONE)
        if shape == "counts":
            shares = toggle("explore.shares", "Shares within each column")
    how = Pairing(None if by == NONE else by, shape, shares)
    with picture:
        _draw("two", rows, lambda: explore.relation(rows, x, y, how=how), x, y, how)


MANY = ["Associations", "With the target", "Pairs", "Parallel lines"]


def many(rows: View) -> None:
    """Many columns."""
    {"Associations": _matrix, "With the target": _ranked, "Pairs": _pairs, "Parallel lines": _lines}[
        switch("explore.many", "Picture", MANY)
    ](rows)


def _matrix(rows: View) -> None:
    words = {"association": "All columns", "pearson": "Numbers, Pearson", "spearman": "Numbers, Spearman"}
    method = pick("explore.method", "Association", list(METHODS), text=words.__getitem__, width=260)
    _draw("matrix", rows, lambda: explore.correlations(rows, method), method)


def _ranked(rows: View) -> None:
    target = session().target
    _draw("ranked", rows, lambda: explore.with_target(rows, target), target)


def _few(rows: View, name: str, most: int, numbers: bool) -> tuple[list[str], str | None]:
    options = [
        c.name for c in rows.schema if c.distinct > 1 and (is_continuous(c) or (not numbers and c.distinct <= 50))
    ]
    options = options[: SEARCHED * 2]
    left, right = st.columns([3, 1])
    with left:
        default = [n for n in explore.default_many(rows, min(most, 4)) if n in options]
        names = several_of(name, "Columns", options, default, max_selections=most)
    with right:
        by = pick("explore.colour", "Colour by", [NONE, *explore.splits(rows)], explore.default_split(rows) or NONE)
    return names, None if by == NONE else by


def _pairs(rows: View) -> None:
    names, by = _few(rows, "explore.pairs", MOST_PAIRED, numbers=True)
    _draw("pairs", rows, lambda: explore.pairs(rows, names, by), *names, by)


def _lines(rows: View) -> None:
    names, by = _few(rows, "explore.lines", MOST_AXES, numbers=False)
    _draw("parallel", rows, lambda: explore.parallel(rows, names, by), *names, by)


GAPS = {
    "By column": ("missing", explore.missing),
    "Along the file": ("gap-map", explore.gap_map),
    "Together": ("patterns", explore.patterns),
}


def gaps(rows: View) -> None:
    """Missing cells."""
    name, make = GAPS[switch("explore.gaps", "Picture", list(GAPS))]
    _draw(name, rows, lambda: make(rows))
