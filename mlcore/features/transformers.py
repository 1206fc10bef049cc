"""The transformers of our own, all of them row by row; scikit-learn is imported with them, so they are imported late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from mlcore.casts import CASTS, as_days
from mlcore.dataset import Schema, unique_names
from mlcore.errors import NoSuchColumn


class Conform(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Pick the feature columns by name and cast each to what its kind says. Row by row: nothing is learned.

    Repeated names are made unique just as reading a file does; a column that is not there raises NoSuchColumn.
    """

    def __init__(self, names: tuple[str, ...] = (), kinds: tuple[str, ...] = ()) -> None:
        self.names = names
        self.kinds = kinds

    @classmethod
    def of(cls, schema: Schema) -> Conform:
        """Make it for the feature columns of a schema."""
        features = schema.features()
        return cls(tuple(c.name for c in features), tuple(c.kind for c in features))

    def fit(self, X: Any, y: Any = None) -> Conform:
        """Learn nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return (n, p) with float64, object and datetime columns only."""
        available, _ = unique_names(list(X.columns))
        place = {name: i for i, name in enumerate(available)}
        for name in self.names:
            if name not in place:
                raise NoSuchColumn.named(name, available)
        return pd.DataFrame({name: CASTS[kind](X.iloc[:, place[name]])
                             for name, kind in zip(self.names, self.kinds, strict=True)}, index=X.index)


class DatesToParts(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The transformer of `DateParts`."""

    def __init__(self, columns: tuple[str, ...] = (), parts: tuple[str, ...] = ()) -> None:
        self.columns = columns
        self.parts = parts

    def fit(self, X: Any, y: Any = None) -> DatesToParts:
        """Learn nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Replace each date column in place by its parts, as float64."""
        out: dict[str, pd.Series] = {}
        for name in X.columns:
            if name in self.columns:
                for part in self.parts:
                    values = as_days(X[name]) if part == "days" else getattr(X[name].dt, part)
                    out[f"{name} {part}"] = values.astype("float64")
            else:
                out[name] = X[name]
        return pd.DataFrame(out, index=X.index)


class TextsToCounts(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The transformer of `TextCounts`."""

    def __init__(self, columns: tuple[str, ...] = ()) -> None:
        self.columns = columns

    def fit(self, X: Any, y: Any = None) -> TextsToCounts:
        """Learn nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Replace each text column in place by two float64 columns."""
        out: dict[str, pd.Series] = {}
        for name in X.columns:
            if name in self.columns:
                known = X[name].notna()
                text = X[name].where(known, "").astype(str)
                out[f"{name} characters"] = text.str.len().astype("float64").where(known, np.nan)
                out[f"{name} words"] = text.str.split().str.len().astype("float64").where(known, np.nan)
            else:
                out[name] = X[name]
        return pd.DataFrame(out, index=X.index)
