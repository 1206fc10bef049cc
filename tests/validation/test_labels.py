from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcore.errors import BadChoice, BadTarget
from mlcore.validation.labels import one_spelling, positive_class
from mlcore.validation.target import check_learnable, target_of


@pytest.mark.parametrize(
    ("event", "other"),
    [
        ("yes", "no"), ("Yes", "No"), ("TRUE", "FALSE"), ("1", "0"), ("1", "-1"), ("fraud", "legit"), ("t", "f"),
        ("disease", "healthy"), ("malignant", "benign"), ("spam", "ham"), ("ja", "nein"), ("oui", "non"), ("sí", "no"),
        ("churn", "no churn"), ("default", "non-default"), ("Fail", "Pass"), ("dead", "alive"), ("bad", "good"),
        ("attack", "normal"), ("case", "control"), ("Left", "Stayed"), ("positive", "negative"), ("+", "-"),
        ("defective part", "good part"), ("y", "n"), ("да", "нет"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("counts", [(2, 90), (90, 2)])
def test_the_event_is_positive_however_rare_or_common(event, other, counts):
    assert positive_class([event, other], counts) == event
    assert positive_class([other, event], counts[::-1]) == event


@pytest.mark.parametrize("labels", [("A", "B"), ("F", "M"), ("1", "2"), ("red", "white"), ("cat", "dog"), ("3", "7")])
def test_without_a_name_the_rarer_class_is_positive(labels):
    assert positive_class(labels, (3, 97)) == labels[0]
    assert positive_class(labels, (97, 3)) == labels[1]


def test_the_positive_class_comes_last_and_can_be_chosen():
    column = pd.Series(["healthy"] * 30 + ["disease"] * 70)
    target = target_of(column, "status", "binary")
    assert target.classes.tolist() == ["healthy", "disease"]
    assert target.y.sum() == 70
    other = target_of(column, "status", "binary", "healthy")
    assert other.classes.tolist() == ["disease", "healthy"]
    assert other.labels().tolist() == column.tolist()
    with pytest.raises(BadChoice, match="sick"):
        target_of(column, "status", "binary", "sick")


def test_spellings_of_one_label_are_one_class():
    column = pd.Series(["Yes", "yes", "YES", "No", "no", "yes "] * 9)
    target = target_of(column, "bought", "binary")
    assert len(target.classes) == 2
    assert target.y.tolist() == [1, 1, 1, 0, 0, 1] * 9


@given(st.lists(st.sampled_from(["a", "A", " a", "b", "B", "c"]), min_size=1))
def test_one_spelling_keeps_apart_what_differs_in_more_than_case(labels):
    one = one_spelling(np.array(labels, dtype=object))
    assert [v.strip().lower() for v in one] == [v.strip().lower() for v in labels]
    assert len(set(one)) == len({v.strip().lower() for v in labels})


@pytest.mark.parametrize("positives", [1, 2, 3])
def test_too_few_positives_are_refused_before_the_run(positives):
    y = pd.Series([0] * 997 + [1] * positives)
    with pytest.raises(BadTarget, match=rf"{positives} of .* rows have fault = 1"):
        check_learnable(target_of(y, "fault", "binary"), "fault", None)


def test_a_class_within_one_group_is_refused_with_its_own_words():
    y = pd.Series([0] * 40 + [1] * 10)
    sites = pd.Series(["s1"] * 20 + ["s2"] * 20 + ["s3"] * 10, name="site")
    with pytest.raises(BadTarget, match=r"All rows with y = 1 have the same site \(s3\)"):
        check_learnable(target_of(y, "y", "binary"), "y", sites)
