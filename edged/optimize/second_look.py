"""Boxes where nobody annotated: the teacher's bigger brother looks at each photograph once, larger than it is.

What the student's own teacher overlooks at 320 pixels is small above all. On pictures 448 pixels wide the published
weights for 416 find a third more at 640: AP50 of persons 69.5 against 55.1, of vehicles 63.4 against 49.1
(coco128-val2017, by the evaluator of this package).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edged.domain import boxes as box_math
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage
from edged.optimize.classes import VEHICLE_IDS
from edged.optimize.looking import NMS_IOU, Raw, find, suppress
from edged.optimize.photos import Photo
from edged.optimize.targets import MENDED
from edged.optimize.teacher import Teacher

NAME = "picodet-s-416"
SIZES_PX = (416, 640)  # large objects come out better in the small view
SURE = 0.5
SAME_IOU = 0.4

_raw: Raw  # of one of the processes


def look_with(folder: Path) -> Raw:
    """The eye of picodet-s-416, of which scripts/get_model made `folder`. Raises ModelNotFound."""
    return Teacher(folder, name=NAME).look


def look_again(photos: Sequence[Photo], make_raw: Callable[[], Raw], *, processes: int) -> list[Photo]:
    """Each photo with the boxes that are seen now, in classes that were not boxed completely and not yet boxed.

    `make_raw` is called in processes of their own: one in which ncnn has run cannot be forked any more, and the
    training forks.
    """
    with get_context("spawn").Pool(processes, _begin, (make_raw,)) as pool:
        found = pool.map(_look, [photo.image for photo in photos], chunksize=8)
    return [_with(photo, seen) for photo, seen in zip(photos, found, strict=True)]


def _begin(make_raw: Callable[[], Raw]) -> None:
    global _raw
    cv2.setNumThreads(1)
    _raw = make_raw()


def _look(image: BgrImage) -> Detections:
    return seen_in(image, _raw)


def seen_in(image: BgrImage, raw: Raw) -> Detections:
    """What is seen for sure at any of the sizes, best first, once each; class_id are COCO ids."""
    views = [find(image, raw, size_px=size_px, classes=MENDED, confidence=SURE) for size_px in SIZES_PX]
    xyxy, confidence, row = (
        np.concatenate([getattr(view, name) for view in views]) for name in ("xyxy", "confidence", "class_id")
    )
    best = np.argsort(-confidence, kind="stable")
    found = suppress(Detections(xyxy[best], confidence[best], row[best]), NMS_IOU)
    return replace(found, class_id=np.array(MENDED, np.int32)[found.class_id])


def _with(photo: Photo, found: Detections) -> Photo:
    new = found[_is_new(found, photo)]
    return replace(
        photo,
        xyxy=np.concatenate([photo.xyxy, new.xyxy]),
        class_id=np.concatenate([photo.class_id, new.class_id]),
    )


def _is_new(found: Detections, photo: Photo) -> npt.NDArray[np.bool_]:
    """Which of them no annotator boxed, in classes where an annotator may have left some out."""
    kind, known = (
        np.where(np.isin(each, VEHICLE_IDS), VEHICLE_IDS[0], each) for each in (found.class_id, photo.class_id)
    )
    overlap = box_math.iou(found.xyxy, photo.xyxy) * (kind[:, None] == known)
    new: npt.NDArray[np.bool_] = overlap.max(axis=1, initial=0) < SAME_IOU
    return new & ~np.isin(found.class_id, list(photo.scope))
