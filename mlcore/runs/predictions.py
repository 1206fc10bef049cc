"""Predictions on disk: by fold while a run is under way, out-of-fold once a candidate is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlcore.runs.context import Context
from mlcore.validation.predictions import Predictions
from mlcore.validation.splitter import codes_of


def write_fold(path: Path, predictions: Predictions) -> None:
    """Write predictions of one fold, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Any] = {
        "prediction": predictions.prediction,
        "probabilities": predictions.probabilities,
        "decision": predictions.decision,
    }
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, **{name: value for name, value in parts.items() if value is not None})
    path.with_suffix(".part").replace(path)


def read_fold(run: Context, model: str, key: str) -> Predictions:
    """A candidate's predictions of a fold, with their truth."""
    path = run.paths.fold(model, key)
    if not path.exists():  # taken over from another run
        return read_predictions(run, model)[key]
    truth = run.y[run.fold(key).test]
    with np.load(path) as parts:
        return Predictions(
            truth,
            parts["prediction"],
            len(run.target.classes),
            parts.get("probabilities"),
            parts.get("decision"),
            run.weights_of(run.fold(key).test),
        )


def read_predictions(run: Context, model: str) -> dict[str, Predictions]:
    """The stored out-of-fold predictions of a model, by fold."""
    frame = pd.read_parquet(run.paths.predictions(model))
    by_fold, classes = {}, run.target.classes
    for (repeat, fold), part in frame.groupby(["repeat", "fold"], sort=False):
        key = f"{repeat}-{fold}"
        probabilities = part[[c for c in part.columns if c.startswith("p_")]].to_numpy()
        prediction = part["prediction"].to_numpy()
        by_fold[key] = Predictions(
            run.y[run.fold(key).test],
            codes_of(prediction, classes) if len(classes) else prediction,
            len(classes),
            probabilities if probabilities.shape[1] else None,
            weights=run.weights_of(run.fold(key).test),
        )
    return by_fold


def out_of_fold(run: Context, by_fold: dict[str, Predictions]) -> pd.DataFrame:
    """The out-of-fold predictions of one candidate: one row per tested row and repeat."""
    parts = []
    classes = run.target.classes
    for fold in run.plan.folds:
        predictions = by_fold[fold.key]
        part: dict[str, Any] = {"row": run.plan.train[fold.test], "repeat": fold.repeat, "fold": fold.fold}
        if len(classes):
            part |= {"truth": classes[predictions.truth], "prediction": classes[predictions.prediction]}
        else:
            part |= {"truth": predictions.truth, "prediction": predictions.prediction}
        if predictions.probabilities is not None:
            part |= {f"p_{c}": predictions.probabilities[:, i] for i, c in enumerate(classes)}
        if predictions.decision is not None:
            part["decision"] = predictions.decision
        parts.append(pd.DataFrame(part))
    # Columns that one fold lacks are dropped: they would not be comparable across folds.
    return pd.concat(parts, ignore_index=True, join="inner")
