from __future__ import annotations

import numpy as np

from edged.domain.labels import class_groups


def test_labels_that_are_mixed_up_share_a_group() -> None:
    person, car, truck, bus, dog, cat = class_groups(["person", "car", "Truck ", "bus", "dog", "cat"])
    assert car == truck == bus
    assert dog == cat
    assert len({person, car, dog}) == 3


def test_a_person_is_never_grouped() -> None:
    groups = class_groups(["person", "car", "bicycle", "motorcycle", "dog", "backpack", "chair"])
    assert (groups == groups[0]).sum() == 1


def test_unknown_labels_stay_by_themselves() -> None:
    assert len(np.unique(class_groups(["forklift", "pallet", "drone"]))) == 3


def test_no_labels_give_no_groups() -> None:
    assert class_groups([]).shape == (0,)
