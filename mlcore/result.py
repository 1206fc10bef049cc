"""What every analysis returns: one finding as a table, a sentence and a figure; and alerts, each with its fix."""

from __future__ import annotations

import importlib
from dataclasses import asdict, dataclass
from functools import singledispatch
from typing import Any, ClassVar, Literal

import numpy.typing as npt
import pandas as pd

from mlcore.errors import NotApplicable

Array = npt.NDArray[Any]
DRAWINGS = "mlcore.charts"  # imported by name, when the first figure is wanted: only it knows plotly


@dataclass(frozen=True)
class Help:
    """A help card; the same four parts everywhere."""

    what: str
    read: str
    misleads: str
    do: str


class Result:
    """The base of everything that an analysis returns: a frozen dataclass with a table, a sentence and a figure."""

    help: ClassVar[Help]
    picture: ClassVar[bool] = True  # whether there is a figure; False where a table says it all

    def frame(self) -> pd.DataFrame:
        """Return the numbers behind the figure, one row per mark."""
        raise NotImplementedError

    def sentence(self) -> str:
        """Return the finding in words, with numbers."""
        raise NotImplementedError

    def figure(self) -> Any:
        """Return the plotly figure. Raises NotApplicable where there is nothing to draw."""
        importlib.import_module(DRAWINGS)
        return draw(self)

    def file(self, kind: Literal["png", "svg", "pdf"], caption: bool = True) -> bytes:
        """Return the figure as a file for print, with its sentence as the caption. Raises BadChoice, NotApplicable."""
        content: bytes = importlib.import_module(f"{DRAWINGS}.figure_file").figure_file(self, kind, caption)
        return content


@singledispatch
def draw(result: object) -> Any:
    """Draw a result; the modules of `mlcore.charts` register themselves here. Raises NotApplicable."""
    raise NotApplicable(f"A {type(result).__name__} has no figure. Its frame() holds the numbers.")


Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")


@dataclass(frozen=True)
class Fix:
    """One click that resolves an alert. Its title says what it changes: one column, or all of some kind."""

    title: str
    action: Literal["role", "kind", "step", "metric", "rows", "split", "missing", "read", "each"]
    column: str | None
    # The role, [kind, format], {step: {option: value}}, the metric, which rows, the kind of split, the texts that mean
    # missing, {reading option: value}, or the fixes of several columns.
    value: Any

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fix:
        """Rebuild from plain data, as a run stores it."""
        value = [cls.from_json(v) for v in data["value"]] if data["action"] == "each" else data["value"]
        return cls(data["title"], data["action"], data["column"], tuple(value) if data["action"] == "each" else value)


@dataclass(frozen=True)
class Alert:
    """Something to look at before the first fit: one finding, however many columns share it."""

    code: str
    severity: Severity
    column: str | None
    text: str
    fix: Fix | None = None
    help: Help | None = None  # the card of its check, added by the registry that ran it
    size: float | None = None  # of the finding, such as the fraction of missing values
    parts: tuple[Alert, ...] = ()  # the alerts of each column, where several share the finding
    explains: tuple[str, ...] = ()  # other columns that look suspicious only because of this finding

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that share the finding."""
        return tuple(p.column for p in self.parts if p.column) or ((self.column,) if self.column else ())

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the card."""
        data = asdict(self)
        del data["help"], data["parts"], data["size"], data["explains"]
        return {**data, "columns": list(self.columns), "details": [p.text for p in self.parts]}


# Findings that make scores misleading, so they are shown again where models are compared.
MISLEADING = (
    "target_leakage", "target_formula", "target_determined", "same_measure", "groups", "time_order", "duplicates",
    "near_duplicates", "too_good", "label_spellings", "total_row",
)  # fmt: skip


def by_severity(alerts: list[Alert]) -> list[Alert]:
    """Alerts with the most severe first, otherwise in the order given."""
    return sorted(alerts, key=lambda a: SEVERITIES.index(a.severity))
