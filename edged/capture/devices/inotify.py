"""The kernel's inotify, through the C library: which names in some folders come, go or change their rights.

Constants and the layout of an event are those of linux/inotify.h, the same on all machines that edged runs on.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

CREATE, MOVED_TO, DELETE, ATTRIB = 0x100, 0x80, 0x200, 0x4
_OVERFLOW = 0x4000
_IGNORED = 0x8000  # the folder itself is gone
_ONLY_A_FOLDER = 0x01000000  # IN_ONLYDIR

_WATCHED = CREATE | MOVED_TO | DELETE | ATTRIB | _ONLY_A_FOLDER
_HEADER = struct.Struct("iIII")  # wd, mask, cookie, length of the name
_READ_BYTES = 64 * 1024


class Inotify:
    """One queue of events. Raises OSError where the kernel refuses."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._folders: dict[int, Path] = {}

    def watch(self, folder: Path) -> None:
        """Watch what happens in `folder`; harmless when it is watched already."""
        number = self._checked(self._libc.inotify_add_watch(self._fd, os.fsencode(folder), _WATCHED))
        self._folders[number] = folder

    def changed(self) -> set[Path]:
        """Take what has changed since the last call, without waiting; a folder itself stands for what was lost."""
        changed: set[Path] = set()
        while True:
            try:
                data = os.read(self._fd, _READ_BYTES)
            except BlockingIOError:
                return changed
            changed |= self._paths(data)

    def close(self) -> None:
        """Give the queue back."""
        os.close(self._fd)

    def _paths(self, data: bytes) -> set[Path]:
        paths: set[Path] = set()
        at = 0
        while at < len(data):
            number, mask, _, length = _HEADER.unpack_from(data, at)
            name = os.fsdecode(data[at + _HEADER.size : at + _HEADER.size + length].rstrip(b"\0"))
            at += _HEADER.size + length
            if mask & _OVERFLOW:
                paths |= set(self._folders.values())
            elif mask & _IGNORED:
                self._folders.pop(number, None)
            elif number in self._folders and name:
                paths.add(self._folders[number] / name)
        return paths

    def _checked(self, answer: int) -> int:
        if answer < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return answer
