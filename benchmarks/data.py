"""Reading, profiling and drawing beside the libraries that people use for it, in one run.

    python benchmarks/data.py [ROWS] [--ten-million] [--ydata PYTHON]

Makes its own data (ROWS × 20, 1,000,000 unless said) and prints seconds, peak memory and ratios. `--ydata` is an
interpreter that has ydata-profiling; `--ten-million` also reads ten million rows and draws every chart over them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

PEAK = (
    "import resource as r, sys; print(max(r.getrusage(w).ru_maxrss for w in (r.RUSAGE_SELF, r.RUSAGE_CHILDREN)) >> 10, "
    "file=sys.stderr)"
)
THEIRS = "import duckdb; duckdb.sql(\"COPY (SELECT * FROM read_csv('{csv}')) TO '{out}' (FORMAT parquet)\")"
YDATA = (
    "import pandas as pd; from ydata_profiling import ProfileReport; "
    "ProfileReport(pd.read_parquet('{parquet}'), minimal=True, progress_bar=False).to_file('{out}', silent=True)"
)


def make(rows: int, path: Path) -> Path:
    """Write `rows` × 20 of mixed data as CSV: an identifier, numbers, levels, a date, a truth, short text, gaps."""
    floats = ", ".join(
        f"CASE WHEN random() < .03 THEN NULL ELSE round(sqrt(-2 * ln(random() + 1e-12)) * cos(6.2831853 * random()) "
        f"* {10**i} + {i}, 4) END AS f{i}"
        for i in range(6)
    )
    levels = ", ".join(
        f"'{name}_' || floor(pow(random(), 1.5) * {n})::INT AS {name}"
        for name, n in (("region", 4), ("product", 20), ("town", 300), ("shop", 5000))
    )
    with duckdb.connect() as con:
        con.execute("SELECT setseed(.5)")
        con.execute("SET threads = 1")
        con.execute(
            f"COPY (SELECT 'c' || lpad(i::VARCHAR, 8, '0') AS customer_id, {floats}, {levels}, "
            "floor(random() * 90 + 10)::INT AS age, floor(-ln(random() + 1e-12) * 3)::INT AS orders, "
            "floor(random() * 100000)::INT AS visits, CASE WHEN random() < .2 THEN NULL ELSE floor(random() * 5)::INT "
            "END AS stars, round(exp(random() * 6), 2) AS price, random() < .3 AS member, "
            "DATE '2022-01-01' + floor(random() * 900)::INT AS day, "
            "CASE WHEN random() < .35 THEN 'yes' ELSE 'no' END AS returned, "
            "'ordered ' || floor(random() * 40)::INT || ' times by ' || floor(random() * 999)::INT AS remark "
            f"FROM range({rows}) AS t(i)) TO '{path}' (HEADER, DELIMITER ',')"
        )
    return path


def apart(code: str) -> tuple[float, int]:
    """Seconds and peak megabytes (of itself or its largest child) of a Python process of its own, start-up included."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", f"{code}\n{PEAK}"], capture_output=True, text=True, check=True)
    return time.perf_counter() - start, int(done.stderr.split()[-1])


def best(action: Callable[[], Any], times: int = 3) -> float:
    """The shortest of several wall times."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return min(found)


def reading(folder: Path, rows: int) -> Any:
    """CSV to a dataset that is ready, beside DuckDB's own CSV to Parquet."""
    import mlcore

    csv = make(rows, folder / "data.csv")
    theirs = [apart(THEIRS.format(csv=csv, out=folder / "theirs.parquet")) for _ in range(3)]
    code = f"import mlcore; mlcore.read({str(csv)!r}, name='{{}}')"
    ours = [apart(code.format(turn)) for turn in range(3)]
    a, b = min(s for s, _ in ours), min(s for s, _ in theirs)
    print(f"read {rows:,} × 20, {csv.stat().st_size >> 20} MB of CSV, each in a process of its own")
    print(f"  Holdout, ready {a:7.2f} s   peak {max(m for _, m in ours):5} MB")
    print(f"  DuckDB COPY    {b:7.2f} s   peak {max(m for _, m in theirs):5} MB")
    print(f"  ratio          {a / b:7.2f}")
    return mlcore.read(csv, name="0")


def profiling(data: Any, ydata: str | None, folder: Path) -> None:
    """Profile with alerts beside DuckDB's SUMMARIZE, and ydata-profiling's minimal report."""
    from mlcore.api import profile

    aimed = data.with_schema(data.schema.with_target("returned"))
    profile(aimed, "returned", "binary")  # imports
    theirs = best(lambda: duckdb.connect().execute(f"SUMMARIZE SELECT * FROM '{data.path}'").fetchall())
    ours = best(lambda: profile(aimed, "returned", "binary"))
    print("profile of all columns: exact quantiles, histograms, alerts")
    print(
        f"  Holdout          {ours:7.2f} s\n  DuckDB SUMMARIZE {theirs:7.2f} s\n  ratio            {ours / theirs:7.2f}"
    )
    if ydata:
        start = time.perf_counter()
        code = YDATA.format(parquet=data.path, out=folder / "report.html")
        subprocess.run([ydata, "-W", "ignore", "-c", code], check=True, capture_output=True)
        spent = time.perf_counter() - start
        print(f"  ydata-profiling, minimal, its process {spent:7.1f} s: {spent / ours:.0f} times ours")


def drawing(data: Any) -> None:
    """Every kind of chart: seconds of compute, and what the browser gets."""
    from mlcore import explore
    from mlcore.data.filters import Filter
    from mlcore.explore import PairPlotOptions, PlotOptions, View

    data = data.with_schema(data.schema.with_target("returned"))
    few = (Filter("age", "between", (20.0, 40.0)), Filter("member", "is", ("true",)))
    charts: dict[str, Callable[[View], Any]] = {
        "histogram": lambda v: explore.one(v, "f1", PlotOptions()),
        "histogram, split": lambda v: explore.one(v, "f1", PlotOptions("returned")),
        "bars, split": lambda v: explore.one(v, "shop", PlotOptions("returned")),
        "box": lambda v: explore.one(v, "f1", PlotOptions("region", shape="box")),
        "cumulative": lambda v: explore.one(v, "f1", PlotOptions("region", shape="ecdf")),
        "timeline": lambda v: explore.one(v, "day", PlotOptions("returned")),
        "lengths": lambda v: explore.one(v, "customer_id", PlotOptions(shape="lengths")),
        "points": lambda v: explore.relation(v, "f1", "f2", how=PairPlotOptions("returned", "points")),
        "density": lambda v: explore.relation(v, "f1", "f2", how=PairPlotOptions(shape="density")),
        "violins": lambda v: explore.relation(v, "region", "f2", how=PairPlotOptions(shape="violin")),
        "counts": lambda v: explore.relation(v, "region", "product"),
        "course in time": lambda v: explore.relation(v, "day", "price", how=PairPlotOptions("returned", "course")),
        "associations": lambda v: explore.correlations(v, "association"),
        "with the target": lambda v: explore.with_target(v, "returned"),
        "pairs": lambda v: explore.pairs(v, ["f1", "f2", "f3", "price"], "returned"),
        "parallel lines": lambda v: explore.parallel(v, ["f1", "f2", "region", "price"], "returned"),
        "missing": explore.missing,
        "gaps along the file": explore.missingness_map,
        "gaps together": explore.patterns,
    }
    charts["histogram"](View(data)).figure()  # imports
    explore.correlations(View(data), "association")
    print(f"charts over {data.rows:,} rows: seconds of compute on {os.cpu_count()} cores, and kB to the browser")
    print(f"  {'':22}{'all rows':>10}{'filtered':>10}{'kB':>8}")
    for name, make_chart in charts.items():
        all_rows = best(lambda m=make_chart: m(View(data)), 2)  # type: ignore[misc]
        filtered = best(lambda m=make_chart: m(View(data, few)), 1)  # type: ignore[misc]
        size = len(make_chart(View(data)).figure().to_json()) / 1000
        print(f"  {name:22}{all_rows:10.2f}{filtered:10.2f}{size:8.0f}")
    print(f"  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--ten-million", action="store_true")
    parser.add_argument("--ydata", metavar="PYTHON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOLDOUT_HOME"] = home
        folder = Path(home)
        data = reading(folder, asked.rows)
        profiling(data, asked.ydata, folder)
        drawing(data)
        if asked.ten_million:
            import mlcore

            csv = make(10_000_000, folder / "ten.csv")
            start = time.perf_counter()
            large = mlcore.read(csv)
            print(f"read 10,000,000 × 20, {csv.stat().st_size >> 20} MB, in {time.perf_counter() - start:.1f} s")
            drawing(large)


if __name__ == "__main__":
    main()
