from __future__ import annotations

from pathlib import Path

import pytest

from edged.app.replay import replay
from edged.domain.machine import Watts
from edged.errors import ConfigError
from edged.health.power_meter import PowerMeter
from edged.testing.clock import FakeClock
from tests.unit.capture.clips import damage_packet, make_clip

FRAMES = 20


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(make_clip(tmp_path / "clip.avi", frames=FRAMES))


def silent() -> PowerMeter:
    return PowerMeter(lambda: None, clock=FakeClock())


def test_a_policy_is_charged_with_the_energy_of_the_time_that_it_kept_the_machine_busy(clip: str) -> None:
    meter = PowerMeter(_Rising().read, clock=FakeClock())
    played = replay(clip, ["stride:4"], model="builtin", threads=1, meter=meter)
    every, fourth = played.policies
    assert played.draw is not None
    above_rest_w = played.draw.busy_w - played.draw.rest_w
    assert every.energy_j == pytest.approx(above_rest_w * every.run.busy_s)
    assert fourth.energy_j == pytest.approx(above_rest_w * fourth.run.busy_s)
    assert fourth.run.busy_s < every.run.busy_s


class _Rising:
    """3 W at rest, that is for the first nine readings, and 5 W from then on."""

    def __init__(self) -> None:
        self._readings = 0

    def read(self) -> Watts:
        self._readings += 1
        return Watts(3.0 if self._readings <= 9 else 5.0, "INA3221 VDD_IN")


def test_where_nobody_tells_what_the_machine_draws_the_energy_is_unknown(clip: str) -> None:
    played = replay(clip, ["stride:2"], model="builtin", threads=1, meter=silent())
    assert played.draw is None
    assert [one.energy_j for one in played.policies] == [None, None]


def test_tracks_are_held_against_the_truth(clip: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    truth = tmp_path / "gt.txt"
    truth.write_text(f"1,1,10,10,20,20,1,-1,-1,-1\n{FRAMES},1,10,10,20,20,1,-1,-1,-1\n")
    played = replay(clip, ["stride:2"], model="builtin", threads=1, truth=truth, meter=silent())
    for one in played.policies:
        assert one.score is not None
        assert (one.score.hota, one.score.mota) == (0, 0), "a plain picture shows nobody"
    assert caplog.messages == []


def test_a_truth_that_goes_on_after_the_recording_is_told_and_its_rest_costs_nothing(
    clip: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    truth = tmp_path / "gt.txt"
    truth.write_text("1000000000,1,10,10,20,20,1\n")
    played = replay(clip, ["stride:2"], model="builtin", threads=1, truth=truth, meter=silent())
    assert [one.score for one in played.policies if one.score is None] == []
    (told,) = caplog.messages
    assert f"the truth goes to frame 1000000000, the recording has {FRAMES}" in told


def test_a_damaged_frame_counts_where_the_truth_is_held_against_the_recordings_length(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip, truth = make_clip(tmp_path / "clip.avi", frames=10, options={"g": "1"}), tmp_path / "gt.txt"
    damage_packet(clip, 3)
    truth.write_text("10,1,10,10,20,20,1\n")
    replay(str(clip), ["stride:2"], model="builtin", threads=1, truth=truth, meter=silent())
    assert [message for message in caplog.messages if "truth" in message] == []


def test_without_a_truth_there_is_no_score(clip: str) -> None:
    played = replay(clip, [], model="builtin", threads=1, meter=silent())
    assert [one.score for one in played.policies] == [None]


@pytest.mark.parametrize("text", [None, b"", b"nothing of the kind\n", b"\xff\xfe\x00"])
def test_what_is_no_truth_is_refused_before_anything_is_played(clip: str, tmp_path: Path, text: bytes | None) -> None:
    truth = tmp_path / "gt.txt"
    if text is not None:
        truth.write_bytes(text)
    with pytest.raises(ConfigError, match=r"gt\.txt"):
        replay(clip, [], model="builtin", threads=1, truth=truth, meter=silent())


def test_a_label_that_the_model_does_not_know_is_refused_where_no_tracks_are_wanted_too(clip: str) -> None:
    with pytest.raises(ConfigError, match=r"giraffe(.|\n)*It knows: person"):
        replay(clip, [], model="builtin", threads=1, trace_label="giraffe", meter=silent())


def test_a_label_that_the_model_does_not_know_is_refused(clip: str, tmp_path: Path) -> None:
    truth = tmp_path / "gt.txt"
    truth.write_text("1,1,10,10,20,20,1,-1,-1,-1\n")
    with pytest.raises(ConfigError, match="giraffe"):
        replay(clip, [], model="builtin", threads=1, truth=truth, trace_label="giraffe", meter=silent())
