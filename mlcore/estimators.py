"""What the rows of the catalogue build: scikit-learn estimators, imported late, with what a fit must know settled.

A builder takes the setting of a fit and a person's parameters, and returns a fresh estimator.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mlcore.metrics import Task
from mlcore.result import Array

Builder = Callable[["Setting", dict[str, Any]], Any]
STOPPING_FROM = 10_000  # rows from which boosting keeps some aside to stop early, as scikit-learn does
MOST_ROUNDS = 500
CALIBRATION_FOLDS = 3


@dataclass(frozen=True)
class Setting:
    """What a model may know when it is built."""

    task: Task
    seed: int = 0
    categories: int = 0  # in the tree family the first so many columns are category codes
    rows: int = 0  # that it will be fitted on; 0 where that is not known
    counts: tuple[int, ...] = ()  # of the classes among them
    labels: tuple[str, ...] = ()  # the target's labels as texts, where the target is given as codes
    fast: bool = False  # take what scikit-learn-intelex speeds up from there

    def seeing(self, y: Array) -> Setting:
        """The setting of a fit on (n,) codes or values."""
        import numpy as np

        counts = () if self.task == "regression" else tuple(np.unique(y, return_counts=True)[1].tolist())
        return replace(self, rows=len(y), counts=counts)

    @property
    def fewest(self) -> int:
        """Rows of the rarest class; unknown is taken for plenty."""
        return min(self.counts, default=1000)

    @property
    def regression(self) -> bool:
        """Whether a quantity is predicted."""
        return self.task == "regression"


def made(place: str, **parameters: Any) -> Any:
    """An estimator by its dotted name below sklearn."""
    module, name = place.rsplit(".", 1)
    return getattr(importlib.import_module(f"sklearn.{module}"), name)(**parameters)


# What scikit-learn-intelex speeds up: forests and kernel machines, and neighbours. Its forests are not bit-equal.
SPED_UP = ("ensemble.RandomForest", "ensemble.ExtraTrees", "neighbors.KNeighbors", "svm.SV", "svm.NuSV")


def made_for(setting: Setting, place: str, **parameters: Any) -> Any:
    """The same, of scikit-learn-intelex where that is asked for and has it."""
    if setting.fast and place.startswith(SPED_UP):
        module, name = place.rsplit(".", 1)
        return getattr(importlib.import_module(f"sklearnex.{module}"), name)(**parameters)
    return made(place, **parameters)


def _balanced(parameters: dict[str, Any]) -> dict[str, Any]:
    """Scikit-learn's word for no class weights is None."""
    weight = parameters.pop("class_weight", None)
    return parameters if weight is None else {**parameters, "class_weight": None if weight == "none" else weight}


def of(classifier: str, regressor: str) -> Builder:
    """A builder of one of two estimators, by the task."""

    def build(setting: Setting, parameters: dict[str, Any]) -> Any:
        place = regressor if setting.regression else classifier
        found = made_for(setting, place, **_balanced(dict(parameters)))
        return found.set_params(random_state=setting.seed) if "random_state" in found.get_params() else found

    return build


def _with_scaled_target(estimator: Any) -> Any:
    """Penalties and margins have fixed units, so the target is brought to spread 1 and back."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(estimator, transformer=StandardScaler())


def scaled_target(place: str) -> Builder:
    """A builder of a regressor that sees a target of spread 1."""
    return lambda setting, parameters: _with_scaled_target(made(place, max_iter=5000, **parameters))


def dummy(setting: Setting, parameters: dict[str, Any]) -> Any:
    """The baseline: the mean, or the shares of the classes."""
    return made("dummy.DummyRegressor") if setting.regression else made("dummy.DummyClassifier", strategy="prior")


def rule(setting: Setting, parameters: dict[str, Any]) -> Any:
    """The best single question of the training rows."""
    from mlcore.learners import RuleClassifier, RuleRegressor

    return RuleRegressor() if setting.regression else RuleClassifier()


def logistic(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Logistic regression by L-BFGS."""
    return made("linear_model.LogisticRegression", max_iter=1000, **_balanced(dict(parameters)))


LOSSES = {"logistic": "log_loss", "hinge": "hinge", "square": "squared_error"}
QUANTITY_LOSSES = {"square": "squared_error", "huber": "huber", "absolute": "epsilon_insensitive"}


def sgd(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A linear model by stochastic gradient descent; the weights of all steps are averaged.

    It makes about a million steps: a rule for stopping would turn on the last bit of a number.
    """
    options = {**_balanced(dict(parameters)), "random_state": setting.seed, "average": True, "tol": None}
    options["max_iter"] = min(500, max(5, 1_000_000 // max(1, setting.rows or 10_000)))
    loss = options.pop("loss")
    if not setting.regression:
        return made("linear_model.SGDClassifier", loss=LOSSES[loss], **options)
    if loss == "absolute":
        options["epsilon"] = 0.0
    return _with_scaled_target(made("linear_model.SGDRegressor", loss=QUANTITY_LOSSES[loss], **options))


def naive_bayes(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Naive Bayes of the kind that the columns ask for."""
    from mlcore.learners import NaiveBayes

    return NaiveBayes(**parameters)


def lda(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Linear discriminant analysis; shrinkage needs another solver."""
    shrunk = parameters["shrinkage"] == "auto"
    return made(
        "discriminant_analysis.LinearDiscriminantAnalysis",
        solver="lsqr" if shrunk else "svd",
        shrinkage="auto" if shrunk else None,
    )


def _calibrated(estimator: Any, setting: Setting, balanced: bool) -> Any:
    """Scores made probabilities by a logistic curve fitted inside the training rows (Platt, 1999).

    A class of a single row cannot be on both sides; then scores stay scores. Where classes are to count the same they
    do so for the curve as well, which would else bring their shares back.
    """
    if setting.fewest < 2:
        return estimator.set_params(class_weight="balanced" if balanced else None)
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(min(CALIBRATION_FOLDS, setting.fewest), shuffle=True, random_state=setting.seed)
    found = CalibratedClassifierCV(estimator, method="sigmoid", cv=folds, ensemble=False)
    if not balanced:
        return found
    from mlcore.learners import Balanced

    return Balanced(found)


def linear_svm(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A linear support vector machine."""
    options = {**parameters, "random_state": setting.seed, "max_iter": 5000}
    balanced = options.pop("class_weight", "none") == "balanced"
    if setting.regression:
        return _with_scaled_target(made("svm.LinearSVR", **options))
    return _calibrated(made("svm.LinearSVC", **options), setting, balanced)


def _kernel_machine(kind: str, setting: Setting, parameters: dict[str, Any]) -> Any:
    """A support vector machine with a radial kernel, for classes or quantities."""
    options = {**parameters, "cache_size": 500}
    balanced = options.pop("class_weight", "none") == "balanced"
    options["gamma"] = "scale" if options["gamma"] is None else options["gamma"]
    if setting.regression:
        return _with_scaled_target(made_for(setting, f"svm.{kind}R", **options))
    return _calibrated(made_for(setting, f"svm.{kind}C", **options), setting, balanced)


def svm(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A support vector machine with a radial kernel."""
    return _kernel_machine("SV", setting, parameters)


def nu_svm(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A nu support vector machine; nu cannot be larger than twice the share of the rarer of any two classes."""
    nu = parameters["nu"]
    if setting.counts:
        few, many = min(setting.counts), max(setting.counts)
        nu = min(nu, 0.9 * 2 * max(1, few - 1) / (few + many))
    return _kernel_machine("NuSV", setting, {**parameters, "nu": nu})


def knn(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Nearest neighbours; of few rows fewer are asked."""
    options = dict(parameters)
    if setting.rows:
        options["n_neighbors"] = min(options["n_neighbors"], setting.rows)
    return of("neighbors.KNeighborsClassifier", "neighbors.KNeighborsRegressor")(setting, options)


COLUMNS = {"auto": {True: 1 / 3, False: "sqrt"}, "sqrt": "sqrt", "third": 1 / 3, "all": 1.0}


def forest(kind: str) -> Builder:
    """A builder of forests; where rows are many, each tree draws a limited number of them."""

    def build(setting: Setting, parameters: dict[str, Any]) -> Any:
        options = dict(parameters)
        chosen: Any = COLUMNS[options.pop("max_features")]
        options["max_features"] = chosen[setting.regression] if isinstance(chosen, dict) else chosen
        most = options.pop("max_samples")
        limited = most is not None and setting.rows > most
        options["bootstrap"] = kind == "RandomForest" or limited
        options["max_samples"] = most if limited else None
        return of(f"ensemble.{kind}Classifier", f"ensemble.{kind}Regressor")(setting, options)

    return build


def _stops_early(setting: Setting, wanted: str) -> bool:
    """Whether boosting keeps a tenth of the rows aside: each class must be on both sides."""
    possible = setting.fewest >= 2 and (not setting.rows or setting.rows / 10 >= max(2, len(setting.counts)))
    return possible and (wanted == "yes" or (wanted == "auto" and setting.rows >= STOPPING_FROM))


def _rounds(given: int | None, stopping: bool) -> int:
    return given if given is not None else MOST_ROUNDS if stopping else 100


def boosting(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Histogram gradient boosting; levels stay levels."""
    options = _balanced(dict(parameters))
    stopping = _stops_early(setting, options.pop("early_stopping"))
    options["max_iter"] = _rounds(options["max_iter"], stopping)
    options |= {"early_stopping": stopping, "categorical_features": list(range(setting.categories)) or None}
    return of("ensemble.HistGradientBoostingClassifier", "ensemble.HistGradientBoostingRegressor")(setting, options)


def xgboost(setting: Setting, parameters: dict[str, Any]) -> Any:
    """XGBoost on histograms, in one thread, as all cores are busy with other fits."""
    from xgboost import XGBClassifier, XGBRegressor

    from mlcore.learners import BoostedClassifier, BoostedRegressor

    options = dict(parameters)
    balanced = options.pop("class_weight", "none") == "balanced"
    stopping = _stops_early(setting, options.pop("early_stopping"))
    options["n_estimators"] = _rounds(options["n_estimators"], stopping)
    options |= {"n_jobs": 1, "random_state": setting.seed, "tree_method": "hist"}
    if stopping:
        options["early_stopping_rounds"] = 10
    if setting.regression:
        return BoostedRegressor(XGBRegressor(**options))
    return BoostedClassifier(XGBClassifier(**options), balanced=balanced)


def mlp(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A neural network of one hidden layer; with enough rows it stops when rows kept aside are no better predicted."""
    options = dict(parameters)
    enough = setting.rows >= 1000 and setting.fewest >= 2 and setting.rows / 10 >= max(2, len(setting.counts))
    options |= {"hidden_layer_sizes": (options.pop("units"),), "early_stopping": enough}
    options["max_iter"] = 300 if enough else 150  # of few rows it only learns the noise in the second half
    built = of("neural_network.MLPClassifier", "neural_network.MLPRegressor")(setting, options)
    return _with_scaled_target(built) if setting.regression else built


def self_training(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Logistic regression that takes its surest predictions for true."""
    from mlcore.learners import WithUnlabelled

    base = made("linear_model.LogisticRegression", max_iter=1000, C=parameters["C"])
    return WithUnlabelled(made("semi_supervised.SelfTrainingClassifier", estimator=base,
                               threshold=parameters["threshold"]))  # fmt: skip


def label_spreading(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Labels that flow to similar rows."""
    from mlcore.learners import WithUnlabelled

    near = min(parameters["n_neighbors"], setting.rows or parameters["n_neighbors"])
    return WithUnlabelled(made("semi_supervised.LabelSpreading", kernel="knn", n_neighbors=near, max_iter=100))
