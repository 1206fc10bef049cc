"""How many of a class are found among the rows with the highest scores, and how the scores of the classes lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import NotApplicable
from mlcore.evaluate.out_of_fold import OutOfFold, Scored
from mlcore.evaluate.thresholds import sweep
from mlcore.result import Array, Help, Result
from mlcore.wording import number, percent

POINTS = 101
TENTH = 0.1
BINS = 30


@dataclass(frozen=True, kw_only=True)
class Gain(Result):
    """Cumulative gain: the fraction of the class that is found among the highest-scored fraction of all rows.

    `curves` are (title, slot, (m,) fraction of rows, (m,) fraction found) of each model.
    """

    positive: str
    prevalence: float
    n: int
    curves: tuple[tuple[str, int, Array, Array], ...]

    help: ClassVar[Help] = Help(
        "Rows are sorted by score, the highest first. The line is the fraction of the class found so far.",
        "At 10 % on the x axis, a height of 40 % means that a tenth of the rows holds four tenths of the class: a lift "
        "of 4. The dotted line is a random order, the grey one a perfect order.",
        "It says nothing of the rows beyond those that you act on, nor whether probabilities are right.",
        "Read it at the fraction of rows that you can act on.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per model and fraction of rows: the fraction found and the lift."""
        parts = [
            pd.DataFrame({"model": t, "rows": x, "found": y, "lift": np.divide(y, x, out=np.ones(len(x)), where=x > 0)})
            for t, _, x, y in self.curves
        ]
        return pd.concat(parts, ignore_index=True)

    def sentence(self) -> str:
        """What the first tenth of the rows holds."""
        held = [(title, float(np.interp(TENTH, x, y))) for title, _, x, y in self.curves]
        best = max(held, key=lambda h: h[1])
        return (
            f"The tenth of {self.n:,} rows that {best[0]} scores highest holds {percent(best[1])} of "
            f"“{self.positive}”, {number(best[1] / TENTH, 2)} times as many as a random tenth."
        )


def gain(models: list[Scored]) -> Gain:
    """The gain curves of some models. Raises NotApplicable for rows of one class."""
    first = models[0]
    if first.truth.all() or not first.truth.any():
        raise NotApplicable(f"A gain curve needs rows of “{first.positive}” and of other classes; these rows lack one.")
    curves = []
    for one in models:
        _, c = sweep(one)
        x, y = (c.tp + c.fp) / (c.tp + c.fp)[-1], c.tp / c.tp[-1]
        at = np.linspace(0, 1, POINTS)
        curves.append((one.title, one.slot, at, np.interp(at, x, y)))
    return Gain(positive=first.positive, prevalence=first.prevalence, n=len(first.truth), curves=tuple(curves))


@dataclass(frozen=True, kw_only=True)
class ScoreDistributions(Result):
    """How the scores of the class and of the others are distributed: (bins + 1,) edges, (bins,) fractions of each."""

    title: str
    positive: str
    edges: Array
    inside: Array
    outside: Array
    overlap: float

    help: ClassVar[Help] = Help(
        "The out-of-fold scores of the rows of the class, and of all others, each as a fraction of its own rows.",
        "The farther apart, the better a threshold separates them.",
        "A rare class has as much area as a common one here.",
        "Where they overlap, the rows are undecided: leave those to a person.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per bin."""
        return pd.DataFrame({"from": self.edges[:-1], "to": self.edges[1:], self.positive: self.inside,
                             f"not {self.positive}": self.outside})  # fmt: skip

    def sentence(self) -> str:
        """How much the two overlap."""
        return (
            f"{self.title}: the scores of “{self.positive}” and of the other rows overlap by {percent(self.overlap)}; "
            "0 % would be a perfect separation."
        )


def score_distributions(scored: Scored) -> ScoreDistributions:
    """The scores of a class and of the rest. Raises NotApplicable for rows of one class."""
    if scored.truth.all() or not scored.truth.any():
        raise NotApplicable(f"These rows are all of one class, “{scored.positive}” or another.")
    low, high = (0.0, 1.0) if scored.is_probability else (float(scored.score.min()), float(scored.score.max()) + 1e-9)
    edges = np.linspace(low, high, BINS + 1)
    inside, outside = (
        np.histogram(scored.score[part], edges, weights=scored.weights[part])[0] / scored.weights[part].sum()
        for part in (scored.truth, ~scored.truth)
    )
    return ScoreDistributions(
        title=scored.title, positive=scored.positive, edges=edges, inside=inside, outside=outside,
        overlap=float(np.minimum(inside, outside).sum()),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Abstention(Result):
    """What leaving the least certain rows to a person gains: error over the fraction of rows that are answered."""

    title: str
    answered: Array  # (m,) fractions of the rows, the most certain first
    error: Array  # (m,) fraction of those that are predicted wrong

    help: ClassVar[Help] = Help(
        "Rows are sorted by how certain the model is. The line is the error rate among the most certain ones.",
        "At 80 % on the x axis, a fifth of the rows is left to a person.",
        "Certainty is the model's own; check its calibration.",
        "Choose the error that you can accept, and read off how many rows a person has to look at.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per fraction answered."""
        return pd.DataFrame({"answered": self.answered, "error": self.error})

    def sentence(self) -> str:
        """The error with all rows, and without the least certain fifth."""
        all_of_them, most = (float(np.interp(at, self.answered, self.error)) for at in (1.0, 0.8))
        return (
            f"{self.title} is wrong in {percent(all_of_them, 1, 1)} of all rows; if the least certain fifth is left to "
            f"a person, in {percent(most, 1, 1)} of the others."
        )


def abstention_of(model: OutOfFold) -> Abstention:
    """Error against coverage of a classifier, by the probability of what it predicts. Raises NotApplicable."""
    p = model.predictions
    if p.probabilities is None:
        raise NotApplicable(f"{model.title} predicts no probabilities, so its certainty is unknown.")
    return abstention(model.title, p.probabilities.max(axis=1), p.prediction != p.truth)


def abstention(title: str, certainty: Array, wrong: Array) -> Abstention:
    """Error against coverage, from (n,) certainties and (n,) booleans."""
    order = np.argsort(-certainty, kind="stable")
    rate = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    keep = np.unique(np.linspace(max(0, len(order) // 50 - 1), len(order) - 1, POINTS).astype(int))
    return Abstention(title=title, answered=(keep + 1) / len(order), error=rate[keep])
