"""The process of one run: `python -m mlcore.compare.worker RUN_DIR`, or `--standby` to wait, warm, for its order.

Thread counts are set before numpy is imported: one thread a task process, as all cores are busy with tasks.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import contextlib  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, TextIO  # noqa: E402

from mlcore.compare import tasks  # noqa: E402
from mlcore.compare.scheduler import Outcome, Scheduler, Stopped, Task  # noqa: E402
from mlcore.engines import Engine, Inline, LocalProcesses  # noqa: E402
from mlcore.errors import BadInput, HoldoutError  # noqa: E402
from mlcore.target import target_notes  # noqa: E402
from mlcore.workspace import write_whole  # noqa: E402


@dataclass
class Journal:
    """The append-only stream of events of a run; each line is whole when it is written."""

    file: TextIO
    start: float = field(default_factory=time.monotonic)

    def tell(self, event: str, **what: Any) -> None:
        """Append one event."""
        record = {"event": event, "seconds": round(time.monotonic() - self.start, 3), **what}
        self.file.write(json.dumps(record, default=str) + "\n")
        self.file.flush()


@dataclass
class Conductor:
    """Carries one run from its experiment to its models, and tells the journal."""

    folder: Path
    journal: Journal
    stop: bool = False
    _results: dict[str, list[tasks.FoldResult]] = field(default_factory=dict)
    _fine: list[str] = field(default_factory=list)

    def run(self, slots: int) -> None:
        """Run everything; end with exactly one of finished, cancelled, failed."""
        engine: Engine | None = None
        try:
            shared = tasks.context(str(self.folder))
            self._announce(shared)
            for name in ("scratch", "models", "predictions.parquet"):
                (self.folder / name).mkdir(exist_ok=True)
            engine = LocalProcesses(slots) if slots else Inline()
            self._compare(shared, engine)
            self._finish(shared, engine)
            self.journal.tell("finished")
        except Stopped:
            self.journal.tell("cancelled")
        except (HoldoutError, OSError) as error:
            self.journal.tell("failed", reason=str(error), bad_input=isinstance(error, BadInput))
        except Exception as error:
            self.journal.tell("failed", reason=f"The run broke off: {type(error).__name__}: {error}"[:500])
            raise
        finally:
            if engine is not None:
                engine.shutdown()
            _clear(self.folder / "scratch")

    def _announce(self, shared: tasks.Context) -> None:
        write_whole(self.folder / "plan.json", tasks.plan_json(shared))
        rows, name = shared.experiment.source.rows, shared.experiment.recipe.target
        notes = [*target_notes(rows, shared.target, name), *shared.plan.notes]
        self.journal.tell(
            "started",
            pid=os.getpid(),
            train=len(shared.plan.train),
            holdout=len(shared.plan.holdout),
            folds=len(shared.plan.folds),
            candidates=len(shared.experiment.candidates),
            ratio=shared.plan.ratio,
            notes=notes,
        )

    def _compare(self, shared: tasks.Context, engine: Engine) -> None:
        outcome = Outcome(self._fold_done, self._failed, self._timed_out)
        Scheduler(engine, shared.experiment.protocol.time_limit, outcome, lambda: self.stop).run(grid(shared))
        self.journal.tell("compared")

    def _fold_done(self, task: Task, value: Any) -> None:
        if not isinstance(value, tasks.FoldResult):
            return
        self.journal.tell(
            "fold",
            model=value.model,
            key=value.key,
            metrics=value.metrics,
            undefined=value.undefined,
            fit_seconds=round(value.seconds, 4),
        )
        results = self._results.setdefault(value.model, [])
        results.append(value)
        shared = tasks.context(str(self.folder))
        if len(results) == len(shared.plan.folds):
            place = self.folder / "predictions.parquet" / f"{value.model}.parquet"
            tasks.out_of_fold(shared, results).to_parquet(place.with_suffix(".part"), index=False)
            os.replace(place.with_suffix(".part"), place)
            self._fine.append(value.model)
            del self._results[value.model]
            self.journal.tell("candidate", model=value.model, status="ok", reason="")

    def _failed(self, candidate: str, reason: str) -> None:
        self.journal.tell("candidate", model=candidate, status="failed", reason=reason)

    def _timed_out(self, candidate: str, seconds: float) -> None:
        self.journal.tell(
            "candidate",
            model=candidate,
            status="timeout",
            reason=f"It was stopped after {seconds:g} seconds, its time limit.",
        )

    def _finish(self, shared: tasks.Context, engine: Engine) -> None:
        def done(task: Task, value: Any) -> None:
            if task.candidate:
                self.journal.tell("fitted", model=task.candidate, fit_seconds=round(value, 4))

        def missed(candidate: str, why: object) -> None:
            self.journal.tell("unfitted", model=candidate, reason=f"It could not be fitted on all rows. {why}")

        outcome = Outcome(done, missed, missed)
        Scheduler(engine, shared.experiment.protocol.time_limit, outcome, lambda: self.stop).run(
            finals(shared, self._fine)
        )


def grid(shared: tasks.Context) -> list[Task]:
    """All tasks of the comparison: the baseline, the encoders, one cheap model, then the longest first."""
    folder, made = str(shared.folder), []
    families = sorted({c.family for c in shared.experiment.candidates} - {"none"})
    cheapest = min((c for c in shared.experiment.candidates if c.family != "none"), key=lambda c: c.cost)
    for place, fold in enumerate(shared.plan.folds):
        for family in families:
            urgency = 1.0 if family == cheapest.family else 2.5
            made.append(
                Task(("prepare", fold.key, family), tasks.prepare, (folder, fold.key, family), (urgency, place))
            )
        for candidate in shared.experiment.candidates:
            phase = {"dummy": 0.0, cheapest.model: 2.0}.get(candidate.model, 3.0)
            after = () if candidate.family == "none" else (("prepare", fold.key, candidate.family),)
            made.append(
                Task(
                    ("fit", candidate.model, fold.key),
                    tasks.fit,
                    (folder, candidate.model, fold.key),
                    (phase, -candidate.cost, place),
                    candidate.model,
                    after,
                )
            )
    return made


def finals(shared: tasks.Context, names: list[str]) -> list[Task]:
    """Fit each candidate that got through on all training rows."""
    folder = str(shared.folder)
    chosen = [shared.experiment.candidate(n) for n in names]
    made = [
        Task(("prepare", tasks.FINAL, family), tasks.prepare, (folder, tasks.FINAL, family), (0.0,))
        for family in sorted({c.family for c in chosen} - {"none"})
    ]
    for candidate in chosen:
        after = () if candidate.family == "none" else (("prepare", tasks.FINAL, candidate.family),)
        made.append(
            Task(
                ("finish", candidate.model),
                tasks.finish,
                (folder, candidate.model),
                (1.0, -candidate.cost),
                candidate.model,
                after,
            )
        )
    return made


def _clear(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def hold_lock(folder: Path) -> Any:
    """Hold a lock for as long as this process lives; it tells others that the run is alive."""
    file = (folder / "alive.lock").open("w")
    with contextlib.suppress(ImportError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)  # watchers hold it for an instant only
    return file


def _stand_by() -> tuple[Path, int]:
    """Import what a run needs, then wait for the order on standard input; end when it closes."""
    from mlcore.models import MODELS, Setting

    for row in MODELS:  # building imports what is imported late
        for task in row.tasks[:1]:
            row.build(Setting(task), {})
    import skops.io  # noqa: F401

    line = sys.stdin.readline()
    if not line.strip():
        sys.exit(0)
    order = json.loads(line)
    folder = Path(order["run"])
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return folder, int(order["slots"])


def main(argv: list[str]) -> None:
    """Carry out one run."""
    folder, slots = _stand_by() if argv[0] == "--standby" else (Path(argv[0]), int(argv[1]))
    lock = hold_lock(folder)
    for module in filter(None, os.environ.get("HOLDOUT_MODULES", "").split(",")):
        importlib.import_module(module)
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        conductor = Conductor(folder, Journal(file))

        def stop(*_: object) -> None:
            conductor.stop = True

        signal.signal(signal.SIGTERM, stop)
        conductor.run(slots)
    lock.close()


if __name__ == "__main__":
    main(sys.argv[1:])
