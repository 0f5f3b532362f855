"""Makes the clip that the laboratory's service watches: the built-in model's golden picture, panned to and fro.

python scripts/laboratory/clip.py FILE SECONDS
"""

from __future__ import annotations

import math
import sys
from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np

_FPS = 5
_PAN_PX = 16
_PAN_EVERY_S = 8.0


def make_clip(file: Path, seconds: int) -> None:
    """Write the clip as MPEG-4."""
    encoded = resources.files("edged.models").joinpath("builtin/golden.jpg").read_bytes()
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    with av.open(str(file), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=_FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * _FPS):
            shift = round(_PAN_PX * math.sin(2 * math.pi * number / _FPS / _PAN_EVERY_S))
            moved = np.roll(picture[:height, :width], shift, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(moved), format="bgr24")))
        container.mux(stream.encode())


if __name__ == "__main__":
    make_clip(Path(sys.argv[1]), int(sys.argv[2]))
