"""Events to a leaderboard: means, intervals, tie groups, the star, and what it means in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.comparison.row_evidence import HEAVY, RowEvidence, gap_within, row_evidence
from mlcore.errors import NotApplicable
from mlcore.experiment.experiment import Experiment
from mlcore.models import catalogue
from mlcore.result import Array, Help, Result
from mlcore.runs.candidate_log import ENDED, CandidateLog, candidate_logs
from mlcore.runs.events import Event, first
from mlcore.runs.folder import RunFolder
from mlcore.validation import statistics
from mlcore.validation.metrics import Metric, Task, for_task, metric
from mlcore.wording import number, percent, plus_minus, several

PROBABLY = 0.9  # a model that is worse than the best with this probability is not recommended
MEMORISED, GAP, SMALL = 0.98, 0.1, 0.03  # fractions of the way from the baseline to a perfect score


@dataclass(frozen=True, kw_only=True)
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
    first: float | None = None  # probability that it is the best of all, given these folds
    better: float | None = None  # probability that it is better than the best by more than what matters
    equal: float | None = None  # … that the two are practically equivalent
    worse: float | None = None
    train_score: float | None = None
    fit: str = ""  # what the two scores mean together: overfitting or underfitting
    predict_seconds: float | None = None
    bytes: int | None = None  # of the stored model
    rows: int | None = None  # that it was trained on, in one fold
    description: str = ""  # the model in words: a rule, the members of a blend
    caveat: str = ""  # what is to be known of its fits, such as that they did not converge
    deferred: bool = False  # whether it is fitted on all training rows only when that is asked for

    @property
    def is_baseline(self) -> bool:
        """Whether it is the baseline."""
        return self.model == catalogue.BASELINE

    @property
    def is_blend(self) -> bool:
        """Whether it is the blend."""
        return self.model == catalogue.BLEND


COLUMNS = tuple(f.name for f in fields(Row))


@dataclass(frozen=True, kw_only=True)
class Leaderboard(Result):
    """All candidates, best first, then those without a score."""

    rows: tuple[Row, ...]
    metric: Metric
    folds: int
    order: tuple[str, ...]  # models in the order of the experiment, for their colours
    better: tuple[str, ...] = ()  # models that beat the baseline significantly
    ratio: float = 0.25  # test rows over training rows of a fold
    heavy: str = ""  # where one row makes much of the squared error

    help: ClassVar[Help] = Help(
        "Each model was trained and tested on the same folds; a dot is its mean score, the bar around it the 95 % "
        "interval: the wider of that of the folds, corrected for the overlap of training sets, and that of the rows.",
        "The shaded models do not differ significantly from the best. The star marks the simplest of them, excluding "
        "models that are probably worse; take it unless you have a reason not to. Skill is the fraction of the way "
        "from the baseline to a perfect score.",
        "The highest number alone: among equal models one is always first by luck. Intervals are too narrow where a "
        "few rows decide: RMSE and R² with heavy tails, MAPE with values near 0, precision of a class hardly ever "
        "predicted.",
        "If many are shaded, get more rows or repeats before you believe in a winner. Open the holdout once.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per candidate, with the fields of `Row` as columns."""
        return pd.DataFrame([{c: getattr(r, c) for c in COLUMNS} for r in self.rows], columns=list(COLUMNS))

    def ranked(self) -> list[Row]:
        """Only the rows with a score."""
        return [r for r in self.rows if r.status == "ok" and r.score is not None]

    @property
    def star(self) -> Row | None:
        """The simplest of the best models; None where there is none, or only the baseline."""
        return next((r for r in self.ranked() if r.star and not r.is_baseline), None)

    def row(self, model: str) -> Row:
        """The row of a model. Raises StopIteration for a model that the run does not have."""
        return next(r for r in self.rows if r.model == model)

    def fold_scores(self, model: str) -> FoldScores:
        """A model fold by fold, with the best (or the second, for the best itself). Raises NotApplicable."""
        one = self.row(model)
        if not one.folds:
            raise NotApplicable(f"{one.title} has no fold scores. {one.reason}".strip())
        if len(one.folds) == 1:
            raise NotApplicable("There was only one split, so there are no folds to compare.")
        other = next((r for r in self.ranked() if r.model != model and len(r.folds) == len(one.folds)), None)
        rows = (one,) if other is None else (one, other)
        slots = tuple(self.order.index(r.model) for r in rows)
        return FoldScores(rows=rows, slots=slots, metric=self.metric)

    def optimism(self) -> float:
        """How optimistic the best score is, because it was chosen from several: the winner's curse."""
        others = [r for r in self.ranked() if not r.is_baseline]
        if len(others) < 2 or len({len(r.folds) for r in others}) != 1 or len(others[0].folds) < 2:
            return 0.0
        scores = np.stack([self.metric.signed(np.array(r.folds)) for r in others], axis=1)
        return statistics.winners_curse(scores, self.ratio)

    def is_complete(self) -> bool:
        """Whether all models are done; until then the order is not final."""
        return not any(r.status in ("running", "waiting") for r in self.rows)

    def sentence(self) -> str:
        """What the comparison found, in words."""
        return " ".join(self.findings()) or "No model has a score yet."

    def findings(self) -> list[str]:
        """Up to three plain sentences: which model leads, which is simplest, and whether any beats the baseline."""
        ranked = self.ranked()
        others = [r for r in ranked if not r.is_baseline]
        if not self.is_complete():
            return [f"So far {len(ranked)} of {len(self.rows)} models are done; the order is not final."]
        if not others or len(ranked) < 2:
            return []
        if self.folds == 1:
            return [_one_split(ranked, self.metric)]
        sentences = [_leader(ranked, self.metric) + _confidence(ranked)]
        baseline = next((r for r in ranked if r.is_baseline), None)
        if baseline is not None:
            sentences.append(_against_baseline(others[0], baseline, self.metric, bool(self.better)))
        sentences += [self.heavy] if self.heavy else []
        unsteady = [r.title for r in self.rows if r.caveat]
        if unsteady:
            sentences.append(
                f"{several(unsteady)} did not converge in some folds; more iterations, or scaled columns, help."
            )
        missing = [r.title for r in self.rows if r.status in ("failed", "timeout")]
        if missing:
            sentences.append(f"{several(missing)} failed; see the reasons below the table.")
        if unfinished := sum(r.reason == ENDED for r in self.rows):
            sentences.append(f"{unfinished} of {len(self.rows)} models are missing, because the run ended early.")
        return sentences

    def beats_baseline(self) -> bool | None:
        """Whether any model beats the baseline significantly; None while that is open."""
        ranked = self.ranked()
        known = any(r.is_baseline for r in ranked) and len(ranked) > 1 and self.folds > 1 and self.is_complete()
        return bool(self.better) if known else None


@dataclass(frozen=True, kw_only=True)
class FoldScores(Result):
    """Models fold by fold: all were trained and tested on the same rows in each."""

    rows: tuple[Row, ...]
    slots: tuple[int, ...]  # places in the experiment, for the colours
    metric: Metric

    help: ClassVar[Help] = Help(
        "The score on each fold, on the same test rows for all models.",
        "Lines that rise and fall together: some folds are harder for every model. The gap between lines is what "
        "counts.",
        "A gap in only one fold is that fold's luck.",
        "If a fold stands out for all models, look at its rows.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per fold, one column per model."""
        folds = pd.DataFrame({r.title: r.folds for r in self.rows})
        folds.insert(0, "fold", range(1, len(folds) + 1))
        return folds

    def sentence(self) -> str:
        """The range of the first, and in how many folds it is better than the other."""
        one = self.rows[0]
        text = f"{one.title}: {number(min(one.folds))} to {number(max(one.folds))} over {len(one.folds)} folds"
        if len(self.rows) < 2:
            return text + "."
        other = self.rows[1]
        pairs = zip(self.metric.signed(np.array(one.folds)), self.metric.signed(np.array(other.folds)), strict=True)
        ahead = sum(bool(a > b) for a, b in pairs)
        return f"{text}; better than {other.title} in {ahead} of them."


# in words -------------------------------------------------------------------------------------------------------------


def _leader(ranked: list[Row], row: Metric) -> str:
    top = [r for r in ranked if r.group == 1]
    best = ranked[0]
    score = f"{row.title} {plus_minus(best.score, best.ci)}"
    if len(top) == 1:
        than = "the baseline" if len(ranked) == 2 else "every other model that has a score"
        return f"{best.title} is better than {than}: {score}."
    if len(top) == len(ranked):
        differ = "no other model differs significantly from it"
    else:
        others = [r.title for r in top[1:]]
        differ = f"{several(others, 6)} {'does' if len(others) == 1 else 'do'} not differ significantly from it"
    return f"{best.title} leads with {score}; {differ}. {_simplest_choice(top)}"


def _simplest_choice(top: list[Row]) -> str:
    star = next(r for r in top if r.star)
    if star is not top[0]:
        return f"The simplest choice among them is {star.title}."
    simpler = any(catalogue.simplicity(r.model) < catalogue.simplicity(star.model) for r in top)
    return "The simpler ones among them are probably worse." if simpler else "It is also the simplest of them."


def _one_split(ranked: list[Row], row: Metric) -> str:
    """After one validation split: the best score, and that one split cannot decide."""
    best = ranked[0]
    interval = f" ({number(best.ci[0])} to {number(best.ci[1])})" if best.ci else ""
    return (
        f"{best.title} has the best score, {row.title} {number(best.score)}{interval}. One split does not show how "
        "much scores vary from split to split: use folds to compare models."
    )


def _confidence(ranked: list[Row]) -> str:
    """How often the best comes first, and how the simplest of its group compares with it."""
    best, star = ranked[0], next((r for r in ranked if r.star), None)
    if best.first is None:
        return ""
    text = f" {best.title} comes first in {round(100 * best.first)} % of resamples"
    if star is not None and star is not best and star.equal is not None:
        text += f"; {star.title} is as good with probability {star.equal:.2f}, worse with {star.worse:.2f}"
    return text + "."


def _against_baseline(best: Row, baseline: Row, row: Metric, is_better: bool) -> str:
    if not is_better:
        return (
            f"Nothing beats the baseline, which uses no column ({row.title} {number(baseline.score)}): no skill can be "
            "shown with this data."
        )
    return (
        f"The baseline, which uses no column, scores {number(baseline.score)}; {best.title} goes "
        f"{round(100 * (best.skill or 0))} % of the way from there to a perfect score."
    )


# making it ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ScoringContext:
    """What all rows are scored against."""

    metric: Metric
    task: Task
    ratio: float
    baseline: Array | None  # fold scores of the baseline
    evidence: dict[str, RowEvidence] = field(default_factory=dict)  # by model: what its rows say
    chosen: bool = True  # whether it is the metric that the run ranks by, for which more was kept

    @property
    def baseline_score(self) -> float | None:
        """The mean score of the baseline."""
        return None if self.baseline is None else float(self.baseline.mean())

    @property
    def rope(self) -> float:
        """The region of practical equivalence."""
        worst = self.metric.perfect - 1.0 if self.metric.higher_is_better else 0.0
        return self.metric.rope(worst if self.baseline_score is None else self.baseline_score)

    def within(self, first: str, second: str) -> float | None:
        """The variance of the difference of two models on a fold that its rows show."""
        return gap_within(self.evidence.get(first), self.evidence.get(second))


def board_of(run: RunFolder, by: str | None = None) -> Leaderboard:
    """The leaderboard of a run, computed once for the events so far. Raises BadChoice for an unknown metric."""
    experiment = run.experiment
    other = by if by != experiment.protocol.metric_for(experiment.recipe.task).name else None
    return run.once(("board", other), lambda: leaderboard(experiment, run.events(), other, _evidence(run, other)))


def _evidence(run: RunFolder, by: str | None) -> dict[str, RowEvidence]:
    """What the rows of each finished model say of its score."""
    experiment = run.experiment
    task = experiment.recipe.task
    row = metric(by, task) if by else experiment.protocol.metric_for(task)
    of = {m: row_evidence(run, m, row) for m in run.predicted()}
    return {m: e for m, e in of.items() if e is not None}


def leaderboard(
    experiment: Experiment,
    events: Sequence[Event],
    by: str | None = None,
    evidence: dict[str, RowEvidence] | None = None,
) -> Leaderboard:
    """Build the leaderboard from a run's events; `by` names another metric to rank by, without a refit.

    `evidence` is what the rows of each model say of its score.
    """
    task = experiment.recipe.task
    chosen = experiment.protocol.metric_for(task)
    row = metric(by, task) if by else chosen
    row = replace(row, title=row.titled(experiment.recipe.positive), of_positive=False)
    started = first(events, "started") or {"folds": 0, "ratio": 0.25}
    logs = candidate_logs(experiment, events)
    evidence = evidence or {}
    scores = {m: _scores(log, row, evidence.get(m)) for m, log in logs.items() if log.status == "ok"}
    scores = {m: s for m, s in scores.items() if len(s)}
    context = ScoringContext(
        metric=row,
        task=task,
        ratio=started["ratio"],
        baseline=scores.get(catalogue.BASELINE),
        chosen=row.name == chosen.name,
        evidence=evidence,
    )
    groups = _groups(scores, context) if started["folds"] > 1 else {}
    compared = _compared_with_best(scores, context)
    worthy = [m for m, g in groups.items() if g == 1 and compared.get(m, {}).get("worse", 0.0) < PROBABLY]
    final = all(log.status not in ("running", "waiting") for log in logs.values())
    better = _better_than_baseline(scores, context)
    if better:  # while something is better than the baseline, it is not the model to use
        worthy = [m for m in worthy if m != catalogue.BASELINE] or [m for m in groups if groups[m] == 1 and m in better]
    star = catalogue.simplest(worthy) if worthy and final else None
    rows = [_row(m, log, scores.get(m), context) for m, log in logs.items()]
    rows = [replace(r, group=groups.get(r.model), star=r.model == star, **compared.get(r.model, {})) for r in rows]
    rows = [replace(r, fit=_fit_words(r, context)) for r in rows]
    return Leaderboard(
        rows=tuple(sorted(rows, key=lambda r: _order(r, row))),
        metric=row,
        folds=started["folds"],
        order=tuple(logs),
        better=better,
        heavy=_heavy(rows, context),
        ratio=context.ratio,
    )


def _compared_with_best(scores: dict[str, Array], context: ScoringContext) -> dict[str, dict[str, Any]]:
    """For each model: the probability that it is the best, and those of its difference to the highest mean."""
    if len(scores) < 2 or len({len(s) for s in scores.values()}) != 1 or len(next(iter(scores.values()))) < 2:
        return {}
    signed = {m: context.metric.signed(s) for m, s in scores.items()}
    probabilities = statistics.probability_best(np.stack(list(signed.values()), axis=1), context.ratio)
    best = max(signed, key=lambda m: float(signed[m].mean()))
    compared: dict[str, dict[str, Any]] = {}
    for (name, values), probability in zip(signed.items(), probabilities, strict=True):
        gap = statistics.difference(values, signed[best], context.ratio, context.rope, context.within(name, best))
        compared[name] = {"first": float(probability), "better": gap.better, "equal": gap.equal, "worse": gap.worse}
    return compared


def _fit_words(row: Row, context: ScoringContext) -> str:
    """Overfitting or underfitting: the skill on training rows, compared with the skill on test rows."""
    baseline = context.baseline_score
    if row.score is None or row.train_score is None or baseline is None or row.is_baseline or row.is_blend:
        return ""
    on_train, on_test = (context.metric.skill(v, baseline) for v in (row.train_score, row.score))
    if on_train is None or on_test is None:
        return ""
    gap = on_train - on_test
    if gap > GAP:
        how = "memorises its training rows" if on_train > MEMORISED else "overfits"
        return f"{how}: {number(row.train_score)} on them, {number(row.score)} on test rows"
    if gap < SMALL and row.group != 1:
        return f"underfits: {number(row.train_score)} even on its training rows"
    return f"fits: {number(row.train_score)} on its training rows"


def _scores(log: CandidateLog, row: Metric, evidence: RowEvidence | None) -> Array:
    """Fold scores in a fixed order; empty unless the metric is defined on every fold, so that folds pair up.

    A metric that is pooled has its value on all rows as the mean; the folds say how much it varies.
    """
    values = [f.get(row.name) for f in log.ordered()]
    if None in values:
        return np.array([], float)
    scores = np.array(values, float)
    pooled = _pooled(row, evidence, len(scores))
    return scores if pooled is None else scores + (pooled - scores.mean())


def _pooled(row: Metric, evidence: RowEvidence | None, folds: int) -> float | None:
    """The value of a pooled metric on all rows of a repeat; None for other metrics, and after a single split."""
    return evidence.pooled if row.pooled and evidence is not None and folds > 1 else None


def _groups(scores: dict[str, Array], context: ScoringContext) -> dict[str, int]:
    lengths = {len(s) for s in scores.values()}
    if len(scores) < 2 or len(lengths) != 1:
        return {m: 1 for m in scores}
    signed = {m: context.metric.signed(s) for m, s in scores.items()}
    return statistics.tie_groups(signed, context.ratio, context.rope, context.within)


def _better_than_baseline(scores: dict[str, Array], context: ScoringContext) -> tuple[str, ...]:
    """Models that beat the baseline significantly, each tested against it, with Holm's adjustment."""
    if context.baseline is None:
        return ()
    others = [m for m in scores if m != catalogue.BASELINE and len(scores[m]) == len(context.baseline)]
    negated = [-context.metric.signed(scores[m]) for m in others]
    significant = statistics.significantly_worse(
        -context.metric.signed(context.baseline), negated, context.ratio,
        within=lambda i: context.within(catalogue.BASELINE, others[i]),
    )  # fmt: skip
    return tuple(m for m, is_better in zip(others, significant, strict=True) if is_better)


def _row(name: str, log: CandidateLog, scores: Array | None, context: ScoringContext) -> Row:
    row = context.metric
    metrics: dict[str, float | None] = {}
    if log.status == "ok":
        metrics = {m.name: _mean([f.get(m.name) for f in log.ordered()]) for m in for_task(context.task)}
        evidence = context.evidence.get(name)
        if evidence is not None and len(log.folds) > 1:
            metrics |= {n: v for n, v in evidence.together.items() if metrics.get(n) is not None}
    if scores is None:
        reason = log.reason
        if log.status == "ok":
            why = log.undefined.get(row.name, "a fold has no value")
            reason = why if why.startswith(row.title) else f"{row.title} is undefined: {why}"
        return Row(
            model=name,
            title=log.title,
            status=log.status,
            metrics=metrics,
            fit_seconds=log.seconds or None,
            reason=reason,
        )
    mean = statistics.interval(scores, context.ratio)
    ci = score_interval(mean, row, context.evidence.get(name))
    pooled = _pooled(row, context.evidence.get(name), len(scores))
    train_scores = list(log.train_scores.values())
    baseline = context.baseline_score
    return Row(
        model=name,
        title=log.title,
        status=log.status,
        score=mean.mean if pooled is None else pooled,
        ci=log.ci if ci is None and context.chosen else ci,
        folds=tuple(float(f[row.name]) for f in log.ordered()),
        metrics=metrics,
        skill=None if baseline is None else row.skill(mean.mean, baseline),
        fit_seconds=log.seconds,
        skill_ci=_skill_interval(scores, context),
        train_score=float(np.mean(train_scores)) if train_scores and context.chosen else None,
        predict_seconds=log.predict_seconds,
        bytes=log.bytes,
        rows=log.rows,
        description=log.description,
        caveat=_convergence(log),
        deferred=log.deferred,
    )


def _convergence(log: CandidateLog) -> str:
    """Where fits ended before they converged: how many, and what helps."""
    if not log.unconverged:
        return ""
    return (
        f"{log.unconverged} of {len(log.folds)} fits did not converge: its score may be too low. Allow more "
        "iterations, or scale the columns."
    )


def score_of(
    log: CandidateLog, row: Metric, evidence: RowEvidence | None, ratio: float
) -> tuple[float | None, tuple[float, float] | None]:
    """The score of one model by any metric, and its interval, as on the leaderboard; None where it is undefined."""
    scores = _scores(log, row, evidence)
    if not len(scores):
        return None, None
    mean, pooled = statistics.interval(scores, ratio), _pooled(row, evidence, len(scores))
    return mean.mean if pooled is None else pooled, score_interval(mean, row, evidence)


Z, RULE_OF_THREE = 1.959964, 3.0


def score_interval(mean: statistics.Interval, row: Metric, evidence: RowEvidence | None) -> tuple[float, float] | None:
    """The wider of the interval of the folds and that of the rows.

    A perfect or a zero score has an interval too: that of Hanley and Lippman-Hand's rule of three (JAMA 249, 1983).
    """
    ci = mean.within(row.bounds)
    if evidence is None or evidence.error is None or ci is None:
        return ci
    half = max(mean.half, Z * evidence.error)
    at_an_end = mean.mean in row.bounds and half <= 1e-12
    if at_an_end:
        half = RULE_OF_THREE / max(evidence.rare if not row.by_row else evidence.rows, 1)
    return max(mean.mean - half, row.bounds[0]), min(mean.mean + half, row.bounds[1])


def _heavy(rows: list[Row], context: ScoringContext) -> str:
    """Where one row makes much of the squared error of the best model: which, and what to use instead."""
    ranked = [r for r in rows if r.score is not None and not r.is_baseline]
    if context.metric.name not in ("rmse", "r2") or not ranked:
        return ""
    best = max(ranked, key=lambda r: context.metric.sign * (r.score or 0.0))
    evidence = context.evidence.get(best.model)
    if evidence is None or evidence.heaviest is None or evidence.heaviest[1] <= HEAVY:
        return ""
    row, fraction = evidence.heaviest
    return (
        f"One row (row {row}) makes {percent(fraction)} of the squared error of {best.title}, so "
        f"{context.metric.title} says "
        "more about it than about the others. MAE is steadier (rank by mae)."
    )


def _skill_interval(scores: Array, context: ScoringContext) -> tuple[float, float] | None:
    """The corrected interval of the difference to the baseline, as a fraction of the way to a perfect score."""
    baseline = context.baseline_score
    if context.baseline is None or baseline is None or len(scores) != len(context.baseline) or len(scores) < 2:
        return None
    if context.metric.skill(baseline, baseline) is None:
        return None
    way = context.metric.perfect - baseline
    skill = statistics.interval((scores - context.baseline) / way, context.ratio)
    return skill.low, skill.high


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


_STATUS_ORDER = ("ok", "running", "waiting", "stopped", "timeout", "failed")


def _order(row: Row, by: Metric) -> tuple[float, ...]:
    if row.score is not None:
        return (0, -by.sign * row.score, catalogue.simplicity(row.model))
    return (1 + _STATUS_ORDER.index(row.status), 0.0, catalogue.simplicity(row.model))
