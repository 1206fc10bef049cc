"""Whether what the leaderboard says is so: on pure noise, on equal models, and in its intervals.

    python benchmarks/honesty.py [DATASETS] [--rows N]

1. Pure noise, eight models: how often a model other than the baseline stands alone in the top group, and how often the
   baseline is said to be beaten. Beside it, how often the plain way (take the highest mean) announces a winner.
2. Equal models: pairs of models that are equally good by construction (the same learner, each given its own noise
   column): how often they are told apart, and how often a plain paired t-test does.
3. Intervals: how often the 95 % interval of a score covers the true score, which here is the score on 20,000 fresh rows
   averaged over training sets of the same size.
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


def scores_of(estimator: Any, x: Any, y: Any, seed: int, repeats: int) -> np.ndarray:
    """(folds × repeats,) ROC AUC."""
    from sklearn.base import clone
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import RepeatedStratifiedKFold

    found = []
    for train, test in RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=repeats, random_state=seed).split(x, y):
        model = clone(estimator).fit(x[train], y[train])
        found.append(roc_auc_score(y[test], model.predict_proba(x[test])[:, 1]))
    return np.array(found)


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
    scores = {name: scores_of(m, x, y, seed, repeats) for name, m in zip(NAMES, models(), strict=True)}
    groups = statistics.tie_groups(scores, ratio, 0.01)
    top = [m for m, g in groups.items() if g == 1]
    worse = [scores[m] for m in NAMES[1:]]
    beats_baseline = any(statistics.significantly_worse(-scores["dummy"], [-s for s in worse], ratio))
    highest = max(scores, key=lambda m: scores[m].mean()) != "dummy"

    signal = (x[:, 0] + rng.normal(size=rows) > 0).astype(int)
    pair = [scores_of(models()[1], np.column_stack([x[:, 0], rng.normal(size=(rows, 3))]), signal, seed, repeats)
            for _ in range(2)]  # fmt: skip
    ours = statistics.difference(pair[0], pair[1], ratio).p < statistics.ALPHA
    plain = scipy_stats.ttest_rel(pair[0], pair[1]).pvalue < statistics.ALPHA

    covered = []
    for name in ("logistic", "25 neighbours", "tree of depth 3"):
        estimator = models()[NAMES.index(name)]
        found = statistics.interval(scores_of(estimator, x, signal, seed, repeats), ratio).within((0.0, 1.0))
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
    given = parser.parse_args()
    main(given.datasets, given.rows)
