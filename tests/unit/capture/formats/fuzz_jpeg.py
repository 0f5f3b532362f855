"""Decodes damaged JPEGs in a process of its own: `python -m tests.unit.capture.formats.fuzz_jpeg SEED COUNT`.

The process may take little memory beside what it has at the start, so that a forged size shows. Prints what became of
the frames; whoever else writes to stderr is libjpeg.
"""

from __future__ import annotations

import random
import resource
import sys
from pathlib import Path

import numpy as np

from edged.capture.formats import pixel_decoder
from edged.errors import FrameCorrupt
from tests.unit.capture.formats.jpegs import HEIGHT_PX, WIDTH_PX, damaged, jpeg, without

_MORE_BYTES = 300_000_000


def main(seed: int, count: int) -> str:
    """Decode in each of the sizes; anything but a picture or FrameCorrupt is a fault of the decoder."""
    whole = [jpeg(sampling="4:2:0"), jpeg(restart=7), jpeg(progressive=True), without(jpeg(), 0xC4)]
    decoder = pixel_decoder(
        "MJPG", width_px=WIDTH_PX, height_px=HEIGHT_PX, stride_bytes=0, full_range=True, bt709=False
    )
    for data in whole:  # starts what is started once
        decoder.decode([np.frombuffer(data, np.uint8)])
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + _MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    chance = random.Random(seed)
    refused = 0
    for _ in range(count):
        frame = np.frombuffer(damaged(chance.choice(whole), chance), np.uint8)
        wanted = chance.choice(((WIDTH_PX, HEIGHT_PX), (160, 120), (80, 60), (40, 30)))
        try:
            image = decoder.decode_for([frame], *wanted)
            assert image.shape == (wanted[1], wanted[0], 3)
        except FrameCorrupt:
            refused += 1
    return f"{refused} of {count} refused"


if __name__ == "__main__":
    sys.stdout.write(main(int(sys.argv[1]), int(sys.argv[2])) + "\n")
