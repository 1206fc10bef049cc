"""Situations that people reported as trouble with other tools, each rebuilt small, with the answer that is right.

Each stands for a kind; its other members are in the tests of the modules that read, check, compare and explain.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest

import mlcore
from mlcore import explore
from mlcore.errors import BadChoice, BadTarget
from mlcore.explain.lime import explain
from mlcore.ingest.options import ReadOptions
from tests.helpers import compare_here, frame_here, read_here

RNG = np.random.default_rng(42)


def read(path, name, content, **options):
    (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_here(path / name, ReadOptions(**options))


def rows(header, values):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *values] if header else values)
    return out.getvalue()


def codes(data, target=None, task="auto"):
    return {a.code for a in mlcore.profile(data, target, task).alerts}


# reading --------------------------------------------------------------------------------------------------------------


def test_a_cell_of_one_blank_is_missing(tmp_path):
    totals = [" " if i in (4, 19, 33) else f"{20 + i * 1.25:.2f}" for i in range(60)]
    data = read(tmp_path, "a.csv", rows(["member", "total"], [(f"m{i}", t) for i, t in enumerate(totals)]))
    assert (data.schema["total"].kind, data.schema["total"].missing, data.schema["total"].distinct) == (
        "numeric",
        3,
        57,
    )
    assert ("total", "", 3) in data.reading.marked


def test_a_workbook_with_a_column_of_days(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["visit_day", "stay_h"])
    for i in range(30):
        book.active.append([dt.date(2024, 3, 1 + i), 5 + 7 * i % 26])
    book.save(tmp_path / "a.xlsx")
    data = read_here(tmp_path / "a.xlsx")
    assert (data.rows, data.schema["visit_day"].kind, data.schema["stay_h"].kind) == (30, "datetime", "numeric")
    assert data.frame()["visit_day"].agg(["min", "max"]).tolist() == [
        pd.Timestamp(2024, 3, 1),
        pd.Timestamp(2024, 3, 30),
    ]


def test_row_names_as_r_writes_them(tmp_path):
    body = "".join(f'"{i}",{150 + i},{50 + i / 2},"{"ab"[i % 2]}"\n' for i in range(1, 41))
    data = read(tmp_path, "a.csv", '"height","weight","arm"\n' + body)
    frame = data.frame()
    assert frame["height"].between(150, 200).all()
    assert frame["weight"].between(50, 100).all()
    assert set(frame["arm"]) == {"a", "b"}


def test_columns_parted_by_runs_of_blanks(tmp_path):
    body = "".join(
        f'{20 + i}.5   {4 + i % 4}   {"?" if i == 3 else 90.0 + i}      {2000 + i}.\t"maker {i}"\n' for i in range(40)
    )
    data = read(tmp_path, "a.data", body)
    assert (data.rows, len(data.schema)) == (40, 5)
    assert data.schema["column_3"].missing == 1


def test_quotes_escaped_by_a_backslash(tmp_path):
    body = "".join(
        f'{i},"He wrote \\"fine, {i}\\" twice",{i % 5}\n' if i % 5 == 0 else f'{i},"plain {i}",3\n' for i in range(40)
    )
    data = read(tmp_path, "a.csv", "no,remark,stars\n" + body)
    assert data.rows == 40
    assert data.frame()["remark"][5] == 'He wrote "fine, 5" twice'


def test_null_as_databases_dump_it(tmp_path):
    body = [
        (
            i,
            "\\N" if i % 6 == 0 else 20 + i,
            "\\N" if i % 10 == 0 else "Oslo",
            "\\N" if i % 4 == 0 else f"2024-02-{1 + i % 9:02d}",
        )
        for i in range(60)
    ]
    data = read(tmp_path, "a.tsv", rows(["no", "age", "town", "seen"], body).replace(",", "\t"))
    assert {n: (data.schema[n].kind, data.schema[n].missing) for n in ("age", "seen")} == {
        "age": ("numeric", 10),
        "seen": ("datetime", 15),
    }
    assert data.schema["town"].missing == 6


def test_the_index_of_a_parquet_file_is_a_column(tmp_path):
    hours = pd.date_range("2024-01-01", periods=72, freq="h")
    pd.DataFrame({"load": range(72)}, index=hours).to_parquet(tmp_path / "a.parquet")
    data = read_here(tmp_path / "a.parquet")
    assert data.schema.names == ["index", "load"]
    assert data.schema["index"].kind == "datetime"
    plain = frame_here(pd.DataFrame({"load": range(72)}), "plain")
    assert plain.schema.names == ["load"]
    assert frame_here(pd.DataFrame({"load": range(72)}, index=hours.rename("hour")), "named").schema.names == [
        "hour",
        "load",
    ]


def test_formulas_without_results_are_said(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["price", "qty", "total"])
    for i in range(2, 42):
        book.active.append([i * 1.5, i, f"=A{i}*B{i}"])
    book.save(tmp_path / "a.xlsx")
    assert any(
        "40 cells of total hold formulas without a stored result" in n
        for n in read_here(tmp_path / "a.xlsx").reading.notes
    )


def test_lines_of_a_survey_below_the_names(tmp_path):
    head = [["StartDate", "Seconds", "Q1"], ["Start Date", "Duration (in seconds)", "What is your age?"],
            ['{"ImportId": "startDate"}', '{"ImportId": "duration"}', '{"ImportId": "QID1"}']]  # fmt: skip
    body = [(f"2024-05-{1 + i % 28:02d} 09:00:00", 100 + i, 20 + i % 30) for i in range(45)]
    data = read(tmp_path, "a.csv", rows(None, [*head, *body]))
    assert (data.rows, [c.kind for c in data.schema]) == (45, ["datetime", "numeric", "numeric"])
    assert any(n.startswith("2 lines below the names passed over") for n in data.reading.notes)


def test_a_decimal_comma_with_an_exponent(tmp_path):
    body = "".join(f"R{i % 6};{1 + i % 9},{10 + i}E-0{2 + i % 6}\n" for i in range(60))
    for options in ({}, {"decimal": ","}):
        data = read(tmp_path, "a.csv", "run;conc\n" + body, **options)
        assert data.schema["conc"].kind == "numeric"
        assert data.frame()["conc"][0] == pytest.approx(1.10e-2)


def test_typographic_minus_and_grades_and_telephones_and_capital_nan(tmp_path):
    frost = read(
        tmp_path, "a.csv", rows(["hour", "temp"], [(i, f"−{i}.5" if i % 6 == 0 else f"{i}.5") for i in range(48)])
    )
    assert (frost.frame()["temp"] < 0).sum() == 8
    grades = read(tmp_path, "b.csv", rows(["protein", "ph"], [("-+"[i % 2] * (1 + i % 2), i) for i in range(40)]))
    assert set(grades.frame()["protein"]) == {"-", "++"}
    calls = read(
        tmp_path,
        "c.csv",
        rows(["surname", "phone"], [(["Inf", "Infinity"][i % 2], f"+4930{4_304_020 + i}") for i in range(40)]),
    )
    assert [c.dtype for c in calls.schema] == ["text", "text"]
    nan = read(tmp_path, "d.csv", rows(["k", "x"], [(i, "Nan" if i % 5 == 0 else i / 7) for i in range(60)]))
    assert nan.schema["x"].missing == 12


def test_json_by_what_it_is(tmp_path):
    records = [{"a": i, "b": 2 * i} for i in range(30)]
    assert read(tmp_path, "export.csv", json.dumps(records)).rows == 30
    assert read(tmp_path, "log.txt", "\n".join(map(json.dumps, records))).rows == 30
    wide = {str(i): {f"gene{j}": i + j / 10 for j in range(15)} for i in range(4)}
    data = read(tmp_path, "m.json", json.dumps(wide))
    assert (data.rows, data.schema.names[:2]) == (4, ["gene0", "gene1"])
    pay = [{"_id": {"$oid": f"{i:024d}"}, "amount": {"$numberDecimal": f"{i}.25"}} for i in range(40)]
    assert read(tmp_path, "pay.ndjson", "\n".join(map(json.dumps, pay))).schema["amount"].kind == "numeric"


def test_shares_are_of_all_rows(tmp_path):
    towns = read(tmp_path, "a.csv", rows(["town", "v"], [(f"town{i % 40:02d}", i) for i in range(400)]))
    assert mlcore.profile(towns).columns[0].spread() == "2.5 % town00"
    users = read(tmp_path, "b.csv", rows(["user", "v"], [(f"u{i % 250}", i) for i in range(1000)]))
    assert explore.one(users, "user").sentence().endswith("most common u0 (0.4 %), u1 (0.4 %) and u10 (0.4 %).")


@pytest.mark.parametrize("odd", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_of_the_calendar(home, tmp_path, odd):
    body = [(i, odd if i % 5 == 0 else f"2024-{1 + i % 9:02d}-10", i) for i in range(60)]
    data = read(tmp_path, "a.csv", rows(["ticket", "closed", "hours"], body))
    assert "closed is " + odd in next(a.text for a in mlcore.profile(data).alerts if a.code == "placeholder")
    assert odd in mlcore.profile_html(mlcore.profile(data))
    timeline = explore.one(data, "closed")
    assert odd in timeline.sentence()
    for plot in (
        timeline,
        explore.one(data, "closed", explore.PlotOptions(shape="histogram")),
        explore.relation(data, "closed", "hours"),
    ):
        assert plot.figure() is not None
        assert plot.file("svg")


# the target -----------------------------------------------------------------------------------------------------------


def test_a_counting_predictor_beats_the_baseline():
    day = np.arange(1, 61)
    data = frame_here(pd.DataFrame({"day": day, "height_mm": 2.0 * day + RNG.normal(0, 3, 60)}), "growth")
    board = compare_here(data, "height_mm", models=["linear"], folds=5, repeats=1).board()
    assert board.rows[0].model == "linear"
    assert board.rows[0].skill > 0.8


def test_few_whole_numbers_follow_what_was_asked_for(home):
    frame = pd.DataFrame({"x": RNG.normal(size=120), "sold": RNG.integers(0, 10, 120)})
    data = frame_here(frame, "sales")
    assert compare_here(data, "sold", models=["ridge"], metric="mae", folds=3).experiment.recipe.task == "regression"
    with pytest.raises(BadChoice, match=r"10 different whole numbers and was taken as classes.*--task regression"):
        mlcore.compare(data, "sold", models=["nonsense"])


def test_three_positives_and_a_class_within_one_group():
    frame = pd.DataFrame({"x": RNG.normal(size=300), "fault": [1] * 3 + [0] * 297})
    with pytest.raises(BadTarget, match=r"3 of 300 \(1.0 %\) rows have fault = 1"):
        compare_here(frame_here(frame, "faults"), "fault", models=["logistic"])
    sites = pd.DataFrame({"x": RNG.normal(size=250), "site": np.repeat(list("abcde"), 50), "y": [1] * 50 + [0] * 200})
    with pytest.raises(BadTarget, match=r"All rows with y = 1 have the same site \(a\)"):
        compare_here(frame_here(sites, "sites"), "y", models=["logistic"], group="site", split="group")


def test_disease_is_the_positive_class():
    x = RNG.normal(size=400)
    status = np.where(x + RNG.normal(0, 0.5, 400) > 1.4, "disease", "healthy")
    run = compare_here(
        frame_here(pd.DataFrame({"x": x, "status": status}), "screen"),
        "status",
        models=["logistic"],
        metric="f1",
        folds=3,
    )
    assert run.experiment.recipe.positive == "disease"
    evaluation = run.evaluate("logistic")
    assert evaluation.roc.positive == "disease"
    assert "Recall of disease" in evaluation.frame()["title"].tolist()
    predictions = run.predictions("logistic")
    recalls = [
        (part["prediction"] == "disease")[part["truth"] == "disease"].mean()
        for _, part in predictions.groupby(["repeat", "fold"])
    ]
    assert evaluation.frame().set_index("metric")["value"]["recall"] == pytest.approx(np.mean(recalls))


# checks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_repeated_patients_are_an_entity_whatever_the_column_is_called(tmp_path):
    own = RNG.normal(size=(40, 4))
    frame = pd.DataFrame(np.repeat(own, 12, axis=0) + RNG.normal(0, 0.01, (480, 4)), columns=["f1", "f2", "f3", "f4"])
    frame["patient"] = np.repeat([f"P{i}" for i in range(40)], 12)
    frame["dx"] = np.repeat(RNG.permutation(["yes", "no"] * 20), 12)
    data = frame_here(frame, "recordings")
    (alert,) = [a for a in mlcore.profile(data, "dx").alerts if a.severity == "high"]
    assert (alert.code, alert.column, alert.fix.value) == ("groups", "patient", "group")
    run = compare_here(data, "dx", models=["random_forest"], folds=3, repeats=1, ignore=["patient"])
    assert {"groups", "too_good"} <= {a["code"] for a in run.cautions()}
    grouped = compare_here(data, "dx", models=["random_forest"], folds=3, repeats=1, group="patient", split="group")
    assert "groups" not in {a["code"] for a in grouped.alerts()}
    assert abs(grouped.board().rows[0].score - 0.5) < 0.3


def test_labels_that_differ_in_case_are_one_class_and_it_is_said():
    frame = pd.DataFrame({"x": RNG.normal(size=200), "bought": RNG.choice(["Yes", "yes", "No", "NO"], 200)})
    run = compare_here(frame_here(frame, "leads"), "bought", models=["logistic"], folds=3)
    assert run.experiment.recipe.task == "binary"
    assert "label_spellings" in {a["code"] for a in run.cautions()}


# explanations ---------------------------------------------------------------------------------------------------------


def test_a_category_that_no_training_row_has_is_explained_as_what_it_is():
    colour, u = RNG.choice(["red", "blue"], 300), RNG.normal(size=300)
    y = ((colour == "red") + u + RNG.normal(0, 0.3, 300) > 0.5).astype(int)
    frame = pd.DataFrame({"colour": colour, "u": u, "y": y})
    run = compare_here(frame_here(frame, "paint"), "y", models=["logistic"], folds=3, repeats=1)
    locked = int(run.plan()["holdout"][0])
    for value, words in (
        ("ochre", "colour = ochre, never seen in training"),
        (None, "colour is missing, as in no training row"),
    ):
        changed = frame.copy()
        changed.loc[locked, "colour"] = value
        again = compare_here(frame_here(changed, f"paint {value}"), "y", models=["logistic"], folds=3, repeats=1)
        explanation = explain(again, "logistic", locked)
        assert explanation.unknown == (words,)
        assert words in explanation.fidelity_words()


def test_conditions_of_a_column_can_be_told_from_each_other():
    n = 200
    frame = pd.DataFrame({"meter": 7_250_000 + np.arange(n), "lat": 52.5198 + RNG.uniform(0, 0.0005, n),
                          "at": pd.Timestamp("2024-05-01") + pd.to_timedelta(np.arange(n) * 400, "s")})  # fmt: skip
    frame["alarm"] = (frame["lat"] + RNG.normal(0, 0.0001, n) > 52.52).astype(int)
    run = compare_here(
        frame_here(frame, "meters"), "alarm", models=["logistic"], folds=3, repeats=1, split="stratified"
    )
    from mlcore.explain.lime import Coder, Options

    for name in ("meter", "lat", "at"):
        names = Coder(frame[name], Options()).names
        assert len(set(names)) == len(names)
        assert all(len(set(n.split(" to "))) == 2 for n in names if " to " in n)
    assert run.board().rows[0].model == "logistic"
