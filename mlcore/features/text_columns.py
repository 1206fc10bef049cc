"""Free text for a model family, at the end of a recipe. It imports scikit-learn, so it is imported late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from mlcore.features.steps.text import VOCABULARY, Text, known_texts

# What each way of handling text is as a step; the last two stay sparse.
WAYS = {
    "components": Text(),
    "words": Text(),
    "counts": Text(method="counts", size=VOCABULARY),
}
SPARSE = ("words", "counts")


class TextColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Each column of free text as components of its TF-IDF (dense), as TF-IDF, or as word counts (both sparse)."""

    def __init__(self, way: str = "components", seed: int = 0) -> None:
        self.way = way
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: Any = None) -> TextColumns:
        """Learn the words of (n, p) texts."""
        step = WAYS[self.way]
        self.models_ = {
            str(c): step.fitted_words(known_texts(X[c]), self.seed, reduce=self.way not in SPARSE) for c in X
        }
        return self

    def transform(self, X: pd.DataFrame) -> Any:
        """Return (n, features): an array of components, or a sparse matrix of words."""
        if self.way not in SPARSE:
            made = WAYS[self.way].make(X, {"models": self.models_})
            return np.column_stack(list(made.values())) if made else np.zeros((len(X), 0))
        parts = [m["words"].transform(known_texts(X[c])) for c, m in self._known()]
        return sparse.hstack(parts, format="csr") if parts else sparse.csr_matrix((len(X), 0))

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The column and the words of each feature."""
        step = WAYS[self.way]
        return np.array([f"{c} {label}" for c, m in self._known() for label in step.labels(m)], object)

    def _known(self) -> list[tuple[str, dict[str, Any]]]:
        """The columns that have words."""
        return [(c, m) for c, m in self.models_.items() if m is not None]
