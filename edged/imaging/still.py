"""One picture as a file: JPEG or PNG, by the file's name."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import cv2

from edged.domain.frame import BgrImage
from edged.errors import OutputNotWritable
from edged.imaging.files import cannot_write
from edged.imaging.jpeg import encode_jpeg

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
"""What can be written, by the end of the file's name."""

_QUALITY = 95


def write_still(path: Path, image: BgrImage) -> int:
    """Write the (H, W, 3) uint8 BGR picture, and return its size in bytes.

    A file that is there is replaced in one go: whoever reads it gets the old picture or the new one, whole. The name
    must end in one of FORMATS. Raises OutputNotWritable, also for a picture too large for its format.
    """
    data = _encode(image, FORMATS[path.suffix.lower()])
    target = Path(os.path.realpath(path))  # a link stays one
    draft = target.with_name(f".edged-{os.getpid()}")  # short: the target's own name may be as long as one can be
    try:
        if target.exists() and not target.is_file():
            raise OutputNotWritable(f"{path} is no file that could be replaced", hint="Choose another name.")
        draft.write_bytes(data)
        draft.replace(target)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise cannot_write(path, error) from error
    return len(data)


def _encode(image: BgrImage, kind: str) -> bytes:
    if kind == "JPEG":
        return encode_jpeg(image, quality=_QUALITY)
    return bytes(cv2.imencode(".png", image)[1].tobytes())
