"""Charts, tables, choices and help as every page shows them. Every data-derived string is escaped here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from mlcore.errors import HoldoutError, NotApplicable
from mlcore.result import Help, Result
from ui.state import session

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=@&])")
_JOINER = "\u2060"  # invisible; it parts what Streamlit would read as a link, an emoji or an address


def escape(text: object, most: int = 4000) -> str:
    """Text that any Markdown-reading Streamlit call shows as it is: no link, no image, no colour, no formula."""
    plain = re.sub(r"(?i)\bwww(?=\.)", "www" + _JOINER, str(text).replace("\r", " ").replace("\n", " "))
    plain = _MARKDOWN.sub(r"\\\1", plain[:most])
    return plain.replace("\\:", "\\:" + _JOINER).replace("\\@", "\\@" + _JOINER).replace("\\-", "\\-" + _JOINER)


def cell(value: object) -> object:
    """A cell of an exported table: a text that a spreadsheet would take for a formula is defused."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def csv(frame: Any) -> bytes:
    """A frame as CSV, safe to open in a spreadsheet."""
    safe = frame.copy()
    for name in safe.columns:
        if safe[name].dtype == object or str(safe[name].dtype) in ("str", "string", "category"):
            safe[name] = safe[name].map(cell)
    safe.columns = [cell(str(c)) for c in safe.columns]
    return bytes(safe.to_csv(index=False).encode("utf-8-sig"))


def trouble(error: HoldoutError) -> None:
    """A quiet box where it happened."""
    st.warning(escape(error))


def key_of(*parts: object) -> str:
    """A widget's key from names of the data, which may hold anything."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).hexdigest()


Brush = Callable[[Result, dict[str, Any]], None]


# results --------------------------------------------------------------------------------------------------------------


def show(
    make: Callable[[], Result], key: str, *, chart: bool = True, brush: Brush | None = None, words: bool = True
) -> None:
    """A result: picture, sentence, and a quiet row of table, help and download; or why there is none.

    With `brush`, what is marked on the picture is given to it. Without `words` nothing is concluded from it yet.
    """
    try:
        result = make()
    except HoldoutError as error:
        trouble(error)
        return
    try:
        figure = result.figure() if chart else None
    except NotApplicable:  # nothing to draw; the sentence says it all
        figure = None
    if figure is not None:
        _chart(figure, result, key, brush)
    if words:
        st.markdown(escape(result.sentence()))
    quiet_row(result, key, chart=figure is not None)


def _chart(figure: Any, result: Result, key: str, brush: Brush | None) -> None:
    marked = f"chart-{key}"
    on_select: Any = "ignore"
    if brush is not None:

        def on_select() -> None:
            brush(result, st.session_state[marked]["selection"])

    if brush is None or figure.layout.dragmode != "select":
        figure.update_layout(dragmode="zoom")
    st.plotly_chart(
        figure,
        key=marked,
        theme="streamlit",
        width="stretch",
        on_select=on_select,
        selection_mode=("points", "box"),
        config={
            "displaylogo": False,
            "modeBarButtonsToRemove": ["lasso2d", "autoScale2d", "toImage"] + ([] if brush else ["select2d"]),
        },
        alt=result.sentence()[:300],
    )


TABLE_WIDTH = 760  # pixels that a table asks for in its popover, which else is as narrow as its words


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
                for kind, mime in PAPER:
                    _download(result, kind, mime, key, partial(_printed, result, kind))
            _download(result, "csv", "text/csv", key, lambda: csv(frame))


PAPER = (("png", "image/png"), ("svg", "image/svg+xml"), ("pdf", "application/pdf"))


def _printed(result: Result, kind: str) -> bytes:
    from mlcore.charts.print import printed

    return printed(result, kind)


def _download(result: Result, kind: str, mime: str, key: str, make: Callable[[], bytes]) -> None:
    """A button whose file is made when it is pressed, and called after what it shows."""
    name = f"{type(result).__name__.lower()}.{kind}"
    st.download_button(
        kind.upper(), data=make, file_name=name, mime=mime, type="tertiary", key=f"get-{kind}-{key}", on_click="ignore"
    )


CARD = ("What it is", "How to read it", "When it misleads", "What to do")


def help_card(card: Help, titles: tuple[str, str, str, str] = CARD) -> None:
    """The same four parts everywhere."""
    for title, text in zip(titles, (card.what, card.read, card.misleads, card.do), strict=True):
        st.markdown(f"**{title}**  \n{escape(text)}")


# choices: what a widget was set to is remembered in the session, so that it survives pages and refreshes --------------


def pick(
    name: str, label: str, options: Sequence[Any], default: Any = None, *, text: Callable[[Any], str] = str, **more: Any
) -> Any:
    """A select box that remembers."""
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


def repick(name: str, options: Sequence[Any], value: Any) -> None:
    """Set a select box that remembers from elsewhere, such as a click in a table; for callbacks."""
    session().choose(name, value)
    st.session_state[f"{name}-{key_of(*options[:50], len(options))}"] = value


def switch(name: str, label: str, options: Sequence[str], **more: Any) -> str:
    """A row of views, one of which is drawn; it remembers."""
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


def slide(name: str, label: str, low: float, high: float, default: float, step: float, **more: Any) -> Any:
    """A slider that remembers."""
    saved = session().choices.get(name, default)
    value = st.slider(label, low, high, saved if low <= saved <= high else default, step, key=name, **more)
    session().choose(name, value)
    return value


def toggle(name: str, label: str) -> bool:
    """A switch that remembers."""
    value = st.toggle(label, bool(session().choices.get(name, False)), key=name)
    session().choose(name, value)
    return value


def several_of(
    name: str,
    label: str,
    options: Sequence[str],
    default: Sequence[str],
    *,
    text: Callable[[str], str] = str,
    **more: Any,
) -> list[str]:
    """A multi-select that remembers."""
    saved = [o for o in session().choices.get(name, default) if o in options]
    value = st.multiselect(
        label, options, saved or list(default), format_func=text, key=f"{name}-{key_of(*options)}", **more
    )
    session().choose(name, list(value))
    return list(value)
