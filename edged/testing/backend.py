"""A backend that gives the answers it was told to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
import numpy.typing as npt

from edged.errors import BackendError

Tensor = npt.NDArray[np.float32]
Answer = Callable[[Tensor], Sequence[Tensor]]


class ScriptedBackend:
    """Implements ports.Backend without an engine.

    Levers: `answer` is what every call returns, or a function of the blob; calls whose numbers (from 1) are in
    `fails_at` raise BackendError. `calls` counts them, the failed too.
    """

    def __init__(
        self,
        answer: Answer | Sequence[Tensor],
        *,
        input_shape: tuple[int, int, int],
        fails_at: Collection[int] = (),
    ) -> None:
        """`input_shape` is (3, height, width)."""
        self.calls = 0
        self.closed = False
        self._answer = answer
        self._input_shape = input_shape
        self._fails_at = fails_at

    def infer(self, blob: Tensor) -> list[Tensor]:
        """See ports.Backend."""
        if self.closed:
            raise BackendError("infer() on a closed scripted backend.", hint="Build another one.")
        if blob.shape != self._input_shape or blob.dtype != np.float32:
            raise BackendError(
                f"The model takes a float32 blob of shape {self._input_shape}; got {blob.dtype} {blob.shape}.",
                hint="Correct the input size.",
            )
        self.calls += 1
        if self.calls in self._fails_at:
            raise BackendError(f"Call {self.calls} was told to fail.", hint="Change fails_at.")
        answer = self._answer(blob) if callable(self._answer) else self._answer
        return [np.array(tensor, np.float32) for tensor in answer]

    def close(self) -> None:
        """See ports.Backend."""
        self.closed = True
