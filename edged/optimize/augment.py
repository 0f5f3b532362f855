"""New pictures from old ones: crops, scales, mosaics and pasted objects; then, apart, the damage that cameras do.

The two halves are apart on purpose. Geometry comes first, and the teacher looks at its clean result; the damage
(darkness, noise, blur, compression) comes after, so that the student learns to see in the dark what the teacher saw by
day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edged.domain.frame import BgrImage
from edged.optimize.photos import Photo

GREY = 114
MOSAIC_SHARE = 0.4
PASTE_SHARE = 0.35
LEAST_SIDE_PX = 3.0
LEAST_VISIBLE = 0.3
ANY_SIZE = (0.5, 1.7)  # of the largest that fits
NEARLY_WHOLE = (0.8, 1.25)
OF_A_PANE = (0.8, 1.4)  # of the smallest that fills it


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A square training picture and its boxes; fields as in Photo."""

    image: BgrImage
    xyxy: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]
    scope: frozenset[int]


def draw_view(photos: Sequence[Photo], size_px: int, rng: np.random.Generator, *, natural: bool = False) -> View:
    """Make one view of `size_px` × `size_px` pixels from one photo, or from four.

    A `natural` one shows one photo nearly whole and adds nothing to it, as the world will look to the model.
    """
    canvas = np.full((size_px, size_px, 3), GREY, np.uint8)
    if not natural and rng.random() < MOSAIC_SHARE:
        x, y = (int(size_px * rng.uniform(0.3, 0.7)) for _ in range(2))
        panes = [(0, 0, x, y), (x, 0, size_px, y), (0, y, x, size_px), (x, y, size_px, size_px)]
    else:
        panes = [(0, 0, size_px, size_px)]
    boxes, classes, scopes = [], [], []
    for pane in panes:
        photo = photos[int(rng.integers(len(photos)))]
        scale = _scale(photo, pane, rng, alone=len(panes) == 1, natural=natural)
        xyxy, class_id = _lay(photo, canvas, pane, rng, scale)
        boxes.append(xyxy)
        classes.append(class_id)
        scopes.append(photo.scope)
    view = View(canvas, np.concatenate(boxes), np.concatenate(classes), frozenset.intersection(*scopes))
    return _paste(view, photos, rng) if not natural and rng.random() < PASTE_SHARE else view


def _scale(
    photo: Photo, pane: tuple[int, int, int, int], rng: np.random.Generator, *, alone: bool, natural: bool
) -> float:
    """How large a photo is drawn."""
    left, top, right, bottom = pane
    height, width = photo.image.shape[:2]
    to_fit, to_fill = sorted(((right - left) / width, (bottom - top) / height))
    if not alone:
        return float(to_fill * rng.uniform(*OF_A_PANE))
    return float(to_fit * np.exp(rng.uniform(*np.log(NEARLY_WHOLE if natural else ANY_SIZE))))


def _lay(
    photo: Photo,
    canvas: BgrImage,
    pane: tuple[int, int, int, int],
    rng: np.random.Generator,
    scale: float,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Warp a photo into a pane of the canvas; return its visible boxes in canvas pixels."""
    left, top, right, bottom = pane
    pane_w, pane_h = right - left, bottom - top
    height, width = photo.image.shape[:2]
    stretch = float(np.exp(rng.uniform(-0.18, 0.18)))
    scale_x, scale_y = scale * stretch, scale / stretch
    shift_x = (pane_w - width * scale_x) * rng.uniform(0, 1)
    shift_y = (pane_h - height * scale_y) * rng.uniform(0, 1)
    if rng.random() < 0.5:
        scale_x, shift_x = -scale_x, shift_x + width * scale_x
    matrix = np.array([[scale_x, 0, shift_x], [0, scale_y, shift_y]])
    source: BgrImage = photo.image
    if scale < 0.6:  # linear sampling skips pixels when it shrinks this much
        source = _resized(source, 0.5)
        matrix = matrix @ np.diag([width / source.shape[1], height / source.shape[0], 1])
    canvas[top:bottom, left:right] = cv2.warpAffine(
        source, matrix, (pane_w, pane_h), flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY)
    )
    x = np.sort(photo.xyxy[:, 0::2] * scale_x + shift_x, axis=1)
    y = np.sort(photo.xyxy[:, 1::2] * scale_y + shift_y, axis=1)
    whole = np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1)
    cut = np.clip(whole, 0, np.array([pane_w, pane_h, pane_w, pane_h]))
    sides = cut[:, 2:] - cut[:, :2]
    visible = sides.prod(axis=1) > LEAST_VISIBLE * (whole[:, 2:] - whole[:, :2]).prod(axis=1)
    seen = visible & (sides.min(axis=1, initial=np.inf) > LEAST_SIDE_PX)
    offset = np.array([left, top, left, top])
    return np.asarray((cut + offset)[seen], np.float32), photo.class_id[seen]


def _paste(view: View, photos: Sequence[Photo], rng: np.random.Generator) -> View:
    """Cut up to three labelled objects out of other photos and put them into the view with soft edges."""
    size = len(view.image)
    image, xyxy, class_id = view.image.copy(), view.xyxy, view.class_id
    for _ in range(int(rng.integers(1, 4))):
        photo = photos[int(rng.integers(len(photos)))]
        if not len(photo.xyxy):
            continue
        which = int(rng.integers(len(photo.xyxy)))
        left, top, right, bottom = photo.xyxy[which].round().astype(int)
        cutout = photo.image[max(top, 0) : bottom, max(left, 0) : right]
        if min(cutout.shape[:2]) < 16:
            continue
        scale = min(size * rng.uniform(0.08, 0.45) / cutout.shape[0], 0.6 * size / cutout.shape[1], 1.5)
        cutout = _resized(cutout, scale)
        height, width = cutout.shape[:2]
        if min(height, width) < 8:
            continue
        x, y = (int(rng.integers(0, size - side + 1)) for side in (width, height))
        blend = _soft_edges(height, width)
        under = image[y : y + height, x : x + width]
        image[y : y + height, x : x + width] = under + (cutout.astype(np.float32) - under) * blend
        new = np.array([[x, y, x + width, y + height]], np.float32)
        kept = _covered(xyxy, new[0]) < 0.6
        xyxy = np.concatenate([xyxy[kept], new])
        class_id = np.concatenate([class_id[kept], photo.class_id[which : which + 1]])
    return View(image, xyxy, class_id, view.scope)


def _soft_edges(height: int, width: int) -> npt.NDArray[np.float32]:
    """Opacity (H, W, 1): 1 inside, falling off over the outer tenth."""
    ramps = [np.minimum(np.arange(n) + 1, np.arange(n)[::-1] + 1) / max(n * 0.1, 1) for n in (height, width)]
    opacity = np.outer(np.minimum(ramps[0], 1), np.minimum(ramps[1], 1))
    return np.asarray(opacity[..., None], np.float32)


def _covered(xyxy: npt.NDArray[np.float32], by: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Share (N,) of each box's area that lies under the box `by`."""
    sides = np.maximum(np.minimum(xyxy[:, 2:], by[2:]) - np.maximum(xyxy[:, :2], by[:2]), 0)
    area = np.maximum((xyxy[:, 2:] - xyxy[:, :2]).prod(axis=1), 1e-6)
    return np.asarray(sides.prod(axis=1) / area)


def damage(image: BgrImage, rng: np.random.Generator) -> BgrImage:
    """Do to a picture what light, lenses, sensors and codecs do."""
    image = _light(image, rng)
    if rng.random() < 0.15:
        ratio = rng.uniform(0.4, 0.8)
        image = np.asarray(cv2.resize(_resized(image, ratio), image.shape[1::-1]), np.uint8)
    if rng.random() < 0.12:
        image = _motion_blur(image, rng)
    if rng.random() < 0.25:
        image = _noise(image, rng)
    if rng.random() < 0.2:
        _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 70))])
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return image


def _light(image: BgrImage, rng: np.random.Generator) -> BgrImage:
    """Brightness, contrast, gamma, tint; sometimes grey; sometimes night."""
    night = rng.random() < 0.08
    level = np.linspace(0, 1, 256)
    gamma = rng.uniform(1.8, 2.8) if night else np.exp(rng.uniform(-0.35, 0.35))
    gain = rng.uniform(0.3, 0.7) if night else rng.uniform(0.75, 1.25)
    tint = rng.uniform(0.88, 1.12, 3)
    curve = (level[:, None] ** gamma - 0.5) * rng.uniform(0.75, 1.25) + 0.5
    table = np.clip(curve * gain * tint * 255, 0, 255).astype(np.uint8)[None]
    if rng.random() < 0.12:
        image = _grey(image)
        table = np.repeat(table[..., :1], 3, axis=2)
    elif rng.random() < 0.5:
        colour = rng.uniform(0.4, 1.5)
        image = np.asarray(cv2.addWeighted(image, colour, _grey(image), 1 - colour, 0), np.uint8)
    return np.asarray(cv2.LUT(image, np.ascontiguousarray(table)), np.uint8)


def _grey(image: BgrImage) -> BgrImage:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)


def _resized(image: BgrImage, scale: float) -> BgrImage:
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _motion_blur(image: BgrImage, rng: np.random.Generator) -> BgrImage:
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    across = np.linspace(0, length - 1, length)
    slope = rng.uniform(-1, 1)
    along = np.clip(np.round((across - length / 2) * slope + length / 2), 0, length - 1)
    x, y = (across, along) if rng.random() < 0.5 else (along, across)
    kernel[y.astype(int), x.astype(int)] = 1
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def _noise(image: BgrImage, rng: np.random.Generator) -> BgrImage:
    grain = np.empty(image.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(grain, np.zeros(3), np.full(3, rng.uniform(2, 14)))
    return np.asarray(cv2.add(image, grain, dtype=cv2.CV_8U), np.uint8)
