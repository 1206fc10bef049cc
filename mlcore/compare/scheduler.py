"""Which task runs next: a small graph of tasks over an engine, with a time limit for each candidate."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any

from mlcore.engines import Engine, Work
from mlcore.errors import HoldoutError


@dataclass(frozen=True)
class Task:
    """One call, what must be done before it, and how urgent it is (lower first)."""

    key: tuple[str, ...]
    work: Work
    args: tuple[Any, ...]
    rank: tuple[float, ...]
    candidate: str = ""  # whose time it takes; empty for shared work
    after: tuple[tuple[str, ...], ...] = ()


@dataclass
class Outcome:
    """What the scheduler tells its caller."""

    done: Callable[[Task, Any], None]
    failed: Callable[[str, str], None]  # candidate, reason
    timeout: Callable[[str, float], None]  # candidate, seconds


class Stopped(HoldoutError):
    """The run was cancelled."""


@dataclass
class Scheduler:
    """Runs tasks until none is left; one candidate's failure ends its own tasks and nobody else's."""

    engine: Engine
    limit: float  # seconds for one candidate
    outcome: Outcome
    stopping: Callable[[], bool] = lambda: False
    _waiting: list[Task] = field(default_factory=list)
    _running: dict[tuple[str, ...], tuple[Task, Future[Any], float]] = field(default_factory=dict)
    _spent: dict[str, float] = field(default_factory=dict)
    _done: set[tuple[str, ...]] = field(default_factory=set)

    def run(self, tasks: list[Task]) -> None:
        """Run all tasks. Raises Stopped when asked to stop."""
        self._waiting = sorted(tasks, key=lambda t: t.rank)
        while self._waiting or self._running:
            if self.stopping():
                raise Stopped("The run was cancelled.")
            self._start_what_is_ready()
            self.engine.poll(0.2)
            self._collect()
            self._enforce_limits()

    def _start_what_is_ready(self) -> None:
        ready = [t for t in self._waiting if all(k in self._done for k in t.after)]
        for task in ready[: self.engine.slots - len(self._running)]:
            self._waiting.remove(task)
            self._running[task.key] = (task, self.engine.submit(task.work, *task.args), time.monotonic())

    def _collect(self) -> None:
        for task, future, start in list(self._running.values()):
            if task.key not in self._running or not future.done():  # dropped with its candidate a moment ago
                continue
            del self._running[task.key]
            self._spent[task.candidate] = self._spent.get(task.candidate, 0.0) + time.monotonic() - start
            try:
                value = future.result()
            except CancelledError:
                continue
            except HoldoutError as error:
                self._fail(task, str(error))
            else:
                self._done.add(task.key)
                self.outcome.done(task, value)

    def _fail(self, task: Task, reason: str) -> None:
        if task.candidate:
            self.drop(task.candidate)
            self.outcome.failed(task.candidate, reason)
            return
        waiting = {t.candidate for t in self._waiting if task.key in t.after}
        for candidate in sorted(waiting):
            self.drop(candidate)
            self.outcome.failed(candidate, f"Its features could not be made. {reason}")

    def drop(self, candidate: str) -> None:
        """End and forget all tasks of a candidate, and whatever waits for them."""
        gone = {t.key for t in self._waiting if t.candidate == candidate}
        gone |= {t.key for t, _, _ in self._running.values() if t.candidate == candidate}
        self._waiting = [t for t in self._waiting if t.key not in gone and not gone.intersection(t.after)]
        for task, future, _ in list(self._running.values()):
            if task.candidate == candidate:
                self.engine.kill(future)
                del self._running[task.key]

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        used = dict(self._spent)
        for task, _, start in self._running.values():
            used[task.candidate] = used.get(task.candidate, 0.0) + now - start
        for candidate in {t.candidate for t, _, _ in self._running.values() if t.candidate}:
            if used[candidate] > self.limit:
                self.drop(candidate)
                self.outcome.timeout(candidate, self.limit)
