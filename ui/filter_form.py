"""Inputs for the values of one condition; used by the filters and by the user's rule."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from mlcore.data.dataset import Column, Dataset
from mlcore.data.filters import BY_NAME
from mlcore.explore import View
from mlcore.explore.view import top_categories
from ui import cached
from ui.widgets import key_of

MOST_OPTIONS = 500


def values(dataset: Dataset, column: Column, operator: str, key: str, given: tuple[Any, ...] = ()) -> list[Any] | None:
    """The values of a condition, starting with those given; None until they are complete."""
    takes = BY_NAME[operator].takes
    if takes == "nothing":
        return []
    box_key = f"{key}-{key_of(dataset.fingerprint, column.name, takes)}"
    if takes == "levels":
        view = View(dataset)
        categories: list[str] = cached.look(
            "levels", view, lambda: top_categories(view, column, MOST_OPTIONS), column.name
        )  # fmt: skip
        options = [*categories, *(str(v) for v in given if str(v) not in categories)]
        return st.multiselect("Values", options, [str(v) for v in given], key=box_key, accept_new_options=True) or None
    if takes == "text":
        start = str(given[0]) if given else ""
        text = st.text_input("Text", start, key=box_key, help="Upper and lower case are treated the same")
        return [text] if text else None
    labels = ("From", "To") if takes == "range" else ("Value",)
    entries = [
        _one_value(column, label, f"{box_key}-{label}", given[i] if i < len(given) else None)
        for i, label in enumerate(labels)
    ]
    return entries if all(v is not None for v in entries) else None


def _one_value(column: Column, label: str, key: str, value: Any) -> Any:
    if column.dtype == "datetime":
        start = dt.date.fromisoformat(str(value)[:10]) if value is not None else None
        day = st.date_input(
            label, start, min_value=dt.date(1, 1, 1), max_value=dt.date(9999, 12, 31), key=key, format="YYYY-MM-DD"
        )
        return day.isoformat() if isinstance(day, dt.date) else None
    return st.number_input(label, value=None if value is None else float(value), key=key)
