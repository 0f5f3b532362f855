from __future__ import annotations

import os
from pathlib import Path

import pytest

from edged.clock import SystemClock
from edged.domain.checkup import Verdict
from edged.health.doctor.disk import disk
from edged.testing.clock import FakeClock


class SlowDisk(FakeClock):
    """A clock by which half a second goes by between two looks."""

    def monotonic(self) -> float:
        self.advance(0.5)
        return super().monotonic()


def test_a_sound_disk_tells_its_room_and_its_speed(tmp_path: Path) -> None:
    room, speed = disk(tmp_path, clock=FakeClock())
    assert room.verdict in (Verdict.OK, Verdict.WARN)  # this machine's own
    assert "GB free" in room.text
    assert speed.verdict is Verdict.OK
    assert list(tmp_path.iterdir()) == []


def test_a_slow_disk_is_warned_of(tmp_path: Path) -> None:
    _, speed = disk(tmp_path, clock=SlowDisk())
    assert speed.verdict is Verdict.WARN
    assert "500.0 ms" in speed.text


def test_a_folder_that_is_not_there_fails_with_the_command_that_makes_it(tmp_path: Path) -> None:
    (found,) = disk(tmp_path / "no where", clock=SystemClock())
    assert found.verdict is Verdict.FAIL
    assert found.mend is not None
    assert f"'{tmp_path / 'no where'}'" in found.mend


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_this_user_may_not_write_to_is_unknown(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    _, speed = disk(tmp_path, clock=SystemClock())
    assert speed.verdict is Verdict.UNKNOWN
    assert speed.mend == "sudo edged doctor"
