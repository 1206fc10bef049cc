"""Tables for spreadsheets: text that a spreadsheet would calculate is disarmed."""

from __future__ import annotations

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the last four in full width


def cell(value: object) -> object:
    """A value of an exported table; an apostrophe disarms text that a spreadsheet would read as a formula.

    >>> cell("=1+1"), cell("plain"), cell(-1)
    ("'=1+1", 'plain', -1)
    """
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


def safe(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose texts and names are safe to open in a spreadsheet."""
    out = frame.copy()
    for name in out.columns:
        if out[name].dtype == object or str(out[name].dtype) in ("str", "string", "category"):
            out[name] = out[name].map(cell)
    out.columns = [cell(str(c)) for c in out.columns]
    return out


def csv(frame: pd.DataFrame) -> bytes:
    """A data frame as CSV, safe to open in a spreadsheet."""
    return bytes(safe(frame).to_csv(index=False).encode("utf-8-sig"))
