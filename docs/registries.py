"""Write `docs/registries.md`: every name that an option takes, from the registries themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlcore.checks.registry import CHECKS
from mlcore.experiment.search import METHODS
from mlcore.explore import bivariate, univariate
from mlcore.features.steps import STEPS
from mlcore.ingest.samples import SAMPLES
from mlcore.models.catalogue import MODELS
from mlcore.validation.metrics import METRICS

PAGE = Path(__file__).with_name("registries.md")


def table(heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(str(c).replace("|", "\\|") for c in line) + " |" for line in lines) + "\n"


def code(name: object) -> str:
    """A name as it is typed."""
    return f"`{name}`"


def sections() -> Iterable[str]:
    """The page, section by section."""
    yield "# Models, metrics, steps and charts\n\nWritten by `make docs` from the registries in the code.\n"
    yield "## Models\n\nFor `models`, `tune` and `parameters` of `mlcore.compare`.\n"
    yield table(
        ("name", "model", "for", "idea"), ((code(m.name), m.title, ", ".join(m.tasks), m.note.idea) for m in MODELS)
    )
    yield "## Hyperparameters\n\nFor `parameters`; those marked are searched by `tune`.\n"
    rows = ((code(m.name), code(p.name), p.label, p.default, p.allowed(), "yes" if p.search or p.choices else "")
            for m in MODELS for p in m.parameters)  # fmt: skip
    yield table(("model", "name", "parameter", "default", "allowed", "searched"), rows)
    yield "## Metrics\n\nFor `metric`.\n"
    yield table(("name", "metric", "for", "better"), ((code(m.name), m.title, ", ".join(m.tasks),
                "higher" if m.higher_is_better else "lower") for m in METRICS))  # fmt: skip
    yield (
        '## Feature steps\n\nFor `recipe`, as `{"steps": [{"step": NAME, "columns": [...], option: value}]}`, in their '
        "order. Without\n`columns` a step works on all columns that it is for.\n"
    )
    yield table(
        ("name", "options", "step", "what it does"),
        (
            (code(name), ", ".join(map(code, step.options())), step.title, (step.__doc__ or "").split("\n")[0])
            for name, step in STEPS.items()
        ),
    )
    yield "## Search methods\n\nFor `Search(method=...)`.\n"
    yield table(("name", "method"), ((code(n), words) for n, words in METHODS.items()))
    yield "## Checks\n\nThe codes of alerts.\n"
    yield table(("code", "what it finds"), ((", ".join(map(code, c.codes)), c.help.what) for c in CHECKS))
    yield "## Charts\n"
    yield table(("name", "chart", "of"), [
        *((code(s.name), s.title, "one column") for s in univariate.SHAPES),
        *((code(s.name), s.title, "two columns") for s in bivariate.SHAPES)])  # fmt: skip
    yield "## Sample data\n"
    yield table(("name", "about"), ((code(s.name), s.title) for s in SAMPLES))


def page() -> str:
    """The whole page."""
    return "\n".join(sections())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
