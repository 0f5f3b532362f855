"""The whole chain on real footage against ground truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.benchmarks.scoring import read_table, score
from tests.daemon.conftest import Box
from tests.models import picodet_folder

FRAMES = 795
HOTA_MIN = 46.0


@pytest.mark.slow
def test_tracks_of_people_in_a_real_street_are_as_good_as_promised(box: Box, shared_dir: Path) -> None:
    clip = shared_dir / "videos" / "vtest.avi"
    truth = shared_dir / "tracking" / "PETS09-S2L1" / "gt" / "gt.txt"
    picodet_folder(box.folder, shared_dir, 416)
    box.configure(f'source = "{clip}"', rest='[scheduler]\npolicy = "stride"')
    box.config.write_text(box.config.read_text().replace("./spot", "./picodet-s-416"))

    ended = box.run("run", "-c", box.config, "--trace", "trace.txt")

    assert ended.code == 0, ended.err
    status = box.status()
    assert status is not None
    assert status["cameras"][0]["detected"] == FRAMES
    scores = score({"vtest": (read_table(box.folder / "trace.txt"), read_table(truth))})
    assert scores["vtest"].hota >= HOTA_MIN
