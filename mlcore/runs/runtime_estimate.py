"""How long a comparison will take: estimated from the cost of models, the speed of this machine, and earlier runs."""

from __future__ import annotations

import json
import time

import numpy as np

from mlcore.data.workspace import home, write_whole
from mlcore.experiment.candidate import OWN_COST, Candidate
from mlcore.experiment.experiment import Experiment
from mlcore.runs.folder import RunFolder
from mlcore.runs.process import cores

ROWS, COLUMNS = 50_000, 60  # at which the catalogue's costs were measured
PROBE = 0.045  # seconds of the probe on the machine that measured them
START, OVERHEAD = 1.5, 0.02  # seconds to start, and of any fit
FIXED = 0.05  # fraction of a model's cost that does not depend on the number of rows
INSTANT = 0.01  # seconds of a fit of the baseline, and of the blend


def probe() -> float:
    """How many times slower this machine is now than the one that measured the costs: fits one small tree."""
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


def note_speed() -> None:
    """Probe the machine and keep the result; a worker does so while it waits."""
    write_whole(home() / "speed.json", json.dumps({"slower": probe()}))


def _slowness() -> float:
    try:
        return float(json.loads((home() / "speed.json").read_text("utf-8"))["slower"])
    except (OSError, ValueError, KeyError):
        return 1.0


def seconds(experiment: Experiment, earlier: RunFolder | None = None) -> float:
    """About how many seconds a comparison will take on all cores; `earlier` is a run of the same rows, if any."""
    rows = experiment.source.rows
    folds, repeats = experiment.protocol.shape(experiment.recipe.task, rows)
    known = _measured(earlier, experiment) if earlier is not None else {}
    train = rows * (1 - experiment.protocol.holdout)
    fits = [known.get(c.model, _estimate(c, experiment, train)) for c in experiment.candidates]
    return float(START + (folds * repeats + 1) * sum(fits) / cores())


def _estimate(candidate: Candidate, experiment: Experiment, rows: float) -> float:
    """Seconds of one fit: a part that does not depend on the number of rows, and a part that does."""
    if candidate.is_baseline or candidate.is_blend:
        return INSTANT
    growth = candidate.row.growth if candidate.row is not None else 1.0
    cost = candidate.row.cost if candidate.row is not None else OWN_COST
    one_hot = set(experiment.recipe.closing.encode.low_cardinality(experiment.schema))
    width = sum(min(c.distinct, 60) if c.name in one_hot else 1 for c in experiment.schema.features())
    scale: float = (min(rows, candidate.most_rows or rows) / ROWS) ** growth * max(0.2, width / COLUMNS) ** 0.7
    fixed = OVERHEAD + (FIXED * cost if growth == 1.0 else 0.0)  # a hundred trees of ten rows are still a hundred trees
    fits = 1 if candidate.search is None else candidate.search.fits
    return float(fits * (fixed + cost * scale) * _slowness())


def _measured(run: RunFolder, experiment: Experiment) -> dict[str, float]:
    """Seconds of a fit by model, from a run of the same rows and recipe."""
    if run.experiment.source != experiment.source or run.experiment.recipe != experiment.recipe:
        return {}
    same = {c.model for c in run.experiment.candidates if c in experiment.candidates}
    return {
        model: (log.seconds + log.predict_seconds) / len(log.folds)
        for model, log in run.logs().items()
        if model in same and log.folds and log.seconds
    }
