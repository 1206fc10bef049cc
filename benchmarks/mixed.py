"""Mixed data for the benchmarks: numbers, levels, a date, a truth, gaps, and a learnable two-class target."""

from __future__ import annotations

import numpy as np
import pandas as pd


def mixed(rows: int, seed: int = 0) -> pd.DataFrame:
    """Make (rows, 15) with the target `y`."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"n{i}": rng.normal(size=rows) for i in range(8)})
    for i, levels in enumerate((3, 5, 8, 12, 200)):
        frame[f"c{i}"] = rng.integers(0, levels, rows).astype(str)
        frame[f"c{i}"] = f"level_{i}_" + frame[f"c{i}"]
    frame["when"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    frame["flag"] = rng.random(rows) < 0.3
    effect = rng.normal(0, 0.7, 200)[frame["c4"].str.rsplit("_").str[-1].astype(int)]
    signal = frame["n0"] - 0.8 * frame["n1"] * frame["n2"] + (frame["c0"] == "level_0_1") + effect + 0.8 * frame["flag"]
    frame["y"] = np.where(signal + rng.normal(0, 1, rows) > 0.5, "yes", "no")
    for name in ("n0", "n3", "c1", "when"):
        frame.loc[rng.random(rows) < 0.05, name] = pd.NaT if name == "when" else None
    return frame
