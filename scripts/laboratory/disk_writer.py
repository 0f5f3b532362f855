"""Writes events as the daemon does, until it is killed: the writer, and with --read the reader, of scripts/lab power.

    disk_writer.py FOLDER LOG [--synchronous NORMAL]   LOG: a line "number instant" for each event that put() took
    disk_writer.py FOLDER LOG --read                    LOG: a line for each event that a reader was shown

Instants are seconds of the monotonic clock. An event's number is its track_id; every eighth has a picture.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import threading
import time
from dataclasses import asdict
from pathlib import Path

from edged.clock import SystemClock
from edged.domain.events import EventKind, TrackEvent
from edged.errors import StoreError
from edged.store import database
from edged.store.events import EventStore
from edged.store.reader import EventLog

_PICTURE_EVERY = 8
_TELL_EVERY_S = 0.1


def picture(number: int) -> bytes:
    """The bytes that stand for an event's JPEG: to be known again after the cut."""
    return random.Random(number).randbytes(500 + number * 37 % 9000)


def has_picture(number: int) -> bool:
    return number % _PICTURE_EVERY == 0


def _event(number: int) -> TrackEvent:
    return TrackEvent(
        kind=EventKind.APPEARED,
        camera="yard",
        at=float(number),
        track_id=number,
        label="person",
        confidence=0.9,
        xyxy=(10.0, 20.0, 50.0, 100.0),
        entry_xy=(30.0, 100.0),
        exit_xy=None,
        started_at=float(number) - 1.0,
        duration_s=1.0,
    )


def _tell(store: EventStore, path: Path) -> None:
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(asdict(store.status)))
    draft.replace(path)


def write(folder: Path, log: Path, rate: float) -> None:
    store = EventStore(folder, clock=SystemClock(), version="lab")
    store.open()
    threading.Thread(target=store.run, args=(threading.Event(),), daemon=True).start()
    number = 0
    with log.open("w", buffering=1) as file:
        while True:
            number += 1
            store.put(_event(number), picture(number) if has_picture(number) else None)
            file.write(f"{number} {time.monotonic():.4f}\n")
            next_at = time.monotonic() + 1 / rate if rate else math.inf
            while time.monotonic() < next_at:
                _tell(store, log.with_suffix(".status"))
                time.sleep(min(_TELL_EVERY_S, max(0.0, next_at - time.monotonic())))


def read(folder: Path, log: Path) -> None:
    events, after = EventLog(folder), ""
    with log.open("w", buffering=1) as file:
        while True:
            try:
                for record in events.read(after=after):
                    if isinstance(record.event, TrackEvent):
                        file.write(f"{record.event.track_id} {time.monotonic():.4f}\n")
                    after = record.event_id
            except StoreError:  # not made yet
                pass
            time.sleep(0.02)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=Path)
    options.add_argument("log", type=Path)
    options.add_argument("--synchronous", default="FULL")
    options.add_argument("--rate", type=float, default=400.0, help="events a second; 0: one, and no more")
    options.add_argument("--read", action="store_true")
    given = options.parse_args()
    if given.read:
        read(given.folder, given.log)
    weaker = (setting.replace("= FULL", f"= {given.synchronous}") for setting in database.WRITER_SETTINGS)
    database.WRITER_SETTINGS = tuple(weaker)
    write(given.folder, given.log, given.rate)


if __name__ == "__main__":
    main()
