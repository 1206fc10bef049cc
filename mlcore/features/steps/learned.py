"""Features that are learned: leaves of trees, distances to clusters, projections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from mlcore.data.dataset import Kind
from mlcore.features.steps.base import Learned, Made, Step, Training, Works, numbers, option
from mlcore.result import Array, Help
from mlcore.wording import several


def _standard(training: Training) -> tuple[Any, Array]:
    """Median-filled, standardised training numbers, and what makes them of other rows."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scale = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    return scale, np.asarray(scale.fit_transform(numbers(training.frame)))


@dataclass(frozen=True, kw_only=True)
class Trees(Step):
    """The leaf of each of a few small trees, as categories (He and others, ADKDD 2014)."""

    step: ClassVar[str] = "trees"
    title: ClassVar[str] = "Leaves of trees"
    works: ClassVar[Works] = "uses the target, inside the fold"
    help: ClassVar[Help] = Help(
        "A few small boosted trees are fitted; the leaf that a row falls into becomes a category.",
        "Linear models learn interactions from them.",
        "The trees have seen the training rows' targets, so a linear model can trust their leaves too much.",
        "Use few, shallow trees.",
    )
    trees: int = option(10, "Trees", low=1, high=100)
    depth: int = option(3, "Depth", low=1, high=6)

    @property
    def replaces(self) -> bool:
        """The columns stay."""
        return False

    def learn(self, training: Training) -> Learned:
        """The fitted trees."""
        from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

        kind = GradientBoostingRegressor if training.task == "regression" else GradientBoostingClassifier
        model = kind(n_estimators=self.trees, max_depth=self.depth, random_state=training.seed)
        return {"trees": model.fit(np.nan_to_num(numbers(training.frame)), training.y)}

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """One category per tree."""
        leaves = learned["trees"].apply(np.nan_to_num(numbers(frame))).reshape(len(frame), -1)
        texts = leaves.astype(int).astype(str).astype(object)
        return {f"tree {k + 1} leaf": pd.Series(texts[:, k], index=frame.index) for k in range(leaves.shape[1])}

    def words(self, columns: list[str]) -> str:
        """The trees and the columns."""
        return f"The leaves of {self.trees} trees of depth {self.depth} on {several(columns)}, as categories."


@dataclass(frozen=True, kw_only=True)
class Clusters(Step):
    """Distances to the centres of clusters (k-means on standardised numbers)."""

    step: ClassVar[str] = "clusters"
    title: ClassVar[str] = "Distances to clusters"
    kinds: ClassVar[tuple[Kind, ...]] = ("numeric",)
    help: ClassVar[Help] = Help(
        "Training rows are grouped by k-means; each row gets its distance to every centre.",
        "Linear models can then treat regions of the data differently.",
        "Clusters are there even where the data have none.",
        "Try a few numbers of clusters.",
    )
    clusters: int = option(8, "Clusters", low=2, high=100)

    @property
    def replaces(self) -> bool:
        """The columns stay."""
        return False

    def learn(self, training: Training) -> Learned:
        """The scaling and the centres."""
        from sklearn.cluster import KMeans

        scale, values = _standard(training)
        count = min(self.clusters, len(np.unique(values, axis=0)))
        return {"scale": scale, "clusters": KMeans(count, n_init=3, random_state=training.seed).fit(values)}

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """One distance per cluster."""
        distances = learned["clusters"].transform(learned["scale"].transform(numbers(frame)))
        return {f"distance to cluster {k + 1}": distances[:, k] for k in range(distances.shape[1])}

    def words(self, columns: list[str]) -> str:
        """The number of clusters and the columns."""
        return f"The distances to {self.clusters} clusters of {several(columns)}."


PROJECTIONS = {"pca": "principal components", "factor": "factor analysis", "random": "random projection"}


@dataclass(frozen=True, kw_only=True)
class Project(Step):
    """Replace numbers by fewer components of them."""

    step: ClassVar[str] = "project"
    title: ClassVar[str] = "Projection"
    kinds: ClassVar[tuple[Kind, ...]] = ("numeric",)
    fewest: ClassVar[int] = 2
    help: ClassVar[Help] = Help(
        "Many correlated numbers become a few components, by training rows.",
        "Principal components keep most of the variance; they do not look at the target.",
        "The direction that predicts may be one of little variance.",
        "Use it for dozens of correlated measurements.",
    )
    method: str = option("pca", "Method", choices=PROJECTIONS)
    components: int = option(5, "Components", low=1, high=500)

    def learn(self, training: Training) -> Learned:
        """The scaling and the projection."""
        from sklearn.decomposition import PCA, FactorAnalysis
        from sklearn.random_projection import GaussianRandomProjection

        scale, values = _standard(training)
        count = min(self.components, *values.shape)
        kinds: dict[str, Any] = {"pca": PCA, "factor": FactorAnalysis, "random": GaussianRandomProjection}
        return {"scale": scale, "project": kinds[self.method](count, random_state=training.seed).fit(values)}

    def make(self, frame: pd.DataFrame, learned: Learned) -> Made:
        """The components."""
        values = np.asarray(learned["project"].transform(learned["scale"].transform(numbers(frame))))
        return {f"component {k + 1}": values[:, k] for k in range(values.shape[1])}

    def words(self, columns: list[str]) -> str:
        """The method, the columns and the number of components."""
        return f"{several(columns)}: replaced by {self.components} {PROJECTIONS[self.method]}."
