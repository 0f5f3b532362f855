"""Reads .engine files that others built: bare ones, and Ultralytics' with a few words of JSON in front.

Source: Ultralytics' exporter writes 4 bytes of length (little endian, signed), JSON in UTF-8, then the engine.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

from edged.errors import ModelInvalid, ModelNotFound

_JSON_MOST_BYTES = 1 << 20


def read_engine(path: Path) -> bytes:
    """Return the engine in a file, without what stands in front of it. Raises ModelNotFound or ModelInvalid."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise ModelNotFound(f"{path} cannot be read: {problem.strerror}.", hint="Copy the file there.") from problem
    engine = _after_json(path, content)
    if not engine:
        raise ModelInvalid(f"{path} holds no engine: it is empty or cut off.", hint="Copy or export the engine anew.")
    return engine


def _after_json(path: Path, content: bytes) -> bytes:
    if len(content) < 5 or content[4:5] != b"{":
        return content
    size = struct.unpack_from("<i", content)[0]
    if not 2 <= size <= _JSON_MOST_BYTES:
        return content
    try:
        json.loads(content[4 : 4 + size])
    except ValueError as problem:
        raise ModelInvalid(
            f"{path} begins as Ultralytics' engines do, but its description is damaged.",
            hint="Copy or export the engine anew.",
        ) from problem
    return content[4 + size :]
