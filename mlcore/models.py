"""The catalogue of models: one row each, in the order of simplicity (the star of a tie goes to the simplest).

A row says what its columns must look like (`family`), which parameters a person may set (`knobs`, each with what is
allowed and where a search looks), what a fit costs, and what there is to learn about it (`note`). What it builds are
scikit-learn estimators; see `estimators`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from mlcore import estimators as build
from mlcore.errors import BadChoice, BadInput
from mlcore.estimators import Setting
from mlcore.metrics import Task

__all__ = ["FAMILIES", "MODELS", "NAMES", "PRESETS", "Family", "Knob", "Model", "Note", "Setting"]

Family = Literal["none", "raw", "plain", "linear", "tree"]
# What a model needs its columns to look like, in words.
FAMILIES: dict[Family, str] = {
    "none": "looks at no column",
    "raw": "the columns as they are",
    "plain": "complete numbers in their own units, a column for each level",
    "linear": "complete numbers on one scale, a column for each level",
    "tree": "numbers in their own units, codes for levels, missing cells left as they are",
}
CLASSIFY: tuple[Task, ...] = ("binary", "multiclass")
REGRESS: tuple[Task, ...] = ("regression",)
ANY: tuple[Task, ...] = (*CLASSIFY, *REGRESS)


KNOB_WORDS = {
    "n_estimators": "Trees", "max_iter": "Trees", "max_depth": "Depth", "min_samples_leaf": "Rows in a leaf",
    "max_leaf_nodes": "Leaves", "max_features": "Columns asked at a time", "max_samples": "Rows for a tree",
    "learning_rate": "Step of a tree", "learning_rate_init": "First steps", "n_neighbors": "Neighbours",
    "l1_ratio": "Share of lasso", "l2_regularization": "Penalty", "reg_lambda": "Penalty", "alpha": "Penalty",
    "C": "Freedom", "nu": "Share in the margin", "gamma": "Nearness", "min_child_weight": "Weight in a leaf",
    "subsample": "Share of rows", "colsample_bytree": "Share of columns", "class_weight": "Weights of classes",
    "early_stopping": "Stop early",
}  # fmt: skip


@dataclass(frozen=True)
class Knob:
    """A parameter that a person may set: a number in a range, a choice, or either with None for "no limit"."""

    name: str
    default: Any
    help: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[Any, ...] = ()  # allowed values where they are no numbers; the first words of the form
    search: tuple[float, float] | None = None  # where a search looks; choices are searched whole
    log: bool = False  # steps are factors, not sums
    none: str = ""  # what None means, where it is allowed
    tasks: tuple[Task, ...] = ANY
    real: bool = False  # numbers that need not be whole, where the default does not tell

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole."""
        return not self.real and isinstance(self.default, int | None)

    @property
    def title(self) -> str:
        """Its name as a form shows it: in words, then as scikit-learn has it."""
        return f"{KNOB_WORDS[self.name]} ({self.name})" if self.name in KNOB_WORDS else self.name.capitalize()

    def allowed(self) -> str:
        """What it may be, in words."""
        if self.choices:
            said = "one of " + ", ".join(map(str, self.choices))
        else:
            kind = "a whole number" if self.whole else "a number"
            ends = [f"{word} {end:g}" for word, end in (("from", self.low), ("to", self.high)) if math.isfinite(end)]
            said = " ".join([kind, *ends])
        return f"{said}, or none ({self.none})" if self.none else said

    def checked(self, value: Any, title: str) -> Any:
        """Return the value with its type. Raises BadInput with what is allowed."""
        if value is None and self.none:
            return None
        if self.choices:
            if value in self.choices:
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            fits = self.low <= value <= self.high and (not self.whole or float(value).is_integer())
            if fits:
                return int(value) if self.whole else float(value)
        raise BadInput(f"{self.name} of {title} cannot be {value!r}; it is {self.allowed()}.")

    def grid(self, points: int) -> list[Any]:
        """Values spread over the range that is searched."""
        if self.choices:
            return list(self.choices)
        if self.search is None:
            return [self.default]
        low, high = self.search
        shares = [i / (points - 1) for i in range(points)] if points > 1 else [0.5]
        found = [low * (high / low) ** s if self.log else low + (high - low) * s for s in shares]
        return list(dict.fromkeys(round(v) for v in found)) if self.whole else [float(f"{v:.4g}") for v in found]


@dataclass(frozen=True)
class Note:
    """What there is to learn about a model."""

    idea: str
    shines: str
    fails: str
    knob: str  # what its main knob does


@dataclass(frozen=True)
class Model:
    """A row of the catalogue."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    family: Family
    cost: float  # processor seconds of one fit at 50,000 rows, about
    build: Callable[[Setting, dict[str, Any]], Any]
    note: Note
    knobs: tuple[Knob, ...] = ()
    most_rows: int | None = None  # it learns from a sample of so many where there are more, as time grows faster
    grows: str = ""  # the knob that can be raised without starting again
    unlabelled: bool = False  # it also learns from rows whose target is missing
    steep: float = 1.0  # the power of the rows with which its time grows

    def knobs_of(self, task: Task) -> tuple[Knob, ...]:
        """The knobs that it has for a task."""
        return tuple(k for k in self.knobs if task in k.tasks)

    def defaults(self, task: Task) -> dict[str, Any]:
        """The defaults for a task."""
        return {k.name: k.default for k in self.knobs_of(task)}

    def checked(self, task: Task, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return parameters with their types, those at their default left out. Raises BadChoice, BadInput."""
        known = {k.name: k for k in self.knobs_of(task)}
        found = {}
        for name, value in parameters.items():
            if name not in known:
                raise BadChoice.of(f"parameter of {self.title}", name, known)
            settled = known[name].checked(value, self.title)
            if settled != known[name].default:
                found[name] = settled
        return found

    @property
    def cost_class(self) -> str:
        """What a fit costs, in a word."""
        return "quick" if self.cost < 0.3 else "medium" if self.cost < 2 else "slow"

    @property
    def needs(self) -> str:
        """What its columns must look like, in words."""
        native = "; levels are kept as levels" if self.name == "hist_gradient_boosting" else ""
        return FAMILIES[self.family] + native


BALANCE = Knob(
    "class_weight",
    "none",
    "Balanced makes each class count the same while learning: rare classes are found more often, at the price of "
    "false alarms, and probabilities no longer match shares.",
    choices=("none", "balanced"),
    tasks=CLASSIFY,
)
PENALTY = Knob("alpha", 1.0, "How strongly weights are held back", 0, search=(1e-3, 1e3), log=True)
SPREAD = Knob(
    "alpha", 0.01, "How strongly weights are held back, in spreads of the target", 0, search=(1e-4, 1.0), log=True
)
LOOSE = Knob("C", 1.0, "The smaller, the more weights are held back", 1e-9, search=(1e-3, 1e3), log=True)
TREES = Knob("n_estimators", 100, "Trees; more never hurt but take longer", 1, 100_000)
DEEP = Knob("max_depth", None, "Longest chain of questions", 1, 100, search=(2, 20), none="until leaves are small")
LEAF = Knob("min_samples_leaf", 1, "Fewest rows in a leaf", 1, 1_000_000, search=(1, 50), log=True)
ROWS_A_TREE = Knob(
    "max_samples", 20_000, "Rows that one tree is grown on, at most; each tree draws its own", 10, none="all rows"
)
COLUMNS = Knob(
    "max_features",
    "auto",
    "Columns that each question may choose from; auto is the square root of their number, a third for quantities",
    choices=("auto", "sqrt", "third", "all"),
)
STEP = Knob("learning_rate", 0.1, "How much each tree may mend; smaller needs more trees", 1e-5, 1.0,
            search=(0.01, 0.3), log=True)  # fmt: skip
STOPPING = Knob(
    "early_stopping", "auto",
    "Keep a tenth of the training rows aside and stop when more trees do not help on them; auto does from 10,000 rows",
    choices=("auto", "yes", "no"),
)  # fmt: skip
ROUNDS = Knob("max_iter", None, "Trees", 1, 100_000, none="100, or up to 500 with early stopping")

MODELS: tuple[Model, ...] = (
    Model(
        "dummy", "Baseline (no features)", ANY, "none", 0.0, build.dummy,
        Note(
            "Always says the most common class with its share, or the mean.",
            "As the mark to beat: whatever cannot beat it has learned nothing.",
            "It is never useful by itself.",
            "It has none.",
        ),
    ),
    Model(
        "rule", "One question", ANY, "raw", 0.05, build.rule,
        Note(
            "A rule that you write: if sex is female, then yes, else no. Until you write one, the single question "
            "that divides the training rows best.",
            "When people already decide by a rule of thumb: machine learning has to beat it.",
            "Whatever needs more than a few questions.",
            "The rule itself; conditions can be nested.",
        ),
    ),
    Model(
        "linear", "Linear regression", REGRESS, "linear", 0.05, build.of("", "linear_model.LinearRegression"),
        Note(
            "A weighted sum of the columns that makes the squared errors smallest.",
            "When effects add up; each weight can be read.",
            "Bends, interactions, far-off values; and more columns than rows.",
            "It has none; ridge and lasso hold the weights back.",
        ),
    ),
    Model(
        "ridge", "Ridge regression", REGRESS, "linear", 0.06, build.of("", "linear_model.Ridge"),
        Note(
            "A weighted sum whose squared weights are held back.",
            "Many related columns, few rows: they share the credit instead of fighting.",
            "Bends and interactions; it keeps every column.",
            "alpha: 0 is plain linear regression; the larger, the closer all weights come to zero.",
        ),
        (PENALTY,),
    ),
    Model(
        "lasso", "Lasso", REGRESS, "linear", 0.1, build.scaled_target("linear_model.Lasso"),
        Note(
            "A weighted sum whose absolute weights are held back, so that many become exactly zero.",
            "Many columns of which few matter: it chooses.",
            "Of related columns it keeps one, which may be another one tomorrow.",
            "alpha: the larger, the fewer columns are kept.",
        ),
        (SPREAD,),
    ),
    Model(
        "elastic_net", "Elastic net", REGRESS, "linear", 0.1, build.scaled_target("linear_model.ElasticNet"),
        Note(
            "Lasso and ridge mixed.",
            "Groups of related columns of which few groups matter.",
            "Bends and interactions.",
            "l1_ratio: 0 is ridge, 1 is lasso.",
        ),
        (SPREAD, Knob("l1_ratio", 0.5, "The share of lasso in the mix", 0, 1, search=(0.05, 1.0))),
    ),
    Model(
        "logistic", "Logistic regression", CLASSIFY, "linear", 0.08, build.logistic,
        Note(
            "A weighted sum turned into a probability by the logistic loss.",
            "Fast, well calibrated, easy to explain; hard to beat when effects add up.",
            "Bends and interactions that nobody made a column of.",
            "C: the smaller, the more weights are held back and the smoother the probabilities.",
        ),
        (LOOSE, BALANCE),
    ),
    Model(
        "sgd", "Stochastic gradient descent", ANY, "linear", 0.26, build.sgd,
        Note(
            "A weighted sum learned one row at a time. Its loss says what an error costs: square, hinge (nothing once "
            "a row is on the right side with a margin) or logistic.",
            "Millions of rows; and to see what a loss function does.",
            "Small data, where exact solvers are as fast and steadier.",
            "loss: square chases far-off rows, hinge looks only at rows near the border, logistic gives probabilities.",
        ),
        (
            Knob("loss", "logistic", "What an error costs", choices=("logistic", "hinge", "square"), tasks=CLASSIFY),
            Knob("loss", "square", "What an error costs", choices=("square", "huber", "absolute"), tasks=REGRESS),
            Knob("alpha", 1e-4, "How strongly weights are held back", 0, search=(1e-6, 1e-1), log=True),
            BALANCE,
        ),
    ),
    Model(
        "naive_bayes", "Naive Bayes", CLASSIFY, "plain", 0.06, build.naive_bayes,
        Note(
            "Takes columns for independent clues and multiplies what each says: bell curves for measurements, shares "
            "of a total for counts, yes or no for marks.",
            "Little data, many columns, word counts.",
            "Related columns are counted twice, so its probabilities are too sure.",
            "kind: auto looks at the columns; multinomial is for counts, gaussian for measurements.",
        ),
        (
            Knob("kind", "auto", "What the columns are taken for", choices=("auto", "gaussian", "multinomial",
                                                                            "bernoulli")),
            Knob("smoothing", 0.01, "How far what was never seen is held possible", 1e-12, 100, search=(1e-9, 1.0),
                 log=True),
        ),
    ),
    Model(
        "lda", "Linear discriminant analysis", CLASSIFY, "linear", 0.34, build.lda,
        Note(
            "Takes each class for a cloud of the same shape and draws the line between the clouds.",
            "Several classes, few rows, columns near bell curves.",
            "Clouds of different shape; far-off values.",
            "shrinkage: how far related columns are treated as unrelated; helps when columns are many and rows few.",
        ),
        (Knob("shrinkage", "none", "Held towards unrelated columns", choices=("none", "auto")),),
    ),
    Model(
        "linear_svm", "Linear support vector machine", ANY, "linear", 0.4, build.linear_svm,
        Note(
            "Draws the line with the widest margin between classes (hinge loss).",
            "Many columns; classes that a line can part.",
            "Its scores are no probabilities by birth; they are made such by calibration inside the training rows.",
            "C: the smaller, the wider the margin and the more rows may stand on the wrong side.",
        ),
        (LOOSE, BALANCE),
        100_000,
    ),
    Model(
        "decision_tree", "Decision tree", ANY, "tree", 0.5,
        build.of("tree.DecisionTreeClassifier", "tree.DecisionTreeRegressor"),
        Note(
            "A chain of questions that can be drawn.",
            "When the reasons must be read by people; interactions; steps.",
            "Large trees learn the noise; a few other rows can make another tree.",
            "max_depth: the longest chain of questions. Small trees explain themselves.",
        ),
        (DEEP, replace(LEAF, default=5), BALANCE),
    ),
    Model(
        "knn", "Nearest neighbours", ANY, "linear", 1.7, build.knn,
        Note(
            "Looks up the most similar rows and takes their vote or mean.",
            "Few good columns, odd shapes, plenty of rows.",
            "Useless columns count as much as good ones; predicting is slow.",
            "n_neighbors: few follow every bend (and the noise), many smooth it away.",
        ),
        (
            Knob("n_neighbors", 15, "How many similar rows are asked", 1, 10_000, search=(1, 100), log=True),
            Knob("weights", "uniform", "Whether nearer rows count more", choices=("uniform", "distance")),
        ),
        20_000,
        steep=1.5,
    ),
    Model(
        "random_forest", "Random forest", ANY, "tree", 2.0, build.forest("RandomForest"),
        Note(
            "The mean of many deep trees, each grown on its own draw of rows and asked about few columns at a time.",
            "Good without tuning; hardly overfits.",
            "Large and slow to explain; cannot go beyond the values it has seen.",
            "min_samples_leaf: larger leaves smooth it. More trees only make it steadier.",
        ),
        (TREES, DEEP, LEAF, COLUMNS, ROWS_A_TREE, BALANCE),
        grows="n_estimators",
    ),
    Model(
        "extra_trees", "Extra trees", ANY, "tree", 1.2, build.forest("ExtraTrees"),
        Note(
            "A forest whose questions are drawn at random and only then the best taken.",
            "Noisy columns; faster than a random forest.",
            "Many useless columns: random questions waste time on them.",
            "min_samples_leaf: larger leaves smooth it.",
        ),
        (TREES, DEEP, LEAF, COLUMNS, ROWS_A_TREE, BALANCE),
        grows="n_estimators",
    ),
    Model(
        "hist_gradient_boosting", "Gradient boosting", ANY, "tree", 1.2, build.boosting,
        Note(
            "Trees that each mend what the last left over, grown on binned columns.",
            "Usually among the best on tables; takes missing cells and levels as they are.",
            "Very small data; it can learn the noise when it runs too long.",
            "learning_rate: how much each tree may mend; halve it and double the trees for a little more.",
        ),
        (
            STEP, ROUNDS,
            Knob("max_leaf_nodes", 31, "Leaves of a tree", 2, 10_000, search=(4, 128), log=True),
            replace(LEAF, default=20, search=(2, 200)),
            Knob("l2_regularization", 0.0, "How strongly leaves are held back", 0, search=(0.0, 10.0)),
            STOPPING, BALANCE,
        ),
        grows="max_iter",
    ),
    Model(
        "xgboost", "XGBoost", ANY, "tree", 0.6, build.xgboost,
        Note(
            "Gradient boosting with penalties on large trees.",
            "Strong and fast, with many knobs.",
            "Very small data; many knobs invite much tuning for little.",
            "max_depth with learning_rate: deeper trees see more interactions and learn noise sooner.",
        ),
        (
            replace(ROUNDS, name="n_estimators"), STEP,
            Knob("max_depth", 6, "Longest chain of questions of a tree", 1, 100, search=(2, 12)),
            Knob("min_child_weight", 1.0, "Fewest rows of a leaf, weighed", 0, search=(0.5, 20), log=True),
            Knob("subsample", 1.0, "Share of rows a tree sees", 0.05, 1.0, search=(0.5, 1.0)),
            Knob("colsample_bytree", 1.0, "Share of columns a tree sees", 0.05, 1.0, search=(0.4, 1.0)),
            Knob("reg_lambda", 1.0, "How strongly leaves are held back", 0, search=(1e-2, 100), log=True),
            STOPPING, BALANCE,
        ),
        grows="n_estimators",
    ),
    Model(
        "svm", "Kernel support vector machine", ANY, "linear", 12.0, build.svm,
        Note(
            "Draws the widest margin in a space where near rows are alike (a radial kernel).",
            "Small and middling data with smooth, curved borders.",
            "Time grows with the square of the rows; useless columns blur what is near.",
            "gamma: how far a row reaches; C: how much a row on the wrong side costs.",
        ),
        (
            LOOSE,
            Knob("gamma", None, "How near rows must be to count as alike", 1e-9, search=(1e-3, 1.0), log=True,
                 none="1 over columns × variance", real=True),
            BALANCE,
        ),
        10_000,
        steep=1.8,
    ),
    Model(
        "nu_svm", "Nu support vector machine", ANY, "linear", 12.0, build.nu_svm,
        Note(
            "The kernel machine with another knob: the share of rows that may stand inside the margin.",
            "When a share is easier to choose than a price.",
            "Rare classes: the share must be smaller than theirs, and is lowered where it is not.",
            "nu: the largest share of rows inside the margin, and the smallest share of support vectors.",
        ),
        (Knob("nu", 0.5, "Share of rows inside the margin", 0.001, 1.0, search=(0.05, 0.8)),
         Knob("gamma", None, "How near rows must be to count as alike", 1e-9, search=(1e-3, 1.0), log=True,
              none="1 over columns × variance", real=True),
         BALANCE),
        10_000,
        steep=1.8,
    ),
    Model(
        "mlp", "Small neural network", ANY, "linear", 6.0, build.mlp,
        Note(
            "One hidden layer of units, each a bent weighted sum, learned by small steps.",
            "Smooth curves and interactions on plenty of rows.",
            "Little data; it wants scaled columns and patience, and can differ from run to run of another seed.",
            "units: more follow finer shapes and learn noise sooner; alpha holds them back.",
        ),
        (
            Knob("units", 50, "Units of the hidden layer", 1, 2000, search=(8, 200), log=True),
            Knob("alpha", 1e-3, "How strongly weights are held back", 0, search=(1e-6, 1.0), log=True),
            Knob("learning_rate_init", 1e-3, "Size of the first steps", 1e-7, 1.0, search=(1e-4, 1e-1), log=True),
        ),
        100_000,
    ),
    Model(
        "self_training", "Self-training", CLASSIFY, "linear", 0.4, build.self_training,
        Note(
            "Logistic regression that also learns from rows without a target: it takes its own surest predictions of "
            "them for true and learns again.",
            "Few rows with a target, many without, of the same kind.",
            "It believes its own mistakes; rows without a target are often of another kind.",
            "threshold: how sure a prediction must be before it is taken for true.",
        ),
        (Knob("threshold", 0.9, "How sure a prediction must be", 0.5, 0.999, search=(0.6, 0.99)), LOOSE),
        unlabelled=True,
    ),
    Model(
        "label_spreading", "Label spreading", CLASSIFY, "linear", 6.0, build.label_spreading,
        Note(
            "Labels flow from rows that have one to similar rows that have none.",
            "Few rows with a target, many without, in clear clusters.",
            "Overlapping classes; useless columns; time grows with the square of the rows.",
            "n_neighbors: how many similar rows each row listens to.",
        ),
        (Knob("n_neighbors", 15, "How many similar rows each row listens to", 1, 1000, search=(3, 60), log=True),),
        10_000,
        steep=1.8,
        unlabelled=True,
    ),
    Model(
        "blend", "Blend of the others", ANY, "none", 0.2, build.dummy,
        Note(
            "A weighted mean of the other models' predictions, chosen greedily from predictions of rows that they had "
            "not seen (Caruana and others, 2004).",
            "When good models err differently.",
            "Nothing to read; as slow as all its members together; seldom much better than the best of them.",
            "It has none.",
        ),
    ),
)  # fmt: skip
NAMES = [m.name for m in MODELS]
_QUICK = ("dummy", "rule", "linear", "logistic", "decision_tree", "hist_gradient_boosting")
_SLOW = ("svm", "nu_svm", "sgd", "lasso", "elastic_net", "lda")
_ASKED = ("self_training", "label_spreading")  # only on demand: they need rows without a target
PRESETS: dict[str, tuple[str, ...]] = {
    "quick": _QUICK,
    "standard": tuple(n for n in NAMES if n not in (*_SLOW, *_ASKED)),
    "thorough": tuple(n for n in NAMES if n not in _ASKED),
}


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


def of_preset(preset: str, task: Task) -> list[str]:
    """Names of a preset that can do a task. Raises BadChoice."""
    if preset not in PRESETS:
        raise BadChoice.of("preset", preset, PRESETS)
    able = {m.name for m in for_task(task)}
    return [n for n in PRESETS[preset] if n in able]


def simplicity(name: str) -> int:
    """Rank of a model in the order of simplicity; a person's own estimators come last."""
    return NAMES.index(name) if name in NAMES else len(NAMES)


def simplest(names: Iterable[str]) -> str:
    """The simplest of some models."""
    return min(names, key=simplicity)
