"""Turn a selection on a plot into conditions on the rows; plain data in, filters out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlcore.data.filters import Filter
from mlcore.explore.bivariate import Crosstab, Density, Scatter, TrendOverTime
from mlcore.explore.univariate import Histogram, Timeline
from mlcore.result import Result
from mlcore.wording import EPOCH

SELECTABLE = (Histogram, Timeline, Scatter, Density, Crosstab, TrendOverTime)


def is_selectable(result: Result) -> bool:
    """Whether a selection on its plot can be turned into conditions on rows of the data."""
    return isinstance(result, SELECTABLE) and not getattr(result, "derived", False)


def conditions(result: Result, selection: Mapping[str, Any]) -> tuple[Filter, ...]:
    """The conditions that select the marked rows; `selection` has the boxes and points that a plotly chart reports."""
    boxes, points = list(selection.get("box") or ()), list(selection.get("points") or ())
    if boxes:
        x_range, y_range = ([_position(v) for v in boxes[-1].get(axis, ())] for axis in ("x", "y"))
        if isinstance(result, Histogram | Timeline | TrendOverTime) and len(x_range) == 2:
            return result.selected_range(x_range[0], x_range[1])
        if isinstance(result, Scatter | Density | Crosstab) and len(x_range) == len(y_range) == 2:
            return result.selected_box((x_range[0], x_range[1]), (y_range[0], y_range[1]))
    if isinstance(result, Histogram) and points:
        return result.picked([int(p["point_index"]) for p in points if "point_index" in p])
    return ()


def _position(value: Any) -> float:
    """A position on an axis: a number, or a timestamp as seconds since 1970."""
    if isinstance(value, int | float | np.number):
        return float(value)
    return (dt.datetime.fromisoformat(str(value)).replace(tzinfo=None) - EPOCH).total_seconds()
