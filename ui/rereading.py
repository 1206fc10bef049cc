"""What reading assumed, as a form: every assumption can be changed, and the same bytes are read again."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore import sources
from mlcore.dataset import Dataset, Reading
from mlcore.errors import HoldoutError
from mlcore.ingest.options import ReadOptions
from mlcore.ingest.text import MISSING
from ui.state import session, workspace
from ui.widgets import key_of, trouble

FOUND = "as found"
DELIMITERS = {FOUND: None, "comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "blank": " "}
ENCODINGS = (
    "utf-8", "cp1252", "latin-1", "utf-16", "cp1250", "cp1251", "iso8859-15", "shift_jis", "euc_jp", "gb18030", "big5",
    "euc_kr", "mac_roman",
)  # fmt: skip
HEADERS = {FOUND: None, "names the columns": True, "is data already": False}
DECIMALS = {FOUND: None, "point": ".", "comma": ","}
DATES = {FOUND: None, "day first": "day", "month first": "month"}
QUOTES = {FOUND: None, 'double "': '"', "single '": "'", "none": "none"}
SHORT = {"leave them out": None, "fill them up with missing": "fill"}


def change(data: Dataset) -> None:
    """The way to the form; only where the bytes are still there."""
    if sources.original(data, workspace()) is None:
        return
    with st.popover("Change", icon=":material/tune:", type="tertiary", help="Correct what was assumed, and read again"):
        options = _form(data.reading, key_of(data.fingerprint))
        names = st.multiselect(
            "Columns to keep as they are written", data.schema.names[:2000], key=f"keep-{data.fingerprint}"
        )
        if st.button("Read again", type="primary", key="read-again"):
            try:
                made = ReadOptions(**options, text=tuple(names) or None)
                swap(sources.read_again(data, made, workspace()))
            except HoldoutError as error:
                trouble(error)
                return
            st.rerun()


def swap(data: Dataset) -> None:
    """Take another reading of the data; the target stays where it still can be one."""
    current = session()
    target = current.target
    try:
        current.open(data, target if target in data.schema else None)
    except HoldoutError:
        current.open(data)


def _form(reading: Reading, key: str) -> dict[str, Any]:
    """The options that bear on this format."""
    text = reading.format == "text"
    options: dict[str, Any] = {}
    left, right = st.columns(2)
    with left:
        if text:
            options["delimiter"] = DELIMITERS[_one("Between cells", DELIMITERS, key)]
            options["encoding"] = _encoding(reading, key)
            options["quote"] = QUOTES[_one("Quotes", QUOTES, key)]
        if text or reading.format == "workbook":
            skip = st.number_input(
                "Lines above the table",
                0,
                10_000,
                reading.skip,
                key=f"skip-{key}",
                help="Titles and remarks to pass over",
            )
            options["skip"] = int(skip) if skip != reading.skip else None
        if reading.parts:
            part = st.selectbox(
                "Sheet or file inside", reading.parts, reading.parts.index(reading.part or reading.parts[0]),
                key=f"part-{key}",
            )  # fmt: skip
            options["part"] = part
    with right:
        if text or reading.format == "workbook":
            options["header"] = HEADERS[_one("The first line", HEADERS, key)]
        options["decimal"] = DECIMALS[_one("Decimal mark", DECIMALS, key)]
        options["dates"] = DATES[_one("Dates such as 03/04/2024", DATES, key)]
        if text:
            options["short_rows"] = SHORT[_one("Rows of too few cells", SHORT, key)]
    markers = st.text_input(
        "Texts that stand for a missing cell",
        " ".join(m for m in MISSING if m),
        key=f"missing-{key}",
        help="Parted by blanks; empty cells are always missing",
    )
    given = ("", *markers.split())
    options["missing"] = given if set(given) != set(MISSING) else None
    return options


def _one(label: str, options: dict[str, Any], key: str) -> str:
    return str(st.selectbox(label, list(options), key=f"{label}-{key}"))


def _encoding(reading: Reading, key: str) -> str | None:
    found = f"{FOUND} ({reading.encoding})"
    chosen = st.selectbox("Encoding", [found, *ENCODINGS], key=f"encoding-{key}", accept_new_options=True)
    return None if chosen in (found, None) else str(chosen)
