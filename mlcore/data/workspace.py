"""Where an owner's datasets and runs are stored, and where the files shipped with Holdout are."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlcore.data.dataset import Dataset
from mlcore.errors import BadInput, CannotRead, NotFound

LOCAL = "local"
MEASURED = "measurements"  # the folder of comparisons that are asked for scores only


def home() -> Path:
    """Return `$HOLDOUT_HOME`, or `~/.holdout`."""
    return Path(os.environ.get("HOLDOUT_HOME") or Path.home() / ".holdout").expanduser()


def shipped(name: str) -> Path:
    """Find a file or folder shipped with the package (app.py, sample_data), in a checkout or in a wheel."""
    root = Path(__file__).resolve().parents[2]
    for path in (root / "holdout_dashboard" / name, root / name):
        if path.exists():
            return path
    raise NotFound(f"{name} is missing from this installation. Install the package again.")


def drop_partial_line(path: Path) -> None:
    """Cut off the unfinished last line of a killed writer, so that the next write starts a new line."""
    if not path.exists():
        return
    text, times = path.read_bytes(), path.stat()
    end = text.rfind(b"\n") + 1
    if end < len(text):
        os.truncate(path, end)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the modification time means that a line was written


def read_json_lines(path: Path) -> list[Any]:
    """The complete lines of a JSON Lines file; none if there is no file or its only line is still being written."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    return list(readable_lines(text[: text.rfind(b"\n") + 1]))


def readable_lines(text: bytes) -> Iterator[Any]:
    """The lines of a JSON Lines file; one that a crash has damaged is left out, and costs no other."""
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            continue


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises CannotRead for a damaged one, FileNotFoundError where there is none."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CannotRead(
            f"{path.name} in {path.parent.name} is damaged: {str(error)[:120]}. Restore the folder, or compare again."
        ) from None


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees either the old text or the new, never a part."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


@dataclass(frozen=True)
class Workspace:
    """The folder of one owner; nothing is looked up across owners."""

    owner: str = LOCAL

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w@.\-]{1,120}", self.owner) or self.owner.startswith("."):
            raise BadInput(f"{self.owner!r} is not a workspace name. Use letters, digits, @ . - and _ only.")

    @property
    def root(self) -> Path:
        """The owner's folder."""
        return home() / self.owner

    def folder(self, *parts: str) -> Path:
        """Return a folder of this workspace; create it if needed."""
        path = self.root.joinpath(*parts)
        if not path.exists():
            home().mkdir(mode=0o700, parents=True, exist_ok=True)  # data of people, on a machine that others may share
            path.mkdir(parents=True, exist_ok=True)
        return path

    # datasets -----------------------------------------------------------------------------------------------------

    def dataset(self, fingerprint: str) -> Dataset:
        """Open a dataset by its fingerprint. Raises NotFound."""
        folder = self.root / "datasets" / _checked_name(fingerprint)
        if not (folder / "dataset.json").exists():
            raise NotFound(f"Dataset {fingerprint!r} is not stored here any more. Open its file again.")
        return Dataset.from_json(json.loads((folder / "dataset.json").read_text("utf-8")), folder / "data.parquet")

    def store(self, dataset: Dataset) -> Dataset:
        """Move a newly read dataset into the workspace; each fingerprint is stored once."""
        folder = self.root / "datasets" / _checked_name(dataset.fingerprint)
        if not (folder / "dataset.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            if dataset.sample_path is not None:
                shutil.move(str(dataset.sample_path), folder / "sample.parquet")
            shutil.move(str(dataset.path), folder / "data.parquet")
        write_whole(folder / "dataset.json", json.dumps(dataset.to_json()))
        return self.dataset(dataset.fingerprint)

    def datasets(self) -> list[Dataset]:
        """All datasets, most recent first."""
        paths = sorted((self.root / "datasets").glob("*/dataset.json"), key=lambda p: -p.stat().st_mtime)
        return [self.dataset(p.parent.name) for p in paths]

    # runs ---------------------------------------------------------------------------------------------------------

    def new_run(self, name: str) -> Path:
        """Create the folder of a new run; its last six characters are its short id."""
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "run"
        folder = self.folder("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{stem}-{secrets.token_hex(3)}"
        folder.mkdir()
        return folder

    def measured(self, name: str) -> Path:
        """The folder of a comparison that is only a measurement: it is not listed, and its models are not kept."""
        return self.folder(MEASURED) / _checked_name(name)

    def run_folder(self, run: str | Path) -> Path:
        """Find a run by its folder or its short id. Raises NotFound."""
        if isinstance(run, Path) or os.sep in str(run) or (Path(run) / "experiment.json").exists():
            if (Path(run) / "experiment.json").exists():
                return Path(run).resolve()
            raise NotFound(f"{run} is not a run: it has no experiment.json.")
        matches = [p for p in self.run_folders() if p.name == run or p.name.endswith(f"-{run}")]
        if not matches:
            raise NotFound(f"There is no run {str(run)!r}. `holdout runs` lists them.")
        return matches[0]

    def run_folders(self) -> list[Path]:
        """All runs, most recent first."""
        return sorted((p.parent for p in (self.root / "runs").glob("*/experiment.json")), reverse=True)


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_\-]{1,80}", name):
        raise NotFound(f"{name!r} is not the name of a dataset.")
    return name
