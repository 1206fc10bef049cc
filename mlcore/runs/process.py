"""The worker process of a run: starting it, ending it, and one that stands by warm.

A worker is a process of its own, `python -m mlcore.runs.worker RUN_DIR`, and outlives the one that started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mlcore.data.workspace import write_whole
from mlcore.errors import BadInput
from mlcore.runs import events, lock
from mlcore.runs.paths import RunPaths

STARTING = 15.0  # seconds within which a worker that was started must write its first event
THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
WORKER = "mlcore.runs.worker"

Start = Callable[[Path, int | None], None]  # starts the worker of a run's folder with a number of task processes


def is_starting(folder: Path, request: str) -> bool:
    """Whether a worker was started a moment ago and has not written an event yet; `request` is what it was asked."""
    asked = [p.stat().st_mtime_ns for p in (folder / request, folder / "worker.pid") if p.exists()]
    written = folder / events.NAME
    silent = bool(asked) and (not written.exists() or written.stat().st_mtime_ns <= max(asked))
    return silent and (time.time() - max(asked) / 1e9 < STARTING or worker_pid(folder) is not None)


def end_worker(folder: Path, grace: float = 1.0) -> bool:
    """Ask a folder's worker to end, even if it is still starting; after `grace` seconds kill its process group.

    Returns whether there was one.
    """
    pid = worker_pid(folder)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + grace
    while lock.is_held(folder) and time.monotonic() < end:
        time.sleep(0.05)
    if lock.is_held(folder):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return True


def worker_pid(folder: Path) -> int | None:
    """The process id in a folder, if that process is a worker: a number in a file may belong to any process by now."""
    try:
        pid = int((folder / "worker.pid").read_text())
        if sys.platform == "linux":
            path = Path(f"/proc/{pid}/cmdline")
            for _ in range(20):  # it is empty for an instant while a process begins, and after it has ended
                if command := path.read_bytes():
                    return pid if WORKER.encode() in command else None
                time.sleep(0.005)
            return None
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def _environment(modules: tuple[str, ...] = ()) -> dict[str, str]:
    """The worker's environment; `modules` define a person's own estimators and are imported from the same paths."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *(p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p)]
    if modules:
        paths += [p or os.getcwd() for p in sys.path]
    return {**os.environ, **THREADS, "PYTHONPATH": os.pathsep.join(paths), "HOLDOUT_MODULES": ",".join(modules)}


def _own_modules(folder: Path) -> tuple[str, ...]:
    """The modules of a person's own estimators in a run. Raises BadInput for one that this process has not imported.

    A folder may come from anywhere, so it only names modules: one that is not imported here already stays so.
    """
    path = RunPaths(folder).estimators / "modules.json"
    names: list[str] = json.loads(path.read_text("utf-8")) if path.exists() else []
    for name in names:
        if name not in sys.modules:
            raise BadInput(f"This run has an estimator of the module {name!r}. Import it first, if you trust it.")
    return tuple(names)


def _note_worker(folder: Path, part: str, pid: int) -> None:
    write_whole(folder / part / "worker.pid", str(pid))


_children: list[subprocess.Popen[bytes]] = []  # kept until they end: a process that nobody waits for stays a zombie


def _keep(process: subprocess.Popen[bytes]) -> None:
    _children[:] = [*(c for c in _children if c.poll() is None), process]


def launch(folder: Path, slots: int | None = None, part: str = "") -> None:
    """Start the worker of a run with `slots` task processes (all cores by default).

    With `part`, a folder below the run's such as that of a study, it does what that folder asks.
    """
    modules = _own_modules(folder)
    command = [sys.executable, "-m", WORKER, str(folder), str(slots or cores())]
    with RunPaths(folder).log.open("ab") as log:
        process = subprocess.Popen(
            [*command, part] if part else command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=_environment(modules),
        )
    _keep(process)
    _note_worker(folder, part, process.pid)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Standby:
    """One warm worker that has done its imports and waits; it ends when this process does."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()  # all sessions of a server share it

    def warm(self) -> None:
        """Start a worker that waits, unless there is one."""
        with self._turn:
            if self._process is not None and self._process.poll() is None:
                return
            self._process = subprocess.Popen(
                [sys.executable, "-m", WORKER, "--standby"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=_environment(),
            )

    def launch(self, folder: Path, slots: int | None = None, part: str = "") -> None:
        """Hand a run, or a part of it, to the waiting worker, or start a new one."""
        if _own_modules(folder):  # the waiting worker has not imported them
            launch(folder, slots, part)
            return
        with self._turn:
            process, self._process = self._process, None
        if process is None or process.poll() is not None or process.stdin is None:
            launch(folder, slots, part)
            return
        _keep(process)
        order = json.dumps({"run": str(folder), "slots": slots or cores(), "part": part}) + "\n"
        try:
            _note_worker(folder, part, process.pid)
            process.stdin.write(order.encode())
            process.stdin.close()
        except BrokenPipeError:
            launch(folder, slots, part)

    def close(self) -> None:
        """Let the waiting worker end."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            _keep(self._process)
            self._process = None
