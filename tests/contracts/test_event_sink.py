"""What every EventSink promises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from edged.domain.events import CameraEvent, Event, EventKind, MachineEvent, TrackEvent
from edged.ports import EventSink
from edged.store.events import EventStore
from edged.store.reader import EventLog
from edged.testing.clock import FakeClock
from edged.testing.events import MemorySink

JPEG = b"\xff\xd8 a picture \xff\xd9"


@dataclass
class Socket:
    """A sink, and a way to see what it took."""

    sink: EventSink
    taken: Callable[[], list[tuple[Event, bytes | None]]]


def memory_sink(_: Path) -> Iterator[Socket]:
    sink = MemorySink()
    yield Socket(sink, lambda: list(zip(sink.events, sink.snapshots, strict=True)))


def event_store(folder: Path) -> Iterator[Socket]:
    store = EventStore(folder, clock=FakeClock(), version="1")

    def taken() -> list[tuple[Event, bytes | None]]:
        store.step()
        return [
            (record.event, (folder / record.snapshot).read_bytes() if record.snapshot else None)
            for record in EventLog(folder).read()
        ]

    yield Socket(store, taken)
    store.close()


@pytest.fixture(params=[memory_sink, event_store], ids=lambda make: make.__name__)
def socket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Socket]:
    yield from request.param(tmp_path)


def an_event(number: int) -> TrackEvent:
    return TrackEvent(
        kind=EventKind.APPEARED,
        camera="yard",
        at=999.0,
        track_id=number,
        label="person",
        confidence=0.5,
        xyxy=(1.0, 2.0, 3.0, 4.0),
        entry_xy=(2.0, 4.0),
        exit_xy=None,
        started_at=998.0,
        duration_s=1.0,
    )


def test_an_event_is_taken_with_and_without_a_picture(socket: Socket) -> None:
    socket.sink.put(an_event(1), JPEG)
    socket.sink.put(an_event(2), None)
    assert socket.taken() == [(an_event(1), JPEG), (an_event(2), None)]


def test_an_event_of_a_camera_is_taken_as_those_of_objects_are(socket: Socket) -> None:
    lost = CameraEvent(EventKind.CAMERA_LOST, "yard", 999.0, 999.0, "unplugged", "/dev/video0 went away")
    back = CameraEvent(EventKind.CAMERA_BACK, "yard", 1004.5, 999.0, "unplugged")
    for event in (lost, an_event(1), back):
        socket.sink.put(event, None)
    assert [event for event, _ in socket.taken()] == [lost, an_event(1), back]
    assert back.duration_s == 5.5


def test_an_event_of_the_machine_is_taken_too(socket: Socket) -> None:
    hot = MachineEvent(EventKind.TOO_HOT, 999.0, 999.0, "warm", "80 °C")
    cool = MachineEvent(EventKind.COOLED_DOWN, 1004.5, 999.0, "warm")
    for event in (hot, cool):
        socket.sink.put(event, None)
    assert [event for event, _ in socket.taken()] == [hot, cool]
    assert cool.duration_s == 5.5


def test_events_keep_their_order(socket: Socket) -> None:
    for number in range(500):
        socket.sink.put(an_event(number), None)
    assert [event.track_id for event, _ in socket.taken() if isinstance(event, TrackEvent)] == list(range(500))


def test_two_events_alike_are_two_events(socket: Socket) -> None:
    socket.sink.put(an_event(1), None)
    socket.sink.put(an_event(1), None)
    assert len(socket.taken()) == 2


def test_several_cameras_may_put_at_once(socket: Socket) -> None:
    def put(camera: int) -> None:
        for number in range(200):
            socket.sink.put(an_event(1000 * camera + number), None)

    threads = [threading.Thread(target=put, args=(camera,)) for camera in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [event.track_id for event, _ in socket.taken() if isinstance(event, TrackEvent)]
    assert sorted(taken) == [1000 * camera + number for camera in range(4) for number in range(200)]
    for camera in range(4):
        mine = [number for number in taken if number // 1000 == camera]
        assert mine == sorted(mine)
