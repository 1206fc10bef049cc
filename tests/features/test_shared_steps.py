"""Steps that are fitted are fitted once per fold, for all families."""

from __future__ import annotations

from mlcore.features.transformers import StepSequence
from tests.helpers import compare_here, others


def test_steps_are_fitted_once_per_fold(mixed, monkeypatch):
    """A trial before the run, three folds, and the final fits, for a linear and a tree model together: five."""
    fits = []
    plain = StepSequence.fit_rows
    monkeypatch.setattr(
        StepSequence, "fit_rows", lambda self, X, y: (fits.append(len(self.steps)), plain(self, X, y))[1]
    )
    recipe = {"steps": [{"step": "clip", "columns": ["a"]}]}
    compare_here(mixed, "two", models=["logistic", "decision_tree"], recipe=recipe, ignore=others("binary"), folds=3,
                 repeats=1)  # fmt: skip
    assert [n for n in fits if n == 2] == [2] * 5  # clip and the parts of the date
