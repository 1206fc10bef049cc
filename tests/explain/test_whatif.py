from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression

from mlcore.errors import BadInput, NoSuchColumn, NotApplicable
from mlcore.explain.dependence import dependence
from mlcore.explain.neighbours import neighbours
from mlcore.explain.subject import Subject
from mlcore.explain.whatif import counterfactuals, what_if
from mlcore.run import Run
from mlcore.runs.study import Study
from tests.helpers import compare_here, frame_here, study_here


@pytest.fixture(scope="module")
def run(home) -> Run:
    """y = 3 a − 2 b + noise; c is noise, g a category that adds 1."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300), "c": rng.normal(size=300).round(2)})
    frame["g"] = rng.choice(["u", "v"], 300)
    frame["y"] = 3 * frame["a"] - 2 * frame["b"] + (frame["g"] == "v") + rng.normal(0, 0.1, 300)
    return compare_here(frame_here(frame, "line"), "y", models=["linear"], folds=5, repeats=1)


@pytest.fixture(scope="module")
def subject(run) -> Subject:
    return Subject.of(run, "linear", 4)


def test_the_prediction_moves_as_the_line_says(run, subject):
    own = subject.frame["a"].iloc[0]
    other, more = ("v", 1) if subject.frame["g"].iloc[0] == "u" else ("u", -1)
    result = what_if(subject, {"a": str(own + 1), "g": other})
    moved = 3 + more
    assert result.after - result.before == pytest.approx(moved, abs=0.1)
    assert [c.column for c in result.changes] == ["a", "g"]
    assert not any(c.warning for c in result.changes)


def test_values_beyond_the_training_rows_are_named(subject):
    result = what_if(subject, {"a": "50", "g": "w"})
    assert "outside the training rows" in result.changes[0].warning
    assert result.changes[1].warning == "No training row has g w."
    assert "extrapolates" in result.sentence()
    assert what_if(subject, {"b": ""}).changes[0].after == "missing"
    with pytest.raises(BadInput, match="'x' cannot be a value of 'a'; give a number"):
        what_if(subject, {"a": "x"})
    with pytest.raises(NoSuchColumn, match="'z'"):
        what_if(subject, {"z": "1"})


@pytest.fixture(scope="module")
def kinds(home) -> Subject:
    """y = 2 if the flag is true + the price, a text with a decimal comma, read as a number + 1 per 100 days."""
    rng = np.random.default_rng(1)
    price, days = rng.normal(50, 10, 200).round(1), rng.integers(0, 300, 200)
    frame = pd.DataFrame({"flag": rng.random(200) < 0.5, "price": [f"{v:.1f}".replace(".", ",") for v in price]})
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")
    frame["y"] = 2 * frame["flag"] + price + days / 100
    data = frame_here(frame, "kinds")
    data = data.with_schema(data.schema.with_kind("price", "numeric", ","))
    run = compare_here(data, "y", models=["linear"], folds=3, repeats=1, holdout=0.0)
    return Subject.of(run, "linear", int(np.flatnonzero(~frame["flag"])[0]))


def test_each_kind_of_column_is_changed_in_its_own_words(kinds):
    """The file stores booleans, texts that are numbers, and dates; the model sees 0 and 1, numbers and days."""
    flag = what_if(kinds, {"flag": "yes"})
    assert flag.after - flag.before == pytest.approx(2, abs=0.05)
    assert (flag.changes[0].before, flag.changes[0].after) == ("no", "yes")
    own = float(kinds.own("price"))
    for given in (f"{own + 1:.1f}", f"{own + 1:.1f}".replace(".", ","), own + 1):
        moved = what_if(kinds, {"price": given})
        assert moved.after - moved.before == pytest.approx(1, abs=0.01)
    later = what_if(kinds, {"day": str((kinds.own("day") + pd.Timedelta(days=50)).date())})
    assert later.after - later.before == pytest.approx(0.5, abs=0.05)
    with pytest.raises(BadInput, match="'maybe' cannot be a value of 'flag'; give yes or no"):
        what_if(kinds, {"flag": "maybe"})
    with pytest.raises(BadInput, match="'soon' cannot be a value of 'day'; give a date, such as 2024-01-31"):
        what_if(kinds, {"day": "soon"})


def test_the_row_s_own_value_is_no_change(kinds):
    same = {name: kinds.text(name, kinds.own(name)) for name in kinds.frame}
    result = what_if(kinds, same)
    assert result.changes == ()
    assert result.after == result.before
    assert kinds.choices("flag") == ["no", "yes", ""]
    assert kinds.choices("price") == []


def test_all_kinds_can_turn_a_number(kinds):
    """2 more than the row: the flag alone does it, and so does a price of 2 more."""
    before = float(kinds.ask(kinds.frame)[0])
    turned = {w.changes[0].column: w for w in counterfactuals(kinds, wanted=before + 1.9).ways}
    assert turned["flag"].after - before == pytest.approx(2, abs=0.05)
    assert float(turned["price"].changes[0].after) == pytest.approx(float(kinds.own("price")) + 1.9, abs=0.15)


def test_a_class_of_three_is_turned_when_another_is_predicted(runs):
    """Also where no class has half of the probability."""
    run = runs["multiclass"]
    model = run.best()
    predictions = run.predictions(model)
    best = predictions[[c for c in predictions if c.startswith("p_")]].max(axis=1)
    for row in predictions.loc[best.sort_values().index[:3], "row"]:
        subject = Subject.of(run, model, int(row))
        found = counterfactuals(subject)
        assert f", and {found.ways[0].predicted} is predicted." in found.sentence()
        assert subject.label not in [w.predicted for w in found.ways]


def test_digits_are_saved_on_the_far_side_only(subject):
    """A shorter number lies between what turns the prediction and what was reached, never beyond the training rows."""
    before = float(subject.ask(subject.frame)[0])
    for size in (0.013, 0.37, 1.9):
        for way in counterfactuals(subject, wanted=before + size).ways:
            for change in way.changes:
                known = subject.training[change.column].dropna()
                if known.dtype.kind == "f":
                    assert known.min() <= float(change.after.replace("−", "-")) <= known.max()
            assert way.after >= before + size


def test_the_smallest_change_reaches_what_is_wanted(run, subject):
    """One column is enough, within the training rows, and no more than needed: the answer ends at the wanted value."""
    before = float(subject.ask(subject.frame)[0])
    found = counterfactuals(subject, wanted=before + 2)
    (change,), after = found.ways[0].changes, found.ways[0].after
    assert change.column in ("a", "b")
    assert after == pytest.approx(before + 2, abs=0.05)
    kept = counterfactuals(subject, wanted=before + 2, fixed=["a"])
    assert all(c.column != "a" for way in kept.ways for c in way.changes)
    none = counterfactuals(subject, wanted=before + 1000)
    assert none.ways == ()
    assert "no change of up to 3 columns" in none.sentence()


def test_a_class_is_turned_with_values_of_training_rows(runs, mixed):
    subject = Subject.of(runs["binary"], "logistic", 8)
    found = counterfactuals(subject)
    before = float(subject.ask(subject.frame)[0])
    for way in found.ways:
        assert (way.after >= 0.5) != (before >= 0.5)
        for c in way.changes:
            known = mixed.frame()[c.column].dropna()
            if known.dtype.kind in "iuf":
                assert known.min() <= float(c.after.replace(",", "").replace("−", "-")) <= known.max()


def test_the_nearest_rows_by_hand(home):
    """a has the range 10: distances from 0 to 1, 2 and 10 are .1, .2 and 1; another category adds 1."""
    frame = pd.DataFrame({"a": [0.0, 1, 2, 10] * 15, "g": ["u", "u", "v", "u"] * 15, "y": [1.0, 2, 3, 4] * 15})
    frame["a"] += np.repeat(np.arange(15), 4) * 1e-6
    run = compare_here(frame_here(frame, "near"), "y", models=["linear"], folds=3, repeats=1, holdout=0.0)
    found = neighbours(Subject.of(run, "linear", 0), 59).rows.set_index("row")["distance"]
    assert found[1] == pytest.approx((0.1 + 0) / 2, abs=1e-4)
    assert found[2] == pytest.approx((0.2 + 1) / 2, abs=1e-4)
    assert 0 not in found.index
    with pytest.raises(BadInput, match="give 1 or more"):
        neighbours(Subject.of(run, "linear", 0), 0)


def test_partial_dependence_is_scikit_learns(run, subject):
    found = dependence(subject, "a")
    sample = subject.training.sample(300 if len(subject.training) > 300 else len(subject.training), random_state=0)
    expected = partial_dependence(run.model("linear"), sample, ["a"], custom_values={"a": found.grid}, kind="average")
    np.testing.assert_allclose(found.average, expected["average"][0], rtol=1e-6)
    assert np.polyfit(found.grid, found.average, 1)[0] == pytest.approx(3, abs=0.05)
    assert found.own is not None
    local = dependence(subject, "a", "local")
    assert np.polyfit(local.grid, local.average, 1)[0] == pytest.approx(3, abs=0.05)
    assert dependence(subject, "g").labels == ("u", "v") or set(dependence(subject, "g").labels) == {"u", "v"}
    with pytest.raises(NotApplicable, match="g has few"):
        dependence(subject, "g", "local")


def test_importance_is_that_of_rows_the_model_was_not_trained_on(run):
    """As scikit-learn's permutation importance of a plain line on each fold, within the noise of shuffling."""
    found = study_here(run, Study(kind="importance", model="linear"))
    drops = {name: drop for name, drop, _, _ in found.columns}
    assert list(drops)[:2] == ["a", "b"]
    assert next(low for name, _, low, _ in found.columns if name == "a") > 0
    frame = run.dataset.frame()
    X, y = frame[["a", "b", "c"]].assign(v=frame["g"] == "v"), frame["y"]
    part = run.predictions("linear")
    expected = []
    for fold in range(5):
        test = part.loc[part["fold"] == fold, "row"]
        train = part.loc[part["fold"] != fold, "row"]
        line = LinearRegression().fit(X.loc[train], y[train])
        expected.append(permutation_importance(line, X.loc[test], y[test], scoring="neg_root_mean_squared_error",
                                               n_repeats=20, random_state=0).importances_mean)  # fmt: skip
    for place, name in enumerate(["a", "b", "c"]):
        assert drops[name] == pytest.approx(np.mean(expected, axis=0)[place], abs=0.25)
    assert "needs a most" in found.sentence()


def test_a_row_that_does_not_exist(run):
    with pytest.raises(BadInput, match="rows 0 to 299"):
        Subject.of(run, "linear", 300)
