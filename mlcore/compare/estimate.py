"""About how long a comparison will take: from what models cost, how fast this machine is, and what ran before."""

from __future__ import annotations

import json
import time
from pathlib import Path

from mlcore.compare.experiment import Candidate, Experiment
from mlcore.compare.run import Run, cores
from mlcore.models import model
from mlcore.protocol import repeats_for
from mlcore.workspace import home, write_whole

ROWS, COLUMNS = 50_000, 60  # at which the catalogue's costs were measured
PROBE = 0.045  # seconds of the probe on the machine where they were
START, OVERHEAD = 0.8, 0.015  # seconds to begin, and of any fit
STEEP = {"svm": 1.8, "nu_svm": 1.8, "knn": 1.5, "label_spreading": 1.8}  # powers of the rows; others are linear


def probe() -> float:
    """How much slower than that machine this one is now: one small tree, a few hundredths of a second."""
    import numpy as np
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 20))
    y = features[:, 0] + features[:, 1] * features[:, 2] > 0
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        DecisionTreeClassifier(random_state=0).fit(features, y)
        best = min(best, time.perf_counter() - start)
    return best / PROBE


def _place() -> Path:
    return home() / "speed.json"


def note_speed() -> None:
    """Probe the machine and keep what was found; a worker does so while it waits."""
    write_whole(_place(), json.dumps({"slower": probe()}))


def _slower() -> float:
    try:
        return float(json.loads(_place().read_text("utf-8"))["slower"])
    except (OSError, ValueError, KeyError):
        return 1.0


def seconds(experiment: Experiment, before: Run | None = None) -> float:
    """About how many seconds a comparison will take on all cores; `before` is a run of the same rows, if any."""
    protocol, task = experiment.protocol, experiment.recipe.task
    rows = experiment.source.rows * (1 - protocol.holdout)
    kind = protocol.kind(task)
    repeats = 1 if kind in ("time", "validation", "leave_one_out") else protocol.repeats or repeats_for(int(rows))
    folds = {"leave_one_out": int(rows), "validation": 1}.get(kind, protocol.folds)
    known = _measured(before, experiment) if before is not None else {}
    total = 0.0
    for candidate in experiment.candidates:
        fits = folds * repeats + 1
        total += fits * known.get(candidate.model, _guess(candidate, experiment, rows))
    return float(START + total / cores())


def _guess(candidate: Candidate, experiment: Experiment, rows: float) -> float:
    if candidate.model in ("dummy", "blend"):
        return 0.01
    seen = min(rows, candidate.most_rows or rows)
    few = set(experiment.recipe.encode.few(experiment.schema))
    wide = sum(min(c.distinct, 60) if c.name in few else 1 for c in experiment.schema.features())
    share: float = (seen / ROWS) ** STEEP.get(candidate.model, 1.0) * max(0.2, wide / COLUMNS) ** 0.7
    once = 2.0 if candidate.row is None else model(candidate.model).cost
    fits = 1 if candidate.search is None else candidate.search.fits
    return float(fits * (OVERHEAD + once * share) * _slower())


def _measured(run: Run, experiment: Experiment) -> dict[str, float]:
    """Seconds of a fit by model, from a run of the same rows and recipe."""
    if run.experiment.source != experiment.source or run.experiment.recipe != experiment.recipe:
        return {}
    same = {c.model for c in run.experiment.candidates if c in experiment.candidates}
    return {
        r.model: ((r.fit_seconds or 0.0) + (r.predict_seconds or 0.0)) / len(r.folds)
        for r in run.board().rows
        if r.model in same and r.folds and r.fit_seconds
    }
