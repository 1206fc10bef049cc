"""Target encoding, cross-fitted. It imports scikit-learn, so it is imported late."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from mlcore.errors import NotApplicable


class TargetMeans(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode each category by the mean of the target, cross-fitted: scikit-learn's TargetEncoder for any class counts.

    TargetEncoder fails when a class is missing from one of its inner folds. Here classes of a single row are merged
    into the largest one, the inner folds are stratified, and there are fewer of them when there are few rows.
    """

    def __init__(self, task: str = "binary") -> None:
        self.task = task

    def fit(self, X: Any, y: Any) -> TargetMeans:
        """Fit the means of (n, p) categories to (n,) codes or values."""
        self.encoder_ = self._encoder(y)
        self.encoder_.fit(X, self._merged(y))
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Fit the means, and encode each row by the rows of the other inner folds."""
        self.encoder_ = self._encoder(y)
        return self.encoder_.fit_transform(X, self._merged(y))

    def transform(self, X: Any) -> Any:
        """Encode rows by the means of all training rows."""
        return self.encoder_.transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the columns; one per class when there are several."""
        return self.encoder_.get_feature_names_out(input_features)

    def _encoder(self, y: Any) -> Any:
        from sklearn.model_selection import KFold, StratifiedKFold
        from sklearn.preprocessing import TargetEncoder

        if self.task == "regression":
            return TargetEncoder(target_type="continuous", cv=KFold(min(5, len(y)), shuffle=True, random_state=0))
        largest = int(np.unique(np.asarray(y), return_counts=True)[1].max())
        return TargetEncoder(cv=StratifiedKFold(max(2, min(5, largest)), shuffle=True, random_state=0))

    def _merged(self, y: Any) -> Any:
        if self.task == "regression":
            return y
        labels, codes, counts = np.unique(np.asarray(y), return_inverse=True, return_counts=True)
        codes[counts[codes] == 1] = int(counts.argmax())
        if len(np.unique(codes)) < 2:
            raise NotApplicable(f"All training rows of a fold are {labels[counts.argmax()]!r}; nothing can be learned.")
        return codes
