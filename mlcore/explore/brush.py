"""What a person marks on a picture, as conditions on the rows; plain data in, filters out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mlcore.explore.one import Histogram, Timeline
from mlcore.explore.two import Counts, Course, Density, Scatter
from mlcore.filters import Filter
from mlcore.result import Result

BRUSHED = (Histogram, Timeline, Scatter, Density, Counts, Course)


def can_be_brushed(result: Result) -> bool:
    """Whether marking something on its picture means a condition on rows of the data."""
    return isinstance(result, BRUSHED) and not getattr(result, "derived", False)


def conditions(result: Result, selection: Mapping[str, Any]) -> tuple[Filter, ...]:
    """The conditions that pick what was marked; `selection` has the boxes and points that a plotly chart reports."""
    boxes, points = list(selection.get("box") or ()), list(selection.get("points") or ())
    if boxes:
        across, up = ([_place(v) for v in boxes[-1].get(axis, ())] for axis in ("x", "y"))
        if isinstance(result, Histogram | Timeline | Course) and len(across) == 2:
            return result.brushed(across[0], across[1])
        if isinstance(result, Scatter | Density | Counts) and len(across) == len(up) == 2:
            return result.boxed((across[0], across[1]), (up[0], up[1]))
    if isinstance(result, Histogram) and points:
        return result.picked([int(p["point_index"]) for p in points if "point_index" in p])
    return ()


def _place(value: Any) -> float:
    """A place on an axis: a number, or a moment as seconds since 1970."""
    if isinstance(value, int | float | np.number):
        return float(value)
    return pd.Timestamp(str(value)).timestamp()
