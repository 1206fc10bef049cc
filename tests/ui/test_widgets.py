from __future__ import annotations

import pandas as pd
import pytest

from mlcore.export.tables import cell, csv
from ui.widgets import escape

NASTY = (
    "![x](http://e.vil/a.png)",
    "<img src=x>",
    "[a](javascript:1)",
    "a_b*c$d$",
    ":red[x] :smile:",
    "www.evil.com",
    "#1 - x",
    "1. list",
    "a@b.com",
    "`code`",
    "line\nbreak",
)


@pytest.mark.parametrize("nasty", NASTY)
def test_escape_leaves_nothing_for_markdown(nasty):
    found = escape(nasty)
    assert found.replace("\\", "").replace("\u2060", "") == nasty.replace("\n", " ")
    for sign in "*_[]()<>$`:#!":
        assert all(found[i - 1] == "\\" for i, ch in enumerate(found) if ch == sign)


def test_exported_cells_are_no_formulas():

    found = csv(pd.DataFrame({"=a": ["=1+1", "+2", "-x", "@y", "plain"], "n": [-1, 2, 3, 4, 5]})).decode("utf-8-sig")
    assert found.splitlines()[0] == "'=a,n"
    assert [line.split(",")[0] for line in found.splitlines()[1:]] == ["'=1+1", "'+2", "'-x", "'@y", "plain"]
    assert found.splitlines()[1].split(",")[1] == "-1"
    assert cell(-1) == -1
