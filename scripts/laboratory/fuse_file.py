"""Shows a VolatileDisk as a file, so that the kernel can put a loop device and a real ext4 on it.

It speaks the kernel's FUSE protocol itself: a file system that is one file needs nine of its messages and no library.
Source: include/uapi/linux/fuse.h and Documentation/filesystems/fuse.rst of the Linux kernel.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from volatile_disk import VolatileDisk

_WRITE_MAX = 128 * 1024
_IN_HEADER = struct.Struct("<IIQQIIIHH")  # length, opcode, unique, node, uid, gid, pid, extensions, padding
_OUT_HEADER = struct.Struct("<IiQ")  # length, minus the error's number, unique
_INIT_IN = struct.Struct("<IIII")  # major, minor, read-ahead, flags
_INIT_OUT = struct.Struct("<IIIIHHIIHH32x")  # as above, background, congestion, longest write, granularity, pages, map
_ATTR_OUT = struct.Struct("<QIIQQQQQQIIIIIIIIII")  # valid for …; inode, size, blocks, times; mode, links, owner …
_OPEN_OUT = struct.Struct("<QII")
_IO_IN = struct.Struct("<QQIIQII")  # handle, offset, size, flags, lock owner, flags, padding: of reads and of writes
_WRITE_OUT = struct.Struct("<II")

_FORGET, _GETATTR, _SETATTR, _OPEN, _READ, _WRITE = 2, 3, 4, 14, 15, 16
_RELEASE, _FSYNC, _FLUSH, _INIT, _INTERRUPT, _DESTROY, _BATCH_FORGET = 18, 20, 25, 26, 36, 38, 42
_UNANSWERED = (_FORGET, _INTERRUPT, _BATCH_FORGET)
_MNT_DETACH, _MS_REC, _MS_PRIVATE, _CLONE_NEWNS = 2, 1 << 14, 1 << 18, 0x20000  # linux/mount.h, linux/sched.h

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def disk_as_file(disk: VolatileDisk, path: Path) -> Iterator[None]:
    """Mount `disk` over the file `path`, which is made, until the block ends. Needs root; raises OSError."""
    path.touch()
    device = os.open("/dev/fuse", os.O_RDWR)
    try:
        options = f"fd={device},rootmode={stat.S_IFREG | 0o600:o},user_id=0,group_id=0"
        _call(_libc.mount(b"edged-lab", os.fsencode(path), b"fuse", 0, options.encode()), path)
        server = threading.Thread(target=_serve, args=(device, disk), name="disk", daemon=True)
        server.start()
        try:
            yield
        finally:
            _call(_libc.umount2(os.fsencode(path), _MNT_DETACH), path)
            server.join(10.0)  # the loop device lets go in its own time
    finally:
        os.close(device)


def be_alone() -> None:
    """Mount in a namespace of this process's own: a container that starts meanwhile copies all mounts that it sees, and
    keeps their devices. Before any thread is started; needs root; raises OSError.
    """
    _call(_libc.unshare(_CLONE_NEWNS), Path("/"))
    _call(_libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), Path("/"))


def _call(result: int, path: Path) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))


def _serve(device: int, disk: VolatileDisk) -> None:
    """Answer the kernel until the file system is unmounted."""
    while True:
        try:
            message = os.read(device, _WRITE_MAX + 4096)
            _answer(device, disk, message)
        except FileNotFoundError:  # whoever asked was killed meanwhile
            continue
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.EBADF):  # unmounted
                return
            raise


def _answer(device: int, disk: VolatileDisk, message: bytes) -> None:
    _, opcode, unique, *_ = _IN_HEADER.unpack_from(message)
    if opcode in _UNANSWERED:
        return
    answer, body, error_number = _ANSWERS.get(opcode), b"", -errno.ENOSYS
    if answer is not None:
        try:
            body, error_number = answer(disk, memoryview(message)[_IN_HEADER.size :]), 0
        except OSError as error:
            error_number = -(error.errno or errno.EIO)
    os.write(device, _OUT_HEADER.pack(_OUT_HEADER.size + len(body), error_number, unique) + body)


def _init(disk: VolatileDisk, body: memoryview) -> bytes:
    major, minor, read_ahead, _ = _INIT_IN.unpack_from(body)
    big_writes = 1 << 5
    return _INIT_OUT.pack(major, min(minor, 31), read_ahead, big_writes, 16, 12, _WRITE_MAX, 1, 0, 0)


def _attributes(disk: VolatileDisk, body: memoryview) -> bytes:
    blocks, mode = disk.size_bytes // 512, stat.S_IFREG | 0o600
    return _ATTR_OUT.pack(3600, 0, 0, 1, disk.size_bytes, blocks, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def _read(disk: VolatileDisk, body: memoryview) -> bytes:
    _, offset, count, *_ = _IO_IN.unpack_from(body)
    return disk.read(offset, count)


def _write(disk: VolatileDisk, body: memoryview) -> bytes:
    _, offset, count, *_ = _IO_IN.unpack_from(body)
    disk.write(offset, bytes(body[_IO_IN.size : _IO_IN.size + count]))
    return _WRITE_OUT.pack(count, 0)


def _fsync(disk: VolatileDisk, body: memoryview) -> bytes:
    disk.flush()
    return b""


def _nothing(disk: VolatileDisk, body: memoryview) -> bytes:
    return b""


_ANSWERS: dict[int, Callable[[VolatileDisk, memoryview], bytes]] = {
    _INIT: _init,
    _GETATTR: _attributes,
    _SETATTR: _attributes,
    _OPEN: lambda disk, body: _OPEN_OUT.pack(0, 0, 0),
    _READ: _read,
    _WRITE: _write,
    _FSYNC: _fsync,
    _FLUSH: _nothing,  # of close(), not of the disk
    _RELEASE: _nothing,
    _DESTROY: _nothing,
}
