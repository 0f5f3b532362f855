from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import numpy as np

from edged.domain.frame import Frame
from edged.pipeline.mailbox import Mailbox


def frame(seq: int, *, release: Callable[[], None] | None = None) -> Frame:
    return Frame(
        seq=seq,
        captured_at=float(seq),
        width_px=2,
        height_px=2,
        decode=lambda: np.zeros((2, 2, 3), dtype=np.uint8),
        release=release,
    )


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    mailbox = Mailbox(threading.Condition())
    for seq in range(3):
        mailbox.put(frame(seq))

    taken = mailbox.take()

    assert taken is not None
    assert taken.seq == 2
    assert mailbox.dropped == 2
    assert mailbox.take() is None


def test_a_frame_that_a_newer_one_replaces_is_given_back() -> None:
    given_back: list[int] = []
    mailbox = Mailbox(threading.Condition())
    for seq in range(3):
        mailbox.put(frame(seq, release=partial(given_back.append, seq)))
    assert given_back == [0, 1]


def test_the_longest_time_without_a_frame_is_known_of_dropped_ones_too() -> None:
    mailbox, gaps = Mailbox(threading.Condition()), list[float]()
    for seqs in ([0], [1, 2, 3], [4, 9, 10], [11], [20]):
        for seq in seqs:
            mailbox.put(frame(seq))
        assert mailbox.take() is not None
        assert mailbox.take() is None
        gaps.append(mailbox.gap_s)
    assert gaps == [0, 1, 5, 1, 9]


def test_a_closed_mailbox_still_gives_its_last_frame_and_has_ended_after_it() -> None:
    mailbox = Mailbox(threading.Condition())
    mailbox.put(frame(0))
    mailbox.close()

    assert not mailbox.ended
    assert mailbox.take() is not None
    assert mailbox.ended
