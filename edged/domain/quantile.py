"""A quantile of a few numbers.

numpy's own loads numpy.ma at its first call: 45 ms and two megabytes of a small board, in the middle of a run.
"""

from __future__ import annotations

from collections.abc import Iterable


def quantile(numbers: Iterable[float], share: float) -> float:
    """Say which number lies `share` (0..1) of the way from the smallest to the greatest, between two if need be.

    As numpy.quantile does by default. Raises ValueError when there are no numbers.
    """
    ordered = sorted(numbers)
    if not ordered:
        raise ValueError("no quantile of no numbers")
    below, fraction = divmod((len(ordered) - 1) * share, 1)
    low = ordered[int(below)]
    return low + fraction * (ordered[min(int(below) + 1, len(ordered) - 1)] - low)
