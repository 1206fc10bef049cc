"""Encoding for a model family, as one ColumnTransformer with explicit column lists.

All families are built from the same parts; `auto` stands for the choices below.

    family   missing numbers          low cardinality          high cardinality          scale
    linear   median and an indicator  one-hot                  mean of the target        standard
    plain    median and an indicator  one-hot                  mean of the target        none
    tree     left missing             ordinal codes            mean of the target        none
    words    as linear; free text as sparse TF-IDF
    counts   median and an indicator  one-hot                  mean of the target        from 0 to 1

Free text becomes components of its TF-IDF, but for the last two: sparse TF-IDF, and sparse counts of words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlcore.data.dataset import Schema
from mlcore.features.steps.base import READY
from mlcore.features.steps.categories import Encode
from mlcore.features.steps.missing import Missing
from mlcore.features.steps.numeric import Scale, scaler
from mlcore.models.catalogue import Family
from mlcore.result import Array
from mlcore.validation.metrics import Task


@dataclass(frozen=True, kw_only=True)
class Closing:
    """How missing values, categories and scales are handled where no step before has done so."""

    missing: Missing
    encode: Encode
    scale: Scale

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data."""
        return [self.missing.to_json(), self.encode.to_json(), self.scale.to_json()]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> Closing:
        """Rebuild from plain data."""
        missing, encode, scale = (
            kind().change(**{k: v for k, v in d.items() if k != "step"})
            for kind, d in zip((Missing, Encode, Scale), data, strict=True)
        )
        return cls(missing=missing, encode=encode, scale=scale)


AUTO = {
    "linear": ("median", "one_hot", "standard"),
    "plain": ("median", "one_hot", "none"),
    "tree": ("leave", "ordinal", "none"),
    "words": ("median", "one_hot", "standard"),
    "counts": ("median", "one_hot", "minmax"),
}


def encoder(schema: Schema, closing: Closing, family: Family, task: Task) -> Any:
    """Build the ColumnTransformer of a family; categorical columns come first, so their positions are known."""
    from sklearn.compose import ColumnTransformer

    missing, encode, scale = closing.missing, closing.encode, closing.scale
    auto_fill, auto_encode, auto_scale = AUTO[family]
    fill_method = auto_fill if missing.method == "auto" else missing.method
    encode_method = auto_encode if encode.method in ("auto", "target") else encode.method
    scale_method = auto_scale if scale.method == "auto" else scale.method
    filler = _filler(fill_method, missing)
    numeric = schema.named("numeric")
    distinct = max((schema[c].distinct for c in encode.low_cardinality(schema)), default=0)
    ready = [n for n in numeric if schema[n].dtype == READY]
    parts = [
        (
            "categories",
            _category_encoder(encode_method, encode.min_rows, complete=family != "tree", distinct=distinct),
            encode.low_cardinality(schema),
        ),
        ("many_levels", _chain(_target_encoder(task), scaler(scale_method)), encode.high_cardinality(schema)),
        ("numbers", _chain(filler, scaler(scale_method)), [n for n in numeric if n not in ready]),
        ("ready", _chain(_filler(fill_method, missing)), ready),
        (
            "truths",
            _chain(_filler("leave" if fill_method == "leave" else "most_frequent", missing)),
            schema.named("boolean"),
        ),
        ("texts", _text_columns(family), schema.named("text")),
    ]
    return ColumnTransformer(
        [(name, transformer, columns) for name, transformer, columns in parts if columns],
        verbose_feature_names_out=False,
        sparse_threshold=1.0 if family in ("words", "counts") and schema.named("text") else 0.0,
    )


def category_count(schema: Schema, closing: Closing) -> int:
    """The number of leading columns of the tree family that hold category codes."""
    encode = closing.encode
    return len(encode.low_cardinality(schema)) if encode.method in ("auto", "ordinal") else 0


MOST_ONE_HOT = 60  # columns for the categories of one column; the rarest share one


def _category_encoder(method: str, min_rows: int, *, complete: bool, distinct: int) -> Any:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    min_frequency = min_rows if min_rows > 1 else None
    if method == "one_hot":
        merges = {"max_categories": MOST_ONE_HOT, "min_frequency": min_frequency}
        if (
            min_frequency is None and 0 <= distinct <= MOST_ONE_HOT - 10
        ):  # nothing to merge: counting costs most of a fit
            return OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        return OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False, **merges)
    missing = -1 if complete else np.nan  # a separate code where missing values are not allowed
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=missing,
        encoded_missing_value=missing,
        min_frequency=min_frequency,
    )


def _target_encoder(task: Task) -> Any:
    from mlcore.features.target_means import TargetMeans

    return TargetMeans(task)


def _text_columns(family: Family) -> Any:
    from mlcore.features.text_columns import TextColumns

    return TextColumns(family if family in ("words", "counts") else "components")


def median(values: Array) -> float:
    """The median of known values, 0 without any; scikit-learn's own sorts masked arrays, which is slow."""
    return float(np.median(values)) if len(values) else 0.0


def _filler(fill: str, missing: Missing) -> Any | None:
    from sklearn.impute import SimpleImputer

    if fill == "leave":
        return None
    return SimpleImputer(
        strategy=median if fill == "median" else fill,
        fill_value=missing.value if fill == "constant" else None,
        add_indicator=missing.indicator,
        keep_empty_features=True,
    )


def _chain(*transformers: Any | None) -> Any:
    from sklearn.pipeline import make_pipeline

    steps = [t for t in transformers if t is not None]
    return make_pipeline(*steps) if steps else "passthrough"
