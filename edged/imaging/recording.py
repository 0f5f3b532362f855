"""What edged saw, for people who would rather look: an annotated video and a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edged.domain.frame import Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks
from edged.errors import FrameCorrupt
from edged.imaging.annotate import Annotator
from edged.imaging.contact_sheet import Tile, save_contact_sheet
from edged.imaging.jpeg import shrink
from edged.imaging.video_writer import VideoWriter

_TILES = 12  # on the sheet: three rows of four
_TILE_SIDE_PX = 480


def recording_files(folder: Path) -> tuple[Path, Path]:
    """Where a Recording in `folder` puts its video and its contact sheet."""
    return folder / "annotated.mp4", folder / "contact-sheet.jpg"


class Recording:
    """A frame observer that draws every frame into an MP4 and spreads up to twelve of them over a contact sheet.

    The folder must exist. Close it to finish both files.
    """

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        video_path, self._sheet_path = recording_files(folder)
        self._annotator = Annotator(labels)
        self._video = VideoWriter(video_path)
        self._began_at: float | None = None
        self._frames = 0
        self._tiles: list[Tile] = []
        self._tile_every = 1

    def __call__(self, frame: Frame, tracks: Tracks, decision: Decision) -> None:
        """Draw one frame. Raises EdgedError when a file cannot be written."""
        try:
            image = frame.image()
        except FrameCorrupt:
            return  # it was counted where the detector met it
        if self._began_at is None:
            self._began_at = frame.captured_at
        header = f"{frame.captured_at - self._began_at:6.1f} s   {decision.value}   in view: {len(tracks.confirmed())}"
        drawn = self._annotator.draw(image, tracks, header=header)
        self._video.write(drawn, frame.captured_at)
        if self._frames % self._tile_every == 0:
            self._tiles.append(Tile(shrink(drawn, max_side_px=_TILE_SIDE_PX)))
        if len(self._tiles) > 2 * _TILES:
            self._tiles = self._tiles[::2]  # the recording is longer than thought: half as many, twice as far apart
            self._tile_every *= 2
        self._frames += 1

    def close(self) -> None:
        """Finish both files. Raises EdgedError."""
        self._video.close()
        if self._tiles:
            spread = np.linspace(0, len(self._tiles) - 1, min(_TILES, len(self._tiles)))
            save_contact_sheet(self._sheet_path, [self._tiles[round(place)] for place in spread], columns=4)
