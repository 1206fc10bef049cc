"""Steps that a table suggests, from its alerts and its columns; each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from mlcore.errors import HoldoutError
from mlcore.explore.profile import Profile
from mlcore.features.recipe import Recipe, is_closing
from mlcore.features.steps.base import Step
from mlcore.features.steps.categories import Encode
from mlcore.features.steps.dates import Dates
from mlcore.features.steps.missing import Missing
from mlcore.features.steps.numeric import Transform
from mlcore.features.steps.outliers import Clip
from mlcore.features.steps.selection import Select
from mlcore.features.steps.text import Url
from mlcore.wording import several

MOST = 5
LOOKED_AT = 50  # values of a column that are looked at, to see whether they are web addresses


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A step, why it may help, and the columns that it would change."""

    step: Step
    reason: str
    columns: tuple[str, ...] = ()

    def words(self) -> str:
        """What the step would do, and to which columns."""
        return self.step.words(list(self.columns))


def _missingness(profile: Profile) -> Iterator[Suggestion]:
    for alert in _of(profile, "informative_missingness"):
        yield Suggestion(step=Missing(indicator=True), reason=alert.text)


def _long_tails(profile: Profile) -> Iterator[Suggestion]:
    """A logarithm where no value is negative, otherwise a power transform."""
    skewed = [c for a in _of(profile, "skew") for c in a.columns]
    positive = {c.name for c in profile.columns if c.quartiles and _low(c.minimum) >= 0}
    reason = "{} skewed: a few large values outweigh the rest in linear models."
    for names, method in (
        ([n for n in skewed if n in positive], "log"), ([n for n in skewed if n not in positive], "power"),
    ):  # fmt: skip
        if names:
            verb = "is" if len(names) == 1 else "are"
            yield Suggestion(
                step=Transform(columns=tuple(names), method=method), reason=reason.format(f"{several(names)} {verb}")
            )


def _low(text: str | None) -> float:
    try:
        return float((text or "").replace(",", "").replace("−", "-"))
    except ValueError:
        return float("-inf")


def _stray_values(profile: Profile) -> Iterator[Suggestion]:
    for alert in _of(profile, "outliers"):
        yield Suggestion(step=Clip(columns=alert.columns), reason=alert.text)


def _rare(profile: Profile) -> Iterator[Suggestion]:
    for alert in _of(profile, "rare_categories"):
        yield Suggestion(step=Encode(min_rows=10), reason=alert.text)


def _periods(profile: Profile) -> Iterator[Suggestion]:
    dates = profile.dataset.schema.features().named("datetime")
    if len(dates) > 1:
        yield Suggestion(
            step=Dates(differences=True),
            reason=f"{several(dates)} are dates: the days between them often say more than the dates.",
        )


def _addresses(profile: Profile) -> Iterator[Suggestion]:
    schema = profile.dataset.schema.features()
    names = [c.name for c in schema if c.kind in ("text", "categorical")]
    sample = profile.dataset.frame(names, range(min(LOOKED_AT, profile.dataset.rows))) if names else None
    urls = [n for n in names if sample is not None and _are_addresses(sample[n].dropna())]
    if urls:
        yield Suggestion(step=Url(columns=tuple(urls)), reason=f"{several(urls)}: the values are web addresses.")


def _are_addresses(values: Iterable[object]) -> bool:
    texts = [str(v) for v in values]
    return bool(texts) and sum(t.startswith(("http://", "https://", "www.")) for t in texts) > 0.8 * len(texts)


def _twins(profile: Profile) -> Iterator[Suggestion]:
    for alert in _of(profile, "correlated_features"):
        yield Suggestion(step=Select(method="correlated"), reason=alert.text)


def _noise(profile: Profile) -> Iterator[Suggestion]:
    for alert in _of(profile, "wide"):
        yield Suggestion(step=Select(method="random_column"), reason=alert.text)


def _of(profile: Profile, code: str) -> Iterator:  # type: ignore[type-arg]
    return (a for a in profile.alerts if a.code == code)


SUGGESTIONS: tuple[Callable[[Profile], Iterator[Suggestion]], ...] = (
    _missingness, _addresses, _periods, _noise, _long_tails, _stray_values, _twins, _rare,
)  # fmt: skip


def suggestions(profile: Profile, recipe: Recipe) -> tuple[Suggestion, ...]:
    """At most five steps that the recipe does not have, in the order in which they act.

    The profile is that of training rows, with the alerts of the target.
    """
    offered = [s for make in SUGGESTIONS for s in make(profile) if not _has(recipe, s.step)]
    scoped = [replace(s, columns=_scope(s.step, profile)) for s in offered]
    return tuple([s for s in scoped if s.columns][:MOST])


def _scope(step: Step, profile: Profile) -> tuple[str, ...]:
    """The columns that a step would change; none where the data do not allow it."""
    schema = profile.dataset.schema.features()
    try:
        names = step.chosen(schema)
    except HoldoutError:
        return ()
    return tuple(n for n in names if schema[n].missing or not isinstance(step, Missing))


def with_suggestions(recipe: Recipe, chosen: Iterable[Suggestion]) -> Recipe:
    """The recipe with these steps at its end."""
    for suggestion in chosen:
        recipe = recipe.with_step(suggestion.step)
    return recipe


def _has(recipe: Recipe, step: Step) -> bool:
    """Whether a recipe already does about this; a step that is switched off was decided against."""
    kin = [s for s in recipe.steps if type(s) is type(step)]
    if is_closing(step):
        return any(is_closing(s) for s in kin)
    return any(s.columns == "auto" or step.columns == "auto" or set(s.columns) & set(step.columns) for s in kin)
