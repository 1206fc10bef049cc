"""Tables stored elsewhere: in a database through SQLAlchemy, or as an object in S3-compatible storage.

Both are read in the child process. A database is only read: one SELECT, in a transaction that cannot write, up to a
maximum number of rows. Addresses may hold passwords: they go through the child's standard input and are not stored.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from mlcore.data.dataset import Reading
from mlcore.errors import BadInput, CannotRead
from mlcore.ingest.frames import Loaded, Order, cells_to_parquet
from mlcore.ingest.options import SELECT, Stored, Table

AT_ONCE = 50_000
READ_ONLY = {  # statements that make a session read-only, by dialect
    "postgresql": ("SET TRANSACTION READ ONLY",),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY"),
    "sqlite": ("PRAGMA query_only = ON",),
    "oracle": ("SET TRANSACTION READ ONLY",),
}


def _sqlalchemy() -> Any:
    try:
        import sqlalchemy
    except ImportError:
        raise BadInput("Databases need the extra 'sql': install holdout[sql] and a driver for yours.") from None
    return sqlalchemy


def file_of(url: str) -> Path | None:
    """The file that an SQLite address names, parsed by SQLAlchemy (it decodes %2e); None for other databases."""
    sa = _sqlalchemy()
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise BadInput(f"That database address cannot be used: {_without_password(error, url)}.") from None
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def load_table(order: Order, table: Table) -> Loaded:
    """Read a database into `order.raw`. Raises CannotRead, BadInput."""
    sa = _sqlalchemy()
    try:
        url = sa.make_url(table.url)
        engine = sa.create_engine(_read_only(url))
    except (sa.exc.ArgumentError, ImportError, sa.exc.NoSuchModuleError) as error:
        raise BadInput(f"That database address cannot be used: {_without_password(error, table.url)}.") from None
    dialect = engine.dialect.name
    if dialect not in READ_ONLY:
        raise BadInput(f"{dialect} databases cannot be opened read-only here. Allowed are {', '.join(READ_ONLY)}.")
    try:
        with engine.connect() as database:
            for statement in READ_ONLY[dialect]:
                database.execute(sa.text(statement))
            result = database.execution_options(stream_results=True).execute(_statement(sa, engine, table))
            names = list(result.keys())
            rows: list[list[Any]] = []
            while len(rows) <= table.most_rows and (batch := result.fetchmany(AT_ONCE)):
                rows += [[_plain_value(value) for value in row] for row in batch]
    except sa.exc.SQLAlchemyError as error:
        raise CannotRead(f"The database returned an error: {_without_password(error, table.url)}.") from None
    finally:
        engine.dispose()
    if not rows:
        raise CannotRead(f"{order.name} returned no rows ({len(names)} columns). Choose a table with rows.")
    notes = cells_to_parquet(names, rows[: table.most_rows], order.raw)
    if len(rows) > table.most_rows:
        notes.append(f"Only the first {table.most_rows:,} rows were read, the maximum; there are more.")
    return Loaded(Reading(f"{dialect} database", notes=tuple(notes)), "may be dates")


def _read_only(url: Any) -> Any:
    """The address; an SQLite file is opened read-only, so that SQLite does not create a missing file.

    The path is quoted, because SQLite would decode %2e%2e and so leave a folder that was checked.
    """
    if url.get_backend_name() != "sqlite":
        return url
    if not url.database or url.database == ":memory:":
        raise BadInput("sqlite:// does not name a file. Give sqlite:///path/to/file.db.")
    return url.set(database=f"file:{quote(url.database)}", query={**url.query, "mode": "ro", "uri": "true"})


def _statement(sa: Any, engine: Any, table: Table) -> Any:
    """The SELECT; the dialect quotes a table's name."""
    if SELECT.match(table.query):
        select = table.query.strip().rstrip(";")
        if ";" in select:
            raise BadInput("One SELECT at a time: the query has a ';' in the middle.")
        return sa.text(select.replace(":", r"\:"))
    *schema, name = table.query.strip().split(".")
    inspector = sa.inspect(engine)
    names = [
        *inspector.get_table_names(schema=".".join(schema) or None),
        *inspector.get_view_names(schema=".".join(schema) or None),
    ]
    if name not in names:
        shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
        raise BadInput(f"There is no table {table.query!r}. Choose from: {shown or 'none'}. Or give a SELECT.")
    source = sa.table(name, schema=".".join(schema) or None)
    return sa.select(sa.text("*")).select_from(source).limit(table.most_rows + 1)


def _plain_value(value: Any) -> Any:
    """A value as one of the types that `cells_to_parquet` accepts."""
    import datetime as dt
    import decimal
    import uuid

    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).decode("utf-8", "replace")
    return str(value) if isinstance(value, uuid.UUID) else value


def _without_password(error: BaseException, url: str) -> str:
    message = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:200]
    password = re.search(r"://[^:/@]*:([^@]+)@", url)
    return message.replace(password[1], "***") if password else message


def fetch(order: Order, stored: Stored, most: int) -> Order:
    """Copy an object into the spool folder in chunks. Raises CannotRead, BadInput."""
    try:
        import s3fs
    except ImportError:
        raise BadInput("S3 storage needs the extra 's3': install holdout[s3].") from None
    storage = s3fs.S3FileSystem(endpoint_url=stored.endpoint)
    path = order.out / f"fetched{PurePosixPath(stored.url).suffix.lower()[:10]}"
    try:
        with storage.open(stored.url, "rb") as source, path.open("wb") as out:
            while chunk := source.read(1 << 22):
                out.write(chunk)
                if out.tell() > most:
                    raise CannotRead(f"{stored.url} is larger than {most / (1 << 30):.3g} GB, the limit.")
    except (OSError, ValueError) as error:  # s3fs raises botocore's errors as OSError
        raise CannotRead(f"{stored.url} could not be fetched: {str(error)[:160]}.") from None
    return replace(order, path=path)
