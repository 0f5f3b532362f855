from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edged.capture.v4l2.abi import BUF_FLAG_TIMESTAMP_MONOTONIC
from edged.capture.v4l2.timeline import Timeline
from edged.domain.health import SourceStats

steps = st.integers(1, 1000)
stamps = st.tuples(st.floats(-1e6, 1e12), st.sampled_from([0, BUF_FLAG_TIMESTAMP_MONOTONIC, 0x4000]), st.floats(0, 10))


@given(st.integers(0, 0xFFFF_FFFF), st.lists(steps, max_size=50))
def test_numbers_follow_the_drivers_gaps_through_its_wrap(first: int, gaps: list[int]) -> None:
    stats = SourceStats()
    timeline = Timeline(0.0, stats)
    assert timeline.number(first, 1, 0) == 0
    at = 0
    for gap in gaps:
        at += gap
        assert timeline.number((first + at) & 0xFFFF_FFFF, 1, 0) == at
    assert stats.missed == at - len(gaps)


@given(st.lists(st.integers(0, 0xFFFF_FFFF), min_size=1, max_size=50))
def test_numbers_rise_whatever_the_driver_says(told: list[int]) -> None:
    stats = SourceStats()
    timeline = Timeline(0.0, stats)
    numbers = [timeline.number(sequence, 1, 0) for sequence in told]
    assert numbers[0] == 0
    assert numbers == sorted(set(numbers))
    assert numbers[-1] + 1 == len(told) + stats.missed


def test_a_driver_that_starts_again_loses_nothing() -> None:
    stats = SourceStats()
    timeline = Timeline(0.0, stats)
    assert [timeline.number(sequence, 1, 0) for sequence in (1000, 1001, 0, 1)] == [0, 1, 2, 3]
    assert stats.missed == 0


def test_a_frame_left_over_from_an_earlier_run_is_no_yardstick_for_losses() -> None:
    stats = SourceStats()
    timeline = Timeline(1000.0, stats)
    assert timeline.number(0, 999, 900_000) == 0
    assert timeline.number(422, 1000, 40_000) == 1
    assert stats.missed == 0
    assert timeline.number(424, 1000, 120_000) == 3
    assert stats.missed == 1


@given(st.lists(stamps, max_size=50))
def test_instants_rise_and_are_never_ahead_of_now(frames: list[tuple[float, int, float]]) -> None:
    timeline = Timeline(1000.0, SourceStats())
    last, now = 1000.0, 1000.0
    for told, flags, passed in frames:
        now += passed
        seconds, microseconds = divmod(round(told * 1e6), 1_000_000)
        at = timeline.instant(flags, seconds, microseconds, now)
        assert at > last
        assert at <= max(now, last + 1e-9)
        last = at


def test_a_stamp_that_can_be_true_is_believed() -> None:
    timeline = Timeline(1000.0, SourceStats())
    assert timeline.instant(BUF_FLAG_TIMESTAMP_MONOTONIC, 1000, 500_000, 1000.9) == 1000.5
    assert timeline.instant(BUF_FLAG_TIMESTAMP_MONOTONIC, 1000, 400_000, 1001.0) == 1001.0  # it went back
