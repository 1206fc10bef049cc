"""Encoding for a model family, as one ColumnTransformer with explicit column lists.

All families are built from the same parts; `auto` stands for the choices below.

    family   missing numbers          low cardinality          high cardinality          scale
    linear   median and an indicator  one-hot                  mean of the target        standard
    plain    median and an indicator  one-hot                  mean of the target        none
    tree     left missing             ordinal codes            mean of the target        none
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlcore.data.dataset import Schema
from mlcore.features.steps import EncodeCategories, FillMissing, Scale
from mlcore.models.catalogue import Family
from mlcore.validation.metrics import Task

AUTO = {
    "linear": ("median", "onehot", "standard"),
    "plain": ("median", "onehot", "none"),
    "tree": ("leave", "ordinal", "none"),
}


def encoder(schema: Schema, steps: tuple[FillMissing, EncodeCategories, Scale], family: Family, task: Task) -> Any:
    """Build the ColumnTransformer of a family; categorical columns come first, so their positions are known."""
    from sklearn.compose import ColumnTransformer

    fill, encode, scale = steps
    auto_fill, auto_encode, auto_scale = AUTO[family]
    fill_method = auto_fill if fill.numbers == "auto" else fill.numbers
    encode_method = auto_encode if encode.method in ("auto", "target") else encode.method
    scale_method = auto_scale if scale.method == "auto" else scale.method
    parts = [
        (
            "categories",
            _category_encoder(encode_method, encode.min_rows, complete=family != "tree"),
            encode.low_cardinality(schema),
        ),
        ("many_levels", _chain(_target_encoder(task), _scaler(scale_method)), encode.high_cardinality(schema)),
        ("numbers", _chain(_filler(fill_method, fill.indicator), _scaler(scale_method)), schema.named("numeric")),
        (
            "truths",
            _chain(_filler("leave" if fill_method == "leave" else "most_frequent", fill.indicator)),
            schema.named("boolean"),
        ),
    ]
    return ColumnTransformer(
        [(name, transformer, columns) for name, transformer, columns in parts if columns],
        verbose_feature_names_out=False,
        sparse_threshold=0.0,
    )


def category_count(schema: Schema, steps: tuple[FillMissing, EncodeCategories, Scale]) -> int:
    """The number of leading columns of the tree family that hold category codes."""
    encode = steps[1]
    return len(encode.low_cardinality(schema)) if encode.method in ("auto", "ordinal") else 0


def _category_encoder(method: str, min_rows: int, *, complete: bool) -> Any:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    min_frequency = min_rows if min_rows > 1 else None
    if method == "onehot":
        return OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=60, min_frequency=min_frequency, sparse_output=False
        )
    missing = -1 if complete else np.nan  # a separate code where missing values are not allowed
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=missing,
        encoded_missing_value=missing,
        min_frequency=min_frequency,
    )


def _target_encoder(task: Task) -> Any:
    from mlcore.features.transformers import TargetMeans

    return TargetMeans(task)


def _filler(fill: str, indicator: bool) -> Any | None:
    from sklearn.impute import SimpleImputer

    if fill == "leave":
        return None
    strategy = "constant" if fill == "zero" else fill
    return SimpleImputer(
        strategy=strategy, fill_value=0.0 if fill == "zero" else None, add_indicator=indicator, keep_empty_features=True
    )


def _scaler(method: str) -> Any | None:
    from sklearn.preprocessing import MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler

    scalers: dict[str, Any] = {
        "standard": StandardScaler,
        "robust": RobustScaler,
        "minmax": MinMaxScaler,
        "power": PowerTransformer,
        "none": lambda: None,
    }
    return scalers[method]()


def _chain(*transformers: Any | None) -> Any:
    from sklearn.pipeline import make_pipeline

    steps = [t for t in transformers if t is not None]
    return make_pipeline(*steps) if steps else "passthrough"
