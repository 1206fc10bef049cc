"""The architecture: few files at the top, no import circles, heavy libraries late, the screen apart from the core."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(p for folder in ("mlcore", "ui", "pages") for p in (ROOT / folder).rglob("*.py"))
HEAVY = {"sklearn", "scipy", "xgboost", "lime", "seaborn", "matplotlib", "skops", "optuna", "imblearn"}
SLOW = HEAVY | {
    "numpy",
    "pandas",
    "duckdb",
    "pyarrow",
    "plotly",
    "joblib",
    "sklearnex",
    "python_calamine",
    "snowballstemmer",
    "charset_normalizer",
    "sqlalchemy",
    "s3fs",
}
# Our own modules that subclass classes of scikit-learn: importing them imports it.
SUBCLASSING = {
    "mlcore.features.transformers",
    "mlcore.features.target_means",
    "mlcore.features.text_columns",
    "mlcore.models.wrappers",
    "mlcore.models.label_encoding",
}
DRAWINGS = {"mlcore.charts"}  # `Result.figure` imports them when something is drawn


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(p): p for p in FILES}


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text("utf-8"))


def imported(node: ast.AST) -> list[str]:
    """The modules that a statement imports; `from package import module` counts as the module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        full = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in MODULES else node.module for name in full]
    return []


@cache
def edges(name: str) -> set[str]:
    """The modules of ours that a module imports anywhere, late and for type checking alike."""
    return {m for node in ast.walk(tree_of(name)) for m in imported(node) if m in MODULES and m != name}


def late_imports(name: str) -> set[str]:
    """The modules that a module imports inside a function."""
    functions = [n for n in ast.walk(tree_of(name)) if isinstance(n, ast.FunctionDef | ast.Lambda)]
    found = {m for f in functions for node in ast.walk(f) for m in imported(node)}
    called = [
        node.args[0].value
        for f in functions
        for node in ast.walk(f)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module"
        and node.args and isinstance(node.args[0], ast.Constant)
    ]  # fmt: skip
    return found | set(called)


def circles() -> list[set[str]]:
    """Groups of modules that import each other in a circle: strongly connected components of more than one module."""
    reach: dict[str, set[str]] = {}
    for start in MODULES:
        seen: set[str] = set()
        todo = [start]
        while todo:
            for name in edges(todo.pop()) - seen:
                seen.add(name)
                todo.append(name)
        reach[start] = seen
    groups = [{a, *(b for b in reach[a] if a in reach[b])} for a in MODULES if a in reach[a]]
    return [g for i, g in enumerate(groups) if g not in groups[:i]]


def test_there_are_modules_to_look_at():
    assert {"mlcore.api", "ui.shell", "pages.data"} <= set(MODULES)
    assert "mlcore.comparison.leaderboard" in edges("mlcore.run")
    assert "sklearn.compose" in late_imports("mlcore.features.encode")


def test_no_modules_import_each_other_in_a_circle():
    assert circles() == []


def test_few_files_stand_at_the_top():
    assert len(list((ROOT / "mlcore").glob("*.py"))) <= 8


@pytest.mark.parametrize("name", list(MODULES))
def test_late_imports_are_of_heavy_libraries_only(name):
    own = {m for m in late_imports(name) if m.split(".")[0] in ("mlcore", "ui", "pages")}
    third_party = {m for m in late_imports(name) - own if m.split(".")[0] not in sys.stdlib_module_names}
    assert own <= SUBCLASSING | DRAWINGS
    assert {m.split(".")[0] for m in third_party} <= SLOW


@pytest.mark.parametrize("name", [m for m in MODULES if m not in SUBCLASSING])
def test_no_module_imports_a_heavy_library_at_its_top(name):
    for node in tree_of(name).body:
        assert not {m.split(".")[0] for m in imported(node)} & HEAVY
        assert not set(imported(node)) & SUBCLASSING


@pytest.mark.parametrize("name", [m for m in MODULES if m != "mlcore"])  # `mlcore` itself is lazy and needs it
def test_no_module_of_ours_is_imported_for_type_checking_only(name):
    """Such an import is a tie between modules that does not show at run time."""
    blocks = [n for n in tree_of(name).body if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    assert not {m for block in blocks for node in ast.walk(block) for m in imported(node)} & set(MODULES)


# in a fresh interpreter -----------------------------------------------------------------------------------------------


def loaded_after(imports: str) -> set[str]:
    code = f"import sys\n{imports}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def all_of(package: str, without: set[str] = frozenset()) -> str:
    return "import " + ", ".join(m for m in MODULES if m.split(".")[0] == package and m not in without)


def test_the_core_does_not_know_the_screen():
    core = all_of("mlcore", {m for m in MODULES if m.startswith("mlcore.charts")})
    assert loaded_after(core).isdisjoint({"streamlit", "ui", "pages", "plotly"})


def test_starting_the_dashboard_imports_nothing_heavy():
    loaded = loaded_after(all_of("ui"))
    assert "streamlit" in loaded  # else this test would look at nothing
    assert loaded.isdisjoint(HEAVY)


def test_the_command_starts_with_little():
    assert loaded_after("import mlcore.cli").isdisjoint(SLOW | {"streamlit"})


def test_only_charts_load_plotly():
    assert "plotly" in loaded_after("import mlcore.charts.style")
