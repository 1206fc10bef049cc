"""How models are evaluated: the holdout, the folds, the seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from mlcore.data.dataset import Schema
from mlcore.errors import BadChoice, BadInput
from mlcore.validation.metrics import Metric, Task, for_task, metric

SplitKind = Literal["auto", "random", "stratified", "group", "time", "leave_one_out", "validation"]
SPLITS: tuple[SplitKind, ...] = get_args(SplitKind)
Kind = Literal["random", "stratified", "group", "time", "leave_one_out", "validation"]
RACE_FROM = 30_000  # rows; of 50,000 a race saved 43 % of the time, of 20,640 18 % (benchmarks/compare.py and race.py)
SINGLE = ("validation", "leave_one_out")  # one split, or one fold per row
# Metrics that are defined on a single row, the test set of leave-one-out.
ALONE: dict[Task, str] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "mae"}


@dataclass(frozen=True)
class Protocol:
    """The choices of the user; `auto` and None are resolved later."""

    holdout: float = 0.2
    folds: int = 5
    repeats: int | None = None
    split: SplitKind = "auto"
    group: str | None = None
    time: str | None = None
    metric: str = "auto"
    seed: int = 0
    time_limit: float = 600.0  # seconds for one candidate, all folds together
    validation: float = 0.1  # fraction of all rows in the single validation split
    race: bool | None = None  # stop candidates that can no longer come first; None: where it saves much
    fast: bool = False  # use scikit-learn-intelex where it is faster; its numbers differ in the last digits

    def checked(self) -> Protocol:
        """Raise BadChoice or BadInput for a value that is not allowed."""
        if self.split not in SPLITS:
            raise BadChoice.of("kind of split", self.split, SPLITS)
        if not 0 <= self.holdout <= 0.9:
            raise BadInput(f"The holdout must be a fraction from 0 to 0.9 of the rows; {self.holdout:g} was given.")
        if not 2 <= self.folds <= 1000:
            raise BadInput(f"There must be 2 to 1,000 folds; {self.folds} was given.")
        if self.repeats is not None and not 1 <= self.repeats <= 100:
            raise BadInput(f"There must be 1 to 100 repeats; {self.repeats} was given.")
        if not 0 <= self.seed < 2**32:
            raise BadInput(f"The seed must be from 0 to 4,294,967,295; {self.seed} was given.")
        if not 0.01 <= self.validation <= 0.5:
            raise BadInput(f"The validation rows must be a fraction from 0.01 to 0.5; {self.validation:g} was given.")
        if self.split == "validation" and self.validation + self.holdout > 0.9:
            raise BadInput(
                f"Holdout ({self.holdout:g}) and validation ({self.validation:g}) leave too few training rows."
            )
        if self.time_limit <= 0:
            raise BadInput(f"The time limit must be more than 0 seconds; {self.time_limit:g} was given.")
        return self

    def races(self, rows: int) -> bool:
        """Whether candidates race on this many rows: below, a race saves little and hides scores."""
        return rows >= RACE_FROM if self.race is None else self.race

    def metric_for(self, task: Task) -> Metric:
        """The metric for ranking. Raises BadChoice."""
        if self.split != "leave_one_out":
            return metric(self.metric, task)
        row = metric(ALONE[task] if self.metric == "auto" else self.metric, task)
        if not row.by_row:
            allowed = [m.name for m in for_task(task) if m.by_row]
            raise BadChoice.of("metric of leave-one-out, which tests on one row at a time,", row.name, allowed)
        return row

    def kind(self, task: Task) -> Kind:
        """The kind of split, `auto` resolved: by group or time when a column has that role."""
        if self.split != "auto":
            return self.split
        if self.group is not None:
            return "group"
        if self.time is not None:
            return "time"
        return "random" if task == "regression" else "stratified"

    def with_roles(self, schema: Schema) -> Protocol:
        """Take group and time columns that are not named from the roles. Raises NoSuchColumn."""
        group = self.group or next(iter(schema.in_role("group")), None)
        time = self.time or next(iter(schema.in_role("time")), None)
        for name in (group, time):
            if name is not None:
                schema[name]
        if self.split == "group" and group is None:
            raise BadInput("A split by group needs a column that says which rows belong together. Choose one.")
        if time is not None and self.kind("binary") == "time" and schema[time].dtype in ("text", "boolean"):
            raise BadInput(f"{time!r} is {schema[time].dtype}, which has no order in time. Choose dates or numbers.")
        if self.split == "time" and time is None:
            raise BadInput("A split by time needs a column with the time of each row. Choose one.")
        return replace(self, group=group, time=time)

    def shape(self, task: Task, rows: int) -> tuple[int, int]:
        """The approximate numbers of folds and repeats for a number of rows with a known target."""
        kind, training = self.kind(task), rows - round(self.holdout * rows)
        if kind in SINGLE:
            return (training if kind == "leave_one_out" else 1), 1
        return self.folds, 1 if kind == "time" else self.repeats or repeats_for(training)

    def words(self, task: Task, rows: int) -> str:
        """The protocol in one line."""
        kind = self.kind(task)
        folds, repeats = self.shape(task, rows)
        holdout = f"{100 * self.holdout:g} % holdout" if self.holdout else "no holdout"
        if kind == "leave_one_out":
            return f"leave-one-out, {folds:,} folds · {holdout}"
        if kind == "validation":
            train = 1 - self.holdout - self.validation
            return f"{100 * train:g} % train, {100 * self.validation:g} % validation, one split · {holdout}"
        titles = {
            "random": "random",
            "stratified": "stratified",
            "group": f"by {self.group}",
            "time": f"in order of {self.time}",
        }
        times = "" if repeats == 1 else f" × {repeats}"
        return f"{folds} folds{times}, {titles[kind]} · {holdout}"


def repeats_for(rows: int) -> int:
    """Repeats by number of rows: at 300 rows a second one raises the power to detect a real effect from .60 to .97."""
    return 3 if rows < 500 else 2 if rows <= 5000 else 1
