"""Figures of whole columns, exact, from the Parquet file: one column in memory at a time on each of two threads.

A column as an array gives quantiles by partition and a histogram by counting; texts are counted by the codes that they
are stored as. That is faster than asking a database for each of them (docs/decisions/0006).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlcore.result import Array

if TYPE_CHECKING:
    import pyarrow as pa

SPARK_BINS = 12
TOP = 12
WIDE = 2000  # columns beyond which looking up how each is stored costs more than it saves
THREADS = 2
ALONE_ROWS = 4_000_000  # of larger tables one column at a time is in memory, not one on each thread
NEAR = 1 << 17
COUNTED = 200_000  # real numbers and texts that hardly repeat are counted up to here
CELLS_AT_ONCE = 1 << 20  # of one read; wide tables are read by many columns at a time
SEED = 0


@dataclass(frozen=True)
class Figures:
    """What one column holds; None or 0 where a figure has no meaning. Dates are seconds since 1970."""

    known: int  # cells that are not missing
    distinct: int  # −1: many, and not counted
    infinite: int = 0
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    deviation: float | None = None  # with n − 1
    skew: float | None = None
    quartiles: tuple[float, float, float] | None = None
    outliers: int = 0  # beyond three quartile ranges from the middle half (Tukey's far out)
    zeros: int = 0
    spark: tuple[int, ...] = ()  # rows in SPARK_BINS ranges of equal width, or of the most common levels
    top: tuple[tuple[str, int], ...] = ()
    alone: int = 0  # levels that occur once, twice … up to nine times
    length: float = 0.0  # mean number of characters, of texts
    words: float = 0.0


class Scan:
    """A Parquet file of ours, looked at by column."""

    def __init__(self, path: Path, keep: Array | None = None, *, count: bool = True, shape: bool = True) -> None:
        """`keep` (rows,) says which rows matter; `count`: how many values differ; `shape`: quantiles, moments, bins."""
        import pyarrow.parquet as pq

        self.path, self.keep, self.count, self.shape = path, keep, count, shape
        plain = pq.ParquetFile(path)
        self.rows: int = plain.metadata.num_rows
        self.types: dict[str, pa.DataType] = dict(zip(plain.schema_arrow.names, plain.schema_arrow.types, strict=True))
        self._metadata = plain.metadata
        self._coded = _dictionaries(plain) if len(self.types) < WIDE else []
        self._own = threading.local()

    def _read(self, names: list[str]) -> Any:
        """Columns as an Arrow table, by a reader of this thread's own."""
        import pyarrow.parquet as pq

        if not hasattr(self._own, "file"):
            self._own.file = pq.ParquetFile(self.path, metadata=self._metadata, read_dictionary=self._coded)
        return self._own.file.read(names, use_threads=False)

    def _parts(self, names: Iterable[str]) -> Iterator[list[str]]:
        """So many columns at a time as fit into memory well."""
        left = iter(names)
        at_once = max(1, CELLS_AT_ONCE // max(self.rows, 1))
        while part := list(islice(left, at_once)):
            yield part

    def figures(self, names: list[str], take: Array | None = None) -> tuple[dict[str, Figures], dict[str, Any]]:
        """The figures of some columns; and their cells at the rows `take`, where these are wanted, as Arrow arrays."""
        import pyarrow as pa

        places = None if take is None else pa.array(take)

        def look(part: list[str]) -> list[tuple[str, Figures, Any]]:
            table = self._read(part)
            return [
                (n, self.of(n, table.column(n)), None if places is None else table.column(n).take(places)) for n in part
            ]

        with ThreadPoolExecutor(THREADS if self.rows <= ALONE_ROWS else 1) as pool:
            found = [item for part in pool.map(look, self._parts(names)) for item in part]
        pa.default_memory_pool().release_unused()
        return {n: f for n, f, _ in found}, {n: c for n, _, c in found if c is not None}

    def of(self, name: str, column: Any) -> Figures:
        """The figures of one column."""
        import pyarrow as pa
        import pyarrow.types as pt

        if self.keep is not None:
            column = column.filter(pa.array(self.keep))
        kind = self.types[name]
        if pt.is_boolean(kind):
            return _of_truths(column)
        if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_dictionary(kind):
            return _of_texts(column, self.count)
        if pt.is_timestamp(kind):
            return _of_dates(column, self.count, self.shape)
        return _of_numbers(column, self.count, self.shape)

    def sample(self, most: int) -> Array:
        """Positions of rows drawn at random, the same each time, in order; all where there are no more."""
        if self.rows <= most:
            return np.arange(self.rows)
        return np.sort(np.random.default_rng(SEED).choice(self.rows, most, replace=False, shuffle=False))


def _dictionaries(file: Any) -> list[str]:
    """Texts that are stored as codes of levels throughout: these are counted by their codes."""
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


def _of_numbers(column: Any, count: bool, shape: bool) -> Figures:
    values = column.drop_null().to_numpy()
    known = len(values)
    infinite = 0
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        if not finite.all():
            infinite = int(np.isinf(values).sum())
            values = values[finite]
    distinct = _different(values) if count and len(values) else 0
    found = Figures(known, distinct + min(infinite, 2) if distinct >= 0 else -1, infinite)
    return _with_shape(found, values, 1, shape)


def _of_dates(column: Any, count: bool, shape: bool) -> Figures:
    import pyarrow as pa

    stamps = column.cast(pa.timestamp("us")).cast(pa.int64()).drop_null().to_numpy()
    found = Figures(len(stamps), _different(stamps) if count and len(stamps) else 0)
    return _with_shape(found, stamps, 1e6, shape)


def _with_shape(found: Figures, values: Array, per: float, shape: bool) -> Figures:
    """Add range and, with `shape`, quantiles, moments and bins of finite numbers; `per` of them make a unit."""
    n = len(values)
    if not n:
        return found
    low, high = float(values.min()), float(values.max())
    found = replace(found, low=low / per, high=high / per)
    if not shape:
        return found
    quartiles = quantiles(values, (0.25, 0.5, 0.75)) / per
    mean = float(values.mean()) / per
    lower, upper = float(quartiles[0]), float(quartiles[2])
    reach = 3 * (upper - lower)  # Python's own numbers: infinite without a warning where the range is extreme
    fences = (lower - reach, upper + reach)
    counts = np.zeros(SPARK_BINS, np.int64)
    flat = not high > low or not np.isfinite(high - low)
    squares = cubes = 0.0
    far = zeros = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, n, NEAR):  # in pieces that stay in the processor's cache
            part = values[start : start + NEAR].astype("float64")
            if not flat:
                places = ((part - low) * (SPARK_BINS / (high - low))).astype(np.int32)
                counts += np.bincount(np.minimum(places, SPARK_BINS - 1), minlength=SPARK_BINS)
            zeros += len(part) - int(np.count_nonzero(part))
            if per != 1:
                part = part / per
            far += int(np.count_nonzero((part < fences[0]) | (part > fences[1]))) if reach > 0 else 0
            part -= mean
            squared = part * part
            squares += float(squared.sum())
            cubes += float(np.dot(squared, part))
    deviation = float(np.sqrt(squares / (n - 1))) if n > 1 else None
    spread = np.sqrt(squares / n)
    skew = cubes / n / spread**3 if 0 < spread < np.inf else 0.0
    return replace(
        found,
        mean=mean if np.isfinite(mean) else None,
        deviation=deviation if deviation is not None and np.isfinite(deviation) else None,
        skew=float(skew) if np.isfinite(skew) else None,
        quartiles=(float(quartiles[0]), float(quartiles[1]), float(quartiles[2])),
        outliers=far,
        zeros=zeros,
        spark=() if flat else tuple(int(c) for c in counts),
    )


def _different(values: Array) -> int:
    """How many different values: by a table of them where a look says that they repeat, else by sorting."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(np.unique(values[:20_000])) < 0.5 * min(len(values), 20_000):
        return int(pc.count_distinct(pa.array(values)).as_py())
    if len(values) > COUNTED and values.dtype.kind == "f":
        return -1
    ordered = np.sort(values)
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def quantiles(values: Array, shares: tuple[float, ...]) -> Array:
    """Quantiles with linear interpolation (type 7 of Hyndman and Fan, 1996), without sorting the rest."""
    places = np.array(shares) * (len(values) - 1)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, len(values) - 1)
    parted = np.partition(values, np.unique([below, above]))
    low, high = parted[below].astype("float64"), parted[above].astype("float64")
    return np.asarray(low + (high - low) * (places - below))


def _of_truths(column: Any) -> Figures:
    import pyarrow.compute as pc

    known = len(column) - column.null_count
    true = int(pc.sum(column).as_py() or 0)
    counts = [(name, n) for name, n in (("true", true), ("false", known - true)) if n]
    counts.sort(key=lambda item: -item[1])
    return Figures(known, len(counts), top=tuple(counts), spark=tuple(n for _, n in counts) if len(counts) > 1 else ())


def _of_texts(column: Any, count: bool) -> Figures:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    known = len(column) - column.null_count
    if not known:
        return Figures(0, 0)
    if not pt.is_dictionary(column.type):
        sample = column.slice(0, 20_000)
        if len(sample.unique()) > 0.5 * len(sample):
            return _of_varied(column, known, count)
        column = column.combine_chunks() if column.num_chunks > 1 and len(column) < 5_000_000 else column
        column = column.dictionary_encode()
    unified = column.unify_dictionaries()
    levels = unified.chunk(0).dictionary if unified.num_chunks else pa.array([], pa.string())
    counts = np.zeros(len(levels), np.int64)
    for chunk in unified.chunks:
        codes = chunk.indices.drop_null() if chunk.null_count else chunk.indices
        counts += np.bincount(codes.to_numpy(), minlength=len(levels))
    here = np.flatnonzero(counts)
    first = here[np.argpartition(-counts[here], TOP)[: TOP + 1]] if len(here) > TOP + 1 else here
    texts = levels.take(pa.array(first)).to_pylist()
    top = sorted(
        ((str(t)[:80], int(counts[i])) for t, i in zip(texts, first, strict=True)), key=lambda x: (-x[1], x[0])
    )
    lengths = pc.utf8_length(levels).to_numpy(zero_copy_only=False)
    spaces = pc.count_substring(levels, " ").to_numpy(zero_copy_only=False) + 1
    return Figures(
        known,
        len(here),
        top=tuple(top[:TOP]),
        spark=tuple(n for _, n in top[:TOP]) if len(here) > 1 else (),
        alone=int(((counts > 0) & (counts < 10)).sum()),
        length=float((lengths * counts).sum() / known),
        words=float((spaces * counts).sum() / known),
    )


def _of_varied(column: Any, known: int, count: bool) -> Figures:
    """Texts that hardly repeat: how long they are, judged by the first; the levels themselves tell nothing."""
    import pyarrow.compute as pc

    first = column.slice(0, COUNTED)
    length = float(pc.mean(pc.utf8_length(first)).as_py() or 0)
    words = float(pc.mean(pc.count_substring(first, " ")).as_py() or 0) + 1
    few = known <= COUNTED
    distinct = int(pc.count_distinct(column, mode="only_valid").as_py()) if count and few else -1 if count else 0
    return Figures(known, distinct, length=length, words=words)
