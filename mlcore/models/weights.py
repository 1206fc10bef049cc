"""Weights of rows that balance classes."""

from __future__ import annotations

import numpy as np

from mlcore.result import Array


def balanced_weights(codes: Array, weights: Array | None = None) -> Array:
    """Weights (n,) that balance the classes: n / (k · rows of the class), times `weights`."""
    counts = np.bincount(codes)
    each = len(codes) / ((counts > 0).sum() * np.maximum(counts, 1))
    return np.asarray(each[codes] * (1.0 if weights is None else weights))
