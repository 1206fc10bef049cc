"""Which job runs next: a small graph of jobs over an engine, with a time limit for each candidate."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, Literal

from mlcore.errors import HoldoutError
from mlcore.runs.engines import Engine, Work

Phase = Literal["prepare", "fold", "final", "study"]
Owner = tuple[Phase, str]  # whose time a job takes: a candidate in one phase


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call, the jobs that must be done before it, and how urgent it is (lower first)."""

    key: tuple[str, ...]
    phase: Phase
    work: Work
    args: tuple[Any, ...]
    rank: tuple[float, ...]
    candidate: str = ""  # empty for work that candidates share
    after: tuple[tuple[str, ...], ...] = ()

    @property
    def owner(self) -> Owner | None:
        """The candidate and phase whose time it takes; None for shared work."""
        return (self.phase, self.candidate) if self.candidate else None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the scheduler calls when a job is done, or a candidate has failed or run out of time in a phase."""

    done: Callable[[Job, Any], None]
    failed: Callable[[Owner, str], None]  # and the reason
    timeout: Callable[[Owner, float], None]  # and the seconds it had


class Stopped(HoldoutError):
    """The run was cancelled."""


@dataclass
class Scheduler:
    """Runs jobs until none is left; a candidate that fails ends its own jobs and no others."""

    engine: Engine
    limit: float  # seconds for one candidate in one phase
    outcome: Outcome
    stopping: Callable[[], bool] = lambda: False
    _waiting: list[Job] = field(default_factory=list)
    _running: dict[tuple[str, ...], tuple[Job, Future[Any], float]] = field(default_factory=dict)
    _spent: dict[Owner, float] = field(default_factory=dict)
    _done: set[tuple[str, ...]] = field(default_factory=set)

    def run(self, jobs: list[Job]) -> None:
        """Run all jobs. Raises Stopped when asked to stop."""
        self._waiting = sorted(jobs, key=lambda j: j.rank)
        while self._waiting or self._running:
            if self.stopping():
                raise Stopped("The run was cancelled.")
            self._start_ready()
            self.engine.poll(0.2)
            self._collect()
            self._enforce_limits()

    def _start_ready(self) -> None:
        ready = [j for j in self._waiting if all(k in self._done for k in j.after)]
        for job in ready[: self.engine.slots - len(self._running)]:
            self._waiting.remove(job)
            self._running[job.key] = (job, self.engine.submit(job.work, *job.args), time.monotonic())

    def _collect(self) -> None:
        for job, future, start in list(self._running.values()):
            if job.key not in self._running or not future.done():  # dropped with its candidate a moment ago
                continue
            del self._running[job.key]
            if job.owner is not None:
                self._spent[job.owner] = self._spent.get(job.owner, 0.0) + time.monotonic() - start
            try:
                value = future.result()
            except CancelledError:
                continue
            except HoldoutError as error:
                self._fail(job, str(error))
            else:
                self._done.add(job.key)
                self.outcome.done(job, value)

    def _fail(self, job: Job, reason: str) -> None:
        if job.owner is not None:
            self.drop(job.owner)
            self.outcome.failed(job.owner, reason)
            return
        waiting = {j.owner for j in self._waiting if job.key in j.after and j.owner is not None}
        for owner in sorted(waiting):
            self.drop(owner)
            self.outcome.failed(owner, f"Its features could not be encoded. {reason}")

    def drop(self, owner: Owner) -> None:
        """End and forget all jobs of a candidate in a phase, and whatever waits for them."""
        gone = {j.key for j in self._waiting if j.owner == owner}
        gone |= {j.key for j, _, _ in self._running.values() if j.owner == owner}
        self._waiting = [j for j in self._waiting if j.key not in gone and not gone.intersection(j.after)]
        for job, future, _ in list(self._running.values()):
            if job.owner == owner:
                self.engine.kill(future)
                del self._running[job.key]

    def _enforce_limits(self) -> None:
        now = time.monotonic()
        used = dict(self._spent)
        running = [(job.owner, start) for job, _, start in self._running.values() if job.owner is not None]
        for owner, start in running:
            used[owner] = used.get(owner, 0.0) + now - start
        for owner in {owner for owner, _ in running}:
            if used[owner] > self.limit:
                self.drop(owner)
                self.outcome.timeout(owner, self.limit)
