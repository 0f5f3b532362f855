"""A drawn scene: moving objects whose whereabouts are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edged.domain.boxes import clip
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage

_IntBox = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class SyntheticObject:
    """A textured rectangle that moves in a straight line and, if it `bounces`, turns at the edges of the picture."""

    object_id: int
    size_px: tuple[int, int]  # width, height
    start_xy: tuple[float, float]  # left top corner in frame 0, pixels
    velocity_px: tuple[float, float] = (0.0, 0.0)  # pixels a frame
    class_id: int = 0
    first_seq: int = 0
    last_seq: int | None = None  # the last frame it is in; None: stays
    bounces: bool = True

    def xyxy(self, seq: int, *, width_px: int, height_px: int) -> _IntBox | None:
        """Say where it is in frame `seq`, in whole pixels, perhaps outside the picture; None when it is not there."""
        if seq < self.first_seq or (self.last_seq is not None and seq > self.last_seq):
            return None
        left, top = (
            _along(start, velocity * seq, room=max(side - size, 0) if self.bounces else None)
            for start, velocity, side, size in zip(
                self.start_xy, self.velocity_px, (width_px, height_px), self.size_px, strict=True
            )
        )
        return left, top, left + self.size_px[0], top + self.size_px[1]


class SyntheticScene:
    """Draws the objects over a background; later ids hide earlier ones. All is decided by `seed`."""

    def __init__(
        self, objects: int | Sequence[SyntheticObject], *, width_px: int, height_px: int, noise_sigma: float, seed: int
    ) -> None:
        """`objects` is how many to invent, or the cast itself; `noise_sigma` the sensor's noise in grey levels."""
        self._width_px = width_px
        self._height_px = height_px
        self._noise_sigma = noise_sigma
        self._seed = seed
        cast = _invent(objects, width_px, height_px, seed) if isinstance(objects, int) else objects
        self._objects = sorted(cast, key=lambda thing: thing.object_id)
        self._textures = {thing.object_id: _texture(thing, seed) for thing in self._objects}
        shade = np.linspace(60, 110, height_px)[:, None, None] + np.linspace(0, 30, width_px)[None, :, None]
        self._background: BgrImage = np.repeat(shade, 3, axis=2).astype(np.uint8)

    def ground_truth(self, seq: int) -> Detections:
        """Say what is in frame `seq`: boxes cut to the picture, confidence 1, in the order of ground_truth_ids()."""
        seen = self._seen(seq)
        return Detections(
            np.array([cut for _, _, cut in seen], np.float32).reshape(-1, 4),
            np.ones(len(seen), np.float32),
            np.array([thing.class_id for thing, _, _ in seen], np.int32),
        )

    def ground_truth_ids(self, seq: int) -> npt.NDArray[np.int64]:
        """Say who is in frame `seq`: (N,) object ids, ascending."""
        return np.array([thing.object_id for thing, _, _ in self._seen(seq)], np.int64)

    def draw(self, seq: int) -> BgrImage:
        """Paint frame `seq`."""
        image: BgrImage = self._background.copy()
        for thing, (x, y, _, _), (left, top, right, bottom) in self._seen(seq):
            image[top:bottom, left:right] = self._textures[thing.object_id][top - y : bottom - y, left - x : right - x]
        if self._noise_sigma > 0:
            noise = np.random.default_rng((self._seed, seq)).normal(0.0, self._noise_sigma, image.shape)
            image = np.asarray(np.clip(image + noise, 0, 255), np.uint8)
        return image

    def _seen(self, seq: int) -> list[tuple[SyntheticObject, _IntBox, _IntBox]]:
        """List the objects in the picture: who, the whole box, the box cut to the picture."""
        seen = []
        for thing in self._objects:
            whole = thing.xyxy(seq, width_px=self._width_px, height_px=self._height_px)
            if whole is None:
                continue
            boxes = np.array([whole], np.float32)
            left, top, right, bottom = map(int, clip(boxes, width_px=self._width_px, height_px=self._height_px)[0])
            if left < right and top < bottom:
                seen.append((thing, whole, (left, top, right, bottom)))
        return seen


def _along(start: float, way: float, *, room: int | None) -> int:
    """Where a point is that went `way` from `start` and bounced between 0 and `room`; None is endless room."""
    if room is None:
        return round(start + way)
    if room == 0:
        return 0
    folded = (start + way) % (2 * room)
    return round(min(folded, 2 * room - folded))


def _invent(count: int, width_px: int, height_px: int, seed: int) -> list[SyntheticObject]:
    random = np.random.default_rng((seed, 0))
    cast = []
    for object_id in range(1, count + 1):
        width = max(1, round(width_px * random.uniform(0.06, 0.15)))
        height = max(1, round(height_px * random.uniform(0.15, 0.35)))
        start_xy = (random.uniform(0, max(width_px - width, 1)), random.uniform(0, max(height_px - height, 1)))
        speed = random.choice((-1, 1)) * random.uniform(0.005, 0.02) * width_px
        velocity_px = (float(speed), random.uniform(-0.005, 0.005) * height_px)
        cast.append(SyntheticObject(object_id, (width, height), start_xy, velocity_px))
    return cast


def _texture(thing: SyntheticObject, seed: int) -> BgrImage:
    """Blocks of 8 × 8 pixels in shades of one colour."""
    random = np.random.default_rng((seed, 1, thing.object_id))
    colour = random.integers(80, 256, 3)
    width, height = thing.size_px
    blocks = random.integers(-60, 1, (-(-height // 8), -(-width // 8), 1)).repeat(8, axis=0).repeat(8, axis=1)
    return np.asarray(np.clip(colour + blocks[:height, :width], 0, 255), np.uint8)
