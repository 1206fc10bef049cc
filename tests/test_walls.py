"""The walls between the rooms, seen from a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("sklearn", "scipy", "xgboost", "lime", "seaborn", "matplotlib", "skops")
SCREEN = ("streamlit", "ui", "pages", "plotly")


def loaded_after(imports: str) -> set[str]:
    code = f"import sys\n{imports}\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_core_knows_no_screen():
    everything = (
        "import mlcore, mlcore.cli, mlcore.samples, mlcore.profile, mlcore.explore, mlcore.compare, mlcore.evaluate, "
        "mlcore.explain.lime, mlcore.features.preview, mlcore.compare.worker, mlcore.ingest.child"
    )
    assert loaded_after(everything).isdisjoint(SCREEN)


def test_start_up_imports_nothing_heavy():
    found = loaded_after("import mlcore.cli, mlcore.samples, ui.shell, ui.opening, ui.jobs, ui.columns, ui.widgets")
    assert "streamlit" in found  # else this test would look at nothing
    assert found.isdisjoint(HEAVY)


def test_only_charts_loads_plotly():
    assert "plotly" in loaded_after("import mlcore.charts.style")
    assert "plotly" not in loaded_after("import mlcore.explore, mlcore.evaluate, mlcore.compare.run")


def test_all_public_names_exist():
    import mlcore

    assert all(hasattr(mlcore, name) for name in mlcore.__all__)
