"""The Models page: presets, parameters, rules, searches, the wizard, and what lies below the leaderboard."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from mlcore.api import begin
from mlcore.data.workspace import Workspace
from mlcore.experiment.search import Search
from mlcore.result import Fix
from mlcore.runs.events import EventLog
from mlcore.runs.study import Study
from tests.helpers import compare_here, others, planned, study_here
from tests.ui.test_pages import opened, session_on, text_of
from ui.state import Session


@pytest.fixture
def page_of(mixed):
    """The page on the mixed data, with or without a run."""

    def make(task="binary", run=None):
        from tests.helpers import TARGETS

        session = session_on(mixed, TARGETS[task], run)
        for name in others(task):
            session.set_role(name, "ignore")
        return session, opened("pages/models.py", session)

    return make


def dialog(call: str, session: Session) -> AppTest:
    """What a dialog holds, as a page of its own: the harness closes dialogs when anything in them is touched."""
    test = AppTest.from_string(
        f"from mlcore.models.catalogue import model\nfrom ui.models import candidates, parameters, protocol\n{call}",
        default_timeout=60,
    )
    test.session_state["holdout"] = session
    test.session_state["holdout_token"] = session.token
    return test.run()


def press(test, label):
    button = next(b for b in test.button if b.label == label)
    return button.click().run()


def test_presets_and_own_choice(page_of):
    session, test = page_of()
    assert "Compare 13 models" in [b.label for b in test.button]
    assert test.get("button_group")[0].label == "Preset"
    assert session.models is None  # the preset decides
    box = next(c for c in test.checkbox if c.label == "Gradient boosting")
    box.uncheck().run()
    assert session.models is not None
    assert "hist_gradient_boosting" not in session.models
    assert "Compare 12 models" in [b.label for b in test.button]
    assert not test.exception
    session.set_models(())
    test.run()
    assert next(b for b in test.button if b.key == "compare").disabled
    assert next(b for b in test.button if b.key == "compare").label == "Choose a model"


def test_parameters_are_set_in_the_dialog_and_bad_ones_cannot_be(page_of):
    session, test = page_of()
    test.button(key="about-knn").click().run()
    assert "most similar training rows" in text_of(test)
    test = dialog("parameters.model_dialog(model('knn'))", session)
    near = next(n for n in test.number_input if n.label == "Neighbours (n_neighbors)")
    near.set_value(7)
    press(test, "Use these")
    assert Session.load(session.token).parameters == {"knn": {"n_neighbors": 7}}
    press(test, "Defaults")
    assert Session.load(session.token).parameters == {}
    assert not test.exception


def test_a_search_ends_when_all_is_set_by_hand(page_of):
    session, _ = page_of("regression")
    session.set_search(("ridge",), session.search)
    session.set_parameters("ridge", {"alpha": 3.0})
    test = dialog("parameters.model_dialog(model('ridge'))", session)
    assert not test.toggle
    assert Session.load(session.token).tuned == ()


def test_a_search_is_asked_for_in_the_dialog(page_of):
    session, _ = page_of()
    test = dialog("parameters.model_dialog(model('knn'))", session)
    next(t for t in test.toggle if t.label == "Search for the best parameters").set_value(True).run()
    assert session.tuned == ("knn",)
    next(n for n in test.number_input if n.label.startswith("Settings tried")).set_value(5).run()
    assert session.search == Search(trials=5)
    again = Session.load(session.token)
    assert (again.tuned, again.search) == (("knn",), Search(trials=5))
    assert not test.exception


@pytest.mark.parametrize(("task", "answer"), [("binary", "yes"), ("regression", 3.5)])
def test_a_rule_is_built_in_the_dialog(page_of, task, answer):
    session, _ = page_of(task)
    test = dialog("parameters.model_dialog(model('rule'))", session)
    assert "Each condition still needs a value" in text_of(test)
    test.selectbox(key="rule-column-r-0").select("a").run()
    test.selectbox(key="rule-operator-r-0-a").select("from").run()
    next(n for n in test.number_input if n.label == "Value").set_value(0.5).run()
    if task == "binary":
        test.selectbox(key="rule-answer-rt").select(answer).run()
    else:
        test.number_input(key="rule-answer-rt").set_value(answer).run()
    assert "if a is at least 0" in text_of(test).replace("\\", "")
    test.button(key="rule-use").click().run()
    assert session.rule["when"] == [["a", "from", 0.5]]
    assert session.rule["then"] == answer
    assert Session.load(session.token).rule == session.rule
    assert any(c.label == "Your rule" for c in opened("pages/models.py", session).checkbox)
    assert not test.exception


def test_the_wizard_cuts_by_group(page_of):
    session, test = page_of()
    test.button(key="wizard").click().run()
    test = dialog("protocol._wizard()", session)
    test.selectbox(key="wizard-entity").select("town").run()
    assert "all rows of one value are on the same side" in text_of(test)
    test.button(key="wizard-use").click().run()
    assert (session.protocol.split, session.protocol.group) == ("group", "town")
    assert "by town" in text_of(opened("pages/models.py", session))
    assert not test.exception


def test_the_split_that_an_alert_offers(mixed):
    session = session_on(mixed, "two")
    session.resolve(Fix("Split by time", "split", "when", "time"))
    assert (session.protocol.split, session.protocol.time) == ("time", "when")
    session.set_role("town", "group")
    session.protocol = session.protocol.__class__(split="random")
    session.save()
    test = opened("pages/models.py", session)
    assert "a group has rows on both sides" in text_of(test)


def test_below_the_board_of_a_finished_run(page_of, runs, mixed):
    for asked in (Study(kind="learning", model="ridge"), Study(kind="validation", model="ridge", parameter="alpha")):
        study_here(runs["regression"], asked)
    session, test = page_of("regression", runs["regression"])
    assert "comes first in" in text_of(test)
    session.choose("models.detail", "ridge")
    for view, words in (
        ("Fold scores", "over 6 folds"),
        ("Learning curve", "doubling"),
        ("Validation curve", "is best at"),
    ):
        session.choose("models.detail.view", view)
        test = opened("pages/models.py", session)
        assert words in text_of(test), view
        assert not test.exception
    session.choose("models.detail", "xgboost")
    test = opened("pages/models.py", session)
    assert any(b.label == "Add 100 more trees" for b in test.button)


def test_the_search_of_a_run_is_shown(page_of, mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["knn", "logistic"], folds=3, repeats=1,
                       tune=["knn"], search=Search(method="random", trials=4))  # fmt: skip
    session, _ = page_of("binary", run)
    session.choose("models.detail", "knn")
    session.choose("models.detail.view", "Search")
    test = opened("pages/models.py", session)
    assert "the best of 4 settings" in text_of(test) or "is better than its own" in text_of(test)
    assert not test.exception


def test_a_cancelled_run_offers_to_go_on(page_of, mixed):
    data, experiment = planned(mixed, "two", models=["logistic"], ignore=others("binary"))

    def cancelled(folder, slots):
        with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
            EventLog(file).append("cancelled")

    run = begin(data, experiment, Workspace().new_run("cancelled"), cancelled)
    _, test = page_of("binary", run)
    assert "was cancelled" in text_of(test)
    assert any(b.key == "resume" for b in test.button)
    assert not test.exception


def test_the_board_by_another_metric(page_of, runs):
    _, test = page_of("regression", runs["regression"])
    box = next(b for b in test.selectbox if b.label == "Ranked by")
    assert box.value == "rmse"
    box.select("r2").run()
    assert "R²" in text_of(test)
    assert not test.exception


def test_the_page_the_command_and_python_plan_the_same_experiment(mixed):
    """Equal experiments give equal numbers, so it is enough that all three ask for the same one."""
    session = session_on(mixed, "two")
    test = dialog("import streamlit as st\nst.session_state['d'] = candidates._experiment(candidates._chosen()).digest",
                  session)  # fmt: skip
    assert test.session_state["d"] == planned(mixed, "two")[1].digest


def test_why_a_model_failed_is_said_below_the_board(page_of, mixed):
    run = compare_here(mixed, "two", ignore=others("binary"), models=["logistic", "lda", "blend"], split="validation")
    _, test = page_of("binary", run)
    assert "A blend needs folds" in text_of(test)


def test_a_finished_run_is_read_once_and_its_board_is_computed_once(page_of, runs, monkeypatch):
    """However many parts of the page ask for the events and the leaderboard, and however often it is rerun."""
    from mlcore.comparison import leaderboard
    from mlcore.runs.events import EventReader
    from ui import cached

    cached._run.clear()
    read, computed = [], []
    parse, compute = EventReader._parse, leaderboard.leaderboard
    monkeypatch.setattr(EventReader, "_parse", lambda reader: (read.append(reader.path), parse(reader))[1])
    monkeypatch.setattr(leaderboard, "leaderboard", lambda *a: (computed.append(a[2]), compute(*a))[1])
    _, test = page_of("binary", runs["binary"])
    test.run()
    assert not test.exception
    of_run = [p for p in read if p.parent.name == runs["binary"].path.name]
    assert len(of_run) == 1
    assert len(computed) == len(set(computed)) == 1
