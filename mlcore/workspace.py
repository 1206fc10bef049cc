"""Where an owner's datasets and runs live on disk, and where the files that ship with Holdout are."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from mlcore.dataset import Dataset
from mlcore.errors import BadInput, NotFound

LOCAL = "local"


def home() -> Path:
    """Return `$HOLDOUT_HOME`, or `~/.holdout`."""
    return Path(os.environ.get("HOLDOUT_HOME") or Path.home() / ".holdout").expanduser()


def shipped(name: str) -> Path:
    """Find a file or folder that travels with the package (app.py, sample_data), in a checkout or in a wheel."""
    root = Path(__file__).resolve().parent.parent
    for place in (root / "holdout_dashboard" / name, root / name):
        if place.exists():
            return place
    raise NotFound(f"{name} did not come with this installation. Install the package again.")


def without_half_a_line(path: Path) -> None:
    """Cut what a writer that was ended left of its last line, so that the next line begins on its own."""
    if not path.exists():
        return
    text, times = path.read_bytes(), path.stat()
    whole = text.rfind(b"\n") + 1
    if whole < len(text):
        os.truncate(path, whole)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # nothing was said by this


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new, never a half."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


@dataclass(frozen=True)
class Workspace:
    """The folder of one owner; nothing is looked up across owners."""

    owner: str = LOCAL

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w@.\-]{1,120}", self.owner) or self.owner.startswith("."):
            raise BadInput(f"{self.owner!r} cannot name a workspace: letters, digits, @ . - and _ only.")

    @property
    def root(self) -> Path:
        """The owner's folder."""
        return home() / self.owner

    def folder(self, *parts: str) -> Path:
        """Return a folder of this workspace, made if need be."""
        place = self.root.joinpath(*parts)
        place.mkdir(parents=True, exist_ok=True)
        return place

    # datasets -----------------------------------------------------------------------------------------------------

    def dataset(self, fingerprint: str) -> Dataset:
        """Open a dataset by its fingerprint. Raises NotFound."""
        place = self.root / "datasets" / _plain(fingerprint)
        if not (place / "dataset.json").exists():
            raise NotFound(f"There is no dataset {fingerprint!r} here any more. Open its file again.")
        return Dataset.from_json(json.loads((place / "dataset.json").read_text("utf-8")), place / "data.parquet")

    def store(self, dataset: Dataset) -> Dataset:
        """Move a freshly read dataset into the workspace; the same fingerprint is stored once."""
        place = self.root / "datasets" / _plain(dataset.fingerprint)
        if not (place / "dataset.json").exists():
            place.mkdir(parents=True, exist_ok=True)
            if dataset.sample_path is not None:
                shutil.move(str(dataset.sample_path), place / "sample.parquet")
            shutil.move(str(dataset.path), place / "data.parquet")
        write_whole(place / "dataset.json", json.dumps(dataset.to_json()))
        return self.dataset(dataset.fingerprint)

    def datasets(self) -> list[Dataset]:
        """All datasets, the last stored first."""
        found = sorted((self.root / "datasets").glob("*/dataset.json"), key=lambda p: -p.stat().st_mtime)
        return [self.dataset(p.parent.name) for p in found]

    # runs ---------------------------------------------------------------------------------------------------------

    def new_run(self, name: str) -> Path:
        """Make the folder of a new run; its last six characters are its short id."""
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "run"
        place = self.folder("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{stem}-{secrets.token_hex(3)}"
        place.mkdir()
        return place

    def run_folder(self, run: str | Path) -> Path:
        """Find a run by its folder or its short id. Raises NotFound."""
        if isinstance(run, Path) or os.sep in str(run) or (Path(run) / "experiment.json").exists():
            if (Path(run) / "experiment.json").exists():
                return Path(run).resolve()
            raise NotFound(f"{run} is not a run: it holds no experiment.json.")
        found = [p for p in self.run_folders() if p.name == run or p.name.endswith(f"-{run}")]
        if not found:
            raise NotFound(f"There is no run {str(run)!r}. `holdout runs` lists them.")
        return found[0]

    def run_folders(self) -> list[Path]:
        """All runs, the last first."""
        return sorted((p.parent for p in (self.root / "runs").glob("*/experiment.json")), reverse=True)


def _plain(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_\-]{1,80}", name):
        raise NotFound(f"{name!r} is not the name of a dataset.")
    return name
