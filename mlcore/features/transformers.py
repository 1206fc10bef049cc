"""Our own transformers. They import scikit-learn, so they are imported late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from mlcore.data.cast import CASTS, as_days
from mlcore.data.dataset import Schema, derived, unique_names
from mlcore.errors import NoSuchColumn, NotApplicable

DT_NAMES = {"weekday": "day_of_week"}  # pandas' names, where they differ


class RowByRow(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The base of transformers that need no fitting, so they are always ready."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Do nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Conform(RowByRow):
    """Pick the feature columns by name and cast each to its kind. Row by row: nothing is fitted.

    Repeated names are made unique as in a file that is read; a missing column raises NoSuchColumn.
    """

    def __init__(self, names: tuple[str, ...] = (), kinds: tuple[str, ...] = (), parses: tuple[str, ...] = ()) -> None:
        self.names = names
        self.kinds = kinds
        self.parses = parses

    @classmethod
    def of(cls, schema: Schema) -> Conform:
        """Build it for the feature columns of a schema."""
        features = schema.features()
        return cls(*(tuple(getattr(c, attribute) for c in features) for attribute in ("name", "kind", "parse")))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return (n, p) with float64, object and datetime columns only."""
        available, _ = unique_names(list(X.columns))
        positions = {name: i for i, name in enumerate(available)}
        for name in self.names:
            if name not in positions:
                raise NoSuchColumn.named(name, available)
        return pd.DataFrame(
            {
                name: CASTS[kind](X.iloc[:, positions[name]], parse)
                for name, kind, parse in zip(self.names, self.kinds, self.parses, strict=True)
            },
            index=X.index,
        )


class DatesToParts(RowByRow):
    """The transformer of `DateParts`."""

    def __init__(self, columns: tuple[str, ...] = (), parts: tuple[str, ...] = ()) -> None:
        self.columns = columns
        self.parts = parts

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Replace each date column by its parts, in place, as float64."""
        out: dict[str, pd.Series] = {}
        names = list(X.columns)
        for name in X.columns:
            if name in self.columns:
                for part in self.parts:
                    values = as_days(X[name]) if part == "days" else getattr(X[name].dt, DT_NAMES.get(part, part))
                    out[derived(name, part, names)] = values.astype("float64")
            else:
                out[name] = X[name]
        return pd.DataFrame(out, index=X.index)


class TextsToCounts(RowByRow):
    """The transformer of `TextCounts`."""

    def __init__(self, columns: tuple[str, ...] = ()) -> None:
        self.columns = columns

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Replace each text column by two float64 columns, in place."""
        out: dict[str, pd.Series] = {}
        names = list(X.columns)
        for name in X.columns:
            if name in self.columns:
                known = X[name].notna()
                text = X[name].where(known, "").astype(str)
                out[derived(name, "characters", names)] = text.str.len().astype("float64").where(known, np.nan)
                out[derived(name, "words", names)] = (
                    text.map(lambda t: len(t.split())).astype("float64").where(known, np.nan)
                )
            else:
                out[name] = X[name]
        return pd.DataFrame(out, index=X.index)


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
