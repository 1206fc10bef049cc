"""A candidate: a catalogue row with hyperparameters, a rule, a search, or a person's own estimator."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mlcore.data.dataset import Schema
from mlcore.errors import BadChoice, BadInput
from mlcore.experiment.search import Search
from mlcore.models import catalogue, storage
from mlcore.models.builders import Setting
from mlcore.models.catalogue import Family, Model
from mlcore.models.parameters import Parameter
from mlcore.models.rules import Rule
from mlcore.validation.metrics import Task

OWN_FAMILIES: tuple[Family, ...] = ("linear", "plain", "tree", "raw")
OWN_COST = 2.0  # assumed processor seconds of an own estimator's fit at 50,000 rows


@dataclass(frozen=True)
class Candidate:
    """One of the models of a comparison. Make one with `of`, `named` or `ruled`.

    >>> Candidate.named("knn", "binary", n_neighbors=5).label
    'Nearest neighbours'
    """

    model: str
    parameters: tuple[tuple[str, Any], ...] = ()
    title: str = ""
    digest: str = ""  # of a person's own estimator, so that experiments with different ones differ
    estimator: Any = field(default=None, compare=False, repr=False)
    rule: Rule | None = None
    search: Search | None = None  # its best hyperparameters are searched for inside each training fold
    takes: Family = "linear"  # what the features of a person's own estimator look like

    @classmethod
    def named(cls, name: str, task: Task, **parameters: Any) -> Candidate:
        """A row of the catalogue with some hyperparameters. Raises BadChoice for an unknown model, BadInput."""
        row = catalogue.model(name, task)
        return cls(name, tuple(sorted(row.checked(task, parameters).items())), row.title)

    @classmethod
    def ruled(cls, rule: Rule | dict[str, Any]) -> Candidate:
        """A person's own rule, as `Rule` or as its plain data. Raises BadInput."""
        return cls(catalogue.RULE, (), "Your rule", rule=rule if isinstance(rule, Rule) else Rule.from_json(rule))

    @classmethod
    def of(cls, name: str, estimator: Any, family: Family = "linear") -> Candidate:
        """Any scikit-learn-compatible estimator. Its class must be importable.

        It may have the name of a model of the catalogue and then replaces it; `dummy` is always the baseline. `family`
        says what its features look like: "linear" (standardised numbers), "plain" (numbers in their own units), "tree"
        (ordinal codes, missing values left) or "raw" (the columns as they are, for a Pipeline of your own).
        Raises BadInput, BadChoice.
        """
        import skops.io

        reserved = (catalogue.RULE, catalogue.BLEND)
        if not _is_name(name) or name in reserved:
            raise BadInput(f"{name!r} cannot name a model: use letters, digits, _ and -, and not 'rule' or 'blend'.")
        if family not in OWN_FAMILIES:
            raise BadChoice.of("family of features", family, OWN_FAMILIES)
        if type(estimator).__module__ == "__main__":
            raise BadInput(
                f"{type(estimator).__name__} is defined in the script that runs. Move it to a module, so that the "
                "process that fits it can import it."
            )
        text = json.dumps(_parameters_text(estimator), sort_keys=True)
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        skops.io.dumps(estimator)  # fails here, in the caller's process, rather than in the run
        return cls(name, (), name, digest, estimator, takes=family)

    # what it is ---------------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.title or self.model

    @property
    def row(self) -> Model | None:
        """Its row of the catalogue; None for a person's own estimator."""
        return None if self.digest else catalogue.model(self.model)

    @property
    def is_baseline(self) -> bool:
        """Whether it is the baseline."""
        return self.row is not None and self.row.role == "baseline"

    @property
    def is_blend(self) -> bool:
        """Whether it is the blend of the others."""
        return self.row is not None and self.row.role == "blend"

    @property
    def blends(self) -> bool:
        """Whether it may be a member of the blend."""
        return self.row is None or self.row.blends

    @property
    def family(self) -> Family:
        """What its features look like."""
        return self.takes if self.row is None else self.row.family

    @property
    def needs_encoding(self) -> bool:
        """Whether its features are encoded columns."""
        return self.family not in ("none", "raw")

    @property
    def is_instant(self) -> bool:
        """Whether its fit takes next to no time: the baseline, a rule."""
        return self.row is not None and not self.needs_encoding

    @property
    def cost(self) -> float:
        """About how long a fit takes, for the order of work."""
        once = OWN_COST if self.row is None else self.row.cost
        return once * (1 if self.search is None else self.search.fits)

    @property
    def most_rows(self) -> int | None:
        """How many rows it is trained on at most."""
        return None if self.row is None else self.row.most_rows

    @property
    def unlabelled(self) -> bool:
        """Whether it also learns from rows whose target is missing."""
        return self.row is not None and self.row.unlabelled

    # its hyperparameters ------------------------------------------------------------------------------------------

    def tuned(self, search: Search, task: Task) -> Candidate:
        """The candidate with its hyperparameters searched. Raises BadInput when it has none to search."""
        candidate = replace(self, search=search.checked())
        if not candidate.space(task):
            raise BadInput(f"{self.label} has no parameters to search.")
        return candidate

    def space(self, task: Task) -> tuple[Parameter, ...]:
        """The hyperparameters that are searched; those set by hand stay, unless the search names them."""
        if self.row is None or self.rule is not None or self.search is None:
            return ()
        fixed = set(dict(self.parameters)) - set(self.search.parameters)
        return tuple(p for p in self.search.space(self.row, task) if p.name not in fixed)

    def resolved(self, task: Task) -> dict[str, Any]:
        """All its hyperparameters, defaults included; none for an own estimator."""
        return {} if self.row is None else {**self.row.defaults(task), **dict(self.parameters)}

    # warm start ---------------------------------------------------------------------------------------------------

    @property
    def grows(self) -> str:
        """How trees can be added: "forest", "booster", or "" where they cannot."""
        return self.row.trees.kind if self.row is not None and self.row.trees is not None else ""

    @property
    def trees_parameter(self) -> str:
        """The hyperparameter that counts its trees; "" where there are none."""
        return self.row.trees.parameter if self.row is not None and self.row.trees is not None else ""

    @property
    def stores_fast(self) -> bool:
        """Whether skops can store it as scikit-learn-intelex fits it; that is true of forests only."""
        return self.grows == "forest"

    def can_continue(self, estimator: Any) -> bool:
        """Whether a fitted estimator of it can be continued; not where each tree draws its own rows or columns."""
        if self.row is None or self.row.trees is None:
            return False
        chosen = dict(self.parameters)
        resamples = any(chosen.get(name, 1.0) < 1 for name in self.row.trees.resampled_by)
        able = hasattr(estimator, "continue_from") or "warm_start" in estimator.get_params(deep=False)
        return able and not resamples

    # building -----------------------------------------------------------------------------------------------------

    def build(self, setting: Setting, folder: Path) -> Any:
        """A fresh, unfitted estimator. `folder` is the run's, where a person's own estimators are stored."""
        if self.row is not None:
            estimator = self.row.build(setting, self.resolved(setting.task))
            if self.rule is not None:
                rule = self.rule.coded(setting.labels) if setting.labels else self.rule
                estimator.set_params(rule=rule.to_json())
            return estimator
        from sklearn.base import clone

        own = clone(storage.load(folder / "estimators" / f"{self.model}.skops"))
        return own if setting.task == "regression" else self.with_encoded_labels(own)

    def with_encoded_labels(self, estimator: Any) -> Any:
        """A classifier that is fitted on codes and answers in labels."""
        from mlcore.models.label_encoding import LabelEncoding

        return estimator if isinstance(estimator, LabelEncoding) else LabelEncoding(estimator)

    def checked(self, schema: Schema, task: Task) -> Candidate:
        """The candidate with its rule fitted to the columns, if it can do the task. Raises BadInput."""
        if self.estimator is not None and task != "regression":
            from sklearn.base import is_regressor

            if is_regressor(self.estimator):
                raise BadInput(f"{self.model!r} is a regressor, but the target has classes. Give a classifier.")
        if self.rule is None:
            return self
        answers = None if task == "regression" else [str(a) for a in self.rule.answers()]  # classes are not read yet
        return replace(self, rule=self.rule.checked(schema, answers))

    # as plain data ------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "model": self.model,
            "title": self.title,
            "parameters": dict(self.parameters),
            "digest": self.digest,
            "rule": self.rule.to_json() if self.rule else None,
            "search": asdict(self.search) if self.search else None,
            "takes": self.takes,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Candidate:
        """Rebuild from plain data; an own estimator is loaded from the run's folder when it is built."""
        rule, search = data.get("rule"), data.get("search")
        if not _is_name(data["model"]):
            raise BadInput(f"{data['model']!r} cannot name a model: use letters, digits, _ and -.")
        return cls(
            data["model"],
            tuple(sorted(data["parameters"].items())),
            data["title"],
            data["digest"],
            rule=Rule.from_json(rule) if rule else None,
            search=Search.from_json(search) if search else None,
            takes=data.get("takes", "linear"),
        )


def _is_name(name: Any) -> bool:
    """Whether a name may name a model, and so its files."""
    return isinstance(name, str) and bool(re.fullmatch(r"[\w\-]{1,120}", name))


def _parameters_text(estimator: Any) -> dict[str, str]:
    return {
        "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        **{k: repr(v) for k, v in estimator.get_params(deep=True).items()},
    }


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which models are compared: names or candidates, or a preset; with hyperparameters, a rule and searches."""

    models: Sequence[str | Candidate] | None = None
    preset: str = "standard"
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)  # by model
    rule: Rule | dict[str, Any] | None = None
    tune: Sequence[str] | str = ()  # models whose hyperparameters are searched, or "all"
    search: Search | None = None  # how; the default is 20 trials of the Bayesian search

    def candidates(self, task: Task) -> list[Candidate]:
        """The candidates for a task. Raises BadChoice, BadInput."""
        preset = catalogue.of_preset(self.preset, task)
        chosen: Sequence[str | Candidate] = preset if self.models is None else self.models
        written = self.rule is not None
        self._check_names([m for m in chosen if isinstance(m, str) and not (m == catalogue.RULE and written)])
        candidates = [
            m if isinstance(m, Candidate) else Candidate.named(m, task, **self.parameters.get(m, {})) for m in chosen
        ]
        if self.rule is not None:
            candidates = [Candidate.ruled(self.rule), *(c for c in candidates if c.model != catalogue.RULE)]
        return [self._tuned(c, task) for c in candidates] if self._tuned_names else candidates

    def needs_regression(self) -> bool:
        """Whether some model that is named needs a continuous target."""
        named = [m for m in self.models or () if isinstance(m, str) and m in catalogue.names()]
        return any(catalogue.model(m).tasks == ("regression",) for m in named)

    @property
    def _tuned_names(self) -> Sequence[str]:
        """The models to be searched, or ("all",)."""
        return (self.tune,) if isinstance(self.tune, str) and self.tune else self.tune

    def _check_names(self, names: list[str]) -> None:
        """Raise BadChoice or BadInput for options naming a model that is not in `names`."""
        everything = "all" in self._tuned_names
        for name in (*self.parameters, *(() if everything else self._tuned_names)):
            if name not in names:
                raise BadChoice.of("model of the catalogue in this comparison", name, sorted(names))
        if self.search is not None and not self._tuned_names:
            raise BadInput("A search is described, but no model is searched. Name models with tune, or all.")
        if self.search is not None and everything and self.search.parameters:
            raise BadInput("A search can name parameters for one model, not for all. Leave out its parameters.")

    def _tuned(self, candidate: Candidate, task: Task) -> Candidate:
        """The candidate with a search, if it is among those to be tuned."""
        search = self.search or Search()
        if "all" in self._tuned_names:
            tuned = replace(candidate, search=replace(search.checked(), parameters=()))
            return tuned if tuned.space(task) else candidate
        return candidate.tuned(search, task) if candidate.model in self._tuned_names else candidate
