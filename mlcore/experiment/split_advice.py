"""Which split matches the way a model will be used."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlcore.data.dataset import Column, Dataset
from mlcore.ingest.kinds import ID_NAME
from mlcore.validation.metrics import Task
from mlcore.validation.protocol import Protocol, SplitKind

# the split that matches the use ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SplitAnswers:
    """Answers about the rows: whether they repeat an entity, have a time, and what will be predicted."""

    entity: str | None = None  # the column that shows which rows belong together
    moment: str | None = None  # the column that orders them in time
    future: bool = False  # whether rows later than all of these will be predicted
    known: bool = False  # whether predictions will be about known entities


def recommended(protocol: Protocol, answers: SplitAnswers, task: Task) -> tuple[Protocol, str]:
    """The protocol that matches the use, and the reason."""
    named = replace(protocol, group=answers.entity, time=answers.moment)
    if answers.moment is not None and answers.future:
        reason = f"You will predict the future, so models are trained on earlier {answers.moment} and tested on later."
        if answers.entity is not None:
            reason += f" Rows of one {answers.entity} may be on both sides, as they will be in use."
        return replace(named, split="time"), reason
    if answers.entity is not None and not answers.known:
        reason = (
            f"New values of {answers.entity} will come, so all rows of one value are on the same side. "
            f"{answers.entity} itself is not a feature, because it says nothing about new values."
        )
        return replace(named, split="group"), reason
    reason = "Rows are independent, so they are split at random"
    reason += "." if task == "regression" else ", with the same proportion of each class in every fold."
    default: SplitKind = "random" if task == "regression" else "stratified"
    return replace(named, split=default if answers.entity or answers.moment else "auto"), reason


MANY_GROUPS = 10  # minimum number of distinct values of a column of customers, patients or shops


def column_candidates(dataset: Dataset) -> tuple[list[str], list[str]]:
    """Possible group columns and possible time columns, likely ones first."""
    groups = [c for c in dataset.schema if 2 <= c.distinct < dataset.rows and (c.role == "group" or _may_group(c))]
    likely = sorted(groups, key=lambda c: (c.role != "group", not _names_entity(c.name), -c.distinct))
    times = [c for c in dataset.schema if c.dtype in ("datetime", "integer", "float") and c.distinct >= 10]
    dates = sorted(times, key=lambda c: (c.role != "time", c.kind != "datetime"))
    return [c.name for c in likely if c.role != "target"], [c.name for c in dates if c.role != "target"]


def _may_group(column: Column) -> bool:
    """Whether a column may identify groups: by its name, or by its number of distinct values."""
    suitable = column.kind != "datetime" and column.dtype != "float"
    return suitable and (_names_entity(column.name) or column.distinct >= MANY_GROUPS)


def _names_entity(name: str) -> bool:
    return bool(ID_NAME.search(name))
