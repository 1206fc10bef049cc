"""What the documents show works: the worked examples, the README's Python, and the page of all names."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import max_error

import mlcore
from mlcore.data.dataset import Column, Schema
from mlcore.features.steps.base import Training
from mlcore.models.builders import Setting
from mlcore.validation.metrics import compute
from mlcore.validation.predictions import Predictions

ROOT = Path(__file__).resolve().parents[1]


def example(name: str, *homes: str) -> dict[str, Any]:
    """Run one of CONTRIBUTING's examples among the names of the modules that it is written for."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (code,) = re.findall(rf"```python {name}\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {"__name__": homes[0]}  # where dataclasses look for their annotations
    for home in homes:
        names |= {k: v for k, v in vars(importlib.import_module(home)).items() if not k.startswith("__")}
    exec(compile(code, f"CONTRIBUTING.md ({name})", "exec", dont_inherit=True, flags=0x1000000), names)
    return names


def test_the_metric():
    metric = example("metric", "mlcore.validation.metrics")["MAX_ERROR"]
    truth, prediction = np.array([1.0, 2, 3, 10]), np.array([1.5, 2, 1, 0])
    assert compute(metric, Predictions(truth, prediction)) == (max_error(truth, prediction), "")


def test_the_model():
    row = example("model", "mlcore.models.catalogue", "mlcore.models.builders")["GAUSSIAN_PROCESS"]
    x, y = np.array([[0.0], [0.1], [0.9], [1.0]]), np.array([0, 0, 1, 1])
    built = row.build(Setting("binary", seed=0).for_fit(y), row.defaults("binary")).fit(x, y)
    assert built.predict(x).tolist() == [0, 0, 1, 1]
    assert row.cost_class == "slow"


def test_the_step():
    rank = example("step", "mlcore.features.steps.base", "mlcore.features.steps.numeric")["Rank"]()
    assert rank.words(["age"]) == "age: the fraction of training rows that are smaller."
    schema = Schema((Column("age", "numeric", "feature", "float", 0, 4),))
    frame = pd.DataFrame({"age": [10.0, 20.0, 30.0, 40.0]})
    learned = rank.learn(Training(frame=frame, schema=schema, y=np.zeros(4), task="binary"))
    assert rank.chosen(schema) == ["age"]
    assert rank.make(pd.DataFrame({"age": [25.0, 99.0]}), learned)["age"].tolist() == [0.5, 1.0]
    with pytest.raises(mlcore.HoldoutError, match="true and false"):
        rank.change(percent="yes")


def test_the_result(runs):
    names = example("result", "mlcore.evaluate.classes", "mlcore.charts.evaluating")
    plan = runs["binary"].plan()
    assert names["count_classes"](runs["binary"]).frame()["rows"].tolist() == plan["counts"]
    result = names["ClassCounts"](counts=(("no", 30), ("yes", 70)))
    assert result.sentence() == "yes is the most common class, with 70 rows."
    assert result.figure().data[0].y == (30, 70)
    assert result.file("svg").startswith(b"<?xml")


def test_the_tab():
    from ui.evaluate import views

    before = dict(views.CLASSIFICATION)
    try:
        assert "Class counts" in example("tab", "ui.evaluate.views")["CLASSIFICATION"]
    finally:
        views.CLASSIFICATION.clear()
        views.CLASSIFICATION.update(before)


def test_each_registry_name_is_in_the_docs():
    spec = importlib.util.spec_from_file_location("registries", ROOT / "docs" / "registries.py")
    registries = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(registries)
    page = registries.page()
    assert (ROOT / "docs" / "registries.md").read_text("utf-8") == page, "run `make docs`"
    assert all(f"`{m.name}`" in page for m in (*mlcore.MODELS, *mlcore.METRICS))


def test_the_reference_names_what_is_promised():
    page = (ROOT / "docs" / "reference.md").read_text("utf-8")
    listed = set(re.findall(r"^::: [\w.]+\.(\w+)$", page, re.MULTILINE))
    assert listed == set(mlcore.__all__) - {"METRICS", "MODELS"}  # those are on the page of registries


def readme() -> str:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) > 1
    return "\n".join(blocks)


@pytest.mark.slow
def test_the_python_of_the_readme_is_typed(tmp_path):
    """From outside the checkout, as users of the installed package have it."""
    (tmp_path / "readme.py").write_text(readme(), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "readme.py"]
    done = subprocess.run(command,
                          cwd=tmp_path, capture_output=True, text=True, check=False)  # fmt: skip
    assert "Success" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    folder = tmp_path / "a-new-folder"
    exec(readme().replace('"a-new-folder"', repr(str(folder))), {})
    assert (folder / "experiment.json").exists()


def test_types_travel_with_the_package():
    assert (ROOT / "mlcore" / "py.typed").exists()
    assert 'packages = ["mlcore"]' in (ROOT / "pyproject.toml").read_text("utf-8")
