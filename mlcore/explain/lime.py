"""LIME on raw rows: which conditions of this row move this prediction, by how much, and how sure that is.

The `lime` package's own table explainer feeds wrong values to a model wherever a quartile bin is degenerate, and breaks
on missing cells and text (docs/decisions/0003). Here every column is coded into a few bins or levels, a perturbed row
is made of real training values drawn from those, and the whole Pipeline predicts it. LIME's own engine (`LimeBase`,
Ribeiro, Singh and Guestrin, KDD 2016) then fits the weighted linear surrogate on "same bin as the row, or not".

Beyond classic LIME: `locality` keeps each column of the row with that probability (0 is classic), because the default
kernel hardly weighs near samples more than far ones; error bars are the sandwich estimator of the weighted ridge; the
stability is the overlap of the five strongest columns over bootstrap refits (Visani et al., 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.casts import as_levels, as_numbers
from mlcore.errors import BadInput
from mlcore.result import Array, Help, Result, number, several

if TYPE_CHECKING:
    from mlcore.compare.run import Run

MISSING, OTHER, UNSEEN = "missing", "(other)", "(never seen)"
TRUST_R2 = 0.2  # below this the surrogate says nothing of the model; 0.3 and 0.6 are the words weak and fair
TRUST_GAP = 2 / 3  # how far the sum may be off at the row, beside the spread or the distance from the average
BACKGROUND = 400
FEW_VALUES = 8  # a number with so few values is shown value by value
FLAT = 1e-9  # answers that differ by less, relative to their size, are the same


@dataclass(frozen=True)
class Options:
    """How an explanation is made."""

    samples: int = 1000
    locality: float = 0.5
    bins: int = 4
    most_levels: int = 30
    most_rows: int = 20_000
    seed: int = 0
    label: str | None = None  # the class to explain; the predicted one by default

    def checked(self) -> Options:
        """Raise BadInput for a value that is not allowed."""
        if not 50 <= self.samples <= 100_000:
            raise BadInput(f"Samples must be 50 to 100,000; {self.samples} was given.")
        if not 0 <= self.locality <= 0.95:
            raise BadInput(f"Locality must be from 0 (classic LIME) to 0.95; {self.locality:g} was given.")
        return self


WORTH_A_WORD = 0.02  # of the strongest weight; what is weaker may be sure and still means nothing


@dataclass(frozen=True)
class Weight:
    """One condition of the row and what it does to the prediction."""

    column: str
    condition: str
    weight: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Explanation(Result):
    """A local explanation with its fidelity, its error bars and its stability."""

    model: str
    title: str
    row: int
    target: str
    output: str  # what is explained: probability of a class, a decision score, or the target
    label: str | None
    prediction: float
    average: float
    local_prediction: float
    r2: float
    stability: float  # 0 to 1
    abstained: bool
    reason: str
    weights: tuple[Weight, ...]
    samples: int
    truth: str | None = None
    unseen: str | None = None  # what the model of the fold said, which had not seen this row

    help: ClassVar[Help] = Help(
        "LIME asks the model about many rows near this one and fits a simple sum to its answers. A bar says how much "
        "the prediction moves because this row meets the condition rather than not.",
        "Blue pushes up, orange down; the thin line is the 95 % interval; faded bars cannot be told from nothing. Read "
        "the fit first: it says how much of the model's local behaviour the simple sum catches.",
        "It explains the model, not the world: a bar is no cause. Columns are varied on their own, so rows can be made "
        "that never happen. With a poor fit the bars are stories.",
        "Compare with a second model and with the rows nearest to this one. If the fit is weak, raise the locality or "
        "the samples, or do not use the explanation.",
    )

    def frame(self) -> pd.DataFrame:
        """A row a condition, strongest first."""
        return pd.DataFrame(
            [
                {"column": w.column, "condition": w.condition, "weight": w.weight, "low": w.low, "high": w.high}
                for w in self.weights
            ],
            columns=["column", "condition", "weight", "low", "high"],
        )

    def prediction_words(self) -> str:
        """The prediction and how it stands to the average."""
        gap = self.prediction - self.average
        if abs(gap) < FLAT * max(1.0, abs(self.average)):
            share = f"{100 * self.prediction:.0f} % for {self.target} = {self.label}"
            return (
                f"{share if self.output == 'probability' else f'{self.target} {number(self.prediction)}'}, the average."
            )
        side = "above" if gap > 0 else "below"
        if self.output == "probability" and abs(gap) < 0.005:
            return f"{100 * self.prediction:.0f} % for {self.target} = {self.label}, about the average."
        if self.output == "probability":
            return (
                f"{100 * self.prediction:.0f} % for {self.target} = {self.label}, "
                f"{abs(100 * gap):.0f} points {side} the average of {100 * self.average:.0f} %."
            )
        what = "decision score" if self.output == "decision score" else self.target
        return f"{what} {number(self.prediction)}, {number(abs(gap))} {side} the average of {number(self.average)}."

    def fidelity_words(self) -> str:
        """How far the bars can be trusted."""
        if self.abstained:
            return f"No trustworthy explanation: {self.reason}"
        grade = "weak" if self.r2 < 0.3 else "fair" if self.r2 < 0.6 else "good"
        return (
            f"The fit is {grade} (R² {number(self.r2, 2)}): the simple sum says {number(self.local_prediction)} where "
            f"the model says {number(self.prediction)}. Of the five strongest columns {5 * self.stability:.1f} stay "
            "the same from resample to resample."
        )

    def sentence(self) -> str:
        """The strongest conditions, in words."""
        if self.abstained:
            return "No trustworthy explanation."
        least = WORTH_A_WORD * max((abs(w.weight) for w in self.weights), default=0.0)
        up = [w.condition for w in self.weights if w.sure and w.weight > least][:3]
        down = [w.condition for w in self.weights if w.sure and w.weight < -least][:3]
        parts = ([f"{several(up)} push{'es' if len(up) == 1 else ''} it up"] if up else []) + (
            [f"{several(down)} pull{'s' if len(down) == 1 else ''} it down"] if down else []
        )
        return f"{'; '.join(parts)}." if parts else "No condition can be told from nothing."

    def to_json(self) -> dict[str, Any]:
        """The contract of `holdout explain --json`."""
        return {
            "model": self.model,
            "row": self.row,
            "target": self.target,
            "label": self.label,
            "output": self.output,
            "prediction": self.prediction,
            "average": self.average,
            "local_prediction": self.local_prediction,
            "r2": self.r2,
            "stability": self.stability,
            "abstained": self.abstained,
            "reason": self.reason or None,
            "truth": self.truth,
            "samples": self.samples,
            "weights": [
                {"column": w.column, "condition": w.condition, "weight": w.weight, "low": w.low, "high": w.high}
                for w in self.weights
            ],
        }


class Coder:
    """One raw column as a few codes, and back: a code is decoded to a real training value, so its type is kept."""

    def __init__(self, column: pd.Series, options: Options) -> None:
        self.values = column.reset_index(drop=True)
        self.continuous = (pt.is_numeric_dtype(column) and not pt.is_bool_dtype(column)) or pt.is_datetime64_any_dtype(
            column
        )
        if self.continuous:
            self._bins(options.bins)
        else:
            levels = as_levels(column).value_counts()
            self.levels = {level: i for i, level in enumerate(levels.index[: options.most_levels])}
            self.names = [*self.levels, *([OTHER] if len(levels) > options.most_levels else [])]
        self.missing, self.unseen = len(self.names), len(self.names) + 1
        self.names = [*self.names, MISSING, UNSEEN]
        codes = self.encode(self.values)
        self.counts = np.bincount(codes, minlength=len(self.names))
        self._order = np.argsort(codes, kind="stable")
        self._start = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        self._cumulative = np.cumsum(self.counts) / len(codes)

    def _bins(self, bins: int) -> None:
        """Cut at quantiles that are real values; few distinct values get a code each. Bin i is (edge i−1, edge i]."""
        known = as_numbers(self.values).dropna().to_numpy()
        distinct = np.unique(known)
        self.few = len(distinct) <= FEW_VALUES
        if self.few:
            edges = distinct[:-1]
        else:
            edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
            edges = edges[edges < distinct[-1]]
        self.edges = edges
        text = [self._text(e) for e in (distinct if self.few else edges)]
        if self.few:
            self.names = text
        elif len(edges):
            self.names = [
                f"≤ {text[0]}",
                *(f"{a} to {b}" for a, b in pairwise(text)),
                f"> {text[-1]}",
            ]
        else:
            self.names = ["constant"]

    def _text(self, value: float) -> str:
        if pt.is_datetime64_any_dtype(self.values):
            return str(np.datetime64("1970-01-01") + np.timedelta64(int(value), "D"))
        return f"{value:.4g}"

    def encode(self, column: pd.Series) -> Array:
        """Codes (n,) of raw values; missing and never seen have codes of their own."""
        if self.continuous:
            values = as_numbers(column).to_numpy()
            found = np.searchsorted(self.edges, values)
            return np.where(np.isnan(values), self.missing, np.minimum(found, max(self.missing - 1, 0))).astype(int)
        other = self.names.index(OTHER) if OTHER in self.names else self.unseen
        levels = as_levels(column)
        codes = levels.map(lambda v: self.levels.get(v, other), na_action="ignore")
        return np.where(levels.isna(), self.missing, codes.fillna(self.missing)).astype(int)

    def condition(self, name: str, code: int) -> str:
        """The code in words."""
        label = self.names[code]
        if label in (MISSING, UNSEEN):
            return f"{name} is {label}"
        if not self.continuous or self.few or label == "constant":
            return f"{name} = {label}"
        return f"{name} {label}"

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Codes (n,) as often as in the training rows."""
        return np.searchsorted(self._cumulative, rng.random(n), side="right")

    def decode(self, codes: Array, rng: np.random.Generator) -> Any:
        """Real training values (n,), each drawn from the bin or level of its code; the dtype is kept."""
        usable = np.where(self.counts[codes] > 0, codes, int(np.argmax(self.counts)))
        offset = (rng.random(len(codes)) * self.counts[usable]).astype(int)
        return self.values.take(self._order[self._start[usable] + offset]).array


class Lime:
    """The adapter: coders for each column of the training rows, and the model to be asked."""

    def __init__(self, frame: pd.DataFrame, pipeline: Any, options: Options) -> None:
        if len(frame) > options.most_rows:
            frame = frame.sample(options.most_rows, random_state=options.seed)
        self.frame, self.pipeline, self.options = frame.reset_index(drop=True), pipeline, options
        self.coders = {name: Coder(frame[name], options) for name in frame.columns}

    @cached_property
    def output(self) -> str:
        """What the model gives that can be explained."""
        if hasattr(self.pipeline, "predict_proba"):
            return "probability"
        return "decision score" if hasattr(self.pipeline, "decision_function") else "value"

    def ask(self, frame: pd.DataFrame) -> Array:
        """(n, outputs): probabilities, decision scores or values."""
        name = {"probability": "predict_proba", "decision score": "decision_function", "value": "predict"}[self.output]
        found = np.asarray(getattr(self.pipeline, name)(frame), float)
        return found[:, None] if found.ndim == 1 else found

    def explain(self, row: pd.DataFrame, label: str | None) -> tuple[Local, int]:
        """Explain one raw row (1, p); return the local fit and the place of the explained output."""
        options = self.options
        rng = np.random.default_rng([options.seed, 7])
        codes = np.array([int(c.encode(row[n])[0]) for n, c in self.coders.items()])
        drawn = np.column_stack([c.draw(options.samples, rng) for c in self.coders.values()])
        kept = rng.random(drawn.shape) < options.locality
        drawn = np.where(kept, codes, drawn)
        near = pd.DataFrame({n: c.decode(drawn[:, j], rng) for j, (n, c) in enumerate(self.coders.items())})
        background = self.frame.iloc[rng.choice(len(self.frame), min(BACKGROUND, len(self.frame)), replace=False)]
        answers = self.ask(pd.concat([near, background], ignore_index=True))
        own = self.ask(row)[0]
        place = self._place(own, label)
        same = (drawn == codes).astype(float)
        same[0], answers[0] = 1.0, own  # LIME's first sample is the row itself
        local = fit_local(same, answers[: options.samples, place], rng)
        average = float(answers[options.samples :, place].mean())
        return Local(**{**local, "prediction": float(own[place]), "average": average, "codes": codes}), place

    def _place(self, own: Array, label: str | None) -> int:
        if self.output == "value" or len(own) == 1:
            return 0
        classes = [str(c) for c in self.pipeline.classes_]
        if label is None:  # of two classes always the positive one, so that rows can be compared
            return 1 if len(own) == 2 else int(np.argmax(own))
        if label not in classes:
            from mlcore.errors import BadChoice

            raise BadChoice.of("class", label, classes)
        return classes.index(label)


@dataclass(frozen=True)
class Local:
    """The weighted ridge around one row."""

    weights: Array  # (columns,)
    errors: Array  # (columns,) standard errors; NaN where a column never varied
    r2: float
    local_prediction: float
    stability: float
    prediction: float
    average: float
    codes: Array
    spread: float


def fit_local(same: Array, answers: Array, rng: np.random.Generator) -> dict[str, Any]:
    """Fit LIME's surrogate on (n, p) indicators and (n,) answers; add sandwich errors and the stability.

    The kernel is LIME's own: exp(−k / (2 w²)) with k columns changed and w = 0.75 √p.
    """
    from lime.lime_base import LimeBase

    p = same.shape[1]
    varied = np.flatnonzero(same.std(axis=0) > 0)
    weights, errors = np.zeros(p), np.full(p, np.nan)
    spread = float(answers.std())
    if spread < FLAT * max(1.0, float(np.abs(answers).max())):
        spread = 0.0
    if not len(varied) or not spread:
        return {
            "weights": weights,
            "errors": errors,
            "r2": 0.0,
            "local_prediction": float(answers[0]),
            "stability": 0.0,
            "spread": spread,
        }
    width = 0.75 * np.sqrt(p)
    changed = (same == 0).sum(axis=1)
    base = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / width**2)), random_state=np.random.RandomState(0))
    _, found, r2, local = base.explain_instance_with_data(
        same[:, varied], answers[:, None], np.sqrt(changed), 0, len(varied), feature_selection="none"
    )
    for j, value in found:
        weights[varied[j]] = value
    kernel = np.exp(-changed / (2 * width**2))
    errors[varied] = _sandwich(same[:, varied], answers, kernel)
    return {
        "weights": weights,
        "errors": errors,
        "r2": float(r2),
        "local_prediction": float(np.ravel(local)[0]),
        "stability": _stability(same[:, varied], answers, kernel, rng),
        "spread": spread,
    }


def _design(same: Array) -> tuple[Array, Array]:
    x = np.column_stack([np.ones(len(same)), same])
    penalty = np.eye(x.shape[1])
    penalty[0, 0] = 0
    return x, penalty


def _sandwich(same: Array, answers: Array, kernel: Array) -> Array:
    """Standard errors (p,) of the weighted ridge that LIME fits, without assuming equal variances (White, 1980)."""
    x, penalty = _design(same)
    inverse = np.linalg.inv((x * kernel[:, None]).T @ x + penalty)
    residual = answers - x @ (inverse @ ((x * kernel[:, None]).T @ answers))
    meat = x * (kernel * residual)[:, None]
    return np.asarray(np.sqrt(np.diag(inverse @ (meat.T @ meat) @ inverse))[1:])


def _stability(same: Array, answers: Array, kernel: Array, rng: np.random.Generator, times: int = 25) -> float:
    """Mean overlap of the five strongest columns over pairs of bootstrap refits (the VSI of Visani et al.)."""
    x, penalty = _design(same)
    k = min(5, same.shape[1])
    tops = []
    for _ in range(times):
        w = kernel * rng.multinomial(len(x), np.full(len(x), 1 / len(x)))
        found = np.linalg.solve((x * w[:, None]).T @ x + penalty, (x * w[:, None]).T @ answers)[1:]
        tops.append(set(np.argsort(-np.abs(found))[:k].tolist()))
    pairs = [len(a & b) / k for i, a in enumerate(tops) for b in tops[:i]]
    return float(np.mean(pairs))


def explain(run: Run, model: str, row: int, **options: Any) -> Explanation:
    """Explain the prediction of a model of a run for one row of the file.

    `options` are those of Options (samples, locality, bins, seed, label). The model is the one fitted on all training
    rows. Raises BadInput for a row that is not there, BadChoice for a model or class that is not.
    """
    settings = Options(**options).checked()
    dataset, experiment = run.dataset, run.experiment
    if not 0 <= row < dataset.rows:
        raise BadInput(f"There is no row {row}: the file has rows 0 to {dataset.rows - 1}.")
    names = experiment.schema.features().names
    held = set(run.plan()["holdout"])
    known = run.predictions(model)["row"].drop_duplicates().to_numpy() if model in run.predicted() else None
    whole = dataset.frame(names)
    training = whole.iloc[np.sort(known)] if known is not None else whole.drop(index=list(held))
    lime = Lime(training, run.model(model), settings)
    local, place = lime.explain(whole.iloc[[row]], settings.label)
    label = (
        str(lime.pipeline.classes_[place if lime.output == "probability" or place else -1])
        if experiment.recipe.task != "regression"
        else None
    )
    truth = dataset.frame([experiment.recipe.target], [row])[experiment.recipe.target].iloc[0]
    return _explanation(
        lime,
        local,
        Explanation(
            model,
            experiment.candidate(model).title or model,
            row,
            experiment.recipe.target,
            lime.output,
            label,
            local.prediction,
            local.average,
            local.local_prediction,
            local.r2,
            local.stability,
            False,
            "",
            (),
            settings.samples,
            None if pd.isna(truth) else str(truth),
            _unseen(run, model, row),
        ),
    )


def _unseen(run: Run, model: str, row: int) -> str | None:
    """The out-of-fold prediction of a row in words; None for a row that was locked away or left out."""
    if model not in run.predicted():
        return None
    found = run.predictions(model)
    found = found[(found["row"] == row) & (found["repeat"] == 0)]
    if not len(found):
        return None
    said = found["prediction"].iloc[0]
    if f"p_{said}" in found:
        return f"{said} ({100 * float(found[f'p_{said}'].iloc[0]):.0f} %)"
    return number(float(said)) if run.experiment.recipe.task == "regression" else str(said)


def _explanation(lime: Lime, local: Local, blank: Explanation) -> Explanation:
    from dataclasses import replace

    weights = []
    for j, (name, coder) in enumerate(lime.coders.items()):
        if np.isnan(local.errors[j]) or coder.names[local.codes[j]] == UNSEEN:
            continue  # never varied, or never seen in training: nothing can be estimated
        half = 1.96 * local.errors[j]
        weights.append(
            Weight(
                name,
                coder.condition(name, int(local.codes[j])),
                float(local.weights[j]),
                float(local.weights[j] - half),
                float(local.weights[j] + half),
            )
        )
    weights.sort(key=lambda w: -abs(w.weight))
    reason = _why_not(blank.title, local, weights)
    return replace(blank, weights=tuple(weights), abstained=bool(reason), reason=reason)


def _why_not(title: str, local: Local, weights: list[Weight]) -> str:
    """The reason to abstain, or nothing."""
    if not local.spread:
        return f"{title} gives the same answer for every row near this one."
    if not any(w.sure for w in weights):
        return "no condition can be told from nothing."
    if local.r2 < TRUST_R2:
        return (
            f"a simple sum catches {100 * max(local.r2, 0):.0f} % of what {title} does near this row, less than the "
            f"{100 * TRUST_R2:.0f} % asked for. Raise the locality, or use another model."
        )
    gap = abs(local.prediction - local.local_prediction)
    if gap > TRUST_GAP * max(local.spread, abs(local.prediction - local.average)):
        return (
            f"at this very row the simple sum is off by {number(gap)}, too much beside the {number(local.spread)} by "
            f"which the answers around it spread. {title} treats this row as an exception."
        )
    return ""
