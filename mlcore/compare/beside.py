"""Runs beside one another: two on the same split, or the same models under different kinds of split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from mlcore import stats
from mlcore.compare.experiment import Experiment
from mlcore.compare.leaderboard import Row
from mlcore.compare.run import Run
from mlcore.errors import BadInput, NotApplicable
from mlcore.metrics import Metric, Task
from mlcore.protocol import SplitKind
from mlcore.result import Help, Result, number, plus_minus


@dataclass(frozen=True)
class Change:
    """One model in both runs: its scores, and what is known of the difference."""

    model: str
    title: str
    before: float
    after: float
    difference: stats.Difference  # the sign that makes better positive


@dataclass(frozen=True)
class SideBySide(Result):
    """Two runs on the same split: what the change between them brought to each model."""

    first: str
    second: str
    metric: Metric
    changes: tuple[Change, ...]
    best: tuple[Row, Row]

    help: ClassVar[Help] = Help(
        "Two comparisons of the same rows, cut into the same folds, so that scores can be paired fold by fold.",
        "A dot right of zero: the second run is better. Its bar is the 95 % interval, corrected for the overlap of "
        "training sets.",
        "Many changes at once: then it is not known which of them helped.",
        "Change one thing at a time, and keep it only when the bar clears zero.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a model."""
        return pd.DataFrame([
            {"model": c.model, "title": c.title, self.first: c.before, self.second: c.after,
             "better by": c.difference.mean, "low": c.difference.low, "high": c.difference.high, "p": c.difference.p}
            for c in self.changes
        ])  # fmt: skip

    def sentence(self) -> str:
        """Say which models changed beyond doubt."""
        adjusted = stats.holm([1.0 if np.isnan(c.difference.p) else c.difference.p for c in self.changes])
        sure = [c for c, p in zip(self.changes, adjusted, strict=True) if p < stats.ALPHA]
        if not sure:
            return (
                f"No measurable difference between {self.first} and {self.second} in any of {len(self.changes)} models."
            )
        better = sum(c.difference.mean > 0 for c in sure)
        big = max(sure, key=lambda c: abs(c.difference.mean))
        ci = (big.difference.low, big.difference.high)
        way = "better" if big.difference.mean > 0 else "worse"
        return (
            f"From {self.first} to {self.second}, {better} of {len(self.changes)} models got better and "
            f"{len(sure) - better} worse beyond doubt; most of all {big.title}, {way} by "
            f"{plus_minus(abs(big.difference.mean), ci)}."
        )


def why_not(first: Run, second: Run) -> str:
    """Why two runs cannot be compared; empty when they can."""
    a, b = first.experiment, second.experiment
    if a.source.fingerprint != b.source.fingerprint:
        return f"They are of different data: {a.source.name} and {b.source.name}."
    if (a.recipe.target, a.recipe.task) != (b.recipe.target, b.recipe.task):
        return f"They predict different things: {a.recipe.target} and {b.recipe.target}."
    if a.protocol.metric_for(a.recipe.task) != b.protocol.metric_for(b.recipe.task):
        return "They rank by different metrics."
    plans = [(r.path / "plan.json").exists() and r.plan().get("split") for r in (first, second)]
    if not all(plans):
        return "One of them did not get as far as splitting the rows."
    if plans[0] != plans[1]:
        return "Their rows are split otherwise (seed, folds, repeats or kind), so that scores cannot be paired."
    return ""


def side_by_side(first: Run, second: Run) -> SideBySide:
    """Compare two runs. Raises NotApplicable, with the reason, unless their splits are the same."""
    reason = why_not(first, second)
    if reason:
        raise NotApplicable(f"These two comparisons cannot be set side by side. {reason}")
    a, b = first.board(), second.board()
    before, after = ({r.model: r for r in board.ranked()} for board in (a, b))
    shared = [m for m in before if m in after and m != "dummy" and len(before[m].folds) == len(after[m].folds) > 1]
    if not shared:
        raise NotApplicable("These two comparisons have no finished model in common.")
    ratio = float(first.plan()["ratio"])
    changes = []
    for name in shared:
        old, new = (a.metric.signed(np.array(r[name].folds)) for r in (before, after))
        changes.append(Change(name, before[name].title, before[name].score or 0.0, after[name].score or 0.0,
                              stats.difference(new, old, ratio)))  # fmt: skip
    return SideBySide(first.name, second.name, a.metric, tuple(changes), (a.ranked()[0], b.ranked()[0]))


# the same models under other splits -----------------------------------------------------------------------------------

TITLES: dict[str, str] = {"random": "at random", "stratified": "at random", "group": "by group", "time": "by time"}


def other_splits(experiment: Experiment) -> list[tuple[SplitKind, Experiment]]:
    """The experiment under each kind of split that its columns allow, at random first. Raises BadInput for one only.

    Searches are left out: what is asked is what the same models score.
    """
    protocol, task = experiment.protocol, experiment.recipe.task
    candidates = tuple(replace(c, search=None) for c in experiment.candidates)
    plain: SplitKind = "random" if task == "regression" else "stratified"
    kinds: list[SplitKind] = [plain]
    kinds += [kind for kind, name in (("group", protocol.group), ("time", protocol.time)) if name is not None]  # type: ignore[misc]
    if len(kinds) < 2:
        raise BadInput(
            "A stress test sets a random split beside one by group or by time. Give a column the role group or time, "
            "or name one in the protocol."
        )
    return [(k, replace(experiment, protocol=replace(protocol, split=k), candidates=candidates)) for k in kinds]


def same_under_other_splits(experiment: Experiment, runs: list[tuple[str, Run]]) -> bool:
    """Whether runs are those of a stress test of this very experiment."""
    try:
        wanted = dict(other_splits(experiment))
    except BadInput:
        return False
    return all(run.experiment == wanted.get(kind) for kind, run in runs)  # type: ignore[call-overload]


@dataclass(frozen=True)
class Stress(Result):
    """The same models under different splits: the drop is the surprise to expect in production."""

    metric: Metric
    task: Task
    boards: tuple[tuple[str, tuple[Row, ...]], ...]  # by kind of split, at random first
    columns: dict[str, str]  # the group and the time column

    help: ClassVar[Help] = Help(
        "The same models, compared with rows cut at random, by group, and in order of time.",
        "Compare a model's dots: where the score falls, the random split had flattered it with known groups or with "
        "the future.",
        "Splits by group or time have fewer independent parts, so that their intervals are wider.",
        "Trust the split that is like what will come: new groups, or the future. Report that score.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a model and split."""
        return pd.DataFrame([
            {"model": r.model, "title": r.title, "split": kind, "score": r.score,
             "low": r.ci[0] if r.ci else None, "high": r.ci[1] if r.ci else None}
            for kind, rows in self.boards
            for r in rows
            if r.score is not None
        ])  # fmt: skip

    def sentence(self) -> str:
        """Say how far the best model of the random split falls under each other one."""
        first = [r for r in self.boards[0][1] if r.score is not None and r.model != "dummy"]
        if not first:
            return "No model has a score under the random split."
        best, said = first[0], []
        for kind, rows in self.boards[1:]:
            other = next((r for r in rows if r.model == best.model and r.score is not None), None)
            if other is None or other.score is None or best.score is None:
                continue
            drop = (best.score - other.score) * (1 if self.metric.higher_is_better else -1)
            wide = max((r.ci[1] - r.ci[0]) / 2 if r.ci else 0.0 for r in (best, other))
            where = f"Split by {self.columns.get(kind, kind)}"
            ends = f"{number(best.score)} to {number(other.score)}"
            if drop > wide:
                coming = "new groups" if kind == "group" else "later rows"
                said.append(f"{where}, {best.title} goes from {ends}: expect that surprise when {coming} come.")
            elif drop <= self.metric.rope(abs(best.score)):
                said.append(f"{where}, {best.title} holds: {ends}.")
            else:
                said.append(f"{where}, {best.title} goes from {ends}; with intervals this wide that may be chance.")
            dummy = next((r.score for r in rows if r.model == "dummy" and r.score is not None), None)
            sign = 1 if self.metric.higher_is_better else -1
            if dummy is not None and sign * (other.score - dummy) <= 0:
                said.append(f"There it is no better than the baseline ({number(dummy)}).")
        return " ".join(said)


def stress_of(runs: list[tuple[str, Run]]) -> Stress:
    """Set finished runs of one experiment under different splits beside one another."""
    protocol, task = runs[0][1].experiment.protocol, runs[0][1].experiment.recipe.task
    columns = {k: n for k, n in (("group", protocol.group), ("time", protocol.time)) if n is not None}
    boards = tuple((kind, run.board().rows) for kind, run in runs)
    return Stress(protocol.metric_for(task), task, boards, columns)
