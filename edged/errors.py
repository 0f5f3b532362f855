"""Every error that a user can meet, on one page.

An error says what happened and where (`message`) and what to do about it (`hint`). A foreign exception stops at the
door of the room that met it and leaves as one of these. The exit code is the command line's (docs/cli.md).
"""

from __future__ import annotations

import errno


class EdgedError(Exception):
    """The root of the tree. `str(error)` is the message and the hint."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}"


class ConfigError(EdgedError):
    """The configuration file cannot be used; the message lists every mistake in it."""

    exit_code = 2


# Where frames come from


class SourceError(EdgedError):
    """A camera, file or folder gives no frames.

    `reason` is the fault in one word for programs: events bear it (docs/events.md).
    """

    exit_code = 3
    reason = "unreadable"


class SourceNotFound(SourceError):
    """There is nothing at that path."""

    reason = "not_found"


class SourceDenied(SourceError):
    """It is there, but this user may not open it."""

    reason = "denied"


class SourceBusy(SourceError):
    """Another program holds the device."""

    reason = "busy"


class SourceUnreadable(SourceError):
    """It opens, but holds nothing that can be decoded."""

    reason = "unreadable"


class SourceNotACamera(SourceUnreadable):
    """It is a device, and takes no pictures: so its driver says."""


class SourceStalled(SourceError):
    """No frame came within the time-out."""

    reason = "stalled"


class SourceLost(SourceError):
    """The device went away in the middle of a stream."""

    reason = "unplugged"


class SourceUnreachable(SourceError):
    """A camera on the network does not answer, or hung up."""

    reason = "network"


class SourceBroken(SourceError):
    """The device is there, but its driver reports a fault that only opening it again can end."""

    reason = "io_error"


class SourceMisconfigured(SourceError):
    """The device is there, but does not take the settings that the configuration names for it."""

    reason = "misconfigured"


class FrameCorrupt(SourceError):
    """One frame cannot be decoded; the stream goes on."""


# Models and engines


class ModelError(EdgedError):
    """A model cannot be used."""

    exit_code = 4


class ModelNotFound(ModelError):
    """The model folder, or a file that it names, is missing."""


class ModelInvalid(ModelError):
    """The model's files contradict each other or its model.toml."""


class GoldenMismatch(ModelInvalid):
    """The model sees other things in its golden picture than were recorded."""


class BackendError(ModelError):
    """The inference engine failed: not installed, refused the model, or gave unusable numbers."""


class GpuMemoryExhausted(BackendError):
    """The GPU has no memory left for the model."""


# The event log


class StoreError(EdgedError):
    """The event log cannot be read or written."""

    exit_code = 5


class StoreNotFound(StoreError):
    """There is no event log there yet."""


class StoreNewer(StoreError):
    """The database was written by a newer edged."""


class StoreCorrupt(StoreError):
    """The database file is damaged."""


class StoreNotWritable(StoreError):
    """The data folder belongs to somebody else, is none, or its disk cannot be written."""


class StoreDiskFails(StoreNotWritable):
    """The disk is mounted read-only, or fails: this may pass, and what waits for it is not lost."""


class StoreFull(StoreDiskFails):
    """The disk is full, or fails as a full one does."""


class StoreLocked(StoreError):
    """Another daemon works on the same data folder."""


def is_full(error: OSError) -> bool:
    """Tell a disk, a quota or a file that has reached its size from all else that keeps a file from being written."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_of_the_disk(error: OSError) -> bool:
    """Tell a disk that is ill from a path that is wrong: read-only, failing, or damaged (EUCLEAN, as ext4 says)."""
    return error.errno in (errno.EROFS, errno.EIO, errno.EUCLEAN)


# What is made for people


class OutputNotWritable(EdgedError):
    """A trace, video or picture that was asked for cannot be written."""

    exit_code = 7


# The daemon


class DaemonError(EdgedError):
    """A worker of the daemon ended though nobody asked it to."""

    exit_code = 6


class DaemonCrashed(DaemonError):
    """A worker of the daemon ended by a bug."""


class DaemonHung(DaemonError):
    """A worker of the daemon makes no progress any more."""

    exit_code = 9


class DaemonDegraded(DaemonError):
    """The daemon runs, but cannot do all that it is there for."""

    exit_code = 8


class DaemonNotRunning(DaemonError):
    """No daemon has written a status there, or the one that did is gone."""


class StatusUnreadable(DaemonError):
    """The status file is damaged, or was written by another version of edged."""
