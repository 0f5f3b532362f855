"""What every engine asks of a blob."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edged.errors import BackendError


def check_blob(blob: npt.NDArray[np.float32], shape: tuple[int, int, int]) -> None:
    """Raise BackendError unless the blob is float32 of this shape."""
    if blob.shape != shape or blob.dtype != np.float32:
        raise BackendError(
            f"The model takes a float32 blob of shape {shape}; got {blob.dtype} {blob.shape}.",
            hint="Correct width_px and height_px in model.toml.",
        )
