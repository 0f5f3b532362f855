"""Fits a picture into the model's input, and boxes back into the picture.

The geometry is the one that Ultralytics (LetterBox, scale_boxes) uses, rounding included, so that boxes come out equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edged.detect.spec import Colour, InputSpec, Resize
from edged.domain.frame import BgrImage, Frame
from edged.errors import FrameCorrupt


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the input: input = frame * scale + offset."""

    frame_width_px: int
    frame_height_px: int
    drawn_width_px: int  # in the input
    drawn_height_px: int
    left_px: int
    top_px: int
    scale_x: float
    scale_y: float

    _offset: npt.NDArray[np.float32] = field(init=False, repr=False, compare=False)
    _scale: npt.NDArray[np.float32] = field(init=False, repr=False, compare=False)
    _limit: npt.NDArray[np.float32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, x, y in (
            ("_offset", self.left_px, self.top_px),
            ("_scale", self.scale_x, self.scale_y),
            ("_limit", self.frame_width_px, self.frame_height_px),
        ):
            object.__setattr__(self, name, np.array([x, y, x, y], np.float32))

    def to_frame(self, xyxy: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(N, 4) boxes in pixels of the input → pixels of the frame, cut to the frame."""
        placed: npt.NDArray[np.float32] = (xyxy - self._offset) / self._scale
        np.maximum(placed, 0, out=placed)
        np.minimum(placed, self._limit, out=placed)
        return placed


def place(width_px: int, height_px: int, spec: InputSpec) -> Placement:
    """Lay a picture of width_px by height_px into the input of `spec`."""
    if spec.resize is Resize.STRETCH:
        scale_x, scale_y = spec.width_px / width_px, spec.height_px / height_px
        return Placement(width_px, height_px, spec.width_px, spec.height_px, 0, 0, scale_x, scale_y)
    scale = min(spec.width_px / width_px, spec.height_px / height_px)
    drawn_width_px = max(1, round(width_px * scale))
    drawn_height_px = max(1, round(height_px * scale))
    left_px = top_px = 0
    if spec.resize is Resize.LETTERBOX:
        # an odd pixel of padding goes right or below
        left_px = round((spec.width_px - drawn_width_px) / 2 - 0.1)
        top_px = round((spec.height_px - drawn_height_px) / 2 - 0.1)
    return Placement(width_px, height_px, drawn_width_px, drawn_height_px, left_px, top_px, scale, scale)


class Letterbox:
    """Makes blobs out of pictures, in buffers of its own: a blob is good until the next call."""

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._blob = np.empty((3, spec.height_px, spec.width_px), np.float32)
        self._scale = spec.scale
        self._shift = [-mean * scale for mean, scale in zip(spec.mean, spec.scale, strict=True)]
        self._placement: Placement | None = None
        self._drawn = np.empty(0, np.uint8)
        self._planes: list[npt.NDArray[np.uint8]] = []

    def blob(self, frame: Frame) -> tuple[npt.NDArray[np.float32], Placement]:
        """Frame of any size → blob (3, height_px, width_px) float32, C-contiguous.

        Raises FrameCorrupt when the picture is grey, has an alpha channel, is empty, not uint8 or cannot be decoded.
        """
        size = (frame.width_px, frame.height_px)
        placement = self._placement
        if placement is None or (placement.frame_width_px, placement.frame_height_px) != size:
            if 0 in size:
                _check_image(frame.image())
            placement = self._prepare(*size)
        image = frame.image_for(placement.drawn_width_px, placement.drawn_height_px)
        _check_image(image)
        self._draw(image, placement)
        return self._blob, placement

    def _prepare(self, width_px: int, height_px: int) -> Placement:
        """Make buffers for pictures of another size, and paint the padding once."""
        placement = place(width_px, height_px, self._spec)
        shape = (placement.drawn_height_px, placement.drawn_width_px)
        self._drawn = np.empty((*shape, 3), np.uint8)
        self._planes = [np.empty(shape, np.uint8) for _ in range(3)]
        for target, scale, shift in zip(self._blob, self._scale, self._shift, strict=True):
            target[:] = self._spec.pad_value * scale + shift
        self._placement = placement
        return placement

    def _draw(self, image: BgrImage, placement: Placement) -> None:
        size = (placement.drawn_width_px, placement.drawn_height_px)
        resized: Any = image
        if image.shape[1::-1] != size:
            resized = cv2.resize(image, size, dst=self._drawn, interpolation=cv2.INTER_LINEAR)
        planes: list[Any] = list(cv2.split(resized, self._planes))
        if self._spec.colour is Colour.RGB:
            planes.reverse()
        rows = slice(placement.top_px, placement.top_px + placement.drawn_height_px)
        columns = slice(placement.left_px, placement.left_px + placement.drawn_width_px)
        for target, plane, scale, shift in zip(self._blob, planes, self._scale, self._shift, strict=True):
            inside = target[rows, columns]
            inside[:] = plane  # numpy converts and scales faster in two steps than in one
            inside *= scale
            if shift:
                inside += shift


def _check_image(image: BgrImage) -> None:
    """Hold the picture to what BgrImage promises; the annotation alone does not."""
    if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and 0 not in image.shape:
        return
    raise FrameCorrupt(
        f"The detector was given {image.dtype} of shape {image.shape} for a picture; "
        "it takes (height, width, 3) uint8, blue first.",
        hint="Convert it first: cv2.cvtColor with COLOR_GRAY2BGR for grey, COLOR_BGRA2BGR for four channels.",
    )
