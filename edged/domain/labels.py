"""Which labels a detector is likely to mix up, so that a flicker between them does not break a track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# A group holds what one object is called from one frame to the next. A group too wide costs little, because boxes must
# still overlap; but a person is never grouped, since a cyclist or a driver overlaps with the vehicle all the time.
_GROUPS: tuple[frozenset[str], ...] = (
    # A van is a car, a truck or a bus, by its angle; a tram is a bus or a train.
    frozenset({"car", "truck", "bus", "train", "van", "tram", "vehicle", "pickup truck", "minivan"}),
    # Far off, a scooter is either.
    frozenset({"bicycle", "motorcycle", "bike", "motorbike", "scooter", "moped"}),
    # Anything on four legs, at night or from behind.
    frozenset({"cat", "dog", "horse", "sheep", "cow", "bear", "elephant", "zebra", "giraffe", "fox", "deer"}),
    # A bag on a shoulder, in a hand, on wheels.
    frozenset({"backpack", "handbag", "suitcase"}),
)


def class_groups(labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return a group id for each label, shape (len(labels),): equal where one object may go by both names.

    Case and surrounding blanks do not matter. A label that belongs to no group, "person" for one, stays by itself; two
    labels of the same name belong together.
    """
    names = [label.strip().casefold() for label in labels]
    first: dict[frozenset[str] | str, int] = {}
    return np.array([first.setdefault(_family(name), len(first)) for name in names], np.int64)


def _family(name: str) -> frozenset[str] | str:
    return next((group for group in _GROUPS if name in group), name)
