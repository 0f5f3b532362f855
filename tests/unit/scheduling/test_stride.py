from __future__ import annotations

import pytest

from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks
from edged.scheduling.stride import Stride


def decisions(every: int, frames: int) -> str:
    stride = Stride(every)
    return "".join(
        "D" if stride.decide(n / 30, Tracks.empty(n / 30)) is Decision.DETECT else "p" for n in range(frames)
    )


@pytest.mark.parametrize(("every", "expected"), [(1, "DDDD"), (2, "DpDpD"), (3, "DppDppD"), (5, "DppppD")])
def test_the_first_frame_and_every_nth_after_it_are_detected(every: int, expected: str) -> None:
    assert decisions(every, len(expected)) == expected


@pytest.mark.parametrize("every", [0, -3])
def test_a_stride_below_one_is_refused(every: int) -> None:
    with pytest.raises(ValueError, match="every is"):
        Stride(every)
