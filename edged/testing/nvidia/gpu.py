"""A GPU of make-believe, under the fakes of CUDA and TensorRT: memory, contexts, streams; strict about their use.

Work that is queued in a stream is done when the stream is waited for, and not before, so an answer that is read too
early is wrong here as it is on a real GPU.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Work = Callable[[], None]


class CudaMisuse(AssertionError):
    """The code under test did what would crash, hang or corrupt memory on a real GPU."""


class OutOfMemory(Exception):
    """There is no room. The fakes turn it into what their library raises or returns."""


class FakeGpu:
    """One GPU, shared by all that a test loads.

    Levers: `memory_bytes` is what it has; `fails_at` are the numbers of the executions (1 is the first) that fail;
    `broken` makes CUDA answer every wait and every freeing with an error, as it does after an illegal access.
    """

    def __init__(
        self,
        *,
        name: str = "Orin",
        compute_capability: tuple[int, int] = (8, 7),
        memory_bytes: int = 8 << 30,
        dla_cores: int = 2,
        fails_at: frozenset[int] = frozenset(),
    ) -> None:
        self.name = name
        self.compute_capability = compute_capability
        self.memory_bytes = memory_bytes
        self.dla_cores = dla_cores
        self.fails_at = fails_at
        self.broken = False
        self.journal: list[str] = []  # calls, as the fakes note them
        self.executions = 0
        self.retained = 0  # how often the primary context is held
        self.users: weakref.WeakSet[Any] = weakref.WeakSet()  # TensorRT's living objects
        self._memory: dict[int, npt.NDArray[np.uint8]] = {}
        self._pinned: dict[int, npt.NDArray[np.uint8]] = {}
        self._queues: dict[int, list[Work]] = {}
        self._recordings: dict[int, list[Work]] = {}
        self._next = 0x1000
        self._lock = threading.Lock()
        self._current = threading.local()

    def note(self, call: str) -> None:
        """Write a call down."""
        self.journal.append(call)

    # The primary context

    def retain(self) -> None:
        """Hold the primary context."""
        self.retained += 1

    def release(self) -> None:
        """Let go of it; the last to do so must have freed everything."""
        if self.retained < 1:
            raise CudaMisuse("the primary context was released more often than it was retained")
        self.retained -= 1
        if self.broken:
            return
        if self.retained == 0 and (self._memory or self._pinned or self._queues):
            raise CudaMisuse(
                f"the context goes away with {len(self._memory)} buffers, {len(self._pinned)} pinned arrays and "
                f"{len(self._queues)} streams alive"
            )
        if self.retained == 0 and len(self.users):
            raise CudaMisuse(f"the context goes away before TensorRT's objects: {list(self.users)}")

    @property
    def depth(self) -> int:
        """How often the context lies on this thread's stack."""
        return int(getattr(self._current, "depth", 0))

    @property
    def idle(self) -> bool:
        """Whether nobody has left anything: memory, streams, TensorRT's objects, or a context on this thread."""
        return not (self._memory or self._pinned or self._queues or len(self.users) or self.depth)

    def push(self) -> None:
        """Make the context current on this thread."""
        if self.retained < 1:
            raise CudaMisuse("a context that nobody holds was made current")
        self._current.depth = self.depth + 1

    def pop(self) -> None:
        """Undo the last push() of this thread."""
        if self.depth < 1:
            raise CudaMisuse("a context was popped that was not pushed on this thread")
        self._current.depth -= 1

    def demand_context(self, call: str) -> None:
        """Refuse a call on a thread that has no context."""
        if self.depth < 1:
            raise CudaMisuse(f"{call} without a current context on this thread")

    # Memory

    @property
    def used_bytes(self) -> int:
        """What is allocated."""
        return sum(memory.nbytes for memory in self._memory.values())

    def allocate(self, size_bytes: int) -> int:
        """Allocate on the GPU. Raises OutOfMemory."""
        self.demand_context("allocation")
        if size_bytes < 1:
            raise CudaMisuse("an allocation of nothing")
        if self.used_bytes + size_bytes > self.memory_bytes:
            raise OutOfMemory
        address = self._address(size_bytes)
        self._memory[address] = np.full(size_bytes, 0xCD, np.uint8)  # what is read before it is written is garbage
        return address

    def free(self, address: int) -> None:
        """Free what allocate() gave."""
        self.demand_context("free")
        if self._memory.pop(address, None) is None:
            raise CudaMisuse(f"memory at {address:#x} was freed that is not allocated")

    def pin(self, size_bytes: int) -> tuple[int, npt.NDArray[np.uint8]]:
        """Allocate page-locked memory; return its address and its bytes."""
        self.demand_context("pinned allocation")
        array = np.full(max(1, size_bytes), 0xCD, np.uint8)
        self._pinned[array.ctypes.data] = array
        return array.ctypes.data, array

    def unpin(self, address: int) -> None:
        """Free what pin() gave."""
        self.demand_context("pinned free")
        if self._pinned.pop(address, None) is None:
            raise CudaMisuse(f"pinned memory at {address:#x} was freed that is not allocated")

    def memory_at(self, address: int, size_bytes: int) -> npt.NDArray[np.uint8]:
        """Return the bytes of a buffer on the GPU."""
        memory = self._memory.get(address)
        if memory is None or memory.nbytes < size_bytes:
            raise CudaMisuse(f"{size_bytes} bytes at {address:#x} are no buffer on the GPU")
        return memory[:size_bytes]

    def pinned_at(self, address: int, size_bytes: int) -> npt.NDArray[np.uint8]:
        """Return the bytes of a pinned array."""
        memory = self._pinned.get(address)
        if memory is None or memory.nbytes < size_bytes:
            raise CudaMisuse(
                f"{size_bytes} bytes at {address:#x} are no pinned array: the copy would not be asynchronous"
            )
        return memory[:size_bytes]

    # Streams

    def make_stream(self) -> int:
        """Make a stream; return its handle."""
        self.demand_context("making a stream")
        handle = self._address(1)
        self._queues[handle] = []
        return handle

    def destroy_stream(self, handle: int) -> None:
        """Destroy a stream, which must be idle."""
        self.demand_context("destroying a stream")
        if self._queue(handle):
            raise CudaMisuse("a stream was destroyed while work waited in it")
        del self._queues[handle]

    def drop_stream(self, handle: int) -> None:
        """Let a stream go with its last reference, on whatever thread that happens."""
        self._queues.pop(handle, None)

    def enqueue(self, handle: int, call: str, work: Work) -> None:
        """Queue work, or record it."""
        self.demand_context(call)
        self.note(call)
        queue = self._queue(handle)
        self._recordings.get(handle, queue).append(work)

    def synchronize(self, handle: int) -> None:
        """Do what is queued."""
        self.demand_context("synchronize")
        self.note("synchronize")
        if handle in self._recordings:
            raise CudaMisuse("a stream was waited for while it is recorded")
        queue = self._queue(handle)
        while queue:
            queue.pop(0)()

    def begin_recording(self, handle: int) -> None:
        """Record what is queued from now on instead of doing it."""
        self.demand_context("begin capture")
        if self._queue(handle) or handle in self._recordings:
            raise CudaMisuse("a recording was begun in a stream that is busy")
        self._recordings[handle] = []

    def end_recording(self, handle: int) -> list[Work]:
        """Stop recording; return what was recorded."""
        self.demand_context("end capture")
        if handle not in self._recordings:
            raise CudaMisuse("a recording was ended that was not begun")
        return self._recordings.pop(handle)

    def _queue(self, handle: int) -> list[Work]:
        if handle not in self._queues:
            raise CudaMisuse(f"{handle:#x} is no stream")
        return self._queues[handle]

    def _address(self, size_bytes: int) -> int:
        with self._lock:
            address = self._next
            self._next += (size_bytes + 0xFFF) & ~0xFFF
        return address
