"""Labelled pictures to measure a model of the shipped classes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edged.domain.coco import COCO80
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage
from edged.optimize.classes import KEPT, VEHICLE
from edged.optimize.evaluate import Precision, average_precision
from edged.optimize.looking import Raw, find
from edged.optimize.photos import PhotosError, read_image, read_labels, read_photos

FLOOR = 0.01  # precision at low scores counts a little too


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A picture, what is in it, and the classes (numbers of KEPT) of which everything is boxed."""

    image: BgrImage
    truth: Detections
    scope: frozenset[int]


def holdout_trials(folder: Path) -> list[Trial]:
    """The labelled pictures of the holdout. Raises PhotosError."""
    photos = read_photos(folder, "holdout")
    return [_trial(each.image, each.xyxy, each.class_id, each.scope) for each in photos if each.scope]


def yolo_trials(folder: Path) -> list[Trial]:
    """All pictures under images/, fully labelled under labels/. Raises PhotosError."""
    everything = frozenset(range(len(COCO80)))
    trials = []
    for path in sorted((folder / "images").rglob("*.jpg")):
        image = read_image(path)
        labels = folder / "labels" / path.relative_to(folder / "images").with_suffix(".txt")
        if not labels.is_file():
            labels = folder / "labels" / f"{path.stem}.txt"
        trials.append(_trial(image, *read_labels(labels, image.shape[1], image.shape[0]), everything))
    if not trials:
        raise PhotosError(f"{folder}: no pictures under images/", hint="Name a folder with images/ and labels/.")
    return trials


def _trial(
    image: BgrImage, xyxy: npt.NDArray[np.float32], coco_id: npt.NDArray[np.int32], boxed: frozenset[int]
) -> Trial:
    parts = []
    scope = set()
    for number, (row, ids) in enumerate(KEPT.values()):
        rows = np.isin(coco_id, ids)
        count = int(rows.sum())
        parts.append((xyxy[rows], np.ones(count, np.float32), np.full(count, number, np.int32)))
        # bicycles are rarely annotated: vehicles without them are as good as complete
        if boxed.issuperset(ids[1:] if row == VEHICLE else ids):
            scope.add(number)
    truth = Detections(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    return Trial(image, truth, frozenset(scope))


def measure(raw: Raw, trials: Sequence[Trial], *, size_px: int) -> Precision:
    """Average precision of a model whose score rows are the classes of KEPT."""
    classes = range(len(KEPT))
    found = [find(trial.image, raw, size_px=size_px, classes=classes, confidence=FLOOR) for trial in trials]
    return average_precision(
        found, [trial.truth for trial in trials], len(KEPT), scopes=[trial.scope for trial in trials]
    )
