"""The jobs of a run: encode each fold once per family, fit each candidate on each fold, then on all training rows."""

from __future__ import annotations

from mlcore.experiment.candidate import Candidate
from mlcore.models.catalogue import Family
from mlcore.runs import blend, fit, race
from mlcore.runs.context import FINAL, Context
from mlcore.runs.scheduler import Job


def fold_jobs(run: Context) -> list[Job]:
    """All jobs of the comparison: the baseline, the encoders, one cheap model, then the longest first.

    In a race the folds are the outer order, so that all candidates can be compared after each.
    """
    folder, jobs = str(run.folder), []
    racing = race.is_on(run)
    encoded = [c for c in run.experiment.candidates if c.needs_encoding]
    groups = family_groups(run, encoded)
    cheapest = min(encoded, key=lambda c: c.cost, default=None)
    for place, fold in enumerate(run.plan.folds):
        for group in groups:
            urgency = 1.0 if cheapest is not None and run.family_of(cheapest) in group else 2.5
            rank: tuple[float, ...] = (2.0, place, -1.0) if racing else (urgency, place)
            key, args = ("prepare", fold.key, "+".join(group)), (folder, fold.key, group)
            jobs.append(Job(key=key, phase="prepare", work=fit.prepare, args=args, rank=rank))
        for candidate in run.experiment.candidates:
            wave = 0.0 if candidate.is_instant else 2.0 if candidate is cheapest else 3.0
            rank = (wave, -candidate.cost, place)
            if racing and not candidate.is_instant:
                rank = (2.0, place, 1 - candidate.cost)
            jobs.append(
                Job(
                    key=("fit", candidate.model, fold.key),
                    phase="fold",
                    work=fit.fit,
                    args=(folder, candidate.model, fold.key),
                    rank=rank,
                    candidate=candidate.model,
                    after=_encoders(run, groups, candidate, fold.key),
                )
            )
    return jobs


Groups = list[tuple[Family, ...]]


def family_groups(run: Context, candidates: list[Candidate]) -> Groups:
    """The families of some candidates that are encoded together: all, if steps are fitted, so that they are once."""
    families = sorted({run.family_of(c) for c in candidates})
    return [tuple(families)] if run.steps and families else [(f,) for f in families]


def _encoders(run: Context, groups: Groups, candidate: Candidate, key: str) -> tuple[tuple[str, ...], ...]:
    """The jobs that a fit of a candidate waits for."""
    family = run.family_of(candidate)
    return tuple(("prepare", key, "+".join(g)) for g in groups if candidate.needs_encoding and family in g)


def final_jobs(run: Context, names: list[str], folds: list[Job]) -> list[Job]:
    """Fit candidates on all training rows, each once its jobs among `folds` are done, after all of those."""
    folder = str(run.folder)
    chosen = [run.experiment.candidate(n) for n in names]
    groups = family_groups(run, [c for c in chosen if c.needs_encoding])
    jobs = [
        Job(
            key=("prepare", FINAL, "+".join(group)),
            phase="prepare",
            work=fit.prepare,
            args=(folder, FINAL, group),
            rank=(9.0,),
        )
        for group in groups
    ]
    for candidate in chosen:
        after = tuple(j.key for j in folds if j.candidate == candidate.model)
        after += _encoders(run, groups, candidate, FINAL)
        jobs.append(
            Job(
                key=("finish", candidate.model),
                phase="final",
                work=fit.finish,
                args=(folder, candidate.model),
                rank=(9.5, -candidate.cost),
                candidate=candidate.model,
                after=after,
            )
        )
    return jobs


def blend_job(run: Context, name: str) -> Job:
    """Describe the blend of the final models; it comes last, because it is made of the others."""
    return Job(
        key=("finish", name),
        phase="final",
        work=blend.finish_blend,
        args=(str(run.folder),),
        rank=(0.0,),
        candidate=name,
    )
