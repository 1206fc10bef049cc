from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlcore


@pytest.mark.slow
def test_large_tables_keep_a_sample_in_the_order_of_the_file(home):
    rows = 250_000
    data = mlcore.read(pd.DataFrame({"n": np.arange(rows), "x": np.arange(rows) * 0.5}), name="large")
    sample = data.sample(["n"])["n"].to_numpy()
    assert len(sample) == 50_000
    assert (np.diff(sample) > 0).all()
    assert abs(sample.mean() - rows / 2) < 0.01 * rows
    assert abs(data.schema["x"].distinct - rows) < 0.1 * rows
    assert data.schema["x"].estimated
    assert data.schema["n"].distinct == rows
