from __future__ import annotations

import pytest

from mlcore.runs.process import launch
from mlcore.runs.study import Study, points_of, request, state_of, stop
from tests.helpers import study_here


def test_a_study_that_broke_off_goes_on_and_counts_each_fit_once(runs):
    run, asked = runs["multiclass"], Study(kind="learning", model="naive_bayes")
    whole = study_here(run, asked)
    place = run.paths.study(asked.name) / "events.jsonl"
    lines = place.read_text().splitlines(keepends=True)
    place.write_text("".join(lines[:5]))
    again = study_here(run, asked)
    assert again == whole
    assert len(points_of(run, asked)) == len(lines) - 2  # without the first word and the last


@pytest.mark.slow
def test_a_study_is_ended_and_gone_on_with(runs):
    run, asked = runs["regression"], Study(kind="learning", model="random_forest")
    request(run, asked)
    launch(run.path, 1, part=asked.part)
    assert state_of(run, asked).state == "running"
    stop(run, asked)  # while its process is starting, or at work
    assert state_of(run, asked).state == "interrupted"
    assert state_of(run, asked).left is None
    done = len(points_of(run, asked))
    study_here(run, asked)
    assert state_of(run, asked).state == "finished"
    assert len(points_of(run, asked)) > done
