"""Carrying a run from its experiment to its models: which jobs there are, and what each result means.

The phases: plan the split, compare on folds (with a race, if asked), blend, then fit on all training rows the models of
the top group; the others are fitted when they are first asked for. What an earlier worker of the same run has done
stays done.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mlcore.checks import after_fit, split
from mlcore.data.workspace import write_whole
from mlcore.errors import BadInput, HoldoutError
from mlcore.experiment.candidate import Candidate
from mlcore.ingest.changes import ONLY_PREDICTOR
from mlcore.runs import blend, race
from mlcore.runs.context import Context, context, plan_json, split_digest
from mlcore.runs.engines import FULL, Engine, Inline, LocalProcesses, is_full
from mlcore.runs.events import EventLog
from mlcore.runs.fit import FoldResult, takes_weights
from mlcore.runs.fitted_models import blend_weights
from mlcore.runs.folder import RunFolder
from mlcore.runs.jobs import blend_job, final_jobs, fold_jobs
from mlcore.runs.paths import RunPaths
from mlcore.runs.predictions import out_of_fold, read_fold
from mlcore.runs.scheduler import Job, Outcome, Owner, Scheduler, Stopped
from mlcore.validation.splitter import Fold
from mlcore.validation.target import target_notes
from mlcore.wording import number, several

QUICK_FOLDS = 2  # on which a quick model looks for the columns that make a result too good


@dataclass
class Done:
    """What is done so far, and which candidates have no more to come."""

    metrics: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # by candidate and fold
    over: set[str] = field(default_factory=set)  # candidates without more folds to come
    ok: list[str] = field(default_factory=list)  # those that finished, in that order
    compared: bool = False


@dataclass
class RunController:
    """Carries one run from its experiment to its models, and logs each step."""

    folder: Path
    log: EventLog
    # Which models are fitted on all training rows at once, of a compared run; the others are when they are asked for.
    fitted_at_once: Callable[[RunFolder], Sequence[str]] | None = None  # None: all of them
    stop: bool = False
    _done: Done = field(default_factory=Done)
    _waiting_for: dict[tuple[str, ...], int] = field(default_factory=dict)  # fits that still need an encoded array
    _raced: int = 0  # folds after which the race was last looked at

    @cached_property
    def run(self) -> Context:
        """The run's data, split and setting. Raises BadInput for choices that the data do not allow."""
        return context(str(self.folder))

    @cached_property
    def _paths(self) -> RunPaths:
        return RunPaths(self.folder)

    def carry_out(self, slots: int) -> None:
        """Do everything; log exactly one of finished, cancelled and failed at the end."""
        engine: Engine | None = None
        try:
            self._take_up()
            for name in ("scratch", "models", "predictions.parquet"):
                (self.folder / name).mkdir(exist_ok=True)
            _import_candidates(self.run)
            engine = LocalProcesses(slots) if slots else Inline()
            self._compare(engine)
            self._fit_on_all_rows(engine)
            self.log.append("finished")
            shutil.rmtree(self._paths.folds, ignore_errors=True)
        except Stopped:
            self.log.append("cancelled")
        except (HoldoutError, OSError) as error:
            full = isinstance(error, OSError) and is_full(error)
            with contextlib.suppress(OSError):  # where nothing can be written, readers notice the silence
                reason = FULL if full else str(error)
                self.log.append("failed", reason=reason, bad_input=isinstance(error, BadInput))
        except Exception as error:
            self.log.append("failed", reason=f"The run was interrupted by {type(error).__name__}: {error}"[:500])
            raise
        finally:
            if engine is not None:
                engine.shutdown()
            shutil.rmtree(self._paths.scratch, ignore_errors=True)

    # taking up ----------------------------------------------------------------------------------------------------

    def _take_up(self) -> None:
        """Start the run; or find what was done before it was interrupted, or taken over from another run."""
        events = RunFolder(self.folder).events()
        ended = {e["model"]: e["status"] for e in events if e["event"] == "candidate"}
        self._done.over |= set(ended)
        self._done.ok += [name for name, status in ended.items() if status == "ok"]
        for event in (e for e in events if e["event"] == "fold"):
            model, key = event["model"], event["key"]
            if model in self._done.over or self.run.paths.fold(model, key).exists():
                self._done.metrics.setdefault(model, {})[key] = event["metrics"]
        if any(e["event"] == "started" for e in events):
            self._check_split()
            self.log.append("resumed", pid=os.getpid())
        else:
            self._start()

    def _check_split(self) -> None:
        """Raise BadInput when the rows would be split differently from when the run began."""
        planned = json.loads(self._paths.plan.read_text("utf-8")).get("split")
        if planned not in (None, split_digest(self.run.plan)):
            raise BadInput(
                "The rows would now be split differently from when this run began; other versions of the libraries may "
                "be installed. Compare again instead."
            )

    def _start(self) -> None:
        run = self.run
        write_whole(self._paths.plan, plan_json(run))
        resolved = split.Split(run.plan, run.experiment.protocol, run.setting.task, run.raw.iloc[: len(run.y)])
        rows, target = run.experiment.source.rows, run.experiment.recipe.target
        self.log.append(
            "started",
            pid=os.getpid(),
            train=len(run.plan.train),
            holdout=len(run.plan.holdout),
            folds=len(run.plan.folds),
            candidates=len(run.experiment.candidates),
            ratio=run.plan.ratio,
            notes=[*target_notes(rows, run.target, target), *run.plan.notes, *_notes(run)],
            alerts=[a.to_json() for a in split.find(resolved)],
        )

    # comparing on folds -------------------------------------------------------------------------------------------

    def _compare(self, engine: Engine) -> None:
        """Fit all candidates on all folds; idle cores fit those that are done on all rows."""
        for name in [n for n in self._done.metrics if n not in self._done.over]:
            self._complete(name)  # the worker ended between its last fold and the event that it was done
        jobs = [j for j in fold_jobs(self.run) if self._is_needed(j)]
        encoders = {k for j in jobs for k in j.after}
        jobs = [j for j in jobs if j.candidate or j.key in encoders]
        for job in jobs:
            for encoder in job.after:
                self._waiting_for[encoder] = self._waiting_for.get(encoder, 0) + 1
        racing = race.is_on(self.run)
        # In a race no one is sure to stay, and nobody knows the top group before all are done.
        early = [] if racing or self.fitted_at_once else sorted({j.candidate for j in jobs if j.candidate})

        def done(job: Job, value: Any) -> None:
            if isinstance(value, FoldResult):
                self._fold_done(value)
                self._release(job)
                if racing:
                    self._race(scheduler)
            elif job.candidate:
                self.log.append("fitted", model=job.candidate, **value)
            self._check_compared()

        def failed(owner: Owner, reason: str) -> None:
            self._failed(owner, reason)
            self._check_compared()

        def timeout(owner: Owner, seconds: float) -> None:
            self._timed_out(owner, seconds)
            self._check_compared()

        self._check_compared()
        outcome = Outcome(done=done, failed=failed, timeout=timeout)
        scheduler = Scheduler(engine, self.run.experiment.protocol.time_limit, outcome, lambda: self.stop)
        scheduler.run([*jobs, *final_jobs(self.run, early, jobs)])

    def _is_needed(self, job: Job) -> bool:
        """Whether a job is still to be done; the blend follows when all others are."""
        if not job.candidate:
            return True
        if job.candidate in self._done.over or self.run.experiment.candidate(job.candidate).is_blend:
            return False
        return job.key[2] not in self._done.metrics.get(job.candidate, {})

    def _check_compared(self) -> None:
        """Once all others are done: blend them, and log that the leaderboard is complete."""
        blends = [c.model for c in self.run.experiment.candidates if c.is_blend]
        others = {c.model for c in self.run.experiment.candidates} - set(blends)
        if self._done.compared or not others <= self._done.over:
            return
        for name in blends:
            if name not in self._done.over:
                self._blend(name)
        self._done.compared = True
        self.log.append("compared", alerts=[a.to_json() for a in after_fit.too_good(self._fitted())])

    def _fitted(self) -> after_fit.Fitted:
        """What the comparison gave, for the checks after the fit."""
        run, task = self.run, self.run.setting.task
        name, count = after_fit.STRENGTHS[task][0], len(run.target.classes)
        candidates = {c.model: c for c in run.experiment.candidates if c.model in self._done.ok and not c.is_baseline}
        values = {m: [f.get(name) for f in self._done.metrics.get(m, {}).values()] for m in candidates}
        known = {m: [float(v) for v in by_fold if v is not None] for m, by_fold in values.items()}
        scores = {m: float(np.mean(v)) for m, v in known.items() if v and len(v) == len(values[m])}
        folds = [f for f in run.plan.folds if f.repeat == 0][:QUICK_FOLDS]
        return after_fit.Fitted(
            rows=run.raw.iloc[: len(run.y)],
            y=run.y,
            folds=[(f.train, f.test) for f in folds],
            task=task,
            target=run.experiment.recipe.target,
            strengths={m: after_fit.strength(task, score, count) for m, score in scores.items()},
            families={m: self.run.family_of(candidates[m]) for m in scores},
            titles={m: candidates[m].label for m in scores},
            scores=scores,
        )

    def _blend(self, name: str) -> None:
        """Choose and score the blend, in this process: it fits nothing."""
        ordered = [c.model for c in self.run.experiment.candidates if c.model in self._done.ok]
        future = Inline().submit(blend.blend, str(self.folder), name, ordered)
        if (error := future.exception()) is not None:
            self._failed(("fold", name), str(error))
            return
        for result in future.result():
            self._fold_done(result)

    def _fold_done(self, result: FoldResult) -> None:
        self.log.append(
            "fold",
            model=result.model,
            key=result.key,
            metrics=result.metrics,
            undefined=result.undefined,
            fit_seconds=round(result.seconds, 4),
            predict_seconds=round(result.predict_seconds, 4),
            train_score=result.train_score,
            ci=result.ci,
            rows=result.rows,
            converged=result.converged,
        )
        self._done.metrics.setdefault(result.model, {})[result.key] = result.metrics
        self._complete(result.model)

    def _complete(self, name: str) -> None:
        """Write a candidate's out-of-fold predictions once all its folds are done."""
        if len(self._done.metrics[name]) < len(self.run.plan.folds):
            return
        path = self._paths.predictions(name)
        by_fold = {f.key: read_fold(self.run, name, f.key) for f in self.run.plan.folds}
        out_of_fold(self.run, by_fold).to_parquet(path.with_suffix(".part"), index=False)
        os.replace(path.with_suffix(".part"), path)
        self._done.ok.append(name)
        self._done.over.add(name)
        words = {"description": blend.description(self.run)} if self.run.experiment.candidate(name).is_blend else {}
        self.log.append("candidate", model=name, status="ok", reason="", **words)

    def _release(self, job: Job) -> None:
        """Remove a fold's arrays once no fit needs them any more."""
        for encoder in job.after:
            self._waiting_for[encoder] -= 1
            if not self._waiting_for[encoder]:
                _, key, families = encoder
                for family in families.split("+"):
                    self.run.release(key, family)  # type: ignore[arg-type]

    # the race -----------------------------------------------------------------------------------------------------

    def _race(self, scheduler: Scheduler) -> None:
        """Stop candidates that are out; judged when a fold is done for all, so that it repeats exactly."""
        folds = self.run.plan.folds
        while (count := max(self._raced + 1, race.EARLY)) < len(folds):
            judged, racing = folds[:count], self._racing()
            if any(f.key not in self._done.metrics.get(m, {}) for m in racing for f in judged):
                return
            self._raced = count
            metric = self.run.metric.name
            scores = {m: [self._done.metrics[m][f.key].get(metric) for f in judged] for m in racing}
            for name, gap in race.eliminated(self.run, judged, scores, self._baseline_score(judged)):
                if not self.run.experiment.candidate(name).is_instant:
                    self._eliminate(name, scheduler)
                    reason = f"Out of the race after {count} of {len(folds)} folds: {number(gap)} worse than the best."
                    self.log.append("candidate", model=name, status="stopped", reason=reason)

    def _baseline_score(self, folds: Sequence[Fold]) -> float | None:
        """The mean score of the baseline on some folds; None while it is not known."""
        baseline = next(c.model for c in self.run.experiment.candidates if c.is_baseline)
        values = [self._done.metrics.get(baseline, {}).get(f.key, {}).get(self.run.metric.name) for f in folds]
        known = [float(v) for v in values if v is not None]
        return float(np.mean(known)) if known and len(known) == len(values) else None

    def _eliminate(self, name: str, scheduler: Scheduler) -> None:
        """End a candidate, even one that is already done: otherwise the number of processes would decide."""
        scheduler.drop(("fold", name))
        self._done.over.add(name)
        if name in self._done.ok:
            self._done.ok.remove(name)
            self._paths.predictions(name).unlink()
            self._paths.model(name).unlink(missing_ok=True)

    def _racing(self) -> list[str]:
        """Candidates in the race: those that have finished or are still to finish."""
        names = [c.model for c in self.run.experiment.candidates if not (c.is_baseline or c.is_blend)]
        return [n for n in names if n not in self._done.over or n in self._done.ok]

    # what does not work out ---------------------------------------------------------------------------------------

    def _failed(self, owner: Owner, reason: str) -> None:
        if FULL in reason:  # not the candidate's fault: the run ends, and can be resumed
            raise HoldoutError(FULL)
        phase, name = owner
        if phase == "final":
            self._unfitted(name, reason)
            return
        self._done.over.add(name)
        self.log.append("candidate", model=name, status="failed", reason=reason)

    def _timed_out(self, owner: Owner, seconds: float) -> None:
        reason = f"It was stopped after {seconds:g} seconds, its time limit."
        phase, name = owner
        if phase == "final":
            self._unfitted(name, reason)
            return
        self._done.over.add(name)
        self.log.append("candidate", model=name, status="timeout", reason=reason)

    def _unfitted(self, name: str, reason: str) -> None:
        self.log.append("unfitted", model=name, reason=f"It could not be fitted on all rows. {reason}")

    # fitting on all rows ------------------------------------------------------------------------------------------

    def _fit_on_all_rows(self, engine: Engine) -> None:
        """Fit the models that have not been fitted on all rows yet, or those of them that are fitted at once."""
        run = RunFolder(self.folder)
        fitted = {e["model"] for e in run.events() if e["event"] in ("fitted", "unfitted")}
        names = [n for n in self._done.ok if n not in fitted]
        if self.fitted_at_once is not None:
            chosen = self._at_once(names, list(self.fitted_at_once(run)))
            if later := [n for n in names if n not in chosen]:
                self.log.append("deferred", models=later)
            names = chosen
        self._final_fits(engine, names)

    def _at_once(self, names: list[str], chosen: list[str]) -> list[str]:
        """Those of the models that are fitted now: the chosen ones, and those that take no time.

        The blend is its members: it is deferred unless they are all among these.
        """
        now = [n for n in names if n in chosen or self.run.experiment.candidate(n).is_instant]
        return [n for n in now if not self.run.experiment.candidate(n).is_blend or set(self._members()) <= set(now)]

    def _members(self) -> list[str]:
        return list(blend_weights(self.folder))

    def _final_fits(self, engine: Engine, names: Sequence[str]) -> None:
        """Fit models on all training rows; the blend last, because it is made of the others."""
        blends = [n for n in names if self.run.experiment.candidate(n).is_blend]

        def done(job: Job, value: Any) -> None:
            if job.candidate:
                self.log.append("fitted", model=job.candidate, **value)

        limit = self.run.experiment.protocol.time_limit
        outcome = Outcome(done=done, failed=self._failed, timeout=self._timed_out)
        rest = [n for n in names if n not in blends]
        Scheduler(engine, limit, outcome, lambda: self.stop).run(final_jobs(self.run, rest, []))
        last = [blend_job(self.run, name) for name in blends]
        Scheduler(engine, limit, outcome, lambda: self.stop).run(last)

    def fit_later(self, name: str, slots: int) -> None:
        """Fit a model of a finished run on all training rows, or the members of a blend that are not fitted yet."""
        members, blends = self._members(), [c.model for c in self.run.experiment.candidates if c.is_blend]
        names = [n for n in (members if name in blends else [name]) if not self._paths.model(n).exists()]
        if all(n in names or self._paths.model(n).exists() for n in members):
            names += [b for b in blends if b in RunFolder(self.folder).deferred()]
        for part in ("scratch", "models"):
            (self.folder / part).mkdir(exist_ok=True)
        engine = LocalProcesses(slots) if slots else Inline()
        try:
            self._final_fits(engine, names)
        finally:
            engine.shutdown()
            shutil.rmtree(self._paths.scratch, ignore_errors=True)


def _import_candidates(run: Context) -> None:
    """Build each candidate once before processes are forked, so that they share what that imports."""
    for candidate in run.experiment.candidates:
        if candidate.row is not None:
            candidate.build(run.setting.for_fit(run.y), run.folder)


def _notes(run: Context) -> list[str]:
    """Notes about the candidates before they run."""
    notes, task = race.notes(run), run.setting.task
    counting = [c.name for c in run.experiment.schema.features() if c.reason == ONLY_PREDICTOR]
    notes += [f"{several(counting)} used as a feature: {ONLY_PREDICTOR}."] if counting else []
    rows = len(run.plan.folds[0].train) if run.plan.folds else 0
    limited = [c for c in run.experiment.candidates if c.most_rows and rows > c.most_rows]
    if limited:
        listed = several([f"{c.title} {c.most_rows:,}" for c in limited], 9)
        notes.append(f"Trained on a random sample of the training rows, because time grows faster than rows: {listed}.")
    per_tree = {c.title: c.resolved(task).get("max_samples") for c in run.experiment.candidates}
    sampling = {title: most for title, most in per_tree.items() if most and rows > most}
    if sampling:
        listed = several([f"{title} {most:,}" for title, most in sampling.items()])
        notes.append(f"Each tree is grown on its own sample of the training rows: {listed}.")
    if run.weights is not None:
        notes.append(_weight_note(run))
    if len(run.unknown):
        notes.append(f"{len(run.unknown):,} rows without a target are used as unlabelled rows, besides {len(run.y):,}.")
    return notes


def _weight_note(run: Context) -> str:
    def ignores_weights(candidate: Candidate) -> bool:
        estimator = candidate.build(run.setting.for_fit(run.y), run.folder)
        return not (candidate.is_baseline or candidate.is_blend or takes_weights(estimator))

    without = [c.label for c in run.experiment.candidates if ignores_weights(c)]
    name = run.experiment.schema.in_role("weight")[0]
    note = f"Rows are weighted by {name}, in training and in scores; the confusion matrix counts rows."
    return note + (f" {several(without, 9)} cannot use weights in training." if without else "")
