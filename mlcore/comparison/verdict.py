"""What a comparison says to someone who wants to know which model to use: in plain words, with what speaks against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.comparison.leaderboard import Leaderboard, Row, board_of
from mlcore.comparison.row_evidence import first_repeat
from mlcore.errors import HoldoutError
from mlcore.models import catalogue
from mlcore.result import Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.validation.metrics import compute, metric
from mlcore.validation.predictions import Predictions
from mlcore.wording import number, percent, plus_minus

FEW_ROWS = 200


@dataclass(frozen=True, kw_only=True)
class Verdict(Result):
    """Which model to use, how good it is, how sure that is, and what speaks against believing it.

    >>> run = mlcore.compare(data, target="churned", models=["logistic"], folds=2)
    >>> run.verdict().model
    'logistic'
    """

    board: Leaderboard
    model: str | None  # None where nothing beats the baseline
    use: str  # which model, and why that one
    good: str  # how good it is, in a form that anyone can picture
    sure: str  # the score with its interval, and whether the holdout agrees
    cautions: tuple[str, ...]  # alerts that make the score misleading
    further: tuple[str, ...]  # what else speaks against believing it
    next: str  # what to do now

    help: ClassVar[Help] = Help(
        "The answer of a comparison in plain words, from predictions of rows that a model was not trained on.",
        "The model to use is the simplest of those that nothing compared is measurably better than.",
        "It holds for new rows that are like these. Read what speaks against it first.",
        "Look at what speaks against it; then open the holdout once, for this model.",
    )

    @property
    def against(self) -> tuple[str, ...]:
        """All that speaks against believing it."""
        return (*self.cautions, *self.further)

    def frame(self) -> pd.DataFrame:
        """One row per part of the answer."""
        parts = [("use", self.use), ("how good", self.good), ("how sure", self.sure)]
        parts += [("against", text) for text in self.against] + [("next", self.next)]
        return pd.DataFrame(parts, columns=["part", "text"])

    def sentence(self) -> str:
        """All of it."""
        against = f"What speaks against it: {' '.join(self.against)}" if self.against else ""
        return " ".join(part for part in (self.use, self.good, self.sure, against, self.next) if part)

    def figure(self) -> Any:
        """The leaderboard."""
        return self.board.figure()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"model": self.model, "use": self.use, "good": self.good, "sure": self.sure,
                "against": list(self.against), "next": self.next, "sentence": self.sentence()}  # fmt: skip


def verdict(run: RunFolder, by: str | None = None) -> Verdict:
    """The verdict of a run that is complete. Computed once for the events so far.

    `by` names another metric to rank by, as on the leaderboard. Raises BadChoice for an unknown one.
    """
    key = ("verdict", by, len(run.known()), len(run.holdout_looks()))
    made: Verdict = run.once(key, lambda: _verdict(run, board_of(run, by)))
    return made


def _verdict(run: RunFolder, board: Leaderboard) -> Verdict:
    ranked = board.ranked()
    star = board.star
    cautions = tuple(a["text"] for a in run.cautions())
    if not board.is_complete():
        return _open(
            board, "The comparison is not complete, so there is no answer yet.", cautions, "Wait for the rest."
        )
    if not ranked:
        why = next((f" {r.reason}" for r in board.rows if r.reason), "")
        return _open(board, f"No model has a score, so there is no answer.{why}", cautions, "")
    if board.beats_baseline() is False:
        return _nothing(board, ranked, cautions)
    if board.folds == 1:
        text = "One split cannot tell which model to use, because it does not show how much scores vary."
        return _open(board, text, cautions, "Compare on folds.")
    if star is None or not board.better:
        text = "The baseline has no score, so whether any model is worth using is open."
        return _open(board, text, cautions, "Compare again, with more time for each model.")
    return Verdict(
        board=board,
        model=star.model,
        use=_use(star, ranked),
        good=_good(run, star),
        sure=_sure(run, board, star),
        cautions=cautions,
        further=tuple(_further(run, board, star)),
        next=_next(run, star, bool(cautions)),
    )


def _open(board: Leaderboard, text: str, cautions: tuple[str, ...], what_now: str) -> Verdict:
    """No answer, and why."""
    return Verdict(board=board, model=None, use=text, good="", sure="", cautions=cautions, further=(), next=what_now)


def _nothing(board: Leaderboard, ranked: list[Row], cautions: tuple[str, ...]) -> Verdict:
    baseline = next((r for r in ranked if r.is_baseline), None)
    score = "" if baseline is None else f" (its {board.metric.title} is {number(baseline.score)})"
    return Verdict(
        board=board,
        model=None,
        use=f"Use none of these models: nothing is measurably better than the baseline, which uses no column{score}.",
        good="",
        sure="With more rows, or columns that say more about the target, this may change.",
        cautions=cautions,
        further=(),
        next="Look at the columns on Explore, or bring more rows.",
    )


def _use(star: Row, ranked: list[Row]) -> str:
    best = next(r for r in ranked if not r.is_baseline)
    tied = [r for r in ranked if r.group == star.group and r.model != star.model]
    if star.group != 1:
        return f"Use {star.title}."
    if not tied:
        return f"Use {star.title}: it is measurably better than everything else that was compared."
    if star.model == best.model:
        simplest = all(catalogue.simplicity(star.model) <= catalogue.simplicity(r.model) for r in tied)
        return f"Use {star.title}: it has the best score{' and is the simplest of the best' if simplest else ''}."
    return f"Use {star.title}: nothing that was compared is measurably better, and it is the simplest of the best."


def _good(run: RunFolder, star: Row) -> str:
    """How good it is, and what a guess would be, from the predictions of one repeat."""
    recipe = run.experiment.recipe
    try:
        own, guess = (first_repeat(run, m) for m in (star.model, catalogue.BASELINE))
    except HoldoutError:
        return ""
    if recipe.task == "regression":
        return _typical_error(recipe.target, own, guess)
    if recipe.task == "multiclass":
        right, guessed = (_per_hundred(p.mean(p.truth == p.prediction)) for p in (own, guess))
        return f"It is right for {right} of 100 rows; always naming the most common class is right for {guessed}."
    positive, area = str(recipe.positive), star.metrics.get("roc_auc")
    pairs = ""
    if area is not None:
        pairs = (
            f"Of 100 pairs of a row with {recipe.target} = {positive} and one without, it ranks {_per_hundred(area)} "
            "right (a guess: 50). "
        )
    return pairs + _alarms(recipe.target, positive, own)


def _alarms(target: str, positive: str, own: Predictions) -> str:
    recall, precision = (compute(metric(name, "binary"), own)[0] for name in ("recall", "precision"))
    if recall is None or precision is None or not (own.prediction == 1).any():
        return f"At its own threshold it calls no row {positive}; choose a lower one on Evaluate."
    return (
        f"At its own threshold it finds {_per_hundred(recall)} of 100 rows with {target} = {positive}, and "
        f"of 100 rows that it calls {positive}, {_per_hundred(precision)} are."
    )


def _typical_error(target: str, own: Predictions, guess: Predictions) -> str:
    errors, of_guess = (p.median(np.abs(p.prediction - p.truth)) for p in (own, guess))
    middle = own.median(own.truth)
    share = f", {percent(errors, abs(middle))} of the median {target}" if middle else ""
    own_error = f"Half of its predictions are off by at most {number(errors)}{share}"
    return f"{own_error}; of a guess without columns, {number(of_guess)}."


def _per_hundred(fraction: float) -> str:
    """A fraction as a count of a hundred, never 0 or 100 unless it is."""
    count = round(100 * float(fraction))
    if count == 0 and fraction > 0:
        return "less than 1"
    return "more than 99" if count == 100 and fraction < 1 else str(count)


def _sure(run: RunFolder, board: Leaderboard, star: Row) -> str:
    score = f"{board.metric.title} {plus_minus(star.score, star.ci)}"
    looks = [k for k in run.holdout_looks() if (k["model"], k["metric"]) == (star.model, board.metric.name)]
    if not looks:
        return f"{score}, on rows that it was not trained on."
    look = looks[-1]
    return f"{score} on the folds; {number(look['value'])} on the {look['n']:,} holdout rows."


def _further(run: RunFolder, board: Leaderboard, star: Row) -> list[str]:
    """What else speaks against it: few rows, an uncertain lead, fits that did not converge, one heavy row."""
    further = []
    rows = int(run.plan()["train"])
    if rows < FEW_ROWS:
        further.append(f"There are only {rows:,} rows, so the score may be off by more than it seems.")
    if board.heavy:
        further.append(board.heavy)
    if star.caveat:
        further.append(star.caveat)
    if star.model not in board.better:
        further.append("Its lead over the baseline could still be chance.")
    counts = run.plan().get("counts") or []
    if counts and int(np.min(counts)) < 20:
        further.append(f"The rarest class has only {int(np.min(counts))} rows.")
    return further


def _next(run: RunFolder, star: Row, is_doubtful: bool) -> str:
    if is_doubtful:
        return "First look at what speaks against it."
    if run.plan()["holdout"] and not run.holdout_looks():
        return f"Then open the holdout once, for {star.title}, before you rely on it."
    return ""
