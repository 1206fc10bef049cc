"""Whether predicted probabilities can be taken at their word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.errors import NotApplicable
from mlcore.evaluate.out_of_fold import Scored
from mlcore.result import Array, Help, Result
from mlcore.validation.predictions import CLIP
from mlcore.validation.statistics import wilson
from mlcore.wording import number, percent

BINS = 10
DRAWS = 500  # of outcomes that perfectly calibrated probabilities would give


@dataclass(frozen=True, kw_only=True)
class Calibration(Result):
    """Predicted probabilities against what happened, in bins of equally many rows.

    `bins` has a row for each bin: mean prediction, observed proportion with its 95 % interval, the 95 % band of what
    calibrated probabilities would show (`expected_low`, `expected_high`), and n. `null` is the expected calibration
    error that calibrated probabilities would show on so many rows, on average and at its 95 % quantile.
    """

    title: str
    slot: int
    positive: str
    n: int
    bins: pd.DataFrame
    ece: float
    null: tuple[float, float]
    brier: float
    log_loss: float
    brier_skill: float  # the fraction of the way from always predicting the prevalence to perfect

    help: ClassVar[Help] = Help(
        "Rows are sorted by their predicted probability and put into ten bins of equally many rows. Each point is a "
        "bin: what was predicted on average, and what happened.",
        "On the diagonal, 30 % means 30 of 100. Below it, probabilities are too high; above it, too low. The grey band "
        "is what perfect probabilities would show by chance.",
        "With few rows every model leaves the diagonal a little; the expected calibration error is then never 0.",
        "If it lies outside the band and you use the numbers as probabilities, calibrate the model; a threshold or a "
        "ranking does not need it.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per bin."""
        return self.bins

    def is_calibrated(self) -> bool:
        """Whether the error is one that calibrated probabilities show by chance in 95 of 100 cases."""
        return self.ece <= self.null[1]

    def sentence(self) -> str:
        """The calibration error against chance, and in which direction."""
        text = (
            f"{self.title}: predicted probabilities are {percent(self.ece, 1, 1)} off on average (expected calibration "
            f"error); perfect ones would be {percent(self.null[0], 1, 1)} off on {self.n:,} rows. "
        )
        brier = f" Brier score {number(self.brier)}, {percent(max(self.brier_skill, 0.0))} of the way to perfect."
        if self.is_calibrated():
            return f"{text}Nothing measurable speaks against them.{brier}"
        gap, n = self.bins["predicted"] - self.bins["observed"], self.bins["n"]
        over = float(np.average(gap, weights=n))
        rate = float(np.average(self.bins["observed"], weights=n))
        away = float(np.average(gap * np.sign(self.bins["predicted"] - rate), weights=n))
        both = "too extreme (high ones too high, low ones too low)" if away > 0 else "too close to the average"
        side = "too high" if over > self.ece / 2 else "too low" if over < -self.ece / 2 else both
        return f"{text}They are {side}.{brier}"

    def to_json(self) -> dict[str, Any]:
        """The contract of `holdout evaluate --json`."""
        names = ["predicted", "observed", "low", "high", "n"]
        bins = [dict(zip(names, map(float, row), strict=True)) for row in self.bins[names].to_numpy()]
        return {"bins": bins, "ece": self.ece, "ece_by_chance": self.null[0], "brier": self.brier,
                "log_loss": self.log_loss}  # fmt: skip


def calibration(scored: Scored) -> Calibration:
    """The calibration of the probabilities of a class. Raises NotApplicable without probabilities."""
    if not scored.is_probability:
        raise NotApplicable(f"{scored.title} predicts no probabilities, so they cannot be calibrated or not.")
    p, truth, w = scored.score, scored.truth.astype(float), scored.weights
    parts = _parts(p)
    rng = np.random.default_rng(0)
    draws = rng.random((DRAWS, len(p))) < p if len(p) <= 20_000 else None
    bins, rates = [], []
    for part in parts:
        n, observed = w[part].sum(), float(np.average(truth[part], weights=w[part]))
        low, high = wilson(observed * n, n)
        predicted = float(np.average(p[part], weights=w[part]))
        drawn = draws[:, part].mean(axis=1) if draws is not None else _normal(rng, p[part])
        rates.append(np.abs(drawn - predicted) * n)
        expected = np.quantile(drawn, [0.025, 0.975])
        bins.append(
            {"predicted": predicted, "observed": observed, "low": low, "high": high, "n": float(n),
             "expected_low": float(expected[0]), "expected_high": float(expected[1])}
        )  # fmt: skip
    table = pd.DataFrame(bins)
    null = np.sum(rates, axis=0) / w.sum()
    clipped = np.clip(p, CLIP, 1 - CLIP)
    brier, rate = float(np.average((p - truth) ** 2, weights=w)), scored.prevalence
    return Calibration(
        title=scored.title, slot=scored.slot, positive=scored.positive, n=len(p), bins=table,
        ece=float(np.average((table["predicted"] - table["observed"]).abs(), weights=table["n"])),
        null=(float(null.mean()), float(np.quantile(null, 0.95))), brier=brier,
        log_loss=float(np.average(-np.log(np.where(truth == 1, clipped, 1 - clipped)), weights=w)),
        brier_skill=1 - brier / (rate * (1 - rate)) if 0 < rate < 1 else 0.0,
    )  # fmt: skip


def _parts(p: Array) -> list[Array]:
    """Positions of the rows of each bin: equally many, and equal predictions together."""
    order = np.argsort(p, kind="stable")
    edges = [round(k * len(p) / BINS) for k in range(1, BINS)]
    cuts = sorted({int(np.searchsorted(p[order], p[order][e])) for e in edges if 0 < e < len(p)} - {0})
    return [part for part in np.split(order, cuts) if len(part)]


def _normal(rng: np.random.Generator, p: Array) -> Array:
    """Proportions that so many rows of known probabilities show, by the central limit theorem."""
    return np.asarray(rng.normal(p.mean(), np.sqrt((p * (1 - p)).sum()) / len(p), DRAWS))
