"""The engine beside plain scikit-learn, as whole programs: the same models, folds and metrics.

    python benchmarks/compare.py [ROWS] [--race] [--rows-only]

Plain scikit-learn is what a careful person would write: each model a whole Pipeline in `cross_validate` on all cores,
in a fresh process. Ours is `mlcore.read` and a comparison in a fresh process, which starts its worker. Seconds are
those of the whole program until the leaderboard is whole, imports and reading among them, processor seconds those of
its process tree; "comparing alone" leaves out what comes before. Both compute all metrics of the task that scikit-learn
has a scorer for. Also printed: a warm worker (as the dashboard has one), the first row, the largest difference of a
fold's score, and with --race what racing saves and whether its top group is the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LEFT_OUT = ("rule", "blend")  # they have no counterpart in scikit-learn
SCORERS = ("roc_auc", "accuracy", "balanced_accuracy", "average_precision", "f1", "precision", "recall",
           "matthews_corrcoef")  # fmt: skip


def tree_seconds(pid: int) -> float:
    """Processor seconds of a process and of all its descendants, ended ones that were waited for included."""
    tick = os.sysconf("SC_CLK_TCK")
    stats: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stats[int(entry.name)] = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
    total, wave = 0.0, [pid]
    while wave:
        total += sum(sum(map(int, stats[p][11:15])) for p in wave if p in stats) / tick
        wave = [p for p, s in stats.items() if int(s[1]) in wave]
    return total


def spent() -> tuple[float, float]:
    """Wall seconds since this program was started, and processor seconds of it and its processes."""
    return time.time() - float(os.environ["BENCHMARK_STARTED"]), tree_seconds(os.getpid())


def ours(parquet: str, place: str, race: bool, warm: bool) -> None:
    """Compare until the leaderboard is whole, and print what it took. Runs as a program of its own."""
    import pandas as pd

    import mlcore
    from mlcore.api import Aim, begin, plan
    from mlcore.experiment.candidate import Choice
    from mlcore.models.catalogue import of_preset
    from mlcore.runs.folder import RunFolder
    from mlcore.runs.process import Standby, launch
    from mlcore.validation.protocol import Protocol

    data = mlcore.read(pd.read_parquet(parquet), name="mixed")
    names = [n for n in of_preset("standard", "binary") if n not in LEFT_OUT]
    protocol = Protocol(repeats=1, seed=0, race=race)
    data, experiment = plan(data, Aim("y"), protocol, Choice(models=names))
    standby = Standby()
    if warm:
        standby.warm()
        time.sleep(6)
    start = time.perf_counter()
    run = begin(data, experiment, Path(place), standby.launch if warm else launch)
    first = 0.0
    while not first:
        first = next(
            (time.perf_counter() - start for e in RunFolder(run.path).events() if e["event"] == "candidate"), 0.0
        )
        time.sleep(0.02)
    run.wait(board=True, every=0.02)
    alone, (wall, cpu) = time.perf_counter() - start, spent()
    run.wait()
    print(json.dumps({"wall": wall, "cpu": cpu, "first": first, "alone": alone}))


def plain(parquet: str, place: str) -> None:
    """The same in plain scikit-learn, on the folds of a run. Runs as a program of its own."""
    import warnings

    warnings.simplefilter("ignore")
    import numpy as np
    from sklearn.model_selection import cross_validate

    import mlcore
    from mlcore.runs.context import context
    from mlcore.runs.process import cores

    run = mlcore.open_run(place)
    shared = context(str(run.path))
    frame = run.dataset.frame().iloc[shared.plan.train]
    splits = [(f.train, f.test) for f in shared.plan.folds]
    start, told = time.perf_counter(), {}
    for candidate in run.experiment.candidates:
        estimator = candidate.build(shared.setting.for_fit(shared.y[splits[0][0]]), run.path)
        whole = run.experiment.recipe.pipeline(run.experiment.schema, candidate.family, estimator)
        found = cross_validate(whole, frame, shared.y, cv=splits, scoring=list(SCORERS), n_jobs=cores())
        if candidate.most_rows is None or len(splits[0][0]) <= candidate.most_rows:
            told[candidate.model] = found["test_roc_auc"]
    alone, (wall, cpu) = time.perf_counter() - start, spent()
    gap = max(float(np.abs(scores - run.board().row(m).folds).max()) for m, scores in told.items())
    print(json.dumps({"wall": wall, "cpu": cpu, "alone": alone, "gap": gap}))


def _run(home: str, *words: str) -> dict[str, Any]:
    env = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    env |= {"HOLDOUT_HOME": home, "BENCHMARK_STARTED": str(time.time())}
    done = subprocess.run([sys.executable, __file__, *words], env=env, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(rows: int, race: bool) -> None:
    """Run all as programs of their own, and print."""
    from mixed import mixed

    with tempfile.TemporaryDirectory() as home:
        parquet = str(Path(home) / "mixed.parquet")
        mixed(rows).to_parquet(parquet)
        cold = _run(home, "ours", parquet, f"{home}/cold")
        theirs = _run(home, "plain", parquet, f"{home}/cold")
        warm = _run(home, "ours", parquet, f"{home}/warm", "--warm")
        print(f"{rows:,} rows, 5 folds, {len(os.sched_getaffinity(0))} cores; seconds to the whole leaderboard")
        print(f"{'':32}{'wall':>8}{'CPU':>8}{'comparing alone':>18}{'first row':>12}")
        for name, told in (("plain cross_validate", theirs), ("Holdout", cold), ("Holdout, warm worker", warm)):
            whole = "" if told is warm else f"{told['wall']:8.2f}{told['cpu']:8.2f}"
            first = f"{told['first']:12.2f}" if "first" in told else ""
            print(f"{name:32}{whole:16}{told['alone']:18.2f}{first}")
        print(f"{'ratio':32}{cold['wall'] / theirs['wall']:8.2f}{cold['cpu'] / theirs['cpu']:8.2f}"
              f"{cold['alone'] / theirs['alone']:18.2f}")  # fmt: skip
        print(f"{'ratio, warm':32}{'':16}{warm['alone'] / theirs['alone']:18.2f}")
        print(f"largest difference of a fold's ROC AUC: {theirs['gap']:.1e}")
        if race:
            _race(home, parquet, warm)


def _race(home: str, parquet: str, whole: dict[str, Any]) -> None:
    import mlcore

    raced = _run(home, "ours", parquet, f"{home}/raced", "--warm", "--race")
    groups = [{r.model for r in mlcore.open_run(f"{home}/{n}").board().rows if r.group == 1} for n in ("warm", "raced")]
    print(f"{'Holdout, warm, race':32}{'':16}{raced['alone']:18.2f}{raced['first']:12.2f}")
    print(
        f"race: {whole['alone'] / raced['alone']:.2f} times as fast, "
        f"top group {'the same' if groups[0] == groups[1] else f'{groups[0]} without and {groups[1]} with'}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", default="5000")
    parser.add_argument("places", nargs="*")
    parser.add_argument("--race", action="store_true")
    parser.add_argument("--warm", action="store_true")
    given = parser.parse_args()
    if given.what == "ours":
        ours(*given.places, given.race, given.warm)
    elif given.what == "plain":
        plain(*given.places)
    else:
        main(int(given.what), given.race)
