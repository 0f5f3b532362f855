from __future__ import annotations

import random
from pathlib import Path

from scripts.laboratory.volatile_file import VolatileFile

SECTOR = 512


def disk(folder: Path, sectors: int = 64) -> VolatileFile:
    path = folder / "disk.img"
    path.write_bytes(bytes(sectors * SECTOR))
    return VolatileFile(path)


def test_what_was_flushed_survives_every_cut(tmp_path: Path) -> None:
    served = disk(tmp_path)
    served.write(0, b"a" * SECTOR)
    served.flush()
    for seed in range(20):
        served.write(SECTOR, b"b" * SECTOR)
        assert served.lose_power(random.Random(seed)) == 1
        assert served.read(0, SECTOR) == b"a" * SECTOR


def test_what_was_not_flushed_is_sometimes_there_sometimes_not_and_sometimes_torn(tmp_path: Path) -> None:
    left = set()
    for seed in range(60):
        served = disk(tmp_path)
        served.write(0, b"n" * 4 * SECTOR)
        served.lose_power(random.Random(seed))
        left.add(bytes(served.read(sector * SECTOR, 1)[0] for sector in range(4)))
        served.close()
    assert bytes(4) in left
    assert b"nnnn" in left
    assert len(left) > 2


def test_writes_over_one_another_are_undone_to_what_was_flushed_or_kept_as_one_of_them(tmp_path: Path) -> None:
    left = set()
    for seed in range(60):
        served = disk(tmp_path)
        served.write(0, b"0" * SECTOR)
        served.flush()
        served.write(0, b"1" * SECTOR)
        served.write(0, b"2" * SECTOR)
        served.lose_power(random.Random(seed))
        left.add(served.read(0, 1))
        served.close()
    assert left == {b"0", b"1", b"2"}


def test_nothing_is_lost_without_a_cut(tmp_path: Path) -> None:
    served = disk(tmp_path)
    served.write(SECTOR, b"b" * SECTOR)
    served.close()
    assert (tmp_path / "disk.img").read_bytes()[SECTOR : 2 * SECTOR] == b"b" * SECTOR
