from __future__ import annotations

import numpy as np
import pytest

from mlcore import explore
from mlcore.errors import NotApplicable
from mlcore.explore.association import correlation_ratio, cramers_v


def test_association_measures():
    assert cramers_v(np.array([[50, 0], [0, 50]])) == pytest.approx(1, abs=0.02)
    assert cramers_v(np.array([[25, 25], [25, 25]])) == 0
    assert cramers_v(np.array([[9, 4]])) is None
    # Two groups with means 1 and 3 and no spread inside: all variance is between them.
    assert correlation_ratio(np.array([0, 0, 1, 1]), np.array([1.0, 1, 3, 3])) == pytest.approx(1)
    # Sums of squares: between 4, within 4; η² is one half.
    assert correlation_ratio(np.array([0, 0, 1, 1]), np.array([0.0, 2, 2, 4])) == pytest.approx(np.sqrt(0.5))


def test_what_goes_with_the_target_is_ranked(data, frame):
    found = explore.with_target(data, "y")
    assert found.names[0] == "x"
    assert found.signed[0] == pytest.approx(frame["x"].corr(frame["y"], method="spearman"))
    with pytest.raises(NotApplicable, match="No target"):
        explore.with_target(data, None)
