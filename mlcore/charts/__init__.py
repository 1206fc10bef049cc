"""Results to plotly figures: the only place that uses plotly, and it takes result types only.

Each module registers how the results of one folder are drawn, on `mlcore.result.draw`; `style` is what they share, and
`figure_file` writes any of them as PNG, SVG or PDF. Importing this package imports the five that draw.
"""

from __future__ import annotations

from mlcore.charts import comparing, evaluating, explaining, exploring, preparing

__all__ = ["comparing", "evaluating", "explaining", "exploring", "preparing"]
