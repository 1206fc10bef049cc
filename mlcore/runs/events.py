"""The events of a run or a study: an append-only file of JSON lines, one process writing, many reading."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from mlcore.data.former_names import with_current_names
from mlcore.data.workspace import readable_lines

Event = dict[str, Any]
NAME = "events.jsonl"


@dataclass
class EventLog:
    """The writing end; each line is whole when it is written."""

    file: TextIO
    start: float = field(default_factory=time.monotonic)

    def append(self, event: str, **details: Any) -> None:
        """Append one event with the seconds since the start."""
        record = {"event": event, "seconds": round(time.monotonic() - self.start, 3), **details}
        self.file.write(json.dumps(record, default=str) + "\n")
        self.file.flush()


class EventReader:
    """The reading end. It keeps what it has parsed, and on each call reads only what has been appended since."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._events: list[Event] = []
        self._file: tuple[int, int] = (0, 0)  # which file it was: device and inode
        self._read = 0  # bytes parsed so far

    def events(self) -> Sequence[Event]:
        """All events so far; a line that is still being written is left for the next call."""
        try:
            stat = os.stat(self.path)
        except FileNotFoundError:
            self._events, self._read = [], 0
            return self._events
        if (stat.st_dev, stat.st_ino) != self._file or stat.st_size < self._read:
            self._events, self._read, self._file = [], 0, (stat.st_dev, stat.st_ino)
        if stat.st_size > self._read:
            self._parse()
        return self._events

    def _parse(self) -> None:
        with self.path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        known = (_event(e) for e in readable_lines(whole) if isinstance(e, dict) and isinstance(e.get("event"), str))
        self._events = self._events + list(known)
        self._read += len(whole)


def _event(event: Event) -> Event:
    return with_current_names(event["event"], event)


def since_resumed(events: Sequence[Event]) -> Sequence[Event]:
    """The events since the run was last resumed: an end before that no longer counts."""
    places = [i for i, e in enumerate(events) if e["event"] == "resumed"]
    return events[places[-1] :] if places else events


def first(events: Sequence[Event], name: str) -> Event | None:
    """The first event of a name, or None."""
    return next((e for e in events if e["event"] == name), None)


def append_later(folder: Path, request: str, event: Event) -> None:
    """Append an event on behalf of a worker that cannot, with a later time than its `request` file.

    File clocks can be coarse, and which of the two is later decides whether the worker is still starting.
    """
    path = folder / NAME
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")
    asked = [p.stat().st_mtime_ns for p in (folder / request, folder / "worker.pid") if p.exists()]
    latest = max([path.stat().st_mtime_ns, *(t + 1_000_000 for t in asked)])
    os.utime(path, ns=(latest, latest))
