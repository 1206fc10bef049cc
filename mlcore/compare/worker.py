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
import select  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import asdict, dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, TextIO  # noqa: E402

from mlcore import leaks  # noqa: E402
from mlcore.compare import blend, estimate, race, storage, studies, tasks  # noqa: E402
from mlcore.compare.experiment import Candidate  # noqa: E402
from mlcore.compare.run import Run  # noqa: E402
from mlcore.compare.scheduler import Outcome, Scheduler, Stopped, Task  # noqa: E402
from mlcore.engines import FULL, Engine, Inline, LocalProcesses, is_full  # noqa: E402
from mlcore.errors import BadInput, HoldoutError  # noqa: E402
from mlcore.result import number, several  # noqa: E402
from mlcore.target import target_notes  # noqa: E402
from mlcore.workspace import without_half_a_line, write_whole  # noqa: E402


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
    """Carries one run from its experiment to its models, and tells the journal; what is done already stays done."""

    folder: Path
    journal: Journal
    stop: bool = False
    _told: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # metrics by candidate and fold
    _over: set[str] = field(default_factory=set)  # candidates without more to come
    _fine: list[str] = field(default_factory=list)
    _shared_by: dict[tuple[str, Any], int] = field(default_factory=dict)  # fits that still need an array
    _compared: bool = False
    _judged: int = 0  # folds after which the race has been looked at

    def run(self, slots: int) -> None:
        """Run everything; end with exactly one of finished, cancelled, failed."""
        engine: Engine | None = None
        try:
            shared = tasks.context(str(self.folder))
            self._take_up(shared)
            for name in ("scratch", "models", "predictions.parquet"):
                (self.folder / name).mkdir(exist_ok=True)
            _import_what_is_built(shared)
            engine = LocalProcesses(slots) if slots else Inline()
            self._compare(shared, engine)
            self._finish(shared, engine)
            self.journal.tell("finished")
            _clear(self.folder / "folds")
        except Stopped:
            self.journal.tell("cancelled")
        except (HoldoutError, OSError) as error:
            full = isinstance(error, OSError) and is_full(error)
            with contextlib.suppress(OSError):  # where nothing can be written, the silence tells
                self.journal.tell("failed", reason=FULL if full else str(error), bad_input=isinstance(error, BadInput))
        except Exception as error:
            self.journal.tell("failed", reason=f"The run broke off: {type(error).__name__}: {error}"[:500])
            raise
        finally:
            if engine is not None:
                engine.shutdown()
            _clear(self.folder / "scratch")

    def _take_up(self, shared: tasks.Context) -> None:
        """Announce the run; or find what it did before it broke off, or what was carried over from another run."""
        events = Run(self.folder).events()
        ended = {e["model"]: e["status"] for e in events if e["event"] == "candidate"}
        self._over |= set(ended)
        self._fine += [name for name, status in ended.items() if status == "ok"]
        for event in events:
            if event["event"] == "fold" and (
                event["model"] in self._over or shared.told(event["model"], event["key"]).exists()
            ):
                self._told.setdefault(event["model"], {})[event["key"]] = event["metrics"]
        if any(e["event"] == "started" for e in events):
            self._same_split(shared)
            self.journal.tell("resumed", pid=os.getpid())
        else:
            self._announce(shared)

    def _same_split(self, shared: tasks.Context) -> None:
        """Raise BadInput when the rows would be split otherwise than when the run began."""
        settled = json.loads((self.folder / "plan.json").read_text("utf-8")).get("split")
        if settled not in (None, tasks.split_digest(shared.plan)):
            raise BadInput("The rows would be split otherwise than when this run began: another version of the "
                           "libraries may be installed. Compare again instead.")  # fmt: skip

    def _announce(self, shared: tasks.Context) -> None:
        write_whole(self.folder / "plan.json", tasks.plan_json(shared))
        rows, name = shared.experiment.source.rows, shared.experiment.recipe.target
        split = leaks.Split(shared.plan, shared.experiment.protocol, shared.setting.task,
                            shared.raw.iloc[: len(shared.y)])  # fmt: skip
        self.journal.tell(
            "started",
            pid=os.getpid(),
            train=len(shared.plan.train),
            holdout=len(shared.plan.holdout),
            folds=len(shared.plan.folds),
            candidates=len(shared.experiment.candidates),
            ratio=shared.plan.ratio,
            notes=[*target_notes(rows, shared.target, name), *shared.plan.notes, *_notes(shared)],
            alerts=[a.to_json() for a in leaks.find(split)],
        )

    def _compare(self, shared: tasks.Context, engine: Engine) -> None:
        """Fit all candidates on all folds; a core that is left over fits those that are done on all rows."""
        for name in [n for n in self._told if n not in self._over]:
            self._complete(name, shared)  # it broke off between its last fold and the word that it was done
        made = [t for t in grid(shared) if self._needed(t)]
        wanted = {k for t in made for k in t.after}
        made = [t for t in made if t.candidate or t.key in wanted]
        for task in made:
            for _, key, family in task.after:
                self._shared_by[key, family] = self._shared_by.get((key, family), 0) + 1
        left = {t.candidate for t in made if t.candidate}
        early = [n for n in left if not shared.experiment.protocol.race]  # in a race nobody is sure to stay

        def done(task: Task, value: Any) -> None:
            if isinstance(value, tasks.FoldResult):
                self._fold_done(value, shared)
                self._release(task, shared)
                if shared.experiment.protocol.race:
                    self._race(shared, scheduler)
            elif task.candidate:
                self._fitted(task, value)
            self._all_compared(shared)

        def failed(candidate: str, reason: str) -> None:
            self._failed(candidate, reason)
            self._all_compared(shared)

        def timed_out(candidate: str, seconds: float) -> None:
            self._timed_out(candidate, seconds)
            self._all_compared(shared)

        self._all_compared(shared)
        scheduler = Scheduler(engine, shared.experiment.protocol.time_limit, Outcome(done, failed, timed_out),
                              lambda: self.stop)  # fmt: skip
        scheduler.run([*made, *finals(shared, early, made)])

    def _all_compared(self, shared: tasks.Context) -> None:
        """Once all others are done: blend them, and say that the leaderboard is whole."""
        others = {c.model for c in shared.experiment.candidates} - {"blend"}
        if self._compared or not others <= self._over:
            return
        if "blend" in [c.model for c in shared.experiment.candidates] and "blend" not in self._over:
            self._blend(shared)
        self._compared = True
        self.journal.tell("compared")

    def _needed(self, task: Task) -> bool:
        """Whether a task is still to be done; the blend comes when all others are."""
        if not task.candidate:
            return True
        told = self._told.get(task.candidate, {})
        return task.candidate != "blend" and task.candidate not in self._over and task.key[2] not in told

    def _blend(self, shared: tasks.Context) -> None:
        """Choose and score the blend, here: it fits nothing."""
        ordered = [c.model for c in shared.experiment.candidates if c.model in self._fine]
        made = Inline().submit(blend.blend, str(self.folder), ordered)
        if (error := made.exception()) is not None:
            self._failed("blend", str(error))
            return
        for result in made.result():
            self._fold_done(result, shared)

    def _fold_done(self, value: tasks.FoldResult, shared: tasks.Context) -> None:
        self.journal.tell(
            "fold",
            model=value.model,
            key=value.key,
            metrics=value.metrics,
            undefined=value.undefined,
            fit_seconds=round(value.seconds, 4),
            predict_seconds=round(value.predict_seconds, 4),
            seen=value.seen,
            ci=value.ci,
            rows=value.rows,
        )
        self._told.setdefault(value.model, {})[value.key] = value.metrics
        self._complete(value.model, shared)

    def _complete(self, name: str, shared: tasks.Context) -> None:
        """Write a candidate's predictions once all its folds are done."""
        if len(self._told[name]) < len(shared.plan.folds):
            return
        place = self.folder / "predictions.parquet" / f"{name}.parquet"
        told = {f.key: tasks.read_fold(shared, name, f.key) for f in shared.plan.folds}
        tasks.out_of_fold(shared, told).to_parquet(place.with_suffix(".part"), index=False)
        os.replace(place.with_suffix(".part"), place)
        self._fine.append(name)
        self._over.add(name)
        self.journal.tell("candidate", model=name, status="ok", reason="")

    def _release(self, task: Task, shared: tasks.Context) -> None:
        """Remove a fold's arrays once no fit needs them any more."""
        for _, key, family in task.after:
            self._shared_by[key, family] -= 1
            if not self._shared_by[key, family]:
                for part in ("train", "test", "unlabelled"):
                    shared.place(key, family, part).unlink(missing_ok=True)  # type: ignore[arg-type]

    def _race(self, shared: tasks.Context, scheduler: Scheduler) -> None:
        """Stop candidates that are behind beyond doubt; judged when a fold is done for all, so that it repeats."""
        folds = shared.plan.folds
        begin = race.first_look(shared)
        while (count := max(self._judged + 1, begin)) < len(folds):
            judged, running = folds[:count], self._racing(shared)
            if any(f.key not in self._told.get(m, {}) for m in running for f in judged):
                return
            self._judged = count
            told = {m: [self._told[m][f.key].get(shared.metric.name) for f in judged] for m in running}
            for name, gap in race.behind(shared, judged, told):
                if not _takes_no_time(shared.experiment.candidate(name)):
                    self._out(name, scheduler)
                    reason = f"Out of the race after {count} of {len(folds)} folds: {number(gap)} behind the best."
                    self.journal.tell("candidate", model=name, status="stopped", reason=reason)

    def _out(self, name: str, scheduler: Scheduler) -> None:
        """End a candidate; one that happens to be done already goes as well, or the processes would decide."""
        scheduler.drop(name)
        self._over.add(name)
        if name in self._fine:
            self._fine.remove(name)
            (self.folder / "predictions.parquet" / f"{name}.parquet").unlink()
            tasks.model_file(self.folder, name).unlink(missing_ok=True)

    def _racing(self, shared: tasks.Context) -> list[str]:
        """Candidates in the race that have begun or ended well, and those that have yet to begin."""
        names = [c.model for c in shared.experiment.candidates if c.model not in ("dummy", "blend")]
        return [n for n in names if n not in self._over or n in self._fine]

    def _failed(self, candidate: str, reason: str) -> None:
        if FULL in reason:  # not the candidate's fault: the run ends, and can be gone on with
            raise HoldoutError(FULL)
        if candidate.startswith(FINALLY):
            self._unfitted(candidate, reason)
            return
        self._over.add(candidate)
        self.journal.tell("candidate", model=candidate, status="failed", reason=reason)

    def _unfitted(self, candidate: str, why: object) -> None:
        name = candidate.removeprefix(FINALLY)
        self.journal.tell("unfitted", model=name, reason=f"It could not be fitted on all rows. {why}")

    def _fitted(self, task: Task, value: Any) -> None:
        self.journal.tell("fitted", model=task.candidate.removeprefix(FINALLY), **value)

    def _timed_out(self, candidate: str, seconds: float) -> None:
        reason = f"It was stopped after {seconds:g} seconds, its time limit."
        if candidate.startswith(FINALLY):
            self._unfitted(candidate, reason)
            return
        self._over.add(candidate)
        self.journal.tell("candidate", model=candidate, status="timeout", reason=reason)

    def _finish(self, shared: tasks.Context, engine: Engine) -> None:
        """Fit what has not been fitted on all rows yet; the blend last, as it is made of the others."""
        told = {e["model"] for e in Run(self.folder).events() if e["event"] in ("fitted", "unfitted")}
        names = [n for n in self._fine if n not in told]

        def done(task: Task, value: Any) -> None:
            if task.candidate:
                self._fitted(task, value)

        limit, outcome = shared.experiment.protocol.time_limit, Outcome(done, self._failed, self._timed_out)
        rest = [n for n in names if n != "blend"]
        Scheduler(engine, limit, outcome, lambda: self.stop).run(finals(shared, rest, []))
        if "blend" in names:
            task = Task(("finish", "blend"), blend.finish_blend, (str(self.folder),), (0.0,), f"{FINALLY}blend")
            Scheduler(engine, limit, outcome, lambda: self.stop).run([task])


FINALLY = "finally:"  # before a candidate's name: its fit on all rows, whose failure leaves the scores as they are


def _import_what_is_built(shared: tasks.Context) -> None:
    """Build each candidate once before the processes are forked, so that they share what that imports."""
    for candidate in shared.experiment.candidates:
        if candidate.row is not None:
            candidate.build(shared.setting.seeing(shared.y), shared.folder)


def _notes(shared: tasks.Context) -> list[str]:
    """What has to be said of the candidates before they run."""
    notes, rows = [], len(shared.y)
    few = [c for c in shared.experiment.candidates if c.most_rows and shared.plan.folds
           and len(shared.plan.folds[0].train) > c.most_rows]  # fmt: skip
    if few:
        said = several([f"{c.title} {c.most_rows:,}" for c in few], 9)
        notes.append(f"Learned from a random sample of the training rows, as time grows faster than rows: {said}.")
    a_tree = {c.title: c.settled(shared.setting.task).get("max_samples") for c in shared.experiment.candidates}
    drawing = {t: n for t, n in a_tree.items() if n and shared.plan.folds and len(shared.plan.folds[0].train) > n}
    if drawing:
        said = several([f"{title} {most:,}" for title, most in drawing.items()])
        notes.append(f"Each tree is grown on its own draw of the training rows: {said}.")
    if shared.weights is not None:
        without = [c.title or c.model for c in shared.experiment.candidates
                   if c.model not in ("blend", "dummy")
                   and not tasks.takes_weights(c.build(shared.setting.seeing(shared.y), shared.folder))]  # fmt: skip
        name = shared.experiment.schema.in_role("weight")[0]
        notes.append(f"Rows weigh by {name} while models learn; scores count each row once."
                     + (f" {several(without, 9)} cannot weigh rows." if without else ""))  # fmt: skip
    if len(shared.unknown):
        notes.append(f"{len(shared.unknown):,} rows without a target serve as unlabelled rows beside {rows:,}.")
    return notes


NO_ARRAYS = ("none", "raw")  # families that are given no encoded columns


def _takes_no_time(candidate: Candidate) -> bool:
    """Whether a candidate is the baseline, or one of the catalogue that asks a question or two."""
    return candidate.row is not None and candidate.family in NO_ARRAYS


def grid(shared: tasks.Context) -> list[Task]:
    """All tasks of the comparison: the baseline, the encoders, one cheap model, then the longest first.

    In a race the folds are the outer order, so that all candidates can be compared after each.
    """
    folder, made = str(shared.folder), []
    racing = shared.experiment.protocol.race
    encoded = [c for c in shared.experiment.candidates if c.family not in NO_ARRAYS]
    families = sorted({c.family for c in encoded})
    cheapest = min(encoded, key=lambda c: c.cost, default=None)
    for place, fold in enumerate(shared.plan.folds):
        for family in families:
            urgency = 1.0 if cheapest is not None and family == cheapest.family else 2.5
            rank: tuple[float, ...] = (2.0, place, -1.0) if racing else (urgency, place)
            made.append(Task(("prepare", fold.key, family), tasks.prepare, (folder, fold.key, family), rank))
        for candidate in shared.experiment.candidates:
            quick = _takes_no_time(candidate)
            phase = 0.0 if quick else 2.0 if cheapest is not None and candidate.model == cheapest.model else 3.0
            after = () if candidate.family in NO_ARRAYS else (("prepare", fold.key, candidate.family),)
            rank = (2.0, place, 1 - candidate.cost) if racing and not quick else (phase, -candidate.cost, place)
            key = ("fit", candidate.model, fold.key)
            made.append(Task(key, tasks.fit, (folder, candidate.model, fold.key), rank, candidate.model, after))
    return made


def finals(shared: tasks.Context, names: list[str], folds: list[Task]) -> list[Task]:
    """Fit candidates on all training rows, each once its tasks among `folds` are done, after all of those."""
    folder = str(shared.folder)
    chosen = [shared.experiment.candidate(n) for n in names if n != "blend"]
    made = [
        Task(("prepare", tasks.FINAL, family), tasks.prepare, (folder, tasks.FINAL, family), (9.0,))
        for family in sorted({c.family for c in chosen} - set(NO_ARRAYS))
    ]
    for candidate in chosen:
        after = tuple(t.key for t in folds if t.candidate == candidate.model)
        if candidate.family not in NO_ARRAYS:
            after += (("prepare", tasks.FINAL, candidate.family),)
        made.append(Task(("finish", candidate.model), tasks.finish, (folder, candidate.model),
                         (9.5, -candidate.cost), f"{FINALLY}{candidate.model}", after))  # fmt: skip
    return made


def _clear(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def hold_lock(folder: Path) -> Any:
    """Hold a lock for as long as this process lives; it tells others that the run is alive.

    Raises HoldoutError when another worker is at the same run.
    """
    file = (folder / "alive.lock").open("w")
    with contextlib.suppress(ImportError):
        import fcntl

        for _ in range(100):  # watchers hold it for an instant only
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except OSError:
                time.sleep(0.02)
        raise HoldoutError(f"{folder} is being worked on already.")
    return file


@dataclass(frozen=True)
class Order:
    """What a worker is to do: a run, or a study of a run that has ended."""

    folder: Path
    slots: int
    study: str = ""


def _is_ordered() -> bool:
    """Whether an order waits to be read; where that cannot be asked of a pipe, no."""
    with contextlib.suppress(OSError):
        return bool(select.select([sys.stdin], [], [], 0)[0])
    return False


def _stand_by() -> Order:
    """Import what a run needs, then wait for the order on standard input; end when it closes.

    What is needed late, or never by some runs, is imported only while no order is there.
    """
    from mlcore.models import MODELS, Setting

    for row in MODELS:  # building imports what is imported late
        for task in row.tasks[:1]:
            row.build(Setting(task), row.defaults(task))
    if not _is_ordered():
        storage.warm()
        with contextlib.suppress(OSError):
            estimate.note_speed()
    line = sys.stdin.readline()
    if not line.strip():
        sys.exit(0)
    order = json.loads(line)
    folder = Path(order["run"])
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return Order(folder, int(order["slots"]), order.get("study", ""))


def main(argv: list[str]) -> None:
    """Carry out one run, or one study."""
    order = _stand_by() if argv[0] == "--standby" else Order(Path(argv[0]), int(argv[1]), *argv[2:3])
    folder = order.folder / "studies" / order.study if order.study else order.folder
    lock = hold_lock(folder)
    for module in filter(None, os.environ.get("HOLDOUT_MODULES", "").split(",")):
        importlib.import_module(module)
    without_half_a_line(folder / "events.jsonl")
    before = Run(folder).events()
    if before and before[-1]["event"] == "finished" and not order.study:
        return
    spent = before[-1]["seconds"] if before else 0.0
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        journal = Journal(file, time.monotonic() - spent)
        if order.study:
            carry_out_study(order, journal)
        else:
            conductor = Conductor(folder, journal)

            def stop(*_: object) -> None:
                conductor.stop = True

            signal.signal(signal.SIGTERM, stop)
            conductor.run(order.slots)
    lock.close()


def carry_out_study(order: Order, journal: Journal) -> None:
    """Fit all points of a study, telling each; those told before it broke off are not made again."""
    place = order.folder / "studies" / order.study
    study = studies.Study(**json.loads((place / "study.json").read_text("utf-8")))
    engine: Engine | None = None
    reasons: list[str] = []
    told = {e["task"] for e in Run(place).events() if e["event"] == "point"}
    try:
        work = dict(enumerate(studies.tasks_of(str(order.folder), study)))
        journal.tell("resumed" if told else "started", total=len(work))
        engine = LocalProcesses(order.slots) if order.slots else Inline()
        made = [Task((str(i),), do, args, (float(i),), str(i)) for i, (do, args) in work.items() if i not in told]
        outcome = Outcome(lambda task, value: journal.tell("point", task=int(task.key[0]), **asdict(value)),
                          lambda candidate, reason: reasons.append(reason),
                          lambda candidate, seconds: reasons.append("A fit ran out of its time."))  # fmt: skip
        Scheduler(engine, Run(order.folder).experiment.protocol.time_limit, outcome).run(made)
        if reasons and len(reasons) == len(made):
            journal.tell("failed", reason=reasons[0])
        else:
            journal.tell("finished")
    except (HoldoutError, OSError) as error:
        journal.tell("failed", reason=str(error))
    finally:
        if engine is not None:
            engine.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
