"""Where data may come from when someone else sits at the screen: what the owner of the server has allowed.

Files of this computer only inside `HOLDOUT_DATA_ROOT`, databases and storage only where `HOLDOUT_SOURCES` names them
(`sql`, `s3`). On the command line and in Python a person acts with their own rights, and none of this applies.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path

from mlcore.dataset import Dataset
from mlcore.errors import BadInput, NotFound
from mlcore.ingest import ENDINGS
from mlcore.ingest.options import DATABASE, ReadOptions, Table
from mlcore.ingest.remote import file_of
from mlcore.result import share
from mlcore.workspace import Workspace

MOST_LISTED = 500
MOST_FOLDERS = 2000  # looked into
KEPT = 5  # originals of uploads that are kept, so that they can be read again with other assumptions
MOST_KEPT = 2 << 30  # bytes of all of them


def data_root() -> Path | None:
    """The folder whose files may be opened, or None."""
    given = os.environ.get("HOLDOUT_DATA_ROOT")
    root = Path(given).expanduser().resolve() if given else None
    return root if root is not None and root.is_dir() else None


def allowed() -> frozenset[str]:
    """Which of sql and s3 the owner of the server allows."""
    return frozenset(re.split(r"[\s,]+", os.environ.get("HOLDOUT_SOURCES", "").strip().lower())) & {"sql", "s3"}


def files() -> list[str]:
    """Files inside the root that can be read, as paths from there; at most MOST_LISTED."""
    root = data_root()
    if root is None:
        return []
    found: list[str] = []
    for visited, (folder, inner, names) in enumerate(os.walk(root)):
        inner[:] = sorted(n for n in inner if not n.startswith("."))
        for name in sorted(names):
            place = Path(folder) / name
            if not name.startswith(".") and place.suffix.lower() in ENDINGS and inside(place) and place.is_file():
                found.append(str(place.relative_to(root)))
        if len(found) >= MOST_LISTED or visited >= MOST_FOLDERS:  # a root may hold anything; the page has to be quick
            break
    return found[:MOST_LISTED]


def inside(path: Path) -> bool:
    """Whether a path, links followed, lies inside the root."""
    root = data_root()
    return root is not None and path.resolve().is_relative_to(root)


def file(name: str) -> Path:
    """A file inside the root by its path from there. Raises NotFound."""
    root = data_root()
    place = (root / name) if root is not None else None
    if place is None or not inside(place) or not place.is_file():
        raise NotFound(f"{name!r} is no file inside the folder that may be opened here.")
    return place


def table(url: str, query: str, most_rows: int) -> Table:
    """A database table that someone else may open. Raises BadInput."""
    if "sql" not in allowed():
        raise BadInput("Databases are off. Whoever runs this server turns them on with HOLDOUT_SOURCES=sql.")
    if not DATABASE.match(url):
        raise BadInput("That is no database address. It begins like postgresql:// or sqlite:///.")
    place = file_of(url)
    if place is not None and not inside(place):
        raise BadInput("A SQLite file can be opened only inside the folder of HOLDOUT_DATA_ROOT.")
    if not query.strip():
        raise BadInput("Say which table, or give a SELECT.")
    return Table(url, query, most_rows)


# originals ------------------------------------------------------------------------------------------------------------


def keep_original(path: Path, data: Dataset, workspace: Workspace) -> None:
    """Keep an uploaded file, so that it can be read again with other assumptions; only the last few are kept."""
    folder = workspace.folder("originals")
    os.replace(path, folder / data.fingerprint)
    kept = sorted((p for p in folder.iterdir() if not p.is_symlink()), key=lambda p: -p.stat().st_mtime)
    size = 0
    for i, place in enumerate(kept):
        size += place.stat().st_size
        if i >= KEPT or (i and size > MOST_KEPT):
            place.unlink(missing_ok=True)


def point_to_original(path: Path, data: Dataset, workspace: Workspace) -> None:
    """Remember where a file of this computer is, for the same purpose; it is not copied."""
    place = workspace.folder("originals") / data.fingerprint
    place.unlink(missing_ok=True)
    place.symlink_to(path.resolve())


def original(data: Dataset, workspace: Workspace) -> Path | None:
    """The bytes that a dataset was read from, where they are still here."""
    place = workspace.folder("originals") / data.fingerprint
    return place if place.exists() else None


def read_again(data: Dataset, options: ReadOptions, workspace: Workspace) -> Dataset:
    """Read the same bytes with other assumptions. Raises NotFound when they are gone, CannotRead."""
    from mlcore.ingest import read

    place = original(data, workspace)
    if place is None:
        raise NotFound(f"The bytes of {data.name} are not kept any more. Open the file again.")
    again = read(place, name=data.name, options=options, workspace=workspace)
    if again.fingerprint != data.fingerprint:
        copy = workspace.folder("originals") / again.fingerprint
        copy.unlink(missing_ok=True)
        os.link(place, copy, follow_symlinks=False)
    return again


def without_repeats(data: Dataset, workspace: Workspace) -> Dataset:
    """The same table with each row once: the first of those that are equal, identifiers aside.

    A dataset of its own, with the number of rows left out in its notes.
    """
    from mlcore.ingest.frames import connection, free_names, quoted, quoted_text
    from mlcore.ingest.kinds import infer

    place, again = map(quoted, free_names(data.schema.names, 2))
    listed = ", ".join(quoted(c.name) for c in data.schema if c.kind != "identifier")
    with tempfile.TemporaryDirectory(dir=workspace.folder("spool")) as spool:
        out = Path(spool) / "data.parquet"
        numbered = f"SELECT *, row_number() OVER () AS {place} FROM read_parquet({quoted_text(str(data.path))})"
        ranked = f"SELECT *, row_number() OVER (PARTITION BY {listed} ORDER BY {place}) AS {again} FROM ({numbered})"
        con = connection(Path(spool), len(data.schema))
        con.execute(
            f"COPY (SELECT * EXCLUDE ({place}, {again}) FROM ({ranked}) WHERE {again} = 1 ORDER BY {place}) "
            f"TO {quoted_text(str(out))} (FORMAT parquet)"
        )
        con.close()
        rows, counted = infer(out, {c.name: c.parse for c in data.schema})
        known = {c.name: c for c in counted}
        schema = replace(
            data.schema,
            columns=tuple(
                replace(c, missing=known[c.name].missing, distinct=known[c.name].distinct) for c in data.schema
            ),
        )
        note = f"{share(data.rows - rows, data.rows)} rows that repeat another were left out."
        reading = replace(data.reading, notes=(*data.reading.notes, note))
        fingerprint = hashlib.sha256(f"{data.fingerprint} once".encode()).hexdigest()[:24]
        return workspace.store(Dataset(data.name, rows, fingerprint, schema, out, reading))
