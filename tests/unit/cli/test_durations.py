from __future__ import annotations

import pytest

from edged.cli.durations import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (7.25, "7.2 s"),
        (59.9, "59.9 s"),
        (60, "1 min 0 s"),
        (302, "5 min 2 s"),
        (7500, "2 h 5 min"),
        (86400, "1 d 0 h"),
        (3 * 86400 + 4 * 3600 + 59, "3 d 4 h"),
        (-90, "-1 min 30 s"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
