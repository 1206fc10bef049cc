"""The steps of a recipe. To add one, write a class in one of these files and name it in `STEPS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlcore.errors import BadChoice, BadInput
from mlcore.features.steps.base import Step
from mlcore.features.steps.categories import Cross, Encode
from mlcore.features.steps.combine import Combine, FormulaStep, GroupStats
from mlcore.features.steps.dates import Dates
from mlcore.features.steps.learned import Clusters, Project, Trees
from mlcore.features.steps.missing import Missing
from mlcore.features.steps.numeric import Bins, Scale, Transform
from mlcore.features.steps.outliers import Clip, DropRows
from mlcore.features.steps.resample import Resample
from mlcore.features.steps.selection import Drop, Select
from mlcore.features.steps.text import Text, Url

STEPS: dict[str, type[Step]] = {
    kind.step: kind
    for kind in (
        Missing, Clip, DropRows, Encode, Scale, Transform, Bins, Cross, Combine, FormulaStep, GroupStats, Dates, Text,
        Url, Trees, Clusters, Project, Select, Drop, Resample,
    )
}  # fmt: skip


def step_from_json(data: Any) -> Step:
    """A step of plain data: {"step": NAME, "columns": [...] or "auto", …options}. Raises BadInput."""
    if not isinstance(data, Mapping) or not isinstance(data.get("step"), str):
        raise BadInput(f'A step is an object with its name, such as {{"step": "clip", "columns": ["fare"]}}; '
                       f"{data!r} was given.")  # fmt: skip
    if data["step"] not in STEPS:
        raise BadChoice.of("step", data["step"], STEPS)
    made: Step = STEPS[data["step"]]().change(**{k: v for k, v in data.items() if k != "step"})
    return made
