"""The events of a run gathered by candidate: fold scores, status and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlcore.experiment.experiment import Experiment
from mlcore.runs.events import Event

ENDED = "The run ended before this model was done."


@dataclass
class CandidateLog:
    """What the events say of one candidate so far."""

    title: str
    folds: dict[str, dict[str, float]] = field(default_factory=dict)  # metrics by the key of a fold
    undefined: dict[str, str] = field(default_factory=dict)  # why a metric has no value
    status: str = "waiting"  # waiting, running, ok, failed, timeout, stopped
    reason: str = ""
    seconds: float = 0.0  # of fitting, all folds together
    predict_seconds: float = 0.0
    train_scores: dict[str, float] = field(default_factory=dict)
    ci: tuple[float, float] | None = None
    rows: int | None = None  # that it was trained on, in one fold
    unconverged: int = 0  # folds whose fit ended before it converged
    bytes: int | None = None  # of the stored model
    description: str = ""  # the model in words: a rule, the members of a blend
    deferred: bool = False  # whether it is fitted on all training rows only when that is asked for

    def ordered(self) -> list[dict[str, float]]:
        """The metrics of the folds in the order of repeats and folds, whichever was done first."""
        return [self.folds[k] for k in sorted(self.folds, key=lambda k: tuple(map(int, k.split("-"))))]

    def add(self, event: Event) -> None:
        """Take in one event about this candidate."""
        if event["event"] == "fold":
            self._add_fold(event)
        elif event["event"] == "candidate":
            self.status, self.reason = event["status"], event["reason"]
            self.description = event.get("description", self.description)
        elif event["event"] == "fitted":
            self.bytes, self.description = event.get("bytes"), event.get("description", "")
            self.deferred = False
        elif event["event"] == "unfitted":
            self.deferred = False

    def _add_fold(self, event: Event) -> None:
        self.folds[event["key"]] = event["metrics"]
        self.undefined.update(event["undefined"])
        self.seconds += event["fit_seconds"]
        self.predict_seconds += event.get("predict_seconds", 0.0)
        self.rows = max(event.get("rows") or 0, self.rows or 0) or None
        self.ci = tuple(event["ci"]) if event.get("ci") else None
        self.unconverged += not event.get("converged", True)
        if event.get("train_score") is not None:
            self.train_scores[event["key"]] = event["train_score"]
        self.status = "running" if self.status == "waiting" else self.status


def candidate_logs(experiment: Experiment, events: Sequence[Event]) -> dict[str, CandidateLog]:
    """Gather the events by candidate, in the order of the experiment."""
    logs = {c.model: CandidateLog(c.label) for c in experiment.candidates}
    for event in events:
        for name in event.get("models", ()) if event["event"] == "deferred" else ():
            logs[name].deferred = True
        log = logs.get(event.get("model", ""))
        if log is not None:
            log.add(event)
        elif event["event"] in ("cancelled", "failed"):
            for unfinished in (c for c in logs.values() if c.status in ("waiting", "running")):
                unfinished.status, unfinished.reason = "stopped", ENDED
        elif event["event"] == "resumed":
            for stopped in (c for c in logs.values() if c.reason == ENDED):
                stopped.status, stopped.reason = "waiting", ""
    return logs
