"""The first noun: a dataset on disk, its columns, and their kinds and roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from mlcore.data.former_names import with_current_names
from mlcore.errors import BadChoice, CannotRead, NoSuchColumn

if TYPE_CHECKING:
    import pandas as pd


Kind = Literal["numeric", "categorical", "boolean", "datetime", "text", "identifier", "constant"]
Role = Literal["feature", "target", "group", "time", "weight", "ignore"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Column:
    """One column: its kind, its role, and the reason for them."""

    name: str
    kind: Kind
    role: Role
    dtype: str  # integer, float, boolean, datetime or text: how it is stored
    missing: int
    distinct: int
    reason: str = ""
    parse: str = ""  # how its text was read: a decimal mark, or a date format
    estimated: bool = False  # whether `distinct` is an estimate (large tables; within a few per cent)
    folded: int = 0  # distinct texts where spellings such as Yes and YES count as one; 0: as `distinct`

    @property
    def classes(self) -> int:
        """The number of classes, if it is the target: spellings of one label are one class."""
        return self.folded or self.distinct


@dataclass(frozen=True)
class Schema:
    """The columns in the order of the file."""

    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        index = self._positions.get(name)
        if index is None:
            raise NoSuchColumn.named(name, self.names)
        return self.columns[index]

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {c.name: i for i, c in enumerate(self.columns)}

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return [c.name for c in self.columns]

    def named(self, *kinds: Kind) -> list[str]:
        """Names of the columns of some kinds."""
        return [c.name for c in self.columns if c.kind in kinds]

    def in_role(self, role: Role) -> list[str]:
        """Names of the columns with one role."""
        return [c.name for c in self.columns if c.role == role]

    def features(self) -> Schema:
        """Only the columns that models may use."""
        return Schema(tuple(c for c in self.columns if c.role == "feature"))

    def change(self, name: str, **changes: Any) -> Schema:
        """Return a schema with one column corrected."""
        self[name]  # raises if there is no such column
        for key, allowed in (("kind", KINDS), ("role", ROLES)):
            if key in changes and changes[key] not in allowed:
                raise BadChoice.of(key, changes[key], allowed)
        index = self._positions[name]
        return Schema((*self.columns[:index], replace(self.columns[index], **changes), *self.columns[index + 1 :]))

    def with_kind(self, name: str, kind: Kind, parse: str | None = None) -> Schema:
        """Return a schema with a corrected kind; a column ignored for its kind becomes a feature, and vice versa.

        `parse` says how to read texts as numbers or dates; texts that do not fit become missing.
        """
        unused = ("identifier", "constant")
        role = self[name].role
        if role == "ignore" and self[name].kind in unused and kind not in unused:
            role = "feature"
        elif role == "feature" and kind in unused:
            role = "ignore"
        parsing = {} if parse is None else {"parse": parse}
        return self.change(name, kind=kind, role=role, reason="set by you", **parsing)

    def with_declared(self, name: str, kind: Kind) -> Schema:
        """Return a schema with a kind that the file declares, where its values can be of that kind."""
        column = self[name]
        if column.kind == "constant" or (kind == "numeric" and column.dtype not in ("integer", "float")):
            return self
        return self.with_kind(name, kind).change(name, reason="declared in the file")

    def with_target(self, name: str) -> Schema:
        """Return a schema with this column as the only target."""
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
        """Return a schema with some columns ignored."""
        ignored = set(names)
        for name in ignored:
            self[name]
        return Schema(tuple(replace(c, role="ignore") if c.name in ignored else c for c in self.columns))


@dataclass(frozen=True)
class Reading:
    """How the bytes were interpreted: every assumption that can be corrected."""

    format: str
    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    decimal: str = "."
    skipped_rows: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    skip: int = 0  # lines above the table that were skipped
    markers: tuple[str, ...] = ()  # texts that were taken as missing; "" is an empty value
    subset: str | None = None  # the sheet of a workbook, or the file of an archive
    subsets: tuple[str, ...] = ()  # all sheets or files to choose from
    marked: tuple[tuple[str, str, int], ...] = ()  # column, marker, and how many of its cells were taken as missing

    def words(self) -> str:
        """A description in one line."""
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank", "\x01": "control-A"}
        parts = [self.format]
        if self.delimiter:
            parts.append(f"{names.get(self.delimiter, self.delimiter)}-separated")
        if self.encoding:
            parts.append(self.encoding)
        if self.decimal == ",":
            parts.append("decimal comma")
        quoted = [repr(m) for m in self.markers if m]
        missing = (["empty values"] if "" in self.markers else []) + quoted
        suffix = f"; taken as missing: {', '.join(missing[:8])}" if missing else ""
        return "Read as " + ", ".join(parts) + suffix


@dataclass(frozen=True)
class Dataset:
    """A table on disk: a Parquet file, its schema and how it was read. Frozen; data is loaded on request.

    `schema` holds a `Column` for each column, with its kind and role and the reasons for them; `with_schema` returns
    the dataset with other ones. Raises NoSuchColumn for an unknown name.

    >>> data.schema["age"].kind, data.schema["customer_id"].role
    ('numeric', 'ignore')
    >>> data.frame(["age", "region"]).shape == (data.rows, 2)
    True
    >>> changed = data.with_schema(data.schema.change("region", role="group"))
    >>> changed.schema.in_role("group")
    ['region']
    """

    name: str
    rows: int
    fingerprint: str  # hash of the bytes and the parse options
    schema: Schema
    path: Path
    reading: Reading = field(default_factory=lambda: Reading("parquet"))

    def frame(self, columns: Sequence[str] | None = None, rows: Sequence[int] | None = None) -> pd.DataFrame:
        """Read columns (all by default) as pandas; `rows` are positions in the file.

        Raises NoSuchColumn for an unknown name.
        """
        import pyarrow.parquet as pq

        for name in columns or ():
            self.schema[name]
        with self._readable():
            table = pq.read_table(self.path, columns=list(columns) if columns is not None else None, use_threads=False)
        if rows is not None:
            table = table.take(list(rows))
        frame: pd.DataFrame = table.to_pandas()
        return frame

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turn what pyarrow raises of a damaged or missing file into CannotRead."""
        try:
            yield
        except (OSError, ValueError) as error:
            raise CannotRead(
                f"The stored rows of {self.name} are damaged or gone ({str(error)[:100]}). Open its file again."
            ) from None

    def column(self, name: str) -> pd.Series:
        """Read one column; whole numbers stay exact even with missing values. Raises NoSuchColumn."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.schema[name]
        with self._readable():
            table = pq.read_table(self.path, columns=[name], use_threads=False)
        series: pd.Series = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)[name]
        return series

    @property
    def sample_path(self) -> Path | None:
        """The Parquet file of a random sample of the rows, in order; None unless the table is large."""
        path = self.path.with_name("sample.parquet")
        return path if path.exists() else None

    def sample(self, columns: Sequence[str] | None = None, most: int | None = None) -> pd.DataFrame:
        """Read columns of a random sample of the rows, in order and the same each time; at most `most` rows.

        Without `most`, all rows of a table that is not large. Only a few full columns are in memory at a time.
        """
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(self.sample_path or self.path)
        names = list(columns) if columns is not None else file.schema_arrow.names
        rows, positions = file.metadata.num_rows, None
        if most is not None and rows > most:
            positions = pa.array(np.sort(np.random.default_rng(0).choice(rows, most, replace=False)))
        step = max(1, (1 << 24) // max(rows, 1))
        parts = []
        for start in range(0, len(names), step):
            part = file.read(names[start : start + step], use_threads=False)
            parts.append(part if positions is None else part.take(positions))
        table = pa.table({n: part.column(n) for part in parts for n in part.schema.names})
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def with_schema(self, schema: Schema) -> Dataset:
        """Return the same data with another schema."""
        return replace(self, schema=schema)

    def to_json(self) -> dict[str, Any]:
        """Everything but the path, as plain data."""
        data = asdict(self)
        del data["path"]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], path: Path) -> Dataset:
        """Rebuild from `to_json` and the path of the Parquet file."""
        reading: dict[str, Any] = {k: _tuples(v) for k, v in with_current_names("reading", data["reading"]).items()}
        return cls(
            data["name"], data["rows"], data["fingerprint"], schema_from_json(data["schema"]), path, Reading(**reading)
        )


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def schema_from_json(data: dict[str, Any]) -> Schema:
    """Rebuild a schema from plain data."""
    return Schema(tuple(Column(**c) for c in data["columns"]))


def unique_names(names: Iterable[object]) -> tuple[list[str], list[str]]:
    """Make column names unique and non-empty; also return the names that had to change.

    >>> unique_names(["a", "a", "", "b", "a"])
    (['a', 'a_2', 'column_3', 'b', 'a_3'], ['a_2', 'column_3', 'a_3'])
    """
    stripped = [_one_line(str(n)) if n is not None else "" for n in names]
    stripped = [n or f"column_{i + 1}" for i, n in enumerate(stripped)]
    # Names that differ only in case are not unique: databases, including DuckDB, treat Age and age as the same.
    reserved, used, unique = {n.casefold() for n in stripped}, set[str](), []
    for name in stripped:
        new, count = name, 2
        while new.casefold() in used or (new != name and new.casefold() in reserved):
            new, count = f"{name}_{count}", count + 1
        used.add(new.casefold())
        unique.append(new)
    originals = [str(n) for n in names] if isinstance(names, list) else stripped
    return unique, [new for new, old in zip(unique, originals, strict=True) if new != old.strip()]


def _one_line(name: str) -> str:
    """A name without line breaks and control characters, which a header may hold inside quotes."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in name).split())


def derived(name: str, part: str, taken: list[str]) -> str:
    """The name of a part of a column, different from all names in `taken`.

    >>> derived("date", "year", ["date"]), derived("date", "year", ["date", "date year"])
    ('date year', 'date year_')
    """
    unique = f"{name} {part}"
    while unique in taken:
        unique += "_"
    return unique
