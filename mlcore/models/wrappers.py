"""Our own estimators for the catalogue. They import scikit-learn, so they are imported late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.metaestimators import available_if

from mlcore.models.label_encoding import LabelEncoding
from mlcore.models.rules import Rule, best_question, holds
from mlcore.models.weights import balanced_weights
from mlcore.result import Array

ASIDE = 0.1  # fraction of the training rows on which boosting decides when to stop


def _fit_boosted(wrapper: Any, X: Any, y: Array, weights: Array | None, strata: Array | None) -> Any:
    """Fit a wrapper's booster, continuing from the trees of `start`; it stops early on rows drawn by its seed."""
    booster, start = clone(wrapper.estimator), getattr(wrapper, "start", None)
    if getattr(booster, "early_stopping_rounds", None) is None:
        return booster.fit(X, y, sample_weight=weights, xgb_model=start)
    from sklearn.model_selection import train_test_split

    train, validation = train_test_split(
        np.arange(len(y)), test_size=ASIDE, random_state=booster.random_state, stratify=strata
    )
    train_weights = None if weights is None else weights[train]
    validation_weights = None if weights is None else [weights[validation]]
    return booster.fit(
        X[train], y[train], sample_weight=train_weights, eval_set=[(X[validation], y[validation])],
        sample_weight_eval_set=validation_weights, verbose=False,
    )  # fmt: skip


class _WarmStart:
    """A booster that can be warm-started from another one."""

    def continue_from(self, old: Any, trees: int, X: Any, y: Any, **options: Any) -> Any:
        """Fit only the trees after the first `trees`, which come from `old`."""
        total = self.estimator.n_estimators  # type: ignore[attr-defined]
        self.estimator.set_params(n_estimators=total - trees)  # type: ignore[attr-defined]
        self.start = old.estimator_
        self.fit(X, y, **options)  # type: ignore[attr-defined]
        self.start = None
        self.estimator.set_params(n_estimators=total)  # type: ignore[attr-defined]
        return self


class BoostedClassifier(_WarmStart, LabelEncoding):
    """A booster that stops early on part of its training set and returns labels."""

    def __init__(self, estimator: Any = None, balanced: bool = False) -> None:
        super().__init__(estimator)
        self.balanced = balanced

    def _fit(self, X: Any, codes: Array, sample_weight: Array | None) -> Any:
        weights = balanced_weights(codes, sample_weight) if self.balanced else sample_weight
        return _fit_boosted(self, X, codes, weights, codes)


class BoostedRegressor(_WarmStart, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A booster for regression that stops early on part of its training set."""

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_weight: Array | None = None) -> BoostedRegressor:
        """Fit on (n, p) features and (n,) values."""
        self.estimator_ = _fit_boosted(self, X, np.asarray(y), sample_weight, None)
        return self

    def predict(self, X: Any) -> Array:
        """Return (n,) values."""
        return np.asarray(self.estimator_.predict(X), float)


class Balanced(LabelEncoding):
    """A classifier trained with balanced classes, calibration included; it returns labels."""

    def _fit(self, X: Any, codes: Array, sample_weight: Array | None) -> Any:
        return clone(self.estimator).fit(X, codes, sample_weight=balanced_weights(codes, sample_weight))


def _dense(values: Any) -> Array:
    return np.asarray(values.toarray() if sparse.issparse(values) else values, float)


class NaiveBayes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Naive Bayes of the kind that suits (n, p) columns without missing values, in their own units.

    `auto` is multinomial when all columns are counts or the matrix is sparse, Bernoulli when all are indicators,
    otherwise Gaussian on columns of standard deviation 1. `smoothing` is a fraction of the largest variance; 100 times
    it is the pseudo-count.
    """

    def __init__(self, kind: str = "auto", smoothing: float = 0.01) -> None:
        self.kind = kind
        self.smoothing = smoothing

    def fit(self, X: Any, y: Any, sample_weight: Array | None = None) -> NaiveBayes:
        """Fit on (n, p) features and (n,) labels."""
        from sklearn.naive_bayes import BernoulliNB, GaussianNB, MultinomialNB

        values = X if sparse.issparse(X) else np.asarray(X, float)
        self.kind_ = self._kind(values) if self.kind == "auto" else self.kind
        if self.kind_ == "gaussian":
            values = _dense(values)
        self.shift_, self.spread_ = np.zeros(values.shape[1]), np.ones(values.shape[1])
        alpha = 100 * self.smoothing
        if self.kind_ == "gaussian":
            deviation = values.std(axis=0)
            self.shift_, self.spread_ = values.mean(axis=0), np.where(deviation > 0, deviation, 1.0)
            model: Any = GaussianNB(var_smoothing=self.smoothing)
        elif self.kind_ == "multinomial":
            model = MultinomialNB(alpha=alpha)
        else:
            model = BernoulliNB(alpha=alpha, binarize=0.0)
        self.model_ = model.fit(self._scaled(values), y, sample_weight=sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def _kind(self, values: Any) -> str:
        if sparse.issparse(values):  # words
            return "multinomial"
        counts = (values >= 0).all() and (values == np.round(values)).all()
        return "gaussian" if not counts else "multinomial" if values.max(initial=0.0) > 1 else "bernoulli"

    def _scaled(self, values: Any) -> Any:
        if sparse.issparse(values) and self.kind_ != "gaussian":
            return values.maximum(0) if self.kind_ == "multinomial" else values
        values = _dense(values)
        scaled = (values - self.shift_) / self.spread_
        return np.maximum(scaled, 0) if self.kind_ == "multinomial" else scaled  # a count below zero is not evidence

    def predict_proba(self, X: Any) -> Array:
        """Return (n, k) probabilities."""
        return np.asarray(self.model_.predict_proba(self._scaled(X)))

    def predict(self, X: Any) -> Array:
        """Return (n,) labels."""
        return np.asarray(self.model_.predict(self._scaled(X)))


class SemiSupervised(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A semi-supervised scikit-learn classifier that takes the rows without a label separately."""

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, unlabelled: Any = None) -> SemiSupervised:
        """Fit on (n, p) features with (n,) labels, and (m, p) features without."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        extra = np.empty((0, np.shape(X)[1])) if unlabelled is None else unlabelled
        codes = np.concatenate([codes, np.full(len(extra), -1)])
        self.estimator_ = clone(self.estimator).fit(np.concatenate([X, extra]), codes)
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return (n, k) probabilities; rows that no label reached get equal probabilities."""
        proba = np.nan_to_num(np.asarray(self.estimator_.predict_proba(X)))
        total = proba.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0, proba / np.where(total > 0, total, 1), 1 / proba.shape[1]))

    def predict(self, X: Any) -> Array:
        """Return (n,) labels."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


def _has_rule(expected: bool) -> Callable[[Any], bool]:
    return lambda self: (self.rule is not None) == expected


class _RuleEstimator(BaseEstimator):  # type: ignore[misc]
    """The base of both rule estimators: a rule as plain data, or None for the best decision stump."""

    def __init__(self, rule: dict[str, Any] | None = None) -> None:
        self.rule = rule

    def _holds(self, X: pd.DataFrame) -> Array:
        """Where the condition of the stump holds."""
        conditions = Rule.from_json({**self.question_, "then": 1, "else": 0}).when if self.question_ else ()
        return holds(conditions[0], X[conditions[0].column]) if conditions else np.zeros(len(X), bool)

    def _fit_stump(self, X: pd.DataFrame, y: Array, classes: int, weights: Array) -> Array:
        """Keep the best decision stump; return where its condition holds."""
        stump = best_question(X, y, classes, weights)
        self.question_ = None
        if stump is not None:
            self.question_ = {"when": [[stump[0].column, stump[0].operator, *stump[0].values]]}
        return self._holds(X)

    def words(self) -> str:
        """The rule in one line."""
        if self.rule is not None:
            return Rule.from_json(self.rule).words()
        if self.question_ is None:
            return "no condition splits the rows"
        return Rule.from_json({**self.question_, **self.sides_}).words()


class RuleClassifier(ClassifierMixin, _RuleEstimator):  # type: ignore[misc]
    """A rule whose answers are labels as text. Without a rule, the best decision stump with its class proportions."""

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Array | None = None) -> RuleClassifier:
        """Fit the labels, and the best decision stump when there is no rule."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if self.rule is None:
            weights = np.ones(len(codes)) if sample_weight is None else sample_weight
            inside = self._fit_stump(X, codes, len(self.classes_), weights)
            self.shares_ = np.array([_proportions(codes, weights, r, len(self.classes_)) for r in (~inside, inside)])
            no, yes = (str(self.classes_[s.argmax()]) for s in self.shares_)
            self.sides_ = {"then": yes, "else": no}
        return self

    def predict(self, X: pd.DataFrame) -> Array:
        """Return (n,) labels."""
        if self.rule is None:
            return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])
        texts = {str(c): c for c in self.classes_}
        answers = Rule.from_json(self.rule).answer(X)
        # An answer that is not among the training labels is kept as it is: it is wrong everywhere, as it should be.
        return np.array([texts.get(str(a), self._unknown_label(a)) for a in answers], dtype=self.classes_.dtype)

    def _unknown_label(self, answer: Any) -> Any:
        """A label that no training row has, with the type of the others."""
        kind = self.classes_.dtype.kind
        return str(answer) == "True" if kind == "b" else self.classes_.dtype.type(answer) if kind in "iuf" else answer

    @available_if(_has_rule(True))  # type: ignore[untyped-decorator]
    def decision_function(self, X: pd.DataFrame) -> Array:
        """Return (n,) 1 where the rule predicts the last class, otherwise 0: a rule ranks in two steps."""
        return np.asarray(self.predict(X) == self.classes_[-1], float)

    @available_if(_has_rule(False))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: pd.DataFrame) -> Array:
        """Return (n, k) class proportions of the training rows on the same side of the stump."""
        return np.asarray(self.shares_[self._holds(X).astype(int)])


def _proportions(codes: Array, weights: Array, rows: Array, classes: int) -> Array:
    totals = np.bincount(codes[rows], weights[rows], classes) if rows.any() else np.bincount(codes, weights, classes)
    return np.asarray(totals / totals.sum())


class RuleRegressor(RegressorMixin, _RuleEstimator):  # type: ignore[misc]
    """A rule whose answers are numbers. Without a rule, the best decision stump with the mean of each side."""

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Array | None = None) -> RuleRegressor:
        """Fit the best decision stump when there is no rule."""
        values = np.asarray(y, float)
        self.n_features_in_ = X.shape[1]
        if self.rule is None:
            weights = np.ones(len(values)) if sample_weight is None else sample_weight
            inside = self._fit_stump(X, values, 0, weights)
            sides = [rows if rows.any() else np.ones(len(values), bool) for rows in (~inside, inside)]
            self.means_ = np.array([np.average(values[r], weights=weights[r]) for r in sides])
            self.sides_ = {"then": float(self.means_[1]), "else": float(self.means_[0])}
        return self

    def predict(self, X: pd.DataFrame) -> Array:
        """Return (n,) values."""
        if self.rule is None:
            return np.asarray(self.means_[self._holds(X).astype(int)])
        return Rule.from_json(self.rule).answer(X).astype(float)


class _Blended(BaseEstimator):  # type: ignore[misc]
    """Fitted models and their weights; the models are fitted beforehand."""

    def __init__(self, models: Any = None, weights: Any = None) -> None:
        self.models = models
        self.weights = weights

    @classmethod
    def of(cls, models: list[Any], weights: list[float]) -> Any:
        """Build it from fitted models."""
        return cls(models, weights)

    def fit(self, X: Any, y: Any) -> Any:
        """Refit all members; the weights stay."""
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
    """The weighted mean of the probabilities of fitted classifiers with the same classes."""

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
