"""The sockets of the house: what one room needs of another, on one page.

edged.app plugs the real parts in; edged.testing has a fake with levers for each; tests/contracts holds both to the same
promises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from edged.domain.detections import Detections
from edged.domain.engines import EngineOptions, ModelFiles, Presence
from edged.domain.events import Event, TrackEvent
from edged.domain.frame import Frame
from edged.domain.health import SourceStats
from edged.domain.machine import Vitals
from edged.domain.tracks import Tracks

Contender = TypeVar("Contender")
"""Who wants the detector: a camera."""


Expect = Callable[[], Tracks]
"""Say where the tracks are expected on the frame at hand. Costs something the first time only."""


class EndOfStream(Exception):
    """A source that can end (a file, a folder) has no more frames."""


class Source(Protocol):
    """Frames from a camera, a file or a folder. Used by one thread at a time."""

    stats: SourceStats

    def open(self) -> None:
        """Get ready to read. Raises SourceError. May be called again after close()."""
        ...

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame; None when none came within `timeout_s` seconds.

        Raises EndOfStream after the last frame, and SourceError when the source failed and must be reopened. A damaged
        frame is counted in `stats.corrupt` and passed over.
        """
        ...

    def close(self) -> None:
        """Let go of the device or file. Harmless when closed already."""
        ...

    def frame_count(self) -> int | None:
        """How many frames there will be, about; None when nobody knows (a camera)."""
        ...


class Backend(Protocol):
    """A loaded model in some engine: tensors in, tensors out. Used by one thread at a time."""

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """Run the model on one (3, H, W) C-contiguous float32 blob.

        Returns one array an output, in the order that the model's spec names them; each owns its memory and has no
        batch axis. Raises BackendError.
        """
        ...

    def close(self) -> None:
        """Free the engine. Harmless when closed already; infer() after it raises BackendError."""
        ...


class Engine(Protocol):
    """A kind of inference engine, which may be here or not. Making one costs nothing and imports nothing heavy."""

    @property
    def name(self) -> str:
        """What `model.backend` calls it."""
        ...

    @property
    def formats(self) -> tuple[str, ...]:
        """The tables of model.toml that it can load, the one that it likes best first."""
        ...

    def presence(self) -> Presence:
        """Whether it can run here, and if not, why and what to install. Takes milliseconds, never raises."""
        ...

    def load(self, files: ModelFiles, options: EngineOptions) -> Backend:
        """Load a model. May take minutes where it has to be built first, and tells `options.progress` then.

        Raises ModelNotFound or ModelInvalid for its files, BackendError for the engine.
        """
        ...


class Detector(Protocol):
    """Image in, objects out."""

    @property
    def labels(self) -> Sequence[str]:
        """Names of the classes, by class_id."""
        ...

    def detect(self, frame: Frame) -> Detections:
        """Find objects in a frame of any size; boxes are in its pixels.

        Raises BackendError, and FrameCorrupt when the frame cannot be decoded or holds no BGR picture.
        """
        ...


class Tracker(Protocol):
    """Detections in, tracks out; one instance a camera."""

    def update(self, detections: Detections, at: float, *, skipped: int = 0) -> Tracks:
        """Take in what was detected at the monotonic instant `at`, which never goes back.

        `skipped` says how many frames went by without a detection since the last update.
        """
        ...

    def predict(self, at: float) -> Tracks:
        """Say where the tracks are at `at` without a detection. Changes no state, only boxes."""
        ...


class Scheduler(Protocol):
    """Decides which frames deserve the detector; one instance a camera."""

    def need(self, frame: Frame, at: float, expect: Expect, *, due: bool) -> float:
        """Say how badly a frame needs the detector: from 1 on it does; the needs of cameras are compared.

        Asked once for every frame, in order of `at`, monotonic seconds. `due` is whether a rule waits for a look. A
        need that is not met stays.
        """
        ...

    def looked(self, found: Tracks) -> None:
        """Take in what the tracks became when the detector looked at the frame that need() was last asked of."""
        ...


class InferenceTurns(Protocol[Contender]):
    """Shares one detector between cameras."""

    def choose(self, needs: Mapping[Contender, float]) -> Contender:
        """Say whose frame is next, of at least one; whoever asks every time has a turn within a bounded number."""
        ...


class Rule(Protocol):
    """Tracks in, events out; one instance a camera."""

    def update(self, tracks: Tracks) -> list[TrackEvent]:
        """Take in the tracks of one instant and say what happened."""
        ...

    def followed(self) -> Mapping[int, int]:
        """The track_id that events bear, by that of each track whose object they may yet be about.

        Both are the same, unless an object goes on as another track. Those that events bear are listed themselves, also
        when the tracker has given the track up.
        """
        ...

    def is_due(self, at: float) -> bool:
        """Whether a look at the instant `at` may make an event that is not made without one."""
        ...

    def finish(self, at: float) -> list[TrackEvent]:
        """No more tracks will come: close what is open."""
        ...


class EventSink(Protocol):
    """Where events go."""

    def put(self, event: Event, snapshot_jpeg: bytes | None) -> None:
        """Take an event in. Any thread. Returns at once; writing happens elsewhere."""
        ...


class Sensors(Protocol):
    """What a machine's sensors say."""

    def read(self) -> Vitals:
        """Read them all. May take seconds when a driver hangs; what does not answer is None, never a number."""
        ...


class InferenceBudget(Protocol):
    """How much of the detector's time the machine can bear: its heat decides."""

    def share(self) -> float:
        """Return 1.0 for the full rate, 0.0 for no inference at all, or what lies between. Any thread; at once."""
        ...


class Notifier(Protocol):
    """Whoever started the daemon and wants to know how it does: systemd, by sd_notify(3). One thread at a time.

    Nothing here raises or waits for long: a service manager that does not listen is no reason to stop watching.
    """

    @property
    def watchdog_s(self) -> float | None:
        """How long it waits for alive() before it ends the daemon; None when it does not."""
        ...

    def ready(self) -> None:
        """Say that the start is over: the workers run."""
        ...

    def reloading(self, at: float) -> None:
        """Say that a changed configuration is being put in force since the monotonic instant `at`, until ready()."""
        ...

    def alive(self) -> None:
        """Say that the daemon makes progress. Only for one who has judged that it does."""
        ...

    def status(self, text: str) -> None:
        """Say in one line how it goes."""
        ...

    def extend_timeout(self, for_s: float) -> None:
        """Say that the start (or the stop) needs `for_s` seconds more from now: a model is being built, say."""
        ...

    def stopping(self) -> None:
        """Say that a clean end has begun."""
        ...
