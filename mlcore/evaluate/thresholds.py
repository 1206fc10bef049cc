"""One threshold: what it finds and what it costs; chosen on out-of-fold predictions, judged on other folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from mlcore.errors import BadChoice, BadInput, NotApplicable
from mlcore.evaluate.out_of_fold import Scored
from mlcore.result import Array, Help, Result
from mlcore.wording import number, percent, plus_minus

MOST_POINTS = 101  # thresholds in a curve
Kind = Literal["at", "best", "recall", "precision", "top"]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Weighted counts of the four outcomes; each a number, or an (m,) array of several thresholds."""

    tp: Any
    fp: Any
    fn: Any
    tn: Any

    def add(self, other: Counts) -> Counts:
        """The sum of two."""
        return Counts(tp=self.tp + other.tp, fp=self.fp + other.fp, fn=self.fn + other.fn, tn=self.tn + other.tn)


def _over(part: Any, whole: Any) -> Any:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)


def _balanced(c: Counts) -> Any:
    return (_over(c.tp, c.tp + c.fn) + _over(c.tn, c.tn + c.fp)) / 2


def _matthews(c: Counts) -> Any:
    root = np.sqrt((c.tp + c.fp) * (c.tp + c.fn) * (c.tn + c.fp) * (c.tn + c.fn))
    return _over(c.tp * c.tn - c.fp * c.fn, root)


# What can be read off the four counts, by the names of the metrics.
RATES: dict[str, tuple[str, Callable[[Counts], Any]]] = {
    "precision": ("Precision", lambda c: _over(c.tp, c.tp + c.fp)),
    "recall": ("Recall", lambda c: _over(c.tp, c.tp + c.fn)),
    "specificity": ("Specificity", lambda c: _over(c.tn, c.tn + c.fp)),
    "f1": ("F1", lambda c: _over(2 * c.tp, 2 * c.tp + c.fp + c.fn)),
    "accuracy": ("Accuracy", lambda c: _over(c.tp + c.tn, c.tp + c.fp + c.fn + c.tn)),
    "balanced_accuracy": ("Balanced accuracy", _balanced),
    "matthews_corrcoef": ("Matthews correlation", _matthews),
}
SHOWN = ("precision", "recall", "specificity", "f1")


def rate(name: str, counts: Counts) -> Any:
    """One of `RATES`."""
    return RATES[name][1](counts)


def counts_at(scored: Scored, threshold: float) -> Counts:
    """The outcomes when rows with this score or a higher one are predicted positive."""
    called, w = scored.score >= threshold, scored.weights
    return Counts(
        tp=float(w[called & scored.truth].sum()),
        fp=float(w[called & ~scored.truth].sum()),
        fn=float(w[~called & scored.truth].sum()),
        tn=float(w[~called & ~scored.truth].sum()),
    )


def sweep(scored: Scored) -> tuple[Array, Counts]:
    """All thresholds that differ, from the one that calls no row to that which calls all, and their outcomes."""
    order = np.argsort(-scored.score, kind="stable")
    score, truth, w = scored.score[order], scored.truth[order], scored.weights[order]
    last = np.flatnonzero(np.diff(score, append=-np.inf))  # the last row of each score
    tp, fp = (np.concatenate([[0.0], np.cumsum(w * part)[last]]) for part in (truth, ~truth))
    thresholds = np.concatenate([[np.inf], score[last]])
    return thresholds, Counts(tp=tp, fp=fp, fn=tp[-1] - tp, tn=fp[-1] - fp)


# rules ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ThresholdRule:
    """How a threshold is chosen: a number, the best of a metric, a recall or precision that is wished, or a capacity.

    >>> ThresholdRule.parse("recall:0.8")
    ThresholdRule(kind='recall', value=0.8, metric='')
    """

    kind: Kind
    value: float = 0.0
    metric: str = ""

    @classmethod
    def parse(cls, text: str) -> ThresholdRule:
        """Read `0.4`, `best:f1`, `recall:0.8`, `precision:0.9` or `top:200`. Raises BadChoice, BadInput."""
        kind, colon, rest = str(text).partition(":")
        if not colon:
            return cls(kind="at", value=_number(text, text))
        if kind == "best":
            if rest not in RATES:
                raise BadChoice.of("metric for a threshold", rest, RATES)
            return cls(kind="best", metric=rest)
        if kind not in ("recall", "precision", "top"):
            raise BadInput(f"{text!r} is not a threshold. Give a number, best:METRIC, recall:R, precision:P or top:N.")
        value = _number(rest, text)
        if kind == "top" and (value < 1 or value != int(value)):
            raise BadInput(f"{text!r}: give a whole number of rows from 1 on, such as top:200.")
        if kind != "top" and not 0 < value <= 1:
            raise BadInput(f"{text!r}: give a fraction above 0 and up to 1, such as {kind}:0.8.")
        return cls(kind=kind, value=value)  # type: ignore[arg-type]

    def words(self) -> str:
        """How it is chosen, in words."""
        return {
            "at": f"at {number(self.value)}",
            "best": f"where {RATES[self.metric][0] if self.metric else ''} is best",
            "recall": f"for a recall of {percent(self.value)}",
            "precision": f"for a precision of {percent(self.value)}",
            "top": f"for the {self.value:,.0f} rows with the highest score",
        }[self.kind]

    def choose(self, scored: Scored, fraction: float = 1.0) -> float:
        """The threshold on some rows, which are a fraction of all. Raises NotApplicable where none does it."""
        if self.kind == "at":
            return self.value
        thresholds, counts = sweep(scored)
        if self.kind == "best":
            return _between(thresholds, int(np.nanargmax(rate(self.metric, counts))))
        if self.kind == "top":
            called = counts.tp + counts.fp
            return _between(
                thresholds, int(np.searchsorted(called, self.value * fraction - 1e-9).clip(0, len(called) - 1))
            )
        reached = np.flatnonzero(rate(self.kind, counts) >= self.value - 1e-12)
        if not len(reached):
            best = float(rate(self.kind, counts).max())
            raise NotApplicable(
                f"No threshold of {scored.title} reaches a {self.kind} of {percent(self.value)}; the highest is "
                f"{percent(best)}."
            )
        # The highest threshold with the recall; of those with the precision, the one that finds most.
        return _between(thresholds, int(reached[0] if self.kind == "recall" else reached[-1]))


def _between(thresholds: Array, place: int) -> float:
    """A threshold in the middle between a score and the next lower one, so that it is not that of a single row."""
    here = float(thresholds[place])
    if not np.isfinite(here):
        return float(np.nextafter(thresholds[1], np.inf))
    lower = float(thresholds[place + 1]) if place + 1 < len(thresholds) else here
    return (here + lower) / 2


def _number(text: str, given: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise BadInput(f"{given!r} is not a threshold. Give a number, best:METRIC, recall:R, precision:P or top:N.")
    return value


def crossed(scored: Scored, choose: Callable[[Scored, float], float]) -> list[tuple[Scored, float]]:
    """The rows of each fold, with the threshold that the rows of the other folds choose."""
    folds = np.unique(scored.fold)
    if len(folds) < 2:
        return []
    parts = []
    for fold in folds:
        inside = scored.fold == fold
        other, limit = scored.where(~inside), scored.usual
        if other.truth.any() and not other.truth.all():
            try:
                limit = choose(other, 1.0 - inside.mean())
            except NotApplicable:  # no threshold of the other folds does what is wished, so no row is called
                limit = np.inf
        parts.append((scored.where(inside), limit))
    return parts


# the result -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Threshold(Result):
    """What one threshold finds, and how its rates change when it moves.

    `counts` are the outcomes at the threshold; `judged` those when each fold is called at the threshold that the other
    folds chose, which is what to expect of new rows. `curve` has a column for each rate.
    """

    title: str
    positive: str
    rule: ThresholdRule
    threshold: float
    counts: Counts
    judged: Counts | None  # None with a single fold
    prevalence: float
    n: int
    curve: pd.DataFrame

    help: ClassVar[Help] = Help(
        "Rows whose score reaches the threshold are predicted as the class. Moving it exchanges false negatives for "
        "false positives; it does not change the ranking of the rows.",
        "Follow the lines to the threshold that you can afford: recall is what is found, precision is how many of the "
        "calls are right.",
        "A threshold that was chosen on these rows looks a little too good on them. The sentence gives what it reached "
        "on folds that did not choose it.",
        "Give the costs of a false negative and of a false positive, or how many rows you can act on; they choose it.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per threshold: its rates and the number of rows that are called."""
        return self.curve

    def sentence(self) -> str:
        """What is found, how many calls are right, and what to expect on new rows."""
        c, called = self.counts, self.counts.tp + self.counts.fp
        text = (
            f"{self.title}, threshold {number(self.threshold)} ({self.rule.words()}): it finds "
            f"{percent(c.tp, c.tp + c.fn)} of “{self.positive}”, and {percent(c.tp, called)} of its {called:,.0f} "
            f"calls are right; {c.fp:,.0f} are false positives, {c.fn:,.0f} false negatives."
        )
        if self.rule.kind == "at" or self.judged is None:
            return text
        j = self.judged
        return (
            f"{text} On folds that did not choose it: recall {percent(j.tp, j.tp + j.fn)}, precision "
            f"{percent(j.tp, j.tp + j.fp)}."
        )

    def rates(self) -> pd.DataFrame:
        """One row per rate: at the threshold, and judged on other folds."""
        return pd.DataFrame(
            [
                {
                    "rate": title,
                    "here": float(f(self.counts)),
                    "on other folds": None if self.judged is None else float(f(self.judged)),
                }
                for title, f in RATES.values()
            ]
        )

    def precision_at(self, prevalence: float) -> float | None:
        """The precision if this fraction of new rows were positive: recall and specificity stay (Bayes' rule)."""
        recall, specificity = (float(rate(n, self.counts)) for n in ("recall", "specificity"))
        called = recall * prevalence + (1 - specificity) * (1 - prevalence)
        return recall * prevalence / called if called else None

    def to_json(self) -> list[dict[str, float]]:
        """The curve as a list: threshold, precision, recall, specificity, f1, positives."""
        names = ["threshold", *SHOWN, "positives"]
        return [dict(zip(names, map(float, row), strict=True)) for row in self.curve[names].to_numpy()]


def threshold(scored: Scored, rule: ThresholdRule | None = None) -> Threshold:
    """What a threshold does; that at which models predict by default. Raises NotApplicable for rows of one class."""
    if scored.truth.all() or not scored.truth.any():
        raise NotApplicable(f"A threshold needs rows of “{scored.positive}” and of other classes; these rows lack one.")
    rule = rule or ThresholdRule(kind="at", value=scored.usual)
    chosen = rule.choose(scored)
    thresholds, counts = sweep(scored)
    keep = np.unique(np.linspace(0, len(thresholds) - 1, MOST_POINTS).astype(int))[1:]
    curve = pd.DataFrame({"threshold": thresholds[keep]})
    for name in RATES:
        curve[name] = rate(name, counts)[keep]
    curve["positives"] = (counts.tp + counts.fp)[keep]
    parts = crossed(scored, rule.choose)
    judged = Counts(tp=0.0, fp=0.0, fn=0.0, tn=0.0) if parts else None
    for part, limit in parts:
        judged = judged.add(counts_at(part, limit)) if judged is not None else None
    return Threshold(
        title=scored.title, positive=scored.positive, rule=rule, threshold=chosen, counts=counts_at(scored, chosen),
        judged=judged, prevalence=scored.prevalence, n=len(scored.truth), curve=curve.iloc[::-1].reset_index(drop=True),
    )  # fmt: skip


# costs ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Payoff:
    """What each outcome of one row earns, in money; a cost is negative."""

    tp: float
    fp: float
    fn: float
    tn: float

    @classmethod
    def of(cls, values: Any) -> Payoff:
        """From the four numbers of true positive, false positive, false negative, true negative.

        They may be earnings (a right answer earns more than a wrong one) or costs (a wrong answer costs more). Raises
        BadInput for numbers that are neither.
        """
        numbers = [float(v) for v in values]
        if len(numbers) != 4 or not np.isfinite(numbers).all():
            raise BadInput(
                "Costs are four numbers, of true positive, false positive, false negative and true negative; "
                f"{values!r} was given."
            )
        tp, fp, fn, tn = numbers
        if tp >= fn and tn >= fp and (tp, tn) != (fn, fp):
            return cls(tp=tp, fp=fp, fn=fn, tn=tn)
        if tp <= fn and tn <= fp and (tp, tn) != (fn, fp):
            return cls(tp=-tp, fp=-fp, fn=-fn, tn=-tn)
        raise BadInput(
            f"The numbers {', '.join(map(number, numbers))} make one kind of right answer worse than the wrong one. "
            "Give what each outcome earns (TP,FP,FN,TN such as 100,-10,0,0) or what it costs (0,10,100,0)."
        )

    def of_counts(self, c: Counts) -> Any:
        """The money of all outcomes together."""
        return self.tp * c.tp + self.fp * c.fp + self.fn * c.fn + self.tn * c.tn

    def of_rows(self, truth: Array, called: Array) -> Array:
        """The money of each row (n,)."""
        return np.where(truth, np.where(called, self.tp, self.fn), np.where(called, self.fp, self.tn))


@dataclass(frozen=True, kw_only=True)
class Profit(Result):
    """What a model earns at each threshold, and at the best one, judged on folds that did not choose it.

    `profit` and its 95 % interval are the sum over these rows, each called at the threshold of the other folds.
    """

    title: str
    slot: int
    positive: str
    payoff: Payoff
    threshold: float
    profit: float
    ci: tuple[float, float]
    nothing: float  # if no row is called
    everything: float  # if all rows are called
    baseline: float  # what the baseline without features earns
    n: int
    curve: pd.DataFrame

    help: ClassVar[Help] = Help(
        "Each outcome earns or costs what you said; the sum over all rows at each threshold is the profit curve.",
        "The best threshold is the highest point. The grey lines are what doing nothing and treating every row earn.",
        "The top of the curve was chosen on these rows, so it is a little too high. The profit in the sentence is "
        "judged on folds that did not choose the threshold.",
        "If the interval reaches what doing nothing or everything earns, the model does not pay for itself yet.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per threshold: profit and rows that are called."""
        return self.curve

    def sentence(self) -> str:
        """The best threshold, what it earns with its interval, and what simple rules earn."""
        simple = max(self.nothing, self.everything)
        verdict = (
            "measurably more than" if self.ci[0] > simple else "measurably less than" if self.ci[1] < simple else
            "not measurably different from"
        )  # fmt: skip
        other = "calling no row" if self.nothing >= self.everything else "calling every row"
        return (
            f"{self.title} earns {plus_minus(self.profit, self.ci)} on {self.n:,} rows at the threshold "
            f"{number(self.threshold)}: {verdict} {other}, which earns {number(simple)}. Calling no row earns "
            f"{number(self.nothing)}, every row {number(self.everything)}, the baseline {number(self.baseline)}."
        )

    def to_json(self) -> dict[str, float]:
        """The contract of `holdout evaluate --costs`."""
        return {
            "threshold": self.threshold, "profit": self.profit, "low": self.ci[0], "high": self.ci[1],
            "nothing": self.nothing, "everything": self.everything, "baseline": self.baseline,
        }  # fmt: skip


def profit(scored: Scored, payoff: Payoff) -> Profit:
    """The profit of a model over its thresholds. Raises NotApplicable for rows of one class."""
    if scored.truth.all() or not scored.truth.any():
        raise NotApplicable(f"Costs need rows of “{scored.positive}” and of other classes; these rows lack one.")

    def best(part: Scored, _: float = 1.0) -> float:
        thresholds, counts = sweep(part)
        return _between(thresholds, int(np.argmax(payoff.of_counts(counts))))

    thresholds, counts = sweep(scored)
    money = payoff.of_counts(counts)
    parts = crossed(scored, best)
    if not parts:
        raise NotApplicable("Profit is judged on folds that did not choose the threshold, and this run has one fold.")
    earned = np.concatenate([p.weights * payoff.of_rows(p.truth, p.score >= limit) for p, limit in parts])
    total, half = float(earned.sum()), 1.959964 * float(earned.std(ddof=1) * np.sqrt(len(earned)))
    keep = np.unique(np.linspace(0, len(thresholds) - 1, 4 * MOST_POINTS).astype(int))
    keep = np.unique([*keep, int(np.argmax(money))])
    curve = pd.DataFrame({"threshold": thresholds, "profit": money, "positives": counts.tp + counts.fp}).iloc[keep]
    nothing, everything = float(money[0]), float(money[-1])
    return Profit(
        title=scored.title, slot=scored.slot, positive=scored.positive, payoff=payoff, threshold=best(scored),
        profit=total, ci=(total - half, total + half), nothing=nothing, everything=everything,
        baseline=everything if scored.prevalence > 0.5 else nothing, n=len(scored.truth),
        curve=curve[np.isfinite(curve["threshold"])].iloc[::-1].reset_index(drop=True),
    )  # fmt: skip
