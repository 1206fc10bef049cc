from __future__ import annotations

from mlcore.experiment.split_advice import SplitAnswers, recommended
from mlcore.validation.protocol import Protocol


def test_the_split_that_is_like_the_use():
    base = Protocol()
    assert recommended(base, SplitAnswers(), "binary")[0].kind("binary") == "stratified"
    assert recommended(base, SplitAnswers(entity="who"), "binary")[0].kind("binary") == "group"
    assert recommended(base, SplitAnswers(entity="who", known=True), "binary")[0].kind("binary") == "stratified"
    alone, why = recommended(base, SplitAnswers(entity="who", known=True), "regression")
    assert (alone.kind("regression"), "class" in why) == ("random", False)
    found, why = recommended(base, SplitAnswers(entity="who", moment="t", future=True), "binary")
    assert (found.kind("binary"), found.time) == ("time", "t")
    assert "trained on earlier t" in why
