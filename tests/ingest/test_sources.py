from __future__ import annotations

import pandas as pd

import mlcore
from mlcore.data.workspace import Workspace
from mlcore.ingest import changes, sources
from mlcore.ingest.options import ReadOptions


def test_reading_again_and_keeping_rows_once(home, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("x;y\n1,500;2\n1,500;2\n2,500;3\n")
    data = mlcore.read(path, name="twice.csv")
    assert data.frame()["x"].tolist() == [1.5, 1.5, 2.5]
    sources.keep_original(path, data, Workspace())
    again = sources.read_again(data, ReadOptions(decimal="."), Workspace())
    assert again.frame()["x"].tolist() == [1500, 1500, 2500]
    assert sources.original(again, Workspace()) is not None
    named = mlcore.read(pd.DataFrame({"place": [1.5, 1.5, 2.0], "again": [1, 1, 2]}), name="named")
    assert changes.without_repeats(named, Workspace()).frame()["place"].tolist() == [1.5, 2.0]
    once = changes.without_repeats(data, Workspace())
    assert once.frame()["x"].tolist() == [1.5, 2.5]
    assert any("1 of 3 (33.3 %) rows were duplicates" in n for n in once.reading.notes)
