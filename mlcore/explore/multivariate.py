"""Many columns at once: associations with each other and with the target, pairs, parallel coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.data.cast import as_categories
from mlcore.data.dataset import Column, Dataset
from mlcore.data.sql import is_date
from mlcore.errors import BadChoice, NotApplicable
from mlcore.explore.association import _cells, _usable, associated
from mlcore.explore.view import OTHER, View, colours, is_continuous, sampled, table
from mlcore.result import Array, Help, Result
from mlcore.wording import day, number, several

MOST_MATRIX = 30  # columns of a matrix
MOST_RANKED = 300
ENOUGH_ROWS = 20_000  # of the sample from which associations are computed
MOST_PAIRED, PAIR_POINTS = 4, 400
MOST_AXES, MOST_LINES = 8, 250
FEW_ROWS = 20
METHODS = ("association", "pearson", "spearman")


@dataclass(frozen=True, kw_only=True)
class Correlations(Result):
    """How strongly each pair of columns is associated."""

    method: str
    names: tuple[str, ...]  # ordered so that associated columns are next to each other
    values: Array  # (columns, columns)
    n: int
    rows: int
    left_out: int

    help: ClassVar[Help] = Help(
        "The strength of association of each pair of columns. Between numbers: Pearson's r (a straight line) or "
        "Spearman's (any rising or falling line), −1 to 1. Between categories: Cramér's V; between a category and a "
        "number: the correlation ratio η; both 0 to 1, without a sign.",
        "Strong colour off the diagonal: two columns with much the same information. Similar columns are adjacent.",
        "r misses curves that turn back. V and η are too high with few rows. An association is not a cause.",
        "Of two columns near ±1, one can go; keep the one that is known earlier or measured better.",
    )

    def frame(self) -> pd.DataFrame:
        """The matrix."""
        return (
            pd.DataFrame(self.values, index=list(self.names), columns=list(self.names))
            .rename_axis("column")
            .reset_index()
        )

    def sentence(self) -> str:
        """The strongest pairs."""
        pairs = [
            (abs(self.values[i, j]), self.values[i, j], self.names[i], self.names[j])
            for i in range(len(self.names))
            for j in range(i)
            if np.isfinite(self.values[i, j])
        ]
        top = [f"{a} and {b} ({v:.2f})".replace("-", "−") for _, v, a, b in sorted(pairs, reverse=True)[:2]]
        sample = f" A sample of {self.n:,} of {self.rows:,} rows." if self.n < self.rows else ""
        hidden = f" {len(self.names)} columns are shown; {self.left_out} more are not." if self.left_out else ""
        return f"Strongest: {several(top)}.{sample}{hidden}" if top else "No pair of columns could be compared."


def correlations(data: Dataset | View, method: str = "pearson") -> Correlations:
    """A matrix of associations. Raises NotApplicable with fewer than two columns, BadChoice."""
    view = View.of(data)
    if method not in METHODS:
        raise BadChoice.of("kind of association", method, METHODS)
    usable = _usable(view)
    if method != "association":
        usable = [c for c in usable if is_continuous(c) and not is_date(c) and c.kind == "numeric"]
    if len(usable) < 2:
        raise NotApplicable("An association needs two columns that vary; these rows have fewer.")
    shown = sorted(usable[:MOST_MATRIX], key=lambda c: c.role != "target")
    frame = sampled(view, [c.name for c in shown], ENOUGH_ROWS)
    encoded = [_cells(frame, c) for c in shown]
    values = np.eye(len(encoded))
    for i in range(len(encoded)):
        for j in range(i):
            values[i, j] = values[j, i] = associated(encoded[i], encoded[j], method)
    order = _clustered(values)
    return Correlations(
        method=method,
        names=tuple(shown[i].name for i in order),
        values=values[np.ix_(order, order)],
        n=len(frame),
        rows=view.rows,
        left_out=len(usable) - len(shown),
    )


def _clustered(values: Array) -> list[int]:
    """An order that puts associated columns next to each other: average linkage of 1 − |association|."""
    if len(values) < 3:
        return list(range(len(values)))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - np.abs(np.nan_to_num(values))
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), "average", optimal_ordering=True)
    return [int(i) for i in leaves_list(tree)]


@dataclass(frozen=True, kw_only=True)
class TargetAssociations(Result):
    """How strongly each column alone is associated with the target."""

    target: str
    names: tuple[str, ...]
    values: Array  # (columns,) strength from 0 to 1
    signed: Array  # (columns,) the same, signed where the measure has a sign
    n: int
    rows: int

    help: ClassVar[Help] = Help(
        "Each column's association with the target: |Spearman's r|, correlation ratio η or Cramér's V.",
        "Columns with long bars are informative alone. A bar near 1 may be target leakage.",
        "A column that is useless alone may be useful together with another. Few rows make bars too long.",
        "For the longest bars, ask: is this column known before the outcome?",
    )

    def frame(self) -> pd.DataFrame:
        """One row per column, strongest first."""
        return pd.DataFrame({"column": self.names, "association": self.signed, "strength": self.values})

    def sentence(self) -> str:
        """The strongest three."""
        strongest = [f"{n} ({v:.2f})".replace("-", "−") for n, v in zip(self.names[:3], self.signed[:3], strict=True)]
        sample = f" A sample of {self.n:,} of {self.rows:,} rows." if self.n < self.rows else ""
        return f"Most associated with {self.target}: {several(strongest)}.{sample}"


def with_target(data: Dataset | View, target: str | None) -> TargetAssociations:
    """Rank columns by their association with the target. Raises NotApplicable."""
    view = View.of(data)
    if target is None:
        raise NotApplicable("No target is chosen. Choose one on the Data page to rank columns by association.")
    others = [c for c in _usable(view) if c.name != target][:MOST_RANKED]
    target_column = view.schema[target]
    if not others or target_column.distinct < 2:
        raise NotApplicable("Ranking needs a target that varies and another column to compare it with.")
    frame = sampled(view, [target, *(c.name for c in others)], ENOUGH_ROWS)
    target_values = _cells(frame, target_column)
    signed = np.array([associated(_cells(frame, c), target_values, "spearman") for c in others])
    order = [int(i) for i in np.argsort(-np.nan_to_num(np.abs(signed)), kind="stable") if np.isfinite(signed[i])]
    if not order:
        raise NotApplicable("In the rows with a known target, no column varies together with it.")
    return TargetAssociations(
        target=target,
        names=tuple(others[i].name for i in order),
        values=np.abs(signed[order]),
        signed=signed[order],
        n=len(frame),
        rows=view.rows,
    )


# rows across several columns ------------------------------------------------------------------------------------------


def default_many(data: Dataset | View, most: int) -> list[str]:
    """Columns for a first plot: the numeric features with the most distinct values."""
    numeric = [c for c in data.schema if c.kind == "numeric" and is_continuous(c) and c.role == "feature"]
    return [c.name for c in sorted(numeric, key=lambda c: -c.distinct)[:most]]


@dataclass(frozen=True, kw_only=True)
class Pairs(Result):
    """A few columns, each plotted against each other."""

    names: tuple[str, ...]
    by: str | None
    points: pd.DataFrame  # the columns, then the group
    groups: tuple[str, ...]
    n: int

    help: ClassVar[Help] = Help(
        "Every pair of the chosen columns as points; on the diagonal, each column alone.",
        "Look for slopes, bends and clouds that separate by colour.",
        "Only a sample is drawn. Two columns at a time cannot show a joint effect of three.",
        "Open an unusual pair under Two columns.",
    )

    def frame(self) -> pd.DataFrame:
        """The points."""
        return self.points

    def sentence(self) -> str:
        """The columns and the number of rows drawn."""
        return f"{several(list(self.names), 6)} against each other, {len(self.points):,} of {self.n:,} rows."


def _grouped(view: View, frame: pd.DataFrame, by: str | None) -> tuple[pd.Series, tuple[str, ...]]:
    """The group of each row, and the groups in the order of their colours."""
    if by is None:
        return pd.Series("", index=frame.index), ("",)
    coloured = colours(view, by)
    categories = as_categories(frame[by]).fillna("missing").astype(str)
    group = categories.where(categories.isin([*coloured, "missing"]), OTHER)
    present = set(group)
    return group, tuple(g for g in [*coloured, *([] if OTHER in coloured else [OTHER]), "missing"] if g in present)


def _checked_columns(view: View, names: list[str], fewest: int, most: int, plot: str) -> list[Column]:
    columns = [view.schema[n] for n in dict.fromkeys(names)]
    if not fewest <= len(columns) <= most:
        raise NotApplicable(f"{plot} need {fewest} to {most} columns; {len(columns)} are chosen.")
    return columns


def pairs(data: Dataset | View, names: list[str], by: str | None = None) -> Pairs:
    """A sample of rows for a plot of pairs. Raises NoSuchColumn, NotApplicable."""
    view = View.of(data)
    columns = _checked_columns(view, names, 2, MOST_PAIRED, "Pairs")
    categorical = [c.name for c in columns if not is_continuous(c)]
    if categorical:
        raise NotApplicable(f"Pairs need columns of numbers or dates; these hold categories: {several(categorical)}.")
    frame = sampled(view, list(dict.fromkeys([*(c.name for c in columns), *([by] if by else [])])), PAIR_POINTS)
    group, groups = _grouped(view, frame, by)
    points = pd.DataFrame({c.name: _cells(frame, c).values for c in columns})
    points[_group_name(points)] = group.to_numpy()
    return Pairs(names=tuple(c.name for c in columns), by=by, points=points, groups=groups, n=view.rows)


def _group_name(points: pd.DataFrame) -> str:
    name = "group"
    while name in points.columns:
        name += "_"
    return name


@dataclass(frozen=True, kw_only=True)
class Parallel(Result):
    """Rows as lines across axes, one axis per column."""

    names: tuple[str, ...]
    by: str | None
    places: Array  # (rows, axes) from 0 to 1, NaN where missing
    ends: tuple[tuple[str, str], ...]  # what 0 and 1 stand for on each axis
    group: tuple[str, ...]  # of each row
    groups: tuple[str, ...]
    n: int

    help: ClassVar[Help] = Help(
        "Each line is a row; it crosses each axis at its value. Every axis runs from its lowest to its highest.",
        "Bundles of one colour are a pattern. Lines that cross between two axes: one falls as the other rises.",
        "The order of the axes shapes the plot, and only a sample of lines is drawn.",
        "Put the columns that you want to compare next to each other.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per line: positions from 0 to 1."""
        by = [(self.by, self.group)] if self.by else []
        return table(*zip(self.names, self.places.T, strict=True), *by)

    def sentence(self) -> str:
        """The number of rows and columns drawn."""
        by = f", coloured by {self.by}" if self.by else ""
        return f"{len(self.places):,} of {self.n:,} rows across {len(self.names)} columns{by}."


def parallel(data: Dataset | View, names: list[str], by: str | None = None) -> Parallel:
    """A sample of rows for parallel coordinates. Raises NoSuchColumn, NotApplicable."""
    view = View.of(data)
    columns = _checked_columns(view, names, 2, MOST_AXES, "Parallel coordinates")
    frame = sampled(view, list(dict.fromkeys([*(c.name for c in columns), *([by] if by else [])])), MOST_LINES)
    group, groups = _grouped(view, frame, by)
    positions, ends = [], []
    for c in columns:
        encoded = _cells(frame, c)
        values = np.where(encoded.values < 0, np.nan, encoded.values) if encoded.levels else encoded.values
        if encoded.levels:  # categories in alphabetical order
            categories = as_categories(frame[c.name])
            ordered = sorted(categories.dropna().unique())
            values = categories.map({v: i for i, v in enumerate(ordered)}).to_numpy(float)
        known = values[~np.isnan(values)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        positions.append((values - low) / (high - low) if high > low else np.where(np.isnan(values), np.nan, 0.5))
        ends.append(_ends(c, low, high, frame[c.name]))
    return Parallel(
        names=tuple(c.name for c in columns),
        by=by,
        places=np.column_stack(positions),
        ends=tuple(ends),
        group=tuple(group),
        groups=groups,
        n=view.rows,
    )


def _ends(column: Column, low: float, high: float, values: pd.Series) -> tuple[str, str]:
    if not is_continuous(column):
        categories = sorted(as_categories(values).dropna().unique())
        return (str(categories[0]), str(categories[-1])) if categories else ("", "")
    if is_date(column):
        return day(86_400 * low), day(86_400 * high)
    return number(low), number(high)
