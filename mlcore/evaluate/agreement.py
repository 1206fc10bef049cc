"""Two models on the same rows: where they disagree, whether one is better there, and whether their errors differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import NotApplicable
from mlcore.evaluate.out_of_fold import OutOfFold
from mlcore.evaluate.slices import losses
from mlcore.result import Help, Result
from mlcore.wording import number, share


@dataclass(frozen=True, kw_only=True)
class Agreement(Result):
    """How two models differ row by row.

    `counts` are the rows in which both are right, only the first, only the second, or none (of classes); `p` is
    McNemar's mid-p value of the two in the middle; `correlation` is that of their losses.
    """

    titles: tuple[str, str]
    n: int
    counts: tuple[int, int, int, int] | None
    p: float | None
    correlation: float
    rows: pd.DataFrame

    help: ClassVar[Help] = Help(
        "Both models on the same out-of-fold rows.",
        "The rows in which exactly one is right decide between them (McNemar's test, mid-p). A low correlation of "
        "errors means that a blend of the two can be better than either.",
        "The test looks at labels at the usual threshold, not at probabilities or rankings.",
        "If they disagree on many rows and neither is better, look at those rows, or blend them.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """The rows in which they differ, most first."""
        return self.rows

    def sentence(self) -> str:
        """How often they disagree, who is right then, and the correlation of their errors."""
        first, second = self.titles
        tail = f" Their errors correlate at {number(self.correlation, 2)}: " + (
            "a blend has little to gain." if self.correlation > 0.9 else "a blend may gain from both."
        )
        if self.counts is None:
            return f"{first} and {second} on {self.n:,} rows.{tail}"
        _, one, two, _ = self.counts
        sure = self.p is not None and self.p < 0.05
        better = first if one > two else second
        p = "< 0.001" if self.p is not None and self.p < 0.001 else number(self.p)
        verdict = f"{better} is right measurably more often" if sure else "neither is measurably more often right"
        return (
            f"{first} and {second}: exactly one is right in {share(one + two, self.n)} rows, {first} in {one:,} and "
            f"{second} in {two:,}; {verdict} (p {p}).{tail}"
        )


def agreement(first: OutOfFold, second: OutOfFold) -> Agreement:
    """Two models of one run. Raises NotApplicable where their rows differ."""
    if first.n != second.n or not np.array_equal(first.rows, second.rows):
        raise NotApplicable("These two models were tested on different rows, so they cannot be compared row by row.")
    a, b = first.predictions, second.predictions
    counts = p = None
    if first.classes:
        right, other = a.prediction == a.truth, b.prediction == b.truth
        counts = tuple(int(v.sum()) for v in (right & other, right & ~other, ~right & other, ~right & ~other))
        p = mid_p(counts[1], counts[2])
        differs, labels = np.flatnonzero(a.prediction != b.prediction), np.array(first.classes, object)
        parts = {"truth": labels[a.truth.astype(int)], first.title: labels[a.prediction.astype(int)],
                 second.title: labels[b.prediction.astype(int)]}  # fmt: skip
    else:
        differs = np.argsort(-np.abs(a.prediction - b.prediction), kind="stable")[:200]
        parts = {"truth": a.truth, first.title: a.prediction, second.title: b.prediction}
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = float(np.corrcoef(losses(first), losses(second))[0, 1])
    rows = pd.DataFrame({"row": first.rows[differs], **{k: v[differs] for k, v in parts.items()}})
    return Agreement(
        titles=(first.title, second.title), n=first.n, counts=counts, p=p,  # type: ignore[arg-type]
        correlation=correlation if np.isfinite(correlation) else 1.0, rows=rows,
    )  # fmt: skip


def mid_p(one: int, two: int) -> float:
    """McNemar's exact test with the mid-p correction (Fagerland, Lydersen and Laake, 2013).

    >>> round(mid_p(1, 9), 4)
    0.0117
    """
    from scipy.stats import binom

    total, small = one + two, min(one, two)
    if one == two:
        return 1.0 - 0.5 * float(binom.pmf(small, total, 0.5)) if total else 1.0
    return float(2 * binom.cdf(small, total, 0.5) - binom.pmf(small, total, 0.5))
