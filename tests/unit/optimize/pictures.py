"""Synthetic photographs: coloured blocks that are called cars."""

import numpy as np

from edged.optimize.classes import COCO_IDS
from edged.optimize.photos import Photo

CAR = COCO_IDS["car"]


def block_photo(seed: int, *, width: int = 160, height: int = 120, scope: frozenset[int] = frozenset({CAR})) -> Photo:
    """Grey noise with one or two red blocks in it."""
    rng = np.random.default_rng(seed)
    image = rng.integers(90, 130, (height, width, 3), dtype=np.uint8)
    boxes = []
    for _ in range(int(rng.integers(1, 3))):
        w, h = rng.integers(30, 60, 2)
        x, y = rng.integers(0, width - w), rng.integers(0, height - h)
        image[y : y + h, x : x + w] = (20, 20, 220)
        boxes.append([x, y, x + w, y + h])
    return Photo(
        f"block-{seed}", "synthetic", image, np.array(boxes, np.float32), np.full(len(boxes), CAR, np.int32), scope
    )
