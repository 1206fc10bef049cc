"""LIME on raw rows: which conditions of a row move its prediction, by how much, and how certain that is.

The table explainer of the `lime` package passes wrong values to a model where a quartile bin is degenerate, and fails
on missing values and text (docs/decisions/0003). Here every column is coded into a few bins or categories, a perturbed
row is made of real training values drawn from those, and the whole Pipeline predicts it. LIME's engine (`LimeBase`,
Ribeiro, Singh and Guestrin, KDD 2016) then fits the weighted linear surrogate on "same bin as the row, or not".

Beyond classic LIME: `locality` keeps each column of the row with that probability (0 is classic), because the default
kernel gives near samples little more weight than far ones; error bars are the sandwich estimator of the weighted ridge;
stability is the overlap of the five strongest columns over bootstrap refits (Visani et al., 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pandas.api import types as pt

from mlcore.data.cast import as_categories, as_numbers
from mlcore.errors import BadInput
from mlcore.explain.answers import Answers, training_rows
from mlcore.result import Array, Help, Result
from mlcore.runs.folder import RunFolder
from mlcore.wording import apart, days_apart, number, percent, several, shortened

MISSING, OTHER, UNSEEN = "missing", "(other)", "(never seen)"
TRUST_R2 = 0.2  # a surrogate with less does not describe the model; below 0.3 it is weak, below 0.6 fair
MEMORISED = 0.25  # a difference of probabilities that memory explains, if it exceeds the spread around the row
TRUST_GAP = 2 / 3  # largest error at the row, over the standard deviation or the distance from the average
BACKGROUND = 400
FEW_VALUES = 8  # a numeric column with at most this many distinct values is shown value by value
FLAT = 1e-9  # predictions that differ by less, relative to their size, are equal


@dataclass(frozen=True)
class Options:
    """The settings of an explanation."""

    samples: int = 1000
    locality: float = 0.8
    bins: int = 4
    most_levels: int = 30
    most_rows: int = 20_000
    seed: int = 0
    label: str | None = None  # the class to explain; by default the positive one of two, else the predicted one

    def checked(self) -> Options:
        """Raise BadInput for a value that is not allowed."""
        if not 50 <= self.samples <= 100_000:
            raise BadInput(f"Samples must be 50 to 100,000; {self.samples} was given.")
        if not 0 <= self.locality <= 0.95:
            raise BadInput(f"Locality must be from 0 (classic LIME) to 0.95; {self.locality:g} was given.")
        return self


WORTH_A_WORD = 0.02  # of the strongest weight; a weaker one may be significant and still not matter


@dataclass(frozen=True)
class Weight:
    """One condition of the row and its effect on the prediction."""

    column: str
    condition: str
    weight: float
    low: float
    high: float

    @property
    def significant(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, kw_only=True)
class Explanation(Result):
    """A local explanation with its fidelity, its error bars and its stability."""

    model: str
    title: str
    row: int
    target: str
    output: str  # the explained output: probability of a class, a decision score, or the target
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
    hidden: bool = False  # whether the truth is not shown, because the row is in a holdout that was not opened
    out_of_fold: str | None = None  # prediction by the model of its fold, which was not trained on this row
    unknown: tuple[str, ...] = ()  # conditions of this row that no training row meets

    help: ClassVar[Help] = Help(
        "The model predicts many rows near this one; a linear model, the surrogate, is fitted to these predictions. "
        "A bar shows how much the prediction moves because this row meets the condition rather than not.",
        "Blue pushes up, orange down; the thin line is the 95 % interval; faded bars are not significant. Read the fit "
        "first: it shows how much of the model's local behaviour the surrogate captures.",
        "It explains the model, not the world: a bar is not a cause. Columns are varied independently, so impossible "
        "rows can occur. With a poor fit the bars mean little.",
        "Compare with a second model and with the rows nearest to this one. If the fit is weak, raise the locality or "
        "the samples, or do not use the explanation.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per condition, strongest first."""
        return pd.DataFrame(
            [
                {"column": w.column, "condition": w.condition, "weight": w.weight, "low": w.low, "high": w.high}
                for w in self.weights
            ],
            columns=["column", "condition", "weight", "low", "high"],
        )

    def prediction_words(self) -> str:
        """The prediction, compared with the average."""
        offset = self.prediction - self.average
        if abs(offset) < FLAT * max(1.0, abs(self.average)):
            text = f"{percent(self.prediction)} for {self.target} = {self.label}"
            return (
                f"{text if self.output == 'probability' else f'{self.target} {number(self.prediction)}'}, the average."
            )
        side = "above" if offset > 0 else "below"
        if self.output == "probability" and abs(offset) < 0.005:
            return f"{percent(self.prediction)} for {self.target} = {self.label}, about the average."
        if self.output == "probability":
            return (
                f"{percent(self.prediction)} for {self.target} = {self.label}, "
                f"{abs(100 * offset):.0f} percentage points {side} the average of {percent(self.average)}."
            )
        name = "decision score" if self.output == "decision score" else self.target
        return f"{name} {number(self.prediction)}, {number(abs(offset))} {side} the average of {number(self.average)}."

    def fidelity_words(self) -> str:
        """How far the bars can be trusted."""
        if self.abstained:
            return f"No trustworthy explanation: {self.reason}{self._unknown_words()}"
        grade = "weak" if self.r2 < 0.3 else "fair" if self.r2 < 0.6 else "good"
        return (
            f"The fit is {grade} (R² {number(self.r2, 2)}): the surrogate gives {number(self.local_prediction)} where "
            f"the model gives {number(self.prediction)}. Of the five strongest columns, {5 * self.stability:.1f} stay "
            f"the same from resample to resample.{self._unknown_words()}"
        )

    def _unknown_words(self) -> str:
        """What of this row the model has never met, and what it does then."""
        if not self.unknown:
            return ""
        return f" The row has {several(list(self.unknown))}: what the model makes of that was never tested."

    def sentence(self) -> str:
        """The strongest conditions, in words."""
        if self.abstained:
            return "No trustworthy explanation."
        least = WORTH_A_WORD * max((abs(w.weight) for w in self.weights), default=0.0)
        up = [w.condition for w in self.weights if w.significant and w.weight > least][:3]
        down = [w.condition for w in self.weights if w.significant and w.weight < -least][:3]
        parts = ([f"{several(up)} push{'es' if len(up) == 1 else ''} it up"] if up else []) + (
            [f"{several(down)} pull{'s' if len(down) == 1 else ''} it down"] if down else []
        )
        return f"{'; '.join(parts)}." if parts else "No condition has a significant effect."

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
            "unknown": list(self.unknown),
            "truth": self.truth,
            "hidden": self.hidden,
            "samples": self.samples,
            "weights": [
                {"column": w.column, "condition": w.condition, "weight": w.weight, "low": w.low, "high": w.high}
                for w in self.weights
            ],
        }


class Coder:
    """One raw column as a few codes, and back: a code decodes to a real training value, so the dtype is kept."""

    def __init__(self, column: pd.Series, options: Options) -> None:
        self.values = column.reset_index(drop=True)
        self.continuous = (pt.is_numeric_dtype(column) and not pt.is_bool_dtype(column)) or pt.is_datetime64_any_dtype(
            column
        )
        if self.continuous:
            self._bins(options.bins)
        else:
            counts = as_categories(column).value_counts()
            self.levels = {category: i for i, category in enumerate(counts.index[: options.most_levels])}
            self.names = [*self.levels, *([OTHER] if len(counts) > options.most_levels else [])]
        self.missing, self.unseen = len(self.names), len(self.names) + 1
        self.names = [*self.names, MISSING, UNSEEN]
        codes = self.encode(self.values)
        self.counts = np.bincount(codes, minlength=len(self.names))
        self._order = np.argsort(codes, kind="stable")
        self._start = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        self._cumulative = np.cumsum(self.counts) / len(codes)

    def _bins(self, bins: int) -> None:
        """Split at quantiles that are real values; few distinct values get a code each. Bin i is (edge i−1, edge i]."""
        known = as_numbers(self.values).dropna().to_numpy()
        distinct = np.unique(known)
        self.few = len(distinct) <= FEW_VALUES
        if self.few:
            edges = distinct[:-1]
        else:
            edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))
            edges = edges[edges < distinct[-1]]
        self.edges = edges
        shown = [float(e) for e in (distinct if self.few else edges)]
        text = days_apart(shown) if pt.is_datetime64_any_dtype(self.values) else apart(shown)
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

    def encode(self, column: pd.Series) -> Array:
        """Codes (n,) of raw values; missing and never-seen values have separate codes."""
        if self.continuous:
            values = as_numbers(column).to_numpy()
            bins = np.searchsorted(self.edges, values)
            return np.where(np.isnan(values), self.missing, np.minimum(bins, max(self.missing - 1, 0))).astype(int)
        other = self.names.index(OTHER) if OTHER in self.names else self.unseen
        categories = as_categories(column)
        codes = categories.map(lambda v: self.levels.get(v, other), na_action="ignore")
        return np.where(categories.isna(), self.missing, codes.fillna(self.missing)).astype(int)

    def condition(self, name: str, code: int, value: Any = None) -> str:
        """A code in words; `value` is the row's own, for one that no training row has."""
        label = self.names[code]
        if label == UNSEEN:
            return f"{name} = {shortened(value, 40)}, never seen in training"
        if label == MISSING:
            return f"{name} is missing" + ("" if self.counts[code] else ", as in no training row")
        if not self.continuous or self.few or label == "constant":
            return f"{name} = {label}"
        return f"{name} {label}"

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Codes (n,), drawn with their frequencies in the training rows."""
        return np.searchsorted(self._cumulative, rng.random(n), side="right")

    def decode(self, codes: Array, own_code: int, own: Any, rng: np.random.Generator) -> Any:
        """Values (n,) of codes; the dtype is kept.

        The code of the row that is explained stands for its `own` value, as LIME's 1 stands for the instance itself
        (Ribeiro, Singh and Guestrin, KDD 2016); others are real training values, drawn from their bin or category.
        """
        usable = np.where(self.counts[codes] > 0, codes, int(np.argmax(self.counts)))
        offset = (rng.random(len(codes)) * self.counts[usable]).astype(int)
        drawn = self.values.take(self._order[self._start[usable] + offset]).reset_index(drop=True)
        return drawn.mask(codes == own_code, own).array


class Lime(Answers):
    """The adapter: one coder per column of the training rows, and the model to explain."""

    def __init__(self, frame: pd.DataFrame, pipeline: Any, options: Options) -> None:
        if len(frame) > options.most_rows:
            frame = frame.sample(options.most_rows, random_state=options.seed)
        super().__init__(pipeline)
        self.frame, self.options = frame.reset_index(drop=True), options
        self.coders = {name: Coder(frame[name], options) for name in frame.columns}

    def explain(self, row: pd.DataFrame, label: str | None) -> tuple[Local, int]:
        """Explain one raw row (1, p); return the local fit and the index of the explained output."""
        options = self.options
        rng = np.random.default_rng([options.seed, 7])
        codes = np.array([int(c.encode(row[n])[0]) for n, c in self.coders.items()])
        samples = np.column_stack([c.draw(options.samples, rng) for c in self.coders.values()])
        kept = rng.random(samples.shape) < options.locality
        samples = np.where(kept, codes, samples)
        own = row.iloc[0]
        perturbed = pd.DataFrame(
            {n: c.decode(samples[:, j], int(codes[j]), own[n], rng) for j, (n, c) in enumerate(self.coders.items())}
        )
        background = self.frame.iloc[rng.choice(len(self.frame), min(BACKGROUND, len(self.frame)), replace=False)]
        predictions = self.ask(pd.concat([perturbed, background], ignore_index=True))
        outputs = self.ask(row)[0]
        index = self.index_of(outputs, label)
        same = (samples == codes).astype(float)
        same[0], predictions[0] = 1.0, outputs  # LIME's first sample is the row itself
        local = fit_local(same, predictions[: options.samples, index], rng)
        average = float(predictions[options.samples :, index].mean())
        return Local(**{**local, "prediction": float(outputs[index]), "average": average, "codes": codes}), index


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
    spread: float  # standard deviation of the predictions around the row


def fit_local(same: Array, answers: Array, rng: np.random.Generator) -> dict[str, Any]:
    """Fit LIME's surrogate on (n, p) indicators and (n,) answers; add sandwich errors and the stability.

    The kernel is LIME's: exp(−k / (2 w²)) with k columns changed and w = 0.75 √p.
    """
    from lime.lime_base import LimeBase

    p = same.shape[1]
    varied = np.flatnonzero(same.std(axis=0) > 0)
    weights, errors = np.zeros(p), np.full(p, np.nan)
    deviation = float(answers.std())
    if deviation < FLAT * max(1.0, float(np.abs(answers).max())):
        deviation = 0.0
    if not len(varied) or not deviation:
        return {
            "weights": weights,
            "errors": errors,
            "r2": 0.0,
            "local_prediction": float(answers[0]),
            "stability": 0.0,
            "spread": deviation,
        }
    width = 0.75 * np.sqrt(p)
    changed = (same == 0).sum(axis=1)
    base = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / width**2)), random_state=np.random.RandomState(0))
    _, coefficients, r2, local = base.explain_instance_with_data(
        same[:, varied], answers[:, None], np.sqrt(changed), 0, len(varied), feature_selection="none"
    )
    for j, value in coefficients:
        weights[varied[j]] = value
    kernel = np.exp(-changed / (2 * width**2))
    errors[varied] = _sandwich(same[:, varied], answers, kernel)
    return {
        "weights": weights,
        "errors": errors,
        "r2": float(r2),
        "local_prediction": float(np.ravel(local)[0]),
        "stability": _stability(same[:, varied], answers, kernel, rng),
        "spread": deviation,
    }


def _design(same: Array) -> tuple[Array, Array]:
    x = np.column_stack([np.ones(len(same)), same])
    penalty = np.eye(x.shape[1])
    penalty[0, 0] = 0
    return x, penalty


def _sandwich(same: Array, predictions: Array, kernel: Array) -> Array:
    """Standard errors (p,) of the weighted ridge that LIME fits, without assuming equal variances (White, 1980)."""
    x, penalty = _design(same)
    inverse = np.linalg.inv((x * kernel[:, None]).T @ x + penalty)
    residual = predictions - x @ (inverse @ ((x * kernel[:, None]).T @ predictions))
    meat = x * (kernel * residual)[:, None]
    return np.asarray(np.sqrt(np.diag(inverse @ (meat.T @ meat) @ inverse))[1:])


def _stability(same: Array, predictions: Array, kernel: Array, rng: np.random.Generator, refits: int = 25) -> float:
    """Mean overlap of the five strongest columns over pairs of bootstrap refits (the VSI of Visani et al.)."""
    x, penalty = _design(same)
    k = min(5, same.shape[1])
    strongest = []
    for _ in range(refits):
        w = kernel * rng.multinomial(len(x), np.full(len(x), 1 / len(x)))
        coefficients = np.linalg.solve((x * w[:, None]).T @ x + penalty, (x * w[:, None]).T @ predictions)[1:]
        strongest.append(set(np.argsort(-np.abs(coefficients))[:k].tolist()))
    pairs = [len(a & b) / k for i, a in enumerate(strongest) for b in strongest[:i]]
    return float(np.mean(pairs))


def explain(run: RunFolder, model: str, row: int, **options: Any) -> Explanation:
    """Explain the prediction of a model of a run for one row of the file.

    `options` are those of Options (samples, locality, bins, seed, label). The model is the one fitted on all training
    rows. Raises BadInput for a row that does not exist, BadChoice for an unknown model or class.
    """
    settings = Options(**options).checked()
    dataset, experiment = run.dataset, run.experiment
    if not 0 <= row < dataset.rows:
        raise BadInput(f"Row {row} does not exist: the file has rows 0 to {dataset.rows - 1}.")
    names = experiment.schema.features().names
    holdout = set(run.plan()["holdout"])
    frame = dataset.frame(names)
    lime = Lime(frame.iloc[training_rows(run, model)], run.model(model), settings)
    # Of two classes always the positive one, so that rows are comparable.
    local, index = lime.explain(frame.iloc[[row]], settings.label or experiment.recipe.positive)
    label = lime.label_of(index)
    actual = dataset.frame([experiment.recipe.target], [row])[experiment.recipe.target].iloc[0]
    is_hidden = row in holdout and not run.holdout_looks()
    blank = Explanation(
        model=model,
        title=experiment.candidate(model).label,
        row=row,
        target=experiment.recipe.target,
        output=lime.output,
        label=label,
        prediction=local.prediction,
        average=local.average,
        local_prediction=local.local_prediction,
        r2=local.r2,
        stability=local.stability,
        abstained=False,
        reason="",
        weights=(),
        samples=settings.samples,
        truth=None if pd.isna(actual) or is_hidden else str(actual),
        hidden=is_hidden,
        out_of_fold=_out_of_fold(run, model, row),
    )
    return _explanation(lime, local, frame.iloc[row], blank, _untrained(run, blank))


def _out_of_fold(run: RunFolder, model: str, row: int) -> str | None:
    """The out-of-fold prediction of a row in words; None for a row of the holdout or one that was left out."""
    if model not in run.predicted():
        return None
    predictions = run.predictions(model)
    predictions = predictions[(predictions["row"] == row) & (predictions["repeat"] == 0)]
    if not len(predictions):
        return None
    prediction = predictions["prediction"].iloc[0]
    if f"p_{prediction}" in predictions:
        return f"{prediction} ({percent(float(predictions[f'p_{prediction}'].iloc[0]))})"
    return number(float(prediction)) if run.experiment.recipe.task == "regression" else str(prediction)


def _untrained(run: RunFolder, explanation: Explanation) -> float | None:
    """The explained output as the model of this row's fold gives it, which was not trained on it; None without one."""
    if explanation.model not in run.predicted():
        return None
    predictions = run.predictions(explanation.model)
    predictions = predictions[predictions["row"] == explanation.row]
    column = "prediction" if explanation.output == "value" else f"p_{explanation.label}"
    if not len(predictions) or column not in predictions or explanation.output == "decision score":
        return None
    return float(predictions[column].mean())


def _explanation(lime: Lime, local: Local, own: pd.Series, blank: Explanation, untrained: float | None) -> Explanation:
    from dataclasses import replace

    weights = []
    for j, (name, coder) in enumerate(lime.coders.items()):
        if np.isnan(local.errors[j]):
            continue  # never varied: no effect can be estimated
        half = 1.96 * local.errors[j]
        weights.append(
            Weight(
                name,
                coder.condition(name, int(local.codes[j]), own[name]),
                float(local.weights[j]),
                float(local.weights[j] - half),
                float(local.weights[j] + half),
            )
        )
    weights.sort(key=lambda w: -abs(w.weight))
    unknown = tuple(
        coder.condition(name, int(code), own[name])
        for (name, coder), code in zip(lime.coders.items(), local.codes, strict=True)
        if not coder.counts[code]
    )
    reason = _reason_to_abstain(blank.title, local, weights) or _memorised(blank, local, untrained)
    return replace(blank, weights=tuple(weights), abstained=bool(reason), reason=reason, unknown=unknown)


def _memorised(blank: Explanation, local: Local, untrained: float | None) -> str:
    """Where the model answers for this row from memory, the bars would explain its memory."""
    least = MEMORISED if blank.output == "probability" else 0.0
    if untrained is None or abs(local.prediction - untrained) <= max(1.5 * local.spread, least):
        return ""
    return (
        f"{blank.title} remembers this row: trained on it, it gives {number(local.prediction)}; not trained on it, it "
        f"gives {number(untrained)}. Explain a row that it was not trained on, or use a model that memorises less."
    )


def _reason_to_abstain(title: str, local: Local, weights: list[Weight]) -> str:
    """The reason to abstain, or an empty text."""
    if not local.spread:
        return f"{title} gives the same prediction for every row near this one."
    if not any(w.significant for w in weights):
        return "no condition has a significant effect."
    if local.r2 < TRUST_R2:
        return (
            f"the surrogate explains {100 * max(local.r2, 0):.0f} % of the variance of {title} near this row, less "
            f"than the {100 * TRUST_R2:.0f} % required. Raise the locality, or use another model."
        )
    error = abs(local.prediction - local.local_prediction)
    if error > TRUST_GAP * max(local.spread, abs(local.prediction - local.average)):
        return (
            f"at this row the surrogate is off by {number(error)}, too much compared with the standard deviation of "
            f"{number(local.spread)} of the predictions around it. {title} treats this row as an exception."
        )
    return ""
