"""The builders of the catalogue: they import scikit-learn's estimators late.

A builder takes the setting of a fit and the hyperparameters, and returns a fresh estimator.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlcore.result import Array
from mlcore.validation.metrics import Task

Builder = Callable[["Setting", dict[str, Any]], Any]
STOPPING_FROM = 10_000  # rows from which boosting sets some aside for early stopping, as scikit-learn does
MOST_ROUNDS = 500
CALIBRATION_FOLDS = 3


@dataclass(frozen=True)
class Setting:
    """Everything that a builder gets except hyperparameters."""

    task: Task
    seed: int = 0
    categories: int = 0  # number of leading columns that hold category codes, in the tree family
    rows: int = 0  # of the fit; 0 when unknown
    counts: tuple[int, ...] = ()  # rows of each class
    labels: tuple[str, ...] = ()  # the target's labels as text, when the target is given as codes
    fast: bool = False  # use scikit-learn-intelex where it is faster

    def for_fit(self, y: Array) -> Setting:
        """The setting of a fit on (n,) codes or values."""
        counts = () if self.task == "regression" else tuple(np.unique(y, return_counts=True)[1].tolist())
        return replace(self, rows=len(y), counts=counts)

    @property
    def fewest(self) -> int:
        """Rows of the rarest class; 1000 when unknown."""
        return min(self.counts, default=1000)

    @property
    def regression(self) -> bool:
        """Whether the target is continuous."""
        return self.task == "regression"


def made(place: str, **parameters: Any) -> Any:
    """An estimator by its dotted name below sklearn."""
    module, name = place.rsplit(".", 1)
    return getattr(importlib.import_module(f"sklearn.{module}"), name)(**parameters)


# scikit-learn-intelex speeds up forests, kernel machines and nearest neighbours. Its forests are not bit-equal.
ACCELERATED = ("ensemble.RandomForest", "ensemble.ExtraTrees", "neighbors.KNeighbors", "svm.SV", "svm.NuSV")


def accelerated(setting: Setting, place: str, **parameters: Any) -> Any:
    """The same, from scikit-learn-intelex when it is requested and has the estimator."""
    if setting.fast and place.startswith(ACCELERATED):
        module, name = place.rsplit(".", 1)
        return getattr(importlib.import_module(f"sklearnex.{module}"), name)(**parameters)
    return made(place, **parameters)


def _balanced(parameters: dict[str, Any]) -> dict[str, Any]:
    """Scikit-learn writes None for no class weights."""
    weight = parameters.pop("class_weight", None)
    return parameters if weight is None else {**parameters, "class_weight": None if weight == "none" else weight}


def of(classifier: str, regressor: str) -> Builder:
    """A builder of one of two estimators, depending on the task."""

    def build(setting: Setting, parameters: dict[str, Any]) -> Any:
        path = regressor if setting.regression else classifier
        model = accelerated(setting, path, **_balanced(dict(parameters)))
        return model.set_params(random_state=setting.seed) if "random_state" in model.get_params() else model

    return build


def _with_scaled_target(estimator: Any) -> Any:
    """Penalties and margins have fixed units, so the target is scaled to standard deviation 1 and back."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(estimator, transformer=StandardScaler())


def scaled_target(place: str) -> Builder:
    """A builder of a regressor that is fitted on a target of standard deviation 1."""
    return lambda setting, parameters: _with_scaled_target(made(place, max_iter=5000, **parameters))


def dummy(setting: Setting, parameters: dict[str, Any]) -> Any:
    """The baseline: the mean, or the class proportions."""
    return made("dummy.DummyRegressor") if setting.regression else made("dummy.DummyClassifier", strategy="prior")


def rule(setting: Setting, parameters: dict[str, Any]) -> Any:
    """The best decision stump of the training rows."""
    from mlcore.models.wrappers import RuleClassifier, RuleRegressor

    return RuleRegressor() if setting.regression else RuleClassifier()


def logistic(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Logistic regression by L-BFGS."""
    return made("linear_model.LogisticRegression", max_iter=1000, **_balanced(dict(parameters)))


LOSSES = {"logistic": "log_loss", "hinge": "hinge", "square": "squared_error"}
QUANTITY_LOSSES = {"square": "squared_error", "huber": "huber", "absolute": "epsilon_insensitive"}


def sgd(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A linear model by stochastic gradient descent; the weights of all steps are averaged.

    It makes about a million steps: a stopping rule could depend on the last bit of a number.
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
    """Naive Bayes of the kind that suits the columns."""
    from mlcore.models.wrappers import NaiveBayes

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
    """Turn scores into probabilities by a logistic curve fitted inside the training rows (Platt, 1999).

    A class of a single row cannot be on both sides; then the scores stay as they are. Balanced weights apply to the
    curve as well, which would otherwise restore the class proportions.
    """
    if setting.fewest < 2:
        return estimator.set_params(class_weight="balanced" if balanced else None)
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(min(CALIBRATION_FOLDS, setting.fewest), shuffle=True, random_state=setting.seed)
    calibrated = CalibratedClassifierCV(estimator, method="sigmoid", cv=folds, ensemble=False)
    if not balanced:
        return calibrated
    from mlcore.models.wrappers import Balanced

    return Balanced(calibrated)


def linear_svm(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A linear support vector machine."""
    options = {**parameters, "random_state": setting.seed, "max_iter": 5000}
    balanced = options.pop("class_weight", "none") == "balanced"
    if setting.regression:
        return _with_scaled_target(made("svm.LinearSVR", **options))
    return _calibrated(made("svm.LinearSVC", **options), setting, balanced)


def _kernel_machine(kind: str, setting: Setting, parameters: dict[str, Any]) -> Any:
    """A support vector machine with a radial kernel, for classification or regression."""
    options = {**parameters, "cache_size": 500}
    balanced = options.pop("class_weight", "none") == "balanced"
    options["gamma"] = "scale" if options["gamma"] is None else options["gamma"]
    if setting.regression:
        return _with_scaled_target(accelerated(setting, f"svm.{kind}R", **options))
    return _calibrated(accelerated(setting, f"svm.{kind}C", **options), setting, balanced)


def svm(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A support vector machine with a radial kernel."""
    return _kernel_machine("SV", setting, parameters)


def nu_svm(setting: Setting, parameters: dict[str, Any]) -> Any:
    """A nu support vector machine; nu is limited to twice the proportion of the rarer of any two classes."""
    nu = parameters["nu"]
    if setting.counts:
        few, many = min(setting.counts), max(setting.counts)
        nu = min(nu, 0.9 * 2 * max(1, few - 1) / (few + many))
    return _kernel_machine("NuSV", setting, {**parameters, "nu": nu})


def knn(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Nearest neighbours; never more neighbours than training rows."""
    options = dict(parameters)
    if setting.rows:
        options["n_neighbors"] = min(options["n_neighbors"], setting.rows)
    return of("neighbors.KNeighborsClassifier", "neighbors.KNeighborsRegressor")(setting, options)


COLUMNS = {"auto": {True: 1 / 3, False: "sqrt"}, "sqrt": "sqrt", "third": 1 / 3, "all": 1.0}


def forest(kind: str) -> Builder:
    """A builder of forests; with many rows, each tree draws a limited number of them."""

    def build(setting: Setting, parameters: dict[str, Any]) -> Any:
        options = dict(parameters)
        columns: Any = COLUMNS[options.pop("max_features")]
        options["max_features"] = columns[setting.regression] if isinstance(columns, dict) else columns
        limit = options.pop("max_samples")
        limited = limit is not None and setting.rows > limit
        options["bootstrap"] = kind == "RandomForest" or limited
        options["max_samples"] = limit if limited else None
        return of(f"ensemble.{kind}Classifier", f"ensemble.{kind}Regressor")(setting, options)

    return build


def _stops_early(setting: Setting, choice: str) -> bool:
    """Whether boosting sets a tenth of the rows aside: each class must be on both sides."""
    possible = setting.fewest >= 2 and (not setting.rows or setting.rows / 10 >= max(2, len(setting.counts)))
    return possible and (choice == "yes" or (choice == "auto" and setting.rows >= STOPPING_FROM))


def _rounds(rounds: int | None, stopping: bool) -> int:
    return rounds if rounds is not None else MOST_ROUNDS if stopping else 100


def boosting(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Histogram gradient boosting; categories stay categories."""
    options = _balanced(dict(parameters))
    stopping = _stops_early(setting, options.pop("early_stopping"))
    options["max_iter"] = _rounds(options["max_iter"], stopping)
    options |= {"early_stopping": stopping, "categorical_features": list(range(setting.categories)) or None}
    return of("ensemble.HistGradientBoostingClassifier", "ensemble.HistGradientBoostingRegressor")(setting, options)


def xgboost(setting: Setting, parameters: dict[str, Any]) -> Any:
    """XGBoost on histograms, in one thread, because all cores are busy with other fits."""
    from xgboost import XGBClassifier, XGBRegressor

    from mlcore.models.wrappers import BoostedClassifier, BoostedRegressor

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
    """A neural network with one hidden layer; with enough rows it stops early, judged by rows set aside."""
    options = dict(parameters)
    stopping = setting.rows >= 1000 and setting.fewest >= 2 and setting.rows / 10 >= max(2, len(setting.counts))
    options |= {"hidden_layer_sizes": (options.pop("units"),), "early_stopping": stopping}
    options["max_iter"] = 300 if stopping else 150  # with few rows, the second half only fits the noise
    network = of("neural_network.MLPClassifier", "neural_network.MLPRegressor")(setting, options)
    return _with_scaled_target(network) if setting.regression else network


def self_training(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Logistic regression that treats its most confident predictions as labels."""
    from mlcore.models.wrappers import SemiSupervised

    base = made("linear_model.LogisticRegression", max_iter=1000, C=parameters["C"])
    return SemiSupervised(made("semi_supervised.SelfTrainingClassifier", estimator=base,
                               threshold=parameters["threshold"]))  # fmt: skip


def label_spreading(setting: Setting, parameters: dict[str, Any]) -> Any:
    """Labels that spread to similar rows."""
    from mlcore.models.wrappers import SemiSupervised

    neighbours = min(parameters["n_neighbors"], setting.rows or parameters["n_neighbors"])
    return SemiSupervised(made("semi_supervised.LabelSpreading", kernel="knn", n_neighbors=neighbours, max_iter=100))
