"""Charts, tables, choices and help as every page shows them. Every data-derived string is escaped here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
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


# results --------------------------------------------------------------------------------------------------------------


def show(make: Callable[[], Result], key: str, *, chart: bool = True) -> None:
    """A result: picture, sentence, and a quiet row of table, help and download; or why there is none."""
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
        st.plotly_chart(
            figure,
            key=f"chart-{key}",
            theme="streamlit",
            width="stretch",
            config={
                "displaylogo": False,
                "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
                "toImageButtonOptions": {"format": "png", "scale": 2, "filename": key},
            },
            alt=result.sentence()[:300],
        )
    st.markdown(escape(result.sentence()))
    quiet_row(result, key)


def quiet_row(result: Result, key: str) -> None:
    """Table, help, download."""
    with st.container(horizontal=True, gap="small"):
        with st.popover("Table", type="tertiary", icon=":material/table_chart:"):
            st.dataframe(
                result.frame(),
                hide_index=True,
                key=f"table-{key}",
                height="content" if len(result.frame()) < 12 else 420,
            )
        with st.popover("Help", type="tertiary", icon=":material/help:"):
            help_card(result.help)
        st.download_button(
            "CSV",
            data=lambda: csv(result.frame()),
            file_name=f"{key}.csv",
            mime="text/csv",
            type="tertiary",
            icon=":material/download:",
            key=f"csv-{key}",
            on_click="ignore",
        )


def help_card(card: Help) -> None:
    """The same four parts everywhere."""
    for title, text in (
        ("What it is", card.what),
        ("How to read it", card.read),
        ("When it misleads", card.misleads),
        ("What to do", card.do),
    ):
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
