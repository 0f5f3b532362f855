"""A program that writes events until it is killed: FOLDER FIRST_NUMBER."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from edged.clock import SystemClock
from edged.store.events import EventStore
from tests.unit.store.conftest import JPEG, an_event


def main(folder: str, first: str) -> None:
    store = EventStore(Path(folder), clock=SystemClock(), version="1")
    store.open()
    print("open", flush=True)  # noqa: T201 - the parent waits for it
    for number in itertools.count(int(first)):
        store.put(an_event(number), JPEG * 50 if number % 5 == 0 else None)
        if number % 3 == 0:
            store.step()


if __name__ == "__main__":
    main(*sys.argv[1:])
