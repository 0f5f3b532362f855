"""Boxes where nobody annotated: the teacher's bigger brother looks at each photograph once, larger than it is.

What the student's own teacher overlooks at 320 pixels is small above all. The published weights for 416 reach at 640,
on pictures 448 pixels wide, an AP50 of 69.5 for persons and 63.4 for vehicles, where the teacher reaches 55.1 and 49.1
(coco128-val2017, by the evaluator of this package).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edged.domain import boxes as box_math
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage
from edged.optimize.classes import VEHICLE_IDS
from edged.optimize.looking import NMS_IOU, Raw, find, staying
from edged.optimize.photos import Photo
from edged.optimize.targets import MENDED
from edged.optimize.teacher import Teacher

NAME = "picodet-s-416"
SIZES_PX = (416, 640)  # large objects come out better in the small view
SURE = 0.5
SAME_IOU = 0.4
_BUNDLE = 64  # pictures that a process takes at once


def look_with(folder: Path) -> Raw:
    """The eye of picodet-s-416, of which scripts/get_model made `folder`. Raises ModelNotFound."""
    return Teacher(folder, name=NAME).look


def look_again(photos: Sequence[Photo], make_raw: Callable[[], Raw], *, processes: int) -> list[Photo]:
    """Each photo with the boxes that are seen now, in classes that were not boxed completely and not yet boxed.

    `make_raw` is called in processes of their own: one in which ncnn has run cannot be forked any more, and the
    training forks.
    """
    bundles = [[photo.image for photo in photos[at : at + _BUNDLE]] for at in range(0, len(photos), _BUNDLE)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        found = [seen for bundle in pool.map(partial(_look, make_raw), bundles) for seen in bundle]
    return [_with(photo, seen) for photo, seen in zip(photos, found, strict=True)]


def _look(make_raw: Callable[[], Raw], images: Sequence[BgrImage]) -> list[Detections]:
    cv2.setNumThreads(1)
    raw = make_raw()
    return [seen_in(image, raw) for image in images]


def seen_in(image: BgrImage, raw: Raw) -> Detections:
    """What is seen for sure at any of the sizes, best first, once each; class_id are COCO ids."""
    views = [find(image, raw, size_px=size_px, classes=MENDED, confidence=SURE) for size_px in SIZES_PX]
    xyxy, confidence, row = (
        np.concatenate([getattr(view, name) for view in views]) for name in ("xyxy", "confidence", "class_id")
    )
    best = np.argsort(-confidence, kind="stable")
    class_id = np.array(MENDED, np.int32)[row[best]]
    stays = staying(xyxy[best], _kind(class_id), NMS_IOU)
    return Detections(xyxy[best], confidence[best], class_id)[stays]


def _with(photo: Photo, found: Detections) -> Photo:
    new = found[_is_new(found, photo)]
    return replace(
        photo,
        xyxy=np.concatenate([photo.xyxy, new.xyxy]),
        class_id=np.concatenate([photo.class_id, new.class_id]),
    )


def _is_new(found: Detections, photo: Photo) -> npt.NDArray[np.bool_]:
    """Which of them no annotator boxed, in classes where an annotator may have left some out."""
    overlap = box_math.iou(found.xyxy, photo.xyxy) * (_kind(found.class_id)[:, None] == _kind(photo.class_id))
    new: npt.NDArray[np.bool_] = overlap.max(axis=1, initial=0) < SAME_IOU
    return new & ~np.isin(found.class_id, list(photo.scope))


def _kind(class_id: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Classes of which an object is one only: a car that is seen as a truck too is one vehicle."""
    return np.where(np.isin(class_id, VEHICLE_IDS), np.int32(VEHICLE_IDS[0]), class_id)
