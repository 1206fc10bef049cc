"""The command `holdout`: start the dashboard, or profile, compare, evaluate and explain from a terminal.

Results go to standard output, errors to standard error as one sentence. Exit status: 2 for bad input, 1 for a run that
failed, 0 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mlcore.errors import BadInput, HoldoutError
from mlcore.workspace import shipped


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence, not a page of usage."""
        raise BadInput(f"{message[0].upper()}{message[1:]}. `{self.prog} --help` lists what is allowed.")


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = _Parser(
        prog="holdout",
        description="Explore data, compare models, trust the winner.",
        epilog="Without a command the dashboard starts; `holdout FILE` opens it with a file.",
    )
    top.add_argument("--version", action="version", version=_version())
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    for add in (_add_start, _add_profile, _add_compare, _add_evaluate, _add_explain, _add_studies, _add_runs):
        add(commands)
    return top


def _add_start(commands: Any) -> None:
    start = commands.add_parser("start", help="start the dashboard (the default)")
    start.add_argument("file", nargs="?", help="a file to open with it")
    start.add_argument("--host", default="127.0.0.1")
    start.add_argument("--port", type=int, default=8501)
    start.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    start.set_defaults(do=_start)


def _add_profile(commands: Any) -> None:
    profile = commands.add_parser("profile", help="look at a file: columns, kinds, alerts")
    profile.add_argument("file")
    profile.add_argument("--target", help="the column to predict, so that alerts can look at it")
    profile.add_argument("--json", metavar="OUT", help="write JSON to a file, or to standard output with -")
    profile.add_argument("--html", metavar="OUT", help="write a report as one HTML file")
    _reading(profile)
    profile.set_defaults(do=_profile)


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser("compare", help="compare models on a file")
    compare.add_argument("file")
    compare.add_argument("--target", required=True, metavar="COL")
    compare.add_argument("--task", default="auto", help="auto, binary, multiclass or regression")
    compare.add_argument("--models", help="names, separated by commas")
    compare.add_argument("--preset", default="standard", help="quick, standard or thorough")
    compare.add_argument("--metric", default="auto")
    compare.add_argument("--folds", type=int, default=5)
    compare.add_argument("--repeats", type=int, default=None)
    compare.add_argument(
        "--split", default="auto", help="auto, random, stratified, group, time, leave_one_out or validation"
    )
    compare.add_argument("--group", metavar="COL")
    compare.add_argument("--time", metavar="COL")
    compare.add_argument("--holdout", type=float, default=0.2, metavar="FRACTION")
    compare.add_argument("--recipe", metavar="FILE.json")
    compare.add_argument("--ignore", default="", help="columns to leave out, separated by commas")
    compare.add_argument("--time-limit", type=float, default=600.0, metavar="SECONDS", help="for each model")
    compare.add_argument("--jobs", type=int, default=None, help="processes; all cores by default")
    compare.add_argument("--seed", type=int, default=0)
    compare.add_argument("--run", metavar="DIR", help="the run's folder; made in the workspace by default")
    compare.add_argument("--open-holdout", action="store_true", help="score the best model on the locked rows; counted")
    compare.add_argument("--race", action="store_true", help="stop models that cannot come first any more")
    compare.add_argument("--fast", action="store_true", help="use scikit-learn-intelex where it is installed")
    compare.add_argument("--validation", type=float, default=0.1, metavar="FRACTION",
                         help="rows to validate on, with --split validation")  # fmt: skip
    compare.add_argument("--set", action="append", default=[], metavar="MODEL.PARAMETER=VALUE",
                         help="a parameter of a model; can be given several times")  # fmt: skip
    compare.add_argument("--rule", metavar="FILE.json", help="your own rule, as a file or as JSON text")
    compare.add_argument(
        "--tune", metavar="NAMES", help="models whose parameters are searched, or all; what --set sets stays"
    )
    compare.add_argument("--search", default="tpe", help="how: tpe, gp, random, sobol or grid")
    compare.add_argument("--trials", type=int, default=20, help="settings tried in each search")
    compare.add_argument("--search-seconds", type=float, default=0.0, help="for each search; 0 is no limit")
    compare.add_argument("--json", metavar="OUT")
    _reading(compare)
    compare.set_defaults(do=_compare)


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="evaluate a model of a run")
    evaluate.add_argument("run")
    evaluate.add_argument("--model")
    evaluate.add_argument("--json", metavar="OUT")
    evaluate.set_defaults(do=_evaluate)


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser("explain", help="explain one prediction with LIME")
    explain.add_argument("run")
    explain.add_argument("--row", type=int, required=True, metavar="N", help="position in the file, from 0")
    explain.add_argument("--model")
    explain.add_argument("--label", help="the class to explain")
    explain.add_argument("--samples", type=int, default=1000)
    explain.add_argument("--locality", type=float, default=0.5)
    explain.add_argument("--json", metavar="OUT")
    explain.set_defaults(do=_explain)


def _add_studies(commands: Any) -> None:
    resume = commands.add_parser("resume", help="go on with a run that was cancelled or broke off")
    resume.add_argument("run")
    resume.add_argument("--jobs", type=int, default=None)
    resume.add_argument("--json", metavar="OUT")
    resume.set_defaults(do=_resume)
    curve = commands.add_parser("curve", help="a learning curve, or what one parameter of a model does")
    curve.add_argument("run")
    curve.add_argument("--model")
    curve.add_argument("--knob", metavar="PARAMETER", help="draw the score over this parameter instead of rows")
    curve.add_argument("--json", metavar="OUT")
    curve.set_defaults(do=_curve)


def _add_runs(commands: Any) -> None:
    runs = commands.add_parser("runs", help="list the runs")
    runs.set_defaults(do=_runs)
    show = commands.add_parser("show", help="show the leaderboard of a run")
    show.add_argument("run")
    show.add_argument("--json", metavar="OUT")
    show.set_defaults(do=_show)


def _reading(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("reading")
    group.add_argument("--delimiter", help="of text files; found out by default")
    group.add_argument("--encoding")
    group.add_argument("--decimal", choices=[".", ","])
    group.add_argument("--dates", choices=["day", "month"], help="which comes first in dates such as 03/04/2024")
    group.add_argument("--part", "--sheet", help="the sheet of a workbook, or the file of an archive")
    group.add_argument("--skip", type=int, metavar="LINES", help="lines above the table to pass over")
    group.add_argument("--quote", choices=['"', "'", "none"])
    group.add_argument("--missing", metavar="TEXTS", help="texts that stand for a missing cell, separated by commas")
    group.add_argument("--short-rows", choices=["skip", "fill"], help="what to do with rows of too few cells")
    group.add_argument("--text", metavar="COLS", help="columns to keep as they are written, separated by commas")
    group.add_argument("--header", action="store_true", help="the first line names the columns")
    group.add_argument("--no-header", action="store_true", help="the first line holds data, not names")
    group.add_argument("--query", help="a table's name or a SELECT, where FILE is the address of a database")
    group.add_argument("--rows", type=int, help="at most so many rows of a database")
    group.add_argument("--endpoint", help="of S3-compatible storage, where FILE is s3://bucket/key")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        top = parser()
        arguments = top.parse_args(_with_default(words, top))
        _check_out(getattr(arguments, "json", None))
        _check_out(getattr(arguments, "html", None))
        do: Callable[[Any], None] = arguments.do
        do(arguments)
    except BadInput as error:
        print(f"holdout: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        sys.stderr.close()
    except HoldoutError as error:
        print(f"holdout: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"holdout: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("holdout: stopped.", file=sys.stderr)
        return 1
    return 0


def _with_default(words: list[str], top: argparse.ArgumentParser) -> list[str]:
    """Without a command, start the dashboard."""
    action = next(a for a in top._actions if isinstance(a, argparse._SubParsersAction))
    first = next((w for w in words if not w.startswith("-")), None)
    if first in action.choices or any(w in ("-h", "--help", "--version") for w in words[:1]):
        return words
    if first is not None and not Path(first).exists() and words[0] == first:
        raise BadInput(f"{first!r} is neither a command nor a file. Commands: {', '.join(action.choices)}.")
    return ["start", *words]


def _check_out(out: str | None) -> None:
    """Refuse an output that cannot be written before the work is done, not after."""
    if out not in (None, "-") and not Path(str(out)).resolve().parent.is_dir():
        raise BadInput(f"There is no folder {str(Path(str(out)).parent)!r} to write {out!r} into.")


def _version() -> str:
    import mlcore

    return f"holdout {mlcore.__version__}"


def _emit(data: dict[str, Any], out: str | None) -> bool:
    """Write JSON where it is wanted; say whether it went to standard output."""
    if out is None:
        return False
    text = json.dumps(_finite(data), indent=None if out == "-" else 1, default=str)
    if out == "-":
        print(text)
        return True
    Path(out).write_text(text + "\n", encoding="utf-8")
    return False


def _finite(value: Any) -> Any:
    """Plain JSON: no NaN, no infinity, no numpy."""
    import math

    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(frame: Any) -> str:
    """A frame as aligned text."""
    cells = [[str(c) for c in frame.columns], *([str(v) for v in row] for row in frame.itertuples(index=False))]
    widths = [max(len(r[i]) for r in cells) for i in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("─" * w for w in widths), *lines[1:]])


def _read(arguments: Any) -> Any:
    from mlcore.ingest import read
    from mlcore.ingest.options import DATABASE, MOST_ROWS, ReadOptions, Stored, Table

    markers, kept = _names(arguments.missing), _names(arguments.text)
    options = ReadOptions(
        delimiter="\t" if arguments.delimiter in ("\\t", "tab") else arguments.delimiter,
        encoding=arguments.encoding,
        header=True if arguments.header else False if arguments.no_header else None,
        skip=arguments.skip,
        quote=arguments.quote,
        decimal=arguments.decimal,
        dates=arguments.dates,
        missing=("", *markers) if markers is not None else None,
        short_rows=arguments.short_rows,
        part=arguments.part,
        text=tuple(kept) if kept else None,
    )
    source: Any = arguments.file
    if DATABASE.match(source):
        if not arguments.query:
            raise BadInput("Say with --query which table of the database to read, or give a SELECT.")
        source = Table(source, arguments.query, arguments.rows or MOST_ROWS)
    elif source.startswith("s3://"):
        source = Stored(source, arguments.endpoint)
    return read(source, options=options)


def _open(run: str) -> Any:
    from mlcore import open_run

    return open_run(run)


# the commands ---------------------------------------------------------------------------------------------------------


def _start(arguments: Any) -> None:
    import socket

    if arguments.file:
        if not Path(arguments.file).is_file():
            raise BadInput(f"There is no file {arguments.file!r}.")
        os.environ["HOLDOUT_OPEN"] = str(Path(arguments.file).resolve())
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((arguments.host, arguments.port))
        except OSError:
            raise BadInput(
                f"Port {arguments.port} of {arguments.host} is taken, perhaps by a dashboard that already runs. "
                "Open it in the browser, or choose another with --port."
            ) from None
    print(f"Holdout is at http://{arguments.host}:{arguments.port} (Ctrl-C ends it)", file=sys.stderr, flush=True)
    app = shipped("app.py")
    options = {
        "server.port": arguments.port,
        "server.address": arguments.host,
        "server.headless": str(arguments.no_browser).lower(),
        "global.developmentMode": "false",
    }
    os.chdir(app.parent)  # Streamlit reads .streamlit/config.toml there
    command = [sys.executable, "-m", "streamlit", "run", str(app), *(f"--{k}={v}" for k, v in options.items())]
    os.execv(sys.executable, command)  # noqa: S606 - this process becomes the server; the core imports no Streamlit


def _profile(arguments: Any) -> None:
    from mlcore.profile import profile
    from mlcore.target import task_of

    data = _read(arguments)
    task = None
    if arguments.target:
        data = data.with_schema(data.schema.with_target(arguments.target))
        task = task_of(data.schema[arguments.target])
    found = profile(data, arguments.target, task)
    if arguments.html:
        from mlcore.export.profile_report import profile_html

        Path(arguments.html).write_text(profile_html(found), encoding="utf-8")
        print(f"The report is in {arguments.html}.", file=sys.stderr)
    if _emit(found.to_json(), arguments.json) or arguments.html:
        return
    print(f"{data.name}: {found.sentence()}\n{data.reading.words()}.")
    for note in data.reading.notes:
        print(f"  {note}")
    print("\n" + _table(found.frame().drop(columns="distribution")))
    if found.alerts:
        print("\nTo look at:")
        for alert in found.alerts:
            print(f"  {alert.severity:6} {alert.text}")


def _compare(arguments: Any) -> None:
    from mlcore.compare import compare, leave, warm

    warm()
    data = _read(arguments)
    options = {
        name: getattr(arguments, name)
        for name in (
            "task",
            "preset",
            "metric",
            "folds",
            "repeats",
            "split",
            "group",
            "time",
            "holdout",
            "time_limit",
            "jobs",
            "seed",
            "run",
            "open_holdout",
            "race",
            "fast",
            "validation",
        )
    }
    options |= _candidates(arguments)
    options["ignore"] = _names(arguments.ignore) or ()
    options["recipe"] = _recipe(arguments.recipe)
    bar = _Bar(sys.stderr)
    run = compare(data, arguments.target, on_event=bar, **options)
    if arguments.json != "-":
        bar.close()
        _print_board(run)
    bar.say("Fitting the models on all training rows")
    try:
        run.wait()
    except KeyboardInterrupt:  # what was asked for is there
        leave(run)
        print(f"\nThe models of {run.id} are still being fitted; `holdout runs` tells when.", file=sys.stderr)
    bar.close()
    if not (arguments.json and _emit(_compared(run), arguments.json)):
        _print_end(run)


def _candidates(arguments: Any) -> dict[str, Any]:
    """Which models, with which parameters, which rule and which searches."""
    from mlcore.compare.search import Search

    found: dict[str, Any] = {"models": _names(arguments.models), "parameters": _settings(arguments.set)}
    if arguments.rule is not None:
        text = arguments.rule
        found["rule"] = _json_of(text, "rule") if text.lstrip().startswith("{") else _json_file(text, "rule")
    if arguments.tune is not None:
        found["tune"] = "all" if arguments.tune == "all" else _names(arguments.tune)
        found["search"] = Search(arguments.search, arguments.trials, arguments.search_seconds)
    return found


def _settings(given: list[str]) -> dict[str, dict[str, Any]]:
    """Parameters by model, from texts such as knn.n_neighbors=5."""
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        model, dot, parameter = name.strip().partition(".")
        if not (equals and dot and model and parameter):
            raise BadInput(f"{text!r} is no setting; write MODEL.PARAMETER=VALUE, such as knn.n_neighbors=5.")
        found.setdefault(model, {})[parameter] = _plain(value.strip())
    return found


def _plain(text: str) -> Any:
    """A number, none, or the text itself."""
    if text.lower() == "none":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _json_of(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadInput(f"This is no readable {what}: {error}.") from None


def _json_file(path: str, what: str) -> Any:
    try:
        return _json_of(Path(path).read_text("utf-8"), what)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not a readable {what}: {error}.") from None


def _names(text: str | None) -> list[str] | None:
    return [n.strip() for n in text.split(",") if n.strip()] if text is not None else None


def _recipe(path: str | None) -> dict[str, Any] | None:
    found: dict[str, Any] | None = None if path is None else _json_file(path, "recipe")
    return found


def _compared(run: Any) -> dict[str, Any]:
    """The contract of `holdout compare --json`."""
    from dataclasses import asdict

    from mlcore.evaluate import holdout_looks

    board, experiment = run.board(), run.experiment
    rows = [{**asdict(r), "ci": list(r.ci) if r.ci else None, "folds": list(r.folds)} for r in board.rows]
    looks = holdout_looks(run)
    source = experiment.source
    return {
        "run": str(run.path),
        "id": run.id,
        "dataset": {
            "name": source.name,
            "rows": source.rows,
            "columns": len(experiment.schema),
            "fingerprint": source.fingerprint,
        },
        "target": experiment.recipe.target,
        "task": experiment.recipe.task,
        "metric": board.metric.name,
        "protocol": experiment.protocol.words(experiment.recipe.task, source.rows),
        "seconds": run.progress().seconds,
        "leaderboard": rows,
        "findings": board.findings(),
        "notes": run.notes(),
        "alerts": run.alerts(),
        "holdout": {"looks": looks[-1]["looks"], "scores": looks} if looks else None,
    }


def _print_board(run: Any) -> None:
    import pandas as pd

    from mlcore.result import number

    board, experiment = run.board(), run.experiment
    rows = [
        {
            "": "★" if r.star else "",
            "group": r.group or "",
            "model": r.title,
            board.metric.title: number(r.score) if r.score is not None else r.status,
            "95 % interval": f"{number(r.ci[0])} to {number(r.ci[1])}" if r.ci else "",
            "skill": f"{round(100 * r.skill)} %".replace("-", "−") if r.skill is not None else "",
            "first": f"{round(100 * r.first)} %" if r.first is not None else "",
            "fit s": number(r.fit_seconds, 2) if r.fit_seconds is not None else "",
            "reason": r.reason,
        }
        for r in board.rows
    ]
    source = experiment.source
    print(
        f"{source.name}: {source.rows:,} rows, target {experiment.recipe.target} ({experiment.recipe.task}), "
        f"{experiment.protocol.words(experiment.recipe.task, source.rows)}\n"
    )
    shown = pd.DataFrame(rows)
    print(_table(shown if shown["reason"].any() else shown.drop(columns="reason")))
    print("\nModels of the first group cannot be told apart from the best; ★ is the simplest that is worth taking.")
    for line in [*board.findings(), *run.notes()]:
        print(line)
    for alert in run.alerts():
        if alert["severity"] == "high":
            print(f"Look at: {alert['text']}")


def _print_end(run: Any) -> None:
    """What models say of themselves, the looks at the holdout, and where the run lies."""
    from mlcore.evaluate import holdout_looks
    from mlcore.result import number

    for row in run.board().rows:
        if row.words:
            print(f"{row.title}: {row.words}")
    for look in holdout_looks(run)[-1:]:
        print(
            f"Holdout ({look['n']:,} rows, opened {look['looks']}×): {look['model']} {look['metric']} "
            f"{number(look['value'])}"
        )
    print(f"\nRun {run.id}: {run.path}")


def _evaluate(arguments: Any) -> None:
    run = _open(arguments.run)
    found = run.evaluate(arguments.model)
    if _emit(found.to_json(), arguments.json):
        return
    print(found.sentence() + "\n")
    print(_table(found.scores.frame().set_index("Model").T.rename_axis("metric").reset_index()))
    for part in (found.confusion, found.roc, found.precision_recall, found.predicted, found.residuals):
        if part is not None:
            print("\n" + part.sentence())
    if found.confusion is not None:
        print(_table(found.confusion.frame()))


def _explain(arguments: Any) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small predictions are slower on many threads
    run = _open(arguments.run)
    found = run.explain(
        arguments.model, arguments.row, label=arguments.label, samples=arguments.samples, locality=arguments.locality
    )
    if _emit(found.to_json(), arguments.json):
        return
    print(f"Row {found.row}, {found.title}: {found.prediction_words()}")
    if found.truth is not None:
        unseen = f"; predicted while unseen: {found.unseen}" if found.unseen else ""
        print(f"True {found.target}: {found.truth}{unseen}")
    print(found.fidelity_words())
    if not found.abstained:
        print(found.sentence() + "\n")
        for w in found.weights[:12]:
            mark = "" if w.sure else "   (not told from nothing)"
            print(f"  {_signed(w.weight):>9}  {f'{_signed(w.low)} to {_signed(w.high)}':<22}  {w.condition}{mark}")


def _signed(value: float) -> str:
    from mlcore.result import number

    return f"+{number(value)}" if value > 0 else number(value)


def _runs(arguments: Any) -> None:
    import pandas as pd

    from mlcore.compare.run import all_runs
    from mlcore.workspace import Workspace

    rows = [
        {
            "id": r.id,
            "data": r.experiment.source.name,
            "target": r.experiment.recipe.target,
            "models": len(r.experiment.candidates),
            "state": r.progress().state,
            "folder": str(r.path),
        }
        for r in all_runs(Workspace().run_folders())
    ]
    print(
        _table(pd.DataFrame(rows)) if rows else "There are no runs yet. `holdout compare FILE --target COL` makes one."
    )


def _show(arguments: Any) -> None:
    run = _open(arguments.run)
    if not _emit(_compared(run), arguments.json):
        _print_board(run)
        _print_end(run)


def _resume(arguments: Any) -> None:
    run = _open(arguments.run).resume(arguments.jobs)
    bar = _Bar(sys.stderr)
    run.wait(bar)
    bar.close()
    if not _emit(_compared(run), arguments.json):
        _print_board(run)
        _print_end(run)


def _curve(arguments: Any) -> None:
    run = _open(arguments.run)
    model = arguments.model or run.best()
    found = run.knob_curve(model, arguments.knob) if arguments.knob else run.learning_curve(model)
    rows = found.frame()
    if _emit({"model": model, "sentence": found.sentence(), "points": rows.to_dict("records")}, arguments.json):
        return
    print(found.sentence() + "\n")
    print(_table(rows.map(_shown)))


def _shown(value: Any) -> str:
    from mlcore.result import number

    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return number(value) if numeric else str(value)


class _Bar:
    """A progress bar from a run's events, on a terminal only."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.on = stream, stream.isatty()
        self.total = self.done = 0

    def __call__(self, event: dict[str, Any]) -> None:
        """Draw one event."""
        if not self.on:
            return
        if event["event"] == "started":
            self.total = event["folds"] * event["candidates"]
        elif event["event"] == "fold":
            self.done += 1
            self._draw(f"{self.done} of {self.total} fits, {event['model']}")
        elif event["event"] == "compared":
            self.done = self.total
            self._draw("the leaderboard is whole")

    def say(self, text: str) -> None:
        """Say what goes on now."""
        if self.on:
            self.stream.write(f"\r\033[K{text}…")
            self.stream.flush()

    def _draw(self, text: str) -> None:
        filled = 30 * self.done // max(1, self.total)
        self.stream.write(f"\r\033[K{'█' * filled}{'░' * (30 - filled)} {text}")
        self.stream.flush()

    def close(self) -> None:
        """Leave the line clean."""
        if self.on:
            self.stream.write("\r\033[K")


if __name__ == "__main__":
    sys.exit(main())
