"""The catalogue of models: one row each, in the order of simplicity (the star of a tie goes to the simplest)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from mlcore.errors import BadChoice
from mlcore.metrics import Task

# What a model needs its columns to look like: `linear` is one-hot, complete and scaled; `tree` is numbers with
# categories as codes and missing cells left as they are; `none` looks at no column.
Family = Literal["none", "linear", "tree"]
CLASSIFY: tuple[Task, ...] = ("binary", "multiclass")
REGRESS: tuple[Task, ...] = ("regression",)
ANY: tuple[Task, ...] = (*CLASSIFY, *REGRESS)


@dataclass(frozen=True)
class Setting:
    """What a model may know when it is built."""

    task: Task
    seed: int = 0
    categories: int = 0  # in the tree family the first so many columns are category codes


@dataclass(frozen=True)
class Model:
    """A row of the catalogue."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    family: Family
    cost: float  # processor seconds of one fit at 50,000 rows, about
    build: Callable[[Setting, dict[str, Any]], Any]
    note: str
    parameters: tuple[tuple[str, Any], ...] = ()  # defaults that a person may change


def _two(classifier: str, regressor: str) -> Callable[[Setting, dict[str, Any]], Any]:
    """Build one of two scikit-learn estimators (dotted names below sklearn), by the task; imported late."""

    def build(setting: Setting, parameters: dict[str, Any]) -> Any:
        import importlib

        module, name = (regressor if setting.task == "regression" else classifier).rsplit(".", 1)
        made = getattr(importlib.import_module(f"sklearn.{module}"), name)(**parameters)
        return made.set_params(random_state=setting.seed) if "random_state" in made.get_params() else made

    return build


def _dummy(setting: Setting, parameters: dict[str, Any]) -> Any:
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyRegressor() if setting.task == "regression" else DummyClassifier(strategy="prior")


def _linear_svm(setting: Setting, parameters: dict[str, Any]) -> Any:
    build = _two("svm.LinearSVC", "svm.LinearSVR")
    made = build(setting, parameters)
    if setting.task != "regression":
        return made
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    # Its margin and penalty have fixed units, so the target is brought to spread 1 and back.
    return TransformedTargetRegressor(made, transformer=StandardScaler())


def _boosting(setting: Setting, parameters: dict[str, Any]) -> Any:
    build = _two("ensemble.HistGradientBoostingClassifier", "ensemble.HistGradientBoostingRegressor")
    categorical = list(range(setting.categories)) or None
    return build(setting, {"categorical_features": categorical, **parameters})


def _xgboost(setting: Setting, parameters: dict[str, Any]) -> Any:
    from xgboost import XGBClassifier, XGBRegressor

    from mlcore.labelled import Labelled

    options = {"n_jobs": 1, "random_state": setting.seed, "tree_method": "hist", **parameters}
    return XGBRegressor(**options) if setting.task == "regression" else Labelled(XGBClassifier(**options))


MODELS: tuple[Model, ...] = (
    Model(
        "dummy",
        "Baseline (no features)",
        ANY,
        "none",
        0.0,
        _dummy,
        "Always says the most common class with its share, or the mean. Whatever cannot beat it has learned nothing.",
    ),
    Model(
        "linear",
        "Linear regression",
        REGRESS,
        "linear",
        0.05,
        _two("", "linear_model.LinearRegression"),
        "A weighted sum of the columns. Hard to beat when effects add up; blind to bends and interactions.",
    ),
    Model(
        "ridge",
        "Ridge regression",
        REGRESS,
        "linear",
        0.06,
        _two("", "linear_model.Ridge"),
        "A weighted sum whose weights are held back, so that related columns share the credit.",
        (("alpha", 1.0),),
    ),
    Model(
        "logistic",
        "Logistic regression",
        CLASSIFY,
        "linear",
        0.08,
        _two("linear_model.LogisticRegression", ""),
        "A weighted sum turned into a probability. Fast, well calibrated, easy to explain.",
        (("C", 1.0), ("max_iter", 1000)),
    ),
    Model(
        "naive_bayes",
        "Naive Bayes",
        CLASSIFY,
        "linear",
        0.06,
        _two("naive_bayes.GaussianNB", ""),
        "Treats columns as independent clues. Quick and robust on little data; its probabilities are too sure.",
        (("var_smoothing", 0.01),),
    ),
    Model(
        "linear_svm",
        "Linear support vector machine",
        ANY,
        "linear",
        0.4,
        _linear_svm,
        "Draws the line with the widest margin. Gives decision scores instead of probabilities.",
        (("C", 1.0), ("max_iter", 5000)),
    ),
    Model(
        "decision_tree",
        "Decision tree",
        ANY,
        "tree",
        0.5,
        _two("tree.DecisionTreeClassifier", "tree.DecisionTreeRegressor"),
        "A chain of questions that can be drawn. Small trees explain themselves; large ones learn the noise.",
        (("max_depth", None), ("min_samples_leaf", 5)),
    ),
    Model(
        "knn",
        "Nearest neighbours",
        ANY,
        "linear",
        1.7,
        _two("neighbors.KNeighborsClassifier", "neighbors.KNeighborsRegressor"),
        "Looks up the most similar rows. Needs columns on one scale; suffers from many useless columns.",
        (("n_neighbors", 15), ("weights", "uniform")),
    ),
    Model(
        "random_forest",
        "Random forest",
        ANY,
        "tree",
        3.0,
        _two("ensemble.RandomForestClassifier", "ensemble.RandomForestRegressor"),
        "The vote of many trees, each on a resample. Good without tuning; large and slow to explain.",
        (("n_estimators", 100), ("max_depth", None), ("min_samples_leaf", 1)),
    ),
    Model(
        "hist_gradient_boosting",
        "Gradient boosting",
        ANY,
        "tree",
        1.2,
        _boosting,
        "Trees that each mend what the last left over. Usually among the best on tables; handles missing cells.",
        (("learning_rate", 0.1), ("max_iter", 100), ("max_leaf_nodes", 31)),
    ),
    Model(
        "xgboost",
        "XGBoost",
        ANY,
        "tree",
        0.6,
        _xgboost,
        "Gradient boosting with penalties on large trees. Strong, fast, many knobs.",
        (("n_estimators", 100), ("learning_rate", 0.1), ("max_depth", 6)),
    ),
)
PRESETS: dict[str, tuple[str, ...]] = {
    "quick": ("dummy", "linear", "logistic", "decision_tree", "hist_gradient_boosting"),
    "standard": tuple(m.name for m in MODELS),
    "thorough": tuple(m.name for m in MODELS),
}
NAMES = [m.name for m in MODELS]


def model(name: str, task: Task | None = None) -> Model:
    """Find a row by its name. Raises BadChoice when there is none, or none for the task."""
    for row in MODELS:
        if row.name == name:
            if task is None or task in row.tasks:
                return row
            raise BadChoice.of(f"model for {task}", name, [m.name for m in MODELS if task in m.tasks])
    raise BadChoice.of("model", name, [m.name for m in MODELS if task is None or task in m.tasks])


def for_task(task: Task) -> list[Model]:
    """The rows that can do a task, simplest first."""
    return [m for m in MODELS if task in m.tasks]


def simplicity(name: str) -> int:
    """Rank of a model in the order of simplicity; a person's own estimators come last."""
    return NAMES.index(name) if name in NAMES else len(NAMES)
