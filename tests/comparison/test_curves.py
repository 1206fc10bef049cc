from __future__ import annotations

import numpy as np
import pytest

from mlcore.comparison.curves import LearningCurve, Level
from mlcore.errors import BadInput
from mlcore.runs.study import Study, points_of, request, state_of
from mlcore.validation.metrics import metric
from tests.helpers import study_here


def curve_of(scores: dict[int, list[float]]) -> LearningCurve:
    levels = tuple(
        Level(at=n, score=float(np.mean(f)), ci=None, train_score=None, folds=tuple(f)) for n, f in scores.items()
    )
    return LearningCurve(model="m", title="Model", metric=metric("roc_auc", "binary"), levels=levels, ratio=0.25)


def test_a_learning_curve_ends_at_the_scores_of_the_run(runs):
    run = runs["regression"]
    found = study_here(run, Study(kind="learning", model="ridge"))
    assert state_of(run, Study(kind="learning", model="ridge")).state == "finished"
    assert [lv.at for lv in found.levels] == sorted(lv.at for lv in found.levels)
    last = found.levels[-1]
    first_repeat = run.board().row("ridge").folds[:3]
    np.testing.assert_allclose(sorted(last.folds), sorted(first_repeat))
    assert last.train_score < last.score  # RMSE on rows that it learned from is smaller
    assert len(found.frame()) == len(found.levels)
    assert found.figure().data
    assert "RMSE" in found.sentence()


def test_what_a_learning_curve_says():
    # .70 at 100, .76 at 200, .80 at 400: the slope over two doublings is .05; the next gains .04 × .04/.06
    rising = curve_of({n: [s - 0.001, s, s + 0.001] for n, s in ((100, 0.70), (200, 0.76), (400, 0.80))})
    assert rising.gain()[0] == pytest.approx(0.05)
    assert rising.next_gain() == pytest.approx(0.04 * 0.04 / 0.06)
    assert "about 0.027 more" in rising.sentence()
    flat = curve_of({n: [0.801, 0.799, 0.800] for n in (100, 200, 400)})
    assert "would barely help" in flat.sentence()
    torn = curve_of({100: [0.6, 0.8, 0.7], 200: [0.8, 0.6, 0.75], 400: [0.7, 0.9, 0.65]})
    assert "it is unclear whether" in torn.sentence()


def test_a_validation_curve_shows_over_and_underfit(runs):
    found = study_here(runs["binary"], Study(kind="validation", model="decision_tree", parameter="max_depth"))
    seen = [lv.train_score for lv in found.levels]
    assert seen[-1] > seen[0]
    assert len(
        points_of(runs["binary"], Study(kind="validation", model="decision_tree", parameter="max_depth"))
    ) == 3 * len(found.levels)
    assert "max_depth" in found.sentence()
    with pytest.raises(BadInput, match="no parameter 'nope'"):
        request(runs["binary"], Study(kind="validation", model="decision_tree", parameter="nope"))
    with pytest.raises(BadInput, match="has no fits in this run"):
        request(runs["binary"], Study(kind="learning", model="blend"))
