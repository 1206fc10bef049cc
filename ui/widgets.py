"""Charts, tables, inputs and help for all pages. Every string that comes from data is escaped here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import streamlit as st

from mlcore.errors import HoldoutError, NotApplicable
from mlcore.export.tables import csv
from mlcore.result import Help, Result
from mlcore.run import Run
from ui.state import session

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=@&])")
_JOINER = "\u2060"  # invisible; it breaks what Streamlit would read as a link, an emoji or an address


def escape(text: object, most: int = 4000) -> str:
    """Text that Streamlit shows verbatim where it reads Markdown: no link, image, colour or formula."""
    plain = re.sub(r"(?i)\bwww(?=\.)", "www" + _JOINER, str(text).replace("\r", " ").replace("\n", " "))
    plain = _MARKDOWN.sub(r"\\\1", plain[:most])
    return plain.replace("\\:", "\\:" + _JOINER).replace("\\@", "\\@" + _JOINER).replace("\\-", "\\-" + _JOINER)


def error_box(error: HoldoutError) -> None:
    """An error in a quiet box, where it happened."""
    st.warning(escape(error))


def key_of(*parts: object) -> str:
    """A widget key from names in the data, which may contain any character."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).hexdigest()


OnSelect = Callable[[Result, dict[str, Any]], None]


# results --------------------------------------------------------------------------------------------------------------


def show(
    make: Callable[[], Result], key: str, *, chart: bool = True, on_mark: OnSelect | None = None, words: bool = True
) -> None:
    """A result: chart, sentence, and a quiet row of table, help and download; or the reason why there is none.

    `on_mark` receives a selection on the chart. Without `words` the sentence is left out.
    """
    try:
        result = make()
    except HoldoutError as error:
        error_box(error)
        return
    try:
        figure = result.figure() if chart else None
    except NotApplicable:  # nothing to draw; the sentence is enough
        figure = None
    if figure is not None:
        _chart(figure, result, key, on_mark)
    if words:
        st.markdown(escape(result.sentence()))
    quiet_row(result, key, chart=figure is not None)


def _chart(figure: Any, result: Result, key: str, on_mark: OnSelect | None) -> None:
    chart_key = f"chart-{key}"
    on_select: Any = "ignore"
    if on_mark is not None:

        def on_select() -> None:
            on_mark(result, st.session_state[chart_key]["selection"])

    if on_mark is None or figure.layout.dragmode != "select":
        figure.update_layout(dragmode="zoom")
    st.plotly_chart(
        figure,
        key=chart_key,
        theme="streamlit",
        width="stretch",
        on_select=on_select,
        selection_mode=("points", "box"),
        config={
            "displaylogo": False,
            "modeBarButtonsToRemove": ["lasso2d", "autoScale2d", "toImage"] + ([] if on_mark else ["select2d"]),
        },
        alt=result.sentence()[:300],
    )


TABLE_WIDTH = 760  # pixels of a table in its popover, which is otherwise as narrow as its label


def quiet_row(result: Result, key: str, *, chart: bool = True) -> None:
    """Table, help, downloads."""
    with st.container(horizontal=True, gap="small"):
        with st.popover("Table", type="tertiary", icon=":material/table_chart:"):
            frame = result.frame()
            st.dataframe(frame, hide_index=True, key=f"table-{key}", height="content" if len(frame) < 12 else 420,
                         width=TABLE_WIDTH)  # fmt: skip
        with st.popover("Help", type="tertiary", icon=":material/help:"):
            help_card(result.help)
        with st.popover("Download", type="tertiary", icon=":material/download:"):
            if chart:
                for kind, mime in FIGURE_FORMATS:
                    _download(result, kind, mime, key, partial(result.file, kind))
            _download(result, "csv", "text/csv", key, lambda: csv(frame))


FIGURE_FORMATS: tuple[tuple[Literal["png", "svg", "pdf"], str], ...] = (
    ("png", "image/png"), ("svg", "image/svg+xml"), ("pdf", "application/pdf"),
)  # fmt: skip


def _download(result: Result, kind: str, mime: str, key: str, make: Callable[[], bytes]) -> None:
    """A button; its file is made when it is clicked and named after the type of the result."""
    name = f"{type(result).__name__.lower()}.{kind}"
    st.download_button(
        kind.upper(), data=make, file_name=name, mime=mime, type="tertiary", key=f"get-{kind}-{key}", on_click="ignore"
    )


CARD = ("What it is", "How to read it", "When it misleads", "What to do")


def help_card(card: Help, titles: tuple[str, str, str, str] = CARD) -> None:
    """The same four parts everywhere."""
    for title, text in zip(titles, (card.what, card.read, card.misleads, card.do), strict=True):
        st.markdown(f"**{title}**  \n{escape(text)}")


# inputs: the session remembers their values, so that they survive page switches and refreshes ------------------------


def select(
    name: str, label: str, options: Sequence[Any], default: Any = None, *, text: Callable[[Any], str] = str, **more: Any
) -> Any:
    """A select box that remembers its value."""
    saved = session().choices.get(name, default)
    index = options.index(saved) if saved in options else (options.index(default) if default in options else 0)
    value = st.selectbox(
        label,
        options,
        index=index if options else None,
        format_func=text,
        key=f"{name}-{key_of(*options[:50], len(options))}",
        **more,
    )
    session().choose(name, value)
    return value


def set_select(name: str, options: Sequence[Any], value: Any) -> None:
    """Set the value of a `select` from a callback, for example a click in a table."""
    session().choose(name, value)
    st.session_state[f"{name}-{key_of(*options[:50], len(options))}"] = value


def view_switch(name: str, label: str, options: Sequence[str], **more: Any) -> str:
    """A row of view names, to choose one; it remembers its value."""
    saved = session().choices.get(name)
    value = st.segmented_control(
        label,
        options,
        default=saved if saved in options else options[0],
        required=True,
        key=f"{name}-{key_of(*options)}",
        label_visibility="collapsed",
        **more,
    )
    session().choose(name, value)
    return str(value)


def tabs(name: str, views: Mapping[str, Callable[..., None]], *arguments: Any) -> None:
    """A row of views; only the chosen one is computed and drawn, from `arguments`, and it is remembered."""
    views[view_switch(name, "View", list(views))](*arguments)


def slider(name: str, label: str, low: float, high: float, default: float, step: float, **more: Any) -> Any:
    """A slider that remembers its value."""
    saved = session().choices.get(name, default)
    value = st.slider(label, low, high, saved if low <= saved <= high else default, step, key=name, **more)
    session().choose(name, value)
    return value


def toggle(name: str, label: str) -> bool:
    """A switch that remembers its value."""
    value = st.toggle(label, bool(session().choices.get(name, False)), key=name)
    session().choose(name, value)
    return value


def multiselect(
    name: str,
    label: str,
    options: Sequence[str],
    default: Sequence[str],
    *,
    text: Callable[[str], str] = str,
    **more: Any,
) -> list[str]:
    """A multi-select that remembers its values."""
    saved = [o for o in session().choices.get(name, default) if o in options]
    value = st.multiselect(
        label, options, saved or list(default), format_func=text, key=f"{name}-{key_of(*options)}", **more
    )
    session().choose(name, list(value))
    return list(value)


def select_model(name: str, run: Run, label: str = "Model", first: str | None = None) -> str:
    """A select box of the models of a run by title, best first; `first` is chosen at the beginning."""
    ranked = [r.model for r in run.board().rows if r.model in run.predicted()]
    titles = {c.model: c.label for c in run.experiment.candidates}
    first = first or next((m for m in ranked if not run.experiment.candidate(m).is_baseline), None)
    return str(select(name, label, ranked, first, text=titles.__getitem__))
