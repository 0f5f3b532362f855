"""Injects one fault again and again into a running stream, and says how it was met, as JSON.

    python -m scripts.laboratory.experiments.faults FAULT [--times 20] [--device /dev/video0]

The reader is what the daemon has: V4l2Source, the feeder's loop on its thread, and a mailbox.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edged.capture.cameras import takes_pictures
from edged.capture.devices.finder import CameraFinder
from edged.capture.devices.hotplug import HotplugWatch
from edged.clock import SystemClock
from edged.domain.events import CameraEvent, Event
from edged.pipeline.feeder import Feeder
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.worker import Worker
from scripts.laboratory.experiments.camera import open_camera
from scripts.laboratory.experiments.vivid import Control, Vivid
from scripts.laboratory.experiments.watched import Holdings, WatchedSource

FRAME_TIMEOUT_S = 1.5
_STEADY_FRAMES = 8  # the stream runs again when so many came
_GIVE_UP_S = 30.0
_LOOK_EVERY_S = 0.005
_LONGEST_OUTAGE_S = 3.0


@dataclass(frozen=True)
class Met:
    """How one injected fault was met."""

    detected_after_s: float  # from the injection to the end of the stream, or to the damaged frame's being counted
    recovered_after_s: float  # from the camera's return to the first frame
    outage_s: float  # how long the camera was gone by the laboratory's own doing
    reasons: list[str]  # names of the errors that the feeder got


class NotMet(Exception):
    """What had to happen did not, for a long time."""


class Events:
    """Takes the events that the daemon would write."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    def put(self, event: Event, snapshot_jpeg: bytes | None) -> None:
        """Keep it."""
        self.told.append(event)


class Bench:
    """A camera being read as the daemon does it, and somebody who takes the frames."""

    def __init__(self, device: Path) -> None:
        self.clock = SystemClock()
        self.vivid = Vivid(device)
        self.events = Events()
        finder = CameraFinder(device, captures=takes_pictures)
        self.source = WatchedSource(open_camera(device, self.clock, find=finder), self.clock)
        self._watch = HotplugWatch(device, clock=self.clock)
        self._arrival = threading.Condition()
        self._mailbox = Mailbox(self._arrival)
        self._feeder = Feeder(
            camera="tested",
            source=self.source,
            mailbox=self._mailbox,
            events=self.events,
            clock=self.clock,
            frame_timeout_s=FRAME_TIMEOUT_S,
            reopen=True,
            wait_for_device=self._watch.wait,
            reset=finder.reset,
        )
        self._worker = Worker("capture-tested", self._feeder.run, on_end=lambda: None)

    def __enter__(self) -> Bench:
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.ask_to_stop()
        self._worker.join(5.0)
        self._watch.close()

    def watch_until(self, happened: Callable[[], bool], what: str) -> None:
        """Take frames until `happened`. Raises NotMet."""
        deadline = self.clock.monotonic() + _GIVE_UP_S
        while not happened():
            if self.clock.monotonic() > deadline:
                raise NotMet(f"{what} did not happen; the camera is {self._feeder.state!r}")
            with self._arrival:
                self._arrival.wait(_LOOK_EVERY_S)
            frame = self._mailbox.take()
            if frame is not None:
                frame.release()

    def watch_for(self, duration_s: float) -> None:
        """Take frames for a while."""
        until = self.clock.monotonic() + duration_s
        self.watch_until(lambda: self.clock.monotonic() >= until, "the end of a wait")

    def run_steadily(self) -> None:
        """Wait until the stream runs."""
        frames = self.source.notes.frames
        wanted = len(frames) + _STEADY_FRAMES
        self.watch_until(lambda: len(frames) >= wanted, "a steady stream")

    def end_the_outage(self) -> None:
        """Wait until the feeder is sure that the camera is back, and has said so."""
        self.watch_until(lambda: not self._feeder.outages.goes_on, "the end of the outage")

    def instant_of(self, noted: list[float], after: float, what: str) -> float:
        """Wait for the first of these instants that is later than `after`."""
        self.watch_until(lambda: bool(noted) and noted[-1] > after, what)
        return next(at for at in noted if at > after)


def _let_go(bench: Bench, injected_at: float) -> float:
    return bench.instant_of(bench.source.notes.closed, injected_at, "detection")


def _gone_for_a_while(bench: Bench, outage_s: float) -> tuple[float, float]:
    """Unplug, and plug in again: detection and return."""
    injected_at = bench.clock.monotonic()
    bench.vivid.unplug()
    detected_at = _let_go(bench, injected_at)
    bench.watch_for(outage_s)
    bench.vivid.plug()
    return detected_at, bench.clock.monotonic()


def _silent_for_a_while(bench: Bench, outage_s: float) -> tuple[float, float]:
    """Drop all buffers for a while."""
    injected_at = bench.clock.monotonic()
    bench.vivid.set(Control.PERCENTAGE_OF_DROPPED_BUFFERS, 100)
    detected_at = _let_go(bench, injected_at)
    bench.watch_for(outage_s)
    bench.vivid.set(Control.PERCENTAGE_OF_DROPPED_BUFFERS, 0)
    return detected_at, bench.clock.monotonic()


def _ends_the_stream(bench: Bench, outage_s: float) -> tuple[float, float]:
    """Break the stream; the camera is there again as soon as it is let go of."""
    injected_at = bench.clock.monotonic()
    bench.vivid.set(Control.FATAL_STREAMING_ERROR)
    detected_at = _let_go(bench, injected_at)
    return detected_at, detected_at


def _disconnects(bench: Bench, outage_s: float) -> tuple[float, float]:
    """Let the device vanish though its node stays; vivid takes it back when it is let go of."""
    injected_at = bench.clock.monotonic()
    bench.vivid.set(Control.DISCONNECT)
    detected_at = _let_go(bench, injected_at)
    return detected_at, detected_at


def _refuses_to_start(control: Control) -> Callable[[Bench, float], tuple[float, float]]:
    """Break the stream, and refuse the first new start: the camera is there again after that."""

    def inject(bench: Bench, outage_s: float) -> tuple[float, float]:
        bench.vivid.set(control)
        detected_at, _ = _ends_the_stream(bench, outage_s)
        refused = bench.source.notes.refused
        return detected_at, bench.instant_of(refused, detected_at, "the refusal")

    return inject


def _damages_a_frame(bench: Bench, outage_s: float) -> tuple[float, float]:
    injected_at = bench.clock.monotonic()
    bench.vivid.set(Control.BUFFER_ERROR)
    detected_at = bench.instant_of(bench.source.notes.damaged, injected_at, "detection")
    return detected_at, detected_at


@dataclass(frozen=True)
class Fault:
    """A fault that the laboratory can inject.

    `inject` gets a bench and how long an outage may last in seconds, and returns the instants of the fault's detection
    and of the camera's return.
    """

    title: str
    inject: Callable[[Bench, float], tuple[float, float]]


FAULTS = {
    "unplug": Fault("unbind and bind", _gone_for_a_while),
    "disconnect": Fault("disconnect", _disconnects),
    "fatal": Fault("fatal streaming error", _ends_the_stream),
    "damaged": Fault("bad buffer", _damages_a_frame),
    "silent": Fault("100 % dropped buffers", _silent_for_a_while),
    "streamon": Fault("STREAMON error", _refuses_to_start(Control.STREAMON_ERROR)),
    "reqbufs": Fault("REQBUFS error", _refuses_to_start(Control.REQBUFS_ERROR)),
}


def inject(bench: Bench, fault: Fault, outage_s: float) -> Met:
    """Inject a fault once into a steady stream. Raises NotMet."""
    bench.run_steadily()
    notes = bench.source.notes
    failures, injected_at = len(notes.failures), bench.clock.monotonic()
    detected_at, returned_at = fault.inject(bench, outage_s)
    recovered_at = bench.instant_of(notes.frames, returned_at, "recovery")
    bench.end_the_outage()
    return Met(
        detected_after_s=round(detected_at - injected_at, 3),
        recovered_after_s=round(recovered_at - returned_at, 3),
        outage_s=round(returned_at - detected_at, 3),
        reasons=[name for _, name in notes.failures[failures:]],
    )


def main() -> None:
    """Inject, and print what came of it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("fault", choices=FAULTS)
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--device", type=Path, default=Path("/dev/video0"))
    options.add_argument("--outage", type=float, help="seconds; without it up to three, by chance, where there is one")
    given = options.parse_args()
    print(json.dumps(repeat(given.fault, given.times, given.device, given.outage)))


def repeat(name: str, times: int, device: Path, outage_s: float | None) -> dict[str, Any]:
    """Inject a fault `times` times into one running stream. Raises NotMet."""
    fault, chance = FAULTS[name], random.Random(name)
    with Bench(device) as bench:
        bench.run_steadily()
        inject(bench, fault, 0.0)  # the first time loads what is loaded once
        bench.run_steadily()
        before, told_before = Holdings.now(), list(bench.events.told)
        met = []
        for _ in range(times):
            met.append(inject(bench, fault, chance.uniform(0.0, _LONGEST_OUTAGE_S) if outage_s is None else outage_s))
        bench.run_steadily()
        after = Holdings.now()
        told = bench.events.told[len(told_before) :]
    return {
        "fault": name,
        "title": fault.title,
        "met": [asdict(one) for one in met],
        "before": asdict(before),
        "after": asdict(after),
        "events": [event.kind.value for event in told],
        "reasons": sorted({event.reason for event in told if isinstance(event, CameraEvent)}),
    }


if __name__ == "__main__":
    main()
