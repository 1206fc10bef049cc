from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlcore import explore
from mlcore.data.dataset import Column, Schema
from mlcore.data.filters import OPERATORS, Filter, from_text, to_text
from mlcore.errors import BadInput, NotApplicable
from mlcore.explore import View
from mlcore.explore.profile import summary
from mlcore.explore.selection import conditions
from tests.helpers import frame_here

CONDITIONS = [
    (Filter("g", "is", ("a", "b")), lambda f: f["g"].isin(["a", "b"])),
    (Filter("g", "is_not", ("a",)), lambda f: f["g"] != "a"),
    (Filter("many", "contains", ("LEVEL 1",)), lambda f: f["many"].str.contains("level 1")),
    (Filter("many", "starts", ("level 7",)), lambda f: f["many"].str.startswith("level 7")),
    (Filter("y", "from", (100,)), lambda f: f["y"] >= 100),
    (Filter("y", "to", (100,)), lambda f: f["y"] <= 100),
    (Filter("n", "between", (2, 5)), lambda f: f["n"].between(2, 5)),
    (Filter("when", "between", ("2024-02-01", "2024-03-01")), lambda f: f["when"].between("2024-02-01", "2024-03-01")),
    (Filter("x", "missing"), lambda f: f["x"].isna()),
    (Filter("x", "known"), lambda f: f["x"].notna()),
    (Filter("flag", "is", ("true",)), lambda f: f["flag"]),
]


@pytest.mark.parametrize(("condition", "plainly"), CONDITIONS)
def test_each_operator_keeps_the_rows_that_pandas_keeps(data, frame, condition, plainly):
    view = View(data, (condition.checked(data.schema),))
    expected = plainly(frame).to_numpy(bool)
    assert view.rows == expected.sum()
    assert view.keep().tolist() == expected.tolist()
    assert condition.words()
    assert from_text(to_text(view.filters), data.schema) == view.filters


def test_every_operator_is_tried():
    assert {c.operator for c, _ in CONDITIONS} == {o.name for o in OPERATORS}


def test_conditions_hold_for_every_picture(data, frame):
    view = View(data, (Filter("y", "from", (100,)), Filter("g", "is", ("a",))))
    kept = frame[(frame["y"] >= 100) & (frame["g"] == "a")]
    assert explore.one(view, "n").counts.sum() == len(kept)
    assert explore.relation(view, "x", "y").n == kept["x"].notna().sum()
    assert explore.missing(view).missing == (int(kept["x"].isna().sum()),)
    assert len(explore.head(view, 1000)) == len(kept)
    found = {c.name: c for c in summary(view).columns}
    assert found["y"].quartiles == pytest.approx(tuple(kept["y"].quantile([0.25, 0.5, 0.75])))
    assert found["g"].top == (("a", len(kept)),)
    empty = View(data, (Filter("y", "from", (1e9,)),))
    with pytest.raises(NotApplicable, match="No row satisfies the conditions"):
        explore.one(empty, "n")


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (Filter("nosuch", "is", ("a",)), "no column"),
        (Filter("g", "between", (1, 2)), "is not a comparison"),
        (Filter("y", "from", ("__import__('os')",)), "is not a number"),
        (Filter("y", "between", (1,)), "takes 2"),
        (Filter("when", "from", ("yesterday",)), "is not a date"),
        (Filter("y", "from", (float("nan"),)), "finite"),
    ],
)
def test_conditions_that_make_no_sense(data, wrong, part):
    with pytest.raises(BadInput, match=part):
        wrong.checked(data.schema)


@given(st.text(max_size=60))
def test_an_address_may_hold_anything(text):
    schema = Schema((Column("a", "numeric", "feature", "float", 0, 9),))
    assert isinstance(from_text(text, schema), tuple)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4))
def test_levels_of_a_condition_are_values_never_sql(data, levels):
    view = View(data, (Filter("g", "is", tuple(levels)).checked(data.schema),))
    assert view.rows == sum(len(data.frame(["g"])[data.frame(["g"])["g"] == v]) for v in set(levels))


def test_conditions_on_numbers_and_dates_that_are_texts(home):
    frame = pd.DataFrame(
        {
            "n": [*(f"{i},5" for i in range(50)), "none"],
            "d": [*(f"{i % 28 + 1:02d}.03.2024" for i in range(50)), "soon"],
        }
    )
    data = frame_here(frame, "texts")
    schema = data.schema.with_kind("n", "numeric", ",").with_kind("d", "datetime", "%d.%m.%Y")
    data = data.with_schema(schema)
    assert View(data, (Filter("n", "between", (10, 20)).checked(schema),)).rows == 10
    early = Filter("d", "to", ("2024-03-02",)).checked(schema)
    assert View(data, (early,)).rows == 4
    (stretch,) = conditions(explore.one(data, "d"), {"box": [{"x": ["2024-03-01", "2024-03-02 12:00"], "y": [0, 1]}]})
    assert View(data, (stretch.checked(schema),)).rows == 4
