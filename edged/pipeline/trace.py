"""Writes the tracks of every frame in MOTChallenge format, so that anyone can score the whole pipeline."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from edged.domain.boxes import xyxy_to_tlwh
from edged.domain.frame import Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks
from edged.errors import OutputNotWritable, is_full, is_of_the_disk

log = logging.getLogger(__name__)

_LINE = re.compile(rb"\d+,\d+(,-?\d+\.\d+){5},-1,-1,-1\s")


class TraceWriter:
    """A frame observer: one line a confirmed track, `frame,id,left,top,width,height,confidence,-1,-1,-1`.

    Frames count from 1, boxes are in pixels from 0 (https://motchallenge.net/instructions); the frames of a source that
    was opened again count on. The format has no place for a class, and its ground truth is of one kind of object, so
    only tracks of `class_ids` are written.
    """

    def __init__(self, path: Path, *, class_ids: Collection[int]) -> None:
        """Look whether `path` can be written. A trace there is replaced when the first frame comes.

        Any other file stays as it is: it may be the very recording whose tracks are to be written. Raises
        OutputNotWritable, as all methods do.
        """
        self._path = path
        self._class_ids = frozenset(class_ids)
        self._file: TextIO | None = None
        self._closed = False
        self._number = 0  # of the last frame
        self._before = 0  # frames before the source was opened last
        with self._door():
            path.open("a").close()
            other = path.is_file() and not _is_trace(path)
        if other:
            raise OutputNotWritable(
                f"{path} is no trace, and stays as it is.", hint="Name another file for the trace, or remove this one."
            )

    def __call__(self, frame: Frame, tracks: Tracks, decision: Decision) -> None:
        if self._closed:  # an end that was interrupted does not wait for the last frame
            return
        self._count(frame)
        confirmed = tracks.confirmed()
        tlwh = xyxy_to_tlwh(confirmed.xyxy).tolist()
        with self._door():
            if self._file is None:
                self._file = self._path.open("w", encoding="ascii")
            for track, (left, top, width, height) in zip(confirmed, tlwh, strict=True):
                if track.class_id not in self._class_ids:
                    continue
                self._file.write(
                    f"{self._number},{track.track_id},{left:.2f},{top:.2f},{width:.2f},{height:.2f},"
                    f"{track.confidence:.4f},-1,-1,-1\n"
                )

    def close(self) -> None:
        """Write what is left; frames that come later are passed over."""
        self._closed = True
        with self._door():
            if self._file is not None:
                self._file.close()

    def _count(self, frame: Frame) -> None:
        if self._before + frame.seq < self._number:
            self._before = self._number - frame.seq
        self._number = self._before + frame.seq + 1

    @contextmanager
    def _door(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputNotWritable(
                f"The trace {self._path} cannot be written: {error.strerror}.",
                hint="Name a file in a folder that exists, that this user may write to, and that has space.",
            ) from error


class SpareTrace:
    """A trace that the daemon can do without: it ends where the disk is full or fails, and the daemon goes on."""

    def __init__(self, path: Path, *, class_ids: Collection[int]) -> None:
        """Raises OutputNotWritable as TraceWriter does, but not for the disk: a box would start again and again."""
        self.error: OutputNotWritable | None = None
        """Why it is not complete."""
        self._trace: TraceWriter | None = None
        with self._going_on():
            self._trace = TraceWriter(path, class_ids=class_ids)

    def __call__(self, frame: Frame, tracks: Tracks, decision: Decision) -> None:
        if self._trace is not None and self.error is None:
            with self._going_on():
                self._trace(frame, tracks, decision)

    def close(self) -> None:
        """Write what is left, if it can be."""
        if self._trace is not None:
            with self._going_on():
                self._trace.close()

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        try:
            yield
        except OutputNotWritable as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or (
                self._trace is None and not (is_full(cause) or is_of_the_disk(cause))
            ):
                raise
            if self.error is None:
                self.error = error
                log.error("edged goes on, and the trace is not complete: %s", error)


def _is_trace(path: Path) -> bool:
    with path.open("rb") as file:
        line = file.readline(200)
    return not line or _LINE.fullmatch(line) is not None
