"""Whether what the leaderboard says is so: on pure noise, on equal models, and in its intervals.

    python benchmarks/honesty.py [DATASETS] [--rows N]
    python benchmarks/honesty.py [DATASETS] --coverage
    python benchmarks/honesty.py [DATASETS] --groups TABLE.csv --target COLUMN [--rows N]

1. Pure noise, eight models: how often a model other than the baseline stands alone in the top group, and how often the
   baseline is said to be beaten. Beside it, how often the plain way (take the highest mean) announces a winner.
2. Equal models: pairs of models that are equally good by construction (the same learner, each given its own noise
   column): how often they are told apart, and how often a plain paired t-test does.
3. Intervals: how often the 95 % interval of a score covers the true score, which here is the score on 20,000 fresh rows
   averaged over training sets of the same size: of ROC AUC, and with --coverage of every metric where intervals are
   hard, on rare classes, few rows and heavy tails.
4. Groups, with --groups: samples of a large real table stand for data sets, and the rest of it for the truth. How often
   the truly best model is in the top group, how large the group is, how often a model outside it scores higher than one
   inside (an inversion), and how often a model that is worse by more than .02 is outside.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

FOLDS = 5
NAMES = ("dummy", "logistic", "naive bayes", "lda", "5 neighbours", "25 neighbours", "tree of depth 3", "deep tree")


def models() -> list[Any]:
    """The baseline and seven models, cheap enough for hundreds of data sets."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    return [
        DummyClassifier(strategy="prior"), LogisticRegression(), GaussianNB(), LinearDiscriminantAnalysis(),
        KNeighborsClassifier(5), KNeighborsClassifier(25), DecisionTreeClassifier(max_depth=3, random_state=0),
        DecisionTreeClassifier(random_state=0),
    ]  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What one data set led to."""

    alone: bool  # a model other than the baseline alone in the top group
    beats_baseline: bool  # the baseline said to be beaten by any
    highest: bool  # the highest mean is not the baseline's
    apart: tuple[bool, bool]  # equal models told apart: by us, by a plain t-test
    covered: tuple[bool, ...]  # whether intervals cover the true score


def folds_of(estimator: Any, x: Any, y: Any, seed: int, repeats: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """(folds × repeats,) ROC AUC, and the influence of the test rows of each fold."""
    from sklearn.base import clone
    from sklearn.model_selection import RepeatedStratifiedKFold

    from mlcore.validation.influence import influence
    from mlcore.validation.metrics import compute, metric

    auc, scores, moved = metric("roc_auc", "binary"), [], []
    for train, test in RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=repeats, random_state=seed).split(x, y):
        model = clone(estimator).fit(x[train], y[train])
        predictions = predictions_of(model, x[test], y[test], "binary")
        scores.append(compute(auc, predictions)[0])
        moved.append(influence(auc, predictions))
    return np.array(scores, float), moved


def within(first: list[np.ndarray], other: list[np.ndarray]) -> float | None:
    """The variance of the difference of two models on a fold, as the leaderboard takes it from the rows."""
    from mlcore.validation.influence import variance_within

    return variance_within(zip(first, other, strict=True))


def one(job: tuple[int, int]) -> Told:
    """Judge one data set as the leaderboard does, by its own functions."""
    warnings.simplefilter("ignore")
    from scipy import stats as scipy_stats

    from mlcore.validation import statistics
    from mlcore.validation.protocol import repeats_for

    seed, rows = job
    rng = np.random.default_rng(seed)
    repeats, ratio = repeats_for(rows), 1 / (FOLDS - 1)
    x, y = rng.normal(size=(rows, 6)), rng.integers(0, 2, rows)
    both = {name: folds_of(m, x, y, seed, repeats) for name, m in zip(NAMES, models(), strict=True)}
    scores, moved = {n: s for n, (s, _) in both.items()}, {n: m for n, (_, m) in both.items()}
    groups = statistics.tie_groups(scores, ratio, 0.01, lambda a, b: within(moved[a], moved[b]))
    top = [m for m, g in groups.items() if g == 1]
    worse = [scores[m] for m in NAMES[1:]]
    of_dummy = [within(moved["dummy"], moved[n]) for n in NAMES[1:]]
    beats_baseline = any(
        statistics.significantly_worse(-scores["dummy"], [-s for s in worse], ratio, within=lambda i: of_dummy[i])
    )
    highest = max(scores, key=lambda m: scores[m].mean()) != "dummy"

    signal = (x[:, 0] + rng.normal(size=rows) > 0).astype(int)
    (first, of_first), (second, of_second) = (
        folds_of(models()[1], np.column_stack([x[:, 0], rng.normal(size=(rows, 3))]), signal, seed, repeats)
        for _ in range(2)
    )
    pair = (first, second)
    ours = statistics.difference(first, second, ratio, within=within(of_first, of_second)).p < statistics.ALPHA
    plain = scipy_stats.ttest_rel(pair[0], pair[1]).pvalue < statistics.ALPHA

    covered = []
    for name in ("logistic", "25 neighbours", "tree of depth 3"):
        estimator = models()[NAMES.index(name)]
        found = statistics.interval(folds_of(estimator, x, signal, seed, repeats)[0], ratio).within((0.0, 1.0))
        assert found is not None
        covered.append(found[0] <= TRUTH[name, rows] <= found[1])
    return Told(top != ["dummy"] and "dummy" not in top and len(top) == 1, beats_baseline, highest, (ours, plain),
                tuple(covered))  # fmt: skip


TRUTH: dict[tuple[str, int], float] = {}


def truth_of(rows: int, times: int = 40) -> None:
    """The true score of each model at the size that folds train on: the mean over fresh training and test sets."""
    from sklearn.base import clone
    from sklearn.metrics import roc_auc_score

    size = rows * (FOLDS - 1) // FOLDS
    for name in ("logistic", "25 neighbours", "tree of depth 3"):
        found = []
        for draw in range(times):
            rng = np.random.default_rng(10_000 + draw)
            x = rng.normal(size=(size + 20_000, 6))
            y = (x[:, 0] + rng.normal(size=len(x)) > 0).astype(int)
            model = clone(models()[NAMES.index(name)]).fit(x[:size], y[:size])
            found.append(roc_auc_score(y[size:], model.predict_proba(x[size:])[:, 1]))
        TRUTH[name, rows] = float(np.mean(found))


# coverage of every metric ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """A population to draw data sets from."""

    title: str
    task: str
    rows: int
    prevalence: float = 0.5
    tail: float = 0.0  # degrees of freedom of the noise of a continuous target; 0: normal


SETTINGS = (
    Setting("5 % positives, 2,000 rows", "binary", 2000, 0.05),
    Setting("5 % positives, 600 rows", "binary", 600, 0.05),
    Setting("balanced, 60 rows", "binary", 60),
    Setting("t(3) noise, 1,000 rows", "regression", 1000, tail=3.0),
    Setting("t(2.1) noise, 300 rows", "regression", 300, tail=2.1),
)


def draw(setting: Setting, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a population: six normal columns, of which the first matters."""
    x = rng.normal(size=(rows, 6))
    if setting.task == "binary":
        cut = np.sqrt(2) * float(_normal_quantile(1 - setting.prevalence))
        return x, (x[:, 0] + rng.normal(size=rows) > cut).astype(int)
    noise = rng.standard_t(setting.tail, rows) if setting.tail else rng.normal(size=rows)
    return x, x[:, 0] + noise


def _normal_quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def learners(task: str) -> dict[str, Any]:
    """Three models: linear, neighbours, a tree."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if task == "binary":
        return {"logistic": LogisticRegression(), "15 neighbours": KNeighborsClassifier(15),
                "tree": DecisionTreeClassifier(max_depth=3, random_state=0)}  # fmt: skip
    return {"ridge": Ridge(), "15 neighbours": KNeighborsRegressor(15),
            "tree": DecisionTreeRegressor(max_depth=3, random_state=0)}  # fmt: skip


def predictions_of(model: Any, x: np.ndarray, y: np.ndarray, task: str) -> Any:
    """What a fitted model predicts, as the leaderboard keeps it."""
    from mlcore.validation.metrics import Predictions

    if task == "binary":
        return Predictions(y, model.predict(x), 2, model.predict_proba(x))
    return Predictions(y, model.predict(x))


def true_scores(job: tuple[Setting, int]) -> dict[tuple[str, str], float]:
    """The score of each model and metric on fresh rows, after one training set of the size that folds train on."""
    from sklearn.base import clone

    from mlcore.validation.metrics import compute_all

    warnings.simplefilter("ignore")
    setting, seed = job
    rng = np.random.default_rng(50_000 + seed)
    size = setting.rows * (FOLDS - 1) // FOLDS
    x, y = draw(setting, rng, size + 20_000)
    scores = {}
    for name, model in learners(setting.task).items():
        fitted = clone(model).fit(x[:size], y[:size])
        values, _ = compute_all(setting.task, predictions_of(fitted, x[size:], y[size:], setting.task))
        scores |= {(name, metric): value for metric, value in values.items()}
    return scores


def intervals(job: tuple[Setting, int]) -> dict[tuple[str, str], tuple[float, float] | None]:
    """The interval of each model and metric on one data set, as the leaderboard gives it."""
    from sklearn.base import clone
    from sklearn.model_selection import KFold, StratifiedKFold

    from mlcore.comparison.leaderboard import score_interval
    from mlcore.comparison.row_evidence import RowEvidence
    from mlcore.validation import statistics
    from mlcore.validation.influence import influence
    from mlcore.validation.metrics import Predictions, compute, for_task
    from mlcore.validation.protocol import repeats_for

    warnings.simplefilter("ignore")
    setting, seed = job
    x, y = draw(setting, np.random.default_rng(seed), setting.rows)
    kind = StratifiedKFold if setting.task == "binary" else KFold
    folds = [f for r in range(repeats_for(setting.rows)) for f in kind(FOLDS, shuffle=True, random_state=r).split(x, y)]
    out: dict[tuple[str, str], tuple[float, float] | None] = {}
    for name, model in learners(setting.task).items():
        parts = [predictions_of(clone(model).fit(x[a], y[a]), x[b], y[b], setting.task) for a, b in folds]
        first = parts[:FOLDS]
        whole = Predictions(
            np.concatenate([p.truth for p in first]), np.concatenate([p.prediction for p in first]), first[0].classes,
            None if first[0].probabilities is None else np.concatenate([p.probabilities for p in first]),
        )  # fmt: skip
        rare = int(np.bincount(y).min()) if setting.task == "binary" else len(y)
        for row in for_task(setting.task):
            values = [compute(row, p)[0] for p in parts]
            if None in values:
                out[name, row.name] = None
                continue
            scores, moved = np.array(values, float), influence(row, whole)
            pooled = compute(row, whole)[0] if row.pooled else None
            scores = scores if pooled is None else scores + (pooled - scores.mean())
            error = None if moved is None else float(np.sqrt(moved.var(ddof=1) / len(moved)))
            evidence = RowEvidence(error=error, pooled=pooled, within={}, rows=len(y), rare=rare)
            out[name, row.name] = score_interval(statistics.interval(scores, 1 / (FOLDS - 1)), row, evidence)
    return out


def coverage(datasets: int) -> None:
    """Print how often intervals cover the true score, by setting, metric and model."""
    for setting in SETTINGS:
        with ProcessPoolExecutor() as pool:
            truths = list(pool.map(true_scores, [(setting, seed) for seed in range(60)], chunksize=4))
            given = list(pool.map(intervals, [(setting, seed) for seed in range(datasets)], chunksize=4))
        print(f"\n{setting.title}, {datasets} data sets: coverage of the nominal 95 % interval, in %")
        names = list(learners(setting.task))
        print(f"{'':24}" + "".join(f"{n:>16}" for n in names))
        for metric in dict.fromkeys(m for _, m in truths[0]):
            cells = []
            for name in names:
                truth = np.mean([t[name, metric] for t in truths if (name, metric) in t])
                known = [g[name, metric] for g in given if g.get((name, metric)) is not None]
                inside = [low <= truth <= high for low, high in known]
                cells.append(f"{100 * np.mean(inside):.0f} ({len(known)})" if inside else "none")
            print(f"{metric:24}" + "".join(f"{c:>16}" for c in cells))


# groups on real tables ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """What the groups of one sample of a table say, and what is true."""

    best_in_group: bool
    size: int
    inversions: int
    told: tuple[bool, ...]  # for each model that is truly worse by more than GAP: whether it is outside the group


GAP = 0.02


def contenders() -> dict[str, Any]:
    """Ten models of several families."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    return {
        "dummy": DummyClassifier(strategy="prior"), "logistic": LogisticRegression(max_iter=300),
        "naive bayes": GaussianNB(), "lda": LinearDiscriminantAnalysis(),
        "5 neighbours": KNeighborsClassifier(5), "25 neighbours": KNeighborsClassifier(25),
        "tree": DecisionTreeClassifier(max_depth=5, random_state=0),
        "forest": RandomForestClassifier(40, random_state=0),
        "extra trees": ExtraTreesClassifier(40, random_state=0),
        "boosting": HistGradientBoostingClassifier(max_iter=40, random_state=0),
    }  # fmt: skip


def population(path: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """The numeric columns of a table, standardised, and a target of two classes: above its median or not."""
    import pandas as pd

    table = pd.read_csv(path).dropna()
    y = (table[target] > table[target].median()).to_numpy(int)
    x = table.drop(columns=target).select_dtypes("number").to_numpy(float)
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def judged(job: tuple[str, str, int, int]) -> Judged:
    """Group the models on one sample as the leaderboard does, and score them on the rows outside it."""
    from sklearn.base import clone
    from sklearn.metrics import roc_auc_score

    from mlcore.validation import statistics
    from mlcore.validation.protocol import repeats_for

    warnings.simplefilter("ignore")
    path, target, rows, seed = job
    x, y = population(path, target)
    order = np.random.default_rng(seed).permutation(len(y))
    sample, rest = order[:rows], order[rows : rows + 6000]
    models, repeats = contenders(), repeats_for(rows)
    scores, moved, truth = {}, {}, {}
    for name, model in models.items():
        scores[name], moved[name] = folds_of(model, x[sample], y[sample], seed, repeats)
        fitted = clone(model).fit(x[sample], y[sample])
        truth[name] = float(roc_auc_score(y[rest], fitted.predict_proba(x[rest])[:, 1]))
    groups = statistics.tie_groups(scores, 1 / (FOLDS - 1), 0.01, lambda a, b: within(moved[a], moved[b]))
    top = [m for m in models if groups[m] == 1]
    means = {m: float(scores[m].mean()) for m in models}
    lowest, best = min(means[m] for m in top), max(truth, key=lambda m: truth[m])
    return Judged(
        best_in_group=best in top,
        size=len(top),
        inversions=sum(means[m] > lowest for m in models if m not in top),
        told=tuple(m not in top for m in models if truth[best] - truth[m] > GAP),
    )


def groups(path: str, target: str, datasets: int, rows: int) -> None:
    """Print how the top group does on samples of a table."""
    with ProcessPoolExecutor() as pool:
        given = list(pool.map(judged, [(path, target, rows, seed) for seed in range(datasets)], chunksize=1))
    print(f"{datasets} samples of {rows} rows, ten models, ROC AUC, truth on up to 6,000 other rows")
    print(f"{'  the truly best model is in the top group':60}{_share([g.best_in_group for g in given])}")
    print(f"{'  models in the top group, mean':60}{np.mean([g.size for g in given]):5.1f}")
    print(f"{'  samples with an inversion':60}{_share([g.inversions > 0 for g in given])}")
    print(f"{f'  worse by more than {GAP} and outside the group':60}{_share([t for g in given for t in g.told])}")


def _share(values: list[bool]) -> str:
    share = np.mean(values)
    return f"{100 * share:5.1f} % ± {196 * np.sqrt(share * (1 - share) / len(values)):.1f}"


def main(datasets: int, rows: int) -> None:
    """Run and print."""
    truth_of(rows)
    with ProcessPoolExecutor() as pool:
        told = list(pool.map(one, [(seed, rows) for seed in range(datasets)], chunksize=4))
    print(f"{datasets} data sets of {rows} rows and 6 columns, {FOLDS} folds with the default repeats, ROC AUC")
    lines = (
        ("pure noise, 8 models", "", []),
        ("  a model alone in the top group that is not the baseline", "at most 5 %", [t.alone for t in told]),
        ("  the baseline said to be beaten", "", [t.beats_baseline for t in told]),
        ("  plain way: the highest mean is called the winner", "", [t.highest for t in told]),
        ("two equal models", "", []),
        ("  told apart by the corrected test", "at most 5 %", [t.apart[0] for t in told]),
        ("  told apart by a plain paired t-test", "", [t.apart[1] for t in told]),
        ("95 % intervals", "", []),
        ("  cover the true score", "92 to 98 %", [c for t in told for c in t.covered]),
    )
    for text, wanted, values in lines:
        print(f"{text:60}{_share(values) if values else '':18}{wanted}".rstrip())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="?", type=int, default=300)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--coverage", action="store_true", help="of every metric, in the settings where it is hard")
    parser.add_argument("--groups", metavar="TABLE", help="a large table, samples of which stand for data sets")
    parser.add_argument("--target", help="its numeric target, cut at the median into two classes")
    given = parser.parse_args()
    if given.coverage:
        coverage(given.datasets)
    elif given.groups:
        groups(given.groups, given.target, given.datasets, given.rows)
    else:
        main(given.datasets, given.rows)
