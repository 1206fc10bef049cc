"""Exact statistics of whole columns from the Parquet file; each of two threads holds one column in memory.

Numbers are read as arrays: quantiles by partitioning, histograms by counting. Texts are counted by their dictionary
codes. This is faster than one database query per statistic (docs/decisions/0006).
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mlcore.data.dataset import Dataset
from mlcore.result import Array

MOST_PROFILED = 1000  # columns with statistics; wider tables keep kinds and counts for the rest


def column_stats(dataset: Dataset, keep: Array | None = None) -> dict[str, ColumnStats]:
    """The statistics of the first MOST_PROFILED columns. Without `keep`, counts in the schema are not repeated."""
    names = dataset.schema.names[:MOST_PROFILED]
    return Scan(dataset.path, keep, count=keep is not None and len(keep) <= COUNTED).figures(names)[0]


SPARK_BINS = 12
TOP = 12
MOST_FOLDED = 1000  # categories whose spellings are compared
WIDE = 2000  # with more columns, looking up how each is stored costs more than it saves
THREADS = 2
ALONE_ROWS = 4_000_000  # with more rows, one column at a time is in memory, not one per thread
NEAR = 1 << 17
COUNTED = 200_000  # rows up to which real numbers and nearly unique texts are counted
CELLS_AT_ONCE = 1 << 20  # values per read; wide tables are read many columns at a time
SEED = 0


@dataclass(frozen=True)
class ColumnStats:
    """The statistics of one column; None or 0 where one is not defined. Dates are seconds since 1970."""

    known: int  # values that are not missing
    distinct: int  # −1: many, not counted
    infinite: int = 0
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    deviation: float | None = None  # with n − 1
    skew: float | None = None
    quartiles: tuple[float, float, float] | None = None
    outliers: int = 0  # more than three interquartile ranges beyond the quartiles (Tukey's far out)
    zeros: int = 0
    spark: tuple[int, ...] = ()  # rows in SPARK_BINS bins of equal width, or of the most common categories
    top: tuple[tuple[str, int], ...] = ()
    alone: int = 0  # categories that occur one to nine times
    length: float = 0.0  # mean number of characters, of texts
    words: float = 0.0
    folded: int = 0  # distinct texts where upper and lower case and runs of blanks count as one; 0: as `distinct`


class Scan:
    """A Parquet file of the workspace, read column by column."""

    def __init__(self, path: Path, keep: Array | None = None, *, count: bool = True, shape: bool = True) -> None:
        """`keep` (rows,) is a mask of rows; `count`: count distinct values; `shape`: quantiles, moments, bins."""
        import pyarrow.parquet as pq

        self.path, self.keep, self.count, self.shape = path, keep, count, shape
        plain = pq.ParquetFile(path)
        self.rows: int = plain.metadata.num_rows
        self.types: dict[str, pa.DataType] = dict(zip(plain.schema_arrow.names, plain.schema_arrow.types, strict=True))
        self._metadata = plain.metadata
        self._encoded = _dictionary_encoded(plain) if len(self.types) < WIDE else []
        self._local = threading.local()

    def _read(self, names: list[str]) -> Any:
        """Columns as an Arrow table, by the reader of this thread."""
        import pyarrow.parquet as pq

        if not hasattr(self._local, "file"):
            self._local.file = pq.ParquetFile(self.path, metadata=self._metadata, read_dictionary=self._encoded)
        return self._local.file.read(names, use_threads=False)

    def _batches(self, names: Iterable[str]) -> Iterator[list[str]]:
        """Batches of columns that fit into memory."""
        remaining = iter(names)
        size = max(1, CELLS_AT_ONCE // max(self.rows, 1))
        while batch := list(islice(remaining, size)):
            yield batch

    def figures(self, names: list[str], take: Array | None = None) -> tuple[dict[str, ColumnStats], dict[str, Any]]:
        """The statistics of some columns and, with `take`, their values at those rows as Arrow arrays."""
        import pyarrow as pa

        rows = None if take is None else pa.array(take)

        def look(batch: list[str]) -> list[tuple[str, ColumnStats, Any]]:
            table = self._read(batch)
            return [
                (n, self.of(n, table.column(n)), None if rows is None else table.column(n).take(rows)) for n in batch
            ]

        with ThreadPoolExecutor(THREADS if self.rows <= ALONE_ROWS else 1) as pool:
            results = [item for batch in pool.map(look, self._batches(names)) for item in batch]
        pa.default_memory_pool().release_unused()
        return {n: f for n, f, _ in results}, {n: c for n, _, c in results if c is not None}

    def of(self, name: str, column: Any) -> ColumnStats:
        """The statistics of one column."""
        import pyarrow as pa
        import pyarrow.types as pt

        if self.keep is not None:
            column = column.filter(pa.array(self.keep))
        kind = self.types[name]
        if pt.is_boolean(kind):
            return _of_booleans(column)
        if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_dictionary(kind):
            return _of_texts(column, self.count)
        if pt.is_timestamp(kind):
            return _of_dates(column, self.count, self.shape)
        return _of_numbers(column, self.count, self.shape)

    def sample(self, most: int) -> Array:
        """Positions of random rows, in order and the same each time; all rows if there are at most `most`."""
        if self.rows <= most:
            return np.arange(self.rows)
        return np.sort(np.random.default_rng(SEED).choice(self.rows, most, replace=False, shuffle=False))


def _dictionary_encoded(file: Any) -> list[str]:
    """Text columns that are dictionary-encoded throughout: they are counted by their codes."""
    import pyarrow.types as pt

    texts = [i for i, kind in enumerate(file.schema_arrow.types) if pt.is_string(kind)]
    groups = [file.metadata.row_group(g) for g in range(file.metadata.num_row_groups)]
    return [
        file.schema_arrow.names[i]
        for i in texts
        if all(
            g.column(i).has_dictionary_page
            and set(g.column(i).encodings) <= {"PLAIN_DICTIONARY", "RLE_DICTIONARY", "PLAIN", "RLE"}
            for g in groups
        )
    ]


def _of_numbers(column: Any, count: bool, shape: bool) -> ColumnStats:
    values = column.drop_null().to_numpy()
    known = len(values)
    infinite = 0
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.all():
            infinite = int(np.isinf(values).sum())
            values = values[finite]
    distinct = _count_distinct(values) if count and len(values) else 0
    stats = ColumnStats(known, distinct + min(infinite, 2) if distinct >= 0 else -1, infinite)
    return _with_shape(stats, values, 1, shape)


def _of_dates(column: Any, count: bool, shape: bool) -> ColumnStats:
    import pyarrow as pa

    timestamps = column.cast(pa.timestamp("us")).cast(pa.int64()).drop_null().to_numpy()
    stats = ColumnStats(len(timestamps), _count_distinct(timestamps) if count and len(timestamps) else 0)
    return _with_shape(stats, timestamps, 1e6, shape)


def _with_shape(stats: ColumnStats, values: Array, per: float, shape: bool) -> ColumnStats:
    """Add the range and, with `shape`, quantiles, moments and bins of finite numbers, in units of `per`."""
    n = len(values)
    if not n:
        return stats
    low, high = float(values.min()), float(values.max())
    stats = replace(stats, low=low / per, high=high / per)
    if not shape:
        return stats
    quartiles = quantiles(values, (0.25, 0.5, 0.75)) / per
    mean = float(values.mean()) / per
    lower, upper = float(quartiles[0]), float(quartiles[2])
    margin = 3 * (upper - lower)  # Python floats: infinite without a warning where the range is extreme
    fences = (lower - margin, upper + margin)
    counts = np.zeros(SPARK_BINS, np.int64)
    flat = not high > low or not np.isfinite(high - low)
    squares = cubes = 0.0
    beyond = zeros = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, n, NEAR):  # in chunks that stay in the processor's cache
            part = values[start : start + NEAR].astype("float64")
            if not flat:
                bins = ((part - low) * (SPARK_BINS / (high - low))).astype(np.int32)
                counts += np.bincount(np.minimum(bins, SPARK_BINS - 1), minlength=SPARK_BINS)
            zeros += len(part) - int(np.count_nonzero(part))
            if per != 1:
                part = part / per
            beyond += int(np.count_nonzero((part < fences[0]) | (part > fences[1]))) if margin > 0 else 0
            part -= mean
            squared = part * part
            squares += float(squared.sum())
            cubes += float(np.dot(squared, part))
    deviation = float(np.sqrt(squares / (n - 1))) if n > 1 else None
    population_deviation = np.sqrt(squares / n)
    skew = cubes / n / population_deviation**3 if 0 < population_deviation < np.inf else 0.0
    return replace(
        stats,
        mean=mean if np.isfinite(mean) else None,
        deviation=deviation if deviation is not None and np.isfinite(deviation) else None,
        skew=float(skew) if np.isfinite(skew) else None,
        quartiles=(float(quartiles[0]), float(quartiles[1]), float(quartiles[2])),
        outliers=beyond,
        zeros=zeros,
        spark=() if flat else tuple(int(c) for c in counts),
    )


def _count_distinct(values: Array) -> int:
    """The number of distinct values: by a hash table if a sample shows repeats, else by sorting."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(np.unique(values[:20_000])) < 0.5 * min(len(values), 20_000):
        return int(pc.count_distinct(pa.array(values)).as_py())
    if len(values) > COUNTED and values.dtype.kind == "f":
        return -1
    ordered = np.sort(values)
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def quantiles(values: Array, shares: tuple[float, ...]) -> Array:
    """Quantiles with linear interpolation (type 7 of Hyndman and Fan, 1996), without a full sort."""
    positions = np.array(shares) * (len(values) - 1)
    below = np.floor(positions).astype(int)
    above = np.minimum(below + 1, len(values) - 1)
    partitioned = np.partition(values, np.unique([below, above]))
    low, high = partitioned[below].astype("float64"), partitioned[above].astype("float64")
    return np.asarray(low + (high - low) * (positions - below))


def _of_booleans(column: Any) -> ColumnStats:
    import pyarrow.compute as pc

    known = len(column) - column.null_count
    true = int(pc.sum(column).as_py() or 0)
    counts = [(name, n) for name, n in (("true", true), ("false", known - true)) if n]
    counts.sort(key=lambda item: -item[1])
    return ColumnStats(
        known, len(counts), top=tuple(counts), spark=tuple(n for _, n in counts) if len(counts) > 1 else ()
    )


def _of_texts(column: Any, count: bool) -> ColumnStats:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    known = len(column) - column.null_count
    if not known:
        return ColumnStats(0, 0)
    if not pt.is_dictionary(column.type):
        sample = column.slice(0, 20_000)
        if len(sample.unique()) > 0.5 * len(sample):
            return _of_nearly_unique(column, known, count)
        column = column.combine_chunks() if column.num_chunks > 1 and len(column) < 5_000_000 else column
        column = column.dictionary_encode()
    unified = column.unify_dictionaries()
    categories = unified.chunk(0).dictionary if unified.num_chunks else pa.array([], pa.string())
    counts = np.zeros(len(categories), np.int64)
    for chunk in unified.chunks:
        codes = chunk.indices.drop_null() if chunk.null_count else chunk.indices
        counts += np.bincount(codes.to_numpy(), minlength=len(categories))
    present = np.flatnonzero(counts)
    largest = present[np.argpartition(-counts[present], TOP)[: TOP + 1]] if len(present) > TOP + 1 else present
    texts = categories.take(pa.array(largest)).to_pylist()
    top = sorted(
        ((str(t)[:80], int(counts[i])) for t, i in zip(texts, largest, strict=True)), key=lambda x: (-x[1], x[0])
    )
    few = [str(t) for t in categories.take(pa.array(present)).to_pylist()] if len(present) <= MOST_FOLDED else []
    lengths = pc.utf8_length(categories).to_numpy(zero_copy_only=False)
    spaces = pc.count_substring(categories, " ").to_numpy(zero_copy_only=False) + 1
    return ColumnStats(
        known,
        len(present),
        top=tuple(top[:TOP]),
        spark=tuple(n for _, n in top[:TOP]) if len(present) > 1 else (),
        alone=int(((counts > 0) & (counts < 10)).sum()),
        length=float((lengths * counts).sum() / known),
        words=float((spaces * counts).sum() / known),
        folded=len(set(map(folded, few))),
    )


def folded(text: str) -> str:
    """A spelling without case, accents of writing such as full-width letters, and runs of blanks.

    >>> folded(" YES "), folded("New  York")
    ('yes', 'new york')
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _of_nearly_unique(column: Any, known: int, count: bool) -> ColumnStats:
    """Nearly unique texts: their length, estimated from the first COUNTED rows; categories say nothing here."""
    import pyarrow.compute as pc

    first = column.slice(0, COUNTED)
    length = float(pc.mean(pc.utf8_length(first)).as_py() or 0)
    words = float(pc.mean(pc.count_substring(first, " ")).as_py() or 0) + 1
    few = known <= COUNTED
    distinct = int(pc.count_distinct(column, mode="only_valid").as_py()) if count and few else -1 if count else 0
    return ColumnStats(known, distinct, length=length, words=words)
