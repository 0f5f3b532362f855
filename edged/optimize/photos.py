"""A folder of photographs with a manifest, some of them labelled, some only for some classes.

The folder holds manifest.csv with the columns file, split, source and gt_scope, and beside each images/NAME.jpg
labels/NAME.txt in the YOLO format where somebody annotated it: class, centre x, centre y, width, height as fractions.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from edged.domain.coco import COCO80
from edged.domain.frame import BgrImage
from edged.errors import EdgedError
from edged.optimize.classes import COCO_IDS


class PhotosError(EdgedError):
    """The training photographs cannot be used."""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One picture and what is known about it.

    xyxy      (N, 4) float32, pixels of the image
    class_id  (N,) int32, COCO-80 ids
    scope     ids of the classes of which every object is boxed; other classes may be there unboxed
    """

    name: str
    source: str
    image: BgrImage
    xyxy: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]
    scope: frozenset[int]


def scope_of(text: str) -> frozenset[int]:
    """Read a manifest's gt_scope: "none", "full", "partial:person", "full for bus,car" and the like."""
    if text.strip() == "full":
        return frozenset(range(len(COCO80)))
    named = re.sub(r"\(.*?\)", "", text).partition(":" if ":" in text else "for")[2]
    return frozenset(COCO_IDS[word] for word in re.split(r"[,\s]+", named) if word in COCO_IDS)


def read_photos(folder: Path, split: str, *, limit: int | None = None) -> list[Photo]:
    """Decode all pictures of a split ("train" or "holdout") into memory, about 0.4 MB each. Raises PhotosError."""
    manifest = folder / "manifest.csv"
    try:
        with manifest.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == split][:limit]
    except OSError as error:
        raise PhotosError(
            f"{manifest}: {error.strerror}", hint="Name a folder with a manifest.csv, images/ and labels/."
        ) from error
    return [_photo(folder, row) for row in rows]


def _photo(folder: Path, row: dict[str, str]) -> Photo:
    path = folder / row["file"]
    image = read_image(path)
    xyxy, class_id = read_labels(path.parent.parent / "labels" / f"{path.stem}.txt", image.shape[1], image.shape[0])
    labelled = row["gt_scope"] != "none"
    return Photo(
        name=path.stem,
        source=row["source"],
        image=image,
        xyxy=xyxy if labelled else xyxy[:0],
        class_id=class_id if labelled else class_id[:0],
        scope=scope_of(row["gt_scope"]),
    )


def read_image(path: Path) -> BgrImage:
    """Raises PhotosError."""
    image = cv2.imread(str(path))
    if image is None:
        raise PhotosError(f"{path}: no picture that can be decoded", hint="Fetch it again, or leave it out.")
    return np.asarray(image, np.uint8)


def read_labels(path: Path, width_px: int, height_px: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Boxes (N, 4) xyxy in pixels and classes (N,) of a YOLO label file; none when the file is missing or empty."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()] if path.is_file() else []
    numbers = np.array([[float(word) for word in line[:5]] for line in lines], np.float32).reshape(-1, 5)
    centre, size = numbers[:, 1:3], numbers[:, 3:5]
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    scale = np.array([width_px, height_px, width_px, height_px], np.float32)
    return np.asarray(xyxy * scale, np.float32), numbers[:, 0].astype(np.int32)


def balanced(photos: list[Photo]) -> list[Photo]:
    """The photos, those of everyday scenes twice: road and car-park cameras fill the folder with near copies."""
    return photos + [photo for photo in photos if photo.source.startswith(("coco", "oi-"))]
