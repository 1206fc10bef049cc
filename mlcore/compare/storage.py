"""Models on disk: skops, never pickle; only types of known libraries are loaded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mlcore.errors import CannotRead

TRUSTED = ("sklearn.", "numpy.", "scipy.", "xgboost.", "lightgbm.", "catboost.", "mlcore.", "pandas.")
TRUSTED_NAMES = ("functools.partial",)  # what it is applied to is listed, and judged, of its own


def dump(model: Any, path: Path) -> None:
    """Write a fitted or unfitted estimator, whole or not at all."""
    import os

    import skops.io

    part = path.with_suffix(".part")
    skops.io.dump(model, part)
    os.replace(part, path)


def _is_ours(name: str) -> bool:
    """Whether a type is an estimator of a module that this process has imported anyway, as a person's own is."""
    from sklearn.base import BaseEstimator

    module, _, kind = name.rpartition(".")
    found = getattr(sys.modules.get(module), kind, None)
    return isinstance(found, type) and issubclass(found, BaseEstimator)


def load(path: Path) -> Any:
    """Read an estimator. Raises CannotRead when it names a type of a library that is not trusted."""
    import skops.io

    types = skops.io.get_untrusted_types(file=path)
    strange = [t for t in types if not (t.startswith(TRUSTED) or t in TRUSTED_NAMES or _is_ours(t))]
    if strange:
        raise CannotRead(f"{path.name} holds {strange[0]}, of a library that is not trusted here; it is not loaded.")
    return skops.io.load(path, trusted=types)
