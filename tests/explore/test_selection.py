from __future__ import annotations

from mlcore import explore
from mlcore.data.filters import Filter
from mlcore.explore.selection import conditions


def test_marking_a_picture_gives_conditions(data):
    box = {"box": [{"x": [10.0, 30.0], "y": [5.0, 50.0]}], "points": []}
    assert conditions(explore.one(data, "x"), box) == (Filter("x", "between", (10.0, 30.0)),)
    assert conditions(explore.relation(data, "x", "y"), box) == (
        Filter("x", "between", (10.0, 30.0)),
        Filter("y", "between", (5.0, 50.0)),
    )
    assert conditions(explore.one(data, "g"), {"box": [{"x": [-0.4, 1.2], "y": [0, 9]}]}) == (
        Filter("g", "is", ("a", "b")),
    )
    bars = {"points": [{"point_index": 0}], "box": []}
    assert conditions(explore.one(data, "g"), bars) == (Filter("g", "is", ("a",)),)
    cells = {"box": [{"x": [-0.5, 0.4], "y": [-0.5, 0.4]}]}
    found = explore.relation(data, "g", "flag")
    assert conditions(found, cells) == (
        Filter("g", "is", (found.x_levels[0],)),
        Filter("flag", "is", (found.y_levels[0],)),
    )
    dates = {"box": [{"x": ["2024-02-01", "2024-03-01 12:00"], "y": [0, 1]}]}
    (stretch,) = conditions(explore.one(data, "when"), dates)
    assert stretch.checked(data.schema).values == ("2024-02-01 00:00:00", "2024-03-01 12:00:00")
    assert conditions(explore.correlations(data), box) == ()
    assert conditions(explore.one(data, "x"), {}) == ()
