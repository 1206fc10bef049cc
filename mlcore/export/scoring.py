"""New rows: what of a file does not match the training rows, and the predictions of a model for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.cast import CASTS
from mlcore.data.dataset import Column, Dataset, Schema
from mlcore.errors import BadInput, NotApplicable
from mlcore.evaluate.quantities import prediction_intervals
from mlcore.export.tables import safe
from mlcore.result import Array, Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.validation.metrics import Task
from mlcore.wording import number, several, share

BATCH = 50_000  # rows that are predicted at a time
KEPT = 1_000  # rows of the result that are kept in memory, those that rank highest
LEVEL = 0.9  # of the interval around a predicted number


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One way in which a file does not match the training rows, and what is done about it."""

    column: str
    what: str
    done: str

    def sentence(self) -> str:
        """Both in one sentence."""
        return f"{self.column}: {self.what} {self.done}"


@dataclass(frozen=True, kw_only=True)
class Scored(Result):
    """The predictions for a file: the rows that rank highest, how many of each class, and what did not match."""

    title: str
    target: str
    task: Task
    n: int
    top: pd.DataFrame  # up to 1,000 rows: `row`, `prediction`, and probabilities or the interval
    counts: tuple[tuple[str, int], ...]  # of each predicted class
    mean: float | None  # of a predicted number
    differences: tuple[Difference, ...]

    help: ClassVar[Help] = Help(
        "The model, fitted on all training rows, predicts each row of the file. Rows are listed by the probability of "
        "the positive class, or by the predicted number, the highest first.",
        "Row is the position in the file, from 0. For a number, 90 % of true values lie within the interval.",
        "The model knows the training rows only: if new rows differ, its scores on the leaderboard do not hold.",
        "Read first what does not match. Then act on the top of the list, as far as you can.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """The rows that rank highest."""
        return self.top

    def sentence(self) -> str:
        """How many rows, what is predicted, and how much does not match."""
        if self.task == "regression":
            what = f"{self.target} is {number(self.mean)} on average"
        else:
            what = several([f"{share(count, self.n)} {label}" for label, count in self.counts], 4)
        matching = "All columns match the training rows." if not self.differences else (
            f"{len(self.differences)} things do not match the training rows."
        )  # fmt: skip
        return f"{self.title} predicts {self.n:,} rows: {what}. {matching}"

    def to_json(self) -> dict[str, Any]:
        """The contract of `holdout predict --json`."""
        plain = self.top.astype(object).where(self.top.notna(), None)
        return {
            "model": self.title, "target": self.target, "rows": self.n,
            "differences": [vars(d) for d in self.differences], "predictions": plain.to_dict("records"),
        }  # fmt: skip


def differences(run: RunFolder, data: Dataset) -> tuple[Difference, ...]:
    """What of a file does not match the features of a run. Raises BadInput if it has none of them."""
    training, trained = run.experiment.schema.features(), run.dataset
    present = [c for c in training if c.name in data.schema]
    if not present:
        raise BadInput(
            f"The file has none of the columns that the model uses: {several(training.names, 6)}. Its columns are "
            f"{several(data.schema.names, 6)}."
        )
    out = [
        Difference(column=c.name, what="is missing from the file.", done="It is taken as missing in every row.")
        for c in training
        if c.name not in data.schema
    ]
    extra = [n for n in data.schema.names if n not in run.experiment.schema]
    if extra:
        out.append(Difference(column=several(extra, 6), what="not in the training file.", done="Left out."))
    for column in present:
        out += _of_column(column, trained.column(column.name), data.column(column.name))
    return tuple(out)


def _of_column(column: Column, known: pd.Series, new: pd.Series) -> Iterator[Difference]:
    cast = CASTS[column.kind]
    old, fresh = cast(known, column.parse), cast(new, column.parse)
    lost = int((fresh.isna() & new.notna()).sum())
    if lost:
        kinds = {"numeric": "no number", "boolean": "neither yes nor no", "datetime": "no date"}
        yield Difference(
            column=column.name, what=f"{share(lost, len(new))} values are {kinds.get(column.kind, 'not readable')}.",
            done="They are taken as missing.",
        )  # fmt: skip
    if fresh.isna().any() and not old.isna().any() and not lost:
        yield Difference(
            column=column.name,
            what=f"{share(int(fresh.isna().sum()), len(new))} values are missing, in training none.",
            done="They are filled as the recipe says.",
        )  # fmt: skip
    if column.kind in ("numeric", "datetime") and old.notna().any():
        outside = int(((fresh < old.min()) | (fresh > old.max())).sum())
        if outside:
            ends = " to ".join(
                str(v.date()) if hasattr(v, "date") else number(float(v)) for v in (old.min(), old.max())
            )
            yield Difference(
                column=column.name, what=f"{share(outside, len(new))} values lie outside the training range ({ends}).",
                done="The model extrapolates.",
            )  # fmt: skip
    if column.kind in ("categorical", "boolean"):
        levels = set(old.dropna())
        unseen = fresh[fresh.notna() & ~fresh.isin(levels)]
        if len(unseen):
            yield Difference(
                column=column.name,
                what=f"{share(len(unseen), len(new))} values are categories that training never had: "
                f"{several(sorted(map(str, unseen.unique())), 4)}.",
                done="They count as none of the known ones.",
            )


def score(run: RunFolder, model: str, data: Dataset, out: Path | None = None) -> Scored:
    """Predict the rows of a file with a fitted model; write all predictions to a CSV or Parquet file.

    Rows are read and predicted in batches, so memory does not grow with the file. Raises BadInput, NotFound.
    """
    unlike = differences(run, data)
    pipeline, experiment = run.model(model), run.experiment
    half = None
    if experiment.recipe.task == "regression":
        half = _half(run, model)
    writer = _Writer(out)
    counts: dict[str, int] = {}
    total, n = 0.0, 0
    best = pd.DataFrame()
    for start, frame in _batches(data, experiment.schema.features()):
        part = _predicted(pipeline, frame, half, start)
        writer.write(part)
        n += len(part)
        if experiment.recipe.task == "regression":
            total += float(part["prediction"].sum())
        else:
            for label, count in part["prediction"].astype(str).value_counts().items():
                counts[str(label)] = counts.get(str(label), 0) + int(count)
        order = next((c for c in part.columns if c.startswith("p_")), "prediction")
        key = f"p_{experiment.recipe.positive}" if f"p_{experiment.recipe.positive}" in part else order
        best = pd.concat([best, part]).sort_values(key, ascending=False, kind="stable").head(KEPT)
    writer.close()
    return Scored(
        title=experiment.candidate(model).label, target=experiment.recipe.target, task=experiment.recipe.task, n=n,
        top=best.reset_index(drop=True), counts=tuple(sorted(counts.items(), key=lambda c: -c[1])),
        mean=total / n if n and not counts else None, differences=unlike,
    )  # fmt: skip


def _half(run: RunFolder, model: str) -> float | None:
    try:
        return prediction_intervals(run, model, LEVEL).half
    except NotApplicable:
        return None


def _batches(data: Dataset, schema: Schema) -> Iterator[tuple[int, pd.DataFrame]]:
    """The columns of the model for a batch of rows; a missing column is missing in every row."""
    import pyarrow.parquet as pq

    names = [n for n in schema.names if n in data.schema]
    start = 0
    for batch in pq.ParquetFile(data.path).iter_batches(BATCH, columns=names):
        frame = batch.to_pandas()
        for name in schema.names:
            if name not in frame:
                frame[name] = pd.Series([None] * len(frame), dtype=object)
        yield start, frame[schema.names]
        start += len(frame)


def _predicted(pipeline: Any, frame: pd.DataFrame, half: float | None, start: int) -> pd.DataFrame:
    rows: Array = np.arange(start, start + len(frame))
    out = pd.DataFrame({"row": rows, "prediction": pipeline.predict(frame)})
    if hasattr(pipeline, "predict_proba"):
        p = np.asarray(pipeline.predict_proba(frame))
        for place, label in enumerate(map(str, pipeline.classes_)):
            out[f"p_{label}"] = p[:, place]
    elif half is not None:
        out["low"], out["high"] = out["prediction"] - half, out["prediction"] + half
    return out


class _Writer:
    """A CSV or Parquet file that grows batch by batch; it replaces an older one only when it is whole."""

    def __init__(self, path: Path | None) -> None:
        if path is not None and path.suffix.lower() not in (".csv", ".parquet"):
            raise BadInput(f"{path.name}: predictions are written as .csv or .parquet.")
        self.path, self._part = path, path and path.with_name(path.name + ".part")
        self._parquet: Any = None
        self._begun = False

    def write(self, frame: pd.DataFrame) -> None:
        """Append a batch."""
        if self.path is None or self._part is None:
            return
        if self.path.suffix.lower() == ".csv":
            safe(frame).to_csv(self._part, mode="a" if self._begun else "w", header=not self._begun, index=False,
                               encoding="utf-8")  # fmt: skip
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            table = pa.Table.from_pandas(frame, preserve_index=False)
            if self._parquet is None:
                self._parquet = pq.ParquetWriter(self._part, table.schema)
            self._parquet.write_table(table)
        self._begun = True

    def close(self) -> None:
        """Finish the file."""
        if self._parquet is not None:
            self._parquet.close()
        if self.path is not None and self._part is not None and self._part.exists():
            self._part.replace(self.path)
