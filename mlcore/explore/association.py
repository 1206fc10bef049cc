"""How strongly two columns are associated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlcore.data.cast import as_categories, as_numbers, as_timestamps
from mlcore.data.dataset import Column
from mlcore.data.sql import is_date
from mlcore.explore.view import View, is_continuous
from mlcore.result import Array

# association of two columns -------------------------------------------------------------------------------------------


def cramers_v(table: Array) -> float | None:
    """Cramér's V with Bergsma's correction (J. Korean Stat. Soc. 42, 2013); None if a side has one category."""
    table = np.asarray(table, float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n = table.sum()
    rows, columns = table.shape
    if min(rows, columns) < 2 or n < 2:
        return None
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    phi2 = float(((table - expected) ** 2 / expected).sum() / n)
    phi2 = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    r, c = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    return float(np.sqrt(phi2 / max(min(r, c) - 1, 1e-12))) if min(r, c) > 1 else 0.0


def correlation_ratio(codes: Array, values: Array) -> float | None:
    """The correlation ratio η: the root of the fraction of variance between categories (Pearson, 1905)."""
    size = np.bincount(codes)
    used = size > 0
    total = float(((values - values.mean()) ** 2).sum())
    if used.sum() < 2 or total <= 0:
        return None
    means = np.bincount(codes, values)[used] / size[used]
    return float(np.sqrt(min(1.0, (size[used] * (means - values.mean()) ** 2).sum() / total)))


@dataclass(frozen=True)
class _Cells:
    """A column of the sample: numbers with NaN, or category codes with −1."""

    column: Column
    values: Array
    levels: bool


def _cells(frame: pd.DataFrame, column: Column) -> _Cells:
    if is_continuous(column):
        series = frame[column.name]
        numbers = (
            as_numbers(as_timestamps(series, column.parse)) if is_date(column) else as_numbers(series, column.parse)
        )
        return _Cells(column, numbers.to_numpy(), False)
    codes, _ = pd.factorize(as_categories(frame[column.name]))
    return _Cells(column, np.asarray(codes), True)


def associated(a: _Cells, b: _Cells, method: str) -> float:
    """How strongly two columns are associated; NaN if undefined. Signed only between two numeric columns."""
    known = (a.values >= 0 if a.levels else ~np.isnan(a.values)) & (b.values >= 0 if b.levels else ~np.isnan(b.values))
    if known.sum() < 3:
        return float("nan")
    x, y = a.values[known], b.values[known]
    strength: float | None
    if a.levels and b.levels:
        strength = cramers_v(np.histogram2d(x, y, bins=[np.arange(x.max() + 2), np.arange(y.max() + 2)])[0])
    elif a.levels or b.levels:
        strength = correlation_ratio(x, y) if a.levels else correlation_ratio(y, x)
    else:
        if method != "pearson":
            x, y = pd.Series(x).rank().to_numpy(), pd.Series(y).rank().to_numpy()
        x, y = x - x.mean(), y - y.mean()
        size = float(np.sqrt((x**2).sum() * (y**2).sum()))
        strength = float((x * y).sum() / size) if size > 0 else None
    return float("nan") if strength is None else strength


def _usable(view: View) -> list[Column]:
    """Columns whose associations can be measured: numbers, dates, and categories that repeat."""
    return [
        c
        for c in view.schema
        if c.distinct > 1
        and (is_continuous(c) or c.distinct <= 100)
        and c.kind not in ("identifier", "text", "constant")
    ]
