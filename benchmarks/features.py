"""A ten-step recipe beside the same scikit-learn transformers called by hand, in one run.

    python benchmarks/features.py [ROWS] [--pairs N]

Makes its own data (ROWS × 20, 1,000,000 unless said). Prints seconds of a preview of one step, of fitting all steps and
the encoder, and of the same by hand, alternating; the ratio is that of the medians. Also prints the difference of a
leaderboard's fit with and without an empty recipe, which must be none.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, RobustScaler, StandardScaler, TargetEncoder

RECIPE = {
    "target": "y",
    "task": "binary",
    "steps": [
        {"step": "missing", "columns": ["n0", "n1"], "method": "median"},
        {"step": "clip", "columns": ["n2", "n3"]},
        {"step": "transform", "columns": ["n4"], "method": "log"},
        {"step": "bins", "columns": ["n5"], "method": "frequency", "bins": 10},
        {"step": "scale", "columns": ["n6", "n7"], "method": "robust"},
        {"step": "formula", "name": "sum", "formula": "n8 + n9 * n10"},
        {"step": "combine", "columns": ["n8", "n11"], "method": "product"},
        {"step": "encode", "columns": ["c0"], "method": "target"},
        {"step": "group_stats", "columns": ["n11"], "by": "c1", "statistic": "mean"},
        {"step": "drop", "columns": ["n13"]},
    ],
}


def make(rows: int) -> pd.DataFrame:
    """Make (rows, 20) with the target `y`."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"n{i}": rng.normal(size=rows) for i in range(14)})
    frame["n4"] = rng.lognormal(size=rows)
    for i, levels in enumerate((200, 12, 8, 5, 3)):
        frame[f"c{i}"] = np.char.add("level ", rng.integers(0, levels, rows).astype(str)).astype(object)
    frame["y"] = (frame["n0"] + (frame["c1"] == "level 1") + rng.normal(size=rows) > 0.4).astype(int)
    frame.loc[rng.random(rows) < 0.05, "n0"] = np.nan
    return frame


def ours(data: Any, frame: pd.DataFrame, y: Any) -> Any:
    """All steps and the encoder of linear models."""
    from mlcore.features.recipe import Recipe
    from mlcore.features.transformers import Conform

    recipe = Recipe.from_json(RECIPE)
    return recipe.features(data.schema, "linear").fit_transform(Conform.of(data.schema).transform(frame), y)


def by_hand(frame: pd.DataFrame, y: Any) -> Any:
    """The same columns with pandas, numpy and scikit-learn."""
    X = frame.copy()
    X["n2"], X["n3"] = (X[c].clip(*np.quantile(X[c], [0.01, 0.99])) for c in ("n2", "n3"))
    X["n4"] = np.log1p(X["n4"])
    X["sum"] = X["n8"] + X["n9"] * X["n10"]
    X["product"] = X["n8"] * X["n11"]
    means = X.groupby("c1")["n11"].mean()
    X["mean by c1"] = X["c1"].map(means)
    X["less mean"] = X["n11"] - X["mean by c1"]
    numbers = ["n2", "n3", "n4", "n8", "n9", "n10", "n11", "n12", "sum", "product", "mean by c1", "less mean"]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["n0", "n1"]),
        (KBinsDiscretizer(10, encode="onehot-dense", strategy="quantile", quantile_method="linear"), ["n5"]),
        (RobustScaler(), ["n6", "n7"]),
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        (make_pipeline(TargetEncoder(), StandardScaler()), ["c0"]),
        (OneHotEncoder(sparse_output=False), ["c1", "c2", "c3", "c4"]),
        sparse_threshold=0,
    ).fit_transform(X, y)


def seconds(work: Any) -> float:
    """Wall seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    os.environ["HOLDOUT_HOME"] = tempfile.mkdtemp()
    import mlcore
    from mlcore.features.preview import preview_recipe, preview_step
    from mlcore.features.recipe import Recipe
    from mlcore.validation.protocol import Protocol

    frame = make(arguments.rows)
    data = mlcore.read(frame, name="benchmark")
    data = data.with_schema(data.schema.with_target("y"))
    recipe, protocol = Recipe.from_json(RECIPE), Protocol()
    X, y = data.frame(data.schema.features().names), frame["y"].to_numpy()
    print(f"{arguments.rows:,} rows × {frame.shape[1]} columns, ten steps")
    for name, look in (
        ("one step", lambda: preview_step(data, recipe, protocol, 7)),
        ("all steps", lambda: preview_recipe(data, recipe, protocol, "linear")),
    ):
        times = [seconds(look) for _ in range(arguments.pairs + 1)]
        print(f"preview, {name}: first {times[0]:.2f} s, then {statistics.median(times[1:]):.2f} s")
    pairs = [(seconds(lambda: ours(data, X, y)), seconds(lambda: by_hand(X, y))) for _ in range(arguments.pairs)]
    mine, theirs = (statistics.median(p) for p in zip(*pairs, strict=True))
    print(f"fit: {mine:.2f} s, by hand {theirs:.2f} s, ratio {mine / theirs:.2f} (spread "
          f"{min(a / b for a, b in pairs):.2f} to {max(a / b for a, b in pairs):.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
