from __future__ import annotations

import numpy as np
import pandas as pd

import mlcore


def test_frames_keep_their_types_and_odd_ones_become_text(home):
    frame = pd.DataFrame(
        {
            "code": ["0", "1", "0"],
            "cut": pd.cut([1, 5, 9], 3),
            "month": pd.period_range("2024-01", periods=3, freq="M"),
            "nan": [0.0, np.nan, 1.0],
        }
    )
    found = mlcore.read(frame, name="types").frame()
    assert found["code"].tolist() == ["0", "1", "0"]
    assert found["month"].tolist() == ["2024-01", "2024-02", "2024-03"]
    assert found["cut"].str.startswith("(").all()
    assert mlcore.read(frame, name="types").schema["nan"].missing == 1
