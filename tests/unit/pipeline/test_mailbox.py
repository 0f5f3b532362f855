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
    stop = threading.Event()
    for seq in range(3):
        mailbox.put(frame(seq), stop)

    taken = mailbox.take()

    assert taken is not None
    assert taken.seq == 2
    assert mailbox.dropped == 2
    assert mailbox.take() is None


def test_a_lossless_mailbox_makes_the_writer_wait_until_the_frame_is_taken() -> None:
    arrival = threading.Condition()
    mailbox = Mailbox(arrival, lossless=True)
    stop = threading.Event()

    def write() -> None:
        for seq in range(50):
            mailbox.put(frame(seq), stop)
        mailbox.close()

    writer = threading.Thread(target=write)
    writer.start()
    taken = []
    with arrival:
        while not mailbox.ended:
            waiting = mailbox.take()
            if waiting is None:
                arrival.wait(1)
            else:
                taken.append(waiting.seq)
    writer.join()

    assert taken == list(range(50))
    assert mailbox.dropped == 0


def test_a_writer_that_waits_for_room_gives_up_when_asked_to_stop() -> None:
    mailbox = Mailbox(threading.Condition(), lossless=True)
    stop = threading.Event()
    mailbox.put(frame(0), stop)
    stop.set()

    mailbox.put(frame(1), stop)

    assert mailbox.waiting is not None
    assert mailbox.waiting.seq == 0


def test_a_frame_that_a_newer_one_replaces_is_given_back() -> None:
    given_back: list[int] = []
    mailbox = Mailbox(threading.Condition())
    for seq in range(3):
        mailbox.put(frame(seq, release=partial(given_back.append, seq)), threading.Event())
    assert given_back == [0, 1]


def test_a_frame_that_a_stopped_writer_cannot_leave_is_given_back() -> None:
    given_back: list[int] = []
    mailbox, stop = Mailbox(threading.Condition(), lossless=True), threading.Event()
    mailbox.put(frame(0), stop)
    stop.set()
    mailbox.put(frame(1, release=partial(given_back.append, 1)), stop)
    assert given_back == [1]


def test_the_longest_time_without_a_frame_is_known_of_dropped_ones_too() -> None:
    mailbox, stop, gaps = Mailbox(threading.Condition()), threading.Event(), list[float]()
    for seqs in ([0], [1, 2, 3], [4, 9, 10], [11], [20]):
        for seq in seqs:
            mailbox.put(frame(seq), stop)
        assert mailbox.take() is not None
        assert mailbox.take() is None
        gaps.append(mailbox.gap_s)
    assert gaps == [0, 1, 5, 1, 9]


def test_a_closed_mailbox_still_gives_its_last_frame_and_has_ended_after_it() -> None:
    mailbox = Mailbox(threading.Condition())
    mailbox.put(frame(0), threading.Event())
    mailbox.close()

    assert not mailbox.ended
    assert mailbox.take() is not None
    assert mailbox.ended
