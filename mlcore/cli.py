"""The command `holdout`: start the dashboard, or profile, compare, evaluate and explain from a terminal.

Results go to standard output, errors to standard error as one sentence. Exit status: 2 for bad input, 1 for a run that
failed, 0 otherwise. The options of `holdout compare` are those of `mlcore.compare`, read from its signature.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import json
import math
import os
import re
import socket
import sys
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO

import mlcore
from mlcore.data.workspace import Workspace, home, shipped
from mlcore.errors import BadInput, HoldoutError
from mlcore.wording import number, value_text

# Database addresses and SELECTs begin like this; `ingest.options` knows more, and is imported when a file is read.
DATABASE = re.compile(r"[a-z]+(\+\w+)?://", re.IGNORECASE)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence, not a page of usage."""
        raise BadInput(f"{message[0].upper()}{message[1:]}. `{self.prog} --help` lists what is allowed.")


@dataclass(frozen=True, kw_only=True)
class Command:
    """A row of the list of commands."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Any], None]


def parser(chosen: str) -> argparse.ArgumentParser:
    """All commands; only the `chosen` one has its options, because reading them imports what it needs."""
    top = _Parser(
        prog="holdout",
        description="Explore data, compare models, trust the winner.",
        epilog="Without a command the dashboard starts; `holdout FILE` opens it with a file.",
    )
    top.add_argument("--version", action="version", version=f"holdout {mlcore.__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        added = commands.add_parser(command.name, help=command.help, description=command.help)
        if command.name == chosen:
            command.arguments(added)
        added.set_defaults(run_command=command.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        words = _with_default(words)
        arguments = parser(words[0]).parse_args(words)
        for out in ("json", "html"):
            _check_writable(getattr(arguments, out, None))
        arguments.run_command(arguments)
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


def _with_default(words: list[str]) -> list[str]:
    """Without a command, start the dashboard."""
    names = [c.name for c in COMMANDS]
    first = next((w for w in words if not w.startswith("-")), None)
    if first in names or any(w in ("-h", "--help", "--version") for w in words[:1]):
        return words
    if first is not None and not Path(first).exists() and words[0] == first:
        raise BadInput(f"{first!r} is neither a command nor a file. Commands: {', '.join(names)}.")
    return ["start", *words]


def _check_writable(out: str | None) -> None:
    """Refuse an output that cannot be written before the work is done, not after."""
    if out not in (None, "-") and not Path(str(out)).resolve().parent.is_dir():
        raise BadInput(f"There is no folder {str(Path(str(out)).parent)!r} to write {out!r} into.")


# output ---------------------------------------------------------------------------------------------------------------


def _emit(data: dict[str, Any], out: str | None) -> bool:
    """Write JSON where it is wanted; return whether it went to standard output."""
    if out is None:
        return False
    text = json.dumps(_plain_json(data), indent=None if out == "-" else 1, default=str)
    if out == "-":
        print(text)
        return True
    Path(out).write_text(text + "\n", encoding="utf-8")
    return False


def _plain_json(value: Any) -> Any:
    """Plain JSON: no NaN, no infinity, no numpy."""
    if isinstance(value, dict):
        return {str(k): _plain_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain_json(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(rows: list[dict[Any, Any]]) -> str:
    """Rows as aligned text."""
    names = list(rows[0])
    cells = [names, *([str(row[n]) for n in names] for row in rows)]
    widths = [max(len(r[i]) for r in cells) for i in range(len(names))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "  ".join("─" * w for w in widths), *lines[1:]])


def _frame(frame: Any) -> str:
    """A frame as aligned text."""
    return _table(frame.map(value_text).to_dict("records")) if len(frame) else ""


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)


class _ProgressBar:
    """A progress bar from a run's events, on a terminal only."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.on = stream, stream.isatty()
        self.total = self.done = 0

    def __call__(self, event: dict[str, Any]) -> None:
        """Draw one event."""
        if event["event"] == "started":
            self.total = event["folds"] * event["candidates"]
        elif event["event"] == "fold":
            self.done += 1
            self._draw(f"{self.done} of {self.total} fits, {event['model']}")
        elif event["event"] == "compared":
            self.done = self.total
            self._draw("the leaderboard is complete")

    def message(self, text: str) -> None:
        """Replace the bar by a message."""
        if self.on:
            self.stream.write(f"\r\033[K{text}…")
            self.stream.flush()

    def _draw(self, text: str) -> None:
        if self.on:
            filled = 30 * self.done // max(1, self.total)
            self.stream.write(f"\r\033[K{'█' * filled}{'░' * (30 - filled)} {text}")
            self.stream.flush()

    def close(self) -> None:
        """Leave the line clean."""
        if self.on:
            self.stream.write("\r\033[K")


# input ----------------------------------------------------------------------------------------------------------------


def _names(text: str | None) -> list[str] | None:
    return [n.strip() for n in text.split(",") if n.strip()] if text is not None else None


def _json_text(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BadInput(f"This is not a readable {what}: {error}.") from None


def _json_file(path: str, what: str) -> Any:
    try:
        return _json_text(Path(path).read_text("utf-8"), what)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not a readable {what}: {error}.") from None


def _json_file_or_text(value: str, what: str) -> Any:
    return _json_text(value, what) if value.lstrip().startswith("{") else _json_file(value, what)


def _settings(texts: list[str]) -> dict[str, dict[str, Any]]:
    """Hyperparameters by model, from texts such as knn.n_neighbors=5."""
    settings: dict[str, dict[str, Any]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        model, dot, parameter = name.strip().partition(".")
        if not (equals and dot and model and parameter):
            raise BadInput(f"{text!r} is not a setting. Write MODEL.PARAMETER=VALUE, such as knn.n_neighbors=5.")
        settings.setdefault(model, {})[parameter] = _value(value.strip())
    return settings


def _value(text: str) -> Any:
    """A number, none, or the text itself."""
    if text.lower() == "none":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _reading_options(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("reading")
    group.add_argument("--delimiter", help="of text files; detected by default")
    group.add_argument("--encoding")
    group.add_argument("--decimal", choices=[".", ","])
    group.add_argument("--dates", choices=["day", "month"], help="which comes first in dates such as 03/04/2024")
    group.add_argument("--subset", metavar="NAME", help="the sheet of a workbook, or the file of an archive")
    group.add_argument("--part", "--sheet", dest="subset", help=argparse.SUPPRESS)
    group.add_argument("--skip", type=int, metavar="LINES", help="lines above the table to skip")
    group.add_argument("--skip-end", type=int, metavar="ROWS", help="rows at its end to skip, such as a total")
    group.add_argument("--quote", choices=['"', "'", "none"])
    group.add_argument("--missing", metavar="TEXTS", help="texts that mean a missing value, separated by commas")
    group.add_argument("--values", metavar="TEXTS", help="texts that are values, though they often mean missing")
    group.add_argument("--short-rows", choices=["skip", "fill"], help="what to do with rows that have too few values")
    group.add_argument("--as-text", metavar="COLS", help="columns to keep as text, separated by commas")
    group.add_argument("--text", dest="as_text", help=argparse.SUPPRESS)
    group.add_argument("--header", action="store_true", help="the first line names the columns")
    group.add_argument("--no-header", action="store_true", help="the first line is data, not names")
    group.add_argument("--query", help="a table's name or a SELECT, where FILE is the address of a database")
    group.add_argument("--rows", type=int, help="maximum number of rows read from a database")
    group.add_argument("--endpoint", help="of S3-compatible storage, where FILE is s3://bucket/key")


def _read(arguments: Any) -> mlcore.Dataset:
    markers, as_text = _names(arguments.missing), _names(arguments.as_text)
    options = mlcore.ReadOptions(
        delimiter="\t" if arguments.delimiter in ("\\t", "tab") else arguments.delimiter,
        encoding=arguments.encoding,
        header=True if arguments.header else False if arguments.no_header else None,
        skip=arguments.skip,
        skip_end=arguments.skip_end,
        quote=arguments.quote,
        decimal=arguments.decimal,
        dates=arguments.dates,
        missing=("", *markers) if markers is not None else None,
        values=tuple(_names(arguments.values) or ()) or None,
        short_rows=arguments.short_rows,
        subset=arguments.subset,
        as_text=tuple(as_text) if as_text else None,
    )
    source: Any = arguments.file
    if source.startswith("s3://"):
        source = mlcore.Stored(source, arguments.endpoint)
    elif DATABASE.match(source):
        if not arguments.query:
            raise BadInput("Name a table of the database with --query, or give a SELECT.")
        most = {} if arguments.rows is None else {"most_rows": arguments.rows}
        source = mlcore.Table(source, arguments.query, **most)
    return mlcore.read(source, options=options)


# start ----------------------------------------------------------------------------------------------------------------


def _start_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", nargs="?", help="a file to open with it")
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument("--port", type=int, default=8501)
    command.add_argument("--no-browser", action="store_true", help="do not open a browser window")
    command.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME",
        help="a name under which browsers reach it, such as that of a proxy; on loopback all others are refused",
    )  # fmt: skip


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _raise_file_limit() -> None:
    """Allow as many open files as the machine does: Streamlit keeps a few for each person who has left."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        most = hard if hard != resource.RLIM_INFINITY else max(soft, 65_536)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _start(arguments: Any) -> None:
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
                f"Port {arguments.port} of {arguments.host} is taken, perhaps by a dashboard that is already running. "
                "Open it in the browser, or choose another with --port."
            ) from None
    if arguments.host not in LOOPBACK:
        print(
            f"Warning: {arguments.host} can be reached by other machines. There is no sign-in and no encryption: "
            "whoever reaches this address can upload files and start comparisons. Put it behind a proxy with both.",
            file=sys.stderr,
        )
    print(f"Holdout is at http://{arguments.host}:{arguments.port} (Ctrl-C ends it)", file=sys.stderr, flush=True)
    app = shipped("app.py")
    options = {
        "server.port": arguments.port,
        "server.address": arguments.host,
        "server.headless": str(arguments.no_browser).lower(),
        "global.developmentMode": "false",
    }
    _raise_file_limit()
    os.chdir(app.parent)  # Streamlit reads .streamlit/config.toml there
    hosts = [*LOOPBACK, *arguments.allow_host] if arguments.host in LOOPBACK or arguments.allow_host else []
    given = [*options.items(), *(("server.allowedHosts", host) for host in hosts)]  # others (DNS rebinding) are refused
    command = [sys.executable, "-m", "streamlit", "run", str(app), *(f"--{k}={v}" for k, v in given)]
    os.execv(sys.executable, command)  # noqa: S606 - this process becomes the server; the core imports no Streamlit


# profile --------------------------------------------------------------------------------------------------------------


def _profile_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file")
    command.add_argument("--target", help="the column to predict, so that alerts can look at it")
    command.add_argument("--json", metavar="OUT", help="write JSON to a file, or to standard output with -")
    command.add_argument("--html", metavar="OUT", help="write a report as one HTML file")
    _column_options(command)
    _reading_options(command)


def _profile(arguments: Any) -> None:
    data = _changed(_read(arguments), arguments)
    roles, kinds = _pairs(arguments.role, "role"), _pairs(arguments.kind, "kind")
    profile = mlcore.profile(data, arguments.target, roles=roles, kinds=kinds)
    data = profile.dataset
    if arguments.html:
        Path(arguments.html).write_text(mlcore.profile_html(profile), encoding="utf-8")
        print(f"The report is in {arguments.html}.", file=sys.stderr)
    if _emit(profile.to_json(), arguments.json) or arguments.html:
        return
    print(f"{data.name}: {profile.sentence()}\n{data.reading.words()}.")
    for note in data.reading.notes:
        print(f"  {note}")
    print("\n" + _table(profile.frame().drop(columns="distribution").to_dict("records")))
    if profile.alerts:
        print("\nTo look at:")
        for alert in profile.alerts[:MOST_ALERTS]:
            print(f"  {alert.severity:6} {alert.text}")
        if len(profile.alerts) > MOST_ALERTS:
            print(f"  and {len(profile.alerts) - MOST_ALERTS} small things; --json or --html lists them.")


# compare --------------------------------------------------------------------------------------------------------------

MOST_ALERTS = 10

# Options that are written differently on the command line than in Python; the others follow from their types.
OWN = ("target", "recipe", "parameters", "rule", "search", "on_event", "workspace", "roles", "kinds")
METAVARS = {"group": "COL", "time": "COL", "holdout": "FRACTION", "validation": "FRACTION", "run": "DIR",
            "time_limit": "SECONDS", "ignore": "COLS", "positive": "CLASS", "models": "NAMES",
            "tune": "NAMES"}  # fmt: skip


def _compare_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file")
    command.add_argument("--target", required=True, metavar="COL", help="the column to predict")
    help_ = _documented(mlcore.compare)
    for name, kind, default in _keywords(mlcore.compare):
        flag, shared = f"--{name.replace('_', '-')}", {"help": help_[name], "default": default}
        if kind is bool:
            action = argparse.BooleanOptionalAction if default is None else "store_true"
            command.add_argument(flag, action=action, **shared)
        else:
            command.add_argument(flag, type=kind, metavar=METAVARS.get(name, name.upper()), **shared)
    command.add_argument("--recipe", metavar="FILE.json", help="how columns become features")
    command.add_argument("--set", action="append", default=[], metavar="MODEL.PARAMETER=VALUE",
                         help="a hyperparameter of a model; may be given several times")  # fmt: skip
    command.add_argument("--rule", metavar="FILE.json", help="your own rule, as a file or as JSON text")
    command.add_argument("--search", default="tpe", help="with --tune: tpe, gp, random, sobol or grid")
    command.add_argument("--trials", type=int, default=20, help="with --tune: settings tried in each search")
    command.add_argument("--search-seconds", type=float, default=0.0, help="with --tune: limit of each search; 0: none")
    command.add_argument("--json", metavar="OUT", help="write JSON to a file, or to standard output with -")
    _column_options(command)
    _reading_options(command)


def _column_options(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("columns")
    group.add_argument("--role", action="append", default=[], metavar="COL=ROLE",
                       help="feature, target, group, time, weight or ignore; may be given several times")  # fmt: skip
    group.add_argument("--kind", action="append", default=[], metavar="COL=KIND",
                       help="numeric, categorical, boolean, datetime, text, identifier or constant")  # fmt: skip
    group.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="another name of a column")
    group.add_argument("--names", metavar="NAMES", help="names of all columns in order, separated by commas")
    group.add_argument("--missing-in", action="append", default=[], metavar="COL=VALUES",
                       help="values of one column that mean a missing value, such as age=999,-1")  # fmt: skip


def _pairs(texts: list[str], what: str) -> dict[str, str]:
    """Options such as COL=ROLE; a name may hold an equals sign."""
    pairs = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not (equals and name.strip() and value.strip()):
            raise BadInput(f"{text!r} is not a {what}. Write COLUMN={what.upper()}.")
        pairs[name.strip()] = value.strip()
    return pairs


def _changed(data: mlcore.Dataset, arguments: Any) -> mlcore.Dataset:
    """The data with the names and missing values that were given."""
    if arguments.names is not None:
        data = mlcore.rename(data, [n.strip() for n in arguments.names.split(",")])
    renamed = _pairs(arguments.rename, "name")
    data = mlcore.rename(data, renamed) if renamed else data
    missing = {c: [v.strip() for v in t.split(",")] for c, t in _pairs(arguments.missing_in, "value").items()}
    return mlcore.with_missing(data, missing) if missing else data


def _keywords(function: Callable[..., Any]) -> list[tuple[str, Callable[[str], Any], Any]]:
    """The keyword options of a function that follow from their types: name, what reads the text, default."""
    hints = typing.get_type_hints(function)
    options: list[tuple[str, Callable[[str], Any], Any]] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and name not in OWN:
            options.append((name, _reader(hints[name]), parameter.default))
    return options


def _reader(hint: Any) -> Callable[[str], Any]:
    """What turns an option's text into a value of a type: bool, int, float, a list of names, or text."""
    kinds = set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}
    for kind in (bool, int, float):
        if kind in kinds:
            return kind
    listed = any(typing.get_origin(k) is Sequence for k in kinds)
    return _name_list if listed else str


def _name_list(text: str) -> Sequence[str] | str:
    return text if text == "all" else (_names(text) or ())


def _documented(function: Callable[..., Any]) -> dict[str, str]:
    """The help of each parameter, from the Parameters section of a docstring."""
    section = inspect.getdoc(function).split("Parameters\n----------\n")[1].split("\n\n")[0]  # type: ignore[union-attr]
    entries = re.findall(r"^(\w[\w, ]*)\n((?:    .*\n?)+)", section, re.MULTILINE)
    return {
        name: " ".join(text.split()).rstrip(".").replace("%", "%%")
        for names, text in entries
        for name in names.split(", ")
    }


def _compare(arguments: Any) -> None:
    mlcore.warm()
    data = _changed(_read(arguments), arguments)
    options: dict[str, Any] = {name: getattr(arguments, name) for name, _, _ in _keywords(mlcore.compare)}
    options["recipe"] = None if arguments.recipe is None else _json_file(arguments.recipe, "recipe")
    options["parameters"] = _settings(arguments.set)
    options["roles"], options["kinds"] = _pairs(arguments.role, "role"), _pairs(arguments.kind, "kind")
    options["rule"] = None if arguments.rule is None else _json_file_or_text(arguments.rule, "rule")
    if arguments.tune:
        options["search"] = mlcore.Search(
            method=arguments.search, trials=arguments.trials, seconds=arguments.search_seconds
        )
    bar = _ProgressBar(sys.stderr)
    run = mlcore.compare(data, arguments.target, on_event=bar, **options)
    if arguments.json != "-":
        bar.close()
        _print_board(run)
    bar.message("Fitting the models on all training rows")
    try:
        run.wait()
    except KeyboardInterrupt:  # what was asked for is there
        mlcore.leave(run)
        print(
            f"\nThe models of {run.id} are still being fitted; `holdout runs` shows when they are done.",
            file=sys.stderr,
        )
    bar.close()
    if not (arguments.json and _emit(_run_json(run), arguments.json)):
        _print_end(run)


def _run_json(run: mlcore.Run) -> dict[str, Any]:
    """The contract of `holdout compare --json`."""
    board, experiment, source = run.board(), run.experiment, run.experiment.source
    looks = run.holdout_looks()
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
        "positive": experiment.recipe.positive,
        "metric": board.metric.name,
        "protocol": experiment.protocol.words(experiment.recipe.task, source.rows),
        "seconds": run.progress().seconds,
        "leaderboard": [asdict(r) for r in board.rows],
        "verdict": run.verdict().to_json(),
        "findings": board.findings(),
        "notes": run.notes(),
        "alerts": run.alerts(),
        "holdout": {"looks": looks[-1]["looks"], "scores": looks} if looks else None,
    }


def _print_board(run: mlcore.Run) -> None:
    board, experiment = run.board(), run.experiment
    rows = [
        {
            "": "★" if r.star else "",
            "group": r.group or "",
            "model": r.title,
            board.metric.titled(experiment.recipe.positive): number(r.score)
            if r.score is not None
            else "none"
            if r.status == "ok"
            else r.status,
            "95 % interval": f"{number(r.ci[0])} to {number(r.ci[1])}" if r.ci else "",
            "skill": f"{round(100 * r.skill)} %".replace("-", "−") if r.skill is not None else "",
            "first": f"{round(100 * r.first)} %" if r.first is not None else "",
            "fit s": number(r.fit_seconds, 2) if r.fit_seconds is not None else "",
            "reason": r.reason,
        }
        for r in board.rows
    ]
    if not any(r["reason"] for r in rows):
        rows = [{k: v for k, v in r.items() if k != "reason"} for r in rows]
    source = experiment.source
    print(
        f"{source.name}: {source.rows:,} rows, target {experiment.recipe.target} ({experiment.recipe.words()}), "
        f"{experiment.protocol.words(experiment.recipe.task, source.rows)}\n"
    )
    answer = run.verdict()
    for part in (answer.use, answer.good, answer.sure):
        if part:
            print(part)
    print()
    print(_table(rows))
    if any(r.star for r in board.rows):
        print("\nModels of group 1 do not differ significantly from the best; ★ is the simplest of them worth taking.")
    for line in [*board.findings(), *run.notes()]:
        print(line)
    for text in answer.against:
        print(f"Against it: {text}")
    if answer.next:
        print(answer.next)


def _print_end(run: mlcore.Run) -> None:
    """Models in words, the last look at the holdout, and the folder of the run."""
    for row in run.board().rows:
        if row.description:
            print(f"{row.title}: {row.description}")
    for look in run.holdout_looks()[-1:]:
        print(
            f"Holdout ({look['n']:,} rows, opened {look['looks']}×): {look['model']} {look['metric']} "
            f"{number(look['value'])}"
        )
    print(f"\nRun {run.id}: {run.path}")


# runs -----------------------------------------------------------------------------------------------------------------


def _run_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="the folder of a run, or its short id")
    command.add_argument("--json", metavar="OUT", help="write JSON to a file, or to standard output with -")


def _evaluate_arguments(command: argparse.ArgumentParser) -> None:
    _run_arguments(command)
    command.add_argument("--model", help="the best one by default")


def _views_arguments(command: argparse.ArgumentParser) -> None:
    _evaluate_arguments(command)
    command.add_argument(
        "--threshold", metavar="T", help="of two classes: a number, best:METRIC, recall:R, precision:P or top:N"
    )
    command.add_argument(
        "--costs", metavar="TP,FP,FN,TN", type=_numbers,
        help="what a true positive, false positive, false negative and true negative earn (100,-10,0,0) or cost "
        "(0,10,100,0)",
    )  # fmt: skip
    command.add_argument("--by", metavar="COL[,COL]", type=_names, default=(), help="slice the rows by these columns")
    command.add_argument("--html", metavar="OUT", help="write a report as one HTML file")


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise BadInput(f"--costs takes four numbers, TP,FP,FN,TN such as 100,-10,0,0; {text!r} was given.") from None


def _evaluate(arguments: Any) -> None:
    evaluation = mlcore.open_run(arguments.run).evaluate(
        arguments.model, threshold=arguments.threshold, costs=arguments.costs, by=arguments.by
    )
    if arguments.html:
        Path(arguments.html).write_text(mlcore.evaluation_html(evaluation), encoding="utf-8")
    if _emit(evaluation.to_json(), arguments.json) or arguments.html:
        return
    print(evaluation.sentence() + "\n")
    print(_table([{"metric": s.name, "value": s.text()} for s in evaluation.scores.rows]))
    for part in evaluation.parts():
        print("\n" + part.sentence())
    if evaluation.confusion is not None:
        print(_frame(evaluation.confusion.frame()))


def _explain_arguments(command: argparse.ArgumentParser) -> None:
    _evaluate_arguments(command)
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--row", type=int, metavar="N", help="position in the file, from 0")
    what.add_argument(
        "--global", action="store_true", dest="whole", help="the model as a whole: which columns it needs"
    )
    command.add_argument("--label", help="the class to explain")
    command.add_argument("--samples", type=int, default=1000, help="perturbed rows, 50 to 100,000")
    command.add_argument("--locality", type=float, default=0.8, help="from 0 (classic LIME) to 0.95")
    command.add_argument(
        "--set", action="append", default=[], metavar="COL=VALUE", help="what if the row had this value"
    )
    command.add_argument("--counterfactual", action="store_true", help="the smallest changes that turn the prediction")
    command.add_argument("--neighbours", type=int, metavar="K", help="the K training rows that are most like the row")


def _explain(arguments: Any) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small predictions are slower on many threads
    run = mlcore.open_run(arguments.run)
    model = arguments.model or run.best()
    if arguments.whole:
        needed = run.importance(model)
        if not _emit(needed.to_json(), arguments.json):
            print(needed.sentence() + "\n")
            print(_frame(needed.frame()))
        return
    explanation = run.explain(
        model, arguments.row, label=arguments.label, samples=arguments.samples, locality=arguments.locality
    )
    further: dict[str, Any] = {}
    if arguments.set:
        further["what_if"] = run.what_if(model, arguments.row, changes=_assignments(arguments.set))
    if arguments.counterfactual:
        further["counterfactuals"] = run.counterfactuals(model, arguments.row)
    if arguments.neighbours is not None:
        further["neighbours"] = run.neighbours(model, arguments.row, count=arguments.neighbours)
    plain = {name: result.to_json() for name, result in further.items()}
    if _emit({**explanation.to_json(), **plain}, arguments.json):
        return
    _print_explanation(explanation)
    for result in further.values():
        print("\n" + result.sentence())
        print(_frame(result.frame()))


def _assignments(parts: list[str]) -> dict[str, str]:
    for part in parts:
        if "=" not in part:
            raise BadInput(f"{part!r} sets nothing. Write COLUMN=VALUE, such as --set age=40; empty is missing.")
    return {name: value for name, _, value in (part.partition("=") for part in parts)}


def _print_explanation(explanation: Any) -> None:
    print(f"Row {explanation.row}, {explanation.title}: {explanation.prediction_words()}")
    if explanation.hidden:
        print(f"True {explanation.target}: hidden, because this row is in the holdout, which was not opened.")
    if explanation.truth is not None:
        out_of_fold = f"; predicted out of fold: {explanation.out_of_fold}" if explanation.out_of_fold else ""
        print(f"True {explanation.target}: {explanation.truth}{out_of_fold}")
    print(explanation.fidelity_words())
    if not explanation.abstained:
        print(explanation.sentence() + "\n")
        for w in explanation.weights[:12]:
            mark = "" if w.significant else "   (not significant)"
            print(f"  {_signed(w.weight):>9}  {f'{_signed(w.low)} to {_signed(w.high)}':<22}  {w.condition}{mark}")


def _predict_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="the folder of a run, or its short id")
    command.add_argument("file", help="the new rows")
    command.add_argument("--json", metavar="OUT", help="write JSON to a file, or to standard output with -")
    command.add_argument("--model", help="the best one by default")
    command.add_argument("--out", metavar="FILE", help="write all predictions as .csv or .parquet")
    _reading_options(command)


def _predict(arguments: Any) -> None:
    run = mlcore.open_run(arguments.run)
    result = run.predict(_read(arguments), arguments.model, out=arguments.out)
    if arguments.out:
        print(f"The predictions are in {arguments.out}.", file=sys.stderr)
    if _emit(result.to_json(), arguments.json):
        return
    print(result.sentence() + "\n")
    for one in result.differences:
        print(f"  {one.sentence()}")
    print(_frame(result.frame().head(20)))


def _export_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="the folder of a run, or its short id")
    command.add_argument("--to", required=True, metavar="KIND", help="model, card or report")
    command.add_argument("--model", help="the best one by default")
    command.add_argument("out", metavar="OUT", help="a folder, or for a card or a report a file")


def _export(arguments: Any) -> None:
    run = mlcore.open_run(arguments.run)
    for path in run.export(arguments.to, arguments.out, arguments.model):
        print(path)


def _curve_arguments(command: argparse.ArgumentParser) -> None:
    _evaluate_arguments(command)
    command.add_argument("--param", metavar="PARAMETER", help="draw the score over this hyperparameter, not over rows")
    command.add_argument("--knob", dest="param", help=argparse.SUPPRESS)


def _curve(arguments: Any) -> None:
    run = mlcore.open_run(arguments.run)
    model = arguments.model or run.best()
    curve = run.validation_curve(model, arguments.param) if arguments.param else run.learning_curve(model)
    points = curve.frame()
    if _emit({"model": model, "sentence": curve.sentence(), "points": points.to_dict("records")}, arguments.json):
        return
    print(curve.sentence() + "\n")
    print(_frame(points))


def _show_arguments(command: argparse.ArgumentParser) -> None:
    _run_arguments(command)
    command.add_argument("--accept", metavar="CODE", help="say that the alerts with this code are known")


def _show(arguments: Any) -> None:
    run = mlcore.open_run(arguments.run)
    if getattr(arguments, "accept", None):
        run.accept(arguments.accept)
    if not _emit(_run_json(run), arguments.json):
        _print_board(run)
        _print_end(run)


def _resume_arguments(command: argparse.ArgumentParser) -> None:
    _run_arguments(command)
    command.add_argument("--jobs", type=int, default=None, help="number of processes; all cores by default")


def _resume(arguments: Any) -> None:
    run = mlcore.open_run(arguments.run).resume(arguments.jobs)
    bar = _ProgressBar(sys.stderr)
    run.wait(bar)
    bar.close()
    _show(arguments)


def _rerun_arguments(command: argparse.ArgumentParser) -> None:
    _run_arguments(command)
    command.add_argument("file", nargs="?", help="other rows for the same experiment; those of the run by default")
    command.add_argument("--accept-changes", action="store_true", help="compare though the rows differ")
    command.add_argument("--jobs", type=int, default=None, help="number of processes; all cores by default")
    _reading_options(command)


def _rerun(arguments: Any) -> None:
    before = mlcore.open_run(arguments.run)
    data = _read(arguments) if arguments.file else None
    run = mlcore.rerun(before, data, accept_changes=arguments.accept_changes, jobs=arguments.jobs)
    old, new = ({r.model: r.folds for r in one.board().rows} for one in (before, run))
    same = [m for m in new if old.get(m) == new[m]]
    print(f"The fold scores of {len(same)} of {len(new)} models equal those of {before.id}.", file=sys.stderr)
    arguments.run = str(run.path)
    arguments.accept = None
    _show(arguments)


def _doctor(arguments: Any) -> None:
    """What is installed, what extras add, and how large the workspace is."""
    from importlib import metadata

    print(f"Holdout {mlcore.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    core = (
        "streamlit",
        "pandas",
        "numpy",
        "scikit-learn",
        "xgboost-cpu",
        "duckdb",
        "plotly",
        "skops",
        "lime",
        "optuna",
    )
    extras = {"scikit-learn-intelex": "fast", "imbalanced-learn": "imbalance", "snowballstemmer": "text",
              "sqlalchemy": "sql", "s3fs": "s3"}  # fmt: skip
    parts = [*((name, "") for name in core), *extras.items()]
    rows = []
    for name, extra in parts:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = f"not installed; pip install 'holdout[{extra}]'" if extra else "not installed"
        rows.append({"library": name, "version": version})
    print(_table(rows))
    root = home()
    sizes = {part: _size(root, part) for part in ("datasets", "runs", "measurements", "sessions", "spool")}
    print(f"\nWorkspace {root}: " + ", ".join(f"{part} {size / 1e6:,.1f} MB" for part, size in sizes.items()))


def _size(root: Path, part: str) -> int:
    return sum(p.stat().st_size for p in root.glob(f"*/{part}/**/*") if p.is_file())


def _no_arguments(command: argparse.ArgumentParser) -> None:
    """None."""


def _runs(arguments: Any) -> None:
    rows = []
    for folder in Workspace().run_folders():
        run = mlcore.Run(folder)
        if run.is_readable():
            experiment = run.experiment
            rows.append(
                {
                    "id": run.id,
                    "data": experiment.source.name,
                    "target": experiment.recipe.target,
                    "models": len(experiment.candidates),
                    "state": run.progress().state,
                    "folder": str(folder),
                }
            )
    print(_table(rows) if rows else "There are no runs yet. `holdout compare FILE --target COL` makes one.")


COMMANDS: tuple[Command, ...] = (
    Command(name="start", help="start the dashboard (the default)", arguments=_start_arguments, run=_start),
    Command(name="profile", help="profile a file: columns, kinds, alerts", arguments=_profile_arguments, run=_profile),
    Command(name="compare", help="compare models on a file", arguments=_compare_arguments, run=_compare),
    Command(name="evaluate", help="evaluate a model of a run", arguments=_views_arguments, run=_evaluate),
    Command(name="explain", help="explain one prediction with LIME", arguments=_explain_arguments, run=_explain),
    Command(
        name="resume", help="resume a run that was cancelled or interrupted", arguments=_resume_arguments, run=_resume
    ),
    Command(name="rerun", help="carry out a comparison again", arguments=_rerun_arguments, run=_rerun),
    Command(name="doctor", help="what is installed, and the workspace", arguments=_no_arguments, run=_doctor),
    Command(name="predict", help="predict new rows with a model of a run", arguments=_predict_arguments, run=_predict),
    Command(name="export", help="take a model, a card or a report away", arguments=_export_arguments, run=_export),
    Command(name="curve", help="a learning curve, or a validation curve", arguments=_curve_arguments, run=_curve),
    Command(name="runs", help="list the runs", arguments=_no_arguments, run=_runs),
    Command(name="show", help="show the leaderboard of a run", arguments=_show_arguments, run=_show),
)


if __name__ == "__main__":
    sys.exit(main())
