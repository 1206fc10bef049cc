from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlcore
from tests.helpers import compare_here, frame_here


@pytest.mark.slow
def test_a_target_given_away_raises_an_alert_first(churn_file):
    run = compare_here(mlcore.read(churn_file), target="churned", preset="quick", folds=3, repeats=1)
    assert [(a["code"], a["column"]) for a in run.alerts() if a["severity"] == "high"] == [
        ("too_good", "retention_call")  # what the column alone says is said again of the result, with its effect
    ]
    assert "falls from" in run.alerts()[0]["text"]
    assert [a["code"] for a in run.cautions()] == ["too_good"]
    run.accept("too_good")
    assert run.cautions() == []
    assert run.alerts()[0]["fix"]["value"] == "ignore"


@pytest.mark.parametrize("kind", ["sum", "ratio", "larger"])
def test_a_target_made_of_two_columns(kind):
    from mlcore.checks.registry import find

    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 9, 400), rng.uniform(1, 9, 400)
    y = {"sum": 3 * (a + b) + 2, "ratio": a / b, "larger": np.where(a > b, "yes", "no")}[kind]
    data = frame_here(pd.DataFrame({"a": a, "b": b, "noise": rng.normal(size=400), "y": y}), kind)
    data = data.with_schema(data.schema.with_target("y"))
    found = [x for x in find(data, "y", "binary" if kind == "larger" else "regression") if x.code == "target_formula"]
    assert len(found) == 1
    sign = {"sum": "a + b", "ratio": "a ÷ b", "larger": "a − b"}[kind]
    assert sign in found[0].text
    noisy = frame_here(pd.DataFrame({"a": a, "b": b, "y": a + b + rng.normal(size=400)}), "noisy")
    assert not [x for x in find(noisy.with_schema(noisy.schema.with_target("y")), "y", "regression")
                if x.code == "target_formula"]  # fmt: skip
