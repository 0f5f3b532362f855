"""Training batches, made in a process of their own: views, the teacher's answers, mirror images, camera damage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from edged.domain.frame import BgrImage
from edged.optimize.augment import damage, draw_view
from edged.optimize.grid import Floats
from edged.optimize.photos import Photo
from edged.optimize.targets import flip_targets, make_targets


class Looks(Protocol):
    """What a teacher does."""

    def look(self, image: BgrImage) -> tuple[Floats, Floats]:
        """Scores (80, A) and box distributions (32, A) of a square image."""
        ...


class Batches(IterableDataset):  # type: ignore[misc]
    """An endless stream of (pixels, scores, spread) batches, half of each the mirror image of the other half.

    pixels (B, H, W, 3) uint8 RGB, scores (B, 81, A) and spread (B, 32, A) float16. The teacher is asked once for both
    halves; it is made in the process that makes the batches. The side of the next batch, and whether its views are
    natural ones, are read from `size_px` and `natural`, numbers shared between processes.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        make_teacher: Callable[[], Looks],
        *,
        size_px: Any,
        natural: Any,
        batch: int,
        seed: tuple[int, ...],
        start: int = 0,
    ) -> None:
        self._photos = photos
        self._make_teacher = make_teacher
        self._size_px = size_px
        self._natural = natural
        self._views = batch // 2
        self._seed = seed
        self._start = start

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        cv2.setNumThreads(1)
        teacher = self._make_teacher()
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        number = self._start + worker
        while True:
            rng = np.random.default_rng((*self._seed, number))
            yield self._make(teacher, rng)
            number += workers

    def pictures(self, count: int, *, seed: int) -> Any:
        """(count, 3, H, W) float32 RGB in 0..1: views as a student sees them, the same ones for the same seed."""
        rng = np.random.default_rng(seed)
        views = [damage(draw_view(self._photos, int(self._size_px.value), rng).image, rng) for _ in range(count)]
        return torch.from_numpy(np.stack(views)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255)

    def _make(self, teacher: Looks, rng: np.random.Generator) -> tuple[Any, Any, Any]:
        size, natural = int(self._size_px.value), bool(self._natural.value)
        pixels, scores, spread = [], [], []
        for _ in range(self._views):
            view = draw_view(self._photos, size, rng, natural=natural)
            targets = make_targets(*teacher.look(view.image), view)
            mirrored = (np.ascontiguousarray(view.image[:, ::-1]), *flip_targets(*targets, size))
            for image, score, sides in ((view.image, *targets), mirrored):
                pixels.append(np.ascontiguousarray(damage(image, rng)[..., ::-1]))
                scores.append(score.astype(np.float16))
                spread.append(sides.astype(np.float16))
        return tuple(torch.from_numpy(np.stack(each)) for each in (pixels, scores, spread))


def stream(batches: Batches, *, workers: int = 1) -> Iterator[tuple[Any, Any, Any]]:
    """Run the batches in `workers` background processes; in this one when 0."""
    ahead = {"prefetch_factor": 3, "multiprocessing_context": "fork"} if workers else {}
    return iter(DataLoader(batches, batch_size=None, num_workers=workers, **ahead))
