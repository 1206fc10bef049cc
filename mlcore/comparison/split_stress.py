"""The same models under different kinds of split: how far scores fall is the surprise to expect in use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pandas as pd

from mlcore.comparison.leaderboard import Row, board_of
from mlcore.errors import BadInput
from mlcore.experiment.experiment import Experiment
from mlcore.result import Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.validation.metrics import Metric, Task
from mlcore.validation.protocol import SplitKind
from mlcore.wording import number

TITLES: dict[str, str] = {"random": "at random", "stratified": "at random", "group": "by group", "time": "by time"}


def other_splits(experiment: Experiment) -> list[tuple[SplitKind, Experiment]]:
    """The experiment under each kind of split that its columns allow, random first. Raises BadInput for one only.

    Searches are left out: the question is what the same models score.
    """
    protocol, task = experiment.protocol, experiment.recipe.task
    candidates = tuple(replace(c, search=None) for c in experiment.candidates)
    kinds: list[SplitKind] = ["random" if task == "regression" else "stratified"]
    if protocol.group is not None:
        kinds.append("group")
    if protocol.time is not None:
        kinds.append("time")
    if len(kinds) < 2:
        raise BadInput(
            "A stress test compares a random split with one by group or by time. Give a column the role group or time, "
            "or name one in the protocol."
        )
    return [(k, replace(experiment, protocol=replace(protocol, split=k), candidates=candidates)) for k in kinds]


def same_under_other_splits(experiment: Experiment, runs: list[tuple[str, RunFolder]]) -> bool:
    """Whether runs are those of a stress test of this experiment."""
    try:
        expected: dict[str, Experiment] = {kind: other for kind, other in other_splits(experiment)}
    except BadInput:
        return False
    return all(run.experiment == expected.get(kind) for kind, run in runs)


@dataclass(frozen=True, kw_only=True)
class SplitStressTest(Result):
    """The same models under different splits.

    `boards` are the rows of the leaderboards by kind of split, the random one first; `columns` the group and the time
    column.

    >>> SplitStressTest(metric=mlcore.METRICS[0], task="binary", boards=(("random", ()),), columns={}).sentence()
    'No model has a score under the random split.'
    """

    metric: Metric
    task: Task
    boards: tuple[tuple[str, tuple[Row, ...]], ...]
    columns: dict[str, str]

    help: ClassVar[Help] = Help(
        "The same models, compared on rows split at random, by group, and in order of time.",
        "Compare a model's dots: where the score falls, the random split was optimistic, because of known groups or of "
        "the future.",
        "Splits by group or time have fewer independent parts, so their intervals are wider.",
        "Trust the split that resembles the use: new groups, or the future. Report that score.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per model and split."""
        return pd.DataFrame(
            [
                {
                    "model": r.model,
                    "title": r.title,
                    "split": kind,
                    "score": r.score,
                    "low": r.ci[0] if r.ci else None,
                    "high": r.ci[1] if r.ci else None,
                }
                for kind, rows in self.boards
                for r in rows
                if r.score is not None
            ]
        )

    def sentence(self) -> str:
        """How far the best model of the random split falls under each other one."""
        first = [r for r in self.boards[0][1] if r.score is not None and not r.is_baseline]
        if not first:
            return "No model has a score under the random split."
        return " ".join(text for kind, rows in self.boards[1:] for text in self._fall(first[0], kind, rows))

    def _baseline(self) -> float:
        """The score of the baseline under the random split."""
        scores = (r.score for r in self.boards[0][1] if r.is_baseline and r.score is not None)
        return next(scores, self.metric.perfect - 1.0)

    def _fall(self, best: Row, kind: str, rows: tuple[Row, ...]) -> list[str]:
        other = next((r for r in rows if r.model == best.model), None)
        if other is None or other.score is None or best.score is None:
            return []
        drop = (best.score - other.score) * self.metric.sign
        width = max((r.ci[1] - r.ci[0]) / 2 if r.ci else 0.0 for r in (best, other))
        where = f"Split by {self.columns.get(kind, kind)}"
        ends = f"{number(best.score)} to {number(other.score)}"
        if drop > width:
            coming = "new groups" if kind == "group" else "later rows"
            sentences = [f"{where}, {best.title} falls from {ends}: expect that with {coming}."]
        elif drop <= self.metric.rope(self._baseline()):
            sentences = [f"{where}, {best.title} holds: {ends}."]
        else:
            sentences = [f"{where}, {best.title} goes from {ends}; with intervals this wide that may be chance."]
        baseline = next((r.score for r in rows if r.is_baseline and r.score is not None), None)
        if baseline is not None and self.metric.sign * (other.score - baseline) <= 0:
            sentences.append(f"There it is no better than the baseline ({number(baseline)}).")
        return sentences


def split_stress_of(runs: list[tuple[str, RunFolder]]) -> SplitStressTest:
    """Compare finished runs of one experiment under different splits."""
    protocol, task = runs[0][1].experiment.protocol, runs[0][1].experiment.recipe.task
    columns = {k: n for k, n in (("group", protocol.group), ("time", protocol.time)) if n is not None}
    boards = tuple((kind, board_of(run).rows) for kind, run in runs)
    return SplitStressTest(metric=protocol.metric_for(task), task=task, boards=boards, columns=columns)
