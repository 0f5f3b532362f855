from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.quantile import quantile


@given(numbers=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), share=st.floats(0, 1))
def test_it_is_numpys(numbers: list[float], share: float) -> None:
    assert quantile(numbers, share) == pytest.approx(float(np.quantile(numbers, share)), rel=1e-9, abs=1e-6)


def test_of_nothing_there_is_none() -> None:
    with pytest.raises(ValueError, match="no numbers"):
        quantile([], 0.5)
