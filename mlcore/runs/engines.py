"""Where tasks run: in this process or in local processes. As in concurrent.futures, `submit` returns a Future.

`poll` moves results into the futures, so that no second thread is needed (forking with threads is unsafe), and `kill`
ends a running task at once. A cluster could have the same interface.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from mlcore.errors import HoldoutError

Work = Callable[..., Any]


class ProcessDied(HoldoutError):
    """The process of a task ended without an answer: out of memory, or a crash in native code."""


class TaskFailed(HoldoutError):
    """A task raised an exception; the message is that exception in one line."""


class Engine(Protocol):
    """The interface that the scheduler needs."""

    slots: int

    def submit(self, work: Work, *args: Any) -> Future[Any]: ...
    def poll(self, seconds: float) -> None: ...
    def kill(self, future: Future[Any]) -> None: ...
    def shutdown(self) -> None: ...


class Inline:
    """Run each task at once in this process; for tests and for platforms without processes. It cannot kill."""

    slots = 1

    def submit(self, work: Work, *args: Any) -> Future[Any]:
        """Run now."""
        future: Future[Any] = Future()
        _resolve(future, _run_task(work, args))
        return future

    def poll(self, seconds: float) -> None:
        """Nothing is ever pending."""

    def kill(self, future: Future[Any]) -> None:
        """Nothing is ever running."""

    def shutdown(self) -> None:
        """Nothing to end."""


@dataclass
class _Slot:
    process: Any
    pipe: Connection
    future: Future[Any] | None = None


class LocalProcesses:
    """Processes that each run one task at a time and are replaced when they are killed or die.

    On Linux they are forks of this process, made before any thread starts: data and imports are shared, and a new
    process costs milliseconds. Elsewhere they are spawned, and load the data themselves.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._pool = [self._start() for _ in range(slots)]

    def _start(self) -> _Slot:
        parent_end, child_end = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(child_end, os.getpid()), daemon=True)
        process.start()
        child_end.close()
        return _Slot(process, parent_end)

    def submit(self, work: Work, *args: Any) -> Future[Any]:
        """Give a task to an idle process; the caller keeps at most `slots` tasks running."""
        slot = next(s for s in self._pool if s.future is None)
        slot.future = Future()
        slot.pipe.send((work, args))
        return slot.future

    def poll(self, seconds: float) -> None:
        """Wait until a task finishes or the time is up."""
        busy = [s for s in self._pool if s.future is not None]
        ready = set(wait([s.pipe for s in busy] + [s.process.sentinel for s in busy], seconds))
        for slot in busy:
            if slot.pipe in ready or slot.process.sentinel in ready:
                self._collect(slot)

    def _collect(self, slot: _Slot) -> None:
        future = slot.future
        if future is None:
            return
        try:
            answer = slot.pipe.recv() if slot.pipe.poll() else None
        except (EOFError, OSError):
            answer = None
        if answer is None:
            slot.process.join(1)
            self._replace(slot)
            future.set_exception(
                ProcessDied(f"Its process ended with code {slot.process.exitcode}; it may have run out of memory.")
            )
        else:
            slot.future = None
            _resolve(future, answer)

    def kill(self, future: Future[Any]) -> None:
        """End the process of a future and replace it with a new one."""
        for slot in self._pool:
            if slot.future is future:
                slot.process.kill()
                slot.process.join(5)
                self._replace(slot)
                future.cancel()

    def _replace(self, slot: _Slot) -> None:
        slot.pipe.close()
        self._pool[self._pool.index(slot)] = self._start()

    def shutdown(self) -> None:
        """End all processes."""
        for slot in self._pool:
            slot.process.kill()
        for slot in self._pool:
            slot.process.join(5)


def _serve(pipe: Connection, parent: int) -> None:
    _die_with(parent)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            work, args = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_run_task(work, args))


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends for any reason (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _run_task(work: Work, args: tuple[Any, ...]) -> tuple[bool, Any]:
    """The only place where an exception of a task becomes a value: a failure is a row, not a crash."""
    try:
        return True, work(*args)
    except HoldoutError as error:
        return False, str(error)
    except MemoryError:
        return False, "It needed more memory than is available."
    except OSError as error:
        return False, FULL if is_full(error) else f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        text = " ".join(str(error).split("Stack trace:")[0].split())  # without native stack traces and their paths
        return False, f"{type(error).__name__}: {text}"[:500]


FULL = "The disk is full. Free some space, then resume the run."


def is_full(error: OSError) -> bool:
    """Whether an error means that nothing more can be written."""
    import errno

    truncated = error.errno is None and "requested and" in str(error)  # numpy's message for a truncated write
    return truncated or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _resolve(future: Future[Any], answer: tuple[bool, Any]) -> None:
    succeeded, value = answer
    if succeeded:
        future.set_result(value)
    else:
        future.set_exception(TaskFailed(value))
