"""Aggregate queries over the Parquet file: they return what a chart needs, not all rows.

`view` selects and queries the rows; `univariate`, `bivariate` and `multivariate` build results for one, two and many
columns.
"""

from __future__ import annotations

from mlcore.explore.bivariate import PairPlotOptions, relation
from mlcore.explore.missingness import missing, missingness_map, patterns
from mlcore.explore.multivariate import correlations, default_many, pairs, parallel, with_target
from mlcore.explore.shapes import BINS, PlotOptions
from mlcore.explore.univariate import histogram, one
from mlcore.explore.view import View, default_pair, default_split, head, query, splits

__all__ = [
    "BINS",
    "PairPlotOptions",
    "PlotOptions",
    "View",
    "correlations",
    "default_many",
    "default_pair",
    "default_split",
    "head",
    "histogram",
    "missing",
    "missingness_map",
    "one",
    "pairs",
    "parallel",
    "patterns",
    "query",
    "relation",
    "splits",
    "with_target",
]
