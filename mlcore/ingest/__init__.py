"""Bytes to a Dataset. The bytes are hostile: they are parsed in a child process with a memory and a time limit.

The flow: `read` writes what is wanted to a spool folder, `child` (its own process) detects the format, reads it with
the module of its family (`text`, `sheets`, `json_records`, `columnar`) into one Parquet file, `kinds` says what each
column is, and `read` stores the result in the workspace.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mlcore.dataset import Dataset
from mlcore.errors import CannotRead, NotFound
from mlcore.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

# The family of each file ending; anything else is looked at by its first bytes.
FORMATS: tuple[tuple[str, str], ...] = (
    (".csv", "text"),
    (".tsv", "text"),
    (".txt", "text"),
    (".tab", "text"),
    (".data", "text"),
    (".json", "json"),
    (".jsonl", "jsonl"),
    (".ndjson", "jsonl"),
    (".xlsx", "excel"),
    (".xlsm", "excel"),
    (".xls", "excel"),
    (".xlsb", "excel"),
    (".ods", "excel"),
    (".parquet", "parquet"),
    (".pq", "parquet"),
    (".feather", "arrow"),
    (".arrow", "arrow"),
)
ENDINGS = [ending for ending, _ in FORMATS]
PLAIN = {str, bool, int, float, dt.date, dt.datetime, decimal.Decimal}
READS = "CSV, TSV and other delimited text, Excel (xlsx, xls, xlsb, ods), JSON, JSON Lines, Parquet and Feather"


@dataclass(frozen=True)
class ReadOptions:
    """A person's corrections of what reading assumes; None means: find out."""

    delimiter: str | None = None
    encoding: str | None = None
    header: bool | None = None
    decimal: str | None = None
    sheet: str | None = None


@dataclass(frozen=True)
class Limits:
    """What a file may cost before reading is stopped."""

    memory_gb: float = float(os.environ.get("HOLDOUT_READ_MEMORY_GB", "6"))
    seconds: int = int(os.environ.get("HOLDOUT_READ_SECONDS", "600"))


def read(
    source: str | Path | pd.DataFrame,
    *,
    name: str | None = None,
    options: ReadOptions | None = None,
    workspace: Workspace | None = None,
    limits: Limits | None = None,
) -> Dataset:
    """Read a file (or a pandas frame) into the workspace and return its Dataset.

    The fingerprint hashes the bytes, the name and the parse options, so the same file is stored once.
    Raises CannotRead with a sentence for a person, NotFound when there is no such file.
    """
    workspace = workspace or Workspace()
    options = options or ReadOptions()
    with tempfile.TemporaryDirectory(dir=workspace.folder("spool")) as spool:
        path = Path(spool) / "frame.parquet"
        if isinstance(source, (str, Path)):
            path = Path(source)
            if not path.is_file():
                raise NotFound(f"There is no file {str(source)!r}.")
        else:
            _spool_frame(source, path)
        name = name or (path.name if isinstance(source, (str, Path)) else "frame")
        if path.stat().st_size == 0:
            raise CannotRead(f"{name} is empty: it has 0 bytes. Choose a file with a header and rows.")
        fingerprint = _fingerprint(path, name, options)
        found = _in_child(path, name, options, Path(spool), limits or Limits())
        dataset = Dataset.from_json({**found, "name": name, "fingerprint": fingerprint}, Path(spool) / "data.parquet")
        return workspace.store(dataset)


def _spool_frame(frame: pd.DataFrame, path: Path) -> None:
    from mlcore.dataset import unique_names

    frame = frame.reset_index(drop=True)
    frame.columns, _ = unique_names(list(frame.columns))
    for name in frame.columns:
        if frame[name].dtype.kind == "O":  # objects, categories, periods, intervals …
            column = frame[name].astype(object)
            kinds = set(column.dropna().map(type))
            plain = kinds <= {int, float} or (len(kinds) == 1 and kinds <= PLAIN)
            frame[name] = column if plain else column.map(str, na_action="ignore")
        elif frame[name].dtype.kind == "c":
            frame[name] = frame[name].map(str)
    frame.to_parquet(path, index=False)


def _fingerprint(path: Path, name: str, options: ReadOptions) -> str:
    digest = hashlib.blake2b(json.dumps([name, asdict(options)]).encode(), digest_size=12)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _in_child(path: Path, name: str, options: ReadOptions, spool: Path, limits: Limits) -> dict[str, object]:
    order = {
        "path": str(path),
        "name": name,
        "options": asdict(options),
        "out": str(spool),
        "memory_gb": limits.memory_gb,
        "seconds": limits.seconds,
    }
    (spool / "order.json").write_text(json.dumps(order), encoding="utf-8")
    command = [sys.executable, "-m", "mlcore.ingest.child", str(spool / "order.json")]
    root = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, timeout=limits.seconds, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise CannotRead(
            f"{name} was not read within {limits.seconds} seconds, the limit. "
            "Try a smaller part of it, or save it as Parquet."
        ) from None
    answer = spool / "answer.json"
    if not answer.exists():
        raise CannotRead(
            f"{name} could not be read within the memory limit of {limits.memory_gb:g} GB, or it is "
            f"damaged (the reader ended with {done.returncode}). Try a smaller part of it."
        )
    found: dict[str, object] = json.loads(answer.read_text("utf-8"))
    if "error" in found:
        raise CannotRead(str(found["error"]))
    return found


def spool_upload(chunks: IO[bytes], name: str, workspace: Workspace) -> Path:
    """Write an uploaded file object to disk in pieces, so that its bytes need not stay in memory."""
    folder = workspace.folder("uploads")
    ending = Path(name).suffix.lower()
    place = Path(tempfile.mkdtemp(dir=folder)) / f"upload{ending if ending in ENDINGS else ''}"
    with place.open("wb") as out:
        shutil.copyfileobj(chunks, out, 1 << 20)
    return place
