from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

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


WRITE = st.tuples(st.integers(0, 7), st.integers(1, 8))  # the first sector and how many
FLUSH_OR_CUT = st.sampled_from(["flush", "cut"])


@given(st.lists(WRITE | FLUSH_OR_CUT, max_size=40), st.integers(0, 1000))
def test_a_sector_holds_what_was_flushed_or_one_of_the_writes_since_and_is_never_torn(
    story: list[tuple[int, int] | str], seed: int
) -> None:
    chance = random.Random(seed)
    possible = [{0} for _ in range(16)]  # by sector, the numbers of the writes that it may hold
    with TemporaryDirectory() as folder:
        served = disk(Path(folder), 16)
        for number, step in enumerate([*story, "cut"], start=1):
            if isinstance(step, tuple):
                first, count = step
                served.write(first * SECTOR, bytes([number]) * count * SECTOR)
                for holds in possible[first : first + count]:
                    holds.add(number)
                continue
            if step == "cut":
                served.lose_power(chance)
            else:
                newest = [served.read(sector * SECTOR, 1)[0] for sector in range(16)]
                assert newest == [max(holds) for holds in possible]
                served.flush()
            content = [served.read(sector * SECTOR, SECTOR) for sector in range(16)]
            assert all(set(sector) == {sector[0]} for sector in content)
            assert all(sector[0] in holds for sector, holds in zip(content, possible, strict=True))
            possible = [{sector[0]} for sector in content]
        served.close()
