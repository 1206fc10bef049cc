"""Tables that live elsewhere: a database through SQLAlchemy, an object in S3-compatible storage.

Both run in the child process. The database is only read: one SELECT, in a transaction that cannot write, up to a
number of rows. Addresses may hold passwords: they travel through the child's standard input and are kept nowhere.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from mlcore.dataset import Reading
from mlcore.errors import BadInput, CannotRead
from mlcore.ingest.frames import Loaded, Order, cells_to_parquet
from mlcore.ingest.options import SELECT, Stored, Table

AT_ONCE = 50_000
READ_ONLY = {  # what makes a session unable to write, by dialect
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
    """The file that an SQLite address names, as SQLAlchemy reads it (it undoes %2e); None for other databases."""
    sa = _sqlalchemy()
    try:
        made = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise BadInput(f"That database address cannot be used: {_without_password(error, url)}.") from None
    return Path(made.database or "") if made.get_backend_name() == "sqlite" else None


def load_table(order: Order, table: Table) -> Loaded:
    """Read a database into `order.raw`. Raises CannotRead, BadInput."""
    sa = _sqlalchemy()
    try:
        url = sa.make_url(table.url)
        engine = sa.create_engine(_unwritable(url))
    except (sa.exc.ArgumentError, ImportError, sa.exc.NoSuchModuleError) as error:
        raise BadInput(f"That database address cannot be used: {_without_password(error, table.url)}.") from None
    dialect = engine.dialect.name
    if dialect not in READ_ONLY:
        raise BadInput(f"{dialect} databases cannot be opened read-only here. Allowed are {', '.join(READ_ONLY)}.")
    try:
        with engine.connect() as link:
            for statement in READ_ONLY[dialect]:
                link.execute(sa.text(statement))
            answer = link.execution_options(stream_results=True).execute(_statement(sa, engine, table))
            names = list(answer.keys())
            rows: list[list[Any]] = []
            while len(rows) <= table.most_rows and (part := answer.fetchmany(AT_ONCE)):
                rows += [[_plain(cell) for cell in row] for row in part]
    except sa.exc.SQLAlchemyError as error:
        raise CannotRead(f"The database did not answer: {_without_password(error, table.url)}.") from None
    finally:
        engine.dispose()
    if not rows:
        raise CannotRead(f"{order.name} gave no rows ({len(names)} columns). Choose a table with rows.")
    notes = cells_to_parquet(names, rows[: table.most_rows], order.raw)
    if len(rows) > table.most_rows:
        notes.append(f"Only the first {table.most_rows:,} rows were read, the limit; there are more.")
    return Loaded(Reading(f"{dialect} database", notes=tuple(notes)), "may be dates")


def _unwritable(url: Any) -> Any:
    """SQLite makes a file that is not there; opened in this way it does not, and cannot be written.

    The path is quoted, as SQLite would undo %2e%2e and so leave a folder that was checked.
    """
    if url.get_backend_name() != "sqlite":
        return url
    if not url.database or url.database == ":memory:":
        raise BadInput("sqlite:// names no file. Give sqlite:///path/to/file.db.")
    return url.set(database=f"file:{quote(url.database)}", query={**url.query, "mode": "ro", "uri": "true"})


def _statement(sa: Any, engine: Any, table: Table) -> Any:
    """The SELECT; a table's name is quoted by the dialect."""
    if SELECT.match(table.query):
        one = table.query.strip().rstrip(";")
        if ";" in one:
            raise BadInput("One SELECT at a time: the query holds a ';' in its middle.")
        return sa.text(one.replace(":", r"\:"))
    *schema, name = table.query.strip().split(".")
    known = sa.inspect(engine)
    names = [
        *known.get_table_names(schema=".".join(schema) or None),
        *known.get_view_names(schema=".".join(schema) or None),
    ]
    if name not in names:
        shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
        raise BadInput(f"There is no table {table.query!r}. The tables are: {shown or 'none'}. Or give a SELECT.")
    wanted = sa.table(name, schema=".".join(schema) or None)
    return sa.select(sa.text("*")).select_from(wanted).limit(table.most_rows + 1)


def _plain(value: Any) -> Any:
    """A cell as one of the types that `cells_to_parquet` knows."""
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
    first = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:200]
    secret = re.search(r"://[^:/@]*:([^@]+)@", url)
    return first.replace(secret[1], "***") if secret else first


def fetch(order: Order, stored: Stored, most: int) -> Order:
    """Bring an object into the spool in pieces. Raises CannotRead, BadInput."""
    try:
        import s3fs
    except ImportError:
        raise BadInput("S3 storage needs the extra 's3': install holdout[s3].") from None
    storage = s3fs.S3FileSystem(endpoint_url=stored.endpoint)
    place = order.out / f"fetched{PurePosixPath(stored.url).suffix.lower()[:10]}"
    try:
        with storage.open(stored.url, "rb") as source, place.open("wb") as out:
            while chunk := source.read(1 << 22):
                out.write(chunk)
                if out.tell() > most:
                    raise CannotRead(f"{stored.url} is larger than {most / (1 << 30):.3g} GB, the limit.")
    except (OSError, ValueError) as error:  # botocore's own errors come as OSError through s3fs
        raise CannotRead(f"{stored.url} could not be fetched: {str(error)[:160]}.") from None
    return replace(order, path=place)
