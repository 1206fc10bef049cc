"""What a recipe does, and what one of its steps does, to a few rows; fitted on training rows only, as in a fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from mlcore.data.bins import as_values, edge_words
from mlcore.data.cast import as_categories
from mlcore.data.dataset import Dataset, Schema
from mlcore.errors import BadInput, HoldoutError, NotApplicable
from mlcore.features.recipe import Recipe, is_closing
from mlcore.features.steps.base import Step
from mlcore.models.catalogue import Family
from mlcore.result import Array, Help, Result
from mlcore.validation.protocol import Protocol
from mlcore.validation.target import resolve_split
from mlcore.wording import count_of, several

SHOWN = 10
FITTED_ON = 5000
CHECKED_ON = 500  # training rows on which a recipe is held against a file
MOST_BINS = 24
MOST_BARS = 12
MOST_SHOWN = 12  # columns in the table of rows


@dataclass(frozen=True)
class Preview(Result):
    """Some training rows before and after."""

    before: pd.DataFrame
    after: pd.DataFrame
    fitted_on: int

    help: ClassVar[Help] = Help(
        "Ten training rows as they are in the file, and the numbers that a model of the chosen family gets for them.",
        "Follow a value from left to right: a category becomes columns or codes, a missing value is filled.",
        "The transformations are fitted on these training rows; in each fold the numbers differ a little.",
        "If a column that matters has become useless, change its kind on the Data page or a step here.",
    )
    picture: ClassVar[bool] = False

    def frame(self) -> pd.DataFrame:
        """The rows as features of the model."""
        return self.after

    def sentence(self) -> str:
        """Columns in and out."""
        return (
            f"{self.before.shape[1]} columns become {self.after.shape[1]} numbers. Fitted on {self.fitted_on:,} "
            "training rows; the holdout is not touched."
        )


@dataclass(frozen=True)
class _Rows:
    """Training rows (a sample of many): (n, features) as in the file, the (n,) target, and its labels in words."""

    frame: pd.DataFrame
    y: Array
    labels: Array


def _training(data: Dataset, recipe: Recipe, protocol: Protocol, most: int = FITTED_ON) -> _Rows:
    split = resolve_split(data, recipe, protocol)
    target, rows = split.target, split.plan.train
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(protocol.seed).choice(rows, most, replace=False))
    frame = data.frame(data.schema.features().names, rows.tolist())
    y = target.y[np.searchsorted(target.rows, rows)]
    return _Rows(frame.set_axis(rows, axis=0), y, target.classes[y].astype(str) if len(target.classes) else y)


def preview_recipe(data: Dataset, recipe: Recipe, protocol: Protocol, family: Family) -> Preview:
    """Fit the recipe on training rows (5,000 at most) and show ten of them. Raises BadInput."""
    rows = _training(data, recipe, protocol)
    after = recipe.preview(data.schema, rows.frame, rows.y, family)
    return Preview(rows.frame.head(SHOWN), after.head(SHOWN), len(rows.frame))


# one step -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """How the values of a column are distributed: a bar for each label; of several columns, their means."""

    title: str
    labels: tuple[str, ...]
    heights: tuple[float, ...]
    unit: Literal["rows", "mean"] = "rows"


@dataclass(frozen=True, kw_only=True)
class StepPreview(Result):
    """What one step of a recipe does to the training rows that reach it.

    `before` and `after` are (10, columns): rows in which the step changes something, by their position in the file;
    `changed` counts the cells that it changes, by column.
    """

    step: Step
    column: str  # whose distribution is shown
    columns: tuple[str, ...]  # that the step works on
    new: tuple[str, ...]
    gone: tuple[str, ...]
    changed: dict[str, int]
    rows: tuple[int, int]  # training rows before and after
    before: pd.DataFrame
    after: pd.DataFrame
    distributions: tuple[Distribution, Distribution]

    help: ClassVar[Help] = Help(
        "The step is fitted on training rows, after the steps before it, and shown on the rows that it changes.",
        "Left: how a column is distributed before the step. Right: what it becomes. Below: ten rows, changed cells "
        "marked.",
        "With many rows a sample of 5,000 is used, and in each fold the step is fitted anew, so numbers differ a "
        "little.",
        "If the right side looks wrong, change the options of the step or switch it off.",
    )

    def frame(self) -> pd.DataFrame:
        """One row per bar: before and after."""
        return pd.DataFrame(
            [
                {"side": side, "column": d.title, "value": label, d.unit: height}
                for side, d in zip(("before", "after"), self.distributions, strict=True)
                for label, height in zip(d.labels, d.heights, strict=True)
            ]
        )

    def marks(self) -> pd.DataFrame:
        """Which cells of `after` differ from `before`: (10, columns) booleans; cells of new columns do not count."""
        common = [c for c in self.after.columns if c in self.before.columns]
        marked = pd.DataFrame(False, index=self.after.index, columns=self.after.columns)
        for name in common:
            marked[name] = _differs(self.before.loc[self.after.index, name], self.after[name])
        return marked

    def sentence(self) -> str:
        """How many cells, columns and rows change."""
        n, left = self.rows
        parts = [f"{c:,} of {n:,} values of {name} change" for name, c in list(self.changed.items())[:3] if c]
        if len(self.changed) > 3:
            parts = [f"{sum(self.changed.values()):,} values in {len(self.changed)} columns change"]
        if self.new:
            parts.append(f"{count_of(len(self.new), 'new column')} ({several(list(self.new), 4)})")
        if self.gone:
            parts.append(
                f"{several(list(self.gone), 4)} replaced" if self.new else f"{several(list(self.gone), 4)} left out"
            )
        if left != n:
            parts.append(f"models are trained on {left:,} of {n:,} rows; rows to predict all stay" if left < n else
                         f"models are trained on {left:,} rows, {left - n:,} of them repeats")  # fmt: skip
        what = "; ".join(parts) or "nothing changes in these rows"
        return f"{self.step.title}: {what}. Fitted on {n:,} training rows."


def preview_step(
    data: Dataset, recipe: Recipe, protocol: Protocol, place: int, column: str | None = None
) -> StepPreview:
    """What the step at a place of a recipe does, after the steps before it; `column` is the one to draw.

    Raises BadInput for a step that the data do not allow, NotApplicable for one that acts at the end, for each model
    family.
    """
    from mlcore.features.transformers import Conform

    step = replace(recipe.steps[place], off=False)
    if is_closing(step):
        raise NotApplicable(
            f"{step.title} acts at the end, for each model family on its own. Look at what a model gets, all steps "
            "together."
        )
    rows = _training(data, recipe, protocol)
    earlier = [s for s in recipe.steps[:place] if not s.off and not is_closing(s)]
    first = recipe.sequence(earlier, data.schema, protocol.seed)
    before, kept = first.fit_rows(Conform.of(data.schema).transform(rows.frame), rows.y)
    if before.index.has_duplicates:  # of rows that an earlier step repeats
        before = before.reset_index(drop=True)
    last = recipe.sequence([step], first.schema_after(), protocol.seed)
    trained, _ = last.fit_rows(before, rows.y[kept])
    columns = step.chosen(first.schema_after())
    shown = column if column in columns else next(iter(columns), "")
    if step.works == "changes training rows only":
        target = pd.DataFrame({recipe.target: rows.labels[kept]}, index=before.index)
        return _of_rows(step, columns, before, trained, target)
    after = last.transform(before)
    made = list(last.fitted_[0]["names"].values()) if last.fitted_ else []
    related = [m for m in made if m == shown] or [m for m in made if shown in m] or made
    related = related or [shown for _ in range(shown in after.columns)]
    return _of_columns(step, (before, after), columns, made, (shown, related))


def _of_rows(
    step: Step, columns: Sequence[str], before: pd.DataFrame, trained: pd.DataFrame, target: pd.DataFrame
) -> StepPreview:
    """Of a step that leaves out or repeats training rows: the rows that it leaves out, and the target's values."""
    lost = before.index.difference(trained.index)
    index = (lost if len(lost) else before.index)[:SHOWN]
    places = before.index.get_indexer(trained.index)
    table = before.loc[index, list(columns)[:MOST_SHOWN]]
    return StepPreview(
        step=step,
        column=str(target.columns[0]),
        columns=tuple(columns),
        new=(),
        gone=(),
        changed={},
        rows=(len(before), len(trained)),
        before=table,
        after=table.loc[table.index.isin(trained.index)],
        distributions=(
            _distribution(target, list(target.columns)),
            _distribution(target.iloc[places], list(target.columns)),
        ),
    )


def _of_columns(
    step: Step,
    frames: tuple[pd.DataFrame, pd.DataFrame],
    columns: Sequence[str],
    made: list[str],
    drawn: tuple[str, list[str]],
) -> StepPreview:
    """Of a step that changes columns; `drawn` are the column whose distribution is shown, and what it becomes."""
    before, after = frames
    differs = {c: _differs(before[c], after[c]) for c in made if c in before.columns}
    new = [c for c in made if c not in before.columns]
    index = before.index[_of_interest(differs, after[new])]
    order = before[drawn[0]] if drawn[0] and before[drawn[0]].dtype.kind == "f" else None
    kept = list(dict.fromkeys(c for c in (*made, *columns) if c in after.columns))
    return StepPreview(
        step=step,
        column=drawn[0],
        columns=tuple(columns),
        new=tuple(new),
        gone=tuple(c for c in columns if c not in after.columns),
        changed={c: int(d.sum()) for c, d in differs.items()},
        rows=(len(before), len(after)),
        before=before.loc[index, list(columns)[:MOST_SHOWN]],
        after=after.loc[index, kept[:MOST_SHOWN]],
        distributions=(_distribution(before, [drawn[0]] if drawn[0] else []), _distribution(after, drawn[1], order)),
    )


def _of_interest(differs: dict[str, pd.Series], new: pd.DataFrame) -> Array:
    """Positions of ten rows with a changed cell, or with something else than 0 in a new column; else the first ten."""
    active = np.zeros(len(new), bool)
    for mask in differs.values():
        active |= mask.to_numpy()
    if not active.any():
        active = (new.notna() & (new != 0)).any(axis=1).to_numpy()
    return (np.flatnonzero(active) if active.any() else np.arange(len(new)))[:SHOWN]


def _differs(before: pd.Series, after: pd.Series) -> pd.Series:
    """Where two columns of equal rows differ; two missing values are equal, and 3.0 is 3."""
    if before.dtype.kind == "f" and after.dtype.kind == "f":
        same = np.isclose(before.to_numpy(), after.to_numpy(), rtol=1e-12, atol=0, equal_nan=True)
        return pd.Series(~same, index=before.index)
    same = (before.astype(object) == after.astype(object)) | (before.isna() & after.isna())
    return ~same


def _distribution(frame: pd.DataFrame, names: Sequence[str], order: pd.Series | None = None) -> Distribution:
    """Bars of one column by its values, or of several by their means; `order` puts categories in that of a number."""
    if not names:
        return Distribution(title="nothing", labels=("left out",), heights=(float(len(frame)),))
    if len(names) > 1:
        means = [
            (n, float(np.nanmean(v)))
            for n in names[:MOST_BARS]
            if (v := frame[n]).dtype.kind == "f" and v.notna().any()
        ]
        if means:
            rest = "" if len(names) <= MOST_BARS else f", the first {MOST_BARS} of {len(names)}"
            return Distribution(
                title=f"new columns{rest}", labels=tuple(n for n, _ in means), heights=tuple(m for _, m in means),
                unit="mean",
            )  # fmt: skip
    values = frame[names[0]]
    labels, heights = _bars(values, order)
    if missing := int(values.isna().sum()):
        labels, heights = [*labels, "missing"], [*heights, missing]
    return Distribution(title=names[0], labels=tuple(labels), heights=tuple(map(float, heights)))


def _bars(values: pd.Series, order: pd.Series | None = None) -> tuple[list[str], list[Any]]:
    known = values.dropna()
    if known.dtype.kind in "fM" and known.nunique() > MOST_BARS:
        heights, edges = np.histogram(as_values(known), bins=MOST_BINS)
        return edge_words(known, edges[:-1].tolist()), heights.tolist()
    text = as_categories(known)
    counts = text.value_counts()
    rank = known if known.dtype.kind in "fM" else order  # numbers in their order, and bins in that of their number
    if rank is not None:
        counts = counts.loc[rank.reindex(known.index).groupby(text).mean().reindex(counts.index).sort_values().index]
    labels, bars = [str(v) for v in counts.index[:MOST_BARS]], counts.iloc[:MOST_BARS].tolist()
    if (rest := len(counts) - MOST_BARS) > 0:
        labels, bars = [*labels, f"{rest} others"], [*bars, int(counts.iloc[MOST_BARS:].sum())]
    return labels, bars


# a recipe on another file ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A step that a file does not allow: its place from 1, its title and the error that it raises."""

    place: int
    title: str
    error: HoldoutError

    def sentence(self) -> str:
        """The step and the reason."""
        return f"Step {self.place} ({self.title}): {self.error}"


def mismatches(data: Dataset, recipe: Recipe, protocol: Protocol) -> tuple[Mismatch, ...]:
    """The steps of a recipe that a file does not allow, each with its reason: a column is missing or of another kind.

    Each step is tried on a few training rows, after the steps before it that fit.
    """
    from mlcore.features.transformers import Conform

    rows = _training(data, recipe, protocol, CHECKED_ON)
    frame, y, schema = Conform.of(data.schema).transform(rows.frame), rows.y, data.schema
    out: list[Mismatch] = []
    for place, step in enumerate(recipe.steps, start=1):
        if step.off or is_closing(step):
            continue
        sequence = recipe.sequence([step], schema, protocol.seed)
        try:
            made, kept = sequence.fit_rows(frame, y)
        except HoldoutError as error:
            out.append(Mismatch(place=place, title=step.title, error=error))
            continue
        frame, y, schema = made, y[kept], sequence.schema_after()
    return tuple(out)


def without_mismatches(recipe: Recipe, wrong: Sequence[Mismatch]) -> Recipe:
    """The recipe without the steps that a file does not allow."""
    places = {m.place for m in wrong}
    return recipe.with_steps([s for i, s in enumerate(recipe.steps, start=1) if i not in places])


def check_fits(data: Dataset, recipe: Recipe, protocol: Protocol) -> None:
    """Raise the error of a step that a file does not allow, or BadInput with the reasons of several."""
    wrong = () if _is_plainly_fitting(recipe, data.schema) else mismatches(data, recipe, protocol)
    if len(wrong) == 1:
        raise wrong[0].error
    if wrong:
        raise BadInput(
            f"{len(wrong)} steps of the recipe do not fit this file. Leave them out or name other columns. "
            + " ".join(m.sentence() for m in wrong)
        )


def _is_plainly_fitting(recipe: Recipe, schema: Schema) -> bool:
    """Whether all columns that the steps name are in the file, and of the right kind; made ones are not looked for."""
    features = schema.features()
    try:
        for step in recipe.acting(schema):
            step.chosen(features)
    except HoldoutError:
        return False
    return True
