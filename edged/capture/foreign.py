"""What PyAV raises, whatever it is asked, where input is damaged or a decoder refuses; and what it must not refuse."""

from __future__ import annotations

from typing import Any

import av

FOREIGN = (av.FFmpegError, ValueError, OverflowError, RuntimeError, MemoryError)
"""NotImplementedError, of a decoder that this build has only half, is a RuntimeError."""

ANY_METADATA: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
"""For av.open(): a title in letters that nobody knows is no reason to refuse a film. PyAV 19 never does."""
