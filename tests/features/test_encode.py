from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore.errors import BadChoice
from mlcore.features.recipe import Recipe
from mlcore.validation.target import load_target
from tests.helpers import compare_here, frame_here, others, tiny_frame


def test_a_model_reads_a_raw_frame_as_the_file_was_read(tmp_path):
    rng = np.random.default_rng(3)
    day, euro = rng.integers(1, 28, 200), rng.uniform(100, 9000, 200).round(2)
    rows = [f"{d:02d}/{d % 12 + 1:02d}/2024;{e:,.2f} €".replace(",", "_").replace(".", ",").replace("_", ".")
            for d, e in zip(day, euro, strict=True)]  # fmt: skip
    path = tmp_path / "euro.csv"
    path.write_text("when;amount;y\n" + "\n".join(f"{r};{int(e > 4000)}" for r, e in zip(rows, euro, strict=True)))
    data = mlcore.read(path)
    run = compare_here(data, "y", models=["decision_tree"], folds=3, repeats=1)
    model_ = run.model("decision_tree")
    plain = pd.read_csv(path, sep=";")
    assert plain["amount"].dtype != float
    assert (model_.predict(plain) == model_.predict(data.frame())).all()
    np.testing.assert_allclose(model_[:-1].transform(plain), model_[:-1].transform(data.frame()))


def test_derived_names_and_one_hot_names_do_not_collide():
    frame = tiny_frame("binary", 80).assign(**{"when year": 1.5, "colour_red": np.arange(80.0)})
    data = frame_here(frame, "names")
    run = compare_here(data, "two", models=["logistic"], folds=3, repeats=1)
    assert run.board().ranked()
    schema = data.schema.with_target("two")
    seen = Recipe("two", "binary").preview(schema, data.frame(), load_target(data, "two", "binary").y)
    assert len(set(seen.columns)) == seen.shape[1]


def test_recipes_change_what_models_see(mixed):
    schema = mixed.schema.with_target("two").ignoring(others("binary"))
    frame, target = mixed.frame(), load_target(mixed, "two", "binary")
    recipe = Recipe("two", "binary")
    assert Recipe.from_json(recipe.to_json()) == recipe
    seen = recipe.preview(schema, frame, target.y)
    assert {"colour_red", "when days", "town", "flag"} <= set(seen.columns)
    assert not seen.isna().any().any()
    assert seen["a"].mean() == pytest.approx(0, abs=1e-9)  # scaled
    trees = recipe.preview(schema, frame, target.y, "tree")
    assert trees["a"].isna().sum() == frame["a"].isna().sum()  # left missing
    plain = recipe.with_changes({"step": "scale", "method": "none"})
    plain = plain.with_changes({"step": "missing", "method": "constant", "indicator": False})
    plain = plain.with_changes({"step": "encode", "method": "ordinal"})
    found = plain.preview(schema, frame, target.y)
    assert (found.loc[frame["a"].isna(), "a"] == 0).all()
    np.testing.assert_allclose(found["a"][frame["a"].notna()], frame["a"].dropna())
    assert set(found["colour"]) == {-1.0, 0.0, 1.0, 2.0}  # a missing level has a code of its own
    year = recipe.with_changes({"step": "dates", "parts": ["year"]}).preview(schema, frame, target.y, "tree")
    assert set(year["when year"].dropna()) == {2024.0, 2025.0}
    with pytest.raises(BadChoice, match="part of a recipe"):
        Recipe.from_json({"target": "two", "task": "binary", "smote": {}})
    with pytest.raises(BadChoice, match="not a step"):
        Recipe.from_json({"target": "two", "task": "binary", "steps": [{"step": "smote"}]})
