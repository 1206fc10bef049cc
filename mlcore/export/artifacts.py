"""What a person takes away from a run: the model, a model card, a report, a script that does it again."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from mlcore.comparison.leaderboard import board_of
from mlcore.comparison.verdict import verdict
from mlcore.errors import BadInput, NotApplicable, NotFound
from mlcore.evaluate.evaluation import evaluate
from mlcore.export.evaluation_report import evaluation_sections
from mlcore.export.profile_report import page
from mlcore.models import storage
from mlcore.runs.folder import RunFolder
from mlcore.wording import number, plus_minus, several


def load_model(path: str | Path) -> Any:
    """Open a model that was exported: raw frame in, the target's own labels or values out.

    Raises NotFound, and CannotRead for a file with anything but a model in it.

    >>> load_model("no-such-model.skops")
    Traceback (most recent call last):
    mlcore.errors.NotFound: There is no file no-such-model.skops.
    """
    if not Path(path).is_file():
        raise NotFound(f"There is no file {path}.")
    return storage.load(Path(path))


def export_model(run: RunFolder, model: str, out: Path) -> list[Path]:
    """The fitted Pipeline as `model.skops`, its columns as `schema.json`, and three rows as `example.csv`."""
    run.model(model)  # fits it if that was deferred
    if run.experiment.candidate(model).is_blend:
        raise NotApplicable("A blend is several models; export its members one by one, or predict with this run.")
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(run.paths.model(model), out / "model.skops")
    features = run.experiment.schema.features()
    schema = {
        "target": run.experiment.recipe.target,
        "task": run.experiment.recipe.task,
        "classes": [str(c) for c in run.plan()["classes"]],
        "columns": [{"name": c.name, "kind": c.kind, "missing": c.missing} for c in features],
    }
    (out / "schema.json").write_text(json.dumps(schema, indent=1), encoding="utf-8")
    run.dataset.frame(features.names, range(min(3, run.dataset.rows))).to_csv(out / "example.csv", index=False)
    return [out / name for name in ("model.skops", "schema.json", "example.csv")]


# the card -------------------------------------------------------------------------------------------------------------


def card_markdown(run: RunFolder, model: str) -> str:
    """A model card: what it predicts, from what, how well, for whom it fails, and what speaks against it."""
    experiment, evaluation = run.experiment, evaluate(run, model)
    data, recipe, protocol = run.dataset, experiment.recipe, experiment.protocol
    metrics = [f"| {s.name} | {s.text()} | {s.metric.note} |" for s in evaluation.scores.rows if s.value is not None]
    looks = run.holdout_looks()
    holdout = "It was not opened." if not looks else " ".join(
        f"Look {k['look']}: {k['model']} {k['metric']} {number(k['value'])}." for k in looks
    )  # fmt: skip
    cautions = [f"- {a['text']}" for a in run.cautions()] or ["- Nothing stood out in the checks."]
    slices = evaluation.slices.sentence() if evaluation.slices else "No part of the rows was looked at."
    calibration = [evaluation.calibration.sentence()] if evaluation.calibration else []
    steps = recipe.closing_words(experiment.schema)
    return "\n".join(
        [
            f"# {evaluation.title}: {recipe.target}",
            "",
            f"Predicts **{recipe.target}** ({recipe.words()}) from {len(experiment.schema.features())} columns of "
            f"{data.name} ({data.rows:,} rows, fingerprint {data.fingerprint}).",
            "",
            "## How well",
            "",
            f"{protocol.words(recipe.task, data.rows)}. Intervals are 95 %.",
            "",
            "| metric | value | what it is |",
            "|---|---|---|",
            *metrics,
            "",
            *calibration,
            "",
            "## For whom it fails",
            "",
            slices,
            "",
            "## What speaks against believing it",
            "",
            *cautions,
            "",
            "## Holdout",
            "",
            holdout,
            "",
            "## How it was made",
            "",
            *(f"- {s.words(list(s.columns) if not isinstance(s.columns, str) else ['all'])}" for s in recipe.steps),
            *(f"- {line}" for line in steps),
            f"- Seed {protocol.seed}; Python {platform.python_version()}.",
            "",
            "## Intended use",
            "",
            "Rows like those of the training file. Where new rows differ, these figures do not hold: `holdout predict` "
            "says what differs.",
            "",
        ]
    )


# the report -----------------------------------------------------------------------------------------------------------


def report_html(run: RunFolder, model: str) -> str:
    """A report as one HTML page: the verdict, how it was tested, what speaks against it, the pictures of one model."""
    experiment, board = run.experiment, board_of(run)
    evaluation = evaluate(run, model)
    rows = "".join(
        f"<tr><td>{'★ ' if r.star else ''}{escape(r.title)}</td><td class='n'>"
        f"{escape(plus_minus(r.score, r.ci) if r.score is not None else r.status)}</td></tr>"
        for r in board.rows
    )
    cautions = "".join(f"<li>{escape(a['text'])}</li>" for a in run.cautions())
    looks = run.holdout_looks()
    source, seed = experiment.source.name, experiment.protocol.seed
    command = f"holdout compare {source} --target {experiment.recipe.target} --seed {seed}"
    parts = [
        f"<h1>{escape(experiment.source.name)}: {escape(experiment.recipe.target)}</h1>",
        f"<p><b>{escape(verdict(run).sentence())}</b></p>",
        f"<p class='soft'>{escape(experiment.protocol.words(experiment.recipe.task, run.dataset.rows))}.</p>",
        f"<h2>What speaks against believing it</h2><ul>{cautions}</ul>" if cautions else "",
        f"<h2>Leaderboard</h2><p>{escape(board.sentence())}</p><div class='wide'><table><tr><th>model</th>"
        f"<th>{escape(board.metric.title)}</th></tr>{rows}</table></div>",
        f"<h2>{escape(evaluation.title)}</h2><p>{escape(evaluation.sentence())}</p>",
        evaluation_sections(evaluation),
        "<h2>Holdout</h2><p>"
        + (f"Opened {len({k['look'] for k in looks})} times." if looks else "It was not opened.")
        + "</p>",
        f"<h2>Do it again</h2><pre>{escape(command)}</pre>",
    ]
    return page(f"{experiment.source.name}: {experiment.recipe.target}", "".join(parts))


# all of them ----------------------------------------------------------------------------------------------------------


def _write(make: Callable[[RunFolder, str], str], name: str) -> Callable[[RunFolder, str, Path], list[Path]]:
    def write(run: RunFolder, model: str, out: Path) -> list[Path]:
        path = out / name if out.is_dir() or not out.suffix else out
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(run, model), encoding="utf-8")
        return [path]

    return write


EXPORTS: dict[str, tuple[str, Callable[[RunFolder, str, Path], list[Path]]]] = {
    "model": ("the fitted model, its columns and an example", export_model),
    "card": ("a model card in Markdown", _write(card_markdown, "card.md")),
    "report": ("a report as one HTML page", _write(report_html, "report.html")),
}


def export(run: RunFolder, kind: str, model: str, out: Path) -> list[Path]:
    """Write one of `EXPORTS`; return the files. Raises BadInput for another kind, NotApplicable, NotFound."""
    if kind not in EXPORTS:
        raise BadInput(f"{kind!r} cannot be exported. Allowed are: {several(list(EXPORTS), 9)}.")
    return EXPORTS[kind][1](run, model, out)
