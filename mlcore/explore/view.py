"""The rows that are looked at, and how they are asked: DuckDB over the Parquet file, never the whole frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from mlcore.columns import is_date, level
from mlcore.dataset import Column, Dataset, Schema, unique_names
from mlcore.errors import NotApplicable
from mlcore.filters import Filters, sql_of
from mlcore.ingest.frames import WIDE, free_names, quoted, quoted_text
from mlcore.result import Array

MOST_COLOURS = 6
MOST_LEVELS = 20
MOST_SHOWN = 200  # columns of a look at the first rows
FEW_WHOLE = 12  # different whole numbers that may stand for groups
OTHER = "other"
FEW_DRAWN = 2000  # rows of the sample that are enough for a picture of rows
EXACT_ROWS = 2_000_000  # beyond, what needs an order of all values is taken from the sample, and marked ≈

Ask = Callable[[str], list[Any]]


@dataclass(frozen=True)
class View:
    """A dataset, or those of its rows for which some conditions hold."""

    dataset: Dataset
    filters: Filters = ()

    @classmethod
    def of(cls, data: Dataset | View) -> View:
        """A view of all rows, unless it is one already."""
        return data if isinstance(data, View) else cls(data)

    @property
    def schema(self) -> Schema:
        """The columns."""
        return self.dataset.schema

    @cached_property
    def rows(self) -> int:
        """How many rows."""
        if not self.filters:
            return self.dataset.rows
        return int(query(self, "SELECT count(*) FROM data")[0][0])

    @cached_property
    def sampled(self) -> int:
        """How many of them are in the sample."""
        return int(query(self, "SELECT count(*) FROM picked")[0][0]) if self.dataset.sample_path else self.rows

    @property
    def exact(self) -> bool:
        """Whether there are few enough rows for exact quantiles at once."""
        return self.rows <= EXACT_ROWS or self.dataset.sample_path is None

    def drawn_from(self, most: int) -> str:
        """Where so many rows at random come from: the sample, unless the conditions leave too few of it."""
        enough = self.dataset.sample_path is not None and self.sampled >= min(most, FEW_DRAWN, self.rows)
        return "picked" if enough else "data"

    def keep(self) -> Array:
        """(all rows,) whether each row counts."""
        place = quoted(*free_names(self.schema.names, 1))
        mask = np.zeros(self.dataset.rows, bool)
        with duckdb.connect() as con:
            found = con.execute(
                f"SELECT {place} FROM (SELECT *, row_number() OVER () - 1 AS {place} FROM {_parquet(self.dataset)}) "
                f"WHERE {sql_of(self.filters, self.schema)}"
            ).fetchnumpy()
        mask[np.asarray(next(iter(found.values())))] = True
        return mask


@contextmanager
def _opened(view: View) -> Iterator[duckdb.DuckDBPyConnection]:
    where = sql_of(view.filters, view.schema)
    wide = len(view.schema) > WIDE  # each thread holds some thousand rows of all columns
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
                f"This picture needs more memory than it is allowed over {len(view.schema):,} columns and "
                f"{view.dataset.rows:,} rows. Look at fewer rows, or leave columns out."
            ) from None


@contextmanager
def asking(data: Dataset | View) -> Iterator[Ask]:
    """Open the rows for several queries; see `query`."""
    with _opened(View.of(data)) as con:
        yield lambda sql: con.execute(sql).fetchall()


def _parquet(dataset: Dataset, *, sample: bool = False) -> str:
    path = (dataset.sample_path if sample else None) or dataset.path
    return f"read_parquet({quoted_text(str(path))})"


def query(data: Dataset | View, sql: str) -> list[Any]:
    """Run SQL in which `data` stands for the rows and `picked` for a sample of them.

    Only quoted names may be put into `sql`, and results are grouped and ordered by their place, never by an alias: a
    column of the data may have any name.
    """
    with asking(data) as ask:
        return ask(sql)


def drawn(view: View, wanted: str, where: str, most: int, names: list[str]) -> pd.DataFrame:
    """At most so many rows, in an order that looks random and is the same each time."""
    order = "ORDER BY hash(row_number() OVER ())"
    found = query(view, f"SELECT {wanted} FROM {view.drawn_from(most)} WHERE {where} {order} LIMIT {most}")
    return pd.DataFrame(found, columns=names)


def sampled(view: View, names: list[str], most: int) -> pd.DataFrame:
    """At most so many rows at random, the same each time, with some of their columns."""
    listed, place = ", ".join(quoted(n) for n in names), quoted(*free_names(view.schema.names, 1))
    numbered = f"SELECT {listed}, row_number() OVER () AS {place} FROM {view.drawn_from(most)}"
    with _opened(view) as con:
        return con.execute(f"SELECT {listed} FROM ({numbered}) ORDER BY hash({place}) LIMIT {most}").df()


def head(data: Dataset | View, rows: int = 100) -> pd.DataFrame:
    """The first rows, for a look; of very wide tables the first MOST_SHOWN columns."""
    view = View.of(data)
    listed = ", ".join(quoted(n) for n in view.schema.names[:MOST_SHOWN])
    with _opened(view) as con:
        return con.execute(f"SELECT {listed} FROM data LIMIT {int(rows)}").df()


def is_continuous(column: Column) -> bool:
    """Whether the column is drawn on an axis of numbers or time rather than of levels."""
    if is_date(column) or (column.dtype == "text" and column.kind == "numeric"):
        return True
    return (
        column.dtype in ("integer", "float") and column.distinct > 2 and column.kind not in ("categorical", "boolean")
    )


def has_levels(column: Column) -> bool:
    """Whether the column can part the rows into a few groups: levels, or few whole numbers."""
    return not is_continuous(column) or (column.dtype == "integer" and column.distinct <= FEW_WHOLE)


def needed(view: View, *names: str) -> list[Column]:
    """The columns. Raises NoSuchColumn, or NotApplicable where a column or the view holds nothing."""
    columns = [view.schema[n] for n in names]
    for column in columns:
        if column.distinct == 0:
            raise NotApplicable(f"Every cell of {column.name} is missing, so there is nothing to draw.")
    if not view.rows:
        raise NotApplicable("No row is left by the conditions. Take one away.")
    return columns


def colours(view: View, name: str | None) -> list[str]:
    """The levels that get a colour of their own, most common first; the rest are `other`.

    They are those of all rows, so that a level keeps its colour whatever the conditions.
    """
    if name is None:
        return []
    column = view.schema[name]
    found = query(
        view.dataset,
        f"SELECT {level(column)}, count(*) FROM data WHERE {quoted(column.name)} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_COLOURS + 1}",
    )
    levels = [str(v) for v, _ in found]
    if len(levels) > MOST_COLOURS:
        levels = [*levels[:MOST_COLOURS], OTHER]
    return sorted(levels[:MOST_COLOURS]) + levels[MOST_COLOURS:]


def colour_sql(view: View, by: str | None) -> tuple[str, list[str]]:
    """SQL of the group of a row, and the groups in their order of colours."""
    levels = colours(view, by)
    if by is None or not levels:
        return "''", levels
    text = level(view.schema[by])
    own = ", ".join(quoted_text(v) for v in levels if v != OTHER)
    return f"CASE WHEN {text} IN ({own}) THEN {text} WHEN {text} IS NULL THEN 'missing' ELSE '{OTHER}' END", levels


def groups_in(found: list[str], levels: list[str]) -> list[str]:
    """The groups that occur, in the order of their colours, with `missing` last."""
    here = set(found)
    return [g for g in [*levels, "missing", ""] if g in here]


def top_levels(view: View, column: Column, most: int = MOST_LEVELS) -> list[str]:
    """The most common levels of a column."""
    found = query(
        view,
        f"SELECT {level(column)}, count(*) FROM data WHERE {quoted(column.name)} IS NOT NULL GROUP BY 1 "
        f"ORDER BY 2 DESC, 1 LIMIT {most}",
    )
    return [str(v) for v, _ in found]


def splits(data: Dataset | View) -> list[str]:
    """Columns that can split or colour a chart: levels, and few of them; the target first."""
    schema = data.schema
    found = [c.name for c in schema if not is_continuous(c) and 1 < c.distinct <= 200]
    found += [c.name for c in schema if is_continuous(c) and has_levels(c)]
    return sorted(found, key=lambda n: schema[n].role != "target")


def default_split(data: Dataset | View) -> str | None:
    """The target, where it has few levels."""
    target = next(iter(data.schema.in_role("target")), None)
    return target if target in splits(data) else None


def default_pair(data: Dataset | View) -> tuple[str, str]:
    """Two columns worth a first look: numbers that models may use, most varied first; else whatever there is."""
    varied = sorted((c for c in data.schema if is_continuous(c) and c.role != "ignore"), key=lambda c: -c.distinct)
    chosen = {c.name for c in varied}
    names = [c.name for c in varied] + [n for n in data.schema.names if n not in chosen]
    return names[0], names[min(1, len(names) - 1)]


def table(*columns: tuple[str, Any]) -> pd.DataFrame:
    """Columns side by side under names of their own: a column of the data may be called like a figure."""
    names, _ = unique_names([name for name, _ in columns])
    return pd.DataFrame(dict(zip(names, (values for _, values in columns), strict=True)))


def moment(seconds: float) -> str:
    """A day as people write it."""
    return str(pd.Timestamp(seconds, unit="s").date())
