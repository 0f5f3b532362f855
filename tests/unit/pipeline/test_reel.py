from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from edged.domain.frame import Frame
from edged.errors import SourceUnreadable
from edged.pipeline.reel import Reel
from edged.ports import EndOfStream


def frame(seq: int) -> Frame:
    return Frame(
        seq=seq, captured_at=float(seq), width_px=2, height_px=2, decode=lambda: np.zeros((2, 2, 3), dtype=np.uint8)
    )


class Recording:
    """Three frames, and then `end`."""

    def __init__(self, end: EndOfStream | SourceUnreadable) -> None:
        self.frames = iter([frame(0), frame(1), frame(2)])
        self.end = end

    def read(self) -> Frame | None:
        for each in self.frames:
            return each
        raise self.end


class Lender(threading.Thread):
    """The thread that lends a recording; `raised` is what it got back."""

    def __init__(self, reel: Reel, read: Callable[[], Frame | None]) -> None:
        super().__init__()
        self.stop = threading.Event()
        self.raised: EndOfStream | SourceUnreadable | None = None
        self._reel = reel
        self._recording = read

    def run(self) -> None:
        try:
            self._reel.lend(self._recording, self.stop)
        except (EndOfStream, SourceUnreadable) as error:
            self.raised = error


@contextmanager
def lent(read: Callable[[], Frame | None]) -> Iterator[tuple[Reel, Lender]]:
    """A reel whose recording can be read by now."""
    arrival = threading.Condition()
    reel = Reel(arrival)
    lender = Lender(reel, read)
    with arrival:
        lender.start()
        assert arrival.wait_for(lambda: reel.waiting, 10)
    try:
        yield reel, lender
    finally:
        lender.stop.set()
        lender.join(10)


@pytest.mark.parametrize("end", [EndOfStream(), SourceUnreadable("it is torn", hint="Copy it again.")])
def test_every_frame_is_read_by_whoever_wants_it_and_the_lender_hears_of_the_end(
    end: EndOfStream | SourceUnreadable,
) -> None:
    with lent(Recording(end).read) as (reel, lender):
        seqs = [taken.seq for taken in iter(reel.take, None)]
        lender.join(10)
    assert seqs == [0, 1, 2]
    assert lender.raised is end
    assert not reel.waiting


def test_the_reel_says_how_long_no_frame_came() -> None:
    seqs = iter([3, 4, 13])
    with lent(lambda: frame(next(seqs))) as (reel, _):
        gaps_s = [reel.gap_s for _ in range(3) if reel.take() is not None]
    assert gaps_s == [0.0, 1.0, 9.0]


def test_nothing_can_be_taken_before_the_recording_is_open_and_after_it_is_closed() -> None:
    reel = Reel(threading.Condition())
    assert reel.take() is None
    assert not reel.ended
    reel.close()
    assert reel.take() is None
    assert reel.ended


def test_a_stop_gives_the_recording_back_and_nobody_reads_it_any_more() -> None:
    with lent(Recording(EndOfStream()).read) as (reel, lender):
        lender.stop.set()
        lender.join(10)
        assert lender.raised is None
        assert reel.take() is None


def test_a_stop_in_the_middle_of_a_frame_waits_until_it_is_read() -> None:
    reading, go_on = threading.Event(), threading.Event()

    def read() -> Frame:
        reading.set()
        assert go_on.wait(10)
        return frame(0)

    with lent(read) as (reel, lender):
        taken: list[Frame | None] = []
        reader = threading.Thread(target=lambda: taken.append(reel.take()))
        reader.start()
        assert reading.wait(10)
        lender.stop.set()
        lender.join(0.3)
        assert lender.is_alive(), "the recording would be closed while somebody reads it"
        go_on.set()
        reader.join(10)
        lender.join(10)
        assert not lender.is_alive()
    assert [each.seq for each in taken if each is not None] == [0]
