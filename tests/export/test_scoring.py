from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore.errors import BadInput, CannotRead, NotApplicable
from mlcore.export.scoring import BATCH, differences
from tests.helpers import frame_here


def test_predictions_are_those_of_the_pipeline(runs, mixed, tmp_path):
    run = runs["binary"]
    out = tmp_path / "new.csv"
    result = run.predict(mixed, "logistic", out=out)
    written = pd.read_csv(out)
    model = run.model("logistic")
    assert written["prediction"].tolist() == model.predict(mixed.frame()).tolist()
    np.testing.assert_allclose(
        written["p_yes"], model.predict_proba(mixed.frame())[:, list(model.classes_).index("yes")]
    )
    assert result.top["p_yes"].is_monotonic_decreasing
    assert (result.n, sum(n for _, n in result.counts)) == (mixed.rows, mixed.rows)
    assert result.differences == ()
    assert "All columns match" in result.sentence()


def test_numbers_have_the_interval_of_the_folds(runs, mixed, tmp_path):
    run = runs["regression"]
    result = run.predict(mixed, "ridge", out=tmp_path / "new.parquet")
    written = pd.read_parquet(tmp_path / "new.parquet")
    half = run.evaluate("ridge").intervals.half
    np.testing.assert_allclose(written["high"] - written["prediction"], half)
    assert result.mean == pytest.approx(written["prediction"].mean())


def test_what_does_not_match_is_said_column_by_column(runs, mixed):
    new = mixed.frame().drop(columns=["b"]).head(20).assign(extra=1, colour=["violet"] * 5 + ["red"] * 15)
    new["a"] = [1e6] * 2 + list(new["a"][2:])
    new["flag"] = None
    said = {d.column: d.sentence() for d in differences(runs["binary"], frame_here(new, "other"))}
    assert said["b"] == "b: is missing from the file. It is taken as missing in every row."
    assert said["extra"].startswith("extra: not in the training file.")
    assert "5 of 20 (25.0 %) values are categories that training never had: violet." in said["colour"]
    assert "2 of 20" in said["a"]
    assert "outside the training range" in said["a"]
    assert "in training none" in said["flag"]
    with pytest.raises(BadInput, match="none of the columns"):
        differences(runs["binary"], frame_here(pd.DataFrame({"z": range(20)}), "alien"))


def test_a_missing_column_is_a_missing_value_in_every_row(runs, mixed):
    without, empty = mixed.frame().drop(columns=["a"]), mixed.frame().assign(a=np.nan)
    run = runs["binary"]
    expected = run.model("hist_gradient_boosting").predict_proba(empty)
    result = run.predict(frame_here(without, "without"), "hist_gradient_boosting")
    found = result.top.set_index("row").loc[range(len(without)), [f"p_{c}" for c in ("no", "yes")]]
    np.testing.assert_allclose(found, expected)


def test_batches_make_one_file(runs, mixed, tmp_path, monkeypatch):
    monkeypatch.setattr("mlcore.export.scoring.BATCH", 50)
    runs["binary"].predict(mixed, "logistic", out=tmp_path / "a.csv")
    whole = pd.read_csv(tmp_path / "a.csv")
    assert whole["row"].tolist() == list(range(mixed.rows))
    assert BATCH > 50
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(BadInput, match=r"\.csv or \.parquet"):
        runs["binary"].predict(mixed, "logistic", out=tmp_path / "a.xlsx")


def test_labels_that_are_formulas_are_disarmed(tmp_path):
    from tests.helpers import compare_here

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=80), "y": rng.choice(["=1+1", "@x"], 80)})
    run = compare_here(frame_here(frame, "formulas"), "y", models=["logistic"], folds=3, repeats=1)
    run.predict(frame, "logistic", out=tmp_path / "f.csv")
    assert set(pd.read_csv(tmp_path / "f.csv")["prediction"]) <= {"'=1+1", "'@x"}


def test_a_model_that_was_taken_away_answers_the_same(runs, mixed, tmp_path):
    run = runs["multiclass"]
    paths = run.export("model", tmp_path / "out", "decision_tree")
    assert [p.name for p in paths] == ["model.skops", "schema.json", "example.csv"]
    model = mlcore.load_model(paths[0])
    assert model.predict(mixed.frame()).tolist() == run.model("decision_tree").predict(mixed.frame()).tolist()
    assert len(model.predict(pd.read_csv(paths[2]))) == 3
    with pytest.raises(NotApplicable, match="blend"):
        run.export("model", tmp_path / "blend", "blend")
    paths[0].write_bytes(b"PK")
    with pytest.raises(CannotRead, match="damaged"):
        mlcore.load_model(paths[0])


@pytest.mark.slow
def test_the_card_and_the_report_say_what_matters(runs, tmp_path):
    run = runs["binary"]
    (card,) = run.export("card", tmp_path, "logistic")
    text = card.read_text()
    for head in ("How well", "For whom it fails", "What speaks against believing it", "Holdout", "How it was made"):
        assert f"## {head}" in text
    board = next(r for r in run.board().rows if r.model == "logistic")
    assert f"{board.score:.3f}" in text
    (report,) = run.export("report", tmp_path / "r.html", "logistic")
    html = report.read_text()
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert len(html) < 5_000_000
    assert html.count("<img") >= 5
    with pytest.raises(BadInput, match="'pdf' cannot be exported"):
        run.export("pdf", tmp_path)
