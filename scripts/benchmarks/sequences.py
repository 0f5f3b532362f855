"""Sequences in MOTChallenge's layout, played as a camera whose detector is the published detections."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scoring import Table, read_table

from edged.capture.open import open_source
from edged.clock import SystemClock
from edged.domain.boxes import tlwh_to_xyxy
from edged.domain.detections import Detections
from edged.domain.frame import Frame
from edged.ports import EndOfStream
from edged.tracking.bytetrack import ByteTrack

LOST_AFTER_S = 1.0

# The recordings of sequences whose pictures are known frame for frame.
_VIDEOS = {"PETS09-S2L1": "videos/vtest.avi", "TUD-Campus": "tracking/TUD-Campus/TUD-Campus.mp4"}


def shared_dir() -> Path:
    """Where the sequences lie: EDGED_SHARED, or beside the repository."""
    return Path(os.environ.get("EDGED_SHARED", Path(__file__).parents[3] / "shared"))


@dataclass(frozen=True)
class Sequence:
    """One sequence: detections a frame, and the truth."""

    name: str
    fps: float
    width_px: int
    height_px: int
    detections: list[Detections]
    truth: Table
    video: Path | None

    @property
    def has_doubtful(self) -> bool:
        """Whether its detections go down to low confidences."""
        return min((float(found.confidence.min()) for found in self.detections if len(found)), default=1.0) < 0.3

    def tracker(self) -> ByteTrack:
        """The tracker with thresholds that suit the detections: the paper's where doubtful ones are among them."""
        high, low, new = (0.6, 0.1, 0.7) if self.has_doubtful else (0.5, 0.3, 0.5)
        return ByteTrack(
            high_confidence=high,
            low_confidence=low,
            new_track_confidence=new,
            match_cost_max=0.9,
            lost_after_s=LOST_AFTER_S,
            nominal_frame_s=1 / self.fps,
        )

    def frames(self, *, with_pixels: bool) -> Iterator[Frame]:
        """Play it at its own rate; without pixels there is nothing to decode."""
        pictures = _pictures(self.video) if with_pixels and self.video is not None else iter(())
        for seq in range(len(self.detections)):
            yield Frame(
                seq=seq,
                captured_at=seq / self.fps,
                width_px=self.width_px,
                height_px=self.height_px,
                decode=_nothing,
                decode_luma=next(pictures).luma if with_pixels else None,
            )


class Published:
    """Implements ports.Detector: finds what was published."""

    labels = ("person",)

    def __init__(self, sequence: Sequence) -> None:
        self._detections = sequence.detections

    def detect(self, frame: Frame) -> Detections:
        return self._detections[frame.seq]


def find_sequences(root: Path) -> list[Sequence]:
    """All sequences below `root` that have detections and a truth."""
    folders = sorted(path.parent for path in (root / "tracking").rglob("seqinfo.ini"))
    wanted = [folder for folder in folders if (folder / "det/det.txt").is_file() and (folder / "gt/gt.txt").is_file()]
    return [_read(folder, root) for folder in wanted]


def _read(folder: Path, root: Path) -> Sequence:
    info = configparser.ConfigParser()
    info.read(folder / "seqinfo.ini")
    about = info["Sequence"]
    rows = read_table(folder / "det/det.txt")
    detections = []
    for number in range(1, int(about["seqLength"]) + 1):
        found = rows[rows[:, 0] == number]
        detections.append(
            Detections(
                tlwh_to_xyxy(found[:, 2:6]).astype(np.float32),
                found[:, 6].astype(np.float32),
                np.zeros(len(found), np.int32),
            )
        )
    video = root / _VIDEOS[folder.name] if folder.name in _VIDEOS else None
    return Sequence(
        name=folder.name,
        fps=float(about["frameRate"]),
        width_px=int(about["imWidth"]),
        height_px=int(about["imHeight"]),
        detections=detections,
        truth=read_table(folder / "gt/gt.txt"),
        video=video if video is not None and video.is_file() else None,
    )


def _pictures(video: Path) -> Iterator[Frame]:
    with closing(open_source(str(video), clock=SystemClock(), in_real_time=False)) as source:
        source.open()
        while True:
            try:
                frame = source.read(timeout_s=1.0)
            except EndOfStream:
                return
            if frame is not None:
                yield frame


def _nothing() -> np.ndarray:
    raise AssertionError("the published detections need no picture")
