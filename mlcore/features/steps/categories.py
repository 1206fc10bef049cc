"""Categories: encode them as numbers, cross them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Column, Kind, Schema
from mlcore.features.steps.base import CATEGORIES, Learned, Made, Step, Training, Works, option, texts
from mlcore.result import Help
from mlcore.wording import several

MOST_CODES = 250  # histogram boosting takes no more codes per column
MOST_COLUMNS = 60  # of one-hot; rarer categories share a column
HASHED = 16  # columns of hashing
ENCODINGS = {
    "auto": "as each model needs it",
    "one_hot": "one column per category (one-hot)",
    "ordinal": "one code per category (ordinal)",
    "target": "mean of the target (target encoding)",
    "count": "how often the category occurs",
    "hashing": "hashed into 16 columns",
    "binary": "the binary digits of a code",
}


@dataclass(frozen=True, kw_only=True)
class Encode(Step):
    """Turn categories into numbers; by default as each model family needs it."""

    step: ClassVar[str] = "encode"
    title: ClassVar[str] = "Categories into numbers"
    kinds: ClassVar[tuple[Kind, ...]] = CATEGORIES
    help: ClassVar[Help] = Help(
        "Models calculate with numbers, so categories become columns or codes.",
        "Automatic gives one column per category, codes for trees, and the mean of the target where there are many "
        "categories. The mean is cross-fitted: a row never sees its own target.",
        "Ordinal codes imply an order, which linear models take literally.",
        "Merge rare categories when a fold may not contain them.",
    )
    method: str = option("auto", "Method", choices=ENCODINGS)
    max_categories: int = option(30, "Categories above which target encoding is used", low=2, high=500)
    min_rows: int = option(1, "Merge categories with fewer rows than", low=1, high=1000)  # training rows
    order: tuple[Any, ...] = option((), "Order of ordinal codes")

    def low_cardinality(self, schema: Schema) -> list[str]:
        """Categorical columns that get one column or one code per category."""
        if self.method == "target":
            return []
        return [c.name for c in _categories(schema) if c.distinct <= min(self.max_categories, MOST_CODES)]

    def high_cardinality(self, schema: Schema) -> list[str]:
        """Categorical columns encoded by the mean of the target, such as those of high cardinality."""
        few = set(self.low_cardinality(schema))
        return [c.name for c in _categories(schema) if c.name not in few]

    def learn(self, training: Training) -> Learned:
        """The categories with their counts, or the fitted target encoder."""
        columns = {str(c): texts(training.frame[c]) for c in training.frame}
        if self.method == "target":
            from mlcore.features.target_means import TargetMeans

            frame = pd.DataFrame(columns).astype(object)
            encoder = TargetMeans(training.task)
            return {"encoder": encoder, "training": encoder.fit_transform(frame, training.y)}
        counts = {n: column.value_counts().head(10_000) for n, column in columns.items()}
        kept = {n: [str(v) for v in c.index[c >= self.min_rows]] for n, c in counts.items()}
        return {
            "kept": {n: self._ordered(values) for n, values in kept.items()},
            "counts": {n: {str(k): int(v) for k, v in c.items()} for n, c in counts.items()},
        }

    def _ordered(self, values: list[str]) -> list[str]:
        if not self.order:
            return sorted(values)
        given = [str(v) for v in self.order]
        return [*given, *sorted(v for v in values if v not in given)]

    def make_training(self, training: Training, learned: Learned) -> Made:
        """The encoded training rows; target means are those of other rows."""
        if self.method == "target":
            return self._means(np.asarray(learned.pop("training")), list(map(str, training.frame)))
        return self.make(training.frame, learned)

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The encoded columns."""
        columns = {str(c): texts(frame[c]) for c in frame}
        if self.method == "target":
            return self._means(learned["encoder"].transform(pd.DataFrame(columns).astype(object)), list(columns))
        made: Made = {}
        for name, column in columns.items():
            made |= self._column(name, column, learned)
        return made

    def _means(self, values: Any, names: list[str]) -> Made:
        wide = values.shape[1] // len(names)
        labels = [name if wide == 1 else f"{name} mean {k}" for name in names for k in range(wide)]
        return {label: values[:, i] for i, label in enumerate(labels)}

    def _column(self, name: str, column: pd.Series, learned: Learned) -> Made:
        kept = learned["kept"][name]
        if self.method == "count":
            return {name: column.map(learned["counts"][name]).fillna(0).to_numpy(float)}
        if self.method == "hashing":
            return _hashed(name, column)
        if self.method in ("one_hot", "auto"):
            shown = kept[:MOST_COLUMNS]
            made: Made = {f"{name}_{value}": (column == value).to_numpy() for value in shown}
            return {**made, f"{name}_other": (~column.isin(shown)).to_numpy()}
        codes = column.map({value: i for i, value in enumerate(kept)})
        if self.method == "ordinal":
            return {name: codes.to_numpy(float, na_value=np.nan)}
        digits = max(1, len(kept).bit_length())
        whole = (codes.fillna(-1).to_numpy(int)) + 1  # 0: missing or unknown
        return {f"{name} bit {d}": ((whole >> d) & 1).astype(bool) for d in range(digits)}

    def words(self, columns: list[str]) -> str:
        """The columns and the method."""
        merged = f", categories with fewer than {self.min_rows} rows merged" if self.min_rows > 1 else ""
        if self.method == "auto":
            return (
                f"Encode {several(columns)}: one column per category, codes for trees, the mean of the target above "
                f"{self.max_categories} categories{merged}."
            )
        return f"Encode {several(columns)}: {ENCODINGS[self.method]}{merged}."


def _categories(schema: Schema) -> list[Column]:
    return [c for c in schema if c.kind in CATEGORIES]


def _hashed(name: str, column: pd.Series) -> Made:
    """Columns of 0 and 1, by a hash that is the same in every process."""
    known = {v: int.from_bytes(hashlib.blake2b(v.encode(), digest_size=4).digest(), "big") % HASHED
             for v in column.dropna().unique()}  # fmt: skip
    places = column.map(known)
    return {f"{name} hash {k}": (places == k).to_numpy() for k in range(HASHED)}


@dataclass(frozen=True, kw_only=True)
class Cross(Step):
    """Cross categories: each combination becomes a category."""

    step: ClassVar[str] = "cross"
    title: ClassVar[str] = "Cross categories"
    kinds: ClassVar[tuple[Kind, ...]] = ("categorical", "boolean", "numeric", "identifier", "constant")
    fewest: ClassVar[int] = 2
    works: ClassVar[Works] = "row by row"
    help: ClassVar[Help] = Help(
        "Education × occupation: one category for each combination that occurs.",
        "Linear models learn an effect of each combination; the columns themselves stay.",
        "Many combinations are rare, and a rare combination is learned from few rows.",
        "Cross bins rather than raw numbers.",
    )

    has_auto: ClassVar[bool] = False

    @property
    def replaces(self) -> bool:
        """The columns stay."""
        return False

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """One category per row; missing where a part is missing."""
        parts = [texts(frame[c]) for c in frame]
        rows = zip(*(p.to_list() for p in parts), strict=True)
        joined = [" × ".join(row) if all(isinstance(v, str) for v in row) else None for row in rows]
        return {" × ".join(map(str, frame)): pd.Series(joined, index=frame.index, dtype=object)}

    def words(self, columns: list[str]) -> str:
        """The columns."""
        return f"Cross {several(columns)}: each combination is a category."
