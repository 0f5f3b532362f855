from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.domain.tracks import Tracks
from edged.scheduling.paced import Paced
from edged.scheduling.stride import Stride
from tests.unit.scheduling.parts import ask, dark, decisions


class Share:
    """A budget with a lever."""

    def __init__(self, share: float) -> None:
        self.now = share

    def share(self) -> float:
        return self.now


def looks(every: int, share: float, *, frames: int = 3000, fps: float = 30.0) -> int:
    return decisions(Paced(Stride(every), Share(share)), frames, fps=fps).count("D")


@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("share", [1.0, 0.8, 0.5, 0.25, 0.2])
def test_the_detector_runs_that_share_of_what_it_would(every: int, share: float) -> None:
    at_most = looks(every, 1.0) * share
    assert 0.75 * at_most - 1 <= looks(every, share) <= at_most + 1  # a look waits for a whole frame


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 20), st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_budget_never_means_more_looks(every: int, one: float, other: float) -> None:
    few, many = sorted((one, other))
    assert looks(every, few, frames=200) <= looks(every, many, frames=200) + 1


def test_nothing_runs_without_a_budget_and_all_is_made_up_for_when_it_comes_back() -> None:
    budget = Share(0.0)
    policy = Paced(Stride(1), budget)
    assert all(ask(policy, Tracks.empty(seq / 30), dark(seq), due=True) < 1 for seq in range(300))
    budget.now = 1.0
    assert ask(policy, Tracks.empty(10.0), dark(300)) >= 1


def test_a_quiet_camera_is_not_slowed_since_it_heats_nothing() -> None:
    assert looks(90, 0.2) == looks(90, 1.0)  # a wish every three seconds


def test_a_busy_camera_looks_every_two_seconds_in_whatever_heat() -> None:
    assert looks(30, 0.2, frames=3000) >= 3000 / 30 / 2 - 1
