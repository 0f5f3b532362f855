"""One daemon a data folder."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from edged.errors import StoreDiskFails, StoreFull, StoreLocked, StoreNotWritable, is_full, is_of_the_disk

LOCK_NAME = "edged.lock"
"""Holds the process number of the daemon, and a flock for as long as that lives."""


class FolderLock:
    """A lock on a folder that the kernel drops when the process dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        self._fd: int | None = None
        self._bears_pid = False  # the file tells who holds it

    def acquire(self) -> None:
        """Take the lock. Raises StoreLocked, naming the holder, and StoreNotWritable. Harmless when held already.

        A lock that is held in a folder which was mounted over or exchanged meanwhile is taken anew. On a disk that is
        mounted read-only it is taken too, though it raises StoreNotWritable then: nobody else is to work there.
        """
        if self._fd is not None:
            if self._is_here(self._fd) and self._bears_pid:
                return
            self.release()
        try:
            fd = self._take(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644))
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            # With a file descriptor it is taken already, and only the pid could not be written.
            if error.errno == errno.EROFS and self._fd is None:
                with suppress(FileNotFoundError):
                    self._take(os.open(self._path, os.O_RDONLY))
            raise not_writable(self._path, error) from error
        self._bears_pid = True

    def _take(self, fd: int) -> int:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            try:
                holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            finally:
                os.close(fd)
            raise StoreLocked(
                f"another edged (pid {holder or 'unknown'}) works on {self._path.parent}",
                hint="Stop it first (`systemctl stop edged`), or give this one a data folder of its own.",
            ) from error
        except OSError:
            os.close(fd)
            raise
        self._fd, self._bears_pid = fd, False
        return fd

    def _is_here(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), self._path.stat())
        except OSError:
            return False

    def release(self) -> None:
        """Let go. Harmless when not held. The file stays: deleting it would let two daemons lock two files."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def not_writable(path: Path, error: OSError) -> StoreNotWritable:
    """Say in the user's words why `path` cannot be written."""
    if isinstance(error, FileExistsError):  # what making a folder says of all else in its place
        what = "a file" if path.exists() else "a link to nothing"
        return StoreNotWritable(
            f"cannot write {path}: it is {what}, and a folder is needed",
            hint="Move it away, mount the disk that it leads to, or name another data folder.",
        )
    kind = StoreFull if is_full(error) else StoreDiskFails if is_of_the_disk(error) else StoreNotWritable
    return kind(
        f"cannot write {path}: {error.strerror or error}",
        hint="Check that the folder exists, is on a disk that is mounted for writing and has space (`df -h`), and "
        "belongs to the user that edged runs as (`ls -ld`). To the service all but /var/lib/edged is read-only.",
    )
