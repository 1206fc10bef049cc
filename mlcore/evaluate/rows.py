"""Single rows: those that are predicted worst, and those whose label a confident model contradicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import NotApplicable
from mlcore.evaluate.out_of_fold import OutOfFold
from mlcore.evaluate.slices import losses
from mlcore.result import Array, Help, Result
from mlcore.wording import number, percent, share

MOST_ROWS = 200
UNUSUAL = 3  # columns in which a row stands out


@dataclass(frozen=True, kw_only=True)
class Errors(Result):
    """The rows that are predicted worst, the worst first, with the columns in which they stand out."""

    title: str
    target: str
    n: int
    wrong: int  # rows with an error: of classes, predicted as another one
    rows: pd.DataFrame

    help: ClassVar[Help] = Help(
        "Rows that were predicted out of fold, sorted by how far the prediction was off.",
        "Row is the position in the file. 'Stands out' names the columns in which the row is unusual.",
        "The worst rows are often errors in the data, and always partly chance: a model cannot know what columns do "
        "not say.",
        "Look for what they have in common. Correct labels that are wrong; do not delete rows because they are hard.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per row of the file."""
        return self.rows

    def sentence(self) -> str:
        """How many rows are wrong, and the worst one."""
        if self.rows.empty:
            return f"{self.title} has no errors on these rows."
        worst = self.rows.iloc[0]
        first = f"The worst is row {worst['row']:,}: {worst['predicted']} was predicted, {worst['truth']} is true."
        if "probability of truth" in self.rows or self.wrong < self.n:
            return f"{self.title}: {share(self.wrong, self.n)} are predicted wrong. {first}"
        return f"{self.title}, {self.n:,} rows. {first}"


def errors(model: OutOfFold, columns: pd.DataFrame) -> Errors:
    """The worst rows of a model; `columns` are the (n, features) of the same rows."""
    p = model.predictions
    if model.classes:
        wrong = np.flatnonzero(p.prediction != p.truth)
        worst = wrong[np.argsort(-losses(model)[wrong], kind="stable")][:MOST_ROWS]
        labels = np.array(model.classes, object)
        parts: dict[str, Any] = {
            "predicted": labels[p.prediction[worst].astype(int)],
            "truth": labels[p.truth[worst].astype(int)],
        }
        if p.probabilities is not None:
            parts["probability of truth"] = p.probabilities[worst, p.truth[worst].astype(int)]
        count = len(wrong)
    else:
        worst = np.argsort(-np.abs(p.prediction - p.truth), kind="stable")[:MOST_ROWS]
        parts = {"predicted": p.prediction[worst], "truth": p.truth[worst], "error": (p.prediction - p.truth)[worst]}
        count = model.n
    shown = columns.iloc[worst].reset_index(drop=True)
    shown.columns = [f"{c} " if c in ("row", "predicted", "truth", "error") else str(c) for c in shown.columns]
    table = pd.DataFrame({"row": model.rows[worst], **parts, "stands out": standing_out(columns, worst)})
    return Errors(
        title=model.title, target=model.target, n=model.n, wrong=count, rows=pd.concat([table, shown], axis=1)
    )


def standing_out(columns: pd.DataFrame, rows: Array) -> list[str]:
    """In words, the columns in which rows are most unusual: far from the median, or of a rare category."""
    scores, words = [], []
    for name in columns:
        column = columns[name]
        part = column.iloc[rows]
        if column.dtype.kind in "fi" and column.nunique() > 2:
            middle = column.median()
            spread = float(column.quantile(0.75) - column.quantile(0.25)) or float(column.std()) or 1.0
            scores.append(((part - middle).abs() / spread).fillna(0.0).to_numpy(float))
            words.append([f"{name} {number(float(v))}" if pd.notna(v) else "" for v in part])
        elif column.dtype.kind not in "Mfib":
            often = column.map(column.value_counts(normalize=True)).fillna(1.0).iloc[rows].to_numpy(float)
            scores.append(
                np.where(often < 0.02, 3.0, 0.0) if column.nunique() < len(column) / 2 else np.zeros(len(rows))
            )
            words.append([f"{name} {v}" for v in part.astype(str)])
    if not scores:
        return [""] * len(rows)
    table = np.column_stack(scores)
    best = np.argsort(-table, axis=1)[:, :UNUSUAL]
    return ["; ".join(words[j][i] for j in best[i] if table[i, j] > 2) for i in range(len(rows))]


@dataclass(frozen=True, kw_only=True)
class LabelDoubts(Result):
    """Rows whose label a confident model contradicts, the strongest doubt first (confident learning).

    A row is doubted where another class has at least the mean probability that this class has among its own rows, and
    more than the given label (Northcutt, Jiang and Chuang, JAIR 70, 2021).
    """

    title: str
    n: int
    rows: pd.DataFrame

    help: ClassVar[Help] = Help(
        "A model that never saw the row is confident of another class than the label says.",
        "Probability is that of the suggested class. The first rows are the strongest doubts.",
        "The model may be wrong and the label right: this is a list to look at, not a list to correct. A weak model "
        "doubts at random.",
        "Look at the first ones. If a label is wrong, correct it in the file and open it again.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per doubt: row, given, suggested, probability."""
        return self.rows

    def sentence(self) -> str:
        """How many labels are doubted."""
        if self.rows.empty:
            return f"{self.title} contradicts no label with confidence."
        first = self.rows.iloc[0]
        return (
            f"{self.title} contradicts the label of {share(len(self.rows), self.n)} rows with confidence. The "
            f"strongest doubt: row {first['row']:,} says {first['given']}, the model says {first['suggested']} with "
            f"{percent(first['probability'])}."
        )

    def to_json(self) -> list[dict[str, Any]]:
        """The contract of `holdout evaluate --json`."""
        kinds = {"row": int, "given": str, "suggested": str, "probability": float}
        return [{name: kind(r[name]) for name, kind in kinds.items()} for r in self.rows.to_dict("records")]


def label_doubts(model: OutOfFold) -> LabelDoubts:
    """The labels that a model doubts. Raises NotApplicable without probabilities."""
    p = model.predictions
    if p.probabilities is None:
        raise NotApplicable(f"{model.title} predicts no probabilities, so it has no confident doubts.")
    truth, q = p.truth.astype(int), p.probabilities
    limits = np.array([q[truth == k, k].mean() if (truth == k).any() else np.inf for k in range(len(model.classes))])
    others = np.where(q >= limits, q, -np.inf)
    others[np.arange(model.n), truth] = -np.inf
    suggested = others.argmax(axis=1)
    best, given = others[np.arange(model.n), suggested], q[np.arange(model.n), truth]
    doubted = np.flatnonzero(best > given)
    order = doubted[np.argsort(-(best - given)[doubted], kind="stable")]
    labels = np.array(model.classes, object)
    rows = pd.DataFrame(
        {"row": model.rows[order], "given": labels[truth[order]], "suggested": labels[suggested[order]],
         "probability": best[order].astype(float)}
    )  # fmt: skip
    return LabelDoubts(title=model.title, n=model.n, rows=rows)
