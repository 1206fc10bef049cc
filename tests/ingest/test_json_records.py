from __future__ import annotations

import json
from pathlib import Path

from mlcore.data.dataset import Dataset
from mlcore.ingest.options import ReadOptions
from tests.helpers import read_here


def read(tmp_path: Path, name: str, content: bytes | str, **options: object) -> Dataset:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_here(path, ReadOptions(**options) if options else None)


def test_json_nested_by_one_level(tmp_path):
    frame = read(tmp_path, "a.json", json.dumps([{"a": 1, "b": {"c": 2, "d": [1, 2]}}, {"a": 3}])).frame()
    assert list(frame.columns) == ["a", "b.c", "b.d"]
    assert frame["b.d"].iloc[0] == "[1, 2]"


def test_json_loses_nothing_unsaid(tmp_path):
    twice = read(tmp_path, "a.json", json.dumps([{"a.b": 1, "a": {"b": 2}}, {"a.b": 3, "a": {"b": 4}}])).frame()
    assert sorted(map(list, twice.to_dict("list").values())) == [[1, 3], [2, 4]]
    paged = read(tmp_path, "b.json", json.dumps({"data": [{"a": 1}, {"a": 2}], "total": 5000}))
    assert any("Only the records under 'data'" in n and "'total'" in n for n in paged.reading.notes)
    index = read(tmp_path, "c.json", json.dumps({f"r{i}": {"a": i, "b": 2} for i in range(5)})).frame()
    assert index["a"].tolist() == [0, 1, 2, 3, 4]
    split = read(tmp_path, "d.json", json.dumps({"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}))
    assert split.frame()["b"].tolist() == [2, 4]
