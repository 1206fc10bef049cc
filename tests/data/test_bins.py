from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlcore.data.bins import grouped


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(np.linspace(52.5160, 52.5170, 40)),  # latitudes of one street
        pd.Series(pd.date_range("2024-03-01 08:00", periods=40, freq="10min")),  # times of one day
        pd.Series(np.arange(20240101, 20240141)),  # days as numbers
        pd.Series(np.geomspace(1e-9, 1e9, 40)),
    ],
)
def test_each_bin_has_a_label_of_its_own(column):
    found = grouped(column, 4, 12)
    assert len(set(found.labels)) == 4
    assert np.bincount(found.place).tolist() == [10, 10, 10, 10]
    assert len(set(found.middles)) == 4


def test_whole_numbers_that_differ_late_are_different_categories():
    found = grouped(pd.Series([20240101, 20240108, 20240115] * 3).astype(float), 4, 12)
    assert set(found.labels) == {"20240101", "20240108", "20240115"}


def test_no_row_is_left_out():
    """14 categories and two missing values: twelve by their name, the others together, and the missing ones."""
    column = pd.Series([f"c{i}" for i in range(14) for _ in range(15 - i)] + [None, None])
    found = grouped(column, 4, 12)
    assert found.labels[-2:] == ("all others", "missing")
    assert np.bincount(found.place).tolist() == [*range(15, 3, -1), 3 + 2, 2]
    assert grouped(pd.Series([None, None], dtype=object), 4, 12).labels == ("missing",)


def test_a_constant_is_one_group():
    assert grouped(pd.Series([3.0] * 5), 4, 12).labels == ("3",)
