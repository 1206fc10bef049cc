"""Each step against an independent computation, and what must hold of all of them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import PowerTransformer, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mlcore.data.dataset import Column, Schema
from mlcore.features.steps import STEPS, step_from_json
from mlcore.features.transformers import StepSequence

RNG = np.random.default_rng(7)
ROWS = 200
FRAME = pd.DataFrame(
    {
        "a": RNG.normal(size=ROWS),
        "b": RNG.integers(0, 50, ROWS).astype(float),
        "colour": RNG.choice(["red", "green", "blue"], ROWS).astype(object),
        "town": np.array([f"t{n}" for n in RNG.integers(0, 9, ROWS)], object),
        "flag": (RNG.random(ROWS) < 0.4).astype(float),
        "when": pd.Timestamp("2024-01-06") + pd.to_timedelta(RNG.integers(0, 500, ROWS), unit="D"),
        "note": np.array([" ".join(RNG.choice(["late", "refund", "kind", "fast", "broken"], 4)) for _ in range(ROWS)],
                         object),
    }
)  # fmt: skip
KINDS = {"a": "numeric", "b": "numeric", "colour": "categorical", "town": "categorical", "flag": "boolean",
         "when": "datetime", "note": "text"}  # fmt: skip
Y = (FRAME["a"] + (FRAME["colour"] == "red") + RNG.normal(size=ROWS) > 0.4).to_numpy(int)
# The least that each step needs, and a second way to use it.
OPTIONS = {
    "missing": [{}, {"method": "knn"}, {"method": "iterative"}, {"method": "most_frequent"}, {"method": "mean"}],
    "clip": [{}, {"method": "iqr", "mark": True}],
    "drop_rows": [{}, {"method": "missing"}, {"method": "isolation_forest"}],
    "encode": [{"method": m} for m in ("one_hot", "ordinal", "target", "count", "hashing", "binary")],
    "scale": [{"method": m} for m in ("standard", "robust", "minmax", "quantile", "power", "none")],
    "transform": [{"method": m} for m in ("log", "sqrt", "square", "power", "box_cox")],
    "bins": [{"method": m} for m in ("width", "frequency", "kmeans", "tree")] + [{"method": "edges", "edges": [0]}],
    "cross": [{"columns": ["colour", "town"]}],
    "combine": [{"columns": ["a", "b"], "method": m} for m in ("product", "ratio", "sum", "polynomial")],
    "formula": [{"name": "c", "formula": "where(a > 0, log(1 + b), 0)"}],
    "group_stats": [{"columns": ["b"], "by": "colour"}, {"columns": ["b"], "by": "town", "statistic": "median"}],
    "dates": [{}, {"parts": ["weekend", "cycles", "hour", "day"]}],
    "text": [{"method": m, "size": 3} for m in ("tfidf", "counts", "hashing", "topics", "lengths")],
    "url": [{"columns": ["note"]}],
    "trees": [{"trees": 2}],
    "clusters": [{"clusters": 3}],
    "project": [{"components": 1}, {"method": "factor", "components": 1}, {"method": "random", "components": 1}],
    "select": [{"method": m, "keep": 2}
               for m in ("variance", "correlated", "univariate", "model", "recursive", "random_column")],
    "drop": [{"columns": ["a"]}],
    "resample": [{"method": m} for m in ("weights", "over", "under", "shuffle")],
}  # fmt: skip
EACH = [{"step": name, **options} for name, ways in OPTIONS.items() for options in ways]
IDS = [f"{d['step']}-{d.get('method', d.get('statistic', ''))}" for d in EACH]


def schema_of(frame: pd.DataFrame) -> list[dict]:
    return [
        asdict(Column(str(c), KINDS[str(c)], "feature", "float", int(frame[c].isna().sum()), int(frame[c].nunique())))
        for c in frame
    ]


def fitted(steps: list[dict], frame: pd.DataFrame = FRAME, y: np.ndarray = Y, task: str = "binary"):
    sequence = StepSequence(steps, schema_of(frame), task)
    return sequence, *sequence.fit_rows(frame, y)


def made(step: dict, frame: pd.DataFrame = FRAME, y: np.ndarray = Y) -> pd.DataFrame:
    return fitted([step], frame, y)[1]


def test_every_step_is_swept():
    assert set(OPTIONS) == set(STEPS), "Give each step its least options in OPTIONS, so that it is swept."
    for kind in STEPS.values():
        assert kind.help.what
        assert kind.title
        assert kind().words(["a"] if kind.has_auto else ["a", "b"]).endswith((".", "= ")) or kind.step == "formula"


@pytest.mark.slow  # CI and `make test-all` run it
@pytest.mark.parametrize("step", EACH, ids=IDS)
def test_a_step_survives_what_people_bring(step):
    """Missing values in every column, categories that training rows never had, a single row, a constant column."""
    gaps = FRAME.mask(RNG.random(FRAME.shape) < 0.2).assign(when=FRAME["when"].mask(RNG.random(ROWS) < 0.2))
    sequence, train, rows = fitted([step], gaps)
    assert len(train) == len(rows)
    new = gaps.head(3).assign(colour=["never", None, "red"], b=[1e9, np.nan, -5.0], note=["", None, "unheard words"])
    out = sequence.transform(new)
    assert list(out.columns) == list(train.columns)
    assert len(out) == 3  # rows to predict are never left out, nor repeated
    assert len(sequence.transform(new.head(1))) == 1
    constant = FRAME.assign(a=1.0, b=np.nan, colour="x")
    if step["step"] not in ("drop_rows",):
        fitted([step], constant)[0].transform(new)  # with columns that had one value, or none, in training
    assert [str(c) for c in sequence.get_feature_names_out()] == list(train.columns)


@pytest.mark.slow  # CI and `make test-all` run it
@pytest.mark.parametrize("step", EACH, ids=IDS)
def test_a_step_learns_nothing_from_other_rows(step):
    """What it makes of a row does not depend on the rows beside it, and what it learned not on rows to predict."""
    sequence, _, _ = fitted([step], FRAME.head(150), Y[:150])
    alone = pd.concat([sequence.transform(FRAME.iloc[[i]]) for i in range(150, 156)])
    together = sequence.transform(FRAME.iloc[150:156])
    pd.testing.assert_frame_equal(alone, together, check_dtype=False, rtol=1e-9)
    again, _, _ = fitted([step], FRAME.head(150), Y[:150])
    pd.testing.assert_frame_equal(again.transform(FRAME.iloc[150:]), sequence.transform(FRAME.iloc[150:]))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", ["trees", "select", "bins", "encode"])
def test_steps_that_use_the_target_know_every_task(name, task):
    y = {"binary": Y, "multiclass": Y + (FRAME["b"] > 25).to_numpy(int), "regression": FRAME["a"].to_numpy()}[task]
    way = {"bins": {"method": "tree"}, "encode": {"method": "target"}}.get(name, {})
    assert len(fitted([{"step": name, **way}], FRAME, y, task)[1]) == ROWS


# against an independent computation -----------------------------------------------------------------------------------


def test_clip_is_numpys():
    low, high = np.quantile(FRAME["b"], [0.05, 0.9])
    out = made({"step": "clip", "columns": ["b"], "low": 0.05, "high": 0.9, "mark": True})
    np.testing.assert_array_equal(out["b"], np.clip(FRAME["b"], low, high))
    np.testing.assert_array_equal(out["b clipped"], (FRAME["b"] < low) | (FRAME["b"] > high))


@pytest.mark.parametrize(
    ("method", "plain"), [("standard", StandardScaler()), ("robust", RobustScaler()), ("power", PowerTransformer())]
)
def test_scales_are_scikit_learns(method, plain):
    out = made({"step": "scale", "columns": ["a", "b"], "method": method})
    np.testing.assert_allclose(out[["a", "b"]], plain.fit_transform(FRAME[["a", "b"]].to_numpy()))


def test_fills_are_pandas():
    frame = FRAME.assign(b=FRAME["b"].mask(FRAME["b"] > 40), colour=FRAME["colour"].mask(FRAME["a"] > 1))
    out = made({"step": "missing", "columns": ["b", "colour"], "method": "most_frequent"}, frame)
    assert (out["b"] == frame["b"].fillna(frame["b"].mode().iloc[0])).all()
    assert (out["colour"] == frame["colour"].fillna(frame["colour"].mode().iloc[0])).all()
    assert (out["b missing"] == frame["b"].isna()).all()
    mean = made({"step": "missing", "columns": ["b"], "method": "mean"}, frame)["b"]
    np.testing.assert_allclose(mean, frame["b"].fillna(frame["b"].mean()))


def test_stems_are_counted_as_one_word():
    note = np.array(["running runs", "the runner ran", "jumped", "jumping jumps"] * 50, object)
    out = made({"step": "text", "columns": ["note"], "method": "counts", "stem": "english"}, FRAME.assign(note=note))
    counts = out[[c for c in out if str(c).startswith("note ")]]
    assert {"note 'run'", "note 'jump'"} <= set(counts.columns)
    assert counts["note 'run'"].tolist()[:4] == [2, 0, 0, 0]  # "runner" and "ran" have other stems in Snowball
    assert counts["note 'jump'"].tolist()[:4] == [0, 0, 1, 2]


def test_box_cox_is_scipys():
    """`b` has zeros, so it is moved up by 1; a lower value at prediction counts as the smallest of training."""
    from scipy.stats import boxcox

    sequence, out, _ = fitted([{"step": "transform", "columns": ["b"], "method": "box_cox"}])
    np.testing.assert_allclose(out["b"], boxcox(FRAME["b"] + 1)[0], rtol=1e-6)
    low = sequence.transform(FRAME.head(2).assign(b=[-7.0, 0.0]))["b"]
    assert low[0] == low[1] == 0


def test_transforms_by_hand():
    out = made({"step": "transform", "columns": ["a", "b"], "method": "log"})
    np.testing.assert_allclose(out["b"], np.log1p(FRAME["b"]))
    np.testing.assert_allclose(out["a"], np.log1p(FRAME["a"] - FRAME["a"].min()))  # moved up to 0
    assert "b squared" in made({"step": "transform", "columns": ["b"], "method": "square"})


def test_bins_by_hand():
    out = made({"step": "bins", "columns": ["b"], "method": "edges", "edges": [20, 40]})["b"]
    expected = pd.cut(FRAME["b"], [-np.inf, 20, 40, np.inf], labels=["up to 20", "20 to 40", "above 40"]).astype(str)
    assert (out == expected).all()
    width = made({"step": "bins", "columns": ["b"], "method": "width", "bins": 7})["b"]
    assert (width.value_counts().sort_values().tolist()
            == pd.cut(FRAME["b"], 7).value_counts().sort_values().tolist())  # fmt: skip
    frequency = made({"step": "bins", "columns": ["a"], "bins": 4})["a"]
    assert frequency.value_counts().tolist() == [50, 50, 50, 50]
    tree = made({"step": "bins", "columns": ["a"], "method": "tree", "bins": 2})["a"]
    plain = DecisionTreeClassifier(max_leaf_nodes=2, min_samples_leaf=4, random_state=0).fit(FRAME[["a"]].to_numpy(), Y)
    assert (tree == tree.iloc[FRAME["a"].argmin()]).sum() == (FRAME["a"] <= plain.tree_.threshold[0]).sum()


def test_categories_by_hand():
    count = made({"step": "encode", "columns": ["colour"], "method": "count"})["colour"]
    assert (count == FRAME["colour"].map(FRAME["colour"].value_counts())).all()
    ordinal = made({"step": "encode", "columns": ["colour"], "method": "ordinal", "order": ["red", "green", "blue"]})
    assert (ordinal["colour"] == FRAME["colour"].map({"red": 0, "green": 1, "blue": 2})).all()
    crossed = made({"step": "cross", "columns": ["colour", "town"]})["colour × town"]
    assert (crossed == FRAME["colour"] + " × " + FRAME["town"]).all()


def test_a_row_never_sees_its_own_target():
    """Each town once: its mean is the row's own target, so a cross-fitted mean cannot know it."""
    frame = FRAME[["a"]].assign(town=[f"t{i}" for i in range(ROWS)])
    out = made({"step": "encode", "columns": ["town"], "method": "target"}, frame)["town"]
    assert abs(np.corrcoef(out, Y)[0, 1]) < 0.3


def test_combinations_and_formulas_by_hand():
    ratio = made({"step": "combine", "columns": ["a", "b"], "method": "ratio"})["a / b"]
    expected = (FRAME["a"] / FRAME["b"].replace(0, np.nan)).to_numpy()
    np.testing.assert_allclose(ratio, expected)
    formula = made({"step": "formula", "name": "c", "formula": "sqrt(abs(a)) * -2 + max(b, 10) ** 2"})["c"]
    np.testing.assert_allclose(formula, np.sqrt(FRAME["a"].abs()) * -2 + np.maximum(FRAME["b"], 10) ** 2)
    mean = made({"step": "group_stats", "columns": ["b"], "by": "colour"})["mean b by colour"]
    np.testing.assert_allclose(mean, FRAME.groupby("colour")["b"].transform("mean"))


def test_dates_by_hand():
    out = made({"step": "dates", "parts": ["year", "weekday", "weekend", "days", "cycles"]})
    assert (out["when weekday"] == FRAME["when"].dt.day_of_week).all()
    assert (out["when weekend"] == (FRAME["when"].dt.day_of_week >= 5)).all()
    np.testing.assert_allclose(out["when month sine"], np.sin(2 * np.pi * FRAME["when"].dt.month / 12))


def test_words_are_scikit_learns():
    out = made({"step": "text", "size": 10})
    plain = TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=2, max_df=0.95)
    expected = plain.fit_transform(FRAME["note"]).toarray()
    np.testing.assert_allclose(out[[f"note '{w}'" for w in plain.get_feature_names_out()]], expected)
    assert "note" not in out


def test_parts_of_addresses():
    frame = FRAME[["a"]].assign(note="https://shop.example/a/b?x=1&y=2").head(2)
    frame.loc[1, "note"] = "not an address"
    out = made({"step": "url", "columns": ["note"]}, frame, Y[:2])
    assert out.iloc[0][["note host", "note path depth", "note query keys"]].tolist() == ["shop.example", 2, 2]


def test_selection_keeps_what_predicts():
    noise = pd.DataFrame(RNG.normal(size=(ROWS, 2)), columns=["b", "flag"])
    for method in ("univariate", "model", "recursive"):
        step = {"step": "select", "method": method, "keep": 1}
        assert list(made(step, noise.assign(a=FRAME["a"]), Y)) == ["a"], method
    twins = FRAME[["a"]].assign(b=2 * FRAME["a"] + 1)
    assert list(made({"step": "select", "method": "correlated"}, twins)) == ["a"]


def test_resampling_balances_training_rows():
    rare = (np.arange(ROWS) % 10 == 0).astype(int)
    for method, count in (("over", 180), ("under", 20)):
        _, _, rows = fitted([{"step": "resample", "method": method}], FRAME, rare)
        assert np.bincount(rare[rows]).tolist() == [count, count]
    _, _, shuffled = fitted([{"step": "resample", "method": "shuffle"}])
    assert sorted(shuffled) == list(range(ROWS))
    assert list(shuffled) != list(range(ROWS))


def test_new_names_never_replace_a_column():
    frame = FRAME[["a", "b"]].assign(flag=FRAME["flag"])
    steps = [{"step": "formula", "name": "a", "formula": "b + 1"}]
    out = fitted(steps, frame)[1]
    assert list(out) == ["a", "b", "flag", "a_2"]
    pd.testing.assert_series_equal(out["a"], frame["a"])


def test_a_schema_follows_the_steps():
    sequence, _, _ = fitted([{"step": "bins", "columns": ["b"]}, {"step": "encode", "columns": ["colour"],
                                                                 "method": "one_hot"}])  # fmt: skip
    schema: Schema = sequence.schema_after()
    assert schema["b"].kind == "categorical"
    assert schema["colour_red"].kind == "boolean"
    assert step_from_json({"step": "encode"}).low_cardinality(schema) == ["b", "town"]
