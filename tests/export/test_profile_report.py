from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from mlcore import explore
from mlcore.api import profile
from mlcore.explore import PlotOptions
from mlcore.export.profile_report import profile_html
from tests.helpers import frame_here

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "![i](http://example.invalid/a.png)",
    "a_b*c$d$",
    "=1+1",
    "</script>",
    'q"uote',
]


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "x": rng.normal(50, 10, 500).round(2),
            "n": rng.integers(0, 9, 500),
            "g": rng.choice(["a", "b", "c"], 500, p=[0.6, 0.3, 0.1]),
            "many": [f"level {n}" for n in rng.integers(0, 80, 500)],
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 500), unit="D"),
            "flag": rng.random(500) < 0.5,
            "v": rng.integers(0, 2, 500),  # names that careless SQL would use itself
            "data": rng.normal(size=500),
            "Place": rng.normal(size=500),
        }
    )
    frame["y"] = 2 * frame["x"] + rng.normal(0, 5, 500)
    frame.loc[::7, "x"] = np.nan
    return frame


@pytest.fixture(scope="module")
def data(home, frame):
    return frame_here(frame, "explore")


def test_the_report_is_one_file_that_asks_for_nothing(home):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({name: rng.normal(size=60) for name in HOSTILE[:4]} | {"g": rng.choice(HOSTILE, 60)})
    frame.loc[:9, HOSTILE[0]] = np.nan
    html = profile_html(profile(frame_here(frame, "</title><script>alert(1)</script>")))
    met: list[str] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: met.extend([tag, *(name for name, _ in attributes)])
    reader.feed(html)
    assert not {"script", "img", "src", "href", "onerror", "link"} & set(met)
    assert not re.search(r"url\(|@import", html)
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert html.count("<svg") >= 5


def test_tables_keep_columns_that_are_called_like_figures(home):
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"rows": rng.choice(["a", "b"], 90), "x": rng.normal(size=90), "share": rng.normal(size=90)})
    frame["month"] = frame["rows"]
    frame["d"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, 90), unit="D")
    data = frame_here(frame, "figures")
    for made, names in (
        (explore.one(data, "x", PlotOptions("rows")), ["rows", "from", "to", "rows_2"]),
        (explore.one(data, "share", PlotOptions("rows", shape="ecdf")), ["rows", "share", "share_2"]),
        (explore.one(data, "d", PlotOptions("month")), ["month", "month_2", "rows"]),
        (explore.relation(data, "x", "x"), ["x", "x_2"]),
        (explore.parallel(data, ["x", "rows"], "rows"), ["x", "rows", "rows_2"]),
    ):
        assert list(made.frame().columns) == names
    assert explore.one(data, "x", PlotOptions("rows")).frame()["rows_2"].sum() == 90
