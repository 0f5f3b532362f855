"""Decodes damaged JPEGs in a process of its own: `python -m tests.unit.capture.formats.fuzz_jpeg SEED COUNT`.

Prints what became of the frames, and how much more memory than at the start the process asked for; whoever else writes
to stderr is libjpeg.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import numpy as np

from edged.capture.formats import pixel_decoder
from edged.errors import FrameCorrupt
from tests.unit.capture.formats.jpegs import HEIGHT_PX, WIDTH_PX, damaged, jpeg, says, without


def peak_bytes() -> int:
    """How much address space the process has had at most; a decoder that believes a header asks for gigabytes."""
    peak = re.search(r"VmPeak:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak is not None
    return int(peak[1]) * 1024


def main(seed: int, count: int) -> str:
    """Decode in each of the sizes; anything but a picture or FrameCorrupt is a fault of the decoder."""
    whole = [jpeg(sampling="4:2:0"), jpeg(restart=7), jpeg(progressive=True), without(jpeg(), 0xC4)]
    decoder = pixel_decoder(
        "MJPG", width_px=WIDTH_PX, height_px=HEIGHT_PX, stride_bytes=0, full_range=True, bt709=False
    )
    for data in whole:  # starts what is started once
        decoder.decode([np.frombuffer(data, np.uint8)])
    at_start_bytes = peak_bytes()
    chance = random.Random(seed)
    refused = 0
    for _ in range(count):
        data = damaged(chance.choice(whole), chance)
        if chance.random() < 0.05:
            data = chance.choice(whole)  # FFmpeg allows for 256 pixels a byte
            data = data[:-2] + says(data, 12_000, 10_000)[2:] + bytes(800_000)
        frame = np.frombuffer(data, np.uint8)
        wanted = chance.choice(((WIDTH_PX, HEIGHT_PX), (160, 120), (80, 60), (40, 30)))
        try:
            image = decoder.decode_for([frame], *wanted)
            assert image.shape == (wanted[1], wanted[0], 3)
        except FrameCorrupt:
            refused += 1
    return f"{refused} of {count} refused, {(peak_bytes() - at_start_bytes) >> 20} MiB more"


if __name__ == "__main__":
    sys.stdout.write(main(int(sys.argv[1]), int(sys.argv[2])) + "\n")
