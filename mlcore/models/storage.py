"""Models on disk: skops, never pickle; only classes of known libraries are loaded."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from mlcore.data.former_names import FORMER_MODULES, provide_former_modules
from mlcore.errors import CannotRead
from mlcore.models.catalogue import MODELS

# Libraries whose classes are loaded: scikit-learn, this package, the libraries of the catalogue rows, and boosters that
# users often add.
LIBRARIES = (
    "sklearn.",
    "sklearnex.",
    "daal4py.",
    "onedal.",
    "numpy.",
    "scipy.",
    "lightgbm.",
    "catboost.",
    "mlcore.",
)
TRUSTED = (*LIBRARIES, *(library for row in MODELS for library in row.trusted))
# Histogram boosting keeps a partial of check_array (the function of a partial is listed and checked separately);
# LightGBM keeps containers of the standard library.
TRUSTED_NAMES = (
    "functools.partial",
    "sklearn.utils.validation.check_array",
    "collections.OrderedDict",
    "collections.defaultdict",
    "mlcore.features.encode.median",  # how missing numbers are filled
)


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
    """Classes of known libraries only: a function that is called during prediction could do anything."""
    if name in TRUSTED_NAMES:
        return True
    module, _, kind = name.rpartition(".")
    if name.startswith(TRUSTED):
        definition = getattr(importlib.import_module(module), kind, None)
        is_ours = name.startswith("mlcore.")
        return isinstance(definition, type) and (not is_ours or _is_estimator(definition))
    # An estimator of a module that this process has already imported, such as a user's.
    return _is_estimator(getattr(sys.modules.get(module), kind, None))


def _is_estimator(kind: object) -> bool:
    from sklearn.base import BaseEstimator

    return isinstance(kind, type) and issubclass(kind, BaseEstimator)


def load(path: Path) -> Any:
    """Read an estimator. Raises CannotRead for a type of a library that is not trusted."""
    import skops.io

    types = skops.io.get_untrusted_types(file=path)
    if any(t.startswith(tuple(FORMER_MODULES)) for t in types):
        provide_former_modules()
    untrusted = [t for t in types if not _is_trusted(t)]
    if untrusted:
        raise CannotRead(f"{path.name} contains {untrusted[0]}, of a library that is not trusted; it was not loaded.")
    return skops.io.load(path, trusted=types)
