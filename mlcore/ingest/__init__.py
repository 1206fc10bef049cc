"""Bytes to a Dataset. The bytes are hostile: they are parsed in a child process with a memory and a time limit.

The flow: `read` starts `child`, a process of its own, which unpacks (`archives`) or fetches (`remote`) what has to be,
detects the format, reads it with the module of its family (`text`, `sheets`, `json_records`, `columnar`), settles what
its texts really hold (`convert`) and writes one Parquet file; `kinds` says what each column is, and `read` stores the
result in the workspace.
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
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mlcore.dataset import Dataset
from mlcore.errors import CannotRead, NotFound
from mlcore.ingest.options import Limits, ReadOptions, Stored, Table
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
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
ENDINGS = [*(ending for ending, _ in FORMATS), *PACKED]
VERSION = 2  # of how files are read: a change makes other fingerprints, so that no stale reading is found again
PLAIN = {str, bool, int, float, dt.date, dt.datetime, decimal.Decimal}
READS = (
    "CSV, TSV and other delimited text, Excel (xlsx, xls, xlsb, ods), JSON, JSON Lines, Parquet and Feather, plain or "
    "packed (gzip, bzip2, xz, zstd, zip)"
)


def read(
    source: str | Path | Table | Stored | pd.DataFrame,
    *,
    name: str | None = None,
    options: ReadOptions | None = None,
    workspace: Workspace | None = None,
    limits: Limits | None = None,
) -> Dataset:
    """Read a file, a pandas frame, a database `Table` or a `Stored` object into the workspace; return its Dataset.

    The fingerprint hashes the bytes, the name and the parse options, so the same file is stored once.
    Raises CannotRead with a sentence for a person, NotFound when there is no such file.
    """
    workspace = workspace or Workspace()
    options = options or ReadOptions()
    if isinstance(source, str) and source.startswith("s3://"):
        source = Stored(source)
    with tempfile.TemporaryDirectory(dir=workspace.folder("spool")) as spool:
        path, elsewhere = Path(spool) / "frame.parquet", None
        if isinstance(source, (Table, Stored)):
            path, elsewhere, name = Path(spool) / "data.parquet", source, name or source.name()
        elif isinstance(source, (str, Path)):
            path, name = Path(source), name or Path(source).name
            if not path.is_file():
                raise NotFound(f"There is no file {str(source)!r}.")
            if path.stat().st_size == 0:
                raise CannotRead(f"{name} is empty: it has 0 bytes. Choose a file with a header and rows.")
        else:
            _spool_frame(source, path)
        name = name or "frame"
        order: dict[str, object] = {
            "path": str(path),
            "name": name,
            "options": asdict(options),
            "out": spool,
            "source": asdict(elsewhere) if elsewhere else None,
        }
        with _Child(order, limits or Limits()) as child:
            fingerprint = None if elsewhere else _fingerprint(path, name, options)
            found = child.answer()
        fingerprint = fingerprint or _fingerprint(path, name, options)
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
    digest = hashlib.sha256(json.dumps([VERSION, name, asdict(options)]).encode())
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()[:24]


class _Child:
    """The process that reads; it works while this one hashes the bytes."""

    def __init__(self, order: dict[str, object], limits: Limits) -> None:
        self.name, self.spool, self.limits = order["name"], Path(str(order["out"])), limits
        root = str(Path(__file__).resolve().parents[2])
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlcore.ingest.child"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin is not None
        # Through standard input, not a file: the address of a database may hold a password.
        self.process.stdin.write(json.dumps({**order, **asdict(limits)}).encode())
        self.process.stdin.close()

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def answer(self) -> dict[str, object]:
        """Wait for what the child found. Raises CannotRead."""
        try:
            self.process.wait(self.limits.seconds)
        except subprocess.TimeoutExpired:
            raise CannotRead(
                f"{self.name} was not read within {self.limits.seconds} seconds, the limit. "
                "Try a smaller part of it, or save it as Parquet."
            ) from None
        answer = self.spool / "answer.json"
        if not answer.exists():
            raise CannotRead(
                f"{self.name} could not be read within the memory limit of {self.limits.memory_gb:g} GB, or it is "
                f"damaged (the reader ended with {self.process.returncode}). Try a smaller part of it."
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
