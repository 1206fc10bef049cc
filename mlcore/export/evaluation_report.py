"""An evaluation as one HTML file: no scripts, no requests, light and dark mode, all text from the data escaped."""

from __future__ import annotations

import base64
from html import escape

import pandas as pd

from mlcore.errors import NotApplicable
from mlcore.evaluate.evaluation import Evaluation
from mlcore.export.profile_report import page
from mlcore.result import Result
from mlcore.wording import value_text

MOST_ROWS = 30
TITLES = {
    "confusion": "Confusion matrix", "roc": "ROC curve", "precision_recall": "Precision–recall curve",
    "threshold": "Threshold", "profit": "Costs and benefits", "calibration": "Calibration",
    "predicted": "Predicted and actual values", "residuals": "Residuals", "intervals": "Prediction intervals",
    "slices": "Where it fails", "label_doubts": "Labels in doubt",
}  # fmt: skip


def evaluation_html(evaluation: Evaluation) -> str:
    """The report of an evaluation: one HTML page that makes no request to any other address.

    >>> evaluation_html(mlcore.open_run("no-such-run").evaluate())
    Traceback (most recent call last):
    mlcore.errors.NotFound: There is no run 'no-such-run'. `holdout runs` lists them.
    """
    head = f"<h1>{escape(evaluation.title)}</h1><p>{escape(evaluation.sentence())}</p>"
    return page(f"{evaluation.title}: evaluation", head + evaluation_sections(evaluation))


def evaluation_sections(evaluation: Evaluation) -> str:
    """The scores and each picture with its sentence, as HTML."""
    parts = ["<h2>Scores</h2>", _table(evaluation.frame().drop(columns="metric"))]
    for name, title in TITLES.items():
        result = getattr(evaluation, name)
        if result is not None:
            parts += [f"<h2>{escape(title)}</h2>", _picture(result), f"<p>{escape(result.sentence())}</p>"]
            if not result.picture:
                parts.append(_table(result.frame()))
    return "".join(parts)


def _picture(result: Result) -> str:
    """The figure as an image inside the page."""
    if not result.picture:
        return ""
    try:
        image = base64.b64encode(result.file("svg", caption=False)).decode()
    except NotApplicable:
        return ""
    return f'<img alt="{escape(result.sentence())}" src="data:image/svg+xml;base64,{image}">'


def _table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(c))}</th>" for c in frame.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape('' if pd.isna(v) else value_text(v))}</td>" for v in row) + "</tr>"
        for row in frame.head(MOST_ROWS).itertuples(index=False)
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'
