"""Cast a raw column to the type that its kind requires, row by row; nothing is fitted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.data.number_formats import plain_number
from mlcore.result import Array

BOOLEANS = {
    "true": 1.0,
    "yes": 1.0,
    "y": 1.0,
    "t": 1.0,
    "1": 1.0,
    "1.0": 1.0,
    "false": 0.0,
    "no": 0.0,
    "n": 0.0,
    "f": 0.0,
    "0": 0.0,
    "0.0": 0.0,
}


def as_numbers(column: pd.Series, parse: str = "") -> pd.Series:
    """Numbers as float64; other texts and infinities become NaN. `parse` is the decimal mark of texts."""
    if pt.is_datetime64_any_dtype(column):
        return as_days(column)
    if parse and not pt.is_numeric_dtype(column):
        column = column.map(lambda v: plain_number(str(v), parse), na_action="ignore")
    if not pt.is_numeric_dtype(column) or pt.is_bool_dtype(column):
        column = pd.to_numeric(column.astype(object), errors="coerce")
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    return pd.Series(np.where(np.isfinite(values), values, np.nan), index=column.index)


def as_days(column: pd.Series) -> pd.Series:
    """Days since 1970 as float64, NaN where missing."""
    naive = column.dt.tz_localize(None) if getattr(column.dtype, "tz", None) is not None else column
    timestamps = naive.to_numpy(dtype="datetime64[us]")
    days = timestamps.astype("int64") / 86_400e6
    return pd.Series(np.where(np.isnat(timestamps), np.nan, days), index=column.index)


def as_moments(seconds: Array) -> Array:
    """Timestamps in microseconds from seconds since 1970, any year from 1 to 9999."""
    return (np.asarray(seconds, "float64") * 1e6).round().astype("int64").astype("datetime64[us]")


def as_boolean(column: pd.Series, parse: str = "") -> pd.Series:
    """1, 0 or NaN from booleans, yes and no, 1 and 0."""
    if pt.is_bool_dtype(column) and not column.isna().any():
        return column.astype("float64")
    return (
        column.astype(object).map(lambda v: BOOLEANS.get(str(v).strip().lower()), na_action="ignore").astype("float64")
    )


def as_categories(column: pd.Series, parse: str = "") -> pd.Series:
    """Categories as text objects, NaN where missing; whole floats lose their `.0`, so 3.0 and 3 are one category."""
    missing = column.isna().to_numpy()
    if pt.is_float_dtype(column):
        text = column.map(lambda v: str(int(v)) if float(v).is_integer() else str(v), na_action="ignore").astype(object)
    elif isinstance(column.dtype, pd.StringDtype):
        text = column.astype(object)
    else:
        text = column.astype(object).map(str, na_action="ignore")
    return pd.Series(np.where(missing, np.nan, text.to_numpy(dtype=object)), index=column.index, dtype=object)


def as_timestamps(column: pd.Series, parse: str = "") -> pd.Series:
    """Timestamps in microseconds without a time zone; other texts become NaT. `parse` is the date format of texts."""
    if not pt.is_datetime64_any_dtype(column):
        column = pd.to_datetime(column.astype(object), errors="coerce", format=parse or None)
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.astype("datetime64[us]")


CASTS: dict[str, Callable[[pd.Series, str], pd.Series]] = {
    "numeric": as_numbers,
    "boolean": as_boolean,
    "categorical": as_categories,
    "identifier": as_categories,
    "text": as_categories,
    "constant": as_categories,
    "datetime": as_timestamps,
}
