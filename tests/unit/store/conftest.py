"""What the tests of the event log share."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edged.domain.events import CameraEvent, EventKind, EventRecord, LeftReason, MachineEvent, TrackEvent
from edged.store.database import FILE_NAME, open_writer
from edged.store.events import EventStore
from edged.store.migrations import MIGRATIONS
from edged.store.reader import EventLog
from edged.store.retention import Retention
from edged.store.rows import COLUMNS, record_to_row, snapshot_path
from edged.testing.clock import FakeClock

JPEG = b"\xff\xd8 a picture \xff\xd9"


def an_event(
    number: int = 0,
    *,
    at: float = 990.0,
    camera: str = "yard",
    label: str = "person",
    kind: EventKind = EventKind.LEFT,
    confidence: float = 0.75,
) -> TrackEvent:
    """An event whose track_id is `number`."""
    is_left = kind is EventKind.LEFT
    return TrackEvent(
        kind=kind,
        camera=camera,
        at=at,
        track_id=number,
        label=label,
        confidence=confidence,
        xyxy=(10.5, 20.25, 50.5, 120.25),
        entry_xy=(30.0, 119.0),
        exit_xy=(30.5, 120.25) if is_left else None,
        started_at=at - 4.5,
        duration_s=4.5,
        reason=LeftReason.GONE if is_left else None,
    )


def a_camera_event(
    kind: EventKind = EventKind.CAMERA_LOST, *, at: float = 990.0, started_at: float | None = None
) -> CameraEvent:
    """A camera that was unplugged, or is back."""
    return CameraEvent(
        kind=kind,
        camera="yard",
        at=at,
        started_at=at if started_at is None else started_at,
        reason="unplugged",
        detail="/dev/video0 went away" if kind is EventKind.CAMERA_LOST else None,
    )


def write_schema_1(folder: Path, *numbers: int) -> None:
    """Leave the event log of an edged that knew no events of cameras, with an_event() of these numbers in it.

    The events and the run have ids that sort before those of today.
    """
    folder.mkdir(exist_ok=True)
    run_id = "00000000-0000-7000-8000-000000000000"
    columns = [column for column in COLUMNS if column != "detail"]
    with closing(open_writer(folder / FILE_NAME, MIGRATIONS[:1])) as connection:
        connection.execute("INSERT INTO runs VALUES (?, 'boot-0', 1.0, 2.0, '0.1.0', 3.0)", (run_id,))
        for number in numbers:
            event_id = f"00000000-0000-7000-8000-{number + 1:012x}"
            snapshot = snapshot_path(event_id, 1e9) if number % 7 == 0 else None
            record = EventRecord(event_id, an_event(number), 1e9, boot_id="boot-0", run_id=run_id, snapshot=snapshot)
            values = dict(zip(COLUMNS, record_to_row(record), strict=True))
            connection.execute(
                f"INSERT INTO events VALUES ({', '.join('?' * len(columns))}, 0)",
                [values[column] for column in columns],
            )


def logged(folder: Path) -> list[EventRecord]:
    """All that a reader sees."""
    return list(EventLog(folder).read())


def number_of(record: EventRecord) -> int:
    """The track_id of an event that is about an object."""
    assert isinstance(record.event, TrackEvent)
    return record.event.track_id


def numbers(folder: Path) -> list[int]:
    """The track_ids that a reader sees."""
    return [number_of(record) for record in logged(folder) if isinstance(record.event, TrackEvent)]


def outages(folder: Path) -> list[MachineEvent]:
    """What the log tells of times at which it could not be written."""
    return [record.event for record in logged(folder) if isinstance(record.event, MachineEvent)]


@contextmanager
def a_full_disk(*, bytes_max: int = 0) -> Iterator[None]:
    """Let no file of this process grow beyond `bytes_max`: the kernel refuses the write, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def an_ordinary_user() -> Iterator[None]:
    """Let the kernel check permissions as it would for a user who is not root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


MakeStore = Callable[..., EventStore]


@pytest.fixture
def make_store(tmp_path: Path, clock: FakeClock) -> Iterator[MakeStore]:
    """Make stores over tmp_path / "data" that are closed when the test ends."""
    made: list[EventStore] = []

    def make(*, retention: Retention | None = None, waiting_max: int = 10_000, bytes_max: int = 1 << 20) -> EventStore:
        store = EventStore(
            tmp_path / "data",
            clock=clock,
            version="1.2.3",
            retention=retention,
            waiting_max=waiting_max,
            waiting_snapshot_bytes_max=bytes_max,
        )
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()
