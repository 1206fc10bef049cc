"""The catalogue of models: one row each. Everything that is asked of a model stands in its row.

To add a model, add a row here and, unless scikit-learn's class can be built as it is, a builder in `builders`. The
order of the rows is the order on the screen; `rank` decides which of several equally good models is the simplest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from mlcore.errors import BadChoice
from mlcore.models import builders as build
from mlcore.models.builders import Setting
from mlcore.models.parameters import ANY, CLASSIFY, REGRESS, Parameter
from mlcore.validation.metrics import Task

Family = Literal["none", "raw", "plain", "linear", "tree", "words", "counts"]
# What the features of a model must look like, in words.
FAMILIES: dict[Family, str] = {
    "none": "no features",
    "raw": "the columns as they are",
    "plain": "numbers without missing values, in their own units; one column per category",
    "linear": "numbers without missing values, standardised; one column per category",
    "tree": "numbers in their own units, ordinal codes for categories, missing values left as they are",
    "words": "as linear, with free text as a sparse matrix of weighted words",
    "counts": "numbers from 0 to 1, with free text as a sparse matrix of word counts",
}
Preset = Literal["quick", "standard", "thorough"]
PRESETS: tuple[Preset, ...] = ("quick", "standard", "thorough")  # each holds the models of those before it


@dataclass(frozen=True, kw_only=True)
class Note:
    """What there is to learn about a model."""

    idea: str
    strengths: str
    weaknesses: str
    parameter: str  # what its main hyperparameter does


@dataclass(frozen=True, kw_only=True)
class Trees:
    """How trees can be added to a fitted model."""

    parameter: str  # the hyperparameter that counts them
    kind: Literal["forest", "booster"]  # whether trees are independent of one another
    resampled_by: tuple[str, ...] = ()  # below 1, these draw rows or columns anew, and it cannot be continued


@dataclass(frozen=True, kw_only=True)
class Model:
    """A row of the catalogue. Its place in `MODELS` is its rank of simplicity: the simplest come first."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    family: Family
    text: Family | None = None  # its family where a table has free text; None: the same
    preset: Preset | None  # the smallest preset that has it; None: only when it is named
    cost: float  # processor seconds of one fit at 50,000 rows and 60 features, roughly
    build: Callable[[Setting, dict[str, Any]], Any]
    note: Note
    parameters: tuple[Parameter, ...] = ()
    role: Literal["model", "baseline", "rule", "blend"] = "model"
    blends: bool = True  # whether it may be a member of a blend
    most_rows: int | None = None  # with more rows it is trained on a random sample of this size
    growth: float = 1.0  # the power of the number of rows with which its time grows
    trees: Trees | None = None  # how it can be warm-started
    unlabelled: bool = False  # it also learns from rows whose target is missing
    trusted: tuple[str, ...] = ()  # libraries whose classes it stores, beyond scikit-learn's and those of this package
    needs: str = ""  # what its features must look like, beyond its family

    def parameters_for(self, task: Task) -> tuple[Parameter, ...]:
        """The hyperparameters that it has for a task."""
        return tuple(p for p in self.parameters if task in p.tasks)

    def defaults(self, task: Task) -> dict[str, Any]:
        """The defaults for a task."""
        return {p.name: p.default for p in self.parameters_for(task)}

    def checked(self, task: Task, values: dict[str, Any]) -> dict[str, Any]:
        """Return hyperparameters with their types, defaults left out. Raises BadChoice, BadInput."""
        known = {p.name: p for p in self.parameters_for(task)}
        changed = {}
        for name, value in values.items():
            if name not in known:
                raise BadChoice.of(f"parameter of {self.title}", name, known)
            typed = known[name].checked(value, self.title)
            if typed != known[name].default:
                changed[name] = typed
        return changed

    @property
    def cost_class(self) -> str:
        """How much a fit costs, in a word."""
        return "quick" if self.cost < 0.3 else "medium" if self.cost < 2 else "slow"

    @property
    def features(self) -> str:
        """What its features look like, in words."""
        return "; ".join(filter(None, (FAMILIES[self.family], self.needs)))


CLASS_WEIGHT = Parameter(
    name="class_weight",
    label="Class weights",
    default="none",
    help="Balanced gives each class the same total weight in training: recall of rare classes rises, precision falls, "
    "and probabilities no longer match frequencies",
    choices=("none", "balanced"),
    searched=False,
    tasks=CLASSIFY,
)
PENALTY = Parameter(
    name="alpha", label="Penalty", default=1.0, help="Strength of the penalty on the coefficients",
    low=0, search=(1e-3, 1e3), log=True,
)  # fmt: skip
SCALED_PENALTY = replace(
    PENALTY, default=0.01, help="Strength of the penalty, in standard deviations of the target", search=(1e-4, 1.0)
)
INVERSE_PENALTY = Parameter(
    name="C", label="Inverse regularisation", default=1.0, help="The smaller, the stronger the regularisation",
    low=1e-9, search=(1e-3, 1e3), log=True,
)  # fmt: skip
N_TREES = Parameter(
    name="n_estimators", label="Trees", default=100, help="Number of trees; more never hurt, but take longer",
    low=1, high=100_000,
)  # fmt: skip
DEPTH = Parameter(
    name="max_depth", label="Maximum depth", default=None, help="Longest path from the root to a leaf",
    low=1, high=100, search=(2, 20), none="until leaves are small",
)  # fmt: skip
LEAF = Parameter(
    name="min_samples_leaf", label="Minimum rows per leaf", default=1, help="Fewest training rows in a leaf",
    low=1, high=1_000_000, search=(1, 50), log=True,
)  # fmt: skip
ROWS_PER_TREE = Parameter(
    name="max_samples", label="Rows per tree", default=20_000,
    help="Each tree is grown on its own sample of at most this many rows", low=10, none="all rows",
)  # fmt: skip
COLUMNS_PER_SPLIT = Parameter(
    name="max_features", label="Columns per split", default="auto",
    help="Columns considered at each split; auto is the square root of their number, a third for regression",
    choices=("auto", "sqrt", "third", "all"),
)  # fmt: skip
LEARNING_RATE = Parameter(
    name="learning_rate", label="Learning rate", default=0.1,
    help="How much each tree contributes; a smaller rate needs more trees",
    low=1e-5, high=1.0, search=(0.01, 0.3), log=True,
)  # fmt: skip
EARLY_STOPPING = Parameter(
    name="early_stopping", label="Early stopping", default="auto",
    help="Validate on a tenth of the training rows and stop when more trees do not help; auto does so from 10,000 rows",
    choices=("auto", "yes", "no"), searched=False,
)  # fmt: skip
ROUNDS = Parameter(
    name="max_iter", label="Trees", default=None, help="Number of trees (boosting rounds)",
    low=1, high=100_000, none="100, or up to 500 with early stopping",
)  # fmt: skip
KERNEL_WIDTH = Parameter(
    name="gamma", label="Kernel width", default=None,
    help="How quickly similarity falls with distance: a larger gamma is a narrower kernel",
    low=1e-9, search=(1e-3, 1.0), log=True, none="1 over columns × variance", real=True,
)  # fmt: skip

MODELS: tuple[Model, ...] = (
    Model(
        name="dummy", title="Baseline (no features)", tasks=ANY, family="none", preset="quick", cost=0.0,
        build=build.dummy, role="baseline", blends=False,
        note=Note(
            idea="Always predicts the class frequencies of the training rows, or their mean.",
            strengths="The score to beat: a model that cannot beat it has learned nothing.",
            weaknesses="It is never useful on its own.",
            parameter="It has none.",
        ),
    ),
    Model(
        name="rule", title="Decision stump", tasks=ANY, family="raw", preset="quick", cost=0.05,
        build=build.rule, role="rule", blends=False,
        note=Note(
            idea="A rule that you write: if sex is female, then yes, else no. Until you write one, the single question "
            "that splits the training rows best.",
            strengths="When people already decide by a rule of thumb: machine learning has to beat it.",
            weaknesses="Anything that needs more than a few questions.",
            parameter="The rule itself; conditions can be nested.",
        ),
    ),
    Model(
        name="linear", title="Linear regression", tasks=REGRESS, family="linear", preset="quick", cost=0.05,
        build=build.of("", "linear_model.LinearRegression"),
        note=Note(
            idea="A weighted sum of the columns that minimises the squared errors.",
            strengths="Additive effects; every coefficient can be read.",
            weaknesses="Non-linear effects, interactions, outliers; and more columns than rows.",
            parameter="It has none; ridge and lasso penalise the coefficients.",
        ),
    ),
    Model(
        name="ridge", title="Ridge regression", tasks=REGRESS, family="linear", text="words",
        preset="standard", cost=0.06,
        build=build.of("", "linear_model.Ridge"), parameters=(PENALTY,),
        note=Note(
            idea="A weighted sum with a penalty on the squared coefficients.",
            strengths="Many correlated columns, few rows: the columns share the credit.",
            weaknesses="Non-linear effects and interactions; it keeps every column.",
            parameter="alpha: 0 is plain linear regression; the larger, the closer all coefficients are to zero.",
        ),
    ),
    Model(
        name="lasso", title="Lasso", tasks=REGRESS, family="linear", text="words", preset="thorough", cost=0.1,
        build=build.scaled_target("linear_model.Lasso"), parameters=(SCALED_PENALTY,),
        note=Note(
            idea="A weighted sum with a penalty on the absolute coefficients, so that many become exactly zero.",
            strengths="Many columns of which few matter: it selects them.",
            weaknesses="Of several correlated columns it keeps one, and not always the same one.",
            parameter="alpha: the larger, the fewer columns are kept.",
        ),
    ),
    Model(
        name="elastic_net", title="Elastic net", tasks=REGRESS, family="linear", text="words",
        preset="thorough", cost=0.1,
        build=build.scaled_target("linear_model.ElasticNet"),
        parameters=(
            SCALED_PENALTY,
            Parameter(name="l1_ratio", label="L1 ratio", default=0.5, help="The proportion of lasso in the mix",
                      low=0, high=1, search=(0.05, 1.0)),
        ),
        note=Note(
            idea="A mix of lasso and ridge.",
            strengths="Groups of correlated columns of which few groups matter.",
            weaknesses="Non-linear effects and interactions.",
            parameter="l1_ratio: 0 is ridge, 1 is lasso.",
        ),
    ),
    Model(
        name="logistic", title="Logistic regression", tasks=CLASSIFY, family="linear", text="words",
        preset="quick",
        cost=0.08,
        build=build.logistic, parameters=(INVERSE_PENALTY, CLASS_WEIGHT),
        note=Note(
            idea="A weighted sum turned into a probability by the logistic function.",
            strengths="Fast, well calibrated, easy to explain; hard to beat when effects are additive.",
            weaknesses="Non-linear effects and interactions, unless they are added as columns.",
            parameter="C: the smaller, the stronger the regularisation and the smoother the probabilities.",
        ),
    ),
    Model(
        name="sgd", title="Stochastic gradient descent", tasks=ANY, family="linear", text="words",
        preset="thorough",
        cost=0.26,
        build=build.sgd,
        parameters=(
            Parameter(name="loss", label="Loss", default="logistic", help="What an error costs",
                      choices=("logistic", "hinge", "square"), tasks=CLASSIFY),
            Parameter(name="loss", label="Loss", default="square", help="What an error costs",
                      choices=("square", "huber", "absolute"), tasks=REGRESS),
            replace(PENALTY, default=1e-4, search=(1e-6, 1e-1)),
            CLASS_WEIGHT,
        ),
        note=Note(
            idea="A weighted sum learned one row at a time. Its loss says what an error costs: square, hinge (nothing "
            "once a row is on the right side with a margin) or logistic.",
            strengths="Millions of rows; and to see what a loss function does.",
            weaknesses="Small data, where exact solvers are as fast and more stable.",
            parameter="loss: square is sensitive to outliers, hinge looks only at rows near the boundary, logistic "
            "gives probabilities.",
        ),
    ),
    Model(
        name="naive_bayes", title="Naive Bayes", tasks=CLASSIFY, family="plain", text="counts",
        preset="standard", cost=0.06,
        build=build.naive_bayes,
        parameters=(
            Parameter(name="kind", label="Distribution", default="auto", help="Assumed distribution of each column",
                      choices=("auto", "gaussian", "multinomial", "bernoulli"), searched=False),
            Parameter(name="smoothing", label="Smoothing", default=0.01, help="Probability left for unseen values",
                      low=1e-12, high=100, search=(1e-9, 1.0), log=True),
        ),
        note=Note(
            idea="Treats columns as independent evidence and multiplies their likelihoods: normal distributions for "
            "measurements, multinomial for counts, Bernoulli for indicators.",
            strengths="Little data, many columns, word counts.",
            weaknesses="Correlated columns are counted twice, so its probabilities are overconfident.",
            parameter="kind: auto looks at the columns; multinomial is for counts, gaussian for measurements.",
        ),
    ),
    Model(
        name="lda", title="Linear discriminant analysis", tasks=CLASSIFY, family="linear", preset="thorough",
        cost=0.34, build=build.lda,
        parameters=(
            Parameter(name="shrinkage", label="Shrinkage", default="none",
                      help="Shrinks the covariance towards uncorrelated columns", choices=("none", "auto")),
        ),
        note=Note(
            idea="Assumes that classes are normal with one covariance, and draws the linear boundary between them.",
            strengths="Several classes, few rows, columns near a normal distribution.",
            weaknesses="Classes of different covariance; outliers.",
            parameter="shrinkage: how far correlated columns are treated as uncorrelated; it helps with many columns "
            "and few rows.",
        ),
    ),
    Model(
        name="linear_svm", title="Linear support vector machine", tasks=ANY, family="linear", text="words",
        preset="standard",
        cost=0.4, build=build.linear_svm, parameters=(INVERSE_PENALTY, CLASS_WEIGHT), most_rows=100_000,
        note=Note(
            idea="Draws the boundary with the widest margin between classes (hinge loss).",
            strengths="Many columns; linearly separable classes.",
            weaknesses="Its scores are not probabilities; they are calibrated inside the training rows.",
            parameter="C: the smaller, the wider the margin and the more rows may be on the wrong side.",
        ),
    ),
    Model(
        name="decision_tree", title="Decision tree", tasks=ANY, family="tree", preset="quick", cost=0.5,
        build=build.of("tree.DecisionTreeClassifier", "tree.DecisionTreeRegressor"),
        parameters=(DEPTH, replace(LEAF, default=5), CLASS_WEIGHT),
        note=Note(
            idea="A tree of questions that can be drawn.",
            strengths="When people must read the reasons; interactions; thresholds.",
            weaknesses="Large trees overfit; a few different rows can give a different tree.",
            parameter="max_depth: the longest path of questions. Small trees explain themselves.",
        ),
    ),
    Model(
        name="knn", title="Nearest neighbours", tasks=ANY, family="linear", preset="standard", cost=1.7,
        build=build.knn, most_rows=20_000, growth=1.5,
        parameters=(
            Parameter(name="n_neighbors", label="Neighbours", default=15, help="Number of most similar rows used",
                      low=1, high=10_000, search=(1, 100), log=True),
            Parameter(name="weights", label="Weights", default="uniform", help="Whether nearer rows count more",
                      choices=("uniform", "distance")),
        ),
        note=Note(
            idea="Finds the most similar training rows and takes their majority vote or mean.",
            strengths="Few informative columns, irregular shapes, plenty of rows.",
            weaknesses="Irrelevant columns count as much as informative ones; prediction is slow.",
            parameter="n_neighbors: few follow every detail (and the noise), many smooth it away.",
        ),
    ),
    Model(
        name="random_forest", title="Random forest", tasks=ANY, family="tree", preset="standard", cost=2.0,
        build=build.forest("RandomForest"), trees=Trees(parameter="n_estimators", kind="forest"),
        parameters=(N_TREES, DEPTH, LEAF, COLUMNS_PER_SPLIT, ROWS_PER_TREE, CLASS_WEIGHT),
        note=Note(
            idea="The mean of many deep trees, each grown on its own bootstrap sample and few columns per split.",
            strengths="Good without tuning; rarely overfits.",
            weaknesses="Large and slow to explain; cannot predict beyond the values seen in training.",
            parameter="min_samples_leaf: larger leaves smooth it. More trees only reduce its variance.",
        ),
    ),
    Model(
        name="extra_trees", title="Extra trees", tasks=ANY, family="tree", preset="standard", cost=1.2,
        build=build.forest("ExtraTrees"), trees=Trees(parameter="n_estimators", kind="forest"),
        parameters=(N_TREES, DEPTH, LEAF, COLUMNS_PER_SPLIT, ROWS_PER_TREE, CLASS_WEIGHT),
        note=Note(
            idea="A forest that draws split thresholds at random and keeps the best of them.",
            strengths="Noisy columns; faster than a random forest.",
            weaknesses="Many irrelevant columns: random splits are wasted on them.",
            parameter="min_samples_leaf: larger leaves smooth it.",
        ),
    ),
    Model(
        name="hist_gradient_boosting", title="Gradient boosting", tasks=ANY, family="tree", preset="quick",
        cost=1.2, build=build.boosting, trees=Trees(parameter="max_iter", kind="booster"),
        needs="categories stay categories",
        parameters=(
            LEARNING_RATE, ROUNDS,
            Parameter(name="max_leaf_nodes", label="Leaves per tree", default=31, help="Most leaves of one tree",
                      low=2, high=10_000, search=(4, 128), log=True),
            replace(LEAF, default=20, search=(2, 200)),
            Parameter(name="l2_regularization", label="L2 regularisation", default=0.0,
                      help="Strength of the penalty on leaf values", low=0, search=(0.0, 10.0)),
            EARLY_STOPPING, CLASS_WEIGHT,
        ),
        note=Note(
            idea="Trees that each correct the errors of those before, grown on binned columns.",
            strengths="Usually among the best on tables; takes missing values and categories as they are.",
            weaknesses="Very small data; it overfits when it runs too long.",
            parameter="learning_rate: how much each tree contributes; halve it and double the trees for a little more.",
        ),
    ),
    Model(
        name="xgboost", title="XGBoost", tasks=ANY, family="tree", preset="standard", cost=0.6,
        build=build.xgboost, trusted=("xgboost.",),
        trees=Trees(parameter="n_estimators", kind="booster", resampled_by=("subsample", "colsample_bytree")),
        parameters=(
            replace(ROUNDS, name="n_estimators"), LEARNING_RATE,
            replace(DEPTH, default=6, search=(2, 12), none=""),
            Parameter(name="min_child_weight", label="Minimum weight per leaf", default=1.0,
                      help="Smallest total weight of the rows in a leaf", low=0, search=(0.5, 20), log=True),
            Parameter(name="subsample", label="Row sampling", default=1.0, help="Fraction of the rows that a tree sees",
                      low=0.05, high=1.0, search=(0.5, 1.0)),
            Parameter(name="colsample_bytree", label="Column sampling", default=1.0,
                      help="Fraction of the columns that a tree sees", low=0.05, high=1.0, search=(0.4, 1.0)),
            Parameter(name="reg_lambda", label="L2 regularisation", default=1.0,
                      help="Strength of the penalty on leaf values", low=0, search=(1e-2, 100), log=True),
            EARLY_STOPPING, CLASS_WEIGHT,
        ),
        note=Note(
            idea="Gradient boosting with penalties on large trees.",
            strengths="Strong and fast, with many hyperparameters.",
            weaknesses="Very small data; many hyperparameters invite much tuning for little gain.",
            parameter="max_depth with learning_rate: deeper trees model more interactions and overfit sooner.",
        ),
    ),
    Model(
        name="svm", title="Kernel support vector machine", tasks=ANY, family="linear", preset="thorough",
        cost=12.0, build=build.svm, parameters=(INVERSE_PENALTY, KERNEL_WIDTH, CLASS_WEIGHT), most_rows=10_000,
        growth=1.8,
        note=Note(
            idea="Draws the widest margin in a space where near rows are similar (a radial kernel).",
            strengths="Small and medium data with smooth, curved boundaries.",
            weaknesses="Time grows with the square of the rows; irrelevant columns blur similarity.",
            parameter="gamma: how far the influence of a row reaches; C: how much a row on the wrong side costs.",
        ),
    ),
    Model(
        name="nu_svm", title="Nu support vector machine", tasks=ANY, family="linear", preset="thorough",
        cost=12.0, build=build.nu_svm, most_rows=10_000, growth=1.8,
        parameters=(
            Parameter(name="nu", label="Margin errors", default=0.5, help="Largest fraction of rows inside the margin",
                      low=0.001, high=1.0, search=(0.05, 0.8)),
            KERNEL_WIDTH, CLASS_WEIGHT,
        ),
        note=Note(
            idea="The kernel machine with another hyperparameter: the fraction of rows that may be inside the margin.",
            strengths="When a fraction is easier to choose than a cost.",
            weaknesses="Rare classes: the fraction must be smaller than theirs, and is lowered where it is not.",
            parameter="nu: the largest fraction of margin errors, and the smallest fraction of support vectors.",
        ),
    ),
    Model(
        name="mlp", title="Small neural network", tasks=ANY, family="linear", preset="standard", cost=6.0,
        build=build.mlp, most_rows=100_000,
        parameters=(
            Parameter(name="units", label="Hidden units", default=50, help="Units of the hidden layer",
                      low=1, high=2000, search=(8, 200), log=True),
            replace(PENALTY, default=1e-3, search=(1e-6, 1.0), help="Strength of the penalty on the weights"),
            Parameter(name="learning_rate_init", label="Initial learning rate", default=1e-3,
                      help="Size of the first gradient steps", low=1e-7, high=1.0, search=(1e-4, 1e-1), log=True),
        ),
        note=Note(
            idea="One hidden layer of units, each a weighted sum with a non-linearity, learned by gradient descent.",
            strengths="Smooth curves and interactions with plenty of rows.",
            weaknesses="Little data; it needs scaled columns, and differs from seed to seed.",
            parameter="units: more of them fit finer shapes and overfit sooner; alpha regularises them.",
        ),
    ),
    Model(
        name="self_training", title="Self-training", tasks=CLASSIFY, family="linear", preset=None, cost=0.4,
        build=build.self_training, unlabelled=True, blends=False,
        parameters=(
            Parameter(name="threshold", label="Confidence threshold", default=0.9,
                      help="How confident a prediction must be to be used as a label",
                      low=0.5, high=0.999, search=(0.6, 0.99)),
            INVERSE_PENALTY,
        ),
        note=Note(
            idea="Logistic regression that also learns from rows without a target: it takes its most confident "
            "predictions of them as labels and is fitted again.",
            strengths="Few rows with a target, many without, from the same population.",
            weaknesses="It reinforces its own mistakes; rows without a target are often different.",
            parameter="threshold: how confident a prediction must be before it is used as a label.",
        ),
    ),
    Model(
        name="label_spreading", title="Label spreading", tasks=CLASSIFY, family="linear", preset=None,
        cost=6.0,
        build=build.label_spreading, most_rows=10_000, growth=1.8, unlabelled=True, blends=False,
        parameters=(
            Parameter(name="n_neighbors", label="Neighbours", default=15, help="Similar rows linked to each row",
                      low=1, high=1000, search=(3, 60), log=True),
        ),
        note=Note(
            idea="Labels spread from rows that have one to similar rows that have none.",
            strengths="Few rows with a target, many without, in clear clusters.",
            weaknesses="Overlapping classes; irrelevant columns; time grows with the square of the rows.",
            parameter="n_neighbors: how many similar rows each row is linked to.",
        ),
    ),
    Model(
        name="blend", title="Blend of the others", tasks=ANY, family="none", preset="standard", cost=0.2,
        build=build.dummy, role="blend", blends=False,
        note=Note(
            idea="A weighted mean of the other models' predictions, chosen greedily on out-of-fold predictions "
            "(Caruana and others, 2004).",
            strengths="When good models make different errors.",
            weaknesses="Nothing to read; as slow as all its members together; rarely much better than the best of "
            "them. Models of the other folds have seen this fold's labels, so its score can be about 0.01 too good "
            "(ROC AUC of 300 rows of pure noise).",
            parameter="It has none.",
        ),
    ),
)  # fmt: skip
_BY_NAME = {m.name: m for m in MODELS}
BASELINE, RULE, BLEND = (next(m.name for m in MODELS if m.role == role) for role in ("baseline", "rule", "blend"))


def model(name: str, task: Task | None = None) -> Model:
    """A row by its name. Raises BadChoice when there is none, or none for the task."""
    row = _BY_NAME.get(name)
    if row is not None and (task is None or task in row.tasks):
        return row
    what = "model" if row is None else f"model for {task}"
    raise BadChoice.of(what, name, [m.name for m in MODELS if task is None or task in m.tasks])


def names() -> set[str]:
    """The names of all models."""
    return set(_BY_NAME)


def for_task(task: Task) -> list[Model]:
    """The rows that can do a task."""
    return [m for m in MODELS if task in m.tasks]


def of_preset(preset: str, task: Task) -> list[str]:
    """Names of a preset's models for a task. Raises BadChoice."""
    if preset not in PRESETS:
        raise BadChoice.of("preset", preset, PRESETS)
    within = PRESETS[: PRESETS.index(preset) + 1]
    return [m.name for m in for_task(task) if m.preset in within]


def simplicity(name: str) -> int:
    """Place of a model in `MODELS`, which begins with the simplest; a person's own estimators come last."""
    return next((place for place, row in enumerate(MODELS) if row.name == name), len(MODELS))


def simplest(names: Iterable[str]) -> str:
    """The simplest of some models."""
    return min(names, key=simplicity)
