"""The read options as a form: each can be changed, and the same bytes are read again."""

from __future__ import annotations

from typing import Any

import streamlit as st

from mlcore.data.dataset import Dataset, Reading
from mlcore.errors import HoldoutError
from mlcore.ingest import sources
from mlcore.ingest.markers import MISSING
from mlcore.ingest.options import ReadOptions
from ui.state import session, workspace
from ui.widgets import error_box, key_of

FOUND = "as detected"
DELIMITERS = {
    FOUND: None,
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "pipe": "|",
    "runs of blanks": " ",
    "::": "::",
    "^": "^",
    "~": "~",
}
ENCODINGS = (
    "utf-8", "cp1252", "latin-1", "utf-16", "mac_roman", "cp850", "cp437", "cp1250", "iso8859-2", "cp1251", "koi8_r",
    "cp1253", "cp1254", "iso8859-15", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
HEADERS = {FOUND: None, "contains column names": True, "contains data": False}
DECIMALS = {FOUND: None, "point": ".", "comma": ","}
DATES = {FOUND: None, "day first": "day", "month first": "month"}
QUOTES = {FOUND: None, 'double "': '"', "single '": "'", "none": "none"}
SHORT = {"leave them out": None, "fill with missing values": "fill"}


def change(data: Dataset) -> None:
    """The button for the form; only if the original bytes are still there."""
    if sources.original(data, workspace()) is None:
        return
    with st.popover("Change", icon=":material/tune:", type="tertiary", help="Correct the read options, and read again"):
        options = _form(data.reading, key_of(data.fingerprint))
        names = st.multiselect("Columns to keep as text", data.schema.names[:2000], key=f"keep-{data.fingerprint}")
        if st.button("Read again", type="primary", key="read-again"):
            try:
                read_options = ReadOptions(**options, as_text=tuple(names) or None)
                session().replace_data(sources.read_again(data, read_options, workspace()))
            except HoldoutError as error:
                error_box(error)
                return
            st.rerun()


def choose_subset(data: Dataset) -> None:
    """The sheet of a workbook or the file of an archive, where there are several."""
    reading = data.reading
    if not reading.subsets or sources.original(data, workspace()) is None:
        return
    noun = "Sheet" if reading.format == "workbook" else "File"
    current = reading.subset if reading.subset in reading.subsets else reading.subsets[0]
    choice = st.selectbox(
        f"{noun} ({len(reading.subsets)} in this file)",
        reading.subsets,
        reading.subsets.index(current),
        key=f"subset-{key_of(data.fingerprint)}",
        width=360,
    )
    if choice != current:
        try:
            session().open(sources.read_again(data, ReadOptions(subset=choice), workspace()))
        except HoldoutError as error:
            error_box(error)
            return
        st.rerun()


def _form(reading: Reading, key: str) -> dict[str, Any]:
    """The options that apply to this format."""
    text = reading.format == "text"
    options: dict[str, Any] = {}
    left, right = st.columns(2)
    with left:
        if text:
            options["delimiter"] = DELIMITERS[_pick("Delimiter", DELIMITERS, key)]
            options["encoding"] = _encoding(reading, key)
            options["quote"] = QUOTES[_pick("Quotes", QUOTES, key)]
        if text or reading.format == "workbook":
            skip = st.number_input(
                "Lines above the table",
                0,
                10_000,
                reading.skip,
                key=f"skip-{key}",
                help="Titles and remarks to skip",
            )
            options["skip"] = int(skip) if skip != reading.skip else None
            end = st.number_input(
                "Rows at the end to leave out", 0, 10_000, 0, key=f"end-{key}", help="Such as a total, or remarks"
            )
            options["skip_end"] = int(end) or None
        if reading.subsets:
            options["subset"] = reading.subset
    with right:
        if text or reading.format == "workbook":
            options["header"] = HEADERS[_pick("The first line", HEADERS, key)]
        options["decimal"] = DECIMALS[_pick("Decimal mark", DECIMALS, key)]
        options["dates"] = DATES[_pick("Dates such as 03/04/2024", DATES, key)]
        if text:
            options["short_rows"] = SHORT[_pick("Rows with too few values", SHORT, key)]
    present = [m for m in reading.markers if m]
    kept = st.multiselect(
        "Taken as missing, but a value here", present, key=f"values-{key}", help="Texts of this file to keep as values"
    )
    more = st.multiselect(
        "Also stands for a missing value", [], accept_new_options=True, key=f"missing-{key}",
        placeholder="Type a text, such as 999 or unknown",
    )  # fmt: skip
    options["values"] = tuple(kept) or None
    options["missing"] = (*MISSING, *more) if more else None
    return options


def _pick(label: str, options: dict[str, Any], key: str) -> str:
    return str(st.selectbox(label, list(options), key=f"{label}-{key}"))


def _encoding(reading: Reading, key: str) -> str | None:
    detected = f"{FOUND} ({reading.encoding})"
    choice = st.selectbox("Encoding", [detected, *ENCODINGS], key=f"encoding-{key}", accept_new_options=True)
    return None if choice in (detected, None) else str(choice)
