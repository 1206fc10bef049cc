"""The rows of a view, and queries on them: DuckDB over the Parquet file, never the whole frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from mlcore.data.dataset import Column, Dataset, Schema, unique_names
from mlcore.data.filters import Filters, sql_of
from mlcore.data.sql import WIDE, free_names, is_date, level, quoted, quoted_path, quoted_text
from mlcore.errors import NotApplicable
from mlcore.result import Array

MOST_COLOURS = 6
MOST_LEVELS = 20
MOST_SHOWN = 200  # columns of a preview of the first rows
FEW_WHOLE = 12  # maximum number of distinct integers that may stand for groups
OTHER = "other"
FEW_DRAWN = 2000  # rows of the sample that are enough for a plot of rows
EXACT_ROWS = 2_000_000  # beyond this, figures that need sorted values come from the sample, marked ≈

Ask = Callable[[str], list[Any]]


@dataclass(frozen=True)
class View:
    """A dataset, or those of its rows that satisfy some conditions."""

    dataset: Dataset
    filters: Filters = ()

    @classmethod
    def of(cls, data: Dataset | View) -> View:
        """A view of all rows, unless `data` is a view already."""
        return data if isinstance(data, View) else cls(data)

    @property
    def schema(self) -> Schema:
        """The columns."""
        return self.dataset.schema

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        if not self.filters:
            return self.dataset.rows
        return int(query(self, "SELECT count(*) FROM data")[0][0])

    @cached_property
    def sampled(self) -> int:
        """The number of these rows that are in the sample."""
        return int(query(self, "SELECT count(*) FROM picked")[0][0]) if self.dataset.sample_path else self.rows

    @property
    def exact(self) -> bool:
        """Whether quantiles are computed from all rows, not from the sample."""
        return self.rows <= EXACT_ROWS or self.dataset.sample_path is None

    def drawn_from(self, most: int) -> str:
        """The source of `most` random rows: the sample, unless the conditions leave too few of its rows."""
        enough = self.dataset.sample_path is not None and self.sampled >= min(most, FEW_DRAWN, self.rows)
        return "picked" if enough else "data"

    def keep(self) -> Array:
        """(all rows,) whether each row is in the view."""
        index = quoted(*free_names(self.schema.names, 1))
        mask = np.zeros(self.dataset.rows, bool)
        with duckdb.connect() as con:
            columns = con.execute(
                f"SELECT {index} FROM (SELECT *, row_number() OVER () - 1 AS {index} FROM {_parquet(self.dataset)}) "
                f"WHERE {sql_of(self.filters, self.schema)}"
            ).fetchnumpy()
        mask[np.asarray(next(iter(columns.values())))] = True
        return mask


@contextmanager
def _connection(view: View) -> Iterator[duckdb.DuckDBPyConnection]:
    where = sql_of(view.filters, view.schema)
    wide = len(view.schema) > WIDE  # each thread holds several thousand rows of all columns
    with duckdb.connect() as con:
        con.execute(
            "SET threads = 1; SET memory_limit = '1500MB'" if wide else "SET threads = 2; SET memory_limit = '600MB'"
        )
        con.execute(f"SET temp_directory = {quoted_text(str(view.dataset.path.with_name('spill')))}")
        con.execute(f"CREATE VIEW data AS SELECT * FROM {_parquet(view.dataset)} WHERE {where}")
        con.execute(f"CREATE VIEW picked AS SELECT * FROM {_parquet(view.dataset, sample=True)} WHERE {where}")
        try:
            yield con
        except duckdb.OutOfMemoryException:
            raise NotApplicable(
                f"With {len(view.schema):,} columns and {view.dataset.rows:,} rows, this plot needs more memory than "
                "allowed. Select fewer rows, or leave columns out."
            ) from None


@contextmanager
def asking(data: Dataset | View) -> Iterator[Ask]:
    """Open the rows for several queries; see `query`."""
    with _connection(View.of(data)) as con:
        yield lambda sql: con.execute(sql).fetchall()


def _parquet(dataset: Dataset, *, sample: bool = False) -> str:
    path = (dataset.sample_path if sample else None) or dataset.path
    return f"read_parquet({quoted_path(path)})"


def query(data: Dataset | View, sql: str) -> list[Any]:
    """Run SQL in which `data` stands for the rows and `picked` for a sample of them.

    Put only quoted names into `sql`, and group and order results by their position, never by an alias: a
    column of the data may have any name.
    """
    with asking(data) as ask:
        return ask(sql)


def drawn(view: View, wanted: str, where: str, most: int, names: list[str]) -> pd.DataFrame:
    """At most `most` rows, in an order that looks random and is the same each time."""
    order = "ORDER BY hash(row_number() OVER ())"
    records = query(view, f"SELECT {wanted} FROM {view.drawn_from(most)} WHERE {where} {order} LIMIT {most}")
    return pd.DataFrame(records, columns=names)


def sampled(view: View, names: list[str], most: int) -> pd.DataFrame:
    """At most `most` random rows, the same each time, with the columns `names`."""
    columns, index = ", ".join(quoted(n) for n in names), quoted(*free_names(view.schema.names, 1))
    numbered = f"SELECT {columns}, row_number() OVER () AS {index} FROM {view.drawn_from(most)}"
    with _connection(view) as con:
        return con.execute(f"SELECT {columns} FROM ({numbered}) ORDER BY hash({index}) LIMIT {most}").df()


def head(data: Dataset | View, rows: int = 100) -> pd.DataFrame:
    """The first rows, for a preview; of very wide tables, the first MOST_SHOWN columns."""
    view = View.of(data)
    columns = ", ".join(quoted(n) for n in view.schema.names[:MOST_SHOWN])
    with _connection(view) as con:
        return con.execute(f"SELECT {columns} FROM data LIMIT {int(rows)}").df()


def is_continuous(column: Column) -> bool:
    """Whether the column is drawn on an axis of numbers or time rather than of categories."""
    if is_date(column) or (column.dtype == "text" and column.kind == "numeric"):
        return True
    return (
        column.dtype in ("integer", "float") and column.distinct > 2 and column.kind not in ("categorical", "boolean")
    )


def has_categories(column: Column) -> bool:
    """Whether the column can divide the rows into groups: by category, or by a few integers."""
    return not is_continuous(column) or (column.dtype == "integer" and column.distinct <= FEW_WHOLE)


def needed(view: View, *names: str) -> list[Column]:
    """The columns. Raises NoSuchColumn, or NotApplicable if a column or the view is empty."""
    columns = [view.schema[n] for n in names]
    for column in columns:
        if column.distinct == 0:
            raise NotApplicable(f"Every value of {column.name} is missing, so there is nothing to draw.")
    if not view.rows:
        raise NotApplicable("No row satisfies the conditions. Remove a condition.")
    return columns


def colours(view: View, name: str | None) -> list[str]:
    """The most common categories, sorted, each with a colour; the rest are `other`.

    They come from all rows, so that a category keeps its colour whatever the conditions.
    """
    if name is None:
        return []
    column = view.schema[name]
    records = query(
        view.dataset,
        f"SELECT {level(column)}, count(*) FROM data WHERE {quoted(column.name)} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_COLOURS + 1}",
    )
    categories = [str(v) for v, _ in records]
    if len(categories) > MOST_COLOURS:
        categories = [*categories[:MOST_COLOURS], OTHER]
    return sorted(categories[:MOST_COLOURS]) + categories[MOST_COLOURS:]


def colour_sql(view: View, by: str | None) -> tuple[str, list[str]]:
    """SQL for the group of a row, and the groups in the order of their colours."""
    groups = colours(view, by)
    if by is None or not groups:
        return "''", groups
    text = level(view.schema[by])
    listed = ", ".join(quoted_text(v) for v in groups if v != OTHER)
    return f"CASE WHEN {text} IN ({listed}) THEN {text} WHEN {text} IS NULL THEN 'missing' ELSE '{OTHER}' END", groups


def groups_in(names: list[str], levels: list[str]) -> list[str]:
    """The groups that occur, in the order of their colours, with `missing` last."""
    present = set(names)
    return [g for g in [*levels, "missing", ""] if g in present]


def top_categories(view: View, column: Column, most: int = MOST_LEVELS) -> list[str]:
    """The most common categories of a column."""
    records = query(
        view,
        f"SELECT {level(column)}, count(*) FROM data WHERE {quoted(column.name)} IS NOT NULL GROUP BY 1 "
        f"ORDER BY 2 DESC, 1 LIMIT {most}",
    )
    return [str(v) for v, _ in records]


def splits(data: Dataset | View) -> list[str]:
    """Columns that can split or colour a chart: those with few categories; the target first."""
    schema = data.schema
    names = [c.name for c in schema if not is_continuous(c) and 1 < c.distinct <= 200]
    names += [c.name for c in schema if is_continuous(c) and has_categories(c)]
    return sorted(names, key=lambda n: schema[n].role != "target")


def default_split(data: Dataset | View) -> str | None:
    """The target, if it has few categories."""
    target = next(iter(data.schema.in_role("target")), None)
    return target if target in splits(data) else None


def default_pair(data: Dataset | View) -> tuple[str, str]:
    """Two columns for a first plot: numbers that models may use, most distinct values first; then any others."""
    numeric = sorted((c for c in data.schema if is_continuous(c) and c.role != "ignore"), key=lambda c: -c.distinct)
    numeric_names = {c.name for c in numeric}
    names = [c.name for c in numeric] + [n for n in data.schema.names if n not in numeric_names]
    return names[0], names[min(1, len(names) - 1)]


def table(*columns: tuple[str, Any]) -> pd.DataFrame:
    """Columns side by side under unique names: a column of the data may have the name of a figure."""
    names, _ = unique_names([name for name, _ in columns])
    return pd.DataFrame(dict(zip(names, (values for _, values in columns), strict=True)))
