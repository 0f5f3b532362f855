from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.unit.capture.clips import grey_step, make_clip

ROOT = Path(__file__).parents[3]


def _damaged(data: bytes, chance: random.Random) -> bytes:
    """Flip some bytes, cut a piece out, double one, or cut the end off."""
    damaged = bytearray(data)
    for _ in range(chance.choice((1, 4, 32))):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    at = chance.randrange(len(damaged))
    kind = chance.randrange(4)
    if kind == 0:
        del damaged[at : at + chance.randrange(1, 200)]
    elif kind == 1:
        damaged[at:at] = damaged[at : at + chance.randrange(1, 200)]
    elif kind == 2:
        del damaged[max(at, 100) :]
    return bytes(damaged)


def _assert_two_hundred_damaged_copies_play(whole: bytes, folder: Path, name: str) -> None:
    chance = random.Random(name)
    paths = []
    for number in range(200):
        path = folder / f"{number:03}-{name}"
        path.write_bytes(_damaged(whole, chance))
        paths.append(str(path))
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.capture.fuzz_player", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"after {done.stdout.splitlines()[-1:]}: {done.stderr[-2000:]}"
    assert len(done.stdout.splitlines()) == len(paths)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "mpeg4"), ("b.avi", "mpeg4"), ("c.mkv", "libx264"), ("d.ts", "libx264"), ("e.avi", "mjpeg")],
)
def test_no_damage_to_a_clip_ends_the_process_or_raises_a_foreign_error(tmp_path: Path, name: str, codec: str) -> None:
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    whole = make_clip(tmp_path / name, frames=12, codec=codec, pix_fmt=pix_fmt).read_bytes()
    _assert_two_hundred_damaged_copies_play(whole, tmp_path, name)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_no_damage_to_a_picture_ends_the_process_or_raises_a_foreign_error(tmp_path: Path, suffix: str) -> None:
    whole = cv2.imencode(suffix, grey_step(5))[1].tobytes()
    _assert_two_hundred_damaged_copies_play(whole, tmp_path, f"picture{suffix}")
