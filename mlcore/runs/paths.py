"""Where everything lies in the folder of a run.

    experiment.json    what was asked                events.jsonl          what happened, live
    data.parquet       the rows                      predictions.parquet/  out-of-fold, one file per model
    dataset.json       how the rows were read        models/*.skops        pipelines fitted on all training rows
    plan.json          the resolved split            blend.json            members of the blend and their weights
    alerts.json        alerts about the data         holdout.jsonl         every look at the holdout
    search/            trials of searches            studies/              learning and validation curves
    estimators/        a person's own estimators     grown/                boosters kept so that they can be continued
    final/             models that were fitted on all training rows later, when they were asked for

While the run is under way there are also `folds/` (predictions of finished folds, so that it can be resumed),
`scratch/` (encoded arrays), `worker.pid`, `alive.lock` and `log.txt`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STUDIES, FINAL_FITS = "studies", "final"  # folders of a run in which other workers work


@dataclass(frozen=True)
class RunPaths:
    """The paths below one run's folder."""

    root: Path

    @property
    def experiment(self) -> Path:
        """What was asked."""
        return self.root / "experiment.json"

    @property
    def dataset(self) -> Path:
        """How the rows were read."""
        return self.root / "dataset.json"

    @property
    def data(self) -> Path:
        """The rows."""
        return self.root / "data.parquet"

    @property
    def plan(self) -> Path:
        """The resolved split."""
        return self.root / "plan.json"

    @property
    def alerts(self) -> Path:
        """Alerts about the data."""
        return self.root / "alerts.json"

    @property
    def known(self) -> Path:
        """Alerts of which a person has said that they are known."""
        return self.root / "known.json"

    @property
    def blend(self) -> Path:
        """Members of the blend and their weights."""
        return self.root / "blend.json"

    @property
    def holdout(self) -> Path:
        """Every look at the holdout."""
        return self.root / "holdout.jsonl"

    @property
    def log(self) -> Path:
        """What the worker printed."""
        return self.root / "log.txt"

    @property
    def estimators(self) -> Path:
        """A person's own estimators."""
        return self.root / "estimators"

    @property
    def scratch(self) -> Path:
        """Encoded arrays, while fits need them."""
        return self.root / "scratch"

    @property
    def folds(self) -> Path:
        """Predictions of finished folds, until a candidate is complete."""
        return self.root / "folds"

    def fold(self, model: str, key: str) -> Path:
        """A candidate's predictions on one fold, until all its folds are done."""
        return self.folds / model / f"{key}.npz"

    def predictions(self, model: str) -> Path:
        """A candidate's out-of-fold predictions."""
        return self.root / "predictions.parquet" / f"{model}.parquet"

    def model(self, model: str) -> Path:
        """A candidate's pipeline, fitted on all training rows."""
        return self.root / "models" / f"{model}.skops"

    def trials(self, model: str, key: str) -> Path:
        """The trials of a candidate's search inside one fold, or on all training rows."""
        return self.root / "search" / model / f"{key}.jsonl"

    def grown(self, model: str, key: str) -> Path:
        """A booster of one fold, kept so that it can be continued."""
        return self.root / "grown" / f"{model}-{key}.skops"

    def study(self, name: str) -> Path:
        """The folder of a study."""
        return self.root / STUDIES / name

    @property
    def final_fits(self) -> Path:
        """Where the workers of later fits on all training rows have their folders."""
        return self.root / FINAL_FITS
