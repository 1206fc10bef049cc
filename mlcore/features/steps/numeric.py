"""Numbers: scale them, transform them, put them into bins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Kind
from mlcore.errors import BadInput
from mlcore.features.steps.base import Learned, Made, Step, Training, numbers, option
from mlcore.result import Array, Help
from mlcore.wording import apart, several

SCALINGS = {
    "auto": "as each model needs it",
    "standard": "mean 0, standard deviation 1",
    "robust": "median 0, interquartile range 1",
    "minmax": "from 0 to 1",
    "quantile": "by quantiles to a normal distribution",
    "power": "power transform (Yeo–Johnson)",
    "none": "unchanged",
}


def scaler(method: str, rows: int = 1000) -> Any | None:
    """The scikit-learn transformer of a scaling; None where nothing changes."""
    from sklearn.preprocessing import MinMaxScaler, PowerTransformer, QuantileTransformer, RobustScaler, StandardScaler

    made: dict[str, Any] = {
        "standard": StandardScaler,
        "robust": RobustScaler,
        "minmax": MinMaxScaler,
        "power": PowerTransformer,
        "quantile": lambda: QuantileTransformer(
            n_quantiles=min(1000, rows), output_distribution="normal", random_state=0
        ),
        "none": lambda: None,
    }
    return made[method]()


@dataclass(frozen=True, kw_only=True)
class Scale(Step):
    """Scale numbers."""

    step: ClassVar[str] = "scale"
    title: ClassVar[str] = "Scaling"
    kinds: ClassVar[tuple[Kind, ...]] = ("numeric",)
    help: ClassVar[Help] = Help(
        "Brings numbers to a common scale, with the means and ranges of the training rows.",
        "Automatic standardises for linear models, neighbours and networks; trees do not need it.",
        "Min–max follows the most extreme values; robust and quantile do not.",
        "Leave it automatic unless outliers dominate.",
    )
    method: str = option("auto", "Method", choices=SCALINGS)

    @property
    def is_ready(self) -> bool:
        """The encoder does not scale again."""
        return True

    def learn(self, training: Training) -> Learned:
        """The fitted scaler."""
        made = scaler("standard" if self.method == "auto" else self.method, len(training.frame))
        return {"scaler": None if made is None else made.fit(_with_values(training.frame))}

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The scaled columns."""
        values = numbers(frame)
        values = values if learned["scaler"] is None else learned["scaler"].transform(values)
        return {str(c): values[:, i] for i, c in enumerate(frame)}

    def words(self, columns: list[str]) -> str:
        """The method in words."""
        if self.method == "auto":
            return "Scale numbers to mean 0 and standard deviation 1 for models that need it; trees do not."
        return f"Scale {several(columns)}: {SCALINGS[self.method]}."


def _with_values(frame: pd.DataFrame) -> Array:
    """Numbers to fit a scaling on; columns without any value are 0, because no scaling can be fitted to nothing."""
    values = numbers(frame)
    return np.where(np.isnan(values).all(axis=0), 0.0, values)


TRANSFORMS = {
    "log": "logarithm of 1 + x",
    "sqrt": "square root",
    "square": "add the square",
    "power": "power transform (Yeo–Johnson)",
    "box_cox": "power transform (Box–Cox)",
}


@dataclass(frozen=True, kw_only=True)
class Transform(Step):
    """Bend numbers: logarithm, square root, square, or a power that training rows choose."""

    step: ClassVar[str] = "transform"
    title: ClassVar[str] = "Transform numbers"
    kinds: ClassVar[tuple[Kind, ...]] = ("numeric",)
    help: ClassVar[Help] = Help(
        "A logarithm or a root pulls in a long tail; a square lets a linear model bend.",
        "Negative values are moved up by the smallest training value first.",
        "Trees do not change: they only use the order.",
        "Use it for skewed amounts in linear models.",
    )
    method: str = option("log", "Method", choices=TRANSFORMS)

    @property
    def replaces(self) -> bool:
        """A square is a further column."""
        return self.method != "square"

    def learn(self, training: Training) -> Learned:
        """By how much columns are moved up, or the fitted power."""
        if self.method == "power":
            return {"power": scaler("power").fit(_with_values(training.frame))}  # type: ignore[union-attr]
        if self.method == "box_cox":
            return {"powers": {str(c): _box_cox(training.frame[c]) for c in training.frame}}
        lowest = {str(c): training.frame[c].min() for c in training.frame}
        lowest = {n: min(0.0, float(v)) if pd.notna(v) else 0.0 for n, v in lowest.items()}
        return {"lowest": lowest}

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The transformed columns."""
        if self.method == "power":
            values = learned["power"].transform(numbers(frame))
            return {str(c): values[:, i] for i, c in enumerate(frame)}
        if self.method == "square":
            return {f"{c} squared": frame[c].to_numpy(float) ** 2 for c in frame}
        if self.method == "box_cox":
            return {n: _bent(frame[n], power) for n, power in learned["powers"].items()}
        bend = np.log1p if self.method == "log" else np.sqrt
        return {n: bend(np.maximum(frame[n].to_numpy(float) - low, 0.0)) for n, low in learned["lowest"].items()}

    def words(self, columns: list[str]) -> str:
        """The columns and the function."""
        return f"{several(columns)}: {TRANSFORMS[self.method]}."


def _box_cox(values: pd.Series) -> dict[str, float]:
    """The power by maximum likelihood (Box and Cox 1964), and how values are moved so that all are above 0.

    With a training value of 0 or less, all are moved so that the smallest is 1. Lower values at prediction count as it.
    """
    from scipy.stats import boxcox_normmax

    known = values.dropna().to_numpy(float)
    least = float(known.min()) if len(known) else 1.0
    moved = 1.0 - least if least <= 0 else 0.0
    varies = len(np.unique(known)) > 1
    return {
        "moved": moved,
        "least": least,
        "power": float(boxcox_normmax(known + moved, method="mle")) if varies else 1.0,
    }


def _bent(values: pd.Series, learned: dict[str, float]) -> Array:
    from scipy.special import boxcox

    return np.asarray(boxcox(np.maximum(values.to_numpy(float), learned["least"]) + learned["moved"], learned["power"]))


BINNINGS = {
    "width": "equal width",
    "frequency": "equal frequency",
    "kmeans": "k-means",
    "tree": "found by a tree (uses the target)",
    "edges": "edges that you give",
}


@dataclass(frozen=True, kw_only=True)
class Bins(Step):
    """Put numbers into bins, which become categories."""

    step: ClassVar[str] = "bins"
    title: ClassVar[str] = "Bins"
    kinds: ClassVar[tuple[Kind, ...]] = ("numeric",)
    help: ClassVar[Help] = Help(
        "Each number becomes the bin that it lies in; an upper edge belongs to its bin.",
        "Equal frequency gives bins with as many rows each; a tree finds edges at which the target changes.",
        "What differs within a bin is lost; trees rarely gain.",
        "Use it where a known threshold matters, such as an age of 18.",
    )
    method: str = option("frequency", "Method", choices=BINNINGS)
    bins: int = option(5, "Number of bins", low=2, high=100)
    edges: tuple[Any, ...] = option((), "Edges")

    def learn(self, training: Training) -> Learned:
        """The edges of each column. Raises BadInput where none are given."""
        return {"edges": {str(c): self._edges(training.frame[c], training) for c in training.frame}}

    def _edges(self, column: pd.Series, training: Training) -> list[float]:
        if self.method == "edges":
            return self._given()
        known = column.dropna().to_numpy(float)
        if len(np.unique(known)) < 2:
            return []
        if self.method == "width":
            edges = np.linspace(known.min(), known.max(), self.bins + 1)[1:-1]
        elif self.method == "frequency":
            edges = np.quantile(known, np.linspace(0, 1, self.bins + 1)[1:-1])
        elif self.method == "kmeans":
            edges = _kmeans_edges(known, self.bins)
        else:
            edges = self._tree_edges(column, training)
        inner = [e for e in np.unique(np.asarray(edges, float)) if e < known.max()]
        return [float(f"{e:.6g}") for e in inner]

    def _given(self) -> list[float]:
        try:
            edges = sorted({float(e) for e in self.edges})
        except ValueError:
            raise BadInput(f"Edges of bins are numbers; {list(self.edges)!r} was given.") from None
        if not edges:
            raise BadInput("Bins by edges need at least one edge, such as [20, 40, 60].")
        return edges

    def _tree_edges(self, column: pd.Series, training: Training) -> Array:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        known = column.notna().to_numpy()
        kind = DecisionTreeRegressor if training.task == "regression" else DecisionTreeClassifier
        tree = kind(max_leaf_nodes=self.bins, min_samples_leaf=max(1, len(column) // 50), random_state=0)
        tree.fit(column.to_numpy(float)[known][:, None], training.y[known])
        return np.asarray(tree.tree_.threshold[tree.tree_.feature == 0])

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The bins as texts."""
        made: Made = {}
        for name, edges in learned["edges"].items():
            values = frame[name].to_numpy(float)
            labels = np.array(bin_labels(edges), object)[np.searchsorted(edges, values)]
            made[name] = pd.Series(np.where(np.isnan(values), None, labels), index=frame.index, dtype=object)
        return made

    def words(self, columns: list[str]) -> str:
        """The columns and the bins."""
        if self.method == "edges":
            return f"{several(columns)} in bins: {several(bin_labels(self._given()), 8)}."
        return f"{several(columns)} in {self.bins} bins: {BINNINGS[self.method]}."


def _kmeans_edges(known: Array, bins: int) -> Array:
    from sklearn.cluster import KMeans

    clusters = KMeans(min(bins, len(np.unique(known))), n_init=3, random_state=0).fit(known[:, None])
    centres = np.sort(clusters.cluster_centers_[:, 0])
    return np.asarray((centres[1:] + centres[:-1]) / 2)


def bin_labels(edges: list[float]) -> list[str]:
    """The names of the bins between edges.

    >>> bin_labels([20, 40])
    ['up to 20', '20 to 40', 'above 40']
    """
    if not edges:
        return ["all"]
    words = apart(edges)
    return [f"up to {words[0]}", *(f"{a} to {b}" for a, b in pairwise(words)), f"above {words[-1]}"]
