"""Frames for people: boxes, names, trails and a line of text."""

from __future__ import annotations

import colorsys
import itertools
from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np

from edged.domain.frame import BgrImage
from edged.domain.tracks import Track, Tracks, TrackState

Colour = tuple[int, int, int]
"""Blue, green, red; 0..255."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GOLDEN_RATIO = 0.618034  # steps round the colour wheel that never come close to each other soon
_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_SUBPIXEL_BITS = 4


class Annotator:
    """Draws tracks on copies of frames and remembers where they went."""

    def __init__(self, labels: Sequence[str], *, trail_s: float = 4.0) -> None:
        """`labels` are the model's, by class_id; a trail shows the last `trail_s` seconds of a track's foot."""
        self._labels = labels
        self._trail_s = trail_s
        self._trails: dict[int, deque[tuple[float, float, float]]] = {}  # track_id → (at, x, y)

    def draw(self, image: BgrImage, tracks: Tracks, *, header: str = "") -> BgrImage:
        """Return a copy of `image` with the tracks on it; lost ones are drawn thin, tentative ones not at all."""
        canvas: BgrImage = image.copy()
        shown = [track for track in tracks if track.state is not TrackState.TENTATIVE]
        self._remember(shown, tracks.at)
        thickness = max(1, round(min(canvas.shape[:2]) / 300))
        for track_id, trail in self._trails.items():
            self._draw_trail(canvas, trail, track_colour(track_id), tracks.at, thickness)
        for track in shown:
            self._draw_box(canvas, track, thickness)
        if header:
            draw_text(canvas, header, (0, 0), background=_BLACK, colour=_WHITE)
        return canvas

    def _remember(self, shown: list[Track], at: float) -> None:
        for track in shown:
            left, _, right, bottom = track.xyxy
            self._trails.setdefault(track.track_id, deque()).append((at, (left + right) / 2, bottom))
        for track_id, trail in list(self._trails.items()):
            while trail and at - trail[0][0] > self._trail_s:
                trail.popleft()
            if not trail:
                del self._trails[track_id]

    def _draw_trail(
        self, canvas: BgrImage, trail: deque[tuple[float, float, float]], colour: Colour, at: float, thickness: int
    ) -> None:
        points = list(trail)
        for (_, x0, y0), (late, x1, y1) in itertools.pairwise(points):
            fresh = 1 - (at - late) / self._trail_s
            faded = tuple(round(64 + (channel - 64) * fresh) for channel in colour)
            cv2.line(
                canvas,
                _fixed(x0, y0),
                _fixed(x1, y1),
                faded,
                max(1, round(thickness * 1.6 * fresh)),
                cv2.LINE_AA,
                _SUBPIXEL_BITS,
            )

    def _draw_box(self, canvas: BgrImage, track: Track, thickness: int) -> None:
        left, top, right, bottom = track.xyxy
        colour = track_colour(track.track_id)
        lost = track.state is TrackState.LOST
        cv2.rectangle(
            canvas,
            _fixed(left, top),
            _fixed(right - 1, bottom - 1),
            colour,
            1 if lost else thickness,
            cv2.LINE_AA,
            _SUBPIXEL_BITS,
        )
        if not lost:
            draw_text(canvas, self._caption(track), (left, top), above=True, background=colour, colour=_ink(colour))

    def _caption(self, track: Track) -> str:
        known = 0 <= track.class_id < len(self._labels)
        label = self._labels[track.class_id] if known else f"class {track.class_id}"
        return f"{track.track_id} {label} {track.confidence:.2f}"


def track_colour(track_id: int) -> Colour:
    """Give a track its colour, bright and the same in every run."""
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN_RATIO % 1, 0.75, 1.0)
    return round(255 * blue), round(255 * green), round(255 * red)


def text_scale(canvas: BgrImage) -> float:
    """Choose a size of letters for a picture: readable when small, modest when large."""
    return float(np.clip(min(canvas.shape[:2]) / 1300, 0.32, 2.0))


def draw_text(
    canvas: BgrImage,
    text: str,
    corner_xy: tuple[float, float],
    *,
    colour: Colour,
    background: Colour,
    above: bool = False,
    scale: float | None = None,
) -> None:
    """Write one line on a filled strip whose top left (with `above`: bottom left) corner is `corner_xy`.

    The strip is moved to lie inside the canvas. Letters outside ASCII, which the font does not have, become `?`.
    """
    scale = scale or text_scale(canvas)
    weight = max(1, round(scale * 1.5))
    text = text.encode("ascii", "replace").decode()
    (text_w, text_h), descent = cv2.getTextSize(text, _FONT, scale, weight)
    pad = max(2, text_h // 4)
    strip_w, strip_h = text_w + 2 * pad, text_h + descent + pad
    height_px, width_px = canvas.shape[:2]
    x = int(np.clip(corner_xy[0], 0, max(width_px - strip_w, 0)))
    y = int(np.clip(corner_xy[1] - (strip_h if above else 0), 0, max(height_px - strip_h, 0)))
    cv2.rectangle(canvas, (x, y), (x + strip_w - 1, y + strip_h - 1), background, cv2.FILLED)
    cv2.putText(canvas, text, (x + pad, y + text_h + pad // 2), _FONT, scale, colour, weight, cv2.LINE_AA)


def _ink(background: Colour) -> Colour:
    """Black or white, whichever reads better (ITU-R BT.601 luma)."""
    blue, green, red = background
    return _BLACK if 0.114 * blue + 0.587 * green + 0.299 * red > 128 else _WHITE


def _fixed(x: float, y: float) -> tuple[int, int]:
    """Turn a point into OpenCV's fixed-point pixels, far-away ones brought near enough for it."""
    limit = 30_000
    x, y = (float(np.clip(value, -limit, limit)) for value in (x, y))
    return round(x * (1 << _SUBPIXEL_BITS)), round(y * (1 << _SUBPIXEL_BITS))
