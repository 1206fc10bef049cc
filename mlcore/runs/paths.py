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

import re
from dataclasses import dataclass
from pathlib import Path

from mlcore.errors import CannotRead

STUDIES, FINAL_FITS = "studies", "final"  # folders of a run in which other workers work


def file_name(name: str) -> str:
    """A name of a run's files as the name of a file: never a path. Raises CannotRead."""
    if not re.fullmatch(r"[\w\-]{1,120}", name):
        raise CannotRead(f"A part of this run is named {name!r}, which cannot name a file. The run was not made here.")
    return name


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

    def _inside(self, path: Path) -> Path:
        """A path that stays inside the run's folder, links included. Raises CannotRead."""
        if path.is_symlink() or path.parent.is_symlink():
            raise CannotRead(f"{path.name} of this run is a link, which may lead out of its folder; it was not opened.")
        return path

    def fold(self, model: str, key: str) -> Path:
        """A candidate's predictions on one fold, until all its folds are done."""
        return self.folds / file_name(model) / f"{file_name(key)}.npz"

    def predictions(self, model: str) -> Path:
        """A candidate's out-of-fold predictions."""
        return self.root / "predictions.parquet" / f"{file_name(model)}.parquet"

    def model(self, model: str) -> Path:
        """A candidate's pipeline, fitted on all training rows."""
        return self._inside(self.root / "models" / f"{file_name(model)}.skops")

    def searches(self, model: str) -> Path:
        """The folder of a candidate's searches."""
        return self.root / "search" / file_name(model)

    def trials(self, model: str, key: str) -> Path:
        """The trials of a candidate's search inside one fold, or on all training rows."""
        return self.searches(model) / f"{file_name(key)}.jsonl"

    def grown(self, model: str, key: str) -> Path:
        """A booster of one fold, kept so that it can be continued."""
        return self._inside(self.root / "grown" / f"{file_name(model)}-{file_name(key)}.skops")

    def study(self, name: str) -> Path:
        """The folder of a study."""
        return self.root / STUDIES / file_name(name)

    @property
    def final_fits(self) -> Path:
        """Where the workers of later fits on all training rows have their folders."""
        return self.root / FINAL_FITS
