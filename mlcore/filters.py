"""Which rows are looked at: a list of conditions as data, never a free expression; all of them hold together."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mlcore.columns import is_date, level, real
from mlcore.dataset import Column, Schema
from mlcore.errors import BadChoice, BadInput
from mlcore.ingest.frames import quoted, quoted_text
from mlcore.result import number, several, shortened

MOST_FILTERS = 20
MOST_VALUES = 200


@dataclass(frozen=True)
class Operator:
    """A way to compare: what it is called, what it takes, and its SQL over a column `c` and values `v`."""

    name: str
    words: str
    takes: str  # nothing, level, levels, text, number, range
    sql: Callable[[str, list[str]], str]


OPERATORS: tuple[Operator, ...] = (
    Operator("is", "is", "levels", lambda c, v: f"{c} IN ({', '.join(v)})"),
    Operator("is_not", "is not", "levels", lambda c, v: f"({c} NOT IN ({', '.join(v)}) OR {c} IS NULL)"),
    Operator("contains", "contains", "text", lambda c, v: f"contains(lower({c}), lower({v[0]}))"),
    Operator("starts", "starts with", "text", lambda c, v: f"starts_with(lower({c}), lower({v[0]}))"),
    Operator("from", "is at least", "number", lambda c, v: f"{c} >= {v[0]}"),
    Operator("to", "is at most", "number", lambda c, v: f"{c} <= {v[0]}"),
    Operator("between", "is between", "range", lambda c, v: f"{c} BETWEEN {v[0]} AND {v[1]}"),
    Operator("missing", "is missing", "nothing", lambda c, v: f"{c} IS NULL"),
    Operator("known", "is known", "nothing", lambda c, v: f"{c} IS NOT NULL"),
)
BY_NAME = {o.name: o for o in OPERATORS}
HOW_MANY = {"nothing": (0, 0), "levels": (1, MOST_VALUES), "text": (1, 1), "number": (1, 1), "range": (2, 2)}


@dataclass(frozen=True)
class Filter:
    """One condition on one column."""

    column: str
    operator: str
    values: tuple[str | float, ...] = ()

    def words(self) -> str:
        """How a chip says it."""
        operator, name = BY_NAME[self.operator], shortened(self.column, 30)
        said = [number(v) if isinstance(v, float | int) else shortened(v, 30) for v in self.values]
        if operator.takes == "range":
            return f"{name} {operator.words} {said[0]} and {said[1]}"
        return f"{name} {operator.words} {several(said, 3)}".strip()

    def checked(self, schema: Schema) -> Filter:
        """Return it with values of the right type. Raises NoSuchColumn, BadChoice or BadInput."""
        column = schema[self.column]
        allowed = operators_for(column)
        if self.operator not in [o.name for o in allowed]:
            raise BadChoice.of(f"comparison of {self.column}", self.operator, [o.name for o in allowed])
        takes = BY_NAME[self.operator].takes
        fewest, most = HOW_MANY[takes]
        if not fewest <= len(self.values) <= most:
            raise BadInput(
                f"'{BY_NAME[self.operator].words}' takes {fewest} to {most} values; {len(self.values)} given."
            )
        if takes in ("number", "range"):
            values: tuple[str | float, ...] = tuple(_ordered(column, v) for v in self.values)
        else:
            values = tuple(_level_text(v)[:1000] for v in self.values)
        return Filter(self.column, self.operator, values)

    def sql(self, schema: Schema) -> str:
        """SQL; only quoted names and values get into it."""
        column = schema[self.column]
        c = quoted(self.column)
        takes = BY_NAME[self.operator].takes
        if takes in ("levels", "text"):
            c = level(column)
        if takes in ("number", "range"):
            values = [f"TIMESTAMP {quoted_text(v)}" if isinstance(v, str) else repr(float(v)) for v in self.values]
            if column.dtype == "text":  # numbers or dates among other texts
                c, values = real(column), [f"epoch({v})" if v.startswith("TIME") else v for v in values]
        else:
            values = [quoted_text(str(v)) for v in self.values]
        return BY_NAME[self.operator].sql(c, values)


Filters = tuple[Filter, ...]


def _level_text(value: str | float) -> str:
    """A level as text; whole floats lose their `.0`, as they do in the data."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def operators_for(column: Column) -> list[Operator]:
    """The comparisons that make sense for a column."""
    ordered = column.dtype in ("integer", "float", "datetime") or column.kind in ("numeric", "datetime")
    takes = {"nothing", "levels"} if column.dtype != "datetime" else {"nothing"}
    takes |= {"number", "range"} if ordered else {"text"} if column.dtype == "text" else set()
    return [o for o in OPERATORS if o.takes in takes]


def _ordered(column: Column, value: str | float) -> str | float:
    """A number, or a moment as ISO text. Raises BadInput."""
    import datetime as dt

    if is_date(column):
        try:
            if isinstance(value, int | float):
                return dt.datetime.fromtimestamp(value, dt.UTC).replace(tzinfo=None).isoformat(" ")
            return dt.datetime.fromisoformat(str(value)).isoformat(" ")
        except (ValueError, OverflowError, OSError):
            raise BadInput(f"{value!r} is no date. Write it as 2024-12-31.") from None
    try:
        found = float(value)
    except ValueError:
        raise BadInput(f"{value!r} is no number, and {column.name} holds numbers.") from None
    if not math.isfinite(found):
        raise BadInput(f"{value!r} is no finite number.")
    return found


def sql_of(filters: Filters, schema: Schema) -> str:
    """SQL of all conditions together."""
    return " AND ".join(f"({f.sql(schema)})" for f in filters) or "true"


def added(filters: Filters, new: Sequence[Filter], schema: Schema) -> Filters:
    """The conditions with some more; a new range on a column replaces the old one. Raises BadInput."""
    checked = [f.checked(schema) for f in new]
    replaced = {(f.column, f.operator) for f in checked if f.operator in ("between", "is", "from", "to")}
    kept = [f for f in filters if (f.column, f.operator) not in replaced and f not in checked]
    if len(kept) + len(checked) > MOST_FILTERS:
        raise BadInput(f"There are {len(kept)} conditions already; at most {MOST_FILTERS} can hold together.")
    return (*kept, *checked)


def to_text(filters: Filters) -> str:
    """As a short text for an address."""
    return json.dumps([[f.column, f.operator, *f.values] for f in filters], separators=(",", ":"), ensure_ascii=False)


def from_text(text: str, schema: Schema) -> Filters:
    """Read `to_text` back; what does not fit the data is left out, as an address may be anything."""
    try:
        rows: Any = json.loads(text)
    except ValueError:
        return ()
    found: list[Filter] = []
    for row in rows[:MOST_FILTERS] if isinstance(rows, list) else []:
        plain = isinstance(row, list) and len(row) >= 2 and all(isinstance(v, str | int | float) for v in row)
        if plain:
            try:
                found.append(Filter(str(row[0]), str(row[1]), tuple(row[2:])).checked(schema))
            except BadInput:
                continue
    return tuple(found)
