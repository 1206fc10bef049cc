from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd

from mlcore import explore
from mlcore.api import profile
from mlcore.explore import PlotOptions
from mlcore.export.profile_report import profile_html
from tests.helpers import HOSTILE, frame_here


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
