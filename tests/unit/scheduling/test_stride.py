from __future__ import annotations

import pytest

from edged.domain.tracks import Tracks
from edged.scheduling.at_most import AtMost
from edged.scheduling.stride import Stride
from tests.unit.scheduling.parts import ask, dark, decisions


@pytest.mark.parametrize(("every", "expected"), [(1, "DDDD"), (2, "DpDpD"), (3, "DppDppD"), (5, "DppppD")])
def test_the_first_frame_and_every_nth_after_it_are_detected(every: int, expected: str) -> None:
    assert decisions(Stride(every), len(expected)) == expected


def test_a_look_that_did_not_come_about_is_made_up_for() -> None:
    stride, nobody = Stride(3), Tracks.empty(0.0)
    assert ask(stride, nobody, dark(0)) >= 1
    assert ask(stride, nobody, dark(1)) >= 1, "nobody looked at the first frame"
    stride.looked(nobody)
    assert [ask(stride, nobody, dark(seq)) >= 1 for seq in (2, 3, 4, 5)] == [False, False, True, True]


@pytest.mark.parametrize("every", [0, -3])
def test_a_stride_below_one_is_refused(every: int) -> None:
    with pytest.raises(ValueError, match="every is"):
        Stride(every)


def test_a_policy_that_wants_every_frame_gets_one_of_n() -> None:
    assert decisions(AtMost(Stride(1), 4), 9) == "DpppDpppD"
    assert decisions(AtMost(Stride(5), 2), 11) == "DppppDppppD"
