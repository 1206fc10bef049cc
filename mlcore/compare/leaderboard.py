"""Events to a leaderboard: means, intervals, tie groups, the star, and what it means in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore import models, stats
from mlcore.compare.experiment import Experiment
from mlcore.errors import NotApplicable
from mlcore.metrics import Metric, Task, for_task, metric
from mlcore.result import Array, Help, Result, number, plus_minus, several

COLUMNS = (
    "model",
    "title",
    "status",
    "score",
    "ci",
    "folds",
    "metrics",
    "skill",
    "group",
    "star",
    "fit_seconds",
    "reason",
    "skill_ci",
    "first",
    "better",
    "equal",
    "worse",
    "seen",
    "fit",
    "predict_seconds",
    "bytes",
    "rows",
    "words",
)


@dataclass(frozen=True)
class Row:
    """One candidate: a score, or the reason why there is none."""

    model: str
    title: str
    status: str  # ok, running, waiting, failed, timeout, stopped
    score: float | None = None
    ci: tuple[float, float] | None = None
    folds: tuple[float, ...] = ()
    metrics: dict[str, float | None] = field(default_factory=dict)
    skill: float | None = None
    group: int | None = None
    star: bool = False
    fit_seconds: float | None = None
    reason: str = ""
    skill_ci: tuple[float, float] | None = None
    first: float | None = None  # share of resamples in which it comes first
    better: float | None = None  # probability that it is better than the best by more than what matters
    equal: float | None = None  # … that the two are equivalent in practice
    worse: float | None = None
    seen: float | None = None  # the metric on rows that it learned from
    fit: str = ""  # what the two scores say together
    predict_seconds: float | None = None
    bytes: int | None = None  # of the stored model
    rows: int | None = None  # that it learned from, in one fold
    words: str = ""  # what the model says of itself: a rule, the members of a blend


@dataclass(frozen=True)
class Leaderboard(Result):
    """All candidates, best first, then those without a score."""

    rows: tuple[Row, ...]
    metric: Metric
    folds: int
    order: tuple[str, ...]  # models as they stand in the experiment, for their colours
    better: tuple[str, ...] = ()  # models that can be told apart from the baseline
    ratio: float = 0.25  # test rows over training rows of a fold

    help: ClassVar[Help] = Help(
        "Each model was trained and tested on the same folds; a dot is its mean score, the bar around it the 95 % "
        "interval, corrected for the overlap of training sets.",
        "The shaded models cannot be told apart from the best with this data. The star marks the simplest of them, "
        "those aside that are probably worse; take it unless you have another reason. Skill is the share of the way "
        "from the baseline to a perfect score.",
        "The highest number alone: among equal models one is always first by luck. Many models tried on few rows.",
        "If many are shaded, get more rows or repeats before you believe in a winner. Open the holdout once.",
    )

    def frame(self) -> pd.DataFrame:
        """One row a candidate, with the fields of the contract as columns."""
        return pd.DataFrame([{c: getattr(r, c) for c in COLUMNS} for r in self.rows], columns=list(COLUMNS))

    def ranked(self) -> list[Row]:
        """Only the rows with a score."""
        return [r for r in self.rows if r.status == "ok" and r.score is not None]

    def row(self, model: str) -> Row:
        """Find a row. Raises StopIteration for a model that the run does not have."""
        return next(r for r in self.rows if r.model == model)

    def fold_scores(self, model: str) -> FoldScores:
        """A model fold by fold, beside the best (or the next, for the best itself). Raises NotApplicable."""
        one = self.row(model)
        if not one.folds:
            raise NotApplicable(f"{one.title} has no fold scores. {one.reason}".strip())
        if len(one.folds) == 1:
            raise NotApplicable("There was one split only, so there are no folds to set side by side.")
        other = next((r for r in self.ranked() if r.model != model and len(r.folds) == len(one.folds)), None)
        rows = (one,) if other is None else (one, other)
        return FoldScores(rows, tuple(self.order.index(r.model) for r in rows), self.metric)

    def luck(self) -> float:
        """By how much the first flatters, as it was chosen by its score: the winner's curse."""
        others = [r for r in self.ranked() if r.model != "dummy"]
        if len(others) < 2 or len({len(r.folds) for r in others}) != 1 or len(others[0].folds) < 2:
            return 0.0
        scores = np.stack([self.metric.signed(np.array(r.folds)) for r in others], axis=1)
        return stats.luck_of_the_first(scores, self.ratio)

    def complete(self) -> bool:
        """Whether no model is still to come; until then nothing is settled."""
        return not any(r.status in ("running", "waiting") for r in self.rows)

    def sentence(self) -> str:
        """What the comparison found, in words."""
        return " ".join(self.findings()) or "No model has a score yet."

    def findings(self) -> list[str]:
        """Up to three plain sentences: who leads, who is simplest, and whether anything beats the baseline."""
        ranked = self.ranked()
        others = [r for r in ranked if r.model != "dummy"]
        if not self.complete():
            return [f"So far {len(ranked)} of {len(self.rows)} models are done; the order is not settled."]
        if not others or len(ranked) < 2:
            return []
        if self.folds == 1:
            return [_one_split(ranked, self.metric)]
        said = [_who_leads(ranked, self.metric) + _how_sure(ranked)]
        dummy = next((r for r in ranked if r.model == "dummy"), None)
        if dummy is not None:
            said.append(_against_baseline(others[0], dummy, self.metric, bool(self.better)))
        missing = [r.title for r in self.rows if r.status in ("failed", "timeout")]
        if missing:
            said.append(f"{several(missing)} did not get through; the reason stands below the table.")
        if left := sum(r.reason == ENDED for r in self.rows):
            said.append(f"{left} of {len(self.rows)} models are missing, as the run ended before they were done.")
        return said

    def beaten(self) -> bool | None:
        """Whether any model can be told apart from the baseline; None while that is open."""
        ranked = [r.model for r in self.ranked()]
        known = "dummy" in ranked and len(ranked) > 1 and self.folds > 1 and self.complete()
        return bool(self.better) if known else None


@dataclass(frozen=True)
class FoldScores(Result):
    """Models fold by fold: all were trained and tested on the same rows in each."""

    rows: tuple[Row, ...]
    slots: tuple[int, ...]  # places in the experiment, for the colours
    metric: Metric

    help: ClassVar[Help] = Help(
        "The score of each fold, on the same test rows for all models.",
        "Lines that rise and fall together: some folds are harder for everyone. What counts is the gap between lines.",
        "A gap in one fold only is one fold's luck.",
        "If a fold stands out for all models, look at its rows.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a fold, a column a model."""
        folds = pd.DataFrame({r.title: r.folds for r in self.rows})
        folds.insert(0, "fold", range(1, len(folds) + 1))
        return folds

    def sentence(self) -> str:
        """How the first stands beside the other."""
        first = self.rows[0]
        said = f"{first.title}: {number(min(first.folds))} to {number(max(first.folds))} over {len(first.folds)} folds"
        if len(self.rows) < 2:
            return said + "."
        best = self.rows[1]
        pairs = zip(self.metric.signed(np.array(first.folds)), self.metric.signed(np.array(best.folds)), strict=True)
        ahead = sum(bool(a > b) for a, b in pairs)
        return f"{said}; better than {best.title} in {ahead} of them."


def _who_leads(ranked: list[Row], row: Metric) -> str:
    top = [r for r in ranked if r.group == 1]
    best = ranked[0]
    if len(top) == 1:
        than = "the baseline" if len(ranked) == 2 else "every other model that has a score"
        return f"{best.title} is better than {than}: {row.title} {plus_minus(best.score, best.ci)}."
    tied = "none of the other models" if len(top) == len(ranked) else several([r.title for r in top[1:]], 6)
    can = "can" if len(top) == len(ranked) else "cannot"
    return (
        f"{best.title} leads with {row.title} {plus_minus(best.score, best.ci)}; {tied} {can} be told apart from it. "
        f"{_simplest_choice(top)}"
    )


def _simplest_choice(top: list[Row]) -> str:
    star = next(r for r in top if r.star)
    if star is not top[0]:
        return f"The simplest choice among them is {star.title}."
    simpler = any(models.simplicity(r.model) < models.simplicity(star.model) for r in top)
    return "The simpler ones among them are probably worse." if simpler else "It is also the simplest of them."


def _one_split(ranked: list[Row], row: Metric) -> str:
    """What may be said after one validation split: who is first, and that this settles nothing."""
    best = ranked[0]
    return (
        f"{best.title} has the best score, {row.title} {number(best.score)}"
        + (f" ({number(best.ci[0])} to {number(best.ci[1])})" if best.ci else "")
        + ". One split tells nothing of the spread from split to split: take folds to tell models apart."
    )


def _how_sure(ranked: list[Row]) -> str:
    """How often the best comes first, and how the simplest of its group stands beside it."""
    best, star = ranked[0], next((r for r in ranked if r.star), None)
    if best.first is None:
        return ""
    said = f" {best.title} comes first in {round(100 * best.first)} % of resamples"
    if star is not None and star is not best and star.equal is not None:
        said += f"; {star.title} is as good as it with probability {star.equal:.2f}, worse with {star.worse:.2f}"
    return said + "."


def _against_baseline(best: Row, dummy: Row, row: Metric, beaten: bool) -> str:
    if not beaten:
        return (
            f"Nothing beats the baseline, which looks at no column ({row.title} {number(dummy.score)}): "
            "no skill can be shown with this data."
        )
    return (
        f"The baseline, which looks at no column, scores {number(dummy.score)}; "
        f"{best.title} goes {round(100 * (best.skill or 0))} % of the way from there to a perfect score."
    )


@dataclass
class Tally:
    """What the events say of one candidate so far."""

    title: str
    folds: dict[str, dict[str, float]] = field(default_factory=dict)
    undefined: dict[str, str] = field(default_factory=dict)
    status: str = "waiting"
    reason: str = ""
    seconds: float = 0.0
    predicting: float = 0.0
    seen: dict[str, float] = field(default_factory=dict)
    ci: tuple[float, float] | None = None
    rows: int | None = None
    bytes: int | None = None
    words: str = ""


def tally(experiment: Experiment, events: Iterable[dict[str, Any]]) -> dict[str, Tally]:
    """Gather the events by candidate."""
    found = {c.model: Tally(c.title or c.model) for c in experiment.candidates}
    for event in events:
        one = found.get(event.get("model", ""))
        if one is not None:
            _add(one, event)
        elif event["event"] in ("cancelled", "failed"):
            for left in (t for t in found.values() if t.status in ("waiting", "running")):
                left.status, left.reason = "stopped", ENDED
        elif event["event"] == "resumed":
            for left in (t for t in found.values() if t.reason == ENDED):
                left.status, left.reason = "waiting", ""
    return found


def _add(one: Tally, event: dict[str, Any]) -> None:
    """What an event says of a candidate."""
    if event["event"] == "fold":
        _add_fold(one, event)
    elif event["event"] == "candidate":
        one.status, one.reason = event["status"], event["reason"]
    elif event["event"] == "fitted":
        one.bytes, one.words = event.get("bytes"), event.get("words", "")


ENDED = "The run ended before it was done."


def _add_fold(one: Tally, event: dict[str, Any]) -> None:
    one.folds[event["key"]] = event["metrics"]
    one.undefined.update(event["undefined"])
    one.seconds += event["fit_seconds"]
    one.predicting += event.get("predict_seconds", 0.0)
    one.rows = event.get("rows") or one.rows
    one.ci = tuple(event["ci"]) if event.get("ci") else None
    if event.get("seen") is not None:
        one.seen[event["key"]] = event["seen"]
    one.status = "running" if one.status == "waiting" else one.status


@dataclass(frozen=True)
class _Judge:
    """What all rows are judged by."""

    metric: Metric
    task: Task
    ratio: float
    baseline: Array | None  # fold scores of the dummy
    chosen: bool = True  # whether it is the metric that the run was made for, of which more was kept

    @property
    def mark(self) -> float | None:
        """The mean score of the dummy."""
        return None if self.baseline is None else float(self.baseline.mean())


def leaderboard(experiment: Experiment, events: list[dict[str, Any]], by: str | None = None) -> Leaderboard:
    """Build the leaderboard from a run's events; `by` sorts by another metric, without a refit."""
    chosen = experiment.protocol.metric_for(experiment.recipe.task)
    row = metric(by, experiment.recipe.task) if by else chosen
    started: dict[str, Any] = next((e for e in events if e["event"] == "started"), {"folds": 0, "ratio": 0.25})
    tallies = tally(experiment, events)
    scores = {m: _scores(t, row) for m, t in tallies.items() if t.status == "ok"}
    scores = {m: s for m, s in scores.items() if len(s)}
    judge = _Judge(row, experiment.recipe.task, started["ratio"], scores.get("dummy"), row.name == chosen.name)
    groups, better = _groups(scores, judge) if started["folds"] > 1 else {}, _better(scores, judge)
    beside = _beside_the_best(scores, judge)
    worth = [m for m, g in groups.items() if g == 1 and beside.get(m, {}).get("worse", 0.0) < PROBABLY]
    settled = all(t.status not in ("running", "waiting") for t in tallies.values())
    star = models.simplest(worth) if worth and settled else None
    rows = [_row(m, t, scores.get(m), judge) for m, t in tallies.items()]
    rows = [replace(r, group=groups.get(r.model), star=r.model == star, **beside.get(r.model, {})) for r in rows]
    rows = [replace(r, fit=_fit_words(r, judge)) for r in rows]
    ordered = tuple(sorted(rows, key=lambda r: _order(r, row)))
    return Leaderboard(ordered, row, started["folds"], tuple(tallies), better, judge.ratio)


PROBABLY = 0.9  # a model that is worse than the best with this probability is not recommended, told apart or not


def _beside_the_best(scores: dict[str, Array], judge: _Judge) -> dict[str, dict[str, Any]]:
    """For each model: how often it comes first, and the probabilities beside the model of the highest mean."""
    if len(scores) < 2 or len({len(s) for s in scores.values()}) != 1 or len(next(iter(scores.values()))) < 2:
        return {}
    signed = {m: judge.metric.signed(s) for m, s in scores.items()}
    first = stats.first_shares(np.stack(list(signed.values()), axis=1), judge.ratio)
    best = max(signed, key=lambda m: float(signed[m].mean()))
    rope = judge.metric.rope(judge.mark or 0.0)
    found: dict[str, dict[str, Any]] = {}
    for (name, values), share in zip(signed.items(), first, strict=True):
        gap = stats.difference(values, signed[best], judge.ratio, rope)
        found[name] = {"first": float(share), "better": gap.better, "equal": gap.equal, "worse": gap.worse}
    return found


BY_HEART, GAP, HARDLY = 0.98, 0.1, 0.03  # shares of the way from the baseline to a perfect score


def _fit_words(row: Row, judge: _Judge) -> str:
    """Over- or underfit: the skill on rows that were learned from, beside the skill on others."""
    if row.score is None or row.seen is None or judge.mark is None or row.model in ("dummy", "blend"):
        return ""
    known, new = (judge.metric.skill(v, judge.mark) for v in (row.seen, row.score))
    if known is None or new is None:
        return ""
    gap = known - new
    if gap > GAP:
        how = "knows its training rows by heart" if known > BY_HEART else "overfits"
        return f"{how}: {number(row.seen)} there, {number(row.score)} on other rows"
    if gap < HARDLY and row.group != 1:
        return f"underfits: {number(row.seen)} even on its training rows"
    return f"fits: {number(row.seen)} on its training rows"


def _scores(one: Tally, row: Metric) -> Array:
    """Fold scores in a fixed order; empty unless the metric is defined on every fold, so that folds pair up."""
    ordered = [one.folds[k] for k in sorted(one.folds, key=lambda k: tuple(map(int, k.split("-"))))]
    values = [f.get(row.name) for f in ordered]
    return np.array([] if None in values else values, float)


def _groups(scores: dict[str, Array], judge: _Judge) -> dict[str, int]:
    lengths = {len(s) for s in scores.values()}
    if len(scores) < 2 or len(lengths) != 1:
        return {m: 1 for m in scores}
    rope = judge.metric.rope(judge.mark or 0.0)
    return stats.tie_groups({m: judge.metric.signed(s) for m, s in scores.items()}, judge.ratio, rope)


def _better(scores: dict[str, Array], judge: _Judge) -> tuple[str, ...]:
    """Models of which the baseline can be told apart, each tested against it, with Holm's adjustment."""
    if "dummy" not in scores:
        return ()
    others = [m for m in scores if m != "dummy" and len(scores[m]) == len(scores["dummy"])]
    worse = [-judge.metric.signed(scores[m]) for m in others]
    apart = stats.told_apart(-judge.metric.signed(scores["dummy"]), worse, judge.ratio)
    return tuple(m for m, told in zip(others, apart, strict=True) if told)


def _row(name: str, one: Tally, scores: Array | None, judge: _Judge) -> Row:
    row = judge.metric
    metrics: dict[str, float | None] = {}
    if one.status == "ok":
        metrics = {m.name: _mean([f.get(m.name) for f in one.folds.values()]) for m in for_task(judge.task)}
    if scores is None:
        reason = one.reason
        if one.status == "ok":
            reason = f"{row.title} is not defined: {one.undefined.get(row.name, 'a fold has no value')}"
        return Row(name, one.title, one.status, metrics=metrics, fit_seconds=one.seconds or None, reason=reason)
    found = stats.interval(scores, judge.ratio)
    ci = found.within(row.bounds)
    if ci is None and judge.chosen:
        ci = one.ci
    return Row(
        name,
        one.title,
        one.status,
        score=found.mean,
        ci=ci,
        folds=tuple(map(float, scores)),
        metrics=metrics,
        skill=None if judge.mark is None else row.skill(found.mean, judge.mark),
        fit_seconds=one.seconds,
        skill_ci=_skill_interval(scores, judge),
        seen=float(np.mean(list(one.seen.values()))) if one.seen and judge.chosen else None,
        predict_seconds=one.predicting,
        bytes=one.bytes,
        rows=one.rows,
        words=one.words,
    )


def _skill_interval(scores: Array, judge: _Judge) -> tuple[float, float] | None:
    """The corrected interval of the difference to the baseline, as a share of the baseline's way to perfection."""
    if judge.baseline is None or judge.mark is None or len(scores) != len(judge.baseline) or len(scores) < 2:
        return None
    way = judge.metric.perfect - judge.mark
    if judge.metric.skill(judge.mark, judge.mark) is None:
        return None
    found = stats.interval((scores - judge.baseline) / way, judge.ratio)
    return found.low, found.high


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _order(row: Row, by: Metric) -> tuple[float, ...]:
    if row.score is not None:
        return (0, -row.score if by.higher_is_better else row.score, models.simplicity(row.model))
    rank = {"ok": 1, "running": 2, "waiting": 3, "stopped": 4, "timeout": 5, "failed": 6}.get(row.status, 7)
    return (rank, 0.0, models.simplicity(row.model))
