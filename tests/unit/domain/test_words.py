from __future__ import annotations

from edged.domain.words import counted


def test_only_of_one_is_spoken_in_the_singular() -> None:
    assert [counted(count, "frame") for count in (0, 1, 2, 11)] == ["0 frames", "1 frame", "2 frames", "11 frames"]
    assert [counted(count, "event is", "events are") for count in (1, 3)] == ["1 event is", "3 events are"]
    assert counted("?", "time") == "? times"
