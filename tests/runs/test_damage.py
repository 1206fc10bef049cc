"""A run from elsewhere, or one that a crash has damaged: a sentence, no traceback, nothing outside its folder."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlcore.errors import BadInput, CannotRead, HoldoutError
from mlcore.run import Run
from mlcore.runs.paths import RunPaths

VERBS: dict[str, Callable[[Run], object]] = {
    "board": lambda run: run.board().sentence(),
    "progress": lambda run: run.progress().state,
    "evaluate": lambda run: run.evaluate("logistic").sentence(),
    "explain": lambda run: run.explain("logistic", row=3).sentence(),
    "blend": lambda run: run.model("blend"),
    "alerts": lambda run: run.cautions(),
    "verdict": lambda run: run.verdict().sentence(),
}
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "noise": lambda content: bytes((b * 7 + i) % 256 for i, b in enumerate(content[:3000])),
    "zeros in the middle": lambda content: content[: len(content) // 3] + b"\0" * 50 + content[len(content) // 3 :],
}
FILES = ["experiment.json", "events.jsonl", "plan.json", "dataset.json", "alerts.json", "blend.json",
         "predictions.parquet/logistic.parquet", "models/logistic.skops", "data.parquet"]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_a_sentence(runs, tmp_path, file, damage):
    folder = tmp_path / "run"
    shutil.copytree(runs["binary"].path, folder)
    path = folder / file
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    for verb in VERBS.values():
        with contextlib.suppress(HoldoutError):  # anything else would fail the test
            verb(Run(folder))
    assert isinstance(Run(folder).is_readable(), bool)


def test_a_broken_line_costs_no_other(runs, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(runs["binary"].path, folder)
    events = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "events.jsonl").write_bytes(b"".join([*events[:2], b"\0" * 50 + b"\n", *events[2:]]))
    assert len(Run(folder).board().rows) == len(runs["binary"].board().rows)


@pytest.mark.parametrize("name", ["../../../escaped/pwn", "/etc/passwd", "a/b", "..", "", "a\0b", "x" * 300])
def test_a_name_never_becomes_a_path(runs, tmp_path, name):
    folder = tmp_path / "run"
    shutil.copytree(runs["binary"].path, folder)
    data = json.loads((folder / "experiment.json").read_text())
    data["candidates"][1]["model"] = name
    (folder / "experiment.json").write_text(json.dumps(data))
    with pytest.raises(BadInput, match="cannot name a model"):
        _ = Run(folder).experiment
    paths = RunPaths(folder)
    for make in (
        paths.model,
        paths.predictions,
        paths.study,
        lambda n: paths.fold(n, "0"),
        lambda n: paths.trials("a", n),
    ):
        with pytest.raises(CannotRead, match="cannot name a file"):
            make(name)


def test_a_link_out_of_the_folder_is_not_followed(runs, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(runs["binary"].path, folder)
    model = folder / "models" / "logistic.skops"
    outside = Path(shutil.move(model, tmp_path / "outside.skops"))
    model.symlink_to(outside)
    with pytest.raises(CannotRead, match="is a link"):
        Run(folder).model("logistic")
