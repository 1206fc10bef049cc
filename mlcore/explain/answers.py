"""Asking a fitted model: the output that is explained, for rows in the columns of the file."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mlcore.errors import BadChoice
from mlcore.result import Array
from mlcore.runs.folder import RunFolder


class Answers:
    """A fitted Pipeline, and which of its outputs is explained."""

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    @cached_property
    def output(self) -> str:
        """The output of the model that is explained."""
        if hasattr(self.pipeline, "predict_proba"):
            return "probability"
        return "decision score" if hasattr(self.pipeline, "decision_function") else "value"

    def ask(self, frame: pd.DataFrame) -> Array:
        """(n, outputs): probabilities, decision scores or values."""
        name = {"probability": "predict_proba", "decision score": "decision_function", "value": "predict"}[self.output]
        outputs = np.asarray(getattr(self.pipeline, name)(frame), float)
        if self.output == "decision score" and outputs.ndim == 1:  # of two classes: for the second, against the first
            return np.column_stack([-outputs, outputs])
        return outputs[:, None] if outputs.ndim == 1 else outputs

    def index_of(self, outputs: Array, label: str | None) -> int:
        """The place of a class among the (outputs,) of a row; the predicted one by default. Raises BadChoice."""
        if self.output == "value" or len(outputs) == 1:
            return 0
        classes = [str(c) for c in self.pipeline.classes_]
        if label is None:
            return int(np.argmax(outputs))
        if label not in classes:
            raise BadChoice.of("class", label, classes)
        return classes.index(label)

    def label_of(self, index: int) -> str | None:
        """The class at a place; None for a number."""
        return None if self.output == "value" else str(self.pipeline.classes_[index])


def training_rows(run: RunFolder, model: str) -> Array:
    """Positions in the file of the rows that a model was tested on out of fold; never rows of the holdout."""
    if model in run.predicted():
        return np.sort(run.predictions(model)["row"].drop_duplicates().to_numpy())
    return np.setdiff1d(np.arange(run.dataset.rows), run.plan()["holdout"])
