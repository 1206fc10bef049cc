"""Models on disk: skops, never pickle; only classes of known libraries are loaded."""

from __future__ import annotations

import importlib
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from mlcore.data.former_names import FORMER_MODULES, provide_former_modules
from mlcore.errors import CannotRead
from mlcore.models.catalogue import MODELS

# What the models of the catalogue store beyond what skops itself trusts, name by name: opening a file builds what it
# names, so a whole library would be too much (numpy.memmap writes a file, numpy.lib.npyio.NpzFile opens a pickle).
TRUSTED_NAMES = (
    "collections.OrderedDict",
    "collections.defaultdict",
    "functools.partial",  # of check_array, which is listed and checked by itself
    "mlcore.features.encode.median",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
    "lightgbm.basic.Booster",
    "xgboost.core.Booster",
)
# Of these libraries estimators are loaded, and nothing else; of the last three, all classes, which their models need.
LIBRARIES = ("sklearn.", "mlcore.", "lightgbm.", "catboost.", "sklearnex.", "daal4py.", "onedal.")
TRUSTED = (*LIBRARIES, *(library for row in MODELS for library in row.trusted))
FAST = ("sklearnex.", "daal4py.", "onedal.")


def warm() -> None:
    """Import the library for reading and writing ahead of its first use."""
    import skops.io  # noqa: F401


def dump(model: Any, path: Path) -> None:
    """Write a fitted or unfitted estimator, completely or not at all."""
    import skops.io

    part = path.with_suffix(".part")
    skops.io.dump(model, part)
    os.replace(part, path)


def modules_of(estimators: list[Any]) -> list[str]:
    """Modules that define the parts of a user's estimators, beyond the known libraries."""
    modules = set()
    for estimator in estimators:
        for part in (estimator, *estimator.get_params(deep=True).values()):
            name = type(part).__module__
            if hasattr(part, "get_params") and not name.startswith(TRUSTED):
                modules.add(name)
    return sorted(modules)


def _is_trusted(name: str) -> bool:
    """Names of the list, and estimators of known libraries or of modules that this process has imported already."""
    if name in TRUSTED_NAMES:
        return True
    module, _, kind = name.rpartition(".")
    if name.startswith(TRUSTED):
        try:
            definition = getattr(importlib.import_module(module), kind, None)
        except ImportError:
            return False
        return _is_estimator(definition) or (name.startswith(FAST) and isinstance(definition, type))
    return _is_estimator(getattr(sys.modules.get(module), kind, None))  # such as a user's


def _is_estimator(kind: object) -> bool:
    from sklearn.base import BaseEstimator

    return isinstance(kind, type) and issubclass(kind, BaseEstimator)


def load(path: Path) -> Any:
    """Read an estimator. Raises CannotRead for a damaged file, and for one with anything that is not trusted."""
    import skops.io

    try:
        types = skops.io.get_untrusted_types(file=path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, zipfile.BadZipFile) as error:
        raise CannotRead(f"{path.name} is damaged and cannot be opened ({type(error).__name__}).") from None
    if any(t.startswith(tuple(FORMER_MODULES)) for t in types):
        provide_former_modules()
    untrusted = [t for t in types if not _is_trusted(t)]
    if untrusted:
        raise CannotRead(f"{path.name} contains {untrusted[0]}, which is not trusted; it was not loaded.")
    model = skops.io.load(path, trusted=types)
    if not _is_estimator(type(model)):
        raise CannotRead(f"{path.name} holds a {type(model).__name__}, not a model; it was not used.")
    return model
