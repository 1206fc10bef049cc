"""What the race saves, and whether it ever stops a model that the whole run would show in the top group.

    python benchmarks/race.py TABLE.csv@TARGET… [--preset standard]

Each table is compared twice with the same folds, without and with the race, one after the other. Printed for each: wall
seconds to the whole leaderboard, processor seconds of the process tree, the models that were stopped, those of them
that are in the top group of the whole run, and whether the star is the same. The blend is left out: its members depend
on which models are still there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from compare import tree_seconds

BUNDLED = ("breast_cancer", "diabetes", "wine", "iris", "digits")  # of scikit-learn


def table(name: str) -> tuple[Any, str]:
    """A frame and its target, of a file or of scikit-learn's bundled sets."""
    import sklearn.datasets

    if name in BUNDLED:
        return getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame, "target"
    path, _, target = name.partition("@")
    return path, target


def compared(data: Any, target: str, preset: str, race: bool) -> tuple[Any, float, float]:
    """A run with or without the race, its wall seconds and its processor seconds."""
    import mlcore
    from mlcore.models.catalogue import of_preset

    task = mlcore.compare(data, target=target, models=["dummy", "rule"], folds=2, repeats=1).experiment.recipe.task
    names = [n for n in of_preset(preset, task) if n != "blend"]
    start, spent = time.perf_counter(), tree_seconds(os.getpid())
    run = mlcore.compare(data, target=target, models=names, race=race, seed=0)
    wall = time.perf_counter() - start
    run.wait()
    return run, wall, tree_seconds(os.getpid()) - spent


def main(tables: list[str], preset: str) -> None:
    """Compare each table twice, and print one line for each."""
    import mlcore

    print(f"{'table':24}{'rows':>8}{'wall':>15}{'CPU':>15}  stopped; lost from the top group; star")
    lost_in = 0
    for name in tables:
        source, target = table(name)
        data = mlcore.read(source, name="bundled") if not isinstance(source, str) else mlcore.read(source)
        whole, wall, cpu = compared(data, target, preset, race=False)
        raced, raced_wall, raced_cpu = compared(data, target, preset, race=True)
        top = {r.model for r in whole.board().rows if r.group == 1}
        stopped = {r.model for r in raced.board().rows if r.status == "stopped"}
        stars = [next((r.model for r in run.board().rows if r.star), None) for run in (whole, raced)]
        lost_in += bool(top & stopped)
        star = "same" if stars[0] == stars[1] else " > ".join(map(str, stars))
        print(f"{Path(name).name:24}{data.rows:8,}{wall:7.1f} >{raced_wall:6.1f}{cpu:7.1f} >{raced_cpu:6.1f}"
              f"  {len(stopped)}; {', '.join(sorted(top & stopped)) or 'none'}; {star}", flush=True)  # fmt: skip
    print(f"A member of the whole run's top group was stopped on {lost_in} of {len(tables)} tables.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--preset", default="standard")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOLDOUT_HOME"] = home
        sys.exit(main(given.tables, given.preset))
