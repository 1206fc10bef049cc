"""The core of Holdout: explore data, compare models, trust the winner.

    import mlcore

    data = mlcore.read("customers.csv")
    run = mlcore.compare(data, target="churned", seed=0)
    run.leaderboard()
    run.evaluate("xgboost")
    run.explain("xgboost", row=3)

What is in `__all__` is promised to stay. Names are imported when they are first used, so that `import mlcore` is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mlcore.errors import HoldoutError

if TYPE_CHECKING:
    from mlcore.api import compare, open_run, profile, rerun, step_ledger, stress_test, training_rows, warm
    from mlcore.api import leave as leave
    from mlcore.data.dataset import Dataset
    from mlcore.experiment.candidate import Candidate
    from mlcore.experiment.search import Search
    from mlcore.explore.profile import Profile
    from mlcore.export.artifacts import load_model
    from mlcore.export.evaluation_report import evaluation_html
    from mlcore.export.profile_report import profile_html
    from mlcore.ingest.changes import rename, with_missing
    from mlcore.ingest.options import ReadOptions, Stored, Table
    from mlcore.ingest.reader import read
    from mlcore.models.catalogue import MODELS
    from mlcore.models.rules import Rule
    from mlcore.run import Run
    from mlcore.validation.metrics import METRICS

__version__ = "0.1.0"
__all__ = [
    "METRICS",
    "MODELS",
    "Candidate",
    "Dataset",
    "HoldoutError",
    "Profile",
    "ReadOptions",
    "Rule",
    "Run",
    "Search",
    "Stored",
    "Table",
    "compare",
    "evaluation_html",
    "load_model",
    "open_run",
    "profile",
    "profile_html",
    "read",
    "rename",
    "rerun",
    "step_ledger",
    "stress_test",
    "training_rows",
    "warm",
    "with_missing",
]

_HOMES = {
    "METRICS": "mlcore.validation.metrics",
    "MODELS": "mlcore.models.catalogue",
    "Candidate": "mlcore.experiment.candidate",
    "Dataset": "mlcore.data.dataset",
    "Profile": "mlcore.explore.profile",
    "ReadOptions": "mlcore.ingest.options",
    "Rule": "mlcore.models.rules",
    "Run": "mlcore.run",
    "Search": "mlcore.experiment.search",
    "Stored": "mlcore.ingest.options",
    "Table": "mlcore.ingest.options",
    "compare": "mlcore.api",
    "evaluation_html": "mlcore.export.evaluation_report",
    "leave": "mlcore.api",
    "load_model": "mlcore.export.artifacts",
    "open_run": "mlcore.api",
    "profile": "mlcore.api",
    "rerun": "mlcore.api",
    "profile_html": "mlcore.export.profile_report",
    "read": "mlcore.ingest.reader",
    "rename": "mlcore.ingest.changes",
    "with_missing": "mlcore.ingest.changes",
    "step_ledger": "mlcore.api",
    "stress_test": "mlcore.api",
    "training_rows": "mlcore.api",
    "warm": "mlcore.api",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mlcore' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
