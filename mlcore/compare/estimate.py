"""About how long a comparison will take: from what models cost, how fast this machine is, and what ran before."""

from __future__ import annotations

import json
import time
from pathlib import Path

from mlcore.compare.experiment import Candidate, Experiment
from mlcore.compare.run import Run, cores
from mlcore.workspace import home, write_whole

ROWS, COLUMNS = 50_000, 60  # at which the catalogue's costs were measured
PROBE = 0.045  # seconds of the probe on the machine where they were
START, OVERHEAD = 1.5, 0.02  # seconds to begin, and of any fit
SET_UP = 0.05  # of a model's cost is spent however few rows there are


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
    rows = experiment.source.rows
    folds, repeats = experiment.protocol.shape(experiment.recipe.task, rows)
    known = _measured(before, experiment) if before is not None else {}
    trained = rows * (1 - experiment.protocol.holdout)
    once = [known.get(c.model, _guess(c, experiment, trained)) for c in experiment.candidates]
    return float(START + (folds * repeats + 1) * sum(once) / cores())


def _guess(candidate: Candidate, experiment: Experiment, rows: float) -> float:
    """Seconds of one fit: what does not grow with rows, and what does."""
    if candidate.model in ("dummy", "blend"):
        return 0.01
    steep = candidate.row.steep if candidate.row is not None else 1.0
    once = candidate.row.cost if candidate.row is not None else 2.0
    few = set(experiment.recipe.encode.few(experiment.schema))
    wide = sum(min(c.distinct, 60) if c.name in few else 1 for c in experiment.schema.features())
    share: float = (min(rows, candidate.most_rows or rows) / ROWS) ** steep * max(0.2, wide / COLUMNS) ** 0.7
    always = OVERHEAD + (SET_UP * once if steep == 1.0 else 0.0)  # a hundred trees of ten rows are a hundred trees
    fits = 1 if candidate.search is None else candidate.search.fits
    return float(fits * (always + once * share) * _slower())


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
