"""Changes that a person makes to a table: kinds, names, values that mean missing, rows left out.

Each returns another dataset, so that what was computed before stays true of the former one, and undoing is going back.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mlcore.data.cast import as_boolean
from mlcore.data.dataset import KINDS, ROLES, Column, Dataset, Kind, Schema, unique_names
from mlcore.data.sql import connection, free_names, quoted, quoted_path, quoted_text, real, trimmed
from mlcore.data.workspace import Workspace
from mlcore.errors import BadChoice, BadInput
from mlcore.ingest.convert import AS_TEXT, How, Texts, choose, convert_texts, sql_list
from mlcore.ingest.kinds import infer
from mlcore.result import Fix
from mlcore.wording import count_of, several, share

SOURCE = "holdout_source"  # stands for the table in a query
YEARS = (1800, 2200)
ONLY_PREDICTOR = "it may be an identifier, but nothing else is left to predict from"
EXAMPLES = 2_000  # distinct texts from which a column's format is chosen


def with_kinds(data: Dataset, kinds: Mapping[str, str], workspace: Workspace | None = None) -> Dataset:
    """The table with some columns read as another kind; texts that do not fit a number or a date become missing.

    Raises NoSuchColumn, BadChoice, and BadInput if no value of a column fits its kind.
    """
    schema, converted = data.schema, dict[str, tuple[str, str]]()
    for name, kind in kinds.items():
        if kind not in KINDS:
            raise BadChoice.of("kind", kind, KINDS)
        column = schema[name]
        if column.dtype == "text" and kind in ("numeric", "datetime"):
            converted[name] = _conversion(data, column, kind)
        elif kind == "datetime" and column.dtype != "datetime":
            converted[name] = (_years(data, column), "")
        elif kind == "boolean":
            _check_boolean(data, column)
        schema = schema.with_kind(name, kind, converted[name][1] if name in converted else None)
    before, data = data.schema, data.with_schema(schema)
    if not converted:
        return data
    expressions = {name: sql for name, (sql, _) in converted.items()}
    changed = _rewritten(data, expressions, workspace, f"{several(list(converted))} converted, as you chose.")
    lost = [
        f"{share(changed.schema[n].missing - before[n].missing, data.rows)} values of {n}"
        for n in converted
        if changed.schema[n].missing > before[n].missing
    ]
    if not lost:
        return changed
    notes = (*changed.reading.notes, f"{several(lost)} do not fit and became missing.")
    return (workspace or Workspace()).store(replace(changed, reading=replace(changed.reading, notes=notes)))


def _years(data: Dataset, column: Column) -> str:
    """SQL of a column of whole years as the first days of these. Raises BadInput for other numbers."""
    c, source = quoted(column.name), f"read_parquet({quoted_path(data.path)})"
    with tempfile.TemporaryDirectory() as spool:
        con = connection(Path(spool))
        low, high = con.execute(f"SELECT min({c}), max({c}) FROM {source}").fetchone() or (None, None)
        con.close()
    if column.dtype != "integer" or low is None or not YEARS[0] <= low <= high <= YEARS[1]:
        raise BadInput(
            f"{column.name} holds {column.dtype}, which cannot be read as dates; whole years from {YEARS[0]} to "
            f"{YEARS[1]} can. Keep it as it is."
        )
    return f"make_date({c}::BIGINT, 1, 1)::TIMESTAMP"


def _check_boolean(data: Dataset, column: Column) -> None:
    """Raise BadInput where no value of a column is true or false, yes or no, 1 or 0."""
    values = data.frame([column.name])[column.name].dropna()
    if len(values) and not as_boolean(values).notna().any():
        raise BadInput(
            f"{column.name} holds neither yes and no, true and false nor 1 and 0, such as "
            f"{str(values.iloc[0])[:40]!r}: as a boolean every value would be missing. Keep it as it is."
        )


def _conversion(data: Dataset, column: Column, kind: str) -> tuple[str, str]:
    """SQL of a text column as numbers or dates, and how the texts are read."""
    c, source = quoted(column.name), f"read_parquet({quoted_path(data.path)})"
    with tempfile.TemporaryDirectory() as spool:
        con = connection(Path(spool))
        rows = con.execute(f"SELECT DISTINCT {c} FROM {source} WHERE {c} IS NOT NULL LIMIT {EXAMPLES}").fetchall()
        con.close()
    wanted = ("BIGINT", "DOUBLE") if kind == "numeric" else ("TIMESTAMP",)
    values = [str(v) for (v,) in rows]
    if not values:
        raise BadInput(f"{column.name} holds no values. Keep it as {column.kind}.")
    usual = _how(data)
    fitting = [v for v in values if _gives(v, wanted, usual)]
    if kind == "numeric" and not fitting:  # codes such as 007 and 5E1 as the numbers that they look like
        sql = f"TRY_CAST({trimmed(c)} AS DOUBLE)"
        if not any(_is_number(v) for v in values):
            raise BadInput(f"{column.name} holds no numbers, such as {values[0][:40]!r}. Keep it as {column.kind}.")
        return sql, ""
    if not fitting:
        raise BadInput(f"{column.name} holds no dates, such as {values[0][:40]!r}. Keep it as {column.kind}.")
    how = choose(fitting, replace(usual, padded=True))
    if how == AS_TEXT or how.gives not in wanted:
        raise BadInput(f"The values of {column.name} are written in several ways. Correct them in the file first.")
    return f"({how.of(c)})", how.parse


def _how(data: Dataset) -> How:
    """How numbers of the file are written, as they were read."""
    return How(mark=data.reading.decimal, sure=data.reading.decimal == ",")


def _gives(text: str, wanted: tuple[str, ...], usual: How) -> bool:
    how = choose([text], usual)
    return how.gives in wanted or how.native in wanted


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def with_roles(data: Dataset, roles: Mapping[str, str]) -> Dataset:
    """The table with other roles; an identifier that becomes a feature is a number or a category.

    Raises NoSuchColumn, BadChoice.
    """
    schema = data.schema
    for name, role in roles.items():
        if role not in ROLES:
            raise BadChoice.of("role", role, ROLES)
        schema = with_role(schema, name, role)
    return data.with_schema(schema)


def with_some_feature(schema: Schema) -> Schema:
    """A schema with a feature: where none is left, columns that count 1, 2, 3 … are features.

    A day, a dose or a level counts without gaps and is the only predictor of many a first regression. ONLY_PREDICTOR is
    then the reason of the column.
    """
    if schema.in_role("feature"):
        return schema
    for column in schema:
        if column.kind == "identifier" and column.dtype == "integer" and column.role == "ignore":
            schema = with_role(schema, column.name, "feature").change(column.name, reason=ONLY_PREDICTOR)
    return schema


def with_role(schema: Schema, name: str, role: str) -> Schema:
    """A schema with one role changed; see `with_roles`."""
    column = schema[name]
    if role == "feature" and column.kind == "identifier":
        kind: Kind = "numeric" if column.dtype in ("integer", "float") else "categorical"
        schema = schema.change(name, kind=kind, reason="set by you")
    return schema.with_target(name) if role == "target" else schema.change(name, role=role)


def rename(data: Dataset, names: Mapping[str, str] | Sequence[str], workspace: Workspace | None = None) -> Dataset:
    """The table with columns renamed: some by their former names, or all in order. Raises NoSuchColumn, BadInput.

    >>> rename(mlcore.read("sample_data/tea_leaves.csv"), {"kind": "sort"}).schema["sort"].kind
    'categorical'
    """
    if isinstance(names, Mapping):
        for old in names:
            data.schema[old]
        new = [names.get(n, n).strip() for n in data.schema.names]
    else:
        new = [n.strip() for n in names]
        if len(new) != len(data.schema):
            raise BadInput(
                f"{count_of(len(new), 'name')} given for {count_of(len(data.schema), 'column')}. Give one for each."
            )
    if unique_names(new)[1]:
        raise BadInput(
            "Two columns would have the same name, or one would have none. Names differ in more than their case."
        )
    renamed = dict(zip(data.schema.names, new, strict=True))
    schema = Schema(tuple(replace(c, name=renamed[c.name]) for c in data.schema))
    selected = ", ".join(f"{quoted(old)} AS {quoted(name)}" for old, name in renamed.items())
    changed = [f"{old} → {name}" for old, name in renamed.items() if old != name]
    if not changed:
        return data
    marked = tuple((renamed.get(name, name), marker, count) for name, marker, count in data.reading.marked)
    data = replace(data, reading=replace(data.reading, marked=marked))
    return _stored(
        data, f"SELECT {selected} FROM {SOURCE}", lambda _: schema, workspace, f"Renamed: {several(changed)}."
    )


def with_fix(data: Dataset, fix: Fix, workspace: Workspace | None = None) -> Dataset:
    """The table after the click of an alert that changes its values; other fixes leave it as it is."""
    if fix.action == "kind" and fix.column is not None:
        return with_kinds(data, {fix.column: fix.value[0]}, workspace)
    if fix.action == "missing" and fix.column is not None:
        return with_missing(data, {fix.column: fix.value}, workspace)
    if fix.action == "rows":
        return without_last(data, 1, workspace) if fix.value == "last" else without_repeats(data, workspace)
    return data


def with_missing(data: Dataset, values: Mapping[str, Sequence[str]], workspace: Workspace | None = None) -> Dataset:
    """The table with some values of some columns taken as missing, written as sentences write them.

    Raises NoSuchColumn, and BadInput for a value that the column cannot hold.

    >>> with_missing(mlcore.read("sample_data/tea_leaves.csv"), {"kind": ["?"]}).rows > 0
    True
    """
    changes = {}
    for name, texts in values.items():
        column, c = data.schema[name], quoted(name)
        same = f"CAST({c} AS VARCHAR) IN ({sql_list(texts)})"
        if column.dtype in ("integer", "float", "datetime"):
            numbers = ", ".join(_number_of(column, t) for t in texts)
            same = f"{real(column)} IN ({numbers})"
        changes[name] = f"CASE WHEN {same} THEN NULL ELSE {c} END"
    summary = several([f"{several(list(map(str, texts)))} of {name}" for name, texts in values.items()])
    return _rewritten(data, changes, workspace, f"Taken as missing, as you chose: {summary}.")


def _number_of(column: Column, text: str) -> str:
    try:
        if column.dtype == "datetime":
            return f"epoch(TIMESTAMP {quoted_text(datetime.fromisoformat(text).isoformat(' '))})"
        if math.isfinite(number := float(text)):
            return repr(number)
        raise ValueError
    except ValueError:
        form = "a date such as 1900-01-01" if column.dtype == "datetime" else "a number such as 999"
        raise BadInput(f"{text!r} cannot stand for a missing value of {column.name}. Give {form}.") from None


def without_last(data: Dataset, rows: int, workspace: Workspace | None = None) -> Dataset:
    """The table without its last rows, such as a total; columns that were text because of them are read anew."""
    workspace = workspace or Workspace()
    note = f"The last {count_of(rows, 'row')} left out, as you chose."
    with tempfile.TemporaryDirectory(dir=workspace.folder("spool")) as spool:
        raw, out = Path(spool) / "raw.parquet", Path(spool) / "data.parquet"
        con = connection(Path(spool), len(data.schema))
        source = f"read_parquet({quoted_path(data.path)})"
        con.execute(
            f"COPY (SELECT * FROM {source} LIMIT {data.rows - rows}) TO {quoted_text(str(raw))} (FORMAT parquet)"
        )
        con.close()
        read_as_text = [c.name for c in data.schema if c.dtype != "text"]
        notes, parses, _ = convert_texts(raw, out, _how(data), Texts(missing=("",), kept=read_as_text))
        count, inferred = infer(out, {**{c.name: c.parse for c in data.schema}, **parses})
        schema = Schema(tuple(_as_before(data.schema[c.name], c) for c in inferred))
        reading = replace(data.reading, notes=(*data.reading.notes, note, *notes))
        fingerprint = hashlib.sha256(json.dumps([data.fingerprint, "without", rows]).encode()).hexdigest()[:24]
        return workspace.store(Dataset(data.name, count, fingerprint, schema, out, reading))


def _as_before(before: Column, now: Column) -> Column:
    """A column that was read again, with its former kind and role unless it now holds values of another type."""
    if now.dtype == before.dtype:
        return replace(now, kind=_still(before, now), role=before.role, reason=before.reason)
    return now if before.role in ("feature", "ignore") else replace(now, role=before.role)


def without_repeats(data: Dataset, workspace: Workspace | None = None) -> Dataset:
    """The same table without duplicate rows: the first of equal rows is kept; identifiers are not compared.

    A new dataset, with the number of removed rows in its notes.
    """
    row, copy = map(quoted, free_names(data.schema.names, 2))
    columns = [c.name for c in data.schema if c.kind != "identifier"] or data.schema.names
    compared = ", ".join(map(quoted, columns))
    numbered = f"SELECT *, row_number() OVER () AS {row} FROM {SOURCE}"
    ranked = f"SELECT *, row_number() OVER (PARTITION BY {compared} ORDER BY {row}) AS {copy} FROM ({numbered})"
    query = f"SELECT * EXCLUDE ({row}, {copy}) FROM ({ranked}) WHERE {copy} = 1 ORDER BY {row}"
    stored = _stored(data, query, _recounted(data), workspace, "")
    note = f"{share(data.rows - stored.rows, data.rows)} rows were duplicates and were left out."
    return (workspace or Workspace()).store(
        replace(stored, reading=replace(stored.reading, notes=(*data.reading.notes, note)))
    )


def _rewritten(data: Dataset, changes: Mapping[str, str], workspace: Workspace | None, note: str) -> Dataset:
    """The table with some columns replaced by SQL."""
    parts = (f"{changes[n]} AS {quoted(n)}" if n in changes else quoted(n) for n in data.schema.names)
    return _stored(data, f"SELECT {', '.join(parts)} FROM {SOURCE}", _recounted(data), workspace, note)


def _recounted(data: Dataset) -> Callable[[Schema], Schema]:
    """The schema of a dataset with the counts and types of another."""

    def schema(inferred: Schema) -> Schema:
        return Schema(
            tuple(
                replace(inferred[c.name], kind=_still(c, inferred[c.name]), role=c.role, reason=c.reason, parse=c.parse)
                for c in data.schema
            )
        )

    return schema


def _still(before: Column, now: Column) -> Kind:
    """The former kind, unless too few values are left for it."""
    return now.kind if now.distinct < 2 else before.kind


def _stored(
    data: Dataset, query: str, schema: Callable[[Schema], Schema], workspace: Workspace | None, note: str
) -> Dataset:
    """Write the result of a query on a dataset as a new dataset, which remembers its origin in its notes."""
    workspace = workspace or Workspace()
    with tempfile.TemporaryDirectory(dir=workspace.folder("spool")) as spool:
        out = Path(spool) / "data.parquet"
        con = connection(Path(spool), len(data.schema))
        source = f"read_parquet({quoted_path(data.path)})"
        con.execute(f"COPY ({query.replace(SOURCE, source)}) TO {quoted_text(str(out))} (FORMAT parquet)")
        con.close()
        rows, inferred = infer(out, {c.name: c.parse for c in data.schema})
        reading = replace(data.reading, notes=(*data.reading.notes, *([note] if note else [])))
        fingerprint = hashlib.sha256(json.dumps([data.fingerprint, query]).encode()).hexdigest()[:24]
        return workspace.store(Dataset(data.name, rows, fingerprint, schema(inferred), out, reading))
