"""A file that says what is in it and whether it is whole: a header in JSON, the payload, and its checksum.

Layout: 8 bytes magic, 4 bytes length of the header (little endian), the header in JSON, the payload. The header holds
the payload's length and SHA-256 beside what the writer says of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edged.backends.ownership import give_to_owner_of_folder, make_folder
from edged.disk import sync_folder

MAGIC = b"EDGEDTRT"
_HEADER_MOST_BYTES = 1 << 16


class NotSealed(ValueError):
    """The file is cut off, damaged, or not one of these."""


def write_sealed(path: Path, payload: bytes, labels: Mapping[str, Any]) -> None:
    """Replace `path` in one step: a reader sees the old file or the whole new one, also after a power cut.

    Raises OSError.
    """
    seal = {"payload_bytes": len(payload), "payload_sha256": hashlib.sha256(payload).hexdigest()}
    header = json.dumps({"labels": dict(labels), **seal}).encode()
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + struct.pack("<I", len(header)) + header)
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        give_to_owner_of_folder(Path(name))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    sync_folder(path.parent)


def read_sealed(path: Path) -> tuple[Mapping[str, Any], bytes]:
    """Read a file that write_sealed() wrote: what it says of itself, and the payload. Raises NotSealed and OSError."""
    content = path.read_bytes()
    if content[: len(MAGIC)] != MAGIC or len(content) < 12:
        raise NotSealed("it does not begin as edged's files do")
    size = struct.unpack_from("<I", content, 8)[0]
    if size > _HEADER_MOST_BYTES:
        raise NotSealed("its header is damaged")
    try:
        header = json.loads(content[12 : 12 + size])
        labels, length, digest = dict(header["labels"]), header["payload_bytes"], header["payload_sha256"]
    except (ValueError, KeyError, TypeError) as problem:
        raise NotSealed("its header is damaged") from problem
    payload = content[12 + size :]
    if len(payload) != length:
        raise NotSealed(f"it is cut off: {len(payload)} of {length} bytes")
    if hashlib.sha256(payload).hexdigest() != digest:
        raise NotSealed("it is damaged: its checksum differs")
    return labels, payload
