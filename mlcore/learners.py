"""The estimators of our own that the catalogue builds; scikit-learn comes with them, so they are imported late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.metaestimators import available_if

from mlcore.labelled import Labelled
from mlcore.result import Array
from mlcore.rules import Rule, best_question, holds

ASIDE = 0.1  # share of the training rows on which boosting decides when to stop


def balanced_weights(codes: Array, weights: Array | None = None) -> Array:
    """Weights (n,) with which each class counts the same: n / (k · rows of the class), times `weights`."""
    counts = np.bincount(codes)
    each = len(codes) / ((counts > 0).sum() * np.maximum(counts, 1))
    return np.asarray(each[codes] * (1.0 if weights is None else weights))


def _fit_boosted(wrapper: Any, X: Any, y: Array, weights: Array | None, strata: Array | None) -> Any:
    """Fit a wrapper's booster, from the trees of `start` on; it stops early on rows that its seed draws."""
    booster, start = clone(wrapper.estimator), getattr(wrapper, "start", None)
    if getattr(booster, "early_stopping_rounds", None) is None:
        return booster.fit(X, y, sample_weight=weights, xgb_model=start)
    from sklearn.model_selection import train_test_split

    train, aside = train_test_split(
        np.arange(len(y)), test_size=ASIDE, random_state=booster.random_state, stratify=strata
    )
    chosen = None if weights is None else weights[train]
    others = None if weights is None else [weights[aside]]
    return booster.fit(
        X[train], y[train], sample_weight=chosen, eval_set=[(X[aside], y[aside])],
        sample_weight_eval_set=others, verbose=False,
    )  # fmt: skip


class BoostedClassifier(Labelled):
    """A booster that stops early on rows of its own training set, and speaks labels."""

    def __init__(self, estimator: Any = None, balanced: bool = False) -> None:
        super().__init__(estimator)
        self.balanced = balanced

    def _fit(self, X: Any, codes: Array, sample_weight: Array | None) -> Any:
        weights = balanced_weights(codes, sample_weight) if self.balanced else sample_weight
        return _fit_boosted(self, X, codes, weights, codes)


class BoostedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A booster of quantities that stops early on rows of its own training set."""

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_weight: Array | None = None) -> BoostedRegressor:
        """Fit on (n, p) features and (n,) values."""
        self.estimator_ = _fit_boosted(self, X, np.asarray(y), sample_weight, None)
        return self

    def predict(self, X: Any) -> Array:
        """Return (n,) values."""
        return np.asarray(self.estimator_.predict(X), float)


class Balanced(Labelled):
    """A classifier whose classes count the same while it learns, calibration included; it speaks labels."""

    def _fit(self, X: Any, codes: Array, sample_weight: Array | None) -> Any:
        return clone(self.estimator).fit(X, codes, sample_weight=balanced_weights(codes, sample_weight))


class NaiveBayes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Naive Bayes of the kind that (n, p) complete columns in their own units ask for.

    `auto` is multinomial when all columns are counts, Bernoulli when all are marks, otherwise Gaussian on columns of
    spread 1. `smoothing` is the Gaussian share of the largest variance, and 100 times that the pseudo-count.
    """

    def __init__(self, kind: str = "auto", smoothing: float = 0.01) -> None:
        self.kind = kind
        self.smoothing = smoothing

    def fit(self, X: Any, y: Any, sample_weight: Array | None = None) -> NaiveBayes:
        """Fit on (n, p) features and (n,) labels."""
        from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB

        values = np.asarray(X, float)
        self.kind_ = self._kind(values) if self.kind == "auto" else self.kind
        self.shift_, self.spread_ = np.zeros(values.shape[1]), np.ones(values.shape[1])
        alpha = 100 * self.smoothing
        if self.kind_ == "gaussian":
            spread = values.std(axis=0)
            self.shift_, self.spread_ = values.mean(axis=0), np.where(spread > 0, spread, 1.0)
            model: Any = GaussianNB(var_smoothing=self.smoothing)
        elif self.kind_ == "multinomial":
            model = MultinomialNB(alpha=alpha)
        else:
            model = BernoulliNB(alpha=alpha, binarize=0.0)
        self.model_ = model.fit(self._seen(values), y, sample_weight=sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def _kind(self, values: Array) -> str:
        whole = (values >= 0).all() and (values == np.round(values)).all()
        return "gaussian" if not whole else "multinomial" if values.max(initial=0.0) > 1 else "bernoulli"

    def _seen(self, values: Array) -> Array:
        seen = (values - self.shift_) / self.spread_
        return np.maximum(seen, 0) if self.kind_ == "multinomial" else seen  # a count below zero says nothing

    def predict_proba(self, X: Any) -> Array:
        """Return (n, k) probabilities."""
        return np.asarray(self.model_.predict_proba(self._seen(np.asarray(X, float))))

    def predict(self, X: Any) -> Array:
        """Return (n,) labels."""
        return np.asarray(self.model_.predict(self._seen(np.asarray(X, float))))


class WithUnlabelled(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A half-supervised classifier of scikit-learn, given its rows without a label apart."""

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, unlabelled: Any = None) -> WithUnlabelled:
        """Fit on (n, p) features with (n,) labels, and (m, p) features without."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        extra = np.empty((0, np.shape(X)[1])) if unlabelled is None else unlabelled
        codes = np.concatenate([codes, np.full(len(extra), -1)])
        self.estimator_ = clone(self.estimator).fit(np.concatenate([X, extra]), codes)
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return (n, k) probabilities; rows that no label reached get the same for all classes."""
        found = np.nan_to_num(np.asarray(self.estimator_.predict_proba(X)))
        total = found.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, found / np.where(total > 0, total, 1), 1 / found.shape[1]))

    def predict(self, X: Any) -> Array:
        """Return (n,) labels."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


def _rule_of(given: Any) -> Rule | None:
    return None if given is None else Rule.from_json(given)


def _by(given: bool) -> Callable[[Any], bool]:
    return lambda self: (self.rule is not None) == given


class _ByRule(BaseEstimator):  # type: ignore[misc]
    """What the two below share: a person's rule as plain data, or None for the best single question."""

    def __init__(self, rule: dict[str, Any] | None = None) -> None:
        self.rule = rule

    def _ask(self, X: pd.DataFrame) -> Array:
        """Where the learned question holds."""
        question = Rule.from_json({**self.question_, "then": 1, "else": 0}).when if self.question_ else ()
        return holds(question[0], X[question[0].column]) if question else np.zeros(len(X), bool)

    def _learn(self, X: pd.DataFrame, y: Array, classes: int) -> Array:
        """Keep the best question; return where it holds."""
        found = best_question(X, y, classes)
        self.question_ = None
        if found is not None:
            self.question_ = {"when": [[found[0].column, found[0].operator, *found[0].values]]}
        return self._ask(X)

    def words(self) -> str:
        """The rule in one line."""
        if self.rule is not None:
            return Rule.from_json(self.rule).words()
        if self.question_ is None:
            return "no question divides the rows"
        return Rule.from_json({**self.question_, **self.sides_}).words()


class RuleClassifier(ClassifierMixin, _ByRule):  # type: ignore[misc]
    """A person's rule; its answers are the texts of labels. Without one, the best question with its shares."""

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Array | None = None) -> RuleClassifier:
        """Learn the labels, and the best question where no rule is given."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if self.rule is None:
            where = self._learn(X, codes, len(self.classes_))
            weights = np.ones(len(codes)) if sample_weight is None else sample_weight
            self.shares_ = np.array([_shares(codes, weights, rows, len(self.classes_)) for rows in (~where, where)])
            no, yes = (str(self.classes_[s.argmax()]) for s in self.shares_)
            self.sides_ = {"then": yes, "else": no}
        return self

    def predict(self, X: pd.DataFrame) -> Array:
        """Return (n,) labels."""
        if self.rule is None:
            return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
        texts = {str(c): c for c in self.classes_}
        answers = Rule.from_json(self.rule).answer(X)
        # An answer that no training row has is kept as it is: it is wrong everywhere, which is the truth.
        return np.array([texts.get(str(a), self._strange(a)) for a in answers], dtype=self.classes_.dtype)

    def _strange(self, answer: Any) -> Any:
        """A label that no training row has, of the type of the others."""
        kind = self.classes_.dtype.kind
        return str(answer) == "True" if kind == "b" else self.classes_.dtype.type(answer) if kind in "iuf" else answer

    @available_if(_by(True))  # type: ignore[untyped-decorator]
    def decision_function(self, X: pd.DataFrame) -> Array:
        """Return (n,) 1 where the rule says the last class, 0 elsewhere: a rule ranks in two steps."""
        return np.asarray(self.predict(X) == self.classes_[-1], float)

    @available_if(_by(False))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: pd.DataFrame) -> Array:
        """Return (n, k) shares of the training rows on the same side of the question."""
        return np.asarray(self.shares_[self._ask(X).astype(int)])


def _shares(codes: Array, weights: Array, rows: Array, classes: int) -> Array:
    found = np.bincount(codes[rows], weights[rows], classes) if rows.any() else np.bincount(codes, weights, classes)
    return np.asarray(found / found.sum())


class RuleRegressor(RegressorMixin, _ByRule):  # type: ignore[misc]
    """A person's rule that answers with numbers. Without one, the best question with the mean of each side."""

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Array | None = None) -> RuleRegressor:
        """Learn the best question where no rule is given."""
        values = np.asarray(y, float)
        self.n_features_in_ = X.shape[1]
        if self.rule is None:
            where = self._learn(X, values, 0)
            weights = np.ones(len(values)) if sample_weight is None else sample_weight
            sides = [rows if rows.any() else np.ones(len(values), bool) for rows in (~where, where)]
            self.means_ = np.array([np.average(values[r], weights=weights[r]) for r in sides])
            self.sides_ = {"then": float(self.means_[1]), "else": float(self.means_[0])}
        return self

    def predict(self, X: pd.DataFrame) -> Array:
        """Return (n,) values."""
        if self.rule is None:
            return np.asarray(self.means_[self._ask(X).astype(int)])
        return Rule.from_json(self.rule).answer(X).astype(float)


class _Blended(BaseEstimator):  # type: ignore[misc]
    """Fitted models and their weights; `fit` has been done already, by each of them."""

    def __init__(self, models: Any = None, weights: Any = None) -> None:
        self.models = models
        self.weights = weights

    @classmethod
    def of(cls, models: list[Any], weights: list[float]) -> Any:
        """Make it of fitted models."""
        return cls(models, weights)

    def fit(self, X: Any, y: Any) -> Any:
        """Fit all members anew; the weights stay."""
        self.models = [m.fit(X, y) for m in self.models]
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return self.models is not None


class BlendedRegressor(RegressorMixin, _Blended):  # type: ignore[misc]
    """The weighted mean of fitted regressors."""

    def predict(self, X: Any) -> Array:
        """Return (n,) values."""
        parts = [w * np.asarray(m.predict(X), float) for m, w in zip(self.models, self.weights, strict=True)]
        return np.asarray(np.sum(parts, axis=0))


class BlendedClassifier(ClassifierMixin, _Blended):  # type: ignore[misc]
    """The weighted mean of the probabilities of fitted classifiers, all of the same classes."""

    @property
    def classes_(self) -> Array:
        """The labels."""
        return np.asarray(self.models[0].classes_)

    def predict_proba(self, X: Any) -> Array:
        """Return (n, k) probabilities."""
        parts = [w * np.asarray(m.predict_proba(X), float) for m, w in zip(self.models, self.weights, strict=True)]
        return np.asarray(np.sum(parts, axis=0))

    def predict(self, X: Any) -> Array:
        """Return (n,) labels."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
