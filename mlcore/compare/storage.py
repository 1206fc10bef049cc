"""Models on disk: skops, never pickle; only classes of known libraries are loaded."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from mlcore.errors import CannotRead

TRUSTED = (
    "sklearn.",
    "sklearnex.",
    "daal4py.",
    "onedal.",
    "numpy.",
    "scipy.",
    "xgboost.",
    "lightgbm.",
    "catboost.",
    "mlcore.",
)
# Histogram boosting keeps a partial of check_array (what a partial is applied to is listed, and judged, of its own);
# LightGBM keeps containers of the standard library.
TRUSTED_NAMES = (
    "functools.partial",
    "sklearn.utils.validation.check_array",
    "collections.OrderedDict",
    "collections.defaultdict",
)


def warm() -> None:
    """Import what reading and writing need, while there is something else to wait for."""
    import skops.io  # noqa: F401


def dump(model: Any, path: Path) -> None:
    """Write a fitted or unfitted estimator, whole or not at all."""
    import os

    import skops.io

    part = path.with_suffix(".part")
    skops.io.dump(model, part)
    os.replace(part, path)


def modules_of(estimators: list[Any]) -> list[str]:
    """Modules that define the parts of a person's own estimators, beyond the libraries that are known."""
    found = set()
    for estimator in estimators:
        for part in (estimator, *estimator.get_params(deep=True).values()):
            name = type(part).__module__
            if hasattr(part, "get_params") and not name.startswith(TRUSTED):
                found.add(name)
    return sorted(found)


def _is_trusted(name: str) -> bool:
    """Classes of known libraries only: a function that is called while predicting could do anything."""
    if name in TRUSTED_NAMES:
        return True
    module, _, kind = name.rpartition(".")
    if name.startswith(TRUSTED):
        found = getattr(importlib.import_module(module), kind, None)
        ours = name.startswith("mlcore.")
        return isinstance(found, type) and (not ours or _is_estimator(found))
    # An estimator of a module that this process has imported anyway, as a person's own is.
    return _is_estimator(getattr(sys.modules.get(module), kind, None))


def _is_estimator(found: object) -> bool:
    from sklearn.base import BaseEstimator

    return isinstance(found, type) and issubclass(found, BaseEstimator)


def load(path: Path) -> Any:
    """Read an estimator. Raises CannotRead when it names a type of a library that is not trusted."""
    import skops.io

    types = skops.io.get_untrusted_types(file=path)
    strange = [t for t in types if not _is_trusted(t)]
    if strange:
        raise CannotRead(f"{path.name} holds {strange[0]}, of a library that is not trusted here; it is not loaded.")
    return skops.io.load(path, trusted=types)
