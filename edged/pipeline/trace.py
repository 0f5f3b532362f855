"""Writes the tracks of every frame in MOTChallenge format, so that anyone can score the whole pipeline."""

from __future__ import annotations

from collections.abc import Collection
from typing import TextIO

from edged.domain.boxes import xyxy_to_tlwh
from edged.domain.frame import Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks


class TraceWriter:
    """A frame observer: one line a confirmed track, `frame,id,left,top,width,height,confidence,-1,-1,-1`.

    Frames count from 1, boxes are in pixels from 0 (https://motchallenge.net/instructions). The format has no place for
    a class, and its ground truth is of one kind of object, so only tracks of `class_ids` are written.
    """

    def __init__(self, file: TextIO, *, class_ids: Collection[int]) -> None:
        self._file = file
        self._class_ids = frozenset(class_ids)

    def __call__(self, frame: Frame, tracks: Tracks, decision: Decision) -> None:
        confirmed = tracks.confirmed()
        tlwh = xyxy_to_tlwh(confirmed.xyxy).tolist()
        for track, (left, top, width, height) in zip(confirmed, tlwh, strict=True):
            if track.class_id not in self._class_ids:
                continue
            self._file.write(
                f"{frame.seq + 1},{track.track_id},{left:.2f},{top:.2f},{width:.2f},{height:.2f},"
                f"{track.confidence:.4f},-1,-1,-1\n"
            )
