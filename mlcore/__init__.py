"""The core of Holdout: explore data, compare models, trust the winner.

import mlcore
data = mlcore.read("customers.csv")
run = mlcore.compare(data, target="churned", seed=0)
run.leaderboard()
run.evaluate("xgboost")
run.explain("xgboost", row=3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlcore.errors import HoldoutError
from mlcore.ingest import read
from mlcore.ingest.options import ReadOptions, Stored, Table

if TYPE_CHECKING:
    from mlcore import compare
    from mlcore.compare import Candidate, Run

__version__ = "0.1.0"
__all__ = ["Candidate", "HoldoutError", "ReadOptions", "Run", "Stored", "Table", "compare", "open_run", "read"]

_LATE = {"Candidate": "mlcore.compare", "Run": "mlcore.compare"}


def __getattr__(name: str) -> Any:
    """Import what is heavy (scikit-learn) only when it is asked for."""
    import importlib

    if name == "compare":
        return importlib.import_module("mlcore.compare")  # a package that can be called
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module 'mlcore' has no attribute {name!r}")


def open_run(run: str) -> Run:
    """Open a run by its folder or its short id. Raises NotFound."""
    from mlcore.compare.run import Run as Opened
    from mlcore.workspace import Workspace

    return Opened(Workspace().run_folder(run))
