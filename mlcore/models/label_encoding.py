"""A wrapper for classifiers that need codes 0 … k−1; it returns the labels of the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.metaestimators import available_if

from mlcore.result import Array


def _offers(method: str) -> Callable[[Any], bool]:
    """Whether the wrapped estimator has a method."""
    return lambda self: hasattr(self.estimator, method)


class LabelEncoding(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Wrap a classifier so that it is fitted on codes and returns labels; absent classes get no code."""

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_weight: Array | None = None) -> LabelEncoding:
        """Fit on (n, p) features and (n,) labels of any sortable type."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        self.estimator_ = None
        if len(self.classes_) > 1:  # a training fold may hold one class only
            self.estimator_ = self._fit(X, codes, sample_weight)
        return self

    def _fit(self, X: Any, codes: Array, sample_weight: Array | None) -> Any:
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return clone(self.estimator).fit(X, codes, **weights)

    def predict(self, X: Any) -> Array:
        """Return (n,) labels."""
        if self.estimator_ is None:
            return np.repeat(self.classes_, len(X))
        return np.asarray(self.classes_[np.asarray(self.estimator_.predict(X)).astype(int)])

    @available_if(_offers("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Array:
        """Return the decision scores of the wrapped estimator."""
        return np.zeros(len(X)) if self.estimator_ is None else np.asarray(self.estimator_.decision_function(X))

    @available_if(_offers("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Return (n, k) probabilities in the order of `classes_`."""
        if self.estimator_ is None:
            return np.ones((len(X), 1))
        return np.asarray(self.estimator_.predict_proba(X))
