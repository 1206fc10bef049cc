"""The training rows most like a row, with what became of them and what the model predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.cast import as_numbers
from mlcore.errors import BadInput, NotApplicable
from mlcore.evaluate.out_of_fold import first_repeat
from mlcore.explain.subject import Subject
from mlcore.result import Help, Result
from mlcore.wording import number


@dataclass(frozen=True, kw_only=True)
class Neighbours(Result):
    """The training rows most like a row, by Gower's distance, with their outcomes and out-of-fold predictions."""

    row: int
    target: str
    rows: pd.DataFrame

    help: ClassVar[Help] = Help(
        "Training rows with the most similar values: numbers count by how far they are apart within their range, "
        "categories by whether they are equal (Gower, 1971).",
        "Look at their outcomes: a prediction that no similar row supports deserves doubt.",
        "All columns count alike, whether the model uses them or not.",
        "If the nearest rows are far away, the model extrapolates.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """One row per neighbour, the nearest first."""
        return self.rows

    def sentence(self) -> str:
        """Their outcomes."""
        truth = self.rows["truth"]
        if truth.dtype.kind == "f" and truth.nunique() > 2:
            return (
                f"The {len(self.rows)} training rows most like row {self.row:,} have a {self.target} of "
                f"{number(float(truth.mean()))} on average, from {number(float(truth.min()))} to "
                f"{number(float(truth.max()))}."
            )
        most, count = truth.astype(str).value_counts().index[0], int(truth.astype(str).value_counts().iloc[0])
        return f"Of the {len(self.rows)} training rows most like row {self.row:,}, {count} have {self.target} = {most}."

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data: row, distance, truth, prediction."""
        names = ["row", "distance", "truth", "prediction"]
        return [{n: r[n] if isinstance(r[n], str) else float(r[n]) if n != "row" else int(r[n]) for n in names}
                for r in self.rows[names].to_dict("records")]  # fmt: skip


def neighbours(subject: Subject, count: int = 5) -> Neighbours:
    """The rows most like a row. Raises BadInput for a count below 1, NotApplicable without predictions."""
    if count < 1:
        raise BadInput(f"{count} neighbours cannot be; give 1 or more.")
    if subject.model not in subject.run.predicted():
        raise NotApplicable(f"{subject.title} has no out-of-fold predictions, so its neighbours have none to show.")
    distance = np.zeros(len(subject.rows))
    for name in subject.frame.columns:
        column, own = subject.training[name], subject.own(name)
        if subject.is_ordered(name) and not pd.isna(own):
            values = as_numbers(column) - as_numbers(subject.frame[name]).iloc[0]
            reach = float(values.max() - values.min()) or 1.0
            distance += (values.abs() / reach).fillna(1.0).to_numpy(float)
        else:
            same = column.isna() if pd.isna(own) else column == own
            distance += 1.0 - same.to_numpy(float)
    distance[subject.rows == subject.row] = np.inf
    order = np.argsort(distance, kind="stable")[:count]
    order = order[np.isfinite(distance[order])]
    first = first_repeat(subject.run, subject.model).set_index("row").loc[subject.rows[order]]
    table = pd.DataFrame(
        {"row": subject.rows[order], "distance": distance[order] / subject.frame.shape[1],
         "truth": first["truth"].to_numpy(), "prediction": first["prediction"].to_numpy()}
    )  # fmt: skip
    values = subject.run.dataset.frame(list(subject.frame.columns), table["row"].tolist())
    clear = values.loc[:, [c for c in values if c not in table.columns]]
    return Neighbours(row=subject.row, target=subject.target, rows=pd.concat([table, clear], axis=1))
