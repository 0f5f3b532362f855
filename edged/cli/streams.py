"""Standard output and standard error as they come: closed, full, or unable to say every letter."""

from __future__ import annotations

import errno
import io
import os
import select
import sys

from edged.errors import OutputNotWritable

_STDOUT = 1  # as the system counts them
_FULL_OR_CLOSED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def prepare_streams() -> None:
    """Give commands two streams that they can use; writing to a stdout that was closed fails as on a full disk."""
    if sys.stdout is None:
        # Python has no stream for a closed one. `edged run`, which writes nothing there, need not mind.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # stderr never fails: Python writes what it cannot say as \xd7


def reader_is_gone() -> bool:
    """Whether stdout is a pipe that nobody reads any more: who seldom writes learns of it late by writing."""
    poll = select.poll()
    poll.register(_STDOUT, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def drop_the_rest() -> None:
    """Send what still waits for stdout nowhere, or Python would try once more at its end, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def stdout_error(error: Exception) -> OutputNotWritable | None:
    """What to tell when `error` came from writing to stdout, else None. Nothing can be written there afterwards."""
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in _FULL_OR_CLOSED:
        return None
    drop_the_rest()
    why = "it is closed" if error.errno == errno.EBADF else error.strerror
    return OutputNotWritable(
        f"Standard output cannot be written: {why}.",
        hint="Look at where it goes: the file after >, and the free space on its disk (`df -h`).",
    )
