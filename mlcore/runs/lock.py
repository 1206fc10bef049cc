"""The lock that a worker holds for as long as it lives, so that others can tell whether a run is alive."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

from mlcore.errors import HoldoutError

try:
    import fcntl
except ImportError:  # Windows has no such lock; a run is then known by its events alone
    fcntl = None  # type: ignore[assignment]

NAME = "alive.lock"


def hold(folder: Path) -> Any:
    """Take the lock and return the open file that holds it. Raises HoldoutError when another worker has it."""
    file = (folder / NAME).open("w")
    if fcntl is None:
        return file
    for _ in range(100):  # watchers hold it for an instant only
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError:
            time.sleep(0.02)
    raise HoldoutError(f"Another worker is already working on {folder}.")


def is_held(folder: Path) -> bool:
    """Whether a worker is alive in a folder."""
    if fcntl is None:
        return False
    with contextlib.suppress(FileNotFoundError), (folder / NAME).open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
