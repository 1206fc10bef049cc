from __future__ import annotations

import numpy as np
import pytest

from mlcore import explore


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations_equal_pandas(data, frame, method):
    found = explore.correlations(data, method)
    np.testing.assert_allclose(found.values, frame[list(found.names)].corr(method), atol=1e-9)
