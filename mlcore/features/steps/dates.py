"""Dates: their parts, cycles, and differences."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.cast import as_days
from mlcore.data.dataset import Kind
from mlcore.features.steps.base import Learned, Made, Step, Works, option
from mlcore.result import Help
from mlcore.wording import several

DT_NAMES = {"weekday": "day_of_week"}  # pandas' names, where they differ
PARTS = {
    "year": "year", "month": "month", "day": "day of the month", "weekday": "day of the week", "hour": "hour",
    "weekend": "whether it is a weekend", "days": "days since 1970",
    "cycles": "sine and cosine of month, weekday and hour",
}  # fmt: skip
CYCLES = {"month": 12, "weekday": 7, "hour": 24}


@dataclass(frozen=True, kw_only=True)
class Dates(Step):
    """Turn each date into its parts, so that models can use it."""

    step: ClassVar[str] = "dates"
    title: ClassVar[str] = "Dates into parts"
    works: ClassVar[Works] = "row by row"
    kinds: ClassVar[tuple[Kind, ...]] = ("datetime",)
    help: ClassVar[Help] = Help(
        "A date becomes numbers: its year, month, weekday, the days since 1970.",
        "Sine and cosine place December next to January, which matters to linear models.",
        "The year and the days since 1970 grow without end: trees cannot predict beyond the last one in training.",
        "Split by time when you predict the future.",
    )
    parts: tuple[str, ...] = option(("year", "month", "weekday", "days"), "Parts", choices=PARTS, several=True)
    differences: bool = option(False, "Add the days between each pair of dates")

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The parts of each date as numbers."""
        made: Made = {}
        for name in frame:
            for part in self.parts:
                made |= _part(str(name), frame[name], part)
        if self.differences:
            days = {str(c): as_days(frame[c]).to_numpy(float) for c in frame}
            made |= {f"{b} − {a} days": days[b] - days[a] for a, b in combinations(days, 2)}
        return made

    def words(self, columns: list[str]) -> str:
        """The dates and the parts."""
        between = ", and the days between them" if self.differences else ""
        return f"{several(columns)}: replaced by {several(list(self.parts), 8)}{between}."


def _part(name: str, column: pd.Series, part: str) -> Made:
    if part == "days":
        return {f"{name} days": as_days(column).to_numpy(float)}
    if part == "weekend":
        return {f"{name} weekend": _number(column.dt.day_of_week >= 5, column)}
    if part != "cycles":
        return {f"{name} {part}": _number(getattr(column.dt, DT_NAMES.get(part, part)), column)}
    made: Made = {}
    for cycle, length in CYCLES.items():
        angle = 2 * np.pi * _number(getattr(column.dt, DT_NAMES.get(cycle, cycle)), column) / length
        made |= {f"{name} {cycle} sine": np.sin(angle), f"{name} {cycle} cosine": np.cos(angle)}
    return made


def _number(values: Any, column: pd.Series) -> Any:
    return values.astype("float64").where(column.notna(), np.nan).to_numpy(float)
