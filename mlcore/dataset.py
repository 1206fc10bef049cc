"""The first noun: a dataset on disk, its columns, and what they are taken to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from mlcore.errors import BadChoice, NoSuchColumn

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["numeric", "categorical", "boolean", "datetime", "text", "identifier", "constant"]
Role = Literal["feature", "target", "group", "time", "weight", "ignore"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Column:
    """One column: what it holds, what it is for, and why we think so."""

    name: str
    kind: Kind
    role: Role
    dtype: str  # integer, float, boolean, datetime or text: how it is stored
    missing: int
    distinct: int
    reason: str = ""
    parse: str = ""  # how its text was read: a decimal mark, or a pattern of dates
    estimated: bool = False  # whether `distinct` is an estimate (large tables; within some per cent)


@dataclass(frozen=True)
class Schema:
    """The columns in the order of the file."""

    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        place = self._places.get(name)
        if place is None:
            raise NoSuchColumn.named(name, self.names)
        return self.columns[place]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    @cached_property
    def _places(self) -> dict[str, int]:
        return {c.name: i for i, c in enumerate(self.columns)}

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return [c.name for c in self.columns]

    def named(self, *kinds: Kind) -> list[str]:
        """Names of the columns of some kinds."""
        return [c.name for c in self.columns if c.kind in kinds]

    def in_role(self, role: Role) -> list[str]:
        """Names of the columns that serve one role."""
        return [c.name for c in self.columns if c.role == role]

    def features(self) -> Schema:
        """Only the columns that models may see."""
        return Schema(tuple(c for c in self.columns if c.role == "feature"))

    def change(self, name: str, **changes: Any) -> Schema:
        """Return a schema in which one column was corrected by a person."""
        self[name]  # raises when it is not there
        for what, allowed in (("kind", KINDS), ("role", ROLES)):
            if what in changes and changes[what] not in allowed:
                raise BadChoice.of(what, changes[what], allowed)
        place = self._places[name]
        return Schema((*self.columns[:place], replace(self.columns[place], **changes), *self.columns[place + 1 :]))

    def with_kind(self, name: str, kind: Kind, parse: str | None = None) -> Schema:
        """Return a schema in which a person corrected a kind; identifiers and text come into play as features.

        `parse` says how texts are to be read as numbers or dates; those that do not fit are missing then.
        """
        sidelined = ("identifier", "text", "constant")
        role = self[name].role
        if role == "ignore" and self[name].kind in sidelined and kind not in sidelined:
            role = "feature"
        elif role == "feature" and kind in sidelined:
            role = "ignore"
        read = {} if parse is None else {"parse": parse}
        return self.change(name, kind=kind, role=role, reason="set by you", **read)

    def with_target(self, name: str) -> Schema:
        """Return a schema in which one column is the target, and no other."""
        self[name]
        columns = []
        for column in self.columns:
            if column.name == name:
                columns.append(replace(column, role="target"))
            elif column.role == "target":
                columns.append(replace(column, role="feature"))
            else:
                columns.append(column)
        return Schema(tuple(columns))

    def ignoring(self, names: Iterable[str]) -> Schema:
        """Return a schema in which some columns are left out."""
        out = set(names)
        for name in out:
            self[name]
        return Schema(tuple(replace(c, role="ignore") if c.name in out else c for c in self.columns))


@dataclass(frozen=True)
class Reading:
    """How the bytes were understood; every assumption that a person may want to correct."""

    format: str
    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    decimal: str = "."
    skipped_rows: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    skip: int = 0  # lines above the table that were passed over
    markers: tuple[str, ...] = ()  # texts met that were taken as missing; "" is an empty cell
    part: str | None = None  # the sheet of a workbook, or the file of an archive
    parts: tuple[str, ...] = ()  # what there was to choose from

    def words(self) -> str:
        """Say it in one line."""
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
        parts = [self.format]
        if self.delimiter:
            parts.append(f"{names.get(self.delimiter, self.delimiter)}-separated")
        if self.encoding:
            parts.append(self.encoding)
        if self.decimal == ",":
            parts.append("decimal comma")
        said = [repr(m) for m in self.markers if m]
        taken = (["empty cells"] if "" in self.markers else []) + said
        gone = f"; taken as missing: {', '.join(taken[:8])}" if taken else ""
        return "Read as " + ", ".join(parts) + gone


@dataclass(frozen=True)
class Dataset:
    """A table on disk: a Parquet file, its schema and where it came from. Frozen; nothing is loaded until asked."""

    name: str
    rows: int
    fingerprint: str  # hash of the bytes and the parse options
    schema: Schema
    path: Path
    reading: Reading = field(default_factory=lambda: Reading("parquet"))

    def frame(self, columns: Sequence[str] | None = None, rows: Sequence[int] | None = None) -> pd.DataFrame:
        """Read columns (all by default) as pandas; `rows` are positions in the file.

        Raises NoSuchColumn for a name that is not there.
        """
        import pyarrow.parquet as pq

        for name in columns or ():
            self.schema[name]
        table = pq.read_table(self.path, columns=list(columns) if columns is not None else None, use_threads=False)
        if rows is not None:
            table = table.take(list(rows))
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def column(self, name: str) -> pd.Series:
        """Read one column, whole numbers exact even where cells are missing. Raises NoSuchColumn."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.schema[name]
        table = pq.read_table(self.path, columns=[name], use_threads=False)
        found: pd.Series = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)[name]
        return found

    @property
    def sample_path(self) -> Path | None:
        """The Parquet file of a random sample of the rows, in order, where the table is large enough to have one."""
        place = self.path.with_name("sample.parquet")
        return place if place.exists() else None

    def sample(self, columns: Sequence[str] | None = None, most: int | None = None) -> pd.DataFrame:
        """Read columns of a random sample of the rows, in order and the same each time; at most `most` of them.

        Without `most`, all rows of a table that is not large. Few columns are in memory whole at a time.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(self.sample_path or self.path)
        names = list(columns) if columns is not None else file.schema_arrow.names
        rows, places = file.metadata.num_rows, None
        if most is not None and rows > most:
            places = pa.array(np.sort(np.random.default_rng(0).choice(rows, most, replace=False)))
        step = max(1, (1 << 24) // max(rows, 1))
        parts = []
        for start in range(0, len(names), step):
            part = file.read(names[start : start + step], use_threads=False)
            parts.append(part if places is None else part.take(places))
        whole = pa.table({n: part.column(n) for part in parts for n in part.schema.names})
        frame: pd.DataFrame = whole.to_pandas()
        return frame

    def with_schema(self, schema: Schema) -> Dataset:
        """Return the same data with corrected columns."""
        return replace(self, schema=schema)

    def to_json(self) -> dict[str, Any]:
        """Give everything but the path, as plain data."""
        data = asdict(self)
        del data["path"]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], path: Path) -> Dataset:
        """Rebuild from `to_json` and the place of the Parquet file."""
        reading: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["reading"].items()}
        return cls(
            data["name"], data["rows"], data["fingerprint"], schema_from_json(data["schema"]), path, Reading(**reading)
        )


def schema_from_json(data: dict[str, Any]) -> Schema:
    """Rebuild a schema from plain data."""
    return Schema(tuple(Column(**c) for c in data["columns"]))


def unique_names(names: Iterable[object]) -> tuple[list[str], list[str]]:
    """Make column names unique and non-empty; also return the names that had to change.

    >>> unique_names(["a", "a", "", "b", "a"])
    (['a', 'a_2', 'column_3', 'b', 'a_3'], ['a_2', 'column_3', 'a_3'])
    """
    wanted = [str(n).strip() if n is not None else "" for n in names]
    wanted = [n or f"column_{i + 1}" for i, n in enumerate(wanted)]
    # Letters' case alone does not tell names apart: databases, and DuckDB here, take Age and age for one.
    reserved, seen, out = {n.casefold() for n in wanted}, set[str](), []
    for name in wanted:
        new, count = name, 2
        while new.casefold() in seen or (new != name and new.casefold() in reserved):
            new, count = f"{name}_{count}", count + 1
        seen.add(new.casefold())
        out.append(new)
    originals = [str(n) for n in names] if isinstance(names, list) else wanted
    return out, [new for new, old in zip(out, originals, strict=True) if new != old.strip()]
