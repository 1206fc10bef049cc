"""SQL of a column as what its kind says: a number, a moment, a level."""

from __future__ import annotations

from mlcore.dataset import Column
from mlcore.ingest.convert import number_sql
from mlcore.ingest.frames import quoted, quoted_text


def real(column: Column) -> str:
    """SQL of a column as finite real numbers; dates are seconds since 1970."""
    name = quoted(column.name)
    if column.dtype == "datetime":
        return f"epoch({name})"
    if column.dtype == "boolean":
        return f"CAST({name} AS INT)"
    if column.dtype == "text":
        text = f"trim({name})"
        if column.kind == "datetime":
            date = f"try_strptime({text}, {quoted_text(column.parse)})" if "%" in column.parse else ""
            return f"epoch({date or f'TRY_CAST({text} AS TIMESTAMP)'})"
        number = (
            number_sql(column.parse).format(c=text) if column.parse in (".", ",") else f"TRY_CAST({text} AS DOUBLE)"
        )
        return f"(CASE WHEN isfinite({number}) THEN {number} END)"
    if column.dtype == "integer":
        return f"{name}::DOUBLE"
    return f"(CASE WHEN isfinite({name}) THEN {name} END)"


def level(column: Column) -> str:
    """SQL of a column as text."""
    return f"CAST({quoted(column.name)} AS VARCHAR)"


def is_date(column: Column) -> bool:
    """Whether the column is drawn on an axis of time."""
    return column.dtype == "datetime" or (column.dtype == "text" and column.kind == "datetime")
