"""Frames and tracks for the policies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edged.domain.frame import Frame
from edged.domain.tracks import Tracks
from edged.ports import Scheduler

WIDTH_PX, HEIGHT_PX = 640, 480


def frame_of(luma: npt.NDArray[np.uint8], seq: int = 0) -> Frame:
    """A frame of 640 x 480 with this thumbnail, and nothing else to see."""

    def must_not_be_decoded() -> npt.NDArray[np.uint8]:
        raise AssertionError("a policy decoded the picture")

    return Frame(
        seq=seq,
        captured_at=float(seq),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        decode=must_not_be_decoded,
        decode_luma=lambda: luma,
    )


def dark(seq: int = 0) -> Frame:
    return frame_of(np.zeros((HEIGHT_PX // 8, WIDTH_PX // 8), np.uint8), seq)


def ask(policy: Scheduler, expected: Tracks, frame: Frame, *, due: bool = False) -> float:
    """Ask how badly a frame needs the detector, on which these tracks are expected."""
    return policy.need(frame, expected.at, lambda: expected, due=due)


def decisions(policy: Scheduler, frames: int, *, fps: float = 30.0) -> str:
    """What a policy decides where there is nothing to see, frame by frame: D or p."""
    word = ""
    for seq in range(frames):
        nobody = Tracks.empty(seq / fps)
        looks = ask(policy, nobody, dark(seq)) >= 1
        if looks:
            policy.looked(nobody)
        word += "D" if looks else "p"
    return word
