"""The engine beside plain scikit-learn: the same models, folds and metric, each model a whole Pipeline.

    python benchmarks/compare.py [ROWS]

Prints wall and processor seconds of both in one run, their ratio, and the largest difference of a fold's score.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import resource
import sys
import tempfile
import time
import warnings

import numpy as np
from mixed import mixed
from sklearn.model_selection import cross_validate

import mlcore
from mlcore.compare.run import cores
from mlcore.compare.tasks import context
from mlcore.models import model


def spent() -> float:
    """Processor seconds of this process and of all its ended children."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def main(rows: int) -> None:
    """Run both and print."""
    warnings.simplefilter("ignore")
    data = mlcore.read(mixed(rows), name=f"mixed-{rows}")
    start, cpu = time.perf_counter(), spent()
    first: list[float] = []
    compared: list[float] = []

    def watch(event: dict[str, object]) -> None:
        if event["event"] == "candidate" and not first:
            first.append(time.perf_counter() - start)
        if event["event"] == "compared":
            compared.append(time.perf_counter() - start)

    run = mlcore.compare(data, target="y", repeats=1, seed=0, on_event=watch)
    os.waitpid(int((run.path / "worker.pid").read_text()), 0)  # so that its processor time is counted
    ours = (compared[0], spent() - cpu)
    shared = context(str(run.path))
    frame = run.dataset.frame().iloc[shared.plan.train]
    splits = [(f.train, f.test) for f in shared.plan.folds]
    start, cpu, gap = time.perf_counter(), spent(), 0.0
    rows_ = [model(c.model) for c in run.experiment.candidates]
    for row in rows_:
        whole = run.experiment.recipe.pipeline(
            run.experiment.schema, row.family, row.build(shared.setting, dict(row.parameters))
        )
        found = cross_validate(whole, frame, shared.y, cv=splits, scoring="roc_auc", n_jobs=cores())["test_score"]
        folds = next(r for r in run.board().rows if r.model == row.name).folds
        gap = max(gap, float(np.abs(found - folds).max()))
    plain = time.perf_counter() - start
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)  # so that its processor time is counted
    theirs = (plain, spent() - cpu)
    print(f"{rows:,} rows, {len(rows_)} models × {len(splits)} folds, {cores()} cores")
    print(f"first row of the leaderboard after {first[0]:.2f} s")
    print(f"{'':24}{'wall s':>8}{'CPU s':>8}")
    print(f"{'Holdout (CPU with the':24}{ours[0]:8.2f}{ours[1]:8.2f}   final fits and start-up included)")
    print(f"{'plain cross_validate':24}{theirs[0]:8.2f}{theirs[1]:8.2f}   (start-up not included)")
    print(f"{'ratio':24}{ours[0] / theirs[0]:8.2f}{ours[1] / theirs[1]:8.2f}")
    print(f"largest difference of a fold's score: {gap:.1e}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOLDOUT_HOME"] = home
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
