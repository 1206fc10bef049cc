"""Our own transformers. They import scikit-learn, so they are imported late."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, clone

from mlcore.data.cast import CASTS
from mlcore.data.dataset import Column, Kind, Schema, schema_from_json, unique_names
from mlcore.errors import NoSuchColumn
from mlcore.features.encode import Closing, encoder
from mlcore.features.steps import step_from_json
from mlcore.features.steps.base import READY, Made, Step, Training
from mlcore.models.catalogue import Family
from mlcore.result import Array
from mlcore.validation.metrics import Task


class RowByRow(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The base of transformers that need no fitting, so they are always ready."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Do nothing."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Conform(RowByRow):
    """Pick the feature columns by name and cast each to its kind. Row by row: nothing is fitted.

    Repeated names are made unique as in a file that is read; a missing column raises NoSuchColumn.
    """

    def __init__(self, names: tuple[str, ...] = (), kinds: tuple[str, ...] = (), parses: tuple[str, ...] = ()) -> None:
        self.names = names
        self.kinds = kinds
        self.parses = parses

    @classmethod
    def of(cls, schema: Schema) -> Conform:
        """Build it for the feature columns of a schema."""
        features = schema.features()
        return cls(*(tuple(getattr(c, attribute) for c in features) for attribute in ("name", "kind", "parse")))

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the feature columns."""
        return np.array(self.names, object)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return (n, p) with float64, object and datetime columns only."""
        available, _ = unique_names(list(X.columns))
        positions = {name: i for i, name in enumerate(available)}
        for name in self.names:
            if name not in positions:
                raise NoSuchColumn.named(name, available)
        return pd.DataFrame(
            {
                name: CASTS[kind](X.iloc[:, positions[name]], parse)
                for name, kind, parse in zip(self.names, self.kinds, self.parses, strict=True)
            },
            index=X.index,
            copy=False,
        )


class StepSequence(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The steps of a recipe in their order, from a frame that `Conform` made to a frame that the encoder takes.

    `steps` and `schema` are plain data. Each step learns from the training rows that the steps before it left, and
    `auto` is resolved to the columns that are there then. Steps that change training rows do nothing in `transform`.
    """

    def __init__(self, steps: Any = (), schema: Any = (), task: str = "binary", seed: int = 0) -> None:
        self.steps = steps
        self.schema = schema
        self.task = task
        self.seed = seed

    @classmethod
    def of(cls, steps: Sequence[Step], schema: Schema, task: Task, seed: int = 0) -> StepSequence:
        """Build it for steps and the schema of the features before them."""
        return cls([s.to_json() for s in steps], [asdict(c) for c in schema.features()], task, seed)

    def fit(self, X: pd.DataFrame, y: Any = None) -> StepSequence:
        """Learn from (n, p) training rows and their (n,) targets."""
        self.fit_rows(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **fit_params: Any) -> pd.DataFrame:
        """Learn, and return the training rows; all of them, because a Pipeline cannot drop rows."""
        frame, positions = self.fit_rows(X, y)
        return frame if np.array_equal(positions, np.arange(len(X))) else self.transform(X)

    def fit_rows(self, X: pd.DataFrame, y: Any) -> tuple[pd.DataFrame, Array]:
        """Learn; return the rows that models are trained on, and their positions among the training rows.

        Raises BadInput for a step that the data do not allow.
        """
        frame, positions, y = X, np.arange(len(X)), np.asarray(y)
        schema = schema_from_json({"columns": list(self.schema)})
        self.fitted_: list[dict[str, Any]] = []
        for data in self.steps:
            step = step_from_json(data)
            names = step.chosen(schema)
            training = Training(
                frame=frame[names], schema=schema, y=y[positions], task=cast(Task, self.task), seed=self.seed
            )
            if step.works == "changes training rows only":
                kept = step.kept_rows(training)
                frame, positions = (frame, positions) if kept is None else (frame.iloc[kept], positions[kept])
            elif names:
                with warnings.catch_warnings():  # of columns without values or without variance
                    warnings.simplefilter("ignore")
                    learned = step.learn(training)
                    made = step.make_training(training, learned)
                replaced = names if step.replaces else []
                new = _unique(made, replaced, schema)
                self.fitted_.append(
                    {"step": data, "columns": names, "replaced": replaced, "learned": learned, "names": new}
                )
                frame = _placed(frame, self.fitted_[-1], made)
                schema = _schema_after(frame, schema, step, {new[n]: _is_boolean(v) for n, v in made.items()})
        self.schema_ = [asdict(c) for c in schema]
        return frame, positions

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The rows with the columns that the steps make."""
        frame = X
        for fitted in self.fitted_:
            made = step_from_json(fitted["step"]).make(frame[fitted["columns"]], fitted["learned"])
            frame = _placed(frame, fitted, made)
        return frame

    def schema_after(self) -> Schema:
        """The columns after the last step, once fitted."""
        return schema_from_json({"columns": list(self.schema_)})

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the columns after the last step."""
        return np.array([c["name"] for c in self.schema_], object)


def _unique(made: Made, replaced: list[str], schema: Schema) -> dict[str, str]:
    """New names for the columns of a step, different from all that stay."""
    staying = [n for n in schema.names if n not in replaced]
    return dict(zip(made, unique_names([*staying, *made])[0][len(staying) :], strict=True))


def _placed(frame: pd.DataFrame, fitted: dict[str, Any], made: Made) -> pd.DataFrame:
    """The frame with the new columns, in the place of those that they replace, otherwise at the end."""
    fresh = {fitted["names"][n]: _column(v, frame.index) for n, v in made.items()}
    out: dict[Any, Any] = {}
    for name in frame.columns:
        if name in fitted["replaced"]:
            out |= fresh
            fresh = {}
        else:
            out[name] = frame[name]
    return pd.DataFrame({**out, **fresh}, index=frame.index, copy=False)


def _column(values: Any, index: pd.Index) -> pd.Series:
    """A made column as float64 or object."""
    column = pd.Series(values.to_numpy() if isinstance(values, pd.Series) else values, index=index)
    return column.astype(float) if column.dtype.kind in "fbiu" else column.astype(object)


def _is_boolean(values: Any) -> bool:
    return bool(values.dtype.kind == "b")


def _schema_after(frame: pd.DataFrame, before: Schema, step: Step, made: dict[str, bool]) -> Schema:
    """The columns of the frame; made ones, by whether they are boolean, are described by the training rows."""
    known = {c.name: c for c in before}
    was_boolean = {n for n, c in known.items() if c.kind == "boolean"}  # a filled boolean column still is one
    return Schema(
        tuple(
            _described(frame[n], step, made[n] or n in was_boolean) if n in made else known[n]
            for n in map(str, frame.columns)
        )
    )


def _described(values: pd.Series, step: Step, boolean: bool) -> Column:
    kind: Kind = "categorical" if values.dtype.kind != "f" else "boolean" if boolean else "numeric"
    dtype = "text" if kind == "categorical" else READY if step.is_ready else "float"
    distinct = int(values.nunique()) if kind == "categorical" else -1  # of numbers nobody asks
    return Column(str(values.name), kind, "feature", dtype, int(values.isna().sum()), distinct)


class Features(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The steps of a recipe and the encoder of a model family: from the columns of a file to (n, features).

    `sequence` is the unfitted `StepSequence`, `closing` the plain data of the steps that act at the end.
    """

    def __init__(self, sequence: Any = None, closing: Any = None, family: str = "linear") -> None:
        self.sequence = sequence
        self.closing = closing
        self.family = family

    @classmethod
    def of(cls, sequences: list[StepSequence], fitted: Any) -> Features:
        """Join parts that are fitted already."""
        joined = cls()
        joined.sequences_, joined.encoder_ = sequences, fitted
        return joined

    def fit(self, X: pd.DataFrame, y: Any = None) -> Features:
        """Fit the steps, then the encoder on what they leave."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Any = None, **fit_params: Any) -> Any:
        """Fit, and return the features of the training rows."""
        sequence = clone(self.sequence)
        frame, rows = sequence.fit_rows(X, y)
        self.sequences_ = [sequence]
        closing = Closing.from_json(self.closing)
        self.encoder_ = encoder(sequence.schema_after(), closing, cast(Family, self.family), sequence.task)
        values = self.encoder_.fit_transform(frame, np.asarray(y)[rows])
        return values if np.array_equal(rows, np.arange(len(X))) else self.transform(X)

    def transform(self, X: pd.DataFrame) -> Any:
        """The features of rows."""
        for sequence in self.sequences_:
            X = sequence.transform(X)
        return self.encoder_.transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """The names of the features, made unique: a category can give the name of another column."""
        parts = [(part, columns) for _, part, columns in self.encoder_.transformers_ if len(columns) and part != "drop"]
        names = [n for part, columns in parts for n in part.get_feature_names_out(columns)]
        return np.array(unique_names(names)[0], object)
