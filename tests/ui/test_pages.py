from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import mlcore
from mlcore.data.filters import Filter, to_text
from mlcore.data.workspace import Workspace
from mlcore.ingest.samples import open_sample
from mlcore.validation.target import suggested_target
from ui.evaluate.views import views_of
from ui.shell import PAGES
from ui.state import Session

ROOT = Path(__file__).resolve().parents[2]


FILES = [p.file for p in PAGES]


def opened(page: str, session: Session | None = None) -> AppTest:
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if session is not None:
        test.session_state["holdout"] = session
        test.session_state["holdout_token"] = session.token
    if page != "app.py":
        test.switch_page(page)
    return test.run()


def text_of(test: AppTest) -> str:
    parts = [*test.title, *test.subheader, *test.markdown, *test.caption, *test.warning]
    return "\n".join(str(p.value) for p in parts)


def session_on(data, target, run=None) -> Session:
    session = Session("t" * 20)
    session.open(data, target)
    if run is not None:
        session.schema, session.recipe = run.experiment.schema, run.experiment.recipe
        session.set_run(run.path.name)
    return session


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "![i](http://example.invalid/a.png)",
    "a_b*c$d$",
    "=1+1",
    ":red[x]",
    "[l](http://x.invalid)",
]


@pytest.fixture(scope="module")
def hostile(home):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({name: rng.normal(size=80) for name in HOSTILE[:3]})
    for name in HOSTILE[3:]:
        frame[name] = rng.choice(HOSTILE, 80)
    frame.loc[:20, HOSTILE[0]] = np.nan
    return mlcore.read(frame.assign(y=rng.integers(0, 2, 80)), name=HOSTILE[1])


def said_by(test: AppTest) -> str:
    """Everything that Streamlit reads as Markdown on a page: texts, labels and headers."""
    widgets = [*test.button, *test.selectbox, *test.multiselect, *test.toggle, *test.slider, *test.text_input]
    return text_of(test) + "\n".join(str(w.label) for w in widgets)


@pytest.mark.parametrize("page", ["app.py", *FILES])
def test_every_page_empty(home, page):
    test = opened(page)
    assert not test.exception
    assert test.title
    if page not in ("app.py", "pages/data.py"):
        assert "No data are open yet" in text_of(test)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("page", FILES)
def test_every_page_filled(runs, mixed, page, task):
    run = runs[task]
    test = opened(page, session_on(mixed, run.experiment.recipe.target, run))
    assert not test.exception
    assert not test.warning, text_of(test)


@pytest.mark.parametrize("view", ["One column", "Two columns", "Many", "Missing"])
def test_every_view_of_explore(mixed, view):
    session = session_on(mixed, "two")
    session.choose("explore.view", view)
    test = opened("pages/explore.py", session)
    assert not test.exception
    assert test.get("plotly_chart")


TABLES = ("Scores", "Holdout", "Errors", "Labels in doubt", "Two models", "Intervals", "Where it fails")  # or words


def test_every_view_of_evaluate(runs, mixed):
    for task in ("binary", "multiclass", "regression"):
        session = session_on(mixed, runs[task].experiment.recipe.target, runs[task])
        for view in views_of(runs[task]):
            session.choose("evaluate.view", view)
            test = opened("pages/evaluate.py", session)
            assert not test.exception, (task, view)
            assert view in TABLES or test.get("plotly_chart"), (task, view)


@pytest.mark.parametrize("view", ["What if", "The model"])
def test_further_views_of_explain(runs, mixed, view):
    session = session_on(mixed, runs["binary"].experiment.recipe.target, runs["binary"])
    session.choose("explain.view", view)
    test = opened("pages/explain.py", session)
    assert not test.exception
    assert not test.warning, text_of(test)
    head = {"What if": "What would turn it", "The model": "Which columns it needs"}[view]
    assert head in [s.value for s in test.subheader]


def test_opening_a_sample_aims_at_its_target(home):
    test = opened("app.py")
    test.button(key="sample-churn").click().run()
    session: Session = test.session_state["holdout"]
    assert session.target == "churned"
    assert session.schema is not None
    assert session.schema["retention_call"].role == "feature"


def test_uploading_a_file_and_a_broken_one(home):
    test = opened("pages/data.py")
    test.file_uploader[0].upload("bad.parquet", b"PAR1 this is no parquet").run()
    assert not test.exception
    assert any("not a readable Parquet file" in str(w.value).replace("\\", "") for w in test.warning)
    test.file_uploader[0].upload("good.csv", b"x,y\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(40))).run()
    session: Session = test.session_state["holdout"]
    assert session.schema is not None
    assert session.schema.names == ["x", "y"]


def test_an_alert_is_mended_by_one_click(home):
    session = session_on(open_sample("churn", Workspace()), "churned")
    test = opened("pages/data.py", session)
    next(b for b in test.button if b.label == "Leave it out").click().run()
    assert session.schema is not None
    assert session.schema["retention_call"].role == "ignore"


def test_a_target_that_cannot_be_keeps_what_was(mixed):
    session = session_on(mixed, "two")
    test = opened("pages/data.py", session)
    test.selectbox[0].select("same").run()
    assert session.target == "two"
    assert any("at least two" in str(w.value).replace("\\", "") for w in test.warning)


def test_a_step_of_the_recipe_is_changed(mixed):
    session = session_on(mixed, "two")
    test = opened("pages/features.py", session)
    test.selectbox(key="closing-scale-method").select("robust")
    test.button(key="closing-scale-use").click().run()
    assert session.recipe is not None
    assert session.recipe.closing.scale.method == "robust"
    test.multiselect(key="add-clip-columns").set_value(["b"])
    test.button(key="add-clip-use").click().run()
    assert [s.to_json() for s in session.recipe.steps][-1] == {"step": "clip", "columns": ["b"]}
    assert "Clip b at the 1 % and 99 % quantiles" in text_of(test)
    test.button(key="off-1").click().run()
    assert [s.off for s in session.recipe.steps] == [False, True]
    test.button(key="remove-1").click().run()
    assert [s.step for s in session.recipe.steps] == ["scale"]
    test.button(key="undo-step").click().run()
    test.button(key="undo-step").click().run()
    assert [(s.step, s.off) for s in session.recipe.steps] == [("scale", False), ("clip", False)]
    test.button(key="redo-step").click().run()
    assert [(s.step, s.off) for s in session.recipe.steps] == [("scale", False), ("clip", True)]
    assert not test.exception


def test_a_recipe_of_another_file_says_what_does_not_match(mixed):
    session = session_on(mixed, "two")
    test = opened("pages/features.py", session)
    pasted = '{"steps": [{"step": "clip", "columns": ["fare"]}, {"step": "clip", "columns": ["a"]}]}'
    test.text_area(key="paste-recipe").set_value(pasted).run()
    assert "no column 'fare'" in text_of(test).replace("\\", "")
    test.button(key="load-recipe").click().run()
    assert session.recipe is not None
    assert [s.to_json() for s in session.recipe.steps] == [{"step": "clip", "columns": ["a"]}]
    assert not test.exception


@pytest.mark.slow  # starts real processes
def test_the_walk_with_defaults_only(home):
    """Sample, target, compare, wait, evaluate, explain; a new session with the same token finds the run again."""
    session = session_on(open_sample("teas", Workspace()), "kind")
    session.set_models(("logistic", "decision_tree"))
    test = opened("pages/models.py", session)
    test.button(key="compare").click().run()
    assert session.run is not None
    end = time.monotonic() + 60
    while "differ significantly" not in text_of(test) and "is better than" not in text_of(test):
        assert time.monotonic() < end, text_of(test)
        time.sleep(0.3)
        test.run()
    again = Session.load(session.token)
    assert again is not None
    assert again.run == session.run
    assert not opened("pages/evaluate.py", again).exception
    test = opened("pages/explain.py", again)
    while "Can I trust it" not in text_of(test):
        assert time.monotonic() < end, text_of(test)
        time.sleep(0.3)
        test.run()
    assert not test.exception
    assert "of the five strongest" in text_of(test).lower() or "No trustworthy explanation" in text_of(test)


@pytest.mark.slow  # starts real processes
def test_cancel_on_the_page(home):
    session = session_on(open_sample("churn", Workspace()), "churned")
    test = opened("pages/models.py", session)
    test.button(key="compare").click().run()
    cancel = [b for b in test.button if b.key == "cancel"]
    if cancel:  # a very fast machine may be done already
        cancel[0].click().run()
        assert "cancelled" in text_of(test)
    assert not test.exception


def test_a_split_that_cannot_be_does_not_lock_the_page(mixed):
    from dataclasses import replace

    session = session_on(mixed, "two")
    session.protocol = replace(session.protocol, split="time")
    session.save()
    test = opened("pages/models.py", session)
    assert ["needs a column with the time of each row" in str(w.value) for w in test.warning] == [True]  # said once
    assert any(b.key == "compare" for b in test.button)
    session.protocol = replace(session.protocol, split="leave_one_out", metric="roc_auc")
    session.save()
    assert any("tests on one row at a time" in w.value for w in opened("pages/models.py", session).warning)


@pytest.mark.parametrize("view", ["Summary", "One column", "Two columns", "Many", "Missing"])
def test_hostile_names_are_shown_as_they_are(hostile, view):
    session = session_on(hostile, "y")
    session.choose("explore.view", view)
    session.choose("explore.column", HOSTILE[1])
    session.choose("explore.x", HOSTILE[0])
    session.choose("explore.y", HOSTILE[2])
    session.set_filters((Filter(HOSTILE[4], "is", tuple(HOSTILE[:2])), Filter(HOSTILE[1], "known")))
    others = ("pages/data.py", "pages/features.py", "pages/models.py") if view == "Summary" else ()
    for page in ("pages/explore.py", *others):
        test = opened(page, session)
        assert not test.exception, (page, view)
        said = said_by(test)
        for dangerous in ("![i](", "[l](http", ":red[", "<img src=x"):
            assert dangerous not in said, (page, view, dangerous)


def test_conditions_come_with_the_address_and_can_be_undone(mixed):
    session = session_on(mixed, "two")
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    test.session_state["holdout"] = session
    test.session_state["holdout_token"] = session.token
    test.query_params["f"] = to_text((Filter("b", "between", (10.0, 20.0)), Filter("nosuch", "is", ("x",))))
    test.switch_page("pages/explore.py").run()
    assert not test.exception
    assert session.filters == (Filter("b", "between", (10.0, 20.0)),)  # what does not fit the data is left out
    rows = mlcore.training_rows(mixed, "two")  # what is held out is not shown
    kept = rows.frame(["b"])["b"].between(10, 20).sum()
    assert rows.rows == 192
    assert f"{kept} of 192 rows" in text_of(test)
    next(b for b in test.button if "between" in b.label).click().run()
    assert session.filters == ()
    test.button(key="look-back").click().run()
    assert session.filters == (Filter("b", "between", (10.0, 20.0)),)
    test.button(key="look-at-all").click().run()
    assert session.filters == ()


def test_a_condition_is_added_in_the_bar(mixed):
    session = session_on(mixed, "two")
    session.choose("filter.column", "colour")
    test = opened("pages/explore.py", session)
    next(m for m in test.multiselect if m.label == "Values").select("red").run()
    test.button(key="add-condition").click().run()
    assert session.filters == (Filter("colour", "is", ("red",)),)


@pytest.mark.slow
def test_what_was_assumed_can_be_changed_on_the_page(home):
    test = opened("pages/data.py")
    rows = b"".join(b"%d,500;%d\n" % (i, i % 2) for i in range(1, 31))
    test.file_uploader[0].upload("half.csv", b"x;y\n" + rows).run()
    session: Session = test.session_state["holdout"]
    assert session.schema["x"].dtype == "float"
    session.set_target("y")
    test.run()
    next(s for s in test.selectbox if s.label == "Decimal mark").select("point").run()
    test.button(key="read-again").click().run()
    assert not test.exception
    data = Workspace().dataset(session.fingerprint)
    assert data.frame()["x"].tolist()[:3] == [1500, 2500, 3500]
    assert session.target == "y"  # it stays where it still can be one


def test_rows_kept_once_by_one_click(home):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=90), "b": rng.normal(size=90), "y": rng.integers(0, 2, 90)})
    twice = mlcore.read(pd.concat([frame, frame.head(20)], ignore_index=True), name="twice")
    session = session_on(twice, "y")
    test = opened("pages/data.py", session)
    next(b for b in test.button if b.label == "Keep one of each").click().run()
    assert not test.exception
    assert Workspace().dataset(session.fingerprint).rows == 90
    assert session.target == "y"


def test_files_databases_and_storage_are_off_until_allowed(home, monkeypatch, tmp_path):
    for name in ("HOLDOUT_DATA_ROOT", "HOLDOUT_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    said = text_of(opened("pages/data.py")).replace("\\", "")
    assert "Databases are off" in said
    assert "Storage is off" in said
    assert "HOLDOUT_DATA_ROOT" in said
    (tmp_path / "a.csv").write_bytes(b"p,q\n" + b"".join(b"%d,%d\n" % (i, i % 3) for i in range(30)))
    monkeypatch.setenv("HOLDOUT_DATA_ROOT", str(tmp_path))
    test = opened("pages/data.py")
    test.button(key="folder-open").click().run()
    assert not test.exception
    session: Session = test.session_state["holdout"]
    assert session.schema.names == ["p", "q"]


@pytest.mark.slow
def test_many_columns_get_no_widget_each(home):
    wide = mlcore.read(pd.DataFrame(np.zeros((12, 1200))).add_prefix("c").assign(y=[0, 1] * 6), name="wide")
    for page in ("pages/data.py", "pages/explore.py"):
        test = opened(page, session_on(wide, "y"))
        assert not test.exception
        assert len(test.button) + len(test.selectbox) + len(test.multiselect) < 120


def test_a_likely_target_is_suggested(home):
    frame = pd.DataFrame({"age": range(40), "Survived": [0, 1] * 20, "name": [f"n{i}" for i in range(40)]})
    data = mlcore.read(frame, name="likely")
    assert suggested_target(data.schema) == "Survived"
    assert suggested_target(mlcore.read(frame[["name", "age"]], name="last").schema) is None
    assert suggested_target(mlcore.read(frame[["name"]].assign(z=[1.5, 2.5] * 20), name="numbers").schema) is None
    german = frame[["name"]].assign(Umsatz=[1.5, 2.5] * 20, Bemerkung=["x", None] * 20)
    assert suggested_target(mlcore.read(german, name="german").schema) == "Umsatz"
    session = Session("s" * 20)
    session.open(data)
    test = opened("pages/data.py", session)
    test.button(key="suggested-target").click().run()
    assert session.target == "Survived"
