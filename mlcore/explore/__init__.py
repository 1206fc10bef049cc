"""Aggregate queries over the Parquet file: what a chart needs, and never the rows.

`view` says which rows are looked at and asks them; `one`, `two` and `many` columns are made into results.
"""

from __future__ import annotations

from mlcore.explore.many import correlations, default_many, gap_map, missing, pairs, parallel, patterns, with_target
from mlcore.explore.one import BINS, Look, histogram, one
from mlcore.explore.two import Pairing, relation
from mlcore.explore.view import View, default_pair, default_split, head, query, splits

__all__ = [
    "BINS",
    "Look",
    "Pairing",
    "View",
    "correlations",
    "default_many",
    "default_pair",
    "default_split",
    "gap_map",
    "head",
    "histogram",
    "missing",
    "one",
    "pairs",
    "parallel",
    "patterns",
    "query",
    "relation",
    "splits",
    "with_target",
]
