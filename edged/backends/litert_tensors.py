"""Blobs into LiteRT's input tensor and outputs out of it: axes turned, numbers quantised and made float again.

A quantised number q stands for (q - zero_point) * scale (LiteRT's quantisation specification).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

_QUANTISED: dict[Any, int] = {np.uint8: cv2.CV_8U, np.int8: cv2.CV_8S}


@dataclass(frozen=True, slots=True)
class InputTensor:
    """The picture that a model takes."""

    index: int
    channels_last: bool
    dtype: Any  # np.float32, np.int8 or np.uint8
    scale: float  # 0 for float32
    zero_point: int

    @classmethod
    def of(cls, details: Any, shape: tuple[int, int, int]) -> InputTensor | None:
        """Read an entry of get_input_details(); None when it takes no blob of `shape` (3, H, W)."""
        found = tuple(details["shape"].tolist())
        planes_first, last = (1, *shape), (1, shape[1], shape[2], shape[0])
        scale, zero_point = details["quantization"]
        dtype = details["dtype"]
        fits = dtype is np.float32 or (dtype in _QUANTISED and scale > 0)
        if found not in (planes_first, last) or not fits:
            return None
        return cls(details["index"], found != planes_first, dtype, float(scale), int(zero_point))

    def write(self, interpreter: Any, blob: npt.NDArray[np.float32]) -> None:
        """Write a (3, H, W) blob. Holds on to none of LiteRT's memory: it would refuse to run."""
        target = interpreter.tensor(self.index)()[0]
        if self.dtype is not np.float32:
            blob = self._quantised(blob)
        if self.channels_last:
            cv2.merge(list(blob), target)
        else:
            np.copyto(target, blob)

    def _quantised(self, blob: npt.NDArray[np.float32]) -> Any:
        # Scale, shift, round and saturate in one pass. Flat, because OpenCV would take the last axis for channels.
        flat = np.ascontiguousarray(blob).reshape(blob.shape[0], -1)
        numbers = cv2.addWeighted(flat, 1 / self.scale, flat, 0.0, float(self.zero_point), dtype=_QUANTISED[self.dtype])
        return numbers.reshape(blob.shape)


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """One output of a model."""

    index: int
    scale: float  # 0 for float32
    zero_point: int

    @classmethod
    def of(cls, details: Any) -> OutputTensor:
        """Read an entry of get_output_details()."""
        quantised = details["dtype"] is not np.float32
        scale, zero_point = details["quantization"]
        return cls(details["index"], float(scale) if quantised else 0.0, int(zero_point))

    def read(self, interpreter: Any) -> npt.NDArray[np.float32]:
        """Return the output as float32 without its batch axis; a copy of LiteRT's."""
        numbers = interpreter.get_tensor(self.index)[0]
        if not self.scale:
            return np.asarray(numbers, np.float32)
        floats = numbers.astype(np.float32)
        floats -= self.zero_point
        floats *= self.scale
        return np.asarray(floats)
