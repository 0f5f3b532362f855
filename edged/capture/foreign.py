"""What PyAV raises, whatever it is asked: on damaged input, and where a decoder or a converter refuses."""

from __future__ import annotations

import av

FOREIGN = (av.FFmpegError, ValueError, OverflowError, RuntimeError, MemoryError)
"""NotImplementedError, of a decoder that this build has only half, is a RuntimeError."""
