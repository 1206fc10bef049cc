"""The process of one run: `python -m mlcore.runs.worker RUN_DIR`, or `--standby` to wait, warm, for a run.

Thread counts are set before numpy is imported: one thread per task process, because all cores are busy with tasks.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import contextlib  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import asdict, dataclass  # noqa: E402
from pathlib import Path  # noqa: E402

from mlcore.comparison.leaderboard import board_of  # noqa: E402
from mlcore.data.workspace import MEASURED, drop_partial_line  # noqa: E402
from mlcore.errors import HoldoutError  # noqa: E402
from mlcore.models import storage  # noqa: E402
from mlcore.models.builders import Setting  # noqa: E402
from mlcore.models.catalogue import MODELS  # noqa: E402
from mlcore.runs import events, lock, runtime_estimate, study  # noqa: E402
from mlcore.runs.controller import RunController  # noqa: E402
from mlcore.runs.engines import Engine, Inline, LocalProcesses  # noqa: E402
from mlcore.runs.events import EventLog, EventReader  # noqa: E402
from mlcore.runs.folder import RunFolder  # noqa: E402
from mlcore.runs.paths import FINAL_FITS, STUDIES, RunPaths  # noqa: E402
from mlcore.runs.scheduler import Job, Outcome, Scheduler  # noqa: E402


@dataclass(frozen=True)
class Order:
    """What a worker is asked to do: a run, or a part of a run that has ended, such as a study."""

    run: Path
    slots: int
    part: str = ""  # a folder below the run's

    @property
    def folder(self) -> Path:
        """The folder that it works in."""
        return self.run / self.part


def _has_order() -> bool:
    """Whether an order is waiting on standard input; False where a pipe cannot be asked."""
    with contextlib.suppress(OSError):
        return bool(select.select([sys.stdin], [], [], 0)[0])
    return False


def _stand_by() -> Order:
    """Import everything a run needs, then wait for the order on standard input; end when that closes.

    Imports that only some runs need are made only while there is no order.
    """
    for row in MODELS:  # building imports the libraries
        for task in row.tasks[:1]:
            row.build(Setting(task), row.defaults(task))
    if not _has_order():
        storage.warm()
        with contextlib.suppress(OSError):
            runtime_estimate.note_speed()
    line = sys.stdin.readline()
    if not line.strip():
        sys.exit(0)
    order = json.loads(line)
    run = Path(order["run"])
    log = os.open(RunPaths(run).log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return Order(run, int(order["slots"]), order.get("part", ""))


def main(argv: list[str]) -> None:
    """Carry out one run, or one part of it."""
    order = _stand_by() if argv[0] == "--standby" else Order(Path(argv[0]), int(argv[1]), *argv[2:3])
    held = lock.hold(order.folder)
    for module in filter(None, os.environ.get("HOLDOUT_MODULES", "").split(",")):
        importlib.import_module(module)
    path = order.folder / events.NAME
    drop_partial_line(path)
    before = EventReader(order.folder).events()
    if before and before[-1]["event"] == "finished" and not order.part:
        return
    spent = before[-1]["seconds"] if before else 0.0
    with path.open("a", encoding="utf-8") as file:
        log = EventLog(file, time.monotonic() - spent)
        PARTS[order.part.partition("/")[0]](order, log)
    held.close()


def carry_out_run(order: Order, log: EventLog) -> None:
    """Carry out a run; SIGTERM cancels it."""
    controller = RunController(order.folder, log, fitted_at_once=_top_group)

    def stop(*_: object) -> None:
        controller.stop = True

    signal.signal(signal.SIGTERM, stop)
    controller.carry_out(order.slots)


def _top_group(run: RunFolder) -> list[str]:
    """The models that are fitted on all training rows at once; the others are when they are first asked for."""
    if run.path.parent.name == MEASURED:
        return []
    return [r.model for r in board_of(run).rows if r.group in (1, None) or r.star]


def carry_out_final_fit(order: Order, log: EventLog) -> None:
    """Fit one model of a finished run on all training rows, or a blend's members; one worker at a time does."""
    log.append("started")
    turn = lock.hold(RunPaths(order.run).final_fits, patience=float("inf"))
    spent = EventReader(order.run).events()[-1]["seconds"]
    with (order.run / events.NAME).open("a", encoding="utf-8") as file:
        controller = RunController(order.run, EventLog(file, time.monotonic() - spent))
        controller.fit_later(order.folder.name, order.slots)
    turn.close()
    log.append("finished")


def carry_out_study(order: Order, log: EventLog) -> None:
    """Fit all points of a study and log each; those logged before it was interrupted are not fitted again."""
    engine: Engine | None = None
    reasons: list[str] = []
    done = {e["task"] for e in EventReader(order.folder).events() if e["event"] == "point"}
    try:
        work = dict(enumerate(study.tasks_of(str(order.run), study.read_request(order.folder))))
        log.append("resumed" if done else "started", total=len(work))
        engine = LocalProcesses(order.slots) if order.slots else Inline()
        jobs = [
            Job(key=(str(i),), phase="study", work=function, args=args, rank=(float(i),), candidate=str(i))
            for i, (function, args) in work.items()
            if i not in done
        ]
        outcome = Outcome(
            done=lambda job, value: log.append("point", task=int(job.key[0]), **asdict(value)),
            failed=lambda _, reason: reasons.append(reason),
            timeout=lambda _, seconds: reasons.append(f"A fit was stopped after {seconds:g} seconds, its time limit."),
        )
        Scheduler(engine, RunFolder(order.run).experiment.protocol.time_limit, outcome).run(jobs)
        if reasons and len(reasons) == len(jobs):
            log.append("failed", reason=reasons[0])
        else:
            log.append("finished")
    except (HoldoutError, OSError) as error:
        log.append("failed", reason=str(error))
    finally:
        if engine is not None:
            engine.shutdown()


PARTS = {"": carry_out_run, STUDIES: carry_out_study, FINAL_FITS: carry_out_final_fit}


if __name__ == "__main__":
    main(sys.argv[1:])
