"""Many pictures on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edged.domain.frame import BgrImage
from edged.imaging.annotate import draw_text
from edged.imaging.files import write_file
from edged.imaging.jpeg import encode_jpeg

_PAPER = 32  # grey level
_TILE_PX = 320, 240
_QUALITY = 85  # of the JPEG
_GAP_PX = 6
_CAPTION_PX = 18
_CAPTION_SCALE = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture on the sheet, any size, and the line below it."""

    image: BgrImage
    caption: str = ""


def contact_sheet(tiles: Sequence[Tile], *, columns: int | None = None) -> BgrImage:
    """Lay the tiles out in rows, each fitted into 320 × 240 pixels without distortion.

    Without `columns` the sheet becomes about as wide as it is high. No tiles give an empty sheet.
    """
    columns = columns or max(1, math.ceil(math.sqrt(len(tiles))))
    tile_w, tile_h = _TILE_PX
    cell_w, cell_h = tile_w + _GAP_PX, tile_h + _CAPTION_PX + _GAP_PX
    rows = max(1, math.ceil(len(tiles) / columns))
    sheet: BgrImage = np.full((rows * cell_h + _GAP_PX, columns * cell_w + _GAP_PX, 3), _PAPER, np.uint8)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        x, y = _GAP_PX + column * cell_w, _GAP_PX + row * cell_h
        sheet[y : y + tile_h, x : x + tile_w] = fit(tile.image, width_px=tile_w, height_px=tile_h)
        strip = sheet[y + tile_h : y + tile_h + _CAPTION_PX, x : x + tile_w]
        paper = (_PAPER, _PAPER, _PAPER)
        draw_text(strip, tile.caption, (0, 0), colour=(230, 230, 230), background=paper, scale=_CAPTION_SCALE)
    return sheet


def save_contact_sheet(path: Path, tiles: Sequence[Tile], *, columns: int | None = None) -> None:
    """Write the sheet as JPEG. Raises EdgedError when the file cannot be written."""
    write_file(path, encode_jpeg(contact_sheet(tiles, columns=columns), quality=_QUALITY))


def fit(image: BgrImage, *, width_px: int, height_px: int) -> BgrImage:
    """Scale a picture of any size into the middle of one of that size, on grey paper."""
    scale = min(width_px / image.shape[1], height_px / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(image, size, interpolation=method) if scale != 1 else image
    paper: BgrImage = np.full((height_px, width_px, 3), _PAPER, np.uint8)
    x, y = (width_px - size[0]) // 2, (height_px - size[1]) // 2
    paper[y : y + size[1], x : x + size[0]] = scaled
    return paper
