"""The sources that the owner of a server allows its users to read.

Files of this computer only inside `HOLDOUT_DATA_ROOT`, databases and storage only if `HOLDOUT_SOURCES` names them
(`sql`, `s3`). The command line and Python run with the user's own rights, and none of this applies.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from mlcore.data.dataset import Dataset
from mlcore.data.workspace import Workspace
from mlcore.errors import BadInput, NotFound
from mlcore.ingest.formats import ENDINGS
from mlcore.ingest.options import DATABASE, ReadOptions, Table
from mlcore.ingest.reader import read
from mlcore.ingest.remote import file_of

MOST_LISTED = 500
MOST_FOLDERS = 2000  # searched
KEPT = 5  # originals of uploads that are kept for reading them again with other assumptions
MOST_KEPT = 2 << 30  # bytes of all of them


def data_root() -> Path | None:
    """The folder whose files may be opened, or None."""
    setting = os.environ.get("HOLDOUT_DATA_ROOT")
    root = Path(setting).expanduser().resolve() if setting else None
    return root if root is not None and root.is_dir() else None


def allowed() -> frozenset[str]:
    """Which of sql and s3 the owner of the server allows."""
    return frozenset(re.split(r"[\s,]+", os.environ.get("HOLDOUT_SOURCES", "").strip().lower())) & {"sql", "s3"}


def files() -> list[str]:
    """Files inside the root that can be read, as paths relative to it; at most MOST_LISTED."""
    root = data_root()
    if root is None:
        return []
    paths: list[str] = []
    for visited, (folder, inner, names) in enumerate(os.walk(root)):
        inner[:] = sorted(n for n in inner if not n.startswith("."))
        for name in sorted(names):
            path = Path(folder) / name
            if not name.startswith(".") and path.suffix.lower() in ENDINGS and inside(path) and path.is_file():
                paths.append(str(path.relative_to(root)))
        if len(paths) >= MOST_LISTED or visited >= MOST_FOLDERS:  # a root may be huge; the page has to be quick
            break
    return paths[:MOST_LISTED]


def inside(path: Path) -> bool:
    """Whether a path is inside the root, with links followed."""
    root = data_root()
    return root is not None and path.resolve().is_relative_to(root)


def file(name: str) -> Path:
    """A file inside the root by its relative path. Raises NotFound."""
    root = data_root()
    path = (root / name) if root is not None else None
    if path is None or not inside(path) or not path.is_file():
        raise NotFound(f"{name!r} is not a file inside the folder that Holdout may read.")
    return path


def table(url: str, query: str, most_rows: int) -> Table:
    """A database table that users of the server may open. Raises BadInput."""
    if "sql" not in allowed():
        raise BadInput("Databases are disabled. The owner of this server can enable them with HOLDOUT_SOURCES=sql.")
    if not DATABASE.match(url):
        raise BadInput("That is not a database address. Start it with, for example, postgresql:// or sqlite:///.")
    path = file_of(url)
    if path is not None and not inside(path):
        raise BadInput("An SQLite file must be inside the folder of HOLDOUT_DATA_ROOT.")
    if not query.strip():
        raise BadInput("Name a table, or give a SELECT.")
    return Table(url, query, most_rows)


# originals ------------------------------------------------------------------------------------------------------------


def keep_original(path: Path, data: Dataset, workspace: Workspace) -> None:
    """Keep an uploaded file, so that it can be read again with other assumptions; only the last few are kept."""
    folder = workspace.folder("originals")
    os.replace(path, folder / data.fingerprint)
    originals = sorted((p for p in folder.iterdir() if not p.is_symlink()), key=lambda p: -p.stat().st_mtime)
    size = 0
    for i, stored in enumerate(originals):
        size += stored.stat().st_size
        if i >= KEPT or (i and size > MOST_KEPT):
            stored.unlink(missing_ok=True)


def point_to_original(path: Path, data: Dataset, workspace: Workspace) -> None:
    """Link to a file of this computer, for the same purpose; it is not copied."""
    link = workspace.folder("originals") / data.fingerprint
    link.unlink(missing_ok=True)
    link.symlink_to(path.resolve())


def original(data: Dataset, workspace: Workspace) -> Path | None:
    """The file that a dataset was read from, if it is still here."""
    path = workspace.folder("originals") / data.fingerprint
    return path if path.exists() else None


def read_again(data: Dataset, options: ReadOptions, workspace: Workspace) -> Dataset:
    """Read the same bytes with other assumptions. Raises NotFound if they are gone, CannotRead."""
    path = original(data, workspace)
    if path is None:
        raise NotFound(f"The original of {data.name} is not stored any more. Open the file again.")
    again = read(path, name=data.name, options=options, workspace=workspace)
    if again.fingerprint != data.fingerprint:
        copy = workspace.folder("originals") / again.fingerprint
        copy.unlink(missing_ok=True)
        os.link(path, copy, follow_symlinks=False)
    return again
