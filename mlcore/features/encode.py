"""What a model family needs, as one ColumnTransformer with explicit column lists.

All families are made of the same pieces; `auto` settles to the choice on the right.

    family   missing numbers          categories, few levels   categories, many levels   scale
    linear   median and a marker      one-hot                  mean of the target        standard
    plain    median and a marker      one-hot                  mean of the target        none
    tree     left missing             ordinal codes            mean of the target        none
"""

from __future__ import annotations

from typing import Any

from mlcore.dataset import Schema
from mlcore.features.steps import EncodeCategories, FillMissing, Scale
from mlcore.metrics import Task
from mlcore.models import Family

AUTO = {
    "linear": ("median", "onehot", "standard"),
    "plain": ("median", "onehot", "none"),
    "tree": ("leave", "ordinal", "none"),
}


def encoder(schema: Schema, steps: tuple[FillMissing, EncodeCategories, Scale], family: Family, task: Task) -> Any:
    """Build the ColumnTransformer of a family; categories come first, so that their places are known beforehand."""
    from sklearn.compose import ColumnTransformer

    fill, encode, scale = steps
    auto_fill, auto_encode, auto_scale = AUTO[family]
    fill_how = auto_fill if fill.numbers == "auto" else fill.numbers
    encode_how = auto_encode if encode.method in ("auto", "target") else encode.method
    scale_how = auto_scale if scale.method == "auto" else scale.method
    parts = [
        ("categories", _levels(encode_how, encode.rarest, complete=family != "tree"), encode.few(schema)),
        ("many_levels", _chain(_target_coding(task), _scaler(scale_how)), encode.many(schema)),
        ("numbers", _chain(_filler(fill_how, fill.mark), _scaler(scale_how)), schema.named("numeric")),
        (
            "truths",
            _chain(_filler("leave" if fill_how == "leave" else "most_frequent", fill.mark)),
            schema.named("boolean"),
        ),
    ]
    return ColumnTransformer(
        [(name, made, columns) for name, made, columns in parts if columns],
        verbose_feature_names_out=False,
        sparse_threshold=0.0,
    )


def category_count(schema: Schema, steps: tuple[FillMissing, EncodeCategories, Scale]) -> int:
    """How many of the first columns of the tree family are category codes."""
    encode = steps[1]
    return len(encode.few(schema)) if encode.method in ("auto", "ordinal") else 0


def _levels(how: str, rarest: int, *, complete: bool) -> Any:
    import numpy as np
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    fewest = rarest if rarest > 1 else None
    if how == "onehot":
        return OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=60, min_frequency=fewest, sparse_output=False
        )
    missing = -1 if complete else np.nan  # a code of its own where no cell may be left empty
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=missing,
        encoded_missing_value=missing,
        min_frequency=fewest,
    )


def _target_coding(task: Task) -> Any:
    from mlcore.features.transformers import TargetMeans

    return TargetMeans(task)


def _filler(how: str, mark: bool) -> Any | None:
    from sklearn.impute import SimpleImputer

    if how == "leave":
        return None
    strategy = "constant" if how == "zero" else how
    return SimpleImputer(
        strategy=strategy, fill_value=0.0 if how == "zero" else None, add_indicator=mark, keep_empty_features=True
    )


def _scaler(how: str) -> Any | None:
    from sklearn.preprocessing import MinMaxScaler, PowerTransformer, RobustScaler, StandardScaler

    made: dict[str, Any] = {
        "standard": StandardScaler,
        "robust": RobustScaler,
        "minmax": MinMaxScaler,
        "power": PowerTransformer,
        "none": lambda: None,
    }
    return made[how]()


def _chain(*made: Any | None) -> Any:
    from sklearn.pipeline import make_pipeline

    steps = [m for m in made if m is not None]
    return make_pipeline(*steps) if steps else "passthrough"
