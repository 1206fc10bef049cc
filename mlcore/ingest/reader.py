"""Bytes to a Dataset. The bytes are hostile: they are parsed in a child process with a memory and a time limit.

The flow: `read` starts `reader_process`, which unpacks (`archives`) or fetches (`remote`) where needed, detects the
format, reads it with the module of its family (`text`, `sheets`, `json_records`, `columnar`), converts texts to numbers
and dates (`convert`) and writes one Parquet file; `kinds` infers what each column is, and `read` stores the result in
the workspace.
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
from typing import IO

import pandas as pd

from mlcore.data.dataset import Dataset, unique_names
from mlcore.data.workspace import Workspace
from mlcore.errors import Ambiguous, CannotRead, NotFound
from mlcore.ingest.formats import ENDINGS
from mlcore.ingest.options import Limits, ReadOptions, Stored, Table

VERSION = 2  # of the readers: a change gives new fingerprints, so that no stale result is reused
PLAIN = {str, bool, int, float, dt.date, dt.datetime, decimal.Decimal}


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
    Raises CannotRead with a message for the user, NotFound if there is no such file.

    >>> tea = read("sample_data/tea_leaves.csv")
    >>> tea.rows, len(tea.schema)
    (360, 7)
    >>> import pandas as pd
    >>> read(pd.DataFrame({"x": [1, 2]}), name="two rows").rows
    2
    """
    workspace = workspace or Workspace()
    options = options or ReadOptions()
    if isinstance(source, str) and source.startswith("s3://"):
        source = Stored(source)
    with tempfile.TemporaryDirectory(dir=workspace.folder("spool")) as spool:
        path, origin = Path(spool) / "frame.parquet", None
        if isinstance(source, (Table, Stored)):
            path, origin, name = Path(spool) / "data.parquet", source, name or source.name()
        elif isinstance(source, (str, Path)):
            path, name = Path(source), name or Path(source).name
            if not path.is_file():
                raise NotFound(f"There is no file {str(source)!r}.")
            if path.stat().st_size == 0:
                raise CannotRead(f"{name} is empty: it has 0 bytes. Choose a file with a header and rows.")
        else:
            write_frame(source, path)
        name = name or "frame"
        order: dict[str, object] = {
            "path": str(path),
            "name": name,
            "options": asdict(options),
            "out": spool,
            "source": asdict(origin) if origin else None,
        }
        with _ReaderProcess(order, limits or Limits()) as child:
            fingerprint = None if origin else _fingerprint(path, name, options)
            answer = child.answer()
        fingerprint = fingerprint or _fingerprint(path, name, options)
        dataset = Dataset.from_json({**answer, "name": name, "fingerprint": fingerprint}, Path(spool) / "data.parquet")
        return workspace.store(dataset)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    frame = _with_index(frame)
    frame.columns, _ = unique_names(list(frame.columns))
    for name in frame.columns:
        if frame[name].dtype.kind == "O":  # objects, categories, periods, intervals …
            column = frame[name].astype(object)
            types = set(column.dropna().map(type))
            plain = types <= {int, float} or (len(types) == 1 and types <= PLAIN)
            frame[name] = column if plain else column.map(str, na_action="ignore")
        elif frame[name].dtype.kind == "c":
            frame[name] = frame[name].map(str)
    frame.to_parquet(path, index=False)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose index is a column, if it has a name or holds anything but 0 … n − 1, in any order."""
    index, n = frame.index, len(frame)
    whole = index.nlevels == 1 and index.name is None and index.dtype.kind in "iu"
    if not n or (whole and index.min() >= 0 and index.max() < n):
        return frame.reset_index(drop=True)
    taken = {str(c) for c in frame.columns}
    names = [
        n if n is not None else "index" if index.nlevels == 1 else f"index_{i + 1}" for i, n in enumerate(index.names)
    ]
    names = [f"{n}_index" if str(n) in taken else n for n in names]
    return frame.reset_index(names=names)


def _fingerprint(path: Path, name: str, options: ReadOptions) -> str:
    digest = hashlib.sha256(json.dumps([VERSION, name, asdict(options)]).encode())
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()[:24]


class _ReaderProcess:
    """The process that reads, while this one hashes the bytes."""

    def __init__(self, order: dict[str, object], limits: Limits) -> None:
        self.name, self.spool, self.limits = order["name"], Path(str(order["out"])), limits
        root = str(Path(__file__).resolve().parents[2])
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "mlcore.ingest.reader_process"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin is not None
        # Through standard input, not a file: a database address may hold a password.
        self.process.stdin.write(json.dumps({**order, **asdict(limits)}).encode())
        self.process.stdin.close()

    def __enter__(self) -> _ReaderProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def answer(self) -> dict[str, object]:
        """Wait for the result. Raises CannotRead."""
        try:
            self.process.wait(self.limits.seconds)
        except subprocess.TimeoutExpired:
            raise CannotRead(
                f"{self.name} was not read within {self.limits.seconds} seconds, the limit. "
                "Try a smaller part of it, or save it as Parquet."
            ) from None
        path = self.spool / "answer.json"
        if not path.exists():
            raise CannotRead(
                f"{self.name} could not be read within the memory limit of {self.limits.memory_gb:g} GB, or it is "
                f"damaged (the reader ended with code {self.process.returncode}). Try a smaller part of it."
            )
        answer: dict[str, object] = json.loads(path.read_text("utf-8"))
        if answer.get("choices"):
            raise Ambiguous(str(answer["error"]), list(answer["choices"]))  # type: ignore[call-overload]
        if "error" in answer:
            raise CannotRead(str(answer["error"]))
        return answer


def spool_upload(chunks: IO[bytes], name: str, workspace: Workspace) -> Path:
    """Write an uploaded file object to disk in chunks, so that its bytes need not stay in memory."""
    folder = workspace.folder("uploads")
    ending = Path(name).suffix.lower()
    path = Path(tempfile.mkdtemp(dir=folder)) / f"upload{ending if ending in ENDINGS else ''}"
    with path.open("wb") as out:
        shutil.copyfileobj(chunks, out, 1 << 20)
    return path
