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
    """One click that resolves an alert: a role, a kind, a step's option, a metric, rows kept once, or the split."""

    title: str
    action: Literal["role", "kind", "step", "metric", "rows", "split"]
    column: str | None
    value: Any  # the role, the kind, {step: {option: value}}, the metric, the kind of split


@dataclass(frozen=True)
class Alert:
    """Something to look at before the first fit."""

    code: str
    severity: Severity
    column: str | None
    text: str
    fix: Fix | None = None
    help: Help | None = None  # the card of its check, added by the registry that ran it

    def to_json(self) -> dict[str, Any]:
        """Plain data, without the card."""
        data = asdict(self)
        del data["help"]
        return data


def by_severity(alerts: list[Alert]) -> list[Alert]:
    """Alerts with the most severe first, otherwise in the order given."""
    return sorted(alerts, key=lambda a: SEVERITIES.index(a.severity))
