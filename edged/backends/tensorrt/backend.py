"""A model in TensorRT, as the rest of edged sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edged.backends.blobs import check_blob
from edged.backends.tensorrt.cache import EngineCache
from edged.backends.tensorrt.device import Device
from edged.backends.tensorrt.libraries import NVIDIA, Libraries
from edged.backends.tensorrt.loader import Files, Interface, Loader
from edged.backends.tensorrt.plan import Wishes
from edged.backends.tensorrt.progress import OnProgress, ProgressTeller
from edged.backends.tensorrt.session import Session
from edged.clock import Clock, SystemClock
from edged.errors import BackendError


class TensorRtBackend:
    """See ports.Backend. Used by one thread at a time, not always the same; several instances may run at once."""

    def __init__(
        self,
        files: Files,
        *,
        input_name: str,
        output_names: Sequence[str],
        input_shape: tuple[int, int, int],
        cache_folder: Path | None,
        wishes: Wishes | None = None,
        on_progress: OnProgress = lambda progress: None,
        clock: Clock | None = None,
        libraries: Libraries = NVIDIA,
    ) -> None:
        """Load the model; build its engine first, which takes minutes, where `cache_folder` holds none that fits.

        Without a folder nothing is kept.

        `input_shape` is (3, height, width). `on_progress` is told of a build every few seconds, on any thread.
        Raises ModelNotFound, ModelInvalid, BackendError, GpuMemoryExhausted.
        """
        self._input_shape = input_shape
        self._session: Session | None = None
        loader = Loader(
            files,
            Interface(input_name, tuple(output_names), input_shape),
            cache=EngineCache(cache_folder),
            wishes=wishes or Wishes(),
            teller=ProgressTeller(on_progress, clock or SystemClock()),
        )
        gpu = libraries.find_gpu()
        trt = libraries.tensorrt()
        self._device: Device = libraries.open_device()
        try:
            with self._device.active():
                self._session = loader.load(trt, self._device, gpu)
        except BaseException:
            self._device.close()
            raise

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """See ports.Backend."""
        if self._session is None:
            raise BackendError("infer() on a closed TensorRT backend.", hint="Load the model again.")
        check_blob(blob, self._input_shape)
        with self._device.active():
            return self._session.run(blob)

    def close(self) -> None:
        """See ports.Backend: TensorRT's objects go first, then the memory, then the GPU."""
        session, self._session = self._session, None
        try:
            if session is not None:
                with self._device.active():
                    session.close()
        finally:
            self._device.close()
