"""What commands write beside the daemon: traces, recordings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from edged.errors import ConfigError
from edged.imaging.files import make_folder
from edged.imaging.recording import Recording
from edged.pipeline.camera import FrameObserver
from edged.pipeline.trace import SpareTrace, TraceWriter


@contextmanager
def open_trace(path: Path, *, label: str, labels: Sequence[str]) -> Iterator[FrameObserver]:
    """Open a frame observer that writes the tracks of `label`, one of the model's `labels`, as a MOTChallenge trace.

    Raises ConfigError and OutputNotWritable.
    """
    with closing(TraceWriter(path, class_ids=[class_of(label, labels)])) as trace:
        yield trace


@contextmanager
def open_spare_trace(path: Path, *, label: str, labels: Sequence[str]) -> Iterator[SpareTrace]:
    """As open_trace(), but `error` tells afterwards of a disk that was full or failed."""
    with closing(SpareTrace(path, class_ids=[class_of(label, labels)])) as trace:
        yield trace


def class_of(label: str, labels: Sequence[str]) -> int:
    """The class_id of a label. Raises ConfigError when it is none of the model's `labels`."""
    if label not in labels:
        raise ConfigError(f"The model does not know the label {label!r}.", hint=f"It knows: {', '.join(labels)}.")
    return labels.index(label)


@contextmanager
def open_recording(folder: Path, labels: Sequence[str]) -> Iterator[FrameObserver]:
    """Open a frame observer that makes an annotated video and a contact sheet in `folder`. Raises OutputNotWritable."""
    make_folder(folder)
    with closing(Recording(folder, labels)) as recording:
        yield recording
