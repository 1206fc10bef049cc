from __future__ import annotations

import pandas as pd

from mlcore.data.workspace import Workspace
from tests.helpers import frame_here, others
from tests.ui.test_pages import opened, session_on, text_of
from ui.state import Session


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


def test_a_counting_column_that_is_all_there_is_becomes_the_feature_on_the_page_too():
    frame = pd.DataFrame({"no": range(1, 41), "y": [i * 2.5 for i in range(40)]})
    session = session_on(frame_here(frame, "counting"), "y")
    assert session.schema.features().names == ["no"]
