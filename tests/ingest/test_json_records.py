from __future__ import annotations

import json

from tests.helpers import read_file


def test_json_nested_by_one_level(tmp_path):
    frame = read_file(tmp_path, "a.json", json.dumps([{"a": 1, "b": {"c": 2, "d": [1, 2]}}, {"a": 3}])).frame()
    assert list(frame.columns) == ["a", "b.c", "b.d"]
    assert frame["b.d"].iloc[0] == "[1, 2]"


def test_json_loses_nothing_unsaid(tmp_path):
    twice = read_file(tmp_path, "a.json", json.dumps([{"a.b": 1, "a": {"b": 2}}, {"a.b": 3, "a": {"b": 4}}])).frame()
    assert sorted(map(list, twice.to_dict("list").values())) == [[1, 3], [2, 4]]
    paged = read_file(tmp_path, "b.json", json.dumps({"data": [{"a": 1}, {"a": 2}], "total": 5000}))
    assert any("Only the records under 'data'" in n and "'total'" in n for n in paged.reading.notes)
    index = read_file(tmp_path, "c.json", json.dumps({f"r{i}": {"a": i, "b": 2} for i in range(5)})).frame()
    assert index["a"].tolist() == [0, 1, 2, 3, 4]
    split = read_file(
        tmp_path, "d.json", json.dumps({"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]})
    )
    assert split.frame()["b"].tolist() == [2, 4]
