"""Filters of rows: a list of conditions as data, never a free expression; a row has to meet all of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mlcore.data.dataset import Column, Schema
from mlcore.data.sql import is_date, level, quoted, quoted_text, real
from mlcore.errors import BadChoice, BadInput
from mlcore.wording import EPOCH, number, several, shortened

MOST_FILTERS = 20
MOST_VALUES = 200


@dataclass(frozen=True)
class Operator:
    """A comparison: its name, its words, the values it takes, and its SQL over a column `c` and values `v`."""

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
        """The text of its chip."""
        operator, name = BY_NAME[self.operator], shortened(self.column, 30)
        values = [number(v) if isinstance(v, float | int) else shortened(v, 30) for v in self.values]
        if operator.takes == "range":
            return f"{name} {operator.words} {values[0]} and {values[1]}"
        return f"{name} {operator.words} {several(values, 3)}".strip()

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
            values: tuple[str | float, ...] = tuple(_ordered_value(column, v) for v in self.values)
        else:
            values = tuple(_category_text(v)[:1000] for v in self.values)
        return Filter(self.column, self.operator, values)

    def sql(self, schema: Schema) -> str:
        """As SQL; only quoted names and values are inserted."""
        column = schema[self.column]
        c = quoted(self.column)
        takes = BY_NAME[self.operator].takes
        if takes in ("levels", "text"):
            c = level(column)
        if takes in ("number", "range"):
            values = [f"TIMESTAMP {quoted_text(v)}" if isinstance(v, str) else repr(float(v)) for v in self.values]
            if column.dtype == "text":  # numbers or dates mixed with other texts
                c, values = real(column), [f"epoch({v})" if v.startswith("TIME") else v for v in values]
        else:
            values = [quoted_text(str(v)) for v in self.values]
        return BY_NAME[self.operator].sql(c, values)


Filters = tuple[Filter, ...]


def _category_text(value: str | float) -> str:
    """A category as text; whole floats lose their `.0`, as in the data."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def operators_for(column: Column) -> list[Operator]:
    """The comparisons that make sense for a column."""
    ordered = column.dtype in ("integer", "float", "datetime") or column.kind in ("numeric", "datetime")
    takes = {"nothing", "levels"} if column.dtype != "datetime" else {"nothing"}
    takes |= {"number", "range"} if ordered else {"text"} if column.dtype == "text" else set()
    return [o for o in OPERATORS if o.takes in takes]


def _ordered_value(column: Column, value: str | float) -> str | float:
    """A number, or a timestamp as ISO text. Raises BadInput."""
    import datetime as dt

    if is_date(column):
        try:
            if isinstance(value, int | float):
                return (EPOCH + dt.timedelta(seconds=value)).isoformat(" ")
            return dt.datetime.fromisoformat(str(value)).isoformat(" ")
        except (ValueError, OverflowError, OSError):
            raise BadInput(f"{value!r} is not a date. Write it as 2024-12-31.") from None
    try:
        parsed = float(value)
    except ValueError:
        raise BadInput(f"{value!r} is not a number; column {column.name} is numeric.") from None
    if not math.isfinite(parsed):
        raise BadInput(f"{value!r} is not a finite number.")
    return parsed


def sql_of(filters: Filters, schema: Schema) -> str:
    """SQL of all conditions, joined by AND."""
    return " AND ".join(f"({f.sql(schema)})" for f in filters) or "true"


def added(filters: Filters, new: Sequence[Filter], schema: Schema) -> Filters:
    """The conditions with new ones added; a new range on a column replaces the old one. Raises BadInput."""
    checked = [f.checked(schema) for f in new]
    replaced = {(f.column, f.operator) for f in checked if f.operator in ("between", "is", "from", "to")}
    kept = [f for f in filters if (f.column, f.operator) not in replaced and f not in checked]
    if len(kept) + len(checked) > MOST_FILTERS:
        raise BadInput(f"There are already {len(kept)} conditions; the maximum is {MOST_FILTERS}. Remove one.")
    return (*kept, *checked)


def to_text(filters: Filters) -> str:
    """As a short text for a URL."""
    return json.dumps([[f.column, f.operator, *f.values] for f in filters], separators=(",", ":"), ensure_ascii=False)


def from_text(text: str, schema: Schema) -> Filters:
    """Read `to_text` back; conditions that do not fit the data are left out, because a URL may hold anything."""
    try:
        rows: Any = json.loads(text)
    except ValueError:
        return ()
    filters: list[Filter] = []
    for row in rows[:MOST_FILTERS] if isinstance(rows, list) else []:
        valid = isinstance(row, list) and len(row) >= 2 and all(isinstance(v, str | int | float) for v in row)
        if valid:
            try:
                filters.append(Filter(str(row[0]), str(row[1]), tuple(row[2:])).checked(schema))
            except BadInput:
                continue
    return tuple(filters)
