"""The examples of docstrings run, and everything that is promised has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import mlcore

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(m.name for m in pkgutil.walk_packages(mlcore.__path__, "mlcore."))


def examples(module: str) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder().find(importlib.import_module(module))
    return [test for test in found if test.examples]


@pytest.mark.slow
@pytest.mark.parametrize("module", ["mlcore", *MODULES])
def test_examples_of_docstrings_run(module, monkeypatch, churn):
    monkeypatch.chdir(ROOT)  # they name files of sample_data
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in examples(module):
        test.globs.update(mlcore=mlcore, data=churn)
        report: list[str] = []
        assert not runner.run(test, out=report.append).failed, "".join(report)


@pytest.mark.parametrize("name", [n for n in mlcore.__all__ if n not in ("METRICS", "MODELS")])
def test_every_public_name_has_a_docstring_with_an_example(name):
    (docstring,) = [t for t in doctest.DocTestFinder(recurse=False).find(getattr(mlcore, name), name)]
    assert len(docstring.docstring.splitlines()) > 1
    assert docstring.examples, f"{name} has no example"


@pytest.mark.parametrize("name", ["compare", "stress_test", "step_ledger"])
def test_every_option_of_compare_is_explained(name):
    function = getattr(mlcore, name)
    for option in inspect.signature(function).parameters:
        assert re.search(rf"^ *(\w+, )*{option}(, \w+)*$", function.__doc__, re.MULTILINE), option
