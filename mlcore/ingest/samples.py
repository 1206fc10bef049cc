"""The samples: small files shipped with Holdout, each with a story, and data sets of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

from mlcore.data.dataset import Dataset
from mlcore.data.workspace import Workspace, shipped
from mlcore.errors import BadChoice
from mlcore.ingest.reader import read


@dataclass(frozen=True)
class Sample:
    """One sample."""

    name: str
    title: str
    story: str
    target: str
    source: str  # a file of sample_data, or a loader of sklearn.datasets
    ours: bool = True


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "churn",
        "Customer churn",
        "1,500 phone customers: who leaves? One column leaks the target. Find it.",
        "churned",
        "customer_churn.csv",
    ),
    Sample(
        "visits",
        "Patient visits",
        "1,119 visits of 220 patients. A random split looks brilliant. Is it?",
        "admitted",
        "patient_visits.csv",
    ),
    Sample(
        "houses",
        "House prices",
        "1,200 sales with a long tail, a few odd prices and many gardens of size zero.",
        "price",
        "house_prices.csv",
    ),
    Sample(
        "teas",
        "Tea leaves",
        "360 leaves of three kinds, one of them rare and easily confused.",
        "kind",
        "tea_leaves.csv",
    ),
    Sample("iris", "Iris flowers", "The classic 150 flowers of three species.", "target", "load_iris", False),
    Sample("wine", "Wines", "178 wines of three growers, by 13 chemical measurements.", "target", "load_wine", False),
    Sample(
        "breast_cancer",
        "Breast cancer",
        "569 tumours, benign or malignant, by 30 measurements.",
        "target",
        "load_breast_cancer",
        False,
    ),
    Sample(
        "diabetes",
        "Diabetes progression",
        "442 patients, ten standardised measurements, progression after a year.",
        "target",
        "load_diabetes",
        False,
    ),
)


def sample(name: str) -> Sample:
    """Find a sample. Raises BadChoice."""
    for row in SAMPLES:
        if row.name == name:
            return row
    raise BadChoice.of("sample", name, [s.name for s in SAMPLES])


def open_sample(name: str, workspace: Workspace | None = None) -> Dataset:
    """Read a sample into a workspace. Raises BadChoice."""
    row = sample(name)
    if row.ours:
        return read(shipped("sample_data") / row.source, workspace=workspace)
    import importlib

    bunch = getattr(importlib.import_module("sklearn.datasets"), row.source)(as_frame=True)
    frame = bunch.frame
    if hasattr(bunch, "target_names") and len(bunch.target_names):
        frame = frame.assign(target=frame["target"].map(dict(enumerate(bunch.target_names))))
    return read(frame, name=row.title, workspace=workspace)
