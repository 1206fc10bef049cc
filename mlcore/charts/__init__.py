"""Results to plotly figures. The only place that knows plotly; it takes result types and nothing else.

`figure` is a single-dispatch function: each module here registers how it draws the results of one room.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from mlcore.errors import NotApplicable


@singledispatch
def draw(result: object) -> Any:
    """Draw a result. Raises NotApplicable for one that has no picture."""
    raise NotApplicable(f"There is no picture of a {type(result).__name__}.")


def figure(result: object) -> Any:
    """Return the plotly figure of a result; the modules that draw are imported when the first one is wanted."""
    from mlcore.charts import comparing, evaluating, explaining, exploring  # noqa: F401 - they register themselves

    return draw(result)
