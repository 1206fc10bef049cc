from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from mlcore.data.workspace import Workspace
from tests.helpers import others
from ui.state import Session

ROOT = Path(__file__).resolve().parents[2]


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


def test_setters_drop_what_no_longer_holds(mixed, runs):
    session = session_on(mixed, "two", runs["binary"])
    session.choose("evaluate.view", "ROC")
    session.set_target("amount")
    # the run stays within reach: the pages say that it predicts another target
    assert (session.run, session.models) == (runs["binary"].path.name, None)
    assert "predicts two" in text_of(opened("pages/evaluate.py", session))
    assert session.recipe is not None
    assert session.recipe.task == "regression"
    session.set_role("town", "group")
    session.set_role("colour", "group")
    assert session.schema is not None
    assert session.schema.in_role("group") == ["colour"]
    session.set_kind("id", "categorical")
    assert session.schema["id"].role == "feature"
    session.set_role("amount", "ignore")
    assert session.recipe is None
    session.open(mixed)
    assert (session.run, session.choices, session.target) == (None, {}, None)
    assert others("binary")


def test_two_tabs_of_one_address_share_one_session(mixed):
    session = session_on(mixed, "two")
    other = Session.load(session.token)
    assert other is not None
    other.set_target("three")  # in the other tab
    test = opened("pages/models.py", session)
    assert test.session_state["holdout"].target == "three"


def test_broken_session_files_are_no_session(home):
    place = Workspace().folder("sessions") / ("x" * 20 + ".json")
    place.write_text("{")
    assert Session.load("x" * 20) is None
