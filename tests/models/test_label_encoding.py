from __future__ import annotations

import numpy as np

import mlcore
from mlcore.models.label_encoding import LabelEncoding
from mlcore.validation.target import load_target


def test_large_whole_labels_stay_apart_beside_missing_ones(tmp_path):
    """Beyond 2^53 two neighbours are one as floats."""
    low = 2**53
    rows = [f"{i * 0.37},{'' if i % 20 == 0 else low + i % 2}" for i in range(120)]
    (tmp_path / "ids.csv").write_text("\n".join(["a,y", *rows]))
    data = mlcore.read(tmp_path / "ids.csv")
    assert sorted(load_target(data, "y", "binary").classes.tolist()) == [low, low + 1]


def test_labelled_speaks_labels_and_survives_one_class():
    from sklearn.linear_model import LogisticRegression

    x = np.arange(6.0)[:, None]
    found = LabelEncoding(LogisticRegression()).fit(x, np.array(["b", "a", "b", "a", "b", "b"]))
    assert found.classes_.tolist() == ["a", "b"]
    assert set(found.predict(x)) <= {"a", "b"}
    alone = LabelEncoding(LogisticRegression()).fit(x, np.array(["b"] * 6))
    assert alone.predict(x).tolist() == ["b"] * 6
    assert alone.predict_proba(x).tolist() == [[1.0]] * 6
