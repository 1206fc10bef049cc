"""Names in files that earlier versions wrote, so that runs, datasets, sessions and recipes stay readable.

Each row says in which kind of object a name was used, and what it is called now. Files are never rewritten.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

FORMER_NAMES: dict[str, dict[str, str]] = {
    "reading": {"part": "subset", "parts": "subsets"},
    "search": {"knobs": "parameters"},
    "trial": {"seen": "train_scores"},
    "fold": {"seen": "train_score"},
    "point": {"seen": "train_score"},
    "fitted": {"words": "description"},
}
# Modules that stored models name, where their classes are now, and those that have another name.
FORMER_MODULES: dict[str, tuple[str, dict[str, str]]] = {
    "mlcore.learners": ("mlcore.models.wrappers", {"WithUnlabelled": "SemiSupervised"}),
    "mlcore.labelled": ("mlcore.models.label_encoding", {"Labelled": "LabelEncoding"}),
}


def with_current_names(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The object with each former name replaced.

    >>> with_current_names("fitted", {"words": "if a then b"})
    {'description': 'if a then b'}
    """
    names = FORMER_NAMES.get(kind, {})
    return {names.get(key, key): value for key, value in data.items()}


def provide_former_modules() -> None:
    """Let the former modules of stored models be imported: each is a view of where its classes are now."""
    for name, (home, classes) in FORMER_MODULES.items():
        if name not in sys.modules:
            module = ModuleType(name)
            vars(module).update({k: v for k, v in vars(import_module(home)).items() if not k.startswith("__")})
            vars(module).update({old: getattr(module, new) for old, new in classes.items()})
            sys.modules[name] = module
