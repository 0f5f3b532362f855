"""Makes two short films of raw YUYV for vivid's output: a street with people on it, and the street without them.

    python -m scripts.laboratory.experiments.passer_by FOLDER

The people are those of the built-in model's golden picture. In both films the picture shifts a little from frame to
frame, as a camera in the wind does, so that it is never the same twice in a row.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX = 640, 360
_FRAMES = 32
_REACH_PX = 8  # to either side, and back within one film

Image = NDArray[np.uint8]


def yuyv(image: Image) -> bytes:
    """Convert a BGR picture to YUYV, BT.601 with a limited range."""
    blue, green, red = (image[..., index].astype(np.float32) for index in range(3))
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    packed = np.empty((HEIGHT_PX, WIDTH_PX, 2), np.float32)
    packed[..., 0] = luma
    packed[:, 0::2, 1] = (128 - 0.148 * red - 0.291 * green + 0.439 * blue)[:, 0::2]
    packed[:, 1::2, 1] = (128 + 0.439 * red - 0.368 * green - 0.071 * blue)[:, 0::2]
    return bytes(packed.round().clip(0, 255).astype(np.uint8).tobytes())


def scene() -> tuple[Image, list[list[float]]]:
    """The golden picture's middle, as wide as it is, at the film's size; and the boxes in it."""
    folder = files("edged.models.builtin")
    picture = cv2.imdecode(np.frombuffer((folder / "golden.jpg").read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    golden: dict[str, Any] = json.loads((folder / "golden.json").read_text())
    scale = WIDTH_PX / picture.shape[1]
    top = round((picture.shape[0] - HEIGHT_PX / scale) / 2)
    middle = picture[top : top + round(HEIGHT_PX / scale)]
    image = np.asarray(cv2.resize(middle, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC), np.uint8)
    corners = [np.reshape(found["xyxy"], (2, 2)) for found in golden["objects"]]
    return image, [((corner - (0, top)) * scale).ravel().tolist() for corner in corners]


def emptied(image: Image, boxes: list[list[float]]) -> Image:
    """Paint over what is in the boxes with what is around them."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for left, top, right, bottom in boxes:
        mask[int(top) - 6 : int(bottom) + 6, int(left) - 6 : int(right) + 6] = 255
    return np.asarray(cv2.blur(cv2.inpaint(image, mask, 3, cv2.INPAINT_TELEA), (25, 25)), np.uint8)


def film(image: Image) -> bytes:
    """Shift the picture to and fro."""
    quarter = [round(_REACH_PX * step / (_FRAMES / 4)) for step in range(_FRAMES // 4)]
    there = [*quarter, *(_REACH_PX - step for step in quarter)]
    shifts = [*there, *(-step for step in there)]
    return b"".join(yuyv(np.roll(image, shift, axis=1)) for shift in shifts)


def main() -> None:
    folder = Path(sys.argv[1])
    image, boxes = scene()
    (folder / "people.yuyv").write_bytes(film(image))
    (folder / "nobody.yuyv").write_bytes(film(emptied(image, boxes)))
    print(json.dumps({"frames": _FRAMES, "objects": len(boxes)}))


if __name__ == "__main__":
    main()
