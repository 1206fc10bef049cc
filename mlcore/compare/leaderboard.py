"""Events to a leaderboard: means, intervals, tie groups, the star, and what it means in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore import models, stats
from mlcore.compare.experiment import Experiment
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
)


@dataclass(frozen=True)
class Row:
    """One candidate: a score, or the reason why there is none."""

    model: str
    title: str
    status: str  # ok, running, waiting, failed, timeout
    score: float | None = None
    ci: tuple[float, float] | None = None
    folds: tuple[float, ...] = ()
    metrics: dict[str, float | None] = field(default_factory=dict)
    skill: float | None = None
    group: int | None = None
    star: bool = False
    fit_seconds: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Leaderboard(Result):
    """All candidates, best first, then those without a score."""

    rows: tuple[Row, ...]
    metric: Metric
    folds: int
    order: tuple[str, ...]  # models as they stand in the experiment, for their colours
    better: tuple[str, ...] = ()  # models that can be told apart from the baseline

    help: ClassVar[Help] = Help(
        "Each model was trained and tested on the same folds; a dot is its mean score, the bar around it the 95 % "
        "interval, corrected for the overlap of training sets.",
        "Models in one band cannot be told apart with this data. The star marks the simplest of the top band; take it "
        "unless you have another reason. Skill is the share of the way from the baseline to a perfect score.",
        "The highest number alone: among equal models one is always first by luck. Many models tried on few rows.",
        "If the band is wide, get more rows or repeats before you believe in a winner. Open the holdout once.",
    )

    def frame(self) -> pd.DataFrame:
        """One row a candidate, with the fields of the contract as columns."""
        return pd.DataFrame([{c: getattr(r, c) for c in COLUMNS} for r in self.rows], columns=list(COLUMNS))

    def ranked(self) -> list[Row]:
        """Only the rows with a score."""
        return [r for r in self.rows if r.status == "ok" and r.score is not None]

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
        said = [_who_leads(ranked, self.metric)]
        dummy = next((r for r in ranked if r.model == "dummy"), None)
        if dummy is not None:
            said.append(_against_baseline(others[0], dummy, self.metric, bool(self.better)))
        missing = [r.title for r in self.rows if r.status in ("failed", "timeout")]
        if missing:
            said.append(f"{several(missing)} did not get through; the reason is in the row.")
        return said

    def beaten(self) -> bool | None:
        """Whether any model can be told apart from the baseline; None while that is open."""
        ranked = [r.model for r in self.ranked()]
        return None if "dummy" not in ranked or len(ranked) < 2 or not self.complete() else bool(self.better)


def _who_leads(ranked: list[Row], row: Metric) -> str:
    top = [r for r in ranked if r.group == 1]
    best = ranked[0]
    if len(top) == 1:
        than = "the baseline" if len(ranked) == 2 else "every other model"
        return f"{best.title} is better than {than}: {row.title} {plus_minus(best.score, best.ci)}."
    star = next(r for r in ranked if r.star)
    lead = "The models" if len(top) == len(ranked) else several([r.title for r in top], 6)
    return (
        f"{lead} cannot be told apart ({row.title} {number(best.score)} to {number(top[-1].score)}); "
        f"the simplest of them is {star.title}."
    )


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


def tally(experiment: Experiment, events: Iterable[dict[str, Any]]) -> dict[str, Tally]:
    """Gather the events by candidate."""
    found = {c.model: Tally(c.title or c.model) for c in experiment.candidates}
    for event in events:
        if event["event"] == "fold":
            one = found[event["model"]]
            one.folds[event["key"]] = event["metrics"]
            one.undefined.update(event["undefined"])
            one.seconds += event["fit_seconds"]
            one.status = "running" if one.status == "waiting" else one.status
        elif event["event"] == "candidate":
            found[event["model"]].status = event["status"]
            found[event["model"]].reason = event["reason"]
        elif event["event"] in ("cancelled", "failed"):
            for one in found.values():
                if one.status in ("waiting", "running"):
                    one.status, one.reason = "stopped", "The run ended before it was done."
    return found


@dataclass(frozen=True)
class _Judge:
    """What all rows are judged by."""

    metric: Metric
    task: Task
    ratio: float
    baseline: float | None


def leaderboard(experiment: Experiment, events: list[dict[str, Any]], by: str | None = None) -> Leaderboard:
    """Build the leaderboard from a run's events; `by` sorts by another metric, without a refit."""
    row = metric(by or experiment.protocol.metric, experiment.recipe.task)
    started: dict[str, Any] = next((e for e in events if e["event"] == "started"), {"folds": 0, "ratio": 0.25})
    tallies = tally(experiment, events)
    scores = {m: _scores(t, row) for m, t in tallies.items() if t.status == "ok"}
    scores = {m: s for m, s in scores.items() if len(s)}
    baseline = float(scores["dummy"].mean()) if "dummy" in scores else None
    judge = _Judge(row, experiment.recipe.task, started["ratio"], baseline)
    groups, better = _groups(scores, judge), _better(scores, judge)
    settled = all(t.status not in ("running", "waiting") for t in tallies.values())
    top = [m for m, g in groups.items() if g == 1]
    star = min(top, key=models.simplicity) if top and settled else None
    rows = [_row(m, t, scores.get(m), judge) for m, t in tallies.items()]
    rows = [replace(r, group=groups.get(r.model), star=r.model == star) for r in rows]
    return Leaderboard(tuple(sorted(rows, key=lambda r: _order(r, row))), row, started["folds"], tuple(tallies), better)


def _scores(one: Tally, row: Metric) -> Array:
    """Fold scores in a fixed order; empty unless the metric is defined on every fold, so that folds pair up."""
    ordered = [one.folds[k] for k in sorted(one.folds, key=lambda k: tuple(map(int, k.split("-"))))]
    values = [f.get(row.name) for f in ordered]
    return np.array([] if None in values else values, float)


def _groups(scores: dict[str, Array], judge: _Judge) -> dict[str, int]:
    lengths = {len(s) for s in scores.values()}
    if len(scores) < 2 or len(lengths) != 1:
        return {m: 1 for m in scores}
    rope = judge.metric.rope(judge.baseline or 0.0)
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
    return Row(
        name,
        one.title,
        one.status,
        score=found.mean,
        ci=found.within(row.bounds),
        folds=tuple(map(float, scores)),
        metrics=metrics,
        skill=None if judge.baseline is None else row.skill(found.mean, judge.baseline),
        fit_seconds=one.seconds,
    )


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _order(row: Row, by: Metric) -> tuple[float, ...]:
    if row.score is not None:
        return (0, -row.score if by.higher_is_better else row.score, models.simplicity(row.model))
    rank = {"ok": 1, "running": 2, "waiting": 3, "stopped": 4, "timeout": 5, "failed": 6}.get(row.status, 7)
    return (rank, 0.0, models.simplicity(row.model))
