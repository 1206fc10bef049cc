"""A column as few groups, each with a label of its own: quantile bins of numbers and dates, or common categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from mlcore.data.cast import as_categories, as_days
from mlcore.result import Array
from mlcore.wording import apart, days_apart

OTHERS, MISSING = "all others", "missing"


@dataclass(frozen=True, kw_only=True)
class Groups:
    """The group of each row, and what the groups are called.

    `place` is (n,) a position in `labels`, which ends with "missing" where a value is; `middles` are shorter names, the
    median of each bin.
    """

    place: Array
    labels: tuple[str, ...]
    middles: tuple[str, ...]

    def series(self) -> pd.Series:
        """The label of each row."""
        return pd.Series(np.array(self.labels, object)[self.place])


def grouped(column: pd.Series, parts: int, most: int) -> Groups:
    """Quantile bins of a number or date with more than `most` values, otherwise its `most` most common categories."""
    if column.dtype.kind in "Mfiu" and column.nunique() > most:
        place, labels, middles = _quantiles(column, parts)
    else:
        place, labels = _categories(column, most)
        middles = labels
    if column.isna().any():
        place = np.where(column.isna(), len(labels), place)
        labels, middles = [*labels, MISSING], [*middles, MISSING]
    return Groups(place=place, labels=tuple(labels), middles=tuple(middles))


def edge_words(column: pd.Series, edges: Sequence[float]) -> list[str]:
    """Values of a column, dates as days since 1970, with as many digits as tell neighbours apart."""
    return days_apart(list(edges)) if column.dtype.kind == "M" else apart(list(map(float, edges)))


def as_values(column: pd.Series) -> Array:
    """(n,) floats of a numeric column, or days since 1970 of dates."""
    return (as_days(column) if column.dtype.kind == "M" else column).to_numpy(float)


def _quantiles(column: pd.Series, parts: int) -> tuple[Array, list[str], list[str]]:
    values = as_values(column)
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, parts + 1)))
    place = np.searchsorted(edges[1:-1], values, side="left")
    words = edge_words(column, edges.tolist())
    labels = [f"{a} to {b}" for a, b in pairwise(words)] or words
    medians = [float(np.nanmedian(values[place == k])) if (place == k).any() else 0.0 for k in range(len(labels))]
    return place, labels, edge_words(column, medians)


def _categories(column: pd.Series, most: int) -> tuple[Array, list[str]]:
    text = as_categories(column)
    common = [str(v) for v in text.value_counts().index[:most]]
    place = text.map({name: i for i, name in enumerate(common)}).fillna(len(common)).to_numpy(int)
    rest = bool(((place == len(common)) & column.notna().to_numpy()).any())
    return place, [*common, OTHERS] if rest else common
