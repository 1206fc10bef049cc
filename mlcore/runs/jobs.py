"""The jobs of a run: encode each fold once per family, fit each candidate on each fold, then on all training rows."""

from __future__ import annotations

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
    families = sorted({run.family_of(c) for c in encoded})
    cheapest = min(encoded, key=lambda c: c.cost, default=None)
    for place, fold in enumerate(run.plan.folds):
        for family in families:
            urgency = 1.0 if cheapest is not None and family == run.family_of(cheapest) else 2.5
            rank: tuple[float, ...] = (2.0, place, -1.0) if racing else (urgency, place)
            key, args = ("prepare", fold.key, family), (folder, fold.key, family)
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
                    after=(("prepare", fold.key, run.family_of(candidate)),) if candidate.needs_encoding else (),
                )
            )
    return jobs


def final_jobs(run: Context, names: list[str], folds: list[Job]) -> list[Job]:
    """Fit candidates on all training rows, each once its jobs among `folds` are done, after all of those."""
    folder = str(run.folder)
    chosen = [run.experiment.candidate(n) for n in names]
    jobs = [
        Job(
            key=("prepare", FINAL, family),
            phase="prepare",
            work=fit.prepare,
            args=(folder, FINAL, family),
            rank=(9.0,),
        )
        for family in sorted({run.family_of(c) for c in chosen if c.needs_encoding})
    ]
    for candidate in chosen:
        after = tuple(j.key for j in folds if j.candidate == candidate.model)
        if candidate.needs_encoding:
            after += (("prepare", FINAL, run.family_of(candidate)),)
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
