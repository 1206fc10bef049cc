"""Writing the folder of a new run, and taking over what an earlier run has already computed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

from mlcore.data.dataset import Dataset
from mlcore.data.workspace import write_whole
from mlcore.errors import BadInput
from mlcore.experiment.experiment import Experiment
from mlcore.models import storage
from mlcore.runs import events
from mlcore.runs.folder import RunFolder
from mlcore.runs.paths import RunPaths


def write_run(folder: Path, experiment: Experiment, dataset: Dataset) -> None:
    """Put an experiment and its data into a run's folder; the data are hard-linked where that is possible.

    Raises BadInput when the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} already exists and is not empty. Give a folder that does not exist yet.")
    folder.mkdir(parents=True, exist_ok=True)
    paths = RunPaths(folder)
    own = {c.model: c.estimator for c in experiment.candidates if c.estimator is not None}
    for name, estimator in own.items():
        paths.estimators.mkdir(exist_ok=True)
        storage.dump(estimator, paths.estimators / f"{name}.skops")
    if own:
        write_whole(paths.estimators / "modules.json", json.dumps(storage.modules_of(list(own.values()))))
    link(dataset.path, paths.data)
    write_whole(paths.dataset, json.dumps(dataset.to_json()))
    write_whole(paths.experiment, json.dumps(experiment.to_json(), indent=1))


def carry_over(old: RunFolder, new: RunFolder) -> list[str]:
    """Take over from an earlier run what a new one would compute again: equal candidates on the same split.

    Returns their names. The new run must not have been started; its worker finds them done.
    """
    same = _equal_candidates(old, new)
    if not same:
        return []
    for name in same:
        link(old.paths.predictions(name), new.paths.predictions(name))
        if old.paths.model(name).exists():
            link(old.paths.model(name), new.paths.model(name))
        for path in old.paths.searches(name).glob("*.jsonl"):
            copy = new.paths.trials(name, path.stem)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)  # they are appended to
    for path in (old.path / "grown").glob("*.skops"):
        if path.name.rsplit("-", 2)[0] in same:
            link(path, new.path / "grown" / path.name)
    link(old.paths.plan, new.paths.plan)
    _copy_events(old, new, same)
    return same


def _copy_events(old: RunFolder, new: RunFolder, same: list[str]) -> None:
    with (new.path / events.NAME).open("a", encoding="utf-8") as file:
        for event in old.events():
            taken = event["event"] in ("fold", "candidate", "fitted") and event["model"] in same
            started = {"candidates": len(new.experiment.candidates)} if event["event"] == "started" else {}
            if taken or started:
                file.write(json.dumps({**event, **started, "seconds": 0.0, "carried": True}) + "\n")


def _equal_candidates(old: RunFolder, new: RunFolder) -> list[str]:
    """Candidates of a new run that an old one has already done: all that decides their numbers is equal."""
    a, b = old.experiment, new.experiment
    if replace(a, candidates=()) != replace(b, candidates=()) or not old.paths.plan.exists():
        return []
    if any(c.unlabelled for c in a.candidates) != any(c.unlabelled for c in b.candidates):
        return []
    done = set(old.fitted()) | old.deferred()
    return [c.model for c in b.candidates if c in a.candidates and c.model in done and not c.is_blend]


def link(old: Path, new: Path) -> None:
    """A second name of the same file, or a copy where the file system has no links; an existing file stays."""
    new.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        try:
            os.link(old, new)
        except FileExistsError:
            raise
        except OSError:
            shutil.copyfile(old, new)
