from __future__ import annotations

import pytest

from mlcore.api import has_fast_library
from mlcore.errors import BadInput
from tests.helpers import compare_here


def test_intel_extension_is_refused_where_it_is_not_installed(mixed):
    if has_fast_library():
        pytest.skip("it is installed here")
    with pytest.raises(BadInput, match="scikit-learn-intelex"):
        compare_here(mixed, "two", models=["logistic"], fast=True)
