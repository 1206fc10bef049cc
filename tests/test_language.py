"""The words on the screen are the field's: docs/glossary.md decides, and no phrase that it replaces is left."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = sorted(p for folder in ("mlcore", "ui", "pages") for p in (ROOT / folder).rglob("*.py"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "docs" / "architecture.md",
             ROOT / "docs" / "registries.md"]  # fmt: skip

# Each is a phrase that a native reader stumbles over, and what stands there instead.
STUMBLES = {
    r"(?<!there )\b(is|are|was|were) no (?!longer|more|better|worse|holdout\b)[a-z]+[ .]": "is not a …",
    r"\ba row a column\b|\bone row a\b|\ba bar a\b": "one row per column",
    r"\btold apart\b|\btell (them|it) apart\b": "differ significantly",
    r"\bknobs?\b": "hyperparameter",
    r"\bby heart\b": "memorised",
    r"\bthat learn from rows\b": "that are fitted to rows",
    r"\b(go|goes|gone|going) on with\b|\bbroke off\b": "resume, was interrupted",
    r"\bmiddle half\b": "interquartile range",
    r"\bgives? (it|the target|the answer|itself) away\b": "target leakage",
    r"\bsettled?\b": "resolved, final, decided",
    r"(?<!`)\bquantit(y|ies)\b": "a number, a continuous target",
    r"\bsealed?\b|\blocked\b": "holdout, set aside",
    r"\bbeside\b": "with, next to, compared with",
    r"\bmend(s|ed)?\b": "fix",
    r"\b(missing|known|empty|filled) cells?\b|\bcells? (is|are) missing\b|\bsame cells\b": "value",
    r"\bdid not see\b|\bhas not seen\b|\bunseen rows\b": "was not trained on",
    r"\bfalse alarms?\b": "false positive",
    r"\bfor paper\b": "for print",
    r"\bas it is to be\b|\bof its own accord\b": "say it directly",
}
KEPT = re.compile(r"beside the (chart|table)|cell that begins like a formula|table cell", re.IGNORECASE)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The sentences of a module: its string constants that are prose; names, keys and patterns are not."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        parts: list[ast.AST] = node.values if isinstance(node, ast.JoinedStr) else [node]
        text = " ".join(p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str))
        if isinstance(node, ast.Constant | ast.JoinedStr) and re.search(r"[a-z]+ [a-z]+ [a-z]+", text):
            yield node.lineno, text


def stumbles(text: str) -> list[str]:
    text = KEPT.sub("", text)
    return [f"{found.group(0)!r}: write {better}" for pattern, better in STUMBLES.items()
            if (found := re.search(pattern, text, re.IGNORECASE))]  # fmt: skip


def test_the_patterns_find_what_they_are_for():
    assert stumbles("A tree is no model.")
    assert stumbles("The two cannot be told apart.")
    assert not stumbles("The order is no longer final.")


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_sentences_in_the_code_use_the_words_of_the_field(path):
    assert [(line, s, text[:90]) for line, text in texts(path) for s in stumbles(text)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_documents_use_the_words_of_the_field(path):
    lines = path.read_text("utf-8").splitlines()
    assert [(n, s, line[:90]) for n, line in enumerate(lines, 1) for s in stumbles(line)] == []


VAGUE = {"told", "seen", "said", "found", "beside", "closer", "knob", "knobs"}


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_in_the_code_are_nouns_of_the_field(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names |= {
            getattr(node, field)
            for field in ("id", "attr", "name", "arg")
            if isinstance(getattr(node, field, None), str)
        }
    assert {n for n in names if VAGUE & set(n.strip("_").split("_"))} == set()
