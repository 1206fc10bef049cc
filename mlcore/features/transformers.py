"""The transformers of our own; scikit-learn comes with them, so they are imported late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from mlcore.casts import CASTS, as_days
from mlcore.dataset import Schema, unique_names
from mlcore.errors import NoSuchColumn, NotApplicable
from mlcore.features.steps import derived

DT_NAMES = {"weekday": "day_of_week"}  # pandas' own names, where they differ


class RowByRow(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The base of transformers that learn nothing, so that they are always ready."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Learn nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Conform(RowByRow):
    """Pick the feature columns by name and cast each to what its kind says. Row by row: nothing is learned.

    Repeated names are made unique just as reading a file does; a column that is not there raises NoSuchColumn.
    """

    def __init__(self, names: tuple[str, ...] = (), kinds: tuple[str, ...] = (), parses: tuple[str, ...] = ()) -> None:
        self.names = names
        self.kinds = kinds
        self.parses = parses

    @classmethod
    def of(cls, schema: Schema) -> Conform:
        """Make it for the feature columns of a schema."""
        features = schema.features()
        return cls(*(tuple(getattr(c, what) for c in features) for what in ("name", "kind", "parse")))

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return (n, p) with float64, object and datetime columns only."""
        available, _ = unique_names(list(X.columns))
        place = {name: i for i, name in enumerate(available)}
        for name in self.names:
            if name not in place:
                raise NoSuchColumn.named(name, available)
        return pd.DataFrame(
            {
                name: CASTS[kind](X.iloc[:, place[name]], parse)
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
        """Replace each date column in place by its parts, as float64."""
        out: dict[str, pd.Series] = {}
        taken = list(X.columns)
        for name in X.columns:
            if name in self.columns:
                for part in self.parts:
                    values = as_days(X[name]) if part == "days" else getattr(X[name].dt, DT_NAMES.get(part, part))
                    out[derived(name, part, taken)] = values.astype("float64")
            else:
                out[name] = X[name]
        return pd.DataFrame(out, index=X.index)


class TextsToCounts(RowByRow):
    """The transformer of `TextCounts`."""

    def __init__(self, columns: tuple[str, ...] = ()) -> None:
        self.columns = columns

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Replace each text column in place by two float64 columns."""
        out: dict[str, pd.Series] = {}
        taken = list(X.columns)
        for name in X.columns:
            if name in self.columns:
                known = X[name].notna()
                text = X[name].where(known, "").astype(str)
                out[derived(name, "characters", taken)] = text.str.len().astype("float64").where(known, np.nan)
                out[derived(name, "words", taken)] = (
                    text.map(lambda t: len(t.split())).astype("float64").where(known, np.nan)
                )
            else:
                out[name] = X[name]
        return pd.DataFrame(out, index=X.index)


class TargetMeans(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Code each level by the mean of the target, cross-fitted: scikit-learn's TargetEncoder for any class counts.

    TargetEncoder breaks when a class is missing from one of its inner folds. Here classes of a single row are counted
    with the largest one, the inner folds are stratified, and there are fewer of them where rows are few.
    """

    def __init__(self, task: str = "binary") -> None:
        self.task = task

    def fit(self, X: Any, y: Any) -> TargetMeans:
        """Learn the means of (n, p) levels from (n,) codes or values."""
        self.encoder_ = self._encoder(y)
        self.encoder_.fit(X, self._merged(y))
        return self

    def fit_transform(self, X: Any, y: Any = None, **more: Any) -> Any:
        """Learn the means, and code each row by the other inner folds' rows."""
        self.encoder_ = self._encoder(y)
        return self.encoder_.fit_transform(X, self._merged(y))

    def transform(self, X: Any) -> Any:
        """Code rows by the means of all training rows."""
        return self.encoder_.transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The columns' names; one for each class where there are several."""
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
