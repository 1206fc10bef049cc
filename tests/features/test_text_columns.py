from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlcore.features.text_columns import TextColumns
from mlcore.run import Run
from tests.helpers import compare_here, frame_here

WORDS = ["late", "refund", "kind", "fast", "broken", "thanks", "again", "never", "box", "driver"]
TFIDF = {"stop_words": "english", "min_df": 2, "max_df": 0.95}


@pytest.fixture(scope="module")
def letters() -> pd.DataFrame:
    """240 letters with a number beside them; complaints say 'broken' and 'refund' more often."""
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 240)
    odds = np.ones((240, 10)) + 2.0 * y[:, None] * np.isin(WORDS, ["broken", "refund"])
    text = [" ".join(rng.choice(WORDS, 8, p=p / p.sum())) + f" no{i}" for i, p in enumerate(odds)]
    return pd.DataFrame({"letter": text, "paid": rng.normal(size=240) + 0.3 * y, "y": np.where(y == 1, "bad", "good")})


@pytest.fixture(scope="module")
def run(home, letters) -> Run:
    models = ["logistic", "naive_bayes", "linear_svm", "sgd", "knn", "hist_gradient_boosting", "mlp"]
    return compare_here(frame_here(letters, "letters"), "y", models=models, folds=3, repeats=1, positive="bad")


def test_every_family_takes_a_table_with_text(run):
    rows = run.board().rows
    assert [r.reason for r in rows] == [""] * len(rows)
    assert min(r.score for r in rows if not r.is_baseline) > 0.55


@pytest.mark.parametrize(
    ("model", "pipe"),
    [
        ("logistic", make_pipeline(make_column_transformer(
            (StandardScaler(), ["paid"]), (TfidfVectorizer(sublinear_tf=True, **TFIDF), "letter")),
            LogisticRegression(max_iter=1000))),
    ],
)  # fmt: skip
def test_scores_are_those_of_plain_scikit_learn(run, letters, model, pipe):
    """The same vocabulary rules by hand, on the same folds."""
    found = run.predictions(model)
    for _, test in found.groupby("fold"):
        train = letters.loc[found["row"][~found["row"].isin(test["row"])]]
        pipe.fit(train, train["y"])
        expected = pipe.predict_proba(letters.loc[test["row"]])[:, list(pipe.classes_).index("bad")]
        np.testing.assert_allclose(test["p_bad"], expected, atol=2e-3)
        assert roc_auc_score(test["truth"] == "bad", expected) > 0.5


def test_naive_bayes_gets_the_counts_it_is_made_for(home, letters):
    """Text alone: multinomial naive Bayes of the counts, whose pseudo-count 1 is scikit-learn's default."""
    only = compare_here(frame_here(letters.drop(columns="paid"), "only"), "y", models=["naive_bayes"], folds=3,
                        repeats=1, positive="bad")  # fmt: skip
    found = only.predictions("naive_bayes")
    test = found[found["fold"] == 0]
    train = letters.loc[found["row"][found["fold"] != 0]]
    pipe = make_pipeline(CountVectorizer(stop_words="english", min_df=2, max_features=20_000), MultinomialNB())
    pipe.fit(train["letter"], train["y"])
    np.testing.assert_allclose(test["p_bad"], pipe.predict_proba(letters.loc[test["row"], "letter"])[:, 0])


def test_final_models_answer_raw_rows(run, letters):
    new = letters.drop(columns="y").head(5).assign(letter=["broken refund", "", None, "unheard words", "thanks kind"])
    for model in run.predicted():
        assert set(run.model(model).predict(new)) <= {"good", "bad"}
    assert run.explain("naive_bayes", row=3).prediction is not None


def test_words_stay_sparse_and_components_do_not(letters):
    X = letters[["letter"]]
    words = TextColumns("words").fit(X)
    assert sparse.issparse(words.transform(X))
    plain = TfidfVectorizer(sublinear_tf=True, **TFIDF).fit(X["letter"])
    np.testing.assert_allclose(words.transform(X).toarray(), plain.transform(X["letter"]).toarray())
    assert list(words.get_feature_names_out()) == [f"letter '{w}'" for w in plain.get_feature_names_out()]
    assert TextColumns("components").fit(X).transform(X).shape[1] <= 50


def test_texts_without_a_word_have_no_features():
    X = pd.DataFrame({"t": ["!", "?", None, "…"] * 5})
    for way in ("words", "counts", "components"):
        assert TextColumns(way).fit(X).transform(X).shape == (20, 0)
