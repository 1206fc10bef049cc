from __future__ import annotations

import json

from mlcore.run import Run


def test_events_are_whole_lines_of_json(runs):
    text = (runs["binary"].path / "events.jsonl").read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert events[0]["event"] == "started"
    assert events[-1]["event"] == "finished"
    assert sum(e["event"] == "fold" for e in events) == 6 * len(runs["binary"].experiment.candidates)


def test_half_a_line_is_left_for_later(runs, tmp_path):
    (tmp_path / "events.jsonl").write_text('{"event": "started"}\n{"event": "fo')
    assert Run(tmp_path).events() == [{"event": "started"}]


def test_events_of_a_run_are_json_with_the_description_of_each_model(runs):
    fitted = {e["model"]: e for e in runs["binary"].events() if e["event"] == "fitted"}
    assert fitted["rule"]["description"].startswith("if ")
    assert "%" in fitted["blend"]["description"]
    assert all(e["bytes"] > 0 for e in fitted.values())
    assert json.loads((runs["binary"].path / "plan.json").read_text())["split"]
