"""The lock that a worker holds for as long as it lives, so that others can tell whether a run is alive."""

from __future__ import annotations

import contextlib
import errno
import time
from pathlib import Path
from typing import Any

from mlcore.errors import HoldoutError

try:
    import fcntl
except ImportError:  # Windows has no such lock; a run is then known by its events alone
    fcntl = None  # type: ignore[assignment]

NAME = "alive.lock"
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)  # somebody has it; other errors: there are no locks here


def hold(folder: Path, patience: float = 2.0) -> Any:
    """Take the lock and return the open file that holds it.

    Waits up to `patience` seconds, because watchers hold it for an instant. Raises HoldoutError when another worker
    still has it then.
    """
    file = (folder / NAME).open("w")
    if fcntl is None:
        return file
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError as error:
            if error.errno not in HELD:
                return file  # a file system without locks; the run is then known by its events alone
            time.sleep(0.02)
    raise HoldoutError(f"Another worker is already working on {folder}.")


def is_held(folder: Path) -> bool:
    """Whether a worker is alive in a folder."""
    if fcntl is None:
        return False
    with contextlib.suppress(FileNotFoundError), (folder / NAME).open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in HELD
    return False
