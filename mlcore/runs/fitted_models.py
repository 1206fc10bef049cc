"""The fitted pipelines of a run, and its blend, which is stored as its members' weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlcore.data.workspace import read_json
from mlcore.experiment.experiment import Experiment
from mlcore.models import storage
from mlcore.runs.paths import RunPaths


def blend_weights(folder: Path) -> dict[str, float]:
    """The members of a run's blend and their weights; empty when there is no blend."""
    path = RunPaths(folder).blend
    weights = read_json(path) if path.exists() else {}
    return {str(name): float(weight) for name, weight in weights.items()} if isinstance(weights, dict) else {}


def is_fitted(folder: Path, experiment: Experiment, name: str) -> bool:
    """Whether a candidate has been fitted on all training rows; a blend has when all its members have."""
    if not experiment.candidate(name).is_blend:
        return RunPaths(folder).model(name).exists()
    weights = blend_weights(folder)
    return bool(weights) and all(RunPaths(folder).model(m).exists() for m in weights)


def load_model(folder: Path, experiment: Experiment, name: str) -> Any:
    """A fitted Pipeline: raw frame in, the target's own labels or values out."""
    if experiment.candidate(name).is_blend:
        return _load_blend(folder, experiment)
    return storage.load(RunPaths(folder).model(name))


def _load_blend(folder: Path, experiment: Experiment) -> Any:
    from sklearn.pipeline import Pipeline

    from mlcore.features.transformers import Conform
    from mlcore.models.wrappers import BlendedClassifier, BlendedRegressor

    weights = blend_weights(folder)
    members = [storage.load(RunPaths(folder).model(n)) for n in weights]
    kind = BlendedRegressor if experiment.recipe.task == "regression" else BlendedClassifier
    steps = [("columns", Conform.of(experiment.schema)), ("model", kind.of(members, list(weights.values())))]
    return Pipeline(steps)
