"""What the tests of the event log share."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edged.domain.events import Event, EventKind, EventRecord, LeftReason
from edged.store.events import EventStore
from edged.store.reader import EventLog
from edged.store.retention import Retention
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
) -> Event:
    """An event whose track_id is `number`."""
    is_left = kind is EventKind.LEFT
    return Event(
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


def logged(folder: Path) -> list[EventRecord]:
    """All that a reader sees."""
    return list(EventLog(folder).read())


def numbers(folder: Path) -> list[int]:
    """The track_ids that a reader sees."""
    return [record.event.track_id for record in logged(folder)]


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
