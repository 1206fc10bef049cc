"""The inputs of one condition: column, comparison, value; used by filters and by a person's own rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from mlcore.dataset import Column, Dataset
from mlcore.explore import View
from mlcore.explore.view import top_levels
from mlcore.filters import BY_NAME
from ui import cached
from ui.widgets import key_of

MOST_OPTIONS = 500


def values(dataset: Dataset, column: Column, operator: str, key: str, given: tuple[Any, ...] = ()) -> list[Any] | None:
    """The values of a condition, beginning with those given; None while there are none yet."""
    takes = BY_NAME[operator].takes
    if takes == "nothing":
        return []
    place = f"{key}-{key_of(dataset.fingerprint, column.name, takes)}"
    if takes == "levels":
        whole = View(dataset)
        found: list[str] = cached.look(
            "levels", whole, lambda: top_levels(whole, column, MOST_OPTIONS), column.name
        )  # fmt: skip
        options = [*found, *(str(v) for v in given if str(v) not in found)]
        return st.multiselect("Values", options, [str(v) for v in given], key=place, accept_new_options=True) or None
    if takes == "text":
        first = str(given[0]) if given else ""
        text = st.text_input("Text", first, key=place, help="Capital and small letters count alike")
        return [text] if text else None
    ends = ("From", "To") if takes == "range" else ("Value",)
    entered = [
        _one_value(column, label, f"{place}-{label}", given[i] if i < len(given) else None)
        for i, label in enumerate(ends)
    ]
    return entered if all(v is not None for v in entered) else None


def _one_value(column: Column, label: str, key: str, given: Any) -> Any:
    if column.dtype == "datetime":
        start = dt.date.fromisoformat(str(given)[:10]) if given is not None else None
        found = st.date_input(
            label, start, min_value=dt.date(1, 1, 1), max_value=dt.date(9999, 12, 31), key=key, format="YYYY-MM-DD"
        )
        return found.isoformat() if isinstance(found, dt.date) else None
    return st.number_input(label, value=None if given is None else float(given), key=key)
